"""Wigner matrices of rational rotations, exactly.

A rotation is given by a quaternion of integers (or rationals) w + x i + y j + z k, of any length:
its matrix is rational, and the matrices of the real spherical harmonics are signed square roots of
rationals.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from fractions import Fraction
from functools import lru_cache
from math import factorial
from typing import Any

import sympy

from symtrip_reference._checks import exact_number, natural_number, require
from symtrip_reference.arithmetic import Number, signed_root
from symtrip_reference.coupling import real_from_complex
from symtrip_reference.evaluation import evaluate
from symtrip_reference.harmonics import cartesian_polynomial, norm_squared

__all__ = ["complex_wigner_d", "real_wigner_d", "rotation_matrix"]

Matrix = tuple[tuple[Fraction, ...], ...]
Quaternion = tuple[Fraction, Fraction, Fraction, Fraction]
Polynomial = dict[tuple[int, int, int], Fraction]


def rotation_matrix(quaternion: Sequence[Any]) -> Matrix:
    """The proper rotation matrix of a rational quaternion.

    Args:
        quaternion: (w, x, y, z), exact rational numbers, not all zero; need not be normalised.

    Returns:
        3 x 3 tuples of Fractions, R^T R = 1 and det R = 1 exactly.

    Raises:
        InputError: a float, an irrational number, a wrong count, or all four are zero.

    Accuracy: exact.

    Source: Altmann, Rotations, Quaternions, and Double Groups (1986), Sec. 12.
    """
    return _matrix(_rational_quaternion(quaternion))


def real_wigner_d(
    l: int, quaternion: Sequence[Any], *, digits: int | None = None
) -> list[list[Number]]:
    """The matrix that rotates real spherical harmonics: Y_lm(R x) = sum_m' D[m][m'] Y_lm'(x).

    Args:
        l: degree, an integer >= 0.
        quaternion: (w, x, y, z), exact rational numbers, not all zero.
        digits: None for exact sympy numbers, otherwise the decimal digits wanted (>= 15).

    Returns:
        Nested lists (2l + 1, 2l + 1), rows and columns m = -l..l; an orthogonal matrix.

    Raises:
        InputError: as :func:`rotation_matrix`, or ``l`` is no integer >= 0, or digits < 15.

    Accuracy: exact, or ``digits`` digits.

    Source: Varshalovich, Moskalev, Khersonskii, Quantum Theory of Angular Momentum (1988), Ch. 4;
    computed here by rotating the harmonic polynomials themselves.
    """
    l = natural_number("l", l)
    squares = _real_squared(l, _rational_quaternion(quaternion))
    return evaluate(lambda a: [[signed_root(a, x) for x in row] for row in squares], digits=digits)


def complex_wigner_d(l: int, quaternion: Sequence[Any]) -> sympy.Matrix:
    """D^l_m'm(R) = <l m'| R |l m> for complex harmonics with the Condon-Shortley phase.

    Args:
        l: degree, an integer >= 0.
        quaternion: (w, x, y, z), exact rational numbers, not all zero.

    Returns:
        Sympy matrix, rows m' and columns m from -l to l: Y_lm(R^-1 x) = sum_m' D[m', m] Y_lm'(x).

    Raises:
        InputError: as :func:`real_wigner_d`.

    Accuracy: exact.

    Source: as :func:`real_wigner_d`.
    """
    l = natural_number("l", l)
    real = sympy.Matrix(real_wigner_d(l, quaternion))
    unitary = sympy.zeros(2 * l + 1, 2 * l + 1)
    for m in range(-l, l + 1):
        for n, phase, weight in real_from_complex(m):
            unit = sympy.Integer(round(phase.real)) + sympy.I * round(phase.imag)
            unitary[m + l, n + l] = unit * sympy.sqrt(sympy.Rational(weight))
    return (unitary.T * real * unitary.C).applyfunc(sympy.expand)


def _rational_quaternion(quaternion: Sequence[Any]) -> Quaternion:
    require(
        isinstance(quaternion, Sequence) and len(quaternion) == 4,
        "quaternion",
        "hold four rational numbers w, x, y, z",
        repr(quaternion),
        "write for example (1, 2, 0, -1)",
    )
    numbers = [exact_number(f"quaternion[{i}]", value) for i, value in enumerate(quaternion)]
    for i, number in enumerate(numbers):
        require(
            isinstance(number, sympy.Rational),
            f"quaternion[{i}]",
            "be rational",
            number,
            "take a rational rotation nearby; rational quaternions are dense",
        )
    require(
        any(numbers),
        "quaternion",
        "not be zero",
        "(0, 0, 0, 0)",
        "write (1, 0, 0, 0) for the identity",
    )
    w, x, y, z = (Fraction(int(n.p), int(n.q)) for n in numbers)
    return w, x, y, z


def _matrix(quaternion: Quaternion) -> Matrix:
    w, x, y, z = quaternion
    n = w * w + x * x + y * y + z * z
    rows = (
        (w * w + x * x - y * y - z * z, 2 * (x * y - w * z), 2 * (x * z + w * y)),
        (2 * (x * y + w * z), w * w - x * x + y * y - z * z, 2 * (y * z - w * x)),
        (2 * (x * z - w * y), 2 * (y * z + w * x), w * w - x * x - y * y + z * z),
    )
    return tuple(tuple(entry / n for entry in row) for row in rows)


@lru_cache(maxsize=256)
def _real_squared(l: int, quaternion: Quaternion) -> tuple[tuple[Fraction, ...], ...]:
    """sign(D) D^2, by the inner product under which monomials are orthogonal.

    <p, q> = p(d/dx) q is invariant under rotations and proportional to the integral over the sphere
    for harmonic polynomials of one degree, so that D[m][m'] = <Y_m(R x), Y_m'> / <Y_m', Y_m'>.
    """
    orders = range(-l, l + 1)
    basis = {m: cartesian_polynomial(l, m) for m in orders}
    weights = {
        monomial: factorial(monomial[0]) * factorial(monomial[1]) * factorial(monomial[2])
        for polynomial in basis.values()
        for monomial in polynomial
    }
    forms = [_powers(row, l) for row in _matrix(quaternion)]
    rows = []
    for m in orders:
        rotated = _substitute(basis[m], forms)
        row = []
        for n in orders:
            overlap, norm = (
                sum(
                    (weights[k] * c * p.get(k, Fraction(0)) for k, c in basis[n].items()),
                    Fraction(0),
                )
                for p in (rotated, basis[n])
            )
            q = overlap / norm
            row.append(q * abs(q) * norm_squared(l, m) / norm_squared(l, n))
        rows.append(tuple(row))
    return tuple(rows)


def _powers(linear: tuple[Fraction, ...], degree: int) -> list[Polynomial]:
    """Powers 0..degree of the linear form with these coefficients of x, y, z."""
    form = {
        monomial: c
        for monomial, c in zip(((1, 0, 0), (0, 1, 0), (0, 0, 1)), linear, strict=True)
        if c
    }
    powers: list[Polynomial] = [{(0, 0, 0): Fraction(1)}]
    for _ in range(degree):
        powers.append(_times(powers[-1], form))
    return powers


def _substitute(polynomial: Polynomial, forms: list[list[Polynomial]]) -> Polynomial:
    """The polynomial with x, y, z replaced by three linear forms, given by their powers."""
    total: dict[tuple[int, int, int], Fraction] = defaultdict(Fraction)
    for (i, j, k), coefficient in polynomial.items():
        product = _times(_times(forms[0][i], forms[1][j]), forms[2][k])
        for monomial, c in product.items():
            total[monomial] += coefficient * c
    return total


def _times(p: Polynomial, q: Polynomial) -> Polynomial:
    product: dict[tuple[int, int, int], Fraction] = defaultdict(Fraction)
    for (a, b, c), x in p.items():
        for (d, e, f), y in q.items():
            product[a + d, b + e, c + f] += x * y
    return product
