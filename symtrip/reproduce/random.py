"""The row random: a linear model on random features of tagged pairs, in closed form."""

from __future__ import annotations

import itertools
from pathlib import Path

import torch
from torch import Tensor

from symtrip.data import B8Pairs
from symtrip.environments import Environments
from symtrip.models import RandomFeatureModel, RandomFeatures
from symtrip.reproduce.fitting import Task
from symtrip.reproduce.presets import ModelPlan
from symtrip.reproduce.vectors import write_errors
from symtrip.train import PairRegression, pair_errors, pair_loss, paired, regress_pairs
from symtrip.train.structures import fit_terms

__all__ = ["fit_random_model"]


def fit_random_model(
    folder: Path, plan: ModelPlan, fitting: B8Pairs, validation: B8Pairs, task: Task
) -> None:
    """Fit a model to labelled pairs, with the noise that serves pairs left out best.

    Args:
        folder: gets ``model.safetensors`` and ``errors.json``.
        plan: the row.
        fitting: labelled training pairs.
        validation: labelled validation pairs.
        task: title, seed (of the components' random start and of the frequencies), device, report.
    """
    settings = plan.random.features
    species = settings.terms[0].expansion.species
    known, unseen = (_environments(pairs, plan, task.device) for pairs in (fitting, validation))
    with task.report.stage(f"{task.title}: components") as progress:
        terms = fit_terms(settings, known, task.seed, progress)
    model = RandomFeatureModel(settings, terms, species, centers=(0,)).to(task.device)
    rows = _features(model, known, f"{task.title}: features", task)
    found, weights = _regression(rows, fitting.energies.to(rows), plan, task)
    model.atomic_energies.fill_(found.shift)
    model.coefficients.copy_(weights)
    model.save(folder / "model.safetensors")
    others = _features(model, unseen, f"{task.title}: validation", task)
    predicted = [paired((found.shift + x @ weights).cpu()) for x in (rows, others)]
    write_errors(
        folder,
        {
            "training": pair_errors(predicted[0], fitting.energies),
            "validation": pair_errors(predicted[1], validation.energies),
            "left_out": pair_errors(found.left_out.cpu(), fitting.energies),
        },
    )


def _environments(pairs: B8Pairs, plan: ModelPlan, device: torch.device) -> Environments:
    radius = plan.random.features.terms[0].expansion.radius
    positions, numbers = pairs.positions.flatten(0, 1), pairs.numbers
    return Environments.from_positions(positions.to(device), numbers.to(device), radius=radius)


def _features(
    model: RandomFeatureModel, environments: Environments, title: str, task: Task
) -> Tensor:
    pieces, done = [], 0
    with task.report.stage(title) as progress, torch.no_grad():
        for part in environments.split(RandomFeatures.chunk):
            progress(done, len(environments))
            pieces.append(model.features(part))
            done += len(part)
        progress(done, len(environments))
    return torch.cat(pieces)


def _regression(
    rows: Tensor, energies: Tensor, plan: ModelPlan, task: Task
) -> tuple[PairRegression, Tensor]:
    """The best regression, and the weights of the features in eV."""
    settings = plan.random
    # not centred: the features of a pair left out would follow from those of all others
    size = rows.square().sum(dim=1).mean()
    kernel = rows @ rows.T / size
    grid = list(itertools.product(settings.noise, settings.difference_noise))
    fits, missed = [], []
    with task.report.stage(f"{task.title}: regression") as progress:
        for done, (noise, part) in enumerate(grid, start=1):
            fits.append(regress_pairs(kernel, energies, noise, noise * part))
            error = fits[-1].left_out - energies
            missed.append(float(pair_loss(error, plan.training.difference_weight)))
            progress(done, len(grid))
    chosen = missed.index(min(missed))
    best, (noise, part) = fits[chosen], grid[chosen]
    task.report.say(f"{task.title}: noise {noise:g}, of differences {noise * part:g}")
    return best, best.scale * (rows.T @ best.coefficients) / size
