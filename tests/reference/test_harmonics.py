"""The exact real spherical harmonics."""

from __future__ import annotations

from fractions import Fraction
from math import factorial, prod

import mpmath
import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st
from symtrip_reference import real_spherical_harmonics, solid_harmonic_polynomial

x, y, z = sympy.symbols("x y z", real=True)
numbers = st.fractions(-2, 2, max_denominator=1000)
vectors = st.tuples(numbers, numbers, numbers).filter(any)


def sphere_average(polynomial: sympy.Expr) -> sympy.Expr:
    """Integral over the unit sphere, monomial by monomial."""
    total = sympy.Integer(0)
    for powers, coefficient in sympy.Poly(polynomial, x, y, z).terms():
        if all(p % 2 == 0 for p in powers):
            # 4 pi prod (p - 1)!! / (sum p + 1)!!
            top = prod(factorial(p) // (2 ** (p // 2) * factorial(p // 2)) for p in powers)
            total += coefficient * 4 * sympy.pi * top / sympy.factorial2(sum(powers) + 1)
    return sympy.simplify(total)


def test_degree_one_is_root_three_over_four_pi_times_y_z_x() -> None:
    norm = sympy.sqrt(3 / (4 * sympy.pi))
    got = [solid_harmonic_polynomial(1, m) for m in (-1, 0, 1)]
    assert [sympy.simplify(p - norm * c) for p, c in zip(got, (y, z, x), strict=True)] == [0, 0, 0]


def test_degree_two_has_the_textbook_signs() -> None:
    norm = sympy.sqrt(15 / (4 * sympy.pi))
    want = [x * y, y * z, (2 * z**2 - x**2 - y**2) / (2 * sympy.sqrt(3)), x * z, (x**2 - y**2) / 2]
    got = [solid_harmonic_polynomial(2, m) for m in range(-2, 3)]
    assert [sympy.expand(p - norm * w) for p, w in zip(got, want, strict=True)] == [0] * 5


@pytest.mark.parametrize("l", range(5))
def test_harmonics_are_orthonormal_on_the_sphere_exactly(l: int) -> None:
    basis = [solid_harmonic_polynomial(l, m) for m in range(-l, l + 1)]
    for i, p in enumerate(basis):
        for j, q in enumerate(basis[: i + 1]):
            assert sphere_average(sympy.expand(p * q)) == (1 if i == j else 0)


@pytest.mark.parametrize("l", [0, 1, 2, 4, 10])
def test_solid_harmonics_satisfy_laplaces_equation(l: int) -> None:
    for m in {-l, -(l // 2), 0, l}:
        p = solid_harmonic_polynomial(l, m)
        assert sympy.expand(p.diff(x, 2) + p.diff(y, 2) + p.diff(z, 2)) == 0


@given(vectors)
def test_values_are_those_of_the_polynomials(vector: tuple[Fraction, ...]) -> None:
    values = real_spherical_harmonics(vector, 3)
    exact = [sympy.Rational(c.numerator, c.denominator) for c in vector]
    r = sympy.sqrt(sum(c * c for c in exact))
    for l, m in [(0, 0), (1, 1), (2, -1), (3, 0), (3, -3)]:
        polynomial = solid_harmonic_polynomial(l, m).subs(dict(zip((x, y, z), exact, strict=True)))
        assert sympy.simplify(values[l][m + l] - polynomial / r**l) == 0


@given(vectors)
def test_squares_of_one_degree_sum_to_a_constant(vector: tuple[Fraction, ...]) -> None:
    values = real_spherical_harmonics(vector, 10, digits=40)
    for l, block in enumerate(values):
        want = mpmath.mpf(2 * l + 1) / (4 * mpmath.pi)
        assert abs(sum(float(v) ** 2 for v in block) - want) <= 16 * 2.0**-52 * want


@given(vectors)
def test_values_up_to_degree_ten_equal_the_real_combinations_of_mpmath(
    vector: tuple[Fraction, ...],
) -> None:
    values = real_spherical_harmonics(vector, 10, digits=30)
    with mpmath.workdps(40):
        a, b, c = (mpmath.mpf(v.numerator) / v.denominator for v in vector)
        theta = mpmath.atan2(mpmath.hypot(a, b), c)
        phi = mpmath.atan2(b, a)
        for l, m in [(1, -1), (4, 3), (7, 0), (9, -6), (10, 10), (10, 1)]:
            value = mpmath.spherharm(l, abs(m), theta, phi) * (-1) ** abs(m)
            part = value.imag if m < 0 else value.real
            want = part if m == 0 else mpmath.sqrt(2) * part
            assert abs(values[l][m + l] - want) <= mpmath.mpf(10) ** -28


@given(vectors)
def test_inversion_gives_the_parity_of_the_degree(vector: tuple[Fraction, ...]) -> None:
    there = real_spherical_harmonics(vector, 3)
    back = real_spherical_harmonics([-c for c in vector], 3)
    for l in range(4):
        assert [
            sympy.simplify(p - (-1) ** l * q) for p, q in zip(there[l], back[l], strict=True)
        ] == [0] * (2 * l + 1)
