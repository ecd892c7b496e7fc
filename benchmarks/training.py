"""One epoch of training B_NL against its matrix products.

As PyTorch multiplies by default, and as ``symtrip.precision.fast_float32`` does, which the training
takes itself.
"""

from __future__ import annotations

import torch
from figures import figure
from side_by_side import Bar, in_turn

from symtrip.models import PairFeatures, TripletEnergy
from symtrip.precision import fast_float32
from symtrip.train import LabelledPairs, Trainer, TrainingSettings

__all__ = ["MEASUREMENTS", "trainer"]

SECTIONS = (200, 56, 156, 100)
"""512 components, half of them symmetric under exchange of the neighbours."""
HIDDEN, NEIGHBORS, EPOCHS = 128, 7, 100
DTYPES = {"float64": torch.float64, "float32": torch.float32}


Operands = tuple[torch.Tensor, ...]


def random_pairs(count: int, dtype: torch.dtype, device: torch.device) -> LabelledPairs:
    """``count`` pairs of structures with random features."""
    symmetric, antisymmetric = sum(SECTIONS[:2]), sum(SECTIONS[2:])
    total, apart = NEIGHBORS * (NEIGHBORS + 1) // 2, NEIGHBORS * (NEIGHBORS - 1) // 2
    features = PairFeatures(
        symmetric=torch.randn(2 * count, total, symmetric, dtype=dtype, device=device),
        antisymmetric=torch.randn(2 * count, apart, antisymmetric, dtype=dtype, device=device),
        mask=torch.ones(2 * count, total, dtype=torch.bool, device=device),
        n_even=(SECTIONS[0], SECTIONS[2]),
    )
    return LabelledPairs(features, torch.randn(count, 2, dtype=dtype, device=device))


def trainer(pairs: int, dtype: torch.dtype, device: torch.device) -> Trainer:
    """A run on ``pairs`` pairs, with the settings that `symtrip train` has by default."""
    energy = TripletEnergy(SECTIONS, HIDDEN).to(dtype=dtype, device=device)
    fit, select = (random_pairs(n, dtype, device) for n in (pairs, 2))
    return Trainer(energy, fit, select, TrainingSettings(epochs=EPOCHS), seed=0)


def five_products(structures: int, dtype: torch.dtype, device: torch.device) -> Operands:
    """Operands of the products of one batch."""
    rows = structures * NEIGHBORS**2

    def random(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, dtype=dtype, device=device)

    return (
        *(random(rows, sum(SECTIONS)), random(sum(SECTIONS), HIDDEN)),
        *(random(rows, HIDDEN), random(HIDDEN, HIDDEN)),
    )


def multiply(operands: Operands) -> None:
    """Two forward products, two of weight gradients, one of an input gradient."""
    x, first, hidden, middle = operands
    torch.mm(x, first)
    torch.mm(hidden, middle)
    torch.mm(x.T, hidden)
    torch.mm(hidden.T, hidden)
    torch.mm(hidden, middle.T)


def epoch(quick: bool) -> list[Bar]:
    """Epochs of 7000 structures and the same number of rows in five products."""
    pairs = 350 if quick else 3500
    bars = []
    for name, dtype in DTYPES.items():
        run = trainer(pairs, dtype, torch.device("cpu"))
        batch = 2 * run.settings.batch_pairs
        operands = five_products(batch, dtype, torch.device("cpu"))
        steps = run.steps_per_epoch
        advance = run.run()

        def one_epoch(advance=advance, steps=steps) -> None:  # type: ignore[no-untyped-def]
            for _ in range(steps):
                next(advance)

        def products(operands=operands, batch=batch) -> None:  # type: ignore[no-untyped-def]
            for start in range(0, 2 * pairs, batch):
                rows = min(batch, 2 * pairs - start) * NEIGHBORS**2
                multiply((operands[0][:rows], operands[1], operands[2][:rows], operands[3]))

        def fast_products(products=products) -> None:  # type: ignore[no-untyped-def]
            with fast_float32():
                products()

        seconds = in_turn(
            {"epoch": one_epoch, "products": products, "fast products": fast_products},
            rounds=3 if quick else 5,
        )
        ratio = seconds["epoch"] / seconds["products"]
        if quick:
            bars.append(Bar(f"training epoch of {2 * pairs} structures / products, {name}", ratio))
        else:
            bars.append(figure(f"training epoch / its five GEMMs, {name}", ratio))
        bars += [
            Bar(
                f"training epoch of {2 * pairs} structures / fast products, {name}",
                seconds["epoch"] / seconds["fast products"],
            ),
            Bar(f"training epoch of {2 * pairs} structures in s, {name}", seconds["epoch"]),
        ]
    return bars


MEASUREMENTS = (epoch,)
