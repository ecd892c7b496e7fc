"""Exact densities, correlations and N-centre features: identities that hold without rounding."""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st
from symtrip_reference import (
    DeltaDensity,
    Environment,
    Expansion,
    GaussianDensity,
    Gto,
    Monomials,
    ShiftedCosine,
    coupling_paths,
    density_correlations,
    density_expansion,
    flatten,
    fraction,
    n_centre_features,
    path_parity,
    real_wigner_d,
    rotation_matrix,
    triplet_features,
    triplet_paths,
    two_ring_pair,
)

DATA = Path(__file__).parents[1] / "golden" / "data"
CUTOFF = ShiftedCosine(4, 1)
POINTS = Expansion(CUTOFF, DeltaDensity(), Monomials(1, 1))
TWO_CHANNELS = Expansion(CUTOFF, DeltaDensity(), Monomials(2, 1))
FINER = Expansion(CUTOFF, DeltaDensity(), Monomials(2, 2))
BLURRED = Expansion(CUTOFF, GaussianDensity(Fraction(1, 2)), Monomials(1, 1))
SMOOTH = Expansion(CUTOFF, GaussianDensity(Fraction(1, 2)), Gto(2, 1, 4))
TWO_SPECIES = Expansion(CUTOFF, DeltaDensity(), Monomials(1, 1), species=(1, 8))

numbers = st.fractions(-1, 1, max_denominator=12)
vectors = st.tuples(numbers, numbers, numbers).filter(any)
quaternions = st.tuples(*[st.integers(-3, 3)] * 4).filter(any)


def environments(low: int = 1, high: int = 3) -> st.SearchStrategy[Environment]:
    return st.lists(vectors, min_size=low, max_size=high).map(Environment)


def vanish(expressions: Any) -> bool:
    return all(sympy.expand(e) == 0 for e in expressions)


def rotated(environment: Environment, quaternion: tuple[int, ...]) -> Environment:
    matrix = [[sympy.Rational(x) for x in row] for row in rotation_matrix(quaternion)]
    return Environment(
        [
            [sum(a * b for a, b in zip(row, v, strict=True)) for row in matrix]
            for v in environment.vectors
        ],
        environment.species,
    )


@given(environments())
def test_neighbour_by_neighbour_expansions_sum_to_the_density(environment: Environment) -> None:
    density = density_expansion(environment, FINER)
    for l in range(3):
        for m in range(2 * l + 1):
            sums = [sum(block[m][q] for block in density.g[l]) for q in range(2)]
            assert vanish(a - b for a, b in zip(sums, density.rho[l][m], strict=True))


def test_species_fill_their_own_channels_only() -> None:
    environment = Environment([(1, 0, 0), (0, 2, 0)], [8, 1])
    g = density_expansion(environment, TWO_SPECIES).g
    assert g[1][0][2][0] == 0
    assert g[1][0][2][1] != 0
    assert g[1][1][0][0] != 0
    assert g[1][1][0][1] == 0


def test_an_environment_without_neighbours_has_no_density() -> None:
    density = density_expansion(Environment([]), POINTS)
    assert density.rho == [[[0]], [[0], [0], [0]]]
    assert density.neighbors == 0
    assert flatten(density_correlations(Environment([]), POINTS, 3)) == [0] * 5


def test_two_densities_couple_to_the_scalar_product_of_their_vectors() -> None:
    environment = Environment([(1, 2, 0), (0, -1, 1)])
    rho = density_expansion(environment, POINTS).rho
    (got,) = density_correlations(environment, POINTS, 2)[1, 1, 0][0]
    assert sympy.expand(got + sum(x[0] ** 2 for x in rho[1]) / sympy.sqrt(3)) == 0


@given(environments(2, 3))
def test_triplet_features_sum_to_the_bispectrum_exactly(environment: Environment) -> None:
    features = triplet_features(environment, POINTS)
    bispectrum = density_correlations(environment, POINTS, 3)
    for (l1, l2, L), (path, (want,)) in zip(triplet_paths(1), bispectrum.items(), strict=True):
        assert path == (l1, l2, L, L, 0)
        total = sum(f[l1, l2, L][0] for f in features.values())
        assert sympy.expand(total - want[0]) == 0


@given(environments(2, 4))
def test_triplet_features_of_a_gto_basis_sum_to_the_bispectrum(environment: Environment) -> None:
    features = triplet_features(environment, SMOOTH, digits=30, rigorous=True)
    bispectrum = density_correlations(environment, SMOOTH, 3, digits=30, rigorous=True)
    scale = max(abs(fraction(x)) for x in flatten(bispectrum))
    for path, (want,) in bispectrum.items():
        for q in range(8):
            total = sum(fraction(f[path[:3]][q]) for f in features.values())
            assert abs(total - fraction(want[q])) <= scale / 10**27


