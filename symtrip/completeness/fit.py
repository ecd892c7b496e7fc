"""Positions from smooth features by optimisation: for bases that no decoder inverts.

The features of one tagged pair are linear in the density. The unknown neighbours are moved until
the density seen from the pair agrees, from many random starts. What comes out tells what the basis
resolves: starts that find the environment, starts that get stuck, and environments that fit without
being the right one (a proof that the basis is too small).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from symtrip.completeness.clouds import Array, frame
from symtrip.completeness.congruence import congruent
from symtrip.completeness.couplings import closest_to_right_angle, coupling_matrix
from symtrip.completeness.matching import assign
from symtrip.environments import Environments
from symtrip.errors import require
from symtrip.expansion import SphericalExpansion
from symtrip.triplets import triplet_paths

__all__ = ["FitReport", "fit_positions"]

_STEPS, _FOUND, _FITS = 60, 1e-6, 1e-9


@dataclass(frozen=True, eq=False)
class FitReport:
    """What many starts of :func:`fit_positions` found.

    Attributes:
        starts: number of starts.
        found: starts that ended within 1e-6 Å of the environment.
        wrong: starts that fit the features to 1e-9 of their norm with another environment.
        vectors: (N, 3) neighbours of the best fit in Å, in the frame of the pair.
        residual: relative difference of its features.
        deviation: its largest deviation from the true environment in Å, after alignment.
        amplification: Å (norm over all unknown coordinates) by which the environment moves, to
            first order, per relative error of the features; infinite if a motion changes nothing.
    """

    starts: int
    found: int
    wrong: int
    vectors: Array
    residual: float
    deviation: float
    amplification: float

    @property
    def recovered(self) -> bool:
        """Whether the best fit is the environment."""
        return self.deviation <= _FOUND


def fit_positions(
    environment: Environments,
    expansion: SphericalExpansion,
    *,
    starts: int = 64,
    seed: int = 0,
    pair: tuple[int, int] | None = None,
) -> FitReport:
    """Recover an environment from the features of one tagged pair by Levenberg-Marquardt.

    The positions of the tagged neighbours follow from the l <= 1 channels of the features (they
    are two numbers and an angle) and are taken as known; the others start anywhere in the shell
    between half the smallest and the largest neighbour distance.

    Args:
        environment: one environment of one species, in float64.
        expansion: any expansion, e.g. ``SphericalExpansion.b8()``.
        starts: number of random starts.
        seed: seed of the starts.
        pair: the tagged neighbours; default: those closest to a right angle.

    Returns:
        How many starts succeeded, and the best fit.

    Raises:
        InputError: several environments or species, fewer than two neighbours, ``starts`` < 1, a
            ``pair`` that is none.

    Accuracy:
        Converged starts end at the rounding of the features times the condition of the basis.
    """
    require(starts >= 1, "starts", "be at least 1", starts, "64 is a good number")
    require(
        len(environment) == 1 and int(environment.mask.sum()) >= 2,
        "environment",
        "be a single one with at least two neighbours",
        f"{len(environment)} with {environment.mask.sum(dim=1).tolist()} neighbours",
        "select one with env[0:1]",
    )
    mask = environment.mask[0]
    species = environment.species[0][mask]
    require(
        bool((species == species[0]).all()),
        "environment",
        "hold one species",
        sorted(set(species.tolist())),
        "decode several species with Monomials and symtrip.completeness.reconstruct",
    )
    vectors = environment.vectors[0][mask].double().numpy()
    j, k = closest_to_right_angle(vectors)
    if pair is not None:
        known = torch.nonzero(mask).flatten().tolist()
        require(
            len(set(pair)) == 2 and set(pair) <= set(known),
            "pair",
            f"name two different ones of the neighbours {known}",
            pair,
            "see Environments.mask",
        )
        j, k = (known.index(neighbor) for neighbor in pair)
    # e1 along z, as the coupling matrices want it
    axes = np.roll(frame(vectors[j], vectors[k]), -1, axis=0)
    framed = vectors @ axes.T
    unknown = np.delete(framed, [j, k], axis=0)
    model = _Model(expansion, framed[[j, k]], environment.radius, int(species[0]))
    target = model(torch.from_numpy(unknown)[None])[0]
    generator = np.random.default_rng(seed)
    lengths = np.linalg.norm(vectors, axis=1)
    guesses = _shell(generator, (starts, *unknown.shape[:1]), lengths.min() / 2, lengths.max())
    fitted, residuals = _levenberg_marquardt(
        model, torch.from_numpy(guesses), target, limit=environment.radius
    )
    deviations = np.array([_deviation(fit, unknown) for fit in fitted])
    found = deviations <= _FOUND
    fits = (residuals <= _FITS) & ~found
    wrong = sum(
        not _same(np.concatenate([framed[[j, k]], fitted[i]]), framed, environment)
        for i in np.flatnonzero(fits)
    )
    best = int(np.where(found, -1.0, residuals).argmin())
    return FitReport(
        starts,
        int(found.sum()),
        int(wrong),
        np.concatenate([framed[[j, k]], fitted[best]]),
        float(residuals[best]),
        float(deviations[best]),
        _amplification(model, torch.from_numpy(unknown), target),
    )


class _Model:
    """(S, N', 3) unknown neighbours -> (S, F) features of the tagged pair, tags included."""

    def __init__(
        self, expansion: SphericalExpansion, tagged: Array, radius: float, species: int
    ) -> None:
        self.expansion, self.radius, self.species = expansion, radius, species
        self.tagged = torch.from_numpy(tagged)
        highest = expansion.basis.max_angular
        paths = triplet_paths(highest)
        # unit vectors: the tagged radial factors only scale blocks of features
        unit = tagged / np.linalg.norm(tagged, axis=1, keepdims=True)
        self.couplings = [
            torch.from_numpy(coupling_matrix(unit[0], unit[1], [p for p in paths if p[2] == big_l]))
            for big_l in range(highest + 1)
        ]

    def __call__(self, unknown: Tensor) -> Tensor:
        tags = self.tagged.expand(len(unknown), 2, 3)
        vectors = torch.cat([tags, unknown], dim=1)
        environments = Environments(
            vectors=vectors,
            species=torch.full(vectors.shape[:2], self.species),
            mask=torch.ones(vectors.shape[:2], dtype=torch.bool),
            center_species=torch.ones(len(vectors), dtype=torch.int64),
            structure=torch.arange(len(vectors)),
            center=torch.zeros(len(vectors), dtype=torch.int64),
            neighbor=torch.arange(1, vectors.shape[1] + 1).expand(vectors.shape[:2]),
            radius=self.radius,
        )
        rho = self.expansion(environments).rho
        blocks = [
            torch.einsum("pm,smq->spq", coupling, block).flatten(1)
            for coupling, block in zip(self.couplings, rho, strict=True)
        ]
        return torch.cat(blocks, dim=1)


def _levenberg_marquardt(
    model: Callable[[Tensor], Tensor], guesses: Tensor, target: Tensor, *, limit: float
) -> tuple[Array, Array]:
    """All starts at once; each has its own damping. Returns positions and relative residuals."""
    position = guesses
    scale = float(target.norm())
    error = (model(position) - target) / scale
    cost = error.square().sum(dim=1)
    damping = torch.full_like(cost, 1e-2)
    for _ in range(_STEPS):
        slope = _slopes(model, position) / scale
        normal = slope.transpose(1, 2) @ slope
        gradient = (slope.transpose(1, 2) @ error[:, :, None])[:, :, 0]
        diagonal = torch.diagonal(normal, dim1=1, dim2=2)
        floor = 1e-12 * diagonal.amax(dim=1, keepdim=True)
        damped = normal + torch.diag_embed(damping[:, None] * (diagonal + floor))
        step = torch.linalg.solve(damped, gradient).view_as(position)
        moved = position - step
        # a neighbour that leaves the sphere would vanish from the features
        length = moved.norm(dim=-1, keepdim=True)
        moved = torch.where(length > 0.98 * limit, moved * (0.98 * limit / length), moved)
        tried = (model(moved) - target) / scale
        better = tried.square().sum(dim=1) < cost
        position = torch.where(better[:, None, None], moved, position)
        error = torch.where(better[:, None], tried, error)
        cost = error.square().sum(dim=1)
        damping = torch.where(better, damping / 4, damping * 6).clamp(1e-14, 1e6)
    return position.numpy(), cost.sqrt().numpy()


def _slopes(model: Callable[[Tensor], Tensor], position: Tensor, step: float = 1e-5) -> Tensor:
    """(S, F, 3N') by central differences, all in one batch."""
    count, size = len(position), position[0].numel()
    unit = step * torch.eye(size, dtype=position.dtype).view(size, *position.shape[1:])
    both = torch.stack([position[:, None] + unit, position[:, None] - unit])
    values = model(both.flatten(0, 2)).view(2, count, size, -1)
    return ((values[0] - values[1]) / (2 * step)).transpose(1, 2)


def _amplification(model: Callable[[Tensor], Tensor], unknown: Tensor, target: Tensor) -> float:
    """Inverse of the smallest singular value of the relative features' Jacobian, in Å."""
    if len(unknown) == 0:
        return 0.0
    slope = _slopes(model, unknown[None])[0] / target.norm()
    singular = torch.linalg.svdvals(slope)
    # below 1e-9 of the largest one the differences behind the Jacobian hold nothing but rounding
    seen = len(singular) == unknown.numel() and bool(singular[-1] > 1e-9 * singular[0])
    return 1.0 / float(singular[-1]) if seen else float("inf")


def _shell(
    generator: np.random.Generator, shape: tuple[int, ...], inner: float, outer: float
) -> Array:
    direction = generator.normal(size=(*shape, 3))
    direction /= np.linalg.norm(direction, axis=-1, keepdims=True)
    cube = generator.uniform(inner**3, outer**3, size=(*shape, 1))
    return np.asarray(direction * np.cbrt(cube))


def _deviation(fitted: Array, true: Array) -> float:
    """Largest deviation in the frame of the pair, over permutations."""
    apart = np.linalg.norm(fitted[:, None] - true[None], axis=-1)
    return assign(apart, "bottleneck")[1]


def _same(fitted: Array, true: Array, like: Environments) -> bool:
    """Whether the fit is the environment after all, turned so that other atoms take the tags."""
    a, b = (
        Environments.from_vectors(torch.from_numpy(vectors), 1, radius=like.radius)
        for vectors in (fitted, true)
    )
    return bool(congruent(a, b, group="SO3", tolerance=_FOUND))
