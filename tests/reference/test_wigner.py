"""Exact Wigner matrices of rational rotations."""

from __future__ import annotations

from fractions import Fraction
from itertools import product

import pytest
import sympy
import wigners
from hypothesis import given
from hypothesis import strategies as st
from symtrip_reference import (
    complex_wigner_d,
    real_clebsch_gordan_table,
    real_spherical_harmonics,
    real_wigner_d,
    rotation_matrix,
)

EPS = 2.0**-52
integers = st.integers(-5, 5)
quaternions = st.tuples(integers, integers, integers, integers).filter(any)
numbers = st.fractions(-2, 2, max_denominator=20)
vectors = st.tuples(numbers, numbers, numbers).filter(any)


def rotated(quaternion: tuple[int, ...], vector: tuple[Fraction, ...]) -> list[Fraction]:
    matrix = rotation_matrix(quaternion)
    return [sum((a * b for a, b in zip(row, vector, strict=True)), Fraction(0)) for row in matrix]


def product_of(p: tuple[int, ...], q: tuple[int, ...]) -> tuple[int, ...]:
    """Hamilton's product: first the rotation q, then p."""
    a, b, c, d = p
    e, f, g, h = q
    return (
        a * e - b * f - c * g - d * h,
        a * f + b * e + c * h - d * g,
        a * g - b * h + c * e + d * f,
        a * h + b * g - c * f + d * e,
    )


@given(quaternions)
def test_rotation_matrices_are_orthogonal_with_determinant_one_exactly(q: tuple[int, ...]) -> None:
    matrix = sympy.Matrix([[sympy.Rational(x) for x in row] for row in rotation_matrix(q)])
    assert matrix * matrix.T == sympy.eye(3)
    assert matrix.det() == 1


@given(quaternions, vectors)
def test_harmonics_of_a_rotated_vector_are_rotated_by_the_matrix_exactly(
    q: tuple[int, ...], vector: tuple[Fraction, ...]
) -> None:
    there = real_spherical_harmonics(rotated(q, vector), 2)
    here = real_spherical_harmonics(vector, 2)
    for l in range(3):
        matrix = sympy.Matrix(real_wigner_d(l, q))
        difference = sympy.Matrix(there[l]) - matrix * sympy.Matrix(here[l])
        assert sympy.simplify(difference) == sympy.zeros(2 * l + 1, 1)


@given(quaternions)
def test_matrices_are_orthogonal_exactly(q: tuple[int, ...]) -> None:
    for l in range(4):
        matrix = sympy.Matrix(real_wigner_d(l, q))
        assert (matrix * matrix.T).applyfunc(sympy.expand) == sympy.eye(2 * l + 1)


@given(quaternions, quaternions)
def test_matrices_of_products_are_products_of_matrices(
    p: tuple[int, ...], q: tuple[int, ...]
) -> None:
    for l in (1, 2):
        first, second, both = (sympy.Matrix(real_wigner_d(l, r)) for r in (p, q, product_of(p, q)))
        assert (first * second - both).applyfunc(sympy.expand) == sympy.zeros(2 * l + 1)


@pytest.mark.parametrize("path", [(1, 1, 1), (1, 1, 2), (2, 1, 2), (2, 2, 3)])
def test_coupling_commutes_with_rotation_exactly(path: tuple[int, int, int]) -> None:
    l1, l2, L = path
    q = (1, 2, -1, 3)
    d1, d2, d = (real_wigner_d(l, q) for l in path)
    table = real_clebsch_gordan_table(l1, l2, L)
    r1, r2, r = (range(2 * l + 1) for l in path)
    for i, j, N in [(0, 0, 0), (l1, l2, L), (2 * l1, 0, L), (0, l2, 2 * L)]:
        rotated_inputs = sum(table[a][b][N] * d1[a][i] * d2[b][j] for a, b in product(r1, r2))
        rotated_output = sum(d[N][M] * table[i][j][M] for M in r)
        assert sympy.expand(rotated_inputs - rotated_output) == 0


@given(st.fractions(-3, 3, max_denominator=9), st.integers(0, 3))
def test_complex_matrices_of_turns_about_z_are_phases(t: Fraction, l: int) -> None:
    # the quaternion 1 + t k turns by 2 atan t
    matrix = complex_wigner_d(l, (1, 0, 0, t))
    s = sympy.Rational(t.numerator, t.denominator)
    phase = (1 - sympy.I * s) / (1 + sympy.I * s)
    want = sympy.diag(*(phase**m for m in range(-l, l + 1)))
    assert sympy.simplify(matrix - want) == sympy.zeros(2 * l + 1)


@pytest.mark.parametrize("l", [0, 1, 2, 3, 6])
@pytest.mark.parametrize("q", [(1, 2, -3, 4), (1, 0, 1, 0), (0, 1, 1, 0), (3, 0, 0, -1)])
def test_complex_matrices_equal_those_of_wigners(l: int, q: tuple[int, ...]) -> None:
    w, x, y, z = (sympy.Integer(c) for c in q)
    # Euler angles z-y-z of the quaternion
    beta = 2 * sympy.atan2(sympy.sqrt(x * x + y * y), sympy.sqrt(w * w + z * z))
    total = 2 * sympy.atan2(z, w) if (w or z) else 0
    half = 2 * sympy.atan2(-x, y) if (x or y) else 0
    alpha, gamma = (total + half) / 2, (total - half) / 2
    want = wigners.wigner_D_array(l, float(alpha), float(beta), float(gamma))[l]
    got = complex_wigner_d(l, q).evalf(20)
    for i, j in product(range(2 * l + 1), repeat=2):
        # measured 9 eps, the trigonometric functions of wigners
        assert abs(complex(got[i, j]) - want[i, j]) <= 64 * EPS


def test_a_matrix_of_degree_ten_is_orthogonal_to_forty_digits() -> None:
    matrix = real_wigner_d(10, (1, 2, -3, 4), digits=40)
    for i, j in product(range(0, 21, 4), repeat=2):
        overlap = sum(a * b for a, b in zip(matrix[i], matrix[j], strict=True))
        assert abs(overlap - int(i == j)) <= 1e-39
