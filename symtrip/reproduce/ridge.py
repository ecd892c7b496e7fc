"""Models C_L in closed form: linear maps from invariants to energies."""

from __future__ import annotations

import itertools
from pathlib import Path

import torch
from torch import Tensor

from symtrip.data import B8Pairs
from symtrip.files import save_tensors
from symtrip.reproduce.fitting import SELECTION_FRACTION, Task
from symtrip.reproduce.presets import ModelPlan
from symtrip.reproduce.vectors import labelled_sets, whitening_factors, write_errors
from symtrip.train import (
    LinearPairRegression,
    PairMoments,
    pair_errors,
    pair_loss,
    split_pairs,
)

__all__ = ["fit_linear_energy"]


def fit_linear_energy(
    folder: Path,
    plan: ModelPlan,
    vectors: dict[str, Tensor],
    pairs: dict[str, B8Pairs],
    task: Task,
    *,
    n_even: int,
) -> None:
    """Solve for a linear model, with the settings that serve training pairs kept aside best.

    Columns that inversion changes the sign of get no weight: trained on mirror images as well, a
    linear model gives them none.

    Args:
        folder: gets ``weights`` and ``errors.json``.
        plan: the row.
        vectors: "training", "validation" and, if there are any, "further" -> (P, 2, q).
        pairs: the same pairs, labelled or not; only labelled ones are used, further ones for the
            fit, never for the selection.
        task: its seed chooses the pairs kept aside; they are fitted as well in the end.
        n_even: number of even columns, the first ones.
    """
    known, energies = labelled_sets(vectors, pairs)
    features = {name: x[..., :n_even] for name, x in known.items()}
    some, aside = split_pairs(len(energies["training"]), SELECTION_FRACTION, task.seed)

    def moments(rows: Tensor) -> PairMoments:
        parts = [(features["training"][rows], energies["training"][rows])]
        if "further" in features:
            parts.append((features["further"], energies["further"]))
        return PairMoments(*(torch.cat(part).to(task.device) for part in zip(*parts, strict=True)))

    def solved(known: PairMoments, choice: tuple[float, float, float]) -> LinearPairRegression:
        noise, part, whitening = choice
        return known.solve(noise, noise * part, whitening_factors(known.deviation, whitening))

    ridge = plan.ridge
    grid = list(itertools.product(ridge.noise, ridge.difference_noise, ridge.whitening))
    fitted = moments(some)
    kept, wanted = features["training"][aside].to(task.device), energies["training"][aside]
    scores = {}
    with task.report.stage(task.title) as progress:
        for done, choice in enumerate(grid, start=1):
            error = solved(fitted, choice)(kept).cpu() - wanted
            scores[choice] = float(pair_loss(error, plan.training.difference_weight))
            progress(done, len(grid) + 1)
        best = min(scores, key=scores.__getitem__)
        model = solved(moments(torch.arange(len(energies["training"]))), best)
        progress(len(grid) + 1, len(grid) + 1)
    noise, part, whitening = best
    task.report.say(
        f"{task.title}: noise {noise:g}, of differences {noise * part:g}, whitening {whitening:g}"
    )
    save_tensors(
        folder / "weights.safetensors",
        {"coefficients": model.coefficients.cpu(), "intercept": torch.tensor(model.intercept)},
    )
    errors = {
        name: pair_errors(model(features[name].to(task.device)).cpu(), energies[name])
        for name in ("training", "validation")
    }
    write_errors(folder, errors)
