"""Completeness, constructively: features of one tagged pair -> the whole environment.

Two decoders. ``"power-sums"`` needs weights 1 (every neighbour within radius - width of the
cutoff) and all moments of degree <= the largest number of untagged neighbours of one species; it
works in all configurations. ``"matrix-pencil"`` takes any positive weights, but needs degree
2d + 1 such that polynomials of degree d separate the neighbours.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from symtrip.completeness.clouds import Array
from symtrip.completeness.couplings import Path, closest_to_right_angle
from symtrip.completeness.moments import (
    FrameMoments,
    check_expansion,
    frame_moments,
    tagged_geometry,
)
from symtrip.completeness.pencil import weighted_collinear_points, weighted_points_from_moments
from symtrip.completeness.power_sums import PointFit, collinear_points, points_from_moments
from symtrip.environments import Environments
from symtrip.errors import InputError, require
from symtrip.expansion import Density, SphericalExpansion
from symtrip.triplets import TripletFeatures, Triplets

__all__ = ["Decoder", "Reconstruction", "decode_pair", "pair_features", "reconstruct"]

Decoder = Literal["power-sums", "matrix-pencil"]


@dataclass(frozen=True, eq=False)
class Reconstruction:
    """An environment recovered from the features of one tagged pair.

    Attributes:
        vectors: (N, 3) neighbours in Å, in the frame of the pair: j along +z, k in the plane y = 0.
        species: (N,) atomic numbers.
        pair: the tagged neighbours (j, k) whose features were used.
        decoder: which decoder was used.
        coupling_condition: condition number of the couplings; grows as sin^-L of the pair's angle.
        decoder_condition: Å of error per unit error of the scaled moments, worst species.
        residual: rms deviation of the scaled moments from those of the result.
        error_estimate: expected error of the positions in Å: both conditions times the rounding
            error of the features, plus what the residual explains.
        weights: (N,) cutoff function at the neighbours as decoded (1 for ``"power-sums"``).
    """

    vectors: Array
    species: NDArray[np.int64]
    pair: tuple[int, int]
    decoder: Decoder
    coupling_condition: float
    decoder_condition: float
    residual: float
    error_estimate: float
    weights: Array

    def environment(self, *, radius: float, center_species: int = 1) -> Environments:
        """As one environment, e.g. to be compared with :func:`symtrip.completeness.congruent`.

        Args:
            radius: cutoff radius in Å.
            center_species: atomic number of the centre (features do not carry it).
        """
        return Environments.from_vectors(
            torch.from_numpy(self.vectors)[None],
            torch.from_numpy(self.species),
            radius=radius,
            center_species=center_species,
        )


def reconstruct(
    triplets: Triplets,
    expansion: SphericalExpansion,
    *,
    index: int = 0,
    pair: tuple[int, int] | None = None,
    decoder: Decoder | Literal["auto"] = "auto",
) -> Reconstruction:
    """Recover one environment, up to rotation, from the features of ONE of its tagged pairs.

    Args:
        triplets: features of all pairs; only those of the pair used are decoded.
        expansion: the expansion they were computed with: Monomials, delta or Gaussian density.
        index: which environment.
        pair: the tagged neighbours (j, k); default: the pair with the best-conditioned couplings,
            judged from the tagged channels of its own features.
        decoder: ``"auto"`` takes power sums when all weights are 1, the matrix pencil otherwise.

    Returns:
        The neighbours in the frame of the pair. Handedness is kept (the odd couplings fix it).

    Raises:
        InputError: unsuitable expansion, padded or collinear ``pair`` (unless all neighbours are
            collinear), moments of too low a degree.

    Accuracy:
        ``error_estimate``; float64, up to 7 neighbours: <= 1e-9 Å (tests/property/
        test_reconstruct.py).

    Source:
        Nigam et al., APL Mach. Learn. 2, 016110 (2024), section II.1 of the supplement proves that
        it is possible; the decoder and its degrees are derived in docs/theory.
    """
    require(
        0 <= index < triplets.mask.shape[0],
        "index",
        f"lie in 0 .. {triplets.mask.shape[0] - 1}",
        index,
        "give the number of an environment",
    )
    check_expansion(expansion)
    if pair is None:
        pair = best_pair(triplets, expansion, index)
    j, k = pair
    size = triplets.mask.shape[1]
    require(
        0 <= j < size and 0 <= k < size and bool(triplets.mask[index, j, k]),
        "pair",
        f"name two real neighbours below {size}",
        pair,
        "see Triplets.mask",
    )
    features = {path: block[index, j, k] for path, block in triplets.blocks.items()}
    return decode_pair(features, expansion, pair=pair, decoder=decoder)


def pair_features(
    environment: Environments,
    expansion: SphericalExpansion,
    *,
    pair: tuple[int, int] | None = None,
) -> tuple[dict[Path, Tensor], tuple[int, int]]:
    """Features of one tagged pair, at the cost of one pair.

    Args:
        environment: one environment.
        expansion: any expansion.
        pair: the tagged neighbours; default: the pair closest to a right angle.

    Returns:
        (l1, l2, L) -> (Q, Q, Q), for :func:`decode_pair`, and the pair.

    Raises:
        InputError: several environments, or one without neighbours.
    """
    require(
        len(environment) == 1 and bool(environment.mask.any()),
        "environment",
        "be a single one with neighbours",
        f"{len(environment)} with {environment.mask.sum(dim=1).tolist()} neighbours",
        "select one with env[0:1]",
    )
    if pair is None:
        real = torch.nonzero(environment.mask[0]).flatten().tolist()
        vectors = environment.vectors[0][environment.mask[0]].detach().double().numpy()
        j, k = closest_to_right_angle(vectors)
        pair = (real[j], real[k])
    density = expansion(environment)
    both = Density(
        rho=density.rho,
        g=tuple(block[:, list(pair)] for block in density.g),
        mask=density.mask[:, list(pair)],
    )
    triplets = TripletFeatures(max_angular=expansion.basis.max_angular)(both)
    return {path: block[0, 0, 1] for path, block in triplets.blocks.items()}, pair


def decode_pair(
    features: Mapping[Path, Tensor],
    expansion: SphericalExpansion,
    *,
    pair: tuple[int, int] = (0, 1),
    decoder: Decoder | Literal["auto"] = "auto",
) -> Reconstruction:
    """Recover an environment from nothing but the feature vector of one tagged pair.

    Args:
        features: (l1, l2, L) -> (Q, Q, Q), channels of j, of k, of the density.
        expansion: as in :func:`reconstruct`.
        pair: labels of j and k; only their equality matters (one neighbour tagged twice).
        decoder: as in :func:`reconstruct`.

    Returns:
        As :func:`reconstruct`.

    Raises:
        InputError: as :func:`reconstruct`.
    """
    require(
        decoder in ("auto", "power-sums", "matrix-pencil"),
        "decoder",
        'be "auto", "power-sums" or "matrix-pencil"',
        repr(decoder),
        'write decoder="auto"',
    )
    known = frame_moments(features, expansion)
    same = pair[0] == pair[1]
    counts = _counts(known, same)
    suited: Decoder = "matrix-pencil" if counts is None else "power-sums"
    chosen: Decoder = suited if decoder == "auto" else decoder
    fits = (
        _by_power_sums(known, same, counts) if chosen == "power-sums" else _by_pencil(known, same)
    )
    kept = 1 if same else 2
    vectors, species, weights = (
        [known.tagged[:kept]],
        [*known.tagged_species[:kept]],
        [np.array(known.tagged_weights[:kept])],
    )
    for number, fit in fits.items():
        vectors.append(fit.points)
        species += [number] * len(fit.points)
        weights.append(fit.weights)
    condition = max((fit.condition for fit in fits.values()), default=0.0)
    residual = max((fit.residual for fit in fits.values()), default=0.0)
    return Reconstruction(
        np.concatenate(vectors),
        np.array(species, dtype=np.int64),
        pair,
        chosen,
        known.condition,
        condition,
        residual,
        condition * (known.precision * known.condition + residual)
        + known.precision * float(np.abs(known.tagged).max()),
        np.concatenate(weights),
    )


def best_pair(triplets: Triplets, expansion: SphericalExpansion, index: int) -> tuple[int, int]:
    """The tagged pair closest to a right angle, from its own l <= 1 channels.

    The condition numbers of the couplings grow with cos^2 of the angle.
    """
    mask = triplets.mask[index]
    require(
        bool(mask.any()),
        "triplets",
        "belong to an environment with at least one neighbour",
        0,
        "an environment without neighbours has no features",
    )
    widest, choice = -1.0, (0, 0)
    for j, k in torch.nonzero(mask).tolist():
        features = {path: triplets.blocks[path][index, j, k] for path in ((0, 0, 0), (1, 1, 0))}
        cosine = 1.0 if j == k else tagged_geometry(features, expansion)[1]
        sine_squared = (1.0 - cosine) * (1.0 + cosine)
        # when all neighbours are collinear any two different ones will do
        if (j != k, sine_squared) > (choice[0] != choice[1], widest):
            widest, choice = sine_squared, (j, k)
    return choice


def _counts(known: FrameMoments, same: bool) -> dict[int, int] | None:
    """Untagged neighbours per species, or None when the weights are not all 1."""
    slack = 64 * known.precision * known.condition
    counts = {}
    for species in known.moments:
        mass = known.mass(species)
        counts[species] = round(mass)
        if abs(mass - round(mass)) > max(slack * max(mass, 1.0), 1e-9):
            return None
    if min(known.tagged_weights) < 1.0:
        return None
    for number in known.tagged_species[: 1 if same else 2]:
        counts[number] -= 1
    return counts if min(counts.values()) >= 0 else None


def _by_power_sums(
    known: FrameMoments, same: bool, counts: dict[int, int] | None
) -> dict[int, PointFit]:
    if counts is None:
        masses = {a: round(known.mass(a), 9) for a in known.moments}
        raise InputError(
            f'`decoder` must be "matrix-pencil" when neighbours lie in the cutoff shell, got '
            f'"power-sums" and total weights {masses}; keep all within radius - width or change it.'
        )
    solve = collinear_points if known.collinear else points_from_moments
    rest = known.without_tagged(same)
    return {a: solve(rest[a], count) for a, count in counts.items() if count > 0}


def _by_pencil(known: FrameMoments, same: bool) -> dict[int, PointFit]:
    rest = known.without_tagged(same)
    precision = known.precision * known.condition
    solve = weighted_collinear_points if known.collinear else weighted_points_from_moments
    fits = {}
    for species, moments in rest.items():
        left = abs(float(moments[0, 0][0])) * np.sqrt(4 * np.pi)
        if left > 1e3 * precision * max(known.mass(species), 1.0):
            fits[species] = solve(moments, precision=precision)
    return fits
