"""Theorem 5: which couplings of two tagged directions span all components of an angular momentum.

Statement. For L >= 1 let A(j, k) be the (2L+1) x (2L+1) matrix whose rows are the couplings
[Y_l1(j) x Y_l2(k)]^L with l1 + l2 = L (L+1 rows) and with l1 + l2 = L+1, l1, l2 >= 1 (L rows), of
unit vectors j, k at the angle theta. Then |det A| = K_L sin^(L(L+1)) theta with K_L > 0: the rows
are a basis of R^(2L+1) if and only if j and k are not collinear. With r = l2,

    K_L = (4 pi)^-(2L+1) prod_{r=0..L} e(L-r, r) prod_{r=1..L} e(L+1-r, r),
    e(l1, r) = sqrt(2 l1 + 1) |<l1 0 r r | L r>| y_r,
    y_r = sqrt((2 - delta_r0) (2r+1)/(2r)!) (2r-1)!!,

    <l1 0 r r | L r>^2 = (2L+1) (2r)! (L+l1-r)! (L+r)! / ((L+l1+r+1)! (L+r-l1)! (l1+r-L)! (L-r)!).

The statement holds for every L, by the argument below; the rows with l2 = L alone have rank L+1.

Argument. A(Rj, Rk) = A(j, k) D(R)^T with det D = 1 (the couplings are equivariant, Theorem 1), so
take j = (0, 0, 1), k = (s, 0, c). Y_l1(j) has only m = 0, hence the row (l1, l2) has entries only
at |M| <= l2, those with l1 + l2 + L even only at M >= 0 and the others only at M < 0 (Y_l2(k) has
no sine components). Ordered by l2, the even rows against M = 0..L and the odd rows against M =
-1..-L are triangular: det A is, up to sign, the product of the entries at |M| = l2, each of which
is a constant times s^l2. The constants are non-zero for every L, since Racah's sum for <l1 0 r r
| L r> has the single term k = l1 + r - L. The exponents add up to 2 (0 + 1 + ... + L) = L(L+1).

What the machine checks. For L = 1..8, from the exact package's coefficients and harmonics, with c
and s as polynomial variables: where the entries vanish, the diagonal, hence the determinant, as
K_L s^(L(L+1)); that K_L is the closed formula; K_1..K_8 as listed below. For L <= 8 the full
determinant at rational vectors in general position, sign included: +-K_L |j x k|^(L(L+1)), as
solid harmonics must give; for L = 1 and 2 the same in six symbolic coordinates. That collinear
vectors leave rank 1, and that [Y_l1(j) x Y_L(k)]^L, l1 = 0..L, have rank L+1 only.

What is assumed. Racah's formula for all L > 8 (the exact package implements it; its coefficients
are certified in Theorem 1).

Values: K_L = q sqrt(d) / pi^(2L+1), the pairs (q, d) for L = 1..8 below; ``pytest -s`` prints
them.

Literature. Varshalovich, Moskalev, Khersonskii, Quantum Theory of Angular Momentum (1988), 8.5.1
(the coefficients with m2 = l2). We know of no earlier source for the determinant.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from functools import cache
from math import factorial
from typing import Any

import pytest
from coupled import complex_coefficient, couple, rational_vector, solid_harmonics
from geometry import cross, dot
from sympy import QQ
from sympy.polys.matrices import DomainMatrix
from sympy.polys.rings import ring
from symtrip_reference.reconstruction.roots import RootSum, root

THEOREM = (
    "The couplings l1+l2 = L and l1+l2 = L+1 of two unit vectors have determinant "
    "K_L sin^(L(L+1)) theta, K_L > 0, for every L (symbolically for L <= 8)."
)
ASSUMES = "for L > 8 Racah's formula and the triangular argument in the file"

MAX_L = 8
CONSTANTS = {
    1: (Fraction(9, 128), 2),
    2: (Fraction(225, 8192), 6),
    3: (Fraction(33075, 2097152), 10),
    4: (Fraction(17222625, 4294967296), 70),
    5: (Fraction(8824575375, 2199023255552), 21),
    6: (Fraction(24958597584375, 49539595901075456), 231),
    7: (Fraction(31404516708919921875, 399039967802485020557312), 858),
    8: (Fraction(253332645444382050421875, 19807040628566084398385987584), 1430),
}
"""K_L pi^(2L+1) = q sqrt(d) as (q, d)."""


def row_labels(L: int) -> list[tuple[int, int]]:
    """(l1, l2) of the rows: even ones by growing l2, then odd ones by growing l2."""
    even = [(L - l2, l2) for l2 in range(L + 1)]
    odd = [(L + 1 - l2, l2) for l2 in range(1, L + 1)]
    return even + odd


def coupling_matrix(L: int, j: Sequence[Any], k: Sequence[Any]) -> list[list[RootSum]]:
    """Rows of 4 pi [Y_l1(j) x Y_l2(k)]^L_M, columns M = -L..L (solid harmonics)."""
    return [
        couple(l1, l2, L, solid_harmonics(l1, j), solid_harmonics(l2, k))
        for l1, l2 in row_labels(L)
    ]


@cache
def standard_determinant(L: int) -> tuple[RootSum, int]:
    """(constant, exponent): |det| of the matrix in standard position, times (4 pi)^(2L+1)."""
    R, s, c = ring("s,c", QQ)
    rows = coupling_matrix(L, (R(0), R(0), R(1)), (s, R(0), c))
    constant, exponent = RootSum.of(QQ(1)), 0
    for (l1, l2), row in zip(row_labels(L), rows, strict=True):
        even = l1 + l2 == L
        for M in range(-L, L + 1):
            outside = abs(M) > l2 or (M >= 0) != even
            assert not (outside and row[M + L])
        d, polynomial = row[(l2 if even else -l2) + L].single()
        # A monomial in s alone: no use is made of c^2 + s^2 = 1.
        ((powers, coefficient),) = polynomial.terms()
        assert powers == (l2, 0)
        assert coefficient != 0
        constant = constant * RootSum({d: abs(coefficient)})
        exponent += l2
    return constant, exponent


def closed_formula(L: int) -> RootSum:
    """(4 pi)^(2L+1) K_L from the statement."""
    value = RootSum.of(QQ(1))
    for l1, r in row_labels(L):
        stretched = Fraction(
            (2 * L + 1) * factorial(2 * r) * factorial(L + l1 - r) * factorial(L + r),
            factorial(L + l1 + r + 1)
            * factorial(L + r - l1)
            * factorial(l1 + r - L)
            * factorial(L - r),
        )
        double_factorial = Fraction(factorial(2 * r), 2**r * factorial(r))
        harmonic = Fraction((1 if r == 0 else 2) * (2 * r + 1), factorial(2 * r))
        value = value * root((2 * l1 + 1) * stretched * harmonic * double_factorial**2)
    return value


@pytest.mark.parametrize("L", range(1, MAX_L + 1))
def test_determinant_is_a_constant_times_a_power_of_the_sine(L: int) -> None:
    constant, exponent = standard_determinant(L)
    assert exponent == L * (L + 1)
    assert constant == closed_formula(L)
    d, q = constant.single()
    assert q > 0
    # (4 pi)^(2L+1) K_L = q sqrt d
    value = Fraction(int(q.numerator), int(q.denominator)) / 4 ** (2 * L + 1)
    print(f"K_{L} = {value} sqrt({d}) / pi^{2 * L + 1}")
    assert (value, d) == CONSTANTS[L]


@pytest.mark.parametrize("L", range(1, 13))
def test_the_diagonal_coefficients_are_the_single_racah_term(L: int) -> None:
    for l1, r in row_labels(L):
        terms = range(max(0, r - L, l1 - L + r), min(l1 + r - L, l1, 2 * r) + 1)
        assert list(terms) == [l1 + r - L]
        assert complex_coefficient(l1, 0, r, r, L, r)


def determinant(L: int, rows: list[list[RootSum]], domain: Any) -> RootSum:
    """The determinant of a coupling matrix over ``domain`` (QQ or a polynomial ring).

    Y_LM carries a root sqrt(e_M) and the invariant polynomial of row p a root sqrt(d_p), so that
    the entries are sqrt(d_p / e_M) times elements of the domain (asserted): they are divided out.
    """
    _, *xyz = ring("x,y,z", QQ)
    harmonic_roots = [h.single()[0] for h in solid_harmonics(L, xyz)]
    factor, matrix = RootSum.of(QQ(1)), []
    for e in harmonic_roots:
        factor = factor * root(Fraction(1, e))
    for row in rows:
        entries = [
            (x * root(Fraction(e))).single() for x, e in zip(row, harmonic_roots, strict=True)
        ]
        (d,) = {d for d, value in entries if value}
        factor = factor * root(Fraction(d))
        matrix.append([domain(value) for _, value in entries])
    value = DomainMatrix(matrix, (len(rows), len(rows)), domain).det()
    return factor.scaled(value)


POSITIONS = [
    ((0, 0, 1), (Fraction(3, 5), 0, Fraction(4, 5))),
    ((1, 2, -1), (3, 0, 1)),
    ((-2, 1, 1), (1, Fraction(1, 2), -3)),
]


@pytest.mark.parametrize("L", range(1, MAX_L + 1))
def test_determinant_at_vectors_in_general_position(L: int) -> None:
    # Solid harmonics bring |j|^(L(L+1)) |k|^(L(L+1)), which makes the sine |j x k|.
    signs = set()
    for j, k in POSITIONS:
        u, v = rational_vector(j), rational_vector(k)
        value = determinant(L, coupling_matrix(L, u, v), QQ)
        area = dot(cross(u, v), cross(u, v))
        expected = standard_determinant(L)[0].scaled(area ** (L * (L + 1) // 2))
        assert value in (expected, -expected)
        signs.add(value == expected)
    assert len(signs) == 1


@pytest.mark.parametrize("L", [1, 2])
def test_determinant_in_six_symbolic_coordinates(L: int) -> None:
    R, *g = ring("j:3,k:3", QQ)
    j, k = g[:3], g[3:]
    value = determinant(L, coupling_matrix(L, j, k), R.to_domain())
    area = dot(cross(j, k), cross(j, k))
    expected = standard_determinant(L)[0].scaled(area ** (L * (L + 1) // 2))
    assert value in (expected, -expected)


@pytest.mark.parametrize("L", range(1, MAX_L + 1))
def test_collinear_vectors_give_a_single_direction(L: int) -> None:
    # Both vectors on the polar axis: only M = 0 survives, the rank is 1.
    one, zero = QQ(1), QQ(0)
    for row in coupling_matrix(L, (zero, zero, one), (zero, zero, QQ(-2))):
        assert all(not x for M, x in zip(range(-L, L + 1), row, strict=True) if M != 0)


@pytest.mark.parametrize("L", range(1, MAX_L + 1))
def test_couplings_with_the_second_momentum_fixed_have_rank_l_plus_one(L: int) -> None:
    # With k on the polar axis the row [Y_l1(j) x Y_L(k)]^L, l1 = 0..L, ends at |M| = l1.
    R, s, c = ring("s,c", QQ)
    axis = solid_harmonics(L, (R(0), R(0), R(1)))
    for l1 in range(L + 1):
        row = couple(l1, L, L, solid_harmonics(l1, (s, R(0), c)), axis)
        reached = {abs(M) for M, x in zip(range(-L, L + 1), row, strict=True) if x}
        assert max(reached) == l1
