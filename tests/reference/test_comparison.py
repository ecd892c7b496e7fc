"""The exact comparison of structures, on structures whose relation is known."""

from __future__ import annotations

from fractions import Fraction

import hypothesis.strategies as st
import pytest
import sympy
from hypothesis import example, given
from symtrip_reference import InputError
from symtrip_reference.catalogue import Structure, evaluate
from symtrip_reference.comparison import (
    CrystalComparison,
    EnvironmentComparison,
    GraphComparison,
    normal_form,
)

COORDINATES = st.integers(-3, 3)
POINTS = st.lists(
    st.tuples(COORDINATES, COORDINATES, COORDINATES).filter(any),
    min_size=1,
    max_size=5,
    unique=True,
)


def structure(points, species=None):
    exact = tuple(tuple(sympy.Integer(x) for x in point) for point in points)
    return Structure(tuple(species or ["H"] * len(exact)), exact, center="C")


def quarter_turn(points):
    return [(-y, x, z) for x, y, z in reversed(points)]


def inverted(points):
    return [(-x, -y, -z) for x, y, z in points]


def spans_space(points):
    return sympy.Matrix([list(p) for p in points]).rank() == 3


@given(POINTS)
@example([(1, 0, 0), (0, 2, 0), (0, 0, 3)])
def test_a_rotated_and_reordered_environment_is_congruent_by_a_proper_rotation(points):
    comparison = EnvironmentComparison(structure(points), structure(quarter_turn(points)))
    assert comparison.congruent(proper=True)
    assert comparison.same_correlations(len(points), proper=True)


@given(POINTS)
@example([(1, 0, 0), (0, 2, 0), (0, 0, 3)])
def test_an_inverted_environment_is_congruent_by_an_improper_rotation(points):
    comparison = EnvironmentComparison(structure(points), structure(inverted(points)))
    assert comparison.congruent(proper=False)
    assert comparison.same_correlations(len(points), proper=False)


def test_the_inverse_of_a_chiral_environment_is_not_congruent_by_a_proper_rotation():
    points = [(1, 0, 0), (0, 2, 0), (0, 0, 3)]
    comparison = EnvironmentComparison(structure(points), structure(inverted(points)))
    assert not comparison.congruent(proper=True)
    assert comparison.same_correlations(2, proper=True)
    assert not comparison.same_correlations(3, proper=True)


@given(POINTS, POINTS, st.booleans())
@example([(1, 0, 0), (0, 2, 0), (0, 0, 3)], [(1, 0, 0), (0, 2, 0), (0, 0, -3)], True)
def test_correlations_of_all_orders_agree_exactly_for_congruent_environments(a, b, proper):
    b = (b * 5)[: len(a)]
    comparison = EnvironmentComparison(structure(a), structure(b))
    same = comparison.same_correlations(len(a), proper=proper)
    assert same == comparison.congruent(proper=proper)


def test_species_are_compared():
    points = [(1, 0, 0), (0, 1, 0)]
    comparison = EnvironmentComparison(structure(points, ["H", "H"]), structure(points, ["H", "O"]))
    assert not comparison.congruent(proper=False)
    assert not comparison.same_correlations(1, proper=False)


@given(POINTS)
def test_a_moved_cluster_is_congruent_and_has_equal_graphs(points):
    moved = [(x + 1, y - 2, z + 5) for x, y, z in quarter_turn(points)]
    plus, minus = (Structure(s.species, s.points) for s in (structure(points), structure(moved)))
    comparison = GraphComparison(plus, minus)
    assert comparison.congruent()
    assert comparison.same_distances()
    assert comparison.same_pointwise_distances()
    assert comparison.same_colours()


def test_colour_refinement_confuses_antipodal_pairs_with_one_inner_product_of_other_sign():
    pairs = [(1, 1, 0), (1, 0, 1), (0, 1, 1), (-1, -1, 0), (-1, 0, -1), (0, -1, -1)]
    other = [(1, 1, 0), (1, 0, -1), (0, 1, 1), (-1, -1, 0), (-1, 0, 1), (0, -1, -1)]
    plus, minus = (Structure(s.species, s.points) for s in map(structure, (pairs, other)))
    comparison = GraphComparison(plus, minus)
    assert comparison.same_colours()
    assert not comparison.congruent()


def test_a_crystal_is_not_compared_as_a_cluster():
    box = tuple(tuple(sympy.Integer(4 * (i == j)) for j in range(3)) for i in range(3))
    crystal = Structure(("H",), ((sympy.S.Zero,) * 3,), cell=box)
    with pytest.raises(InputError, match="CrystalComparison"):
        GraphComparison(crystal, crystal).congruent()


def test_the_patterson_function_ignores_where_the_origin_is():
    box = tuple(tuple(sympy.Integer(4 * (i == j)) for j in range(3)) for i in range(3))
    points = [(0, 0, 0), (1, 0, 0), (0, 2, 1)]
    shifted = [(x + 3, y + 2, z + 1) for x, y, z in points]
    plus, minus = (
        Structure(s.species, s.points, cell=box) for s in map(structure, (points, shifted))
    )
    comparison = CrystalComparison(plus, minus)
    assert comparison.same_patterson()
    assert comparison.same_distances_within(sympy.Integer(20))
    assert comparison.same_triangles_within(sympy.Integer(8))


def test_sums_of_square_roots_have_one_normal_form():
    root = (sympy.sqrt(3) + sympy.sqrt(5)) ** 2 - 2 * sympy.sqrt(15)
    assert normal_form(root) == 8


def test_nested_roots_have_no_normal_form():
    with pytest.raises(InputError, match="square roots of integers"):
        normal_form(sympy.sqrt(2 + sympy.sqrt(2)))


@given(st.fractions(Fraction(-3), Fraction(3), max_denominator=50))
def test_half_angle_formulas_lie_on_the_unit_circle(t):
    t = sympy.Rational(t.numerator, t.denominator)
    assert evaluate("hcos(t)**2 + hsin(t)**2", {"t": t}) == 1


@pytest.mark.parametrize(
    "formula", ["x", "sin(1)", "a.b", "a[0]", "2**a", "'a'", "1.5", "a < 1", "f(1, 2)"]
)
def test_formulas_outside_the_language_are_refused(formula):
    with pytest.raises(InputError, match="known names"):
        evaluate(formula, {"a": sympy.S.One})
