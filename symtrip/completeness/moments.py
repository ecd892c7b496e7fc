"""From the features of one tagged pair to the moments of the density in the frame of that pair.

With monomial radial functions r^(l + 2k) the features are linear in the frame moments

    rho_{L k M, a} = sum over neighbours i of species a of  w_i |r_i|^(L + 2k) Y_LM(r_i / |r_i|),

and the couplings of the pair (see :mod:`symtrip.completeness.couplings`) can be inverted.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from symtrip.completeness.clouds import Array
from symtrip.completeness.couplings import Path, coupling_matrix, harmonics
from symtrip.errors import InputError, require
from symtrip.expansion import GaussianDensity, Monomials, SphericalExpansion

__all__ = ["FrameMoments", "Moments", "check_expansion", "frame_moments", "tagged_geometry"]

Moments = dict[tuple[int, int], Array]


@dataclass(frozen=True, eq=False)
class FrameMoments:
    """What the features of one tagged pair say about the environment, in the frame of that pair.

    Attributes:
        tagged: (2, 3) positions of j and k in Å: j along +z, k in the half plane x >= 0, y = 0.
        tagged_species: atomic numbers of j and k.
        tagged_weights: cutoff function at j and at k.
        moments: species -> (L, k) -> (2L + 1,) moments in Å^(L + 2k), j and k included.
        collinear: whether j and k are collinear; then only the components M = 0 are known, the
            others are NaN.
        condition: worst condition number of the couplings used (2 for the best pairs).
        precision: relative rounding error of the features, eps of their dtype.
    """

    tagged: Array
    tagged_species: tuple[int, int]
    tagged_weights: tuple[float, float]
    moments: dict[int, Moments]
    collinear: bool
    condition: float
    precision: float

    def mass(self, species: int) -> float:
        """Sum of the weights of the neighbours of one species: their number if all are 1."""
        return float(self.moments[species][0, 0][0]) * math.sqrt(4 * math.pi)

    def without_tagged(self, same_neighbor: bool) -> dict[int, Moments]:
        """The moments of the other neighbours.

        Args:
            same_neighbor: whether j and k are the same neighbour, to be subtracted once.
        """
        rest = {a: dict(blocks) for a, blocks in self.moments.items()}
        for index in range(1 if same_neighbor else 2):
            position = self.tagged[index]
            blocks = rest[self.tagged_species[index]]
            solid = harmonics(position, max(l for l, _ in blocks))
            square = float(position @ position)
            for (l, k), moment in blocks.items():
                blocks[l, k] = moment - self.tagged_weights[index] * square**k * solid[l]
        return rest


def check_expansion(expansion: SphericalExpansion) -> Monomials:
    """The monomial basis of an expansion that can be decoded.

    Raises:
        InputError: another radial basis, or fewer than two radial functions.
    """
    basis = expansion.basis
    if not isinstance(basis, Monomials):
        raise InputError(
            f"`expansion` must use the Monomials basis to be decoded, got {type(basis).__name__}; "
            "for smooth bases use symtrip.completeness.fit_positions."
        )
    require(
        basis.n_radial >= 2,
        "n_radial",
        "be at least 2 (l = 0, k = 1 carries the tagged distances)",
        basis.n_radial,
        "build Monomials(n_radial=2, ...) or more",
    )
    require(
        basis.max_angular >= 1,
        "max_angular",
        "be at least 1 (the channel (1, 1, 0) carries the tagged angle)",
        basis.max_angular,
        "build Monomials(max_angular=1, ...) or more",
    )
    return basis


def frame_moments(features: Mapping[Path, Tensor], expansion: SphericalExpansion) -> FrameMoments:
    """Invert the couplings of one tagged pair.

    Args:
        features: (l1, l2, L) -> (Q, Q, Q): channels of j, of k, of the density, as in
            :class:`symtrip.triplets.Triplets` for one environment and one pair of neighbours.
        expansion: the expansion they were computed with; monomial radial functions, delta or
            Gaussian density.

    Returns:
        The moments for all (L, k) of the basis.

    Raises:
        InputError: a basis other than Monomials, or features that belong to no pair.

    Accuracy:
        About ``precision`` times ``condition`` times (number of neighbours) R^(L + 2k).

    Source:
        Nigam et al., APL Mach. Learn. 2, 016110 (2024), section II.1 of the supplement, made
        constructive (docs/theory: couplings).
    """
    basis = check_expansion(expansion)
    precision = torch.finfo(features[0, 0, 0].dtype).eps
    first, second, length, cosine, blocks = _tags(features, expansion)
    sine = math.sqrt((1.0 - cosine) * (1.0 + cosine))
    collinear = sine <= 64 * math.sqrt(precision)
    if collinear:
        sine, cosine = 0.0, math.copysign(1.0, cosine)
    picked = {path: block[first, :, second, :] for path, block in blocks.items()}
    directions = np.array([[0.0, 0.0, 1.0], [sine, 0.0, cosine]])
    tagged = directions * length[:, None]
    weights = expansion.cutoff(torch.from_numpy(length)).numpy()
    moments: dict[int, Moments] = {a: {} for a in expansion.species}
    condition = 1.0
    for big_l in range(basis.max_angular + 1):
        paths = [path for path in picked if path[2] == big_l]
        if collinear:
            # odd paths vanish, and l1 = 0, l2 = L alone is as good as it gets
            paths = [path for path in paths if sum(path) % 2 == 0]
        matrix = coupling_matrix(directions[0], directions[1], paths)
        data = np.array(
            [
                picked[path][0, 0] / (weights.prod() * length[0] ** path[0] * length[1] ** path[1])
                for path in paths
            ]
        )
        solved = np.full((2 * big_l + 1, *data.shape[1:]), np.nan)
        known = slice(big_l, big_l + 1) if collinear else slice(None)
        inverse = np.linalg.pinv(matrix[:, known])
        solved[known] = np.tensordot(inverse, data, axes=1)
        singular = np.linalg.svd(matrix[:, known], compute_uv=False)
        condition = max(condition, float(singular[0] / singular[-1]))
        for index, species in enumerate(expansion.species):
            for k in range(basis.n_radial):
                moments[species][big_l, k] = solved[:, index, k]
    pair = (expansion.species[first], expansion.species[second])
    return FrameMoments(
        tagged,
        pair,
        (float(weights[0]), float(weights[1])),
        moments,
        collinear,
        condition,
        precision,
    )


def tagged_geometry(
    features: Mapping[Path, Tensor], expansion: SphericalExpansion
) -> tuple[Array, float]:
    """Lengths (|r_j|, |r_k|) in Å and the cosine between them, from the l <= 1 channels alone.

    Args:
        features: at least the paths (0, 0, 0) and (1, 1, 0) of one pair.
        expansion: the expansion they were computed with.

    Returns:
        Lengths (2,) and cosine.
    """
    needed = {path: features[path] for path in ((0, 0, 0), (1, 1, 0))}
    _, _, length, cosine, _ = _tags(needed, expansion)
    return length, cosine


def _tags(
    features: Mapping[Path, Tensor], expansion: SphericalExpansion
) -> tuple[int, int, Array, float, dict[Path, Array]]:
    """Species indices of j and k, their lengths and cosine, and the blocks (a, n, a, n, a, n)."""
    blocks = {
        path: _per_species(block.detach().cpu().double().numpy(), expansion, path)
        for path, block in features.items()
    }
    first, second, total = _tagged_species(blocks[0, 0, 0])
    # the channel n3 = 0 is positive for every species: summed over species nothing cancels
    scalar = blocks[0, 0, 0][first, :, second, :, :, 0].sum(axis=-1)
    square = np.array([scalar[1, 0] / total, scalar[0, 1] / total])
    require(
        bool((square > 0).all()),
        "features",
        "give positive squared distances of the tagged neighbours",
        square.tolist(),
        "check that `expansion` is the one they were computed with",
    )
    length = np.sqrt(square)
    dot = -blocks[1, 1, 0][first, 0, second, 0, :, 0].sum() / (math.sqrt(3.0) * total)
    return first, second, length, float(np.clip(dot / length.prod(), -1.0, 1.0)), blocks


def _per_species(block: Array, expansion: SphericalExpansion, path: Path) -> Array:
    """(Q, Q, Q) -> (species, n, species, n, species, n) of a delta density."""
    basis, count = expansion.basis, len(expansion.species)
    shaped = block.reshape(count, basis.n_radial, count, basis.n_radial, count, basis.n_radial)
    if isinstance(expansion.density, GaussianDensity):
        for axis, l in zip((1, 3, 5), path, strict=True):
            sharp = _unsmear(expansion.density.width, l, basis.n_radial)
            shaped = np.moveaxis(np.tensordot(shaped, sharp, axes=(axis, 0)), -1, axis)
    return shaped


def _unsmear(width: float, l: int, n_radial: int) -> Array:
    """Matrix (n, n'): Gaussian-smeared monomials times it are those of delta densities."""
    mass = (2.0 * math.sqrt(math.pi) * width) ** 1.5
    table = np.zeros((n_radial, n_radial))
    for k in range(n_radial):
        coefficient = 1.0 / mass
        for power in range(k, -1, -1):
            table[power, k] = coefficient
            # exp(-s^2/2 Laplacian) undoes the smearing;
            # Laplacian r^(l + 2p) Y_lm = 2p (2p + 2l + 1) r^(l + 2p - 2) Y_lm
            coefficient *= -(width**2) * power * (2 * power + 2 * l + 1) / (k - power + 1)
    return table


def _tagged_species(scalar: Array) -> tuple[int, int, float]:
    """Species indices of j and k, and the l = 0 feature that carries them."""
    carried = scalar[:, 0, :, 0, :, 0].sum(axis=-1)
    first, second = np.unravel_index(int(carried.argmax()), carried.shape)
    total = float(carried[first, second])
    require(
        bool(np.isfinite(scalar).all()) and total > 0.0,
        "features",
        "be those of a pair of real neighbours",
        "none (padding) or NaN",
        "choose j and k among the neighbours, see Triplets.mask",
    )
    return int(first), int(second), total
