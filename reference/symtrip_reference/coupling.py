"""Clebsch-Gordan coefficients, complex and real, exactly.

Every coefficient is the signed square root of a rational number; that rational is what is computed.
"""

from __future__ import annotations

from collections import defaultdict
from fractions import Fraction
from functools import lru_cache
from math import factorial

from symtrip_reference._checks import magnetic_number, natural_number
from symtrip_reference.arithmetic import Arithmetic, Number, signed_root
from symtrip_reference.evaluation import evaluate

__all__ = [
    "complex_clebsch_gordan",
    "coupling_terms",
    "real_clebsch_gordan",
    "real_clebsch_gordan_table",
    "real_from_complex",
    "triangle",
]


def triangle(l1: int, l2: int, L: int) -> bool:
    """Whether three angular momenta can couple: |l1 - l2| <= L <= l1 + l2."""
    return abs(l1 - l2) <= L <= l1 + l2


def complex_clebsch_gordan(
    l1: int, m1: int, l2: int, m2: int, L: int, M: int, *, digits: int | None = None
) -> Number:
    """Clebsch-Gordan coefficient <l1 m1 l2 m2 | L M> in the Condon-Shortley convention.

    Args:
        l1: first degree, an integer >= 0.
        m1: its order, an integer in -l1..l1.
        l2: second degree.
        m2: its order.
        L: degree of the product.
        M: its order.
        digits: None for an exact sympy number, otherwise the decimal digits wanted (>= 15).

    Returns:
        The coefficient; exactly 0 where the triangle rule or m1 + m2 = M is violated.

    Raises:
        InputError: an l is no integer >= 0, an m is no integer in -l..l, or digits < 15.

    Accuracy: exact, or ``digits`` digits.

    Source: Racah, Phys. Rev. 62, 438 (1942), Eq. 16.
    """
    square = _complex_squared(*_checked(l1, m1, l2, m2, L, M))
    return evaluate(lambda a: signed_root(a, square), digits=digits)


def real_clebsch_gordan(
    l1: int, m1: int, l2: int, m2: int, L: int, M: int, *, digits: int | None = None
) -> Number:
    """Clebsch-Gordan coefficient between real spherical harmonics.

    With Y_real = U Y_complex the transformed coefficient is real for l1 + l2 + L even and purely
    imaginary for odd. Even: its real part; odd: minus its imaginary part, on every path alike, so
    that C(l1 m1, l2 m2; L M) = (-1)^(l1+l2+L) C(l2 m2, l1 m1; L M).

    Args:
        l1: first degree, an integer >= 0.
        m1: its order, -l1..l1, as in :mod:`symtrip_reference.harmonics`.
        l2: second degree.
        m2: its order.
        L: degree of the product.
        M: its order.
        digits: None for an exact sympy number, otherwise the decimal digits wanted (>= 15).

    Returns:
        The coefficient; exactly 0 where the triangle rule is violated.

    Raises:
        InputError: an l is no integer >= 0, an m is no integer in -l..l, or digits < 15.

    Accuracy: exact, or ``digits`` digits.

    Source: Nigam et al., APL Mach. Learn. 2, 016110 (2024), Eq. 1 (the coupling of the features).
    """
    l1, m1, l2, m2, L, M = _checked(l1, m1, l2, m2, L, M)
    square = _real_squared(l1, l2, L).get((m1, m2, M), Fraction(0))
    return evaluate(lambda a: signed_root(a, square), digits=digits)


def real_clebsch_gordan_table(
    l1: int, l2: int, L: int, *, digits: int | None = None
) -> list[list[list[Number]]]:
    """All :func:`real_clebsch_gordan` of one path.

    Args:
        l1: first degree, an integer >= 0.
        l2: second degree.
        L: degree of the product.
        digits: None for exact sympy numbers, otherwise the decimal digits wanted (>= 15).

    Returns:
        Nested lists of shape (2 l1 + 1, 2 l2 + 1, 2 L + 1); all 0 where the triangle rule is
        violated.

    Raises:
        InputError: an l is no integer >= 0, or digits < 15.

    Accuracy: exact, or ``digits`` digits.

    Source: as :func:`real_clebsch_gordan`.
    """
    l1, l2, L = (natural_number(name, l) for name, l in (("l1", l1), ("l2", l2), ("L", L)))
    squares = _real_squared(l1, l2, L)
    zero = Fraction(0)
    return evaluate(
        lambda a: [
            [
                [signed_root(a, squares.get((m1, m2, M), zero)) for M in range(-L, L + 1)]
                for m2 in range(-l2, l2 + 1)
            ]
            for m1 in range(-l1, l1 + 1)
        ],
        digits=digits,
    )


