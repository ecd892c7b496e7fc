"""The exact Clebsch-Gordan coefficients: identities, other packages, conventions."""

from __future__ import annotations

from itertools import product

import pytest
import sympy
import wigners
from hypothesis import given
from hypothesis import strategies as st
from sympy.physics.wigner import clebsch_gordan as sympy_clebsch_gordan
from symtrip_reference import (
    complex_clebsch_gordan,
    real_clebsch_gordan,
    real_clebsch_gordan_table,
    real_spherical_harmonics,
)

EPS = 2.0**-52
PATHS_TO_3 = [p for p in product(range(4), repeat=3) if abs(p[0] - p[1]) <= p[2] <= p[0] + p[1]]
degrees = st.integers(0, 10)


@st.composite
def quantum_numbers(draw: st.DrawFn) -> tuple[int, int, int, int, int, int]:
    """A coupling with l1, l2 <= 10, L <= 10, m1 + m2 = M."""
    l1, l2 = draw(degrees), draw(degrees)
    L = draw(st.integers(abs(l1 - l2), min(10, l1 + l2)))
    m1, m2 = draw(st.integers(-l1, l1)), draw(st.integers(-l2, l2))
    return l1, m1, l2, m2, L, max(-L, min(L, m1 + m2))


@given(quantum_numbers())
def test_complex_coefficients_equal_those_of_sympy(numbers: tuple[int, ...]) -> None:
    l1, m1, l2, m2, L, M = numbers
    want = sympy_clebsch_gordan(l1, l2, L, m1, m2, M)
    assert sympy.simplify(complex_clebsch_gordan(*numbers) - want) == 0


@given(degrees, degrees, degrees)
def test_complex_coefficients_equal_those_of_wigners(l1: int, l2: int, L: int) -> None:
    if abs(l1 - l2) > L or l1 + l2 < L:
        return
    array = wigners.clebsch_gordan_array(l1, l2, L)
    for m1, m2 in [(-l1, -l2), (0, 0), (l1, -l2), (l1 // 2, -(l2 // 2))]:
        if abs(m1 + m2) <= L:
            got = float(complex_clebsch_gordan(l1, m1, l2, m2, L, m1 + m2))
            # measured 7.5 eps, the float sums of wigners
            assert abs(got - array[m1 + l1, m2 + l2, m1 + m2 + L]) <= 64 * EPS


@pytest.mark.parametrize("path", [*PATHS_TO_3, (4, 3, 6), (5, 5, 3)])
def test_real_coefficients_are_orthonormal_exactly(path: tuple[int, int, int]) -> None:
    l1, l2, L = path
    table = real_clebsch_gordan_table(l1, l2, L)
    pairs = list(product(range(2 * l1 + 1), range(2 * l2 + 1)))
    for M, N in {(0, 0), (0, L), (L, L), (L, 2 * L), (2 * L, 2 * L)}:
        overlap = sum(table[i][j][M] * table[i][j][N] for i, j in pairs)
        assert sympy.nsimplify(overlap) == (1 if M == N else 0)


@pytest.mark.parametrize(("l1", "l2"), [(1, 1), (1, 2), (2, 2)])
def test_all_real_paths_of_two_degrees_form_an_orthogonal_matrix(l1: int, l2: int) -> None:
    tables = [real_clebsch_gordan_table(l1, l2, L) for L in range(abs(l1 - l2), l1 + l2 + 1)]
    rows = [
        [x for table in tables for x in table[i][j]]
        for i, j in product(range(2 * l1 + 1), range(2 * l2 + 1))
    ]
    matrix = sympy.Matrix(rows)
    assert sympy.simplify(matrix * matrix.T) == sympy.eye(len(rows))


@pytest.mark.parametrize("path", PATHS_TO_3)
def test_exchange_of_the_factors_gives_the_sign_of_the_parity(path: tuple[int, int, int]) -> None:
    l1, l2, L = path
    table, swapped = real_clebsch_gordan_table(l1, l2, L), real_clebsch_gordan_table(l2, l1, L)
    sign = (-1) ** (l1 + l2 + L)
    for i, j in product(range(2 * l1 + 1), range(2 * l2 + 1)):
        assert table[i][j] == [sign * x for x in swapped[j][i]]


@pytest.mark.parametrize("l", range(11))
def test_coupling_to_a_scalar_is_minus_one_to_the_l_over_the_root(l: int) -> None:
    table = real_clebsch_gordan_table(l, l, 0)
    diagonal = (-1) ** l / sympy.sqrt(2 * l + 1)
    for i, j in product(range(2 * l + 1), repeat=2):
        assert table[i][j][0] == (diagonal if i == j else 0)


def test_the_odd_path_of_two_vectors_is_minus_their_cross_product_over_root_two() -> None:
    # components y, z, x; (a x b)_y = a_z b_x - a_x b_z
    assert real_clebsch_gordan(1, 0, 1, 1, 1, -1) == -sympy.sqrt(2) / 2
    assert real_clebsch_gordan(1, 1, 1, 0, 1, -1) == sympy.sqrt(2) / 2


@pytest.mark.parametrize("path", [(1, 1, 2), (2, 1, 3), (2, 2, 4), (3, 2, 3), (2, 2, 2)])
def test_products_of_one_direction_couple_back_to_its_harmonics(path: tuple[int, int, int]) -> None:
    l1, l2, L = path
    y = real_spherical_harmonics((1, -2, 2), 4)
    table = real_clebsch_gordan_table(l1, l2, L)
    ratio = sympy.sqrt(
        sympy.Rational((2 * l1 + 1) * (2 * l2 + 1), 2 * L + 1) / (4 * sympy.pi)
    ) * complex_clebsch_gordan(l1, 0, l2, 0, L, 0)
    for M in range(2 * L + 1):
        coupled = sum(
            table[i][j][M] * y[l1][i] * y[l2][j]
            for i, j in product(range(2 * l1 + 1), range(2 * l2 + 1))
        )
        assert sympy.simplify(coupled - ratio * y[L][M]) == 0


@given(degrees, degrees, degrees, st.integers(15, 60))
def test_digits_give_the_exact_value_to_that_many_digits(
    l1: int, l2: int, L: int, digits: int
) -> None:
    exact = real_clebsch_gordan(l1, 0, l2, 0, L, 0)
    got = real_clebsch_gordan(l1, 0, l2, 0, L, 0, digits=digits)
    error = abs(sympy.N(exact, digits + 10) - sympy.Float(got, digits + 10))
    assert error <= sympy.Float(10) ** -digits * max(1, abs(exact))


@pytest.mark.parametrize("path", [(1, 1, 3), (0, 2, 1), (5, 2, 2), (10, 3, 2)])
def test_a_violated_triangle_rule_gives_exact_zeros(path: tuple[int, int, int]) -> None:
    l1, l2, L = path
    assert complex_clebsch_gordan(l1, 0, l2, 0, L, 0) == 0
    assert not any(
        x for plane in real_clebsch_gordan_table(l1, l2, L) for row in plane for x in row
    )
