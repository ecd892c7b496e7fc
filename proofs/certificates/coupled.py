"""The objects under test, taken from ``symtrip_reference`` and written as exact polynomials.

Harmonics carry a factor sqrt(4 pi) throughout, so that nothing transcendental is left:
Y here is sqrt(4 pi) Y_lm, and a triplet invariant here is (4 pi)^(3/2) times the package's.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

import sympy
from roots import RootSum, rational, root_of
from sympy.polys.rings import PolyElement
from symtrip_reference.coupling import complex_clebsch_gordan, real_clebsch_gordan
from symtrip_reference.harmonics import solid_harmonic_polynomial

__all__ = [
    "complex_coefficient",
    "couple",
    "paths",
    "rational_vector",
    "real_coefficient",
    "real_terms",
    "solid_harmonics",
    "triplet_polynomial",
]


def paths(max_angular: int) -> Iterator[tuple[int, int, int]]:
    """All (l1, l2, L) up to ``max_angular`` that satisfy the triangle rule."""
    for l1 in range(max_angular + 1):
        for l2 in range(max_angular + 1):
            for L in range(abs(l1 - l2), min(l1 + l2, max_angular) + 1):
                yield l1, l2, L


@cache
def real_coefficient(l1: int, m1: int, l2: int, m2: int, L: int, M: int) -> RootSum:
    return root_of(real_clebsch_gordan(l1, m1, l2, m2, L, M))


@cache
def complex_coefficient(l1: int, m1: int, l2: int, m2: int, L: int, M: int) -> RootSum:
    return root_of(complex_clebsch_gordan(l1, m1, l2, m2, L, M))


@cache
def real_terms(l1: int, l2: int, L: int) -> tuple[tuple[int, int, int, RootSum], ...]:
    """The non-zero real coefficients of a path as (m1, m2, M, C)."""
    return tuple(
        (m1, m2, M, c)
        for m1 in range(-l1, l1 + 1)
        for m2 in range(-l2, l2 + 1)
        for M in range(-L, L + 1)
        if (c := real_coefficient(l1, m1, l2, m2, L, M))
    )


@cache
def _harmonic_terms(l: int, m: int) -> tuple[tuple[tuple[int, int, int], RootSum], ...]:
    symbols = sympy.symbols("x y z", real=True)
    scaled = sympy.expand(sympy.sqrt(4 * sympy.pi) * solid_harmonic_polynomial(l, m))
    return tuple(
        (monomial, root_of(coefficient))
        for monomial, coefficient in sympy.Poly(scaled, *symbols).terms()
    )


def solid_harmonics(l: int, vector: Sequence[Any]) -> list[RootSum]:
    """sqrt(4 pi) r^l Y_lm, m = -l..l, at a vector of rationals (QQ) or of polynomials."""
    one = vector[0] * 0 + 1
    return [
        RootSum.total(
            c.scaled(_monomial(one, vector, exponents)) for exponents, c in _harmonic_terms(l, m)
        )
        for m in range(-l, l + 1)
    ]


def _monomial(one: Any, vector: Sequence[Any], exponents: Sequence[int]) -> Any:
    value = one
    for component, exponent in zip(vector, exponents, strict=True):
        if exponent:  # sympy's polynomial rings refuse 0**0
            value = value * component**exponent
    return value


def couple(
    l1: int, l2: int, L: int, left: Sequence[RootSum], right: Sequence[RootSum]
) -> list[RootSum]:
    """(left x right)^L_M for M = -L..L."""
    parts: list[list[RootSum]] = [[] for _ in range(2 * L + 1)]
    for m1, m2, M, c in real_terms(l1, l2, L):
        if left[m1 + l1] and right[m2 + l2]:
            parts[M + L].append(c * left[m1 + l1] * right[m2 + l2])
    return [RootSum.total(p) for p in parts]


def triplet_polynomial(
    l1: int,
    l2: int,
    L: int,
    tagged_j: Sequence[PolyElement],
    tagged_k: Sequence[PolyElement],
    neighbor: Sequence[PolyElement],
) -> RootSum:
    """F_jk of one neighbour with polynomial radial functions r^l, as a polynomial.

    C(L, L, 0) sum_M [(g_j^l1 x g_k^l2)^L_M] rho^L_M  (Eq. 1 of the paper), times (4 pi)^(3/2).
    """
    coupled = couple(l1, l2, L, solid_harmonics(l1, tagged_j), solid_harmonics(l2, tagged_k))
    scalar = real_coefficient(L, 0, L, 0, 0, 0)
    rho = solid_harmonics(L, neighbor)
    return scalar * RootSum.total(c * y for c, y in zip(coupled, rho, strict=True))


def rational_vector(vector: Sequence[Any]) -> tuple[Any, Any, Any]:
    """Three ints or Fractions as elements of QQ."""
    x, y, z = (rational(c) for c in vector)
    return x, y, z
