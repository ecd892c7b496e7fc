"""Real spherical harmonics as exact Cartesian polynomials.

Orthonormal, m = -l..l, no Condon-Shortley phase: l = 1 is sqrt(3 / 4 pi) (y, z, x).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from fractions import Fraction
from functools import lru_cache
from math import comb, factorial
from typing import Any

import sympy

from symtrip_reference._checks import exact_vector, magnetic_number, natural_number, require
from symtrip_reference.arithmetic import Arithmetic, Number
from symtrip_reference.evaluation import evaluate

__all__ = [
    "cartesian_polynomial",
    "harmonics",
    "norm_squared",
    "real_solid_harmonics",
    "real_spherical_harmonics",
    "solid_harmonic_polynomial",
    "solid_harmonics",
]

Monomial = tuple[int, int, int]


def solid_harmonic_polynomial(l: int, m: int) -> sympy.Expr:
    """The homogeneous polynomial r^l Y_lm(x, y, z), exactly.

    Args:
        l: degree, an integer >= 0.
        m: order, an integer in -l..l.

    Returns:
        A sympy expression in the symbols ``x``, ``y``, ``z`` (real), expanded.

    Raises:
        InputError: ``l`` is no integer >= 0 or ``m`` no integer in -l..l.

    Accuracy: exact.

    Source: Helgaker, Jorgensen, Olsen, Molecular Electronic-Structure Theory (2000), Sec. 6.4.
    """
    l = natural_number("l", l)
    m = magnetic_number("m", m, l)
    x, y, z = sympy.symbols("x y z", real=True)
    norm = sympy.sqrt(sympy.Rational(*norm_squared(l, m).as_integer_ratio()) / sympy.pi)
    polynomial = sympy.Add(
        *(
            sympy.Rational(*coefficient.as_integer_ratio()) * x**i * y**j * z**k
            for (i, j, k), coefficient in cartesian_polynomial(l, m).items()
        )
    )
    return sympy.expand(norm * polynomial)


def real_spherical_harmonics(
    vector: Sequence[Any], max_angular: int, *, digits: int | None = None, rigorous: bool = False
) -> list[list[Number]]:
    """Real spherical harmonics of the direction of ``vector``.

    Args:
        vector: x, y, z as exact numbers; any length but 0.
        max_angular: largest l, inclusive.
        digits: None for exact sympy numbers, otherwise the decimal digits wanted (>= 15).
        rigorous: guaranteed enclosures (python-flint), with ``digits``.

    Returns:
        ``result[l][m + l]``, dimensionless.

    Raises:
        InputError: ``vector`` is zero or holds floats, ``max_angular`` is no integer >= 0.

    Accuracy: exact, or ``digits`` digits.

    Source: as :func:`solid_harmonic_polynomial`.
    """
    xyz = exact_vector("vector", vector)
    max_angular = natural_number("max_angular", max_angular)
    require(
        any(c.is_zero is not True for c in xyz),
        "vector",
        "not be the zero vector",
        repr(tuple(vector)),
        "a neighbour cannot sit on its centre",
    )
    return evaluate(lambda a: harmonics(a, xyz, max_angular), digits=digits, rigorous=rigorous)


def real_solid_harmonics(
    vector: Sequence[Any], max_angular: int, *, digits: int | None = None, rigorous: bool = False
) -> list[list[Number]]:
    """Regular solid harmonics r^l Y_lm of ``vector``.

    Args:
        vector: x, y, z in Å as exact numbers; the zero vector is allowed.
        max_angular: largest l, inclusive.
        digits: None for exact sympy numbers, otherwise the decimal digits wanted (>= 15).
        rigorous: guaranteed enclosures (python-flint), with ``digits``.

    Returns:
        ``result[l][m + l]``, Å^l.

    Raises:
        InputError: ``vector`` holds floats, ``max_angular`` is no integer >= 0.

    Accuracy: exact, or ``digits`` digits of the largest value.

    Source: as :func:`solid_harmonic_polynomial`.
    """
    x, y, z = exact_vector("vector", vector)
    max_angular = natural_number("max_angular", max_angular)
    return evaluate(
        lambda a: solid_harmonics(a, (a(x), a(y), a(z)), max_angular),
        digits=digits,
        rigorous=rigorous,
    )


def harmonics(a: Arithmetic, vector: Sequence[Any], max_angular: int) -> list[list[Number]]:
    """Y_lm of the direction of an exact vector, ``[l][m + l]``."""
    x, y, z = (a(c) for c in vector)
    r = a.sqrt(a.dot([(x, x), (y, y), (z, z)]))
    return solid_harmonics(a, (x / r, y / r, z / r), max_angular)


def solid_harmonics(
    a: Arithmetic, vector: tuple[Number, Number, Number], max_angular: int
) -> list[list[Number]]:
    """r^l Y_lm of a vector of the arithmetic's own numbers, ``[l][m + l]``."""
    powers = []
    for c in vector:
        column = [a(1)]
        for _ in range(max_angular):
            column.append(column[-1] * c)
        powers.append(column)
    xs, ys, zs = powers
    return [
        [
            a.sqrt(a(norm_squared(l, m)) / a.pi)
            * a.dot(
                (a(coefficient), xs[i] * ys[j] * zs[k])
                for (i, j, k), coefficient in cartesian_polynomial(l, m).items()
            )
            for m in range(-l, l + 1)
        ]
        for l in range(max_angular + 1)
    ]


def norm_squared(l: int, m: int) -> Fraction:
    """Pi times the squared normalisation that multiplies :func:`cartesian_polynomial`."""
    n = abs(m)
    orders = 1 if m == 0 else 2
    return Fraction(orders * (2 * l + 1) * factorial(l - n), 4 * factorial(l + n))


@lru_cache(maxsize=1024)
def cartesian_polynomial(l: int, m: int) -> dict[Monomial, Fraction]:
    """r^l P_l^|m|(z/r) (without phase) times Re or Im of (x + i y)^|m| / r^|m|, as monomials."""
    n = abs(m)
    terms: dict[Monomial, Fraction] = defaultdict(Fraction)
    for power_of_y, planar in _planar(n, sine=m < 0).items():
        for k in range((l - n) // 2 + 1):
            axial = Fraction(
                (-1) ** k * comb(l, k) * comb(2 * l - 2 * k, l) * factorial(l - 2 * k),
                2**l * factorial(l - 2 * k - n),
            )
            # r^(2k) = (x^2 + y^2 + z^2)^k
            for p in range(k + 1):
                for q in range(k - p + 1):
                    multinomial = comb(k, p) * comb(k - p, q)
                    monomial = (
                        n - power_of_y + 2 * p,
                        power_of_y + 2 * q,
                        l - 2 * k - n + 2 * (k - p - q),
                    )
                    terms[monomial] += planar * multinomial * axial
    return {monomial: c for monomial, c in sorted(terms.items()) if c}


def _planar(n: int, *, sine: bool) -> dict[int, int]:
    """Re or Im of (x + i y)^n: coefficients by the power of y."""
    parity = 1 if sine else 0
    return {k: comb(n, k) * (-1) ** ((k - parity) // 2) for k in range(parity, n + 1, 2)}