@lru_cache(maxsize=4096)
def coupling_terms(
    a: Arithmetic, l1: int, l2: int, L: int
) -> tuple[tuple[tuple[int, int, Number], ...], ...]:
    """The non-zero real coefficients of one path: for each M the terms (m1, m2, C).

    Indices count from 0 (m + l), so that ``terms[M]`` lists what couples to component M.
    """
    by_component: list[list[tuple[int, int, Number]]] = [[] for _ in range(2 * L + 1)]
    for (m1, m2, M), square in sorted(_real_squared(l1, l2, L).items()):
        by_component[M + L].append((m1 + l1, m2 + l2, signed_root(a, square)))
    return tuple(tuple(terms) for terms in by_component)


def _checked(
    l1: int, m1: int, l2: int, m2: int, L: int, M: int
) -> tuple[int, int, int, int, int, int]:
    l1, l2, L = (natural_number(name, l) for name, l in (("l1", l1), ("l2", l2), ("L", L)))
    m1 = magnetic_number("m1", m1, l1)
    m2 = magnetic_number("m2", m2, l2)
    M = magnetic_number("M", M, L)
    return l1, m1, l2, m2, L, M


@lru_cache(maxsize=100_000)
def _complex_squared(l1: int, m1: int, l2: int, m2: int, L: int, M: int) -> Fraction:
    """sign(C) C^2 by Racah's formula."""
    if m1 + m2 != M or not triangle(l1, l2, L):
        return Fraction(0)
    f = factorial
    delta = Fraction(
        (2 * L + 1) * f(l1 + l2 - L) * f(l1 - l2 + L) * f(l2 - l1 + L), f(l1 + l2 + L + 1)
    )
    square = delta * (f(l1 + m1) * f(l1 - m1) * f(l2 + m2) * f(l2 - m2) * f(L + M) * f(L - M))
    total = Fraction(0)
    for k in range(max(0, l2 - L - m1, l1 - L + m2), min(l1 + l2 - L, l1 - m1, l2 + m2) + 1):
        total += Fraction(
            (-1) ** k,
            f(k)
            * f(l1 + l2 - L - k)
            * f(l1 - m1 - k)
            * f(l2 + m2 - k)
            * f(L - l2 + m1 + k)
            * f(L - l1 - m2 + k),
        )
    return square * total * abs(total)


def real_from_complex(m: int) -> list[tuple[int, complex, Fraction]]:
    """Row m of U in Y_real = U Y_complex: entries (m', unit phase, modulus squared)."""
    half = Fraction(1, 2)
    if m == 0:
        return [(0, 1, Fraction(1))]
    sign = (-1) ** m
    if m > 0:
        return [(m, sign, half), (-m, 1, half)]
    return [(-m, -1j * sign, half), (m, 1j, half)]


@lru_cache(maxsize=4096)
def _real_squared(l1: int, l2: int, L: int) -> dict[tuple[int, int, int], Fraction]:
    """Non-zero real coefficients of one path as signed squares, keyed by (m1, m2, M)."""
    table: dict[tuple[int, int, int], Fraction] = {}
    for m1 in range(-l1, l1 + 1):
        for m2 in range(-l2, l2 + 1):
            for M in sorted({s * t for s in (abs(m1 + m2), abs(m1 - m2)) for t in (1, -1)}):
                if abs(M) <= L:
                    square = _real_entry(l1, m1, l2, m2, L, M)
                    if square:
                        table[m1, m2, M] = square
    return table


def _real_entry(l1: int, m1: int, l2: int, m2: int, L: int, M: int) -> Fraction:
    """sign(C) C^2 of one real coefficient: sum over U_L[M,M'] C conj(U_1[m1,m1'] U_2[m2,m2'])."""
    multiples: dict[Fraction, complex] = defaultdict(complex)
    for n1, phase1, weight1 in real_from_complex(m1):
        for n2, phase2, weight2 in real_from_complex(m2):
            for n, phase, weight in real_from_complex(M):
                square = weight1 * weight2 * weight * _complex_squared(l1, n1, l2, n2, L, n)
                sign = -1 if square < 0 else 1
                unit = phase * phase1.conjugate() * phase2.conjugate()
                multiples[abs(square)] += sign * unit
    multiples.pop(Fraction(0), None)
    even = (l1 + l2 + L) % 2 == 0
    parts = {square: round(unit.real if even else -unit.imag) for square, unit in multiples.items()}
    # m1' + m2' = M' leaves one pattern of m's and its negative: a single square root survives.
    (result,) = [Fraction(n * abs(n)) * square for square, n in parts.items() if n] or [Fraction(0)]
    return result
