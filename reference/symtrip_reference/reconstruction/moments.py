"""Moments of weighted point sets in rational arithmetic.

Points and weights are elements of sympy's QQ. Moments map exponents (a, b, c) to
sum_i w_i x_i^a y_i^b z_i^c.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import factorial
from typing import Any

from sympy import QQ
from sympy.polys.rings import PolyElement

__all__ = [
    "Exponents",
    "Moments",
    "Point",
    "directional_moments",
    "exponents",
    "moments",
    "monomial",
    "power_sum",
    "subtract_point",
]

Point = tuple[Any, Any, Any]
Exponents = tuple[int, int, int]
Moments = Mapping[Exponents, Any]


def exponents(degree: int) -> list[Exponents]:
    """All (a, b, c) with a + b + c = degree."""
    return [
        (a, b, degree - a - b) for a in range(degree, -1, -1) for b in range(degree - a, -1, -1)
    ]


def monomial(point: Sequence[Any], powers: Exponents) -> Any:
    """x^a y^b z^c at one point."""
    return point[0] ** powers[0] * point[1] ** powers[1] * point[2] ** powers[2]


def multinomial(powers: Exponents) -> Any:
    """(a + b + c)! / (a! b! c!)."""
    a, b, c = powers
    return QQ(factorial(a + b + c), factorial(a) * factorial(b) * factorial(c))


def moments(points: Sequence[Point], weights: Sequence[Any], degree: int) -> Moments:
    """Moments of all degrees up to ``degree``."""
    return {
        e: sum((w * monomial(x, e) for x, w in zip(points, weights, strict=True)), QQ(0))
        for d in range(degree + 1)
        for e in exponents(d)
    }


def subtract_point(data: Moments, point: Point, weight: Any) -> Moments:
    """The moments without one known point."""
    return {e: value - weight * monomial(point, e) for e, value in data.items()}


def directional_moments(
    data: Moments, direction: Sequence[Any], degree: int, factor: Exponents = (0, 0, 0)
) -> list[Any]:
    """sum_i w_i x_i^factor (v.x_i)^t for t = 0..degree."""

    def shifted(e: Exponents) -> Exponents:
        return (e[0] + factor[0], e[1] + factor[1], e[2] + factor[2])

    return [
        sum(
            (multinomial(e) * monomial(direction, e) * data[shifted(e)] for e in exponents(t)),
            QQ(0),
        )
        for t in range(degree + 1)
    ]


def power_sum(data: Moments, direction: Sequence[PolyElement], t: int) -> PolyElement:
    """sum_i (v.x_i)^t as a polynomial in the direction v."""
    return sum(
        (monomial(direction, e) * (multinomial(e) * data[e]) for e in exponents(t)),
        direction[0].ring(0),
    )
