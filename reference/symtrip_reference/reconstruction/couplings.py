"""Solid harmonics and their couplings as exact sums of square roots.

Harmonics carry a factor sqrt(4 pi) throughout, so that nothing transcendental is left: Y here is
sqrt(4 pi) times that of :mod:`symtrip_reference.harmonics`.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import sympy
from sympy import QQ

from symtrip_reference.coupling import real_clebsch_gordan
from symtrip_reference.harmonics import solid_harmonic_polynomial
from symtrip_reference.reconstruction.roots import RootSum, plain, root, root_of

__all__ = [
    "ORTHONORMAL",
    "Form",
    "Path",
    "couple",
    "coupling_paths",
    "real_coefficient",
    "real_terms",
    "solid_harmonics",
]

Path = tuple[int, int, int]

Form = tuple[Any, Any, Any]
"""Squared lengths of three orthogonal axes, elements of QQ > 0."""

ORTHONORMAL: Form = (QQ(1), QQ(1), QQ(1))


def coupling_paths(o3_lambda: int) -> list[Path]:
    """The 2L + 1 couplings (l1, l2, L) that form a basis when the pair is not collinear.

    Args:
        o3_lambda: L >= 0.

    Returns:
        L + 1 paths of even parity, l1 + l2 = L, then L of odd parity, l1 + l2 = L + 1.

    Source: theorem 5 of the proofs (proofs/certificates/test_5_couplings_basis.py).
    """
    L = o3_lambda
    return [(L - l2, l2, L) for l2 in range(L + 1)] + [
        (L + 1 - l2, l2, L) for l2 in range(1, L + 1)
    ]


@cache
def real_coefficient(l1: int, m1: int, l2: int, m2: int, L: int, M: int) -> RootSum:
    """A coefficient of :func:`symtrip_reference.coupling.real_clebsch_gordan`."""
    return root_of(real_clebsch_gordan(l1, m1, l2, m2, L, M))


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


def solid_harmonics(l: int, vector: Sequence[Any], form: Form = ORTHONORMAL) -> list[RootSum]:
    """sqrt(4 pi) r^l Y_lm, m = -l..l, at a vector of rationals (QQ) or of polynomials.

    Args:
        l: degree.
        vector: coordinates along three orthogonal axes.
        form: squared lengths of these axes; every Y_lm is even or odd in each coordinate, so that
            it stays one square root times a rational polynomial.
    """
    one = vector[0] * 0 + 1
    return [
        RootSum.total(
            (c * _length(form, exponents)).scaled(_monomial(one, vector, exponents))
            for exponents, c in _harmonic_terms(l, m)
        )
        for m in range(-l, l + 1)
    ]


@cache
def _length(form: Form, exponents: tuple[int, int, int]) -> RootSum:
    """Product of the lengths of the axes, raised to the exponents."""
    whole, odd = QQ(1), QQ(1)
    for square, exponent in zip(form, exponents, strict=True):
        whole *= square ** (exponent // 2)
        odd *= square ** (exponent % 2)
    return root(plain(odd)).scaled(whole)


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
