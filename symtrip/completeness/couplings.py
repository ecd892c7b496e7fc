"""The couplings of two tagged neighbours that see a density of angular momentum L.

[Y_l1(r_j) x Y_l2(r_k)]_L with l1 + l2 = L, together with l1 + l2 = L + 1 (l1, l2 >= 1), form a
basis of R^(2L+1) exactly when r_j and r_k are not collinear: |det| = K_L sin^(L(L+1)) of the angle
between them, for unit vectors. Noise therefore grows as sin^-L: the pair is chosen by it.
"""

from __future__ import annotations

import math

import numpy as np
import torch

from symtrip.completeness.clouds import Array
from symtrip.coupling import clebsch_gordan_table
from symtrip.errors import require
from symtrip.expansion import solid_harmonics

__all__ = [
    "basis_paths",
    "closest_to_right_angle",
    "coupling_condition",
    "coupling_matrix",
    "harmonics",
]

Path = tuple[int, int, int]


def harmonics(vectors: Array, max_angular: int) -> list[Array]:
    """Real solid harmonics r^l Y_lm of ``vectors`` (..., 3): per l, (..., 2l + 1)."""
    blocks = solid_harmonics(torch.from_numpy(np.ascontiguousarray(vectors)), max_angular)
    return [np.asarray(block.numpy()) for block in blocks]


def basis_paths(o3_lambda: int) -> list[Path]:
    """The 2L + 1 couplings (l1, l2, L) that form a basis when the pair is not collinear.

    Args:
        o3_lambda: L >= 0.

    Returns:
        L + 1 paths of even parity, l1 + l2 = L, then L of odd parity, l1 + l2 = L + 1.

    Raises:
        InputError: ``o3_lambda`` < 0.
    """
    big_l = o3_lambda
    require(big_l >= 0, "o3_lambda", "be an integer >= 0", big_l, "give an angular momentum")
    even = [(l1, big_l - l1, big_l) for l1 in range(big_l + 1)]
    return even + [(l1, big_l + 1 - l1, big_l) for l1 in range(1, big_l + 1)]


def coupling_matrix(first: Array, second: Array, paths: list[Path]) -> Array:
    """C(L,L,0) [Y_l1(r_j) x Y_l2(r_k)]_LM, one row per path: triplet features over density.

    Args:
        first: (3,) position r_j of the first tagged neighbour, in any unit.
        second: (3,) position r_k.
        paths: couplings (l1, l2, L) with one L.

    Returns:
        (len(paths), 2L + 1). Solid harmonics: row s scales as |r_j|^l1 |r_k|^l2.

    Accuracy:
        16 eps of |r_j|^l1 |r_k|^l2.

    Source:
        Nigam et al., APL Mach. Learn. 2, 016110 (2024), Eq. 1 without the density.
    """
    highest = max(max(l1, l2) for l1, l2, _ in paths)
    y_first, y_second = harmonics(first, highest), harmonics(second, highest)
    rows = []
    for l1, l2, big_l in paths:
        table = clebsch_gordan_table(l1, l2, big_l)
        close = (-1) ** big_l / math.sqrt(2 * big_l + 1)
        rows.append(close * np.einsum("a,b,abm->m", y_first[l1], y_second[l2], table))
    return np.array(rows)


def coupling_condition(angle: float, max_degree: int) -> float:
    """Largest condition number of the coupling bases up to a degree, for unit vectors.

    Args:
        angle: angle between the tagged neighbours in rad.
        max_degree: largest L.

    Returns:
        max over L <= max_degree of cond; ``inf`` when collinear. Grows as sin(angle)^-L.
    """
    first = np.array([0.0, 0.0, 1.0])
    second = np.array([math.sin(angle), 0.0, math.cos(angle)])
    worst = 1.0
    for big_l in range(max_degree + 1):
        singular = np.linalg.svd(
            coupling_matrix(first, second, basis_paths(big_l)), compute_uv=False
        )
        tiny = singular[-1] <= np.finfo(np.float64).eps * singular[0]
        worst = max(worst, float("inf") if tiny else float(singular[0] / singular[-1]))
    return worst


def closest_to_right_angle(vectors: Array) -> tuple[int, int]:
    """The pair of neighbours with the best-conditioned couplings; (0, 0) for a single neighbour.

    Args:
        vectors: (N, 3), N >= 1, none of them zero.
    """
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    cosine = np.abs(unit @ unit.T) + 2 * np.eye(len(unit))
    j, k = np.unravel_index(int(cosine.argmin()), cosine.shape)
    return int(j), int(k)
