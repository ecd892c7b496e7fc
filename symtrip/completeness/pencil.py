"""Weighted points from their moments of degree <= 2d + 1: a multivariate matrix pencil.

Needs no Newton identities, so the weights (values of a cutoff function, say) may be unknown. The
moment matrix of degree d, M[a, b] = sum_i w_i r_i^(a+b), has rank N when the polynomials of degree
<= d separate the N points; the pencils of the matrices shifted by x, y and z share eigenvectors,
and their eigenvalues are the coordinates.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np

from symtrip.completeness.clouds import Array
from symtrip.completeness.couplings import harmonics
from symtrip.completeness.moments import Moments
from symtrip.completeness.power_sums import (
    PointFit,
    axis_moments,
    check_degree,
    check_on_axis,
    polish,
)
from symtrip.errors import InputError, require

__all__ = ["pencil_degree", "weighted_collinear_points", "weighted_points_from_moments"]


def pencil_degree(moments: Moments) -> int:
    """The largest d with all moments of degree <= 2d + 1; -1 if there is none."""
    degree = 0
    while all((big_l, (degree - big_l) // 2) in moments for big_l in range(degree, -1, -2)):
        degree += 1
    return (degree - 2) // 2


def weighted_points_from_moments(
    moments: Moments, count: int | None = None, *, precision: float = 1e-15
) -> PointFit:
    """Points and positive weights from moments of degree <= 2d + 1.

    Args:
        moments: (L, k) -> (2L + 1,) in Å^(L + 2k), complete up to some degree 2d + 1 >= 1.
        count: number of points if it is known; otherwise the numerical rank decides.
        precision: relative error of the moments.

    Returns:
        The points with their weights.

    Raises:
        InputError: polynomials of degree <= d do not separate the points: at most 4, 10, 20 points
            in general position for degrees 3, 5, 7 of the moments (3, 6, 10 in a plane with the
            centre's coordinates as origin, 2, 3, 4 on a line).

    Accuracy:
        ``condition`` times the error of the moments, to first order.

    Source:
        ESPRIT / matrix pencil in several dimensions; e.g. Andersson, Carlsson, arXiv:1706.01763.
    """
    degree = pencil_degree(moments)
    require(
        degree >= 0,
        "moments",
        "be complete up to degree 1 at least",
        sorted(moments),
        "use Monomials(n_radial=1, max_angular=1) or more",
    )
    check_degree(moments, 2 * degree + 1)
    mass = float(moments[0, 0][0]) * math.sqrt(4 * math.pi)
    if count == 0:
        return PointFit(np.zeros((0, 3)), 0.0, 0.0, np.zeros(0))
    scale = math.sqrt(abs(float(moments[0, 1][0]) * math.sqrt(4 * math.pi) / mass)) or 1.0
    scaled = {key: value / scale ** (key[0] + 2 * key[1]) for key, value in moments.items()}
    cartesian = _cartesian(scaled, 2 * degree + 1)
    rows = [e for e in cartesian if sum(e) <= degree]
    plain = np.array([[cartesian[_add(a, b)] for b in rows] for a in rows])
    u, singular, _ = np.linalg.svd(plain)
    rank = int((singular > 64 * precision * len(rows) * singular[0]).sum())
    wanted = rank if count is None else count
    if wanted > len(rows) or (count is not None and rank < count):
        raise InputError(
            f"`moments` must separate the {wanted} points by polynomials of degree <= {degree} "
            f"({len(rows)} of them), got rank {rank}; raise max_angular and n_radial to reach "
            f"degree {2 * degree + 3}."
        )
    base = u[:, :wanted]
    root = base / np.sqrt(singular[:wanted])
    shifted = []
    for step in ((1, 0, 0), (0, 1, 0), (0, 0, 1)):
        matrix = np.array([[cartesian[_add(_add(a, b), step)] for b in rows] for a in rows])
        shifted.append(root.T @ matrix @ root)
    mixed = sum(c * s for c, s in zip((0.61, 0.53, 0.59), shifted, strict=True))
    _, vectors = np.linalg.eigh((mixed + mixed.T) / 2)
    points = np.stack([np.einsum("ai,ab,bi->i", vectors, s, vectors) for s in shifted], axis=-1)
    table = np.array([[float(np.prod(p ** np.array(e))) for p in points] for e in cartesian])
    weights = np.linalg.lstsq(table, np.array(list(cartesian.values())), rcond=None)[0]
    return polish(scaled, points, weights, scale, degree=2 * degree + 1, free_weights=True)


def weighted_collinear_points(moments: Moments, *, precision: float = 1e-15) -> PointFit:
    """Weighted points on the z axis from their moments with M = 0: the pencil in one dimension.

    Args:
        moments: (L, k) -> (2L + 1,), only the middle component is used; degree 2N - 1 for N points.
        precision: relative error of the moments.

    Returns:
        The points with their weights.

    Raises:
        InputError: the points do not lie on the axis, or there are too many for the degree.

    Source:
        Prony's method.
    """
    degree = max(big_l for big_l, _ in moments)
    size = (degree + 1) // 2
    mass, square = (float(moments[0, k][0]) * math.sqrt(4 * math.pi) for k in (0, 1))
    scale = math.sqrt(abs(square / mass))
    sums = axis_moments(moments, 2 * size - 1, scale)
    plain = np.array([[sums[a + b] for b in range(size)] for a in range(size)])
    shifted = np.array([[sums[a + b + 1] for b in range(size)] for a in range(size)])
    u, singular, _ = np.linalg.svd(plain)
    rank = int((singular > 64 * precision * size * singular[0]).sum())
    root = u[:, :rank] / np.sqrt(singular[:rank])
    heights = np.linalg.eigvalsh(root.T @ shifted @ root)
    table = np.vander(heights, 2 * size, increasing=True).T
    weights = np.linalg.lstsq(table, sums, rcond=None)[0]
    residual = float(np.sqrt(np.mean((table @ weights - sums) ** 2)))
    check_on_axis(float(weights @ heights**2), float(sums[0]))
    if residual > 1e-3 * float(sums[0]):
        raise InputError(
            f"`moments` must reach degree 2N - 1 for N weighted points on a line, got degree "
            f"{degree}; raise max_angular."
        )
    slopes = np.arange(2 * size)[:, None] * np.vander(heights, 2 * size, increasing=True).T
    slopes = np.concatenate([np.zeros((1, rank)), slopes[1:] / heights]) * weights
    inverse = np.linalg.pinv(np.concatenate([slopes, table], axis=1))[:rank]
    points = np.zeros((rank, 3))
    points[:, 2] = heights * scale
    condition = float(np.linalg.norm(inverse, 2)) * math.sqrt(2 * size) * scale
    return PointFit(points, residual, condition, weights)


Exponents = tuple[int, int, int]


def _add(a: Exponents, b: Exponents) -> Exponents:
    return a[0] + b[0], a[1] + b[1], a[2] + b[2]


def _cartesian(moments: Moments, degree: int) -> dict[Exponents, float]:
    """Moments of the monomials x^a y^b z^c up to ``degree``."""
    out: dict[Exponents, float] = {}
    for d in range(degree + 1):
        exponents, blocks = _monomials_in_harmonics(d)
        values = sum(
            block @ moments[big_l, (d - big_l) // 2]
            for big_l, block in zip(range(d, -1, -2), blocks, strict=True)
        )
        out.update(zip(exponents, np.asarray(values).tolist(), strict=True))
    return out


@lru_cache(maxsize=32)
def _monomials_in_harmonics(degree: int) -> tuple[list[Exponents], list[Array]]:
    """x^a y^b z^c on the unit sphere, a + b + c = degree, as coefficients of Y_LM.

    By quadrature that is exact for these polynomials: Gauss-Legendre in z, equidistant in azimuth.
    """
    nodes, node_weights = np.polynomial.legendre.leggauss(degree + 1)
    turns = 2 * degree + 1
    azimuth = 2 * math.pi * np.arange(turns) / turns
    across = np.sqrt(1 - nodes**2)
    x = np.outer(across, np.cos(azimuth)).ravel()
    y = np.outer(across, np.sin(azimuth)).ravel()
    z = np.repeat(nodes, turns)
    weights = np.repeat(node_weights, turns) * 2 * math.pi / turns
    exponents = [(a, b, degree - a - b) for a in range(degree + 1) for b in range(degree + 1 - a)]
    values = np.array([x**a * y**b * z**c for a, b, c in exponents]) * weights
    solid = harmonics(np.stack([x, y, z], axis=-1), degree)
    return exponents, [values @ solid[big_l] for big_l in range(degree, -1, -2)]