@given(environments(2, 2))
def test_swapping_the_tagged_neighbours_gives_the_sign_of_the_parity(
    environment: Environment,
) -> None:
    features = triplet_features(environment, TWO_CHANNELS)
    for l1, l2, L in triplet_paths(1):
        sign = (-1) ** (l1 + l2 + L)
        for a, b, c in product(range(2), repeat=3):
            there = features[0, 1][l1, l2, L][4 * a + 2 * b + c]
            back = features[1, 0][l2, l1, L][4 * b + 2 * a + c]
            assert sympy.expand(there - sign * back) == 0


@given(environments(1, 3), quaternions)
def test_triplet_features_are_invariant_under_rotations_exactly(
    environment: Environment, quaternion: tuple[int, ...]
) -> None:
    turned = rotated(environment, quaternion)
    for path in [(1, 1, 0), (1, 1, 1), (0, 1, 1)]:
        here = triplet_features(environment, BLURRED, paths=[path])
        there = triplet_features(turned, BLURRED, paths=[path])
        for pair, blocks in here.items():
            assert vanish(a - b for a, b in zip(blocks[path], there[pair][path], strict=True))


@given(environments(2, 3))
def test_inversion_multiplies_features_by_their_parity(environment: Environment) -> None:
    mirrored = Environment([[-c for c in v] for v in environment.vectors])
    for nu, paths in [(3, [(1, 1, 1, 1, 0), (1, 1, 0, 0, 0)]), (4, [(1, 1, 1, 1, 1, 1, 0)])]:
        here = density_correlations(environment, POINTS, nu, paths=paths)
        there = density_correlations(mirrored, POINTS, nu, paths=paths)
        for path in paths:
            sign = path_parity(path)
            assert vanish([here[path][0][0] - sign * there[path][0][0]])


@pytest.mark.parametrize(("tagged", "nu"), [((), 2), ((0,), 1), ((0, 1), 0), ((1, 0), 1)])
def test_equivariants_rotate_with_the_wigner_matrix_exactly(
    tagged: tuple[int, ...], nu: int
) -> None:
    environment = Environment([(1, Fraction(1, 2), 0), (0, 1, -1), (Fraction(1, 3), 0, 1)])
    quaternion = (1, 2, -1, 2)
    turned = rotated(environment, quaternion)
    for o3_lambda in (1, 2):
        matrix = sympy.Matrix(real_wigner_d(o3_lambda, quaternion))
        here, there = (
            n_centre_features(e, POINTS, tagged, nu, o3_lambda=o3_lambda)
            for e in (environment, turned)
        )
        assert here
        for path, block in here.items():
            difference = matrix * sympy.Matrix(block) - sympy.Matrix(there[path])
            assert vanish(difference)


def test_two_tagged_neighbours_and_one_density_are_the_triplet_features() -> None:
    environment = Environment([(1, Fraction(1, 2), 0), (0, 1, -1), (Fraction(1, 3), 0, 1)])
    general = n_centre_features(environment, FINER, (2, 1), 1)
    special = triplet_features(environment, FINER, pairs=[(2, 1)])[2, 1]
    assert {path[:3]: block[0] for path, block in general.items()} == special


@pytest.mark.parametrize("nu", [1, 2])
def test_summing_over_a_tagged_neighbour_demotes_it(nu: int) -> None:
    environment = Environment([(1, Fraction(1, 2), 0), (0, 1, -1), (Fraction(1, 3), 0, 1)])
    demoted = n_centre_features(environment, POINTS, (0,), nu + 1)
    # tagged first, then what was demoted, then the densities
    parts = [n_centre_features(environment, POINTS, (0, k), nu) for k in range(3)]
    for path, block in demoted.items():
        for row, rows in zip(block, zip(*(p[path] for p in parts), strict=True), strict=True):
            sums = [sum(values) for values in zip(*rows, strict=True)]
            assert vanish(a - b for a, b in zip(row, sums, strict=True))


@pytest.mark.parametrize("nu", range(1, 8))
def test_correlations_up_to_order_seven_are_powers_for_the_scalar_path(nu: int) -> None:
    environment = Environment([(1, 2, 2), (0, 0, 1)])
    rho = density_expansion(environment, POINTS).rho[0][0][0]
    path = (0,) * (2 * nu - 1)
    ((value,),) = density_correlations(environment, POINTS, nu, paths=[path])[path]
    assert sympy.expand(value - rho**nu) == 0


