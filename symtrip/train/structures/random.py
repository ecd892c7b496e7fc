"""Energies linear in random features, solved for: no network, no epochs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from symtrip.environments import Environments
from symtrip.memory import require_memory
from symtrip.models import (
    ExpansionSettings,
    RandomFeatureModel,
    RandomFeatures,
    RandomFeatureSettings,
)
from symtrip.progress import Progress
from symtrip.train.run import Report
from symtrip.train.seeds import generator_for
from symtrip.train.structures.config import FitConfig
from symtrip.train.structures.data import LabelledStructures

__all__ = ["LinearFit", "fit_random", "fit_terms", "ridge"]

_STRUCTURES_AT_A_TIME = 64


@dataclass(frozen=True, eq=False)
class LinearFit:
    """Coefficients for one noise.

    Attributes:
        free: (c,) coefficients of the columns that are not penalised.
        coefficients: (p,) of the others.
        noise: the noise.
    """

    free: Tensor
    coefficients: Tensor
    noise: float


def ridge(columns: Tensor, free: Tensor, values: Tensor, noise: Sequence[float]) -> list[LinearFit]:
    """Ridge regressions with the same columns: values = free a + columns b.

    Minimises |values - free a - columns b|^2 + noise s |b|^2, s the mean square of the length of
    the rows of ``columns`` without what ``free`` explains.

    Args:
        columns: (S, p).
        free: (S, c), of any rank.
        values: (S,).
        noise: one regression for each.

    Returns:
        The fits, in the order of ``noise``.

    Accuracy:
        coefficients agree with the solution of the normal equations to rounding times their
        condition (tests/oracle/test_ridge.py).

    Source:
        Hoerl, Kennard, Technometrics 12, 55 (1970), with partialled-out columns.
    """
    basis, sizes, _ = torch.linalg.svd(free, full_matrices=False)
    basis = basis[:, sizes > sizes.max() * torch.finfo(free.dtype).eps * len(free)]
    x = columns - basis @ (basis.T @ columns)
    y = values - basis @ (basis.T @ values)
    scale = float(x.square().sum(dim=1).mean())
    wide = x.shape[1] > len(x)
    squares, vectors = torch.linalg.eigh(x @ x.T if wide else x.T @ x)
    projected = vectors.T @ (y if wide else x.T @ y)
    inverse = torch.linalg.pinv(free)
    fits = []
    for part in noise:
        solved = vectors @ (projected / (squares.clamp(min=0.0) + part * scale))
        b = x.T @ solved if wide else solved
        fits.append(LinearFit(inverse @ (values - columns @ b), b, part))
    return fits


def fit_terms(
    settings: RandomFeatureSettings, environments: Environments, seed: int, progress: Progress
) -> list[RandomFeatures]:
    """Fit the random features of every kernel to a sample of environments.

    Args:
        settings: of the features.
        environments: what the sample is taken from.
        seed: of the components' random start and of the frequencies.
        progress: called with the number of kernels done and of all.

    Raises:
        InputError: no environment has a neighbour.
    """
    terms = []
    for number, term in enumerate(settings.terms):
        progress(number, len(settings.terms))
        generator = generator_for(seed, "compression", number)
        terms.append(
            RandomFeatures.fit(
                term,
                environments,
                settings.n_features,
                sample=settings.sample,
                generator=generator,
            )
        )
    progress(len(terms), len(terms))
    return terms


def fit_random(
    config: FitConfig,
    training: LabelledStructures,
    validation: LabelledStructures,
    report: Report,
    device: torch.device,
) -> RandomFeatureModel:
    """Fit the energies of structures, per centre; the noise by the validation error.

    Args:
        config: the settings.
        training: structures to fit.
        validation: structures to choose the noise on.
        report: told about the progress.
        device: where features are computed.

    Returns:
        The model, on the CPU.

    Raises:
        InputError: the settings of a kernel are impossible, a validation structure has other
            elements, or the features do not fit into memory.
    """
    found = training.environments
    elements = sorted(set(found.center_species.tolist()))
    species = config.expansion.species or tuple(sorted({*elements, *found.neighbor_species}))
    expansion = ExpansionSettings(**config.expansion.model_dump() | {"species": species})
    settings = RandomFeatureSettings(
        terms=tuple(
            kernel.over(expansion, config.features.components) for kernel in config.random.kernels
        ),
        n_features=config.random.n_features,
        sample=config.features.sample,
    )
    require_memory(
        "random.n_features",
        "features",
        8 * len(elements) * len(settings.terms) * settings.n_features,
        len(training) + len(validation),
        torch.device("cpu"),
        "take fewer features or kernels, or at most {size} structures",
    )
    placed = found.to(torch.float64, device)
    with report.stage("components") as progress:
        terms = fit_terms(settings, placed, config.seed, progress)
    centers = None if config.centers == "all" else tuple(config.centers)
    model = RandomFeatureModel(settings, terms, elements, centers).to(device)
    rows = []
    for title, part in (("training", training), ("validation", validation)):
        with report.stage(f"features, {title}") as progress:
            rows.append(_summed(model, part, device, progress))
    counts = [
        part.composition(elements) / part.n_centers[:, None] for part in (training, validation)
    ]
    values = [part.energies / part.n_centers for part in (training, validation)]
    with report.stage("regression") as progress:
        fits = ridge(rows[0], counts[0], values[0], config.random.noise)
        progress(1, 2)
        missed = [
            float((counts[1] @ x.free + rows[1] @ x.coefficients - values[1]).square().mean())
            for x in fits
        ]
        chosen = fits[missed.index(min(missed))]
        progress(2, 2)
    report.say(f"noise {chosen.noise:.0e} of {', '.join(f'{x:.0e}' for x in config.random.noise)}")
    model.atomic_energies.copy_(chosen.free)
    model.coefficients.copy_(chosen.coefficients.view_as(model.coefficients))
    return model.cpu()


def _summed(
    model: RandomFeatureModel,
    structures: LabelledStructures,
    device: torch.device,
    progress: Progress,
) -> Tensor:
    """(S, elements x features) features per centre, those of each element in their own columns."""
    n_elements, width = model.coefficients.shape
    count = len(structures)
    total = torch.zeros(count, n_elements, width, dtype=torch.float64)
    every = torch.arange(count)
    with torch.no_grad():
        for part in torch.split(every, _STRUCTURES_AT_A_TIME):
            progress(int(part[0]), count)
            environments = structures.batch(part).environments.to(torch.float64, device)
            for piece in environments.split(RandomFeatures.chunk):
                place = (part[0] + piece.structure) * n_elements + model.element_rows(piece)
                total.view(-1, width).index_add_(0, place.cpu(), model.features(piece).cpu())
        progress(count, count)
    return total.flatten(1) / structures.n_centers[:, None]
