"""From power sums of linear forms to the forms: N points from their moments of degree <= N.

p_d(u) = sum_i (u . r_i)^d for d <= N gives, by Newton's identities, the polynomial
prod_i (t - u . r_i); its roots for one direction u, and the gradients of p_d there, are the points.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from symtrip.completeness.clouds import Array
from symtrip.completeness.couplings import harmonics
from symtrip.completeness.moments import Moments
from symtrip.errors import InputError

__all__ = [
    "PointFit",
    "axis_moments",
    "check_degree",
    "check_on_axis",
    "collinear_points",
    "points_from_moments",
    "polish",
]

_DIRECTIONS = 48


@dataclass(frozen=True, eq=False)
class PointFit:
    """Points recovered from moments.

    Attributes:
        points: (N, 3) in Å.
        residual: rms deviation of the moments, in units where the points have rms length 1.
        condition: Å of error per unit of rms deviation of the (scaled) moments.
        weights: (N,) weights of the points, 1 where they were known to be 1.
    """

    points: Array
    residual: float
    condition: float
    weights: Array


def points_from_moments(moments: Moments, count: int) -> PointFit:
    """Points of unit weight from their moments up to degree ``count``.

    Args:
        moments: (L, k) -> (2L + 1,) for all L + 2k <= count at least, in Å^(L + 2k).
        count: number of points.

    Returns:
        The points in every configuration, coplanar and collinear ones included.

    Raises:
        InputError: moments of too low a degree, or of no ``count`` points of unit weight.

    Accuracy:
        ``condition`` times the error of the moments, to first order.

    Source:
        Newton's identities; the factorisation into linear forms is unique.
    """
    if count == 0:
        return PointFit(np.zeros((0, 3)), 0.0, 0.0, np.zeros(0))
    check_degree(moments, count)
    scale = _scale(moments, count)
    scaled = {key: value / scale ** (key[0] + 2 * key[1]) for key, value in moments.items()}
    directions = _directions()
    sums, gradients = _power_sums(scaled, directions, count)
    best: tuple[float, Array] | None = None
    for direction, p, gradient in zip(directions, sums, gradients, strict=True):
        roots = np.roots(_newton(p))
        vandermonde = np.vander(roots.real, count, increasing=True).T
        condition = float(np.linalg.cond(vandermonde))
        spread = float(np.abs(roots.imag).max())
        quality = condition * (1.0 + spread / np.finfo(np.float64).eps ** 0.5)
        if np.isfinite(quality) and (best is None or quality < best[0]):
            points = np.linalg.solve(vandermonde, gradient)
            points = points + np.outer(roots.real - points @ direction, direction)
            best = quality, points
    if best is None:
        raise InputError(
            f"`features` must be those of {count} untagged neighbours of weight 1, got moments "
            "without separate roots; check that no neighbour lies in the cutoff shell."
        )
    return polish(scaled, best[1], np.ones(count), scale, degree=count, free_weights=False)


def collinear_points(moments: Moments, count: int) -> PointFit:
    """Points of unit weight on the z axis from their moments with M = 0 up to degree ``count``.

    Args:
        moments: (L, k) -> (2L + 1,), only the middle component is used.
        count: number of points.

    Returns:
        The points.

    Raises:
        InputError: the points do not lie on the axis, or the degree is too low.
    """
    if count == 0:
        return PointFit(np.zeros((0, 3)), 0.0, 0.0, np.zeros(0))
    check_degree(moments, count)
    scale = _scale(moments, count)
    sums = axis_moments(moments, count, scale)
    heights = np.sort(np.roots(_newton(sums)).real)
    powers = np.arange(1, count + 1)
    for _ in range(8):
        jacobian = powers[:, None] * heights[None, :] ** (powers[:, None] - 1)
        error = (heights[None, :] ** powers[:, None]).sum(axis=1) - sums[1:]
        heights = heights - np.linalg.lstsq(jacobian, error, rcond=None)[0]
    check_on_axis(float((heights**2).sum()), float(count))
    condition = float(np.linalg.norm(np.linalg.pinv(jacobian), 2)) * math.sqrt(count)
    points = np.zeros((count, 3))
    points[:, 2] = heights * scale
    return PointFit(points, float(np.sqrt(np.mean(error**2))), condition * scale, np.ones(count))


def axis_moments(moments: Moments, degree: int, scale: float) -> Array:
    """Sums of w_i (z_i / scale)^d, d = 0 .. degree, of points on the z axis."""
    return np.array(
        [
            math.sqrt(4 * math.pi / (2 * d + 1)) * moments[d, 0][d] / scale**d
            for d in range(degree + 1)
        ]
    )


def check_on_axis(along: float, everything: float) -> None:
    """Raise InputError unless the points' mean square height is their mean square distance."""
    if not abs(along - everything) <= 1e-3 * everything:
        raise InputError(
            "`pair` must not be collinear unless all neighbours are, got a collinear pair and "
            "neighbours off its axis; choose another pair."
        )


def polish(
    scaled: Moments,
    points: Array,
    weights: Array,
    scale: float,
    *,
    degree: int,
    free_weights: bool,
) -> PointFit:
    """Gauss-Newton on all moments up to ``degree``.

    Args:
        scaled: moments in units of ``scale``.
        points: (N, 3) start, in units of ``scale``.
        weights: (N,) start.
        scale: Å per unit.
        degree: largest L + 2k used.
        free_weights: whether the weights are unknown too.

    Returns:
        The best iterate; in Å.
    """
    keys = [key for key in scaled if key[0] + 2 * key[1] <= degree]
    target = np.concatenate([scaled[key] for key in keys])
    best = (float("inf"), points, weights, np.zeros((len(target), 1)))
    for _ in range(12):
        values, jacobian = _model(points, weights, keys, free_weights)
        error = values - target
        size = float(np.sqrt(np.mean(error**2)))
        if not np.isfinite(size) or size >= best[0]:
            break
        best = (size, points, weights, jacobian)
        step = np.linalg.lstsq(jacobian, error, rcond=None)[0]
        points = points - step[: points.size].reshape(-1, 3)
        if free_weights:
            weights = weights - step[points.size :]
    size, points, weights, jacobian = best
    inverse = np.linalg.norm(np.linalg.pinv(jacobian), 2) * math.sqrt(len(target))
    return PointFit(points * scale, size, float(inverse) * scale, weights)