@pytest.mark.parametrize("nu", [5, 6, 7])
def test_high_orders_are_invariant_under_rotations_to_forty_digits(nu: int) -> None:
    environment = Environment([(1, Fraction(1, 2), 0), (0, 1, -1), (Fraction(1, 3), 0, 1)])
    paths = coupling_paths(nu, 1)[:: 40 if nu == 7 else 7]
    here, there = (
        flatten(density_correlations(e, POINTS, nu, paths=paths, digits=40))
        for e in (environment, rotated(environment, (1, 2, -1, 2)))
    )
    scale = max(abs(fraction(x)) for x in here)
    assert scale > 0
    for a, b in zip(here, there, strict=True):
        assert abs(fraction(a) - fraction(b)) <= scale / 10**39


@pytest.mark.parametrize(
    "angle", [(Fraction(3, 5), Fraction(4, 5)), (Fraction(-5, 13), Fraction(12, 13))]
)
def test_two_ring_pairs_agree_up_to_nu_3_exactly_but_not_in_their_tagged_features(
    angle: tuple[Fraction, Fraction],
) -> None:
    ring = [(1, 0), (Fraction(5, 13), Fraction(12, 13)), (Fraction(-4, 5), Fraction(-3, 5))]
    pair = two_ring_pair(1, Fraction(1, 2), Fraction(3, 2), angle, ring)
    for nu in (1, 2, 3):
        plus, minus = (flatten(density_correlations(e, FINER, nu)) for e in (pair.plus, pair.minus))
        assert vanish(a - b for a, b in zip(plus, minus, strict=True))
    # the cubes of one path that holds a third direction
    path, expansion = (1, 1, 2), Expansion(CUTOFF, DeltaDensity(), Monomials(1, 2))
    cubes = []
    for member in (pair.plus, pair.minus):
        features = triplet_features(member, expansion, paths=[path])
        cubes.append(sum(f[path][0] ** 3 for f in features.values()))
    assert sympy.expand(cubes[0] - cubes[1]) != 0


def test_two_rings_of_different_species_already_differ_at_nu_2() -> None:
    ring = [(1, 0), (Fraction(5, 13), Fraction(12, 13))]
    pair = two_ring_pair(1, Fraction(1, 2), Fraction(3, 2), (Fraction(3, 5), Fraction(4, 5)), ring)
    labels = [1, 1, 8, 8, 1]
    plus, minus = (
        flatten(density_correlations(Environment(e.vectors, labels), TWO_SPECIES, 2))
        for e in (pair.plus, pair.minus)
    )
    assert not vanish(a - b for a, b in zip(plus, minus, strict=True))


def test_the_angle_of_a_ring_may_be_given_as_number_or_as_cosine_and_sine() -> None:
    by_angle = two_ring_pair(1, 1, 2, sympy.pi / 3, [0, sympy.pi / 2])
    half, root = Fraction(1, 2), sympy.sqrt(3) / 2
    by_point = two_ring_pair(1, 1, 2, (half, root), [(1, 0), (0, 1)])
    for a, b in zip(by_angle.plus.vectors, by_point.plus.vectors, strict=True):
        assert vanish(x - y for x, y in zip(a, b, strict=True))


def test_coupling_paths_count_as_they_should() -> None:
    assert len(triplet_paths(3)) == 34
    assert coupling_paths(1, 3) == [(0,)]
    assert coupling_paths(2, 2) == [(0, 0, 0), (1, 1, 0), (2, 2, 0)]
    assert len(coupling_paths(3, 3)) == 34
    assert coupling_paths(1, 3, o3_lambda=2) == [(2,)]
    assert sum(path_parity(path) == 1 for path in coupling_paths(3, 3)) == 23


def test_b8_features_agree_with_the_golden_file() -> None:
    with np.load(DATA / "b8_frames.npz", allow_pickle=False) as archive:
        positions = archive["positions"][0]
    with np.load(DATA / "triplets_frame0.npz", allow_pickle=False) as archive:
        want = archive["features"][0]
    environment = Environment(
        [[Fraction(c) for c in p] for p in positions[1:] - positions[0]], [5] * 7
    )
    pairs = [(0, 1), (3, 3), (6, 2)]
    got = triplet_features(environment, Expansion.b8(), pairs=pairs, digits=20)
    for j, k in pairs:
        values = np.array([float(x) for block in got[j, k].values() for x in block])
        # the file was made from float64 coefficients: 6e-15 measured, of 1e-2
        assert np.abs(values - want[j + 1, k + 1]).max() <= 1e-13
