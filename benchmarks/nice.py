"""The paper's NICE step to nu = 4: forming the products and projecting them."""

from __future__ import annotations

import torch
from allocations import peak_bytes
from clusters import b8
from figures import figure
from side_by_side import Bar, in_turn
from torch import Tensor

from symtrip import SphericalExpansion
from symtrip.nice import PAPER_CONTRACTIONS
from symtrip.nice_step import NiceStep

__all__ = ["MEASUREMENTS", "step_input"]

Blocks = dict[tuple[int, int], Tensor]


def step_input(count: int) -> tuple[NiceStep, Blocks, Blocks]:
    """The step from nu = 3, random contracted blocks of the paper's sizes, random projections."""
    generator = torch.Generator().manual_seed(4)

    def random(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=generator, dtype=torch.float64)

    sizes = PAPER_CONTRACTIONS[3]
    step = NiceStep(list(sizes), 3, 3)
    blocks = {key: random(count, 2 * key[0] + 1, q) for key, q in sizes.items()}
    widths = step.widths(sizes, 6)
    onto = {key: random(widths[key], q) for key, q in PAPER_CONTRACTIONS[4].items()}
    return step, blocks, onto


def projection(quick: bool) -> list[Bar]:
    """Forming and projecting against projecting alone."""
    count = 20 if quick else 100
    density = SphericalExpansion.b8()(b8(count))
    step, blocks, onto = step_input(count)
    widths = {key: projections.shape[0] for key, projections in onto.items()}
    products = {
        key: torch.rand(count * (2 * key[0] + 1), width, dtype=torch.float64)
        for key, width in widths.items()
    }
    results = {key: torch.mm(products[key], onto[key]) for key in onto}

    def both() -> list[Tensor]:
        return [step.project(key, blocks, density, onto[key]) for key in onto]

    with torch.no_grad():
        seconds = in_turn(
            {
                "gemm": lambda: [torch.mm(products[k], onto[k], out=results[k]) for k in onto],
                "both": both,
            },
            rounds=3 if quick else 7,
        )
        peak = peak_bytes(both) - sum(8 * r.numel() for r in results.values())
    whole = sum(8 * p.numel() for p in products.values())
    return [
        figure(
            "NICE step nu = 4: forming + projection / projection GEMM",
            seconds["both"] / seconds["gemm"],
        ),
        figure("NICE step nu = 4: peak memory / whole intermediate", peak / whole),
        Bar("NICE step nu = 4: ms a B8 environment", 1e3 * seconds["both"] / count),
    ]


MEASUREMENTS = (projection,)