def check_degree(moments: Moments, degree: int) -> None:
    """Raise InputError unless all (L, k) with L + 2k <= ``degree`` are there."""
    for big_l in range(degree + 1):
        for k in range((degree - big_l) // 2 + 1):
            if (big_l, k) not in moments:
                raise InputError(
                    f"`expansion` must reach degree L + 2k = {degree} for this many neighbours, "
                    f"got no L = {big_l}, k = {k}; use Monomials(n_radial={degree // 2 + 1}, "
                    f"max_angular={degree}) or more."
                )


def _scale(moments: Moments, count: int) -> float:
    """Root mean square length, from the moments themselves."""
    square = float(moments[0, 1][0]) * math.sqrt(4 * math.pi) / count
    if not (np.isfinite(square) and square > 0.0):
        raise InputError(
            f"`features` must be those of {count} untagged neighbours of weight 1, got a mean "
            f"square distance of {square} Å^2; check that no neighbour lies in the cutoff shell."
        )
    return math.sqrt(square)


def _directions() -> Array:
    """Unit vectors spread over half the sphere."""
    index = np.arange(_DIRECTIONS) + 0.5
    height = index / _DIRECTIONS
    azimuth = math.pi * (1 + math.sqrt(5)) * index
    across = np.sqrt(1 - height**2)
    return np.stack([across * np.cos(azimuth), across * np.sin(azimuth), height], axis=-1)


def _legendre_of_power(degree: int) -> Array:
    """c[L] with x^degree = sum_L c[L] P_L(x)."""
    return np.asarray(np.polynomial.legendre.poly2leg([0.0] * degree + [1.0]))


def _power_sums(moments: Moments, directions: Array, count: int) -> tuple[Array, Array]:
    """p_d(u), d = 0 .. count, and sum_i (u . r_i)^(d-1) r_i, d = 1 .. count, per direction."""
    sums = _sums_at(moments, directions, count)
    slopes = _polynomial_gradient(lambda u: _sums_at(moments, u, count), directions, count)
    gradients = np.moveaxis(slopes, 1, -1)[..., 1:] / np.arange(1, count + 1)
    return sums, np.moveaxis(gradients, -1, 1)


def _sums_at(moments: Moments, u: Array, count: int) -> Array:
    square = (u * u).sum(axis=-1)
    solid = harmonics(u, count)
    sums = np.zeros((len(u), count + 1))
    for d in range(count + 1):
        legendre = _legendre_of_power(d)
        for big_l in range(d, -1, -2):
            k = (d - big_l) // 2
            factor = legendre[big_l] * 4 * math.pi / (2 * big_l + 1)
            sums[:, d] += factor * square**k * (solid[big_l] @ moments[big_l, k])
    return sums


def _newton(sums: Array) -> Array:
    """Coefficients (highest first) of prod (t - x_i) from the power sums p_0 .. p_N of the x_i."""
    count = len(sums) - 1
    elementary = np.zeros(count + 1)
    elementary[0] = 1.0
    for n in range(1, count + 1):
        terms = [(-1) ** (m - 1) * elementary[n - m] * sums[m] for m in range(1, n + 1)]
        elementary[n] = sum(terms) / n
    signs = np.array([(-1.0) ** n for n in range(count + 1)])
    return np.asarray(elementary * signs)


def _model(
    points: Array, weights: Array, keys: list[tuple[int, int]], free_weights: bool
) -> tuple[Array, Array]:
    """Moments of weighted points and their Jacobian with respect to positions (and weights)."""
    highest = max(big_l for big_l, _ in keys)

    def basis(r: Array) -> Array:
        square = (r * r).sum(axis=-1, keepdims=True)
        solid = harmonics(r, highest)
        return np.concatenate([square**k * solid[big_l] for big_l, k in keys], axis=-1)

    table = basis(points)
    slopes = _polynomial_gradient(basis, points, max(big_l + 2 * k for big_l, k in keys))
    jacobian = np.moveaxis(slopes, -1, 1) * weights[:, None, None]
    jacobian = jacobian.reshape(points.size, -1).T
    if free_weights:
        jacobian = np.concatenate([jacobian, table.T], axis=1)
    return weights @ table, jacobian


def _polynomial_gradient(function: Callable[[Array], Array], points: Array, degree: int) -> Array:
    """Gradients (M, F, 3) of polynomials of degree <= ``degree``, function: (M, 3) -> (M, F).

    Exact up to rounding: on a line through a point, degree + 1 values determine a polynomial.
    """
    nodes = np.cos(math.pi * (np.arange(degree + 1) + 0.5) / (degree + 1))
    derivative_at_0 = np.linalg.inv(np.vander(nodes, degree + 1, increasing=True))[1]
    columns = []
    for axis in np.eye(3):
        shifted = points[:, None, :] + nodes[:, None] * axis
        values = function(shifted.reshape(-1, 3)).reshape(len(points), degree + 1, -1)
        columns.append(np.einsum("n,mnf->mf", derivative_at_0, values))
    return np.stack(columns, axis=-1)
