"""Exact reconstruction: the features of one tagged pair -> the environment, without any error."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from itertools import product

import hypothesis.strategies as st
import pytest
import sympy
from hypothesis import assume, given
from rational_environments import ENVIRONMENTS
from symtrip_reference import (
    DeltaDensity,
    Environment,
    Expansion,
    GaussianDensity,
    InputError,
    Monomials,
    ShiftedCosine,
    triplet_features,
)
from symtrip_reference.catalogue import Structure
from symtrip_reference.comparison import EnvironmentComparison
from symtrip_reference.reconstruction import decode, decode_pair, pair_features

POINT = st.tuples(*[st.fractions(-3, 3, max_denominator=6)] * 3).filter(any)
SHARP = ShiftedCosine(20, 1), DeltaDensity()


def dot(u, v):
    return sum(a * b for a, b in zip(u, v, strict=True))


def cross(u, v):
    return (u[1] * v[2] - u[2] * v[1], u[2] * v[0] - u[0] * v[2], u[0] * v[1] - u[1] * v[0])


def in_the_frame(vectors, species, pair):
    """Species and coordinates along r_k - (r_j.r_k / |r_j|^2) r_j, r_j x r_k and r_j."""
    j, k = (vectors[i] for i in pair)
    across = [b - Fraction(dot(j, k)) / dot(j, j) * a for a, b in zip(j, k, strict=True)]
    axes = (across, cross(j, k), j)
    return Counter(
        (s, tuple(Fraction(dot(x, e)) / dot(e, e) for e in axes))
        for s, x in zip(species, vectors, strict=True)
    )


def recovered(result):
    return Counter(zip(result.species, result.coordinates, strict=True))


def bent_pair(vectors):
    return next(
        (j, k)
        for j, k in product(range(len(vectors)), repeat=2)
        if any(cross(vectors[j], vectors[k]))
    )


def structure(environment):
    return Structure(
        species=environment.species,
        points=tuple(environment.vectors),
        center=None,
        cell=None,
    )


@pytest.mark.parametrize("kind", [k for k in ENVIRONMENTS if k != "collinear"])
def test_one_pair_determines_seven_neighbours_exactly(kind):
    vectors = ENVIRONMENTS[kind]
    pair = bent_pair(vectors)
    result = decode(pair_features(Environment(vectors), pair, 5))
    assert result.decoder == "power-sums"
    assert recovered(result) == in_the_frame(vectors, [1] * 7, pair)


@pytest.mark.parametrize("pair", [(0, 0), (2, 5)])
def test_one_pair_determines_collinear_neighbours_exactly(pair):
    vectors = ENVIRONMENTS["collinear"]
    j = vectors[pair[0]]
    result = decode(pair_features(Environment(vectors), pair, 6))
    heights = Counter(z for _, _, z in result.coordinates)
    assert heights == Counter(Fraction(dot(x, j)) / dot(j, j) for x in vectors)


@pytest.mark.parametrize("kind", ["generic", "five collinear"])
def test_species_are_recovered_exactly(kind):
    vectors, species = ENVIRONMENTS[kind], [8, 1, 1, 8, 1, 8, 1]
    pair = bent_pair(vectors)
    result = decode(pair_features(Environment(vectors, species), pair, 4))
    assert recovered(result) == in_the_frame(vectors, species, pair)


@pytest.mark.parametrize("kind", ["generic", "A+", "coplanar"])
def test_the_matrix_pencil_recovers_neighbours_and_weights_exactly(kind):
    vectors = ENVIRONMENTS[kind]
    weights = [1, *(Fraction(n, n + 2) for n in range(1, 7))]
    pair = bent_pair(vectors)
    result = decode(pair_features(Environment(vectors), pair, 5, weights=weights))
    assert result.decoder == "matrix-pencil"
    assert recovered(result) == in_the_frame(vectors, [1] * 7, pair)
    got = dict(zip(result.coordinates, result.weights, strict=True))
    for x, w in zip(vectors, weights, strict=True):
        ((_, own),) = in_the_frame([vectors[pair[0]], vectors[pair[1]], x], [0, 0, 1], (0, 1)) - (
            in_the_frame([vectors[pair[0]], vectors[pair[1]]], [0, 0], (0, 1))
        )
        assert got[own] == w


def test_weighted_collinear_neighbours_are_recovered_exactly():
    vectors = [(0, 0, Fraction(h)) for h in (1, -2, 3, -1)]
    weights = [Fraction(1, 2), Fraction(1, 3), 1, Fraction(3, 4)]
    result = decode(pair_features(Environment(vectors), (0, 0), 5, weights=weights))
    got = {z: w for (_, _, z), w in zip(result.coordinates, result.weights, strict=True)}
    assert got == {z: w for (_, _, z), w in zip(vectors, weights, strict=True)}


@given(vectors=st.lists(POINT, min_size=2, max_size=5, unique=True))
def test_random_rational_environments_are_recovered_exactly(vectors):
    assume(any(any(cross(vectors[0], x)) for x in vectors))
    pair = bent_pair(vectors)
    result = decode(pair_features(Environment(vectors), pair, max(1, len(vectors) - 2)))
    assert recovered(result) == in_the_frame(vectors, [1] * len(vectors), pair)


def test_triplet_features_of_the_exact_package_are_decoded_to_a_congruent_environment():
    environment = Environment(ENVIRONMENTS["generic"][:4], [1, 1, 8, 1])
    expansion = Expansion(*SHARP, Monomials(2, 2), species=(1, 8))
    features = triplet_features(environment, expansion, pairs=[(0, 1)])[0, 1]
    result = decode_pair(features, expansion)
    assert result == decode(pair_features(environment, (0, 1), 2))
    pair = EnvironmentComparison(structure(environment), structure(result.environment()))
    assert pair.congruent(proper=True)


def test_tagged_neighbours_in_the_cutoff_shell_are_weighted_by_the_exact_cutoff():
    # radius 3, width 2: f_c(2) = 1/2, f_c(1) = 1
    environment = Environment([(0, 0, 2), (1, 0, 0), (0, Fraction(3, 5), Fraction(4, 5))])
    expansion = Expansion(ShiftedCosine(3, 2), DeltaDensity(), Monomials(2, 3))
    features = triplet_features(environment, expansion, pairs=[(0, 1)])[0, 1]
    result = decode_pair(features, expansion)
    assert result.decoder == "matrix-pencil"
    assert result.weights == (Fraction(1, 2), 1, 1)
    assert recovered(result) == in_the_frame(
        [(0, 0, 2), (1, 0, 0), (0, Fraction(3, 5), Fraction(4, 5))], [1] * 3, (0, 1)
    )


def test_members_of_a_degenerate_pair_are_decoded_to_different_environments():
    decoded = [
        decode(pair_features(Environment(v), bent_pair(v), 5)).environment()
        for v in (ENVIRONMENTS["A+"], ENVIRONMENTS["A-"])
    ]
    comparison = EnvironmentComparison(*(structure(e) for e in decoded))
    assert not comparison.congruent(proper=False)
    assert not comparison.congruent(proper=True)


def test_vectors_are_in_the_frame_of_the_pair():
    vectors = [(0, 0, 2), (3, 0, 4), (1, 1, 1)]
    result = decode(pair_features(Environment(vectors), (0, 1), 1))
    assert result.vectors() == [tuple(sympy.Integer(c) for c in x) for x in vectors]


PAIR = (0, 1)
GENERIC = Environment(ENVIRONMENTS["generic"])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: decode(pair_features(GENERIC, PAIR, 2)), "raise n_radial and max_angular"),
        (
            lambda: decode(pair_features(GENERIC, PAIR, 2, weights=[Fraction(1, 2)] * 7)),
            "raise n_radial and max_angular",
        ),
        (
            lambda: decode(
                pair_features(GENERIC, PAIR, 5, weights=[Fraction(1, 2)] * 7), decoder="power-sums"
            ),
            "matrix-pencil",
        ),
        (
            lambda: decode(pair_features(Environment([(1, 0, 0), (2, 0, 0), (1, 1, 0)]), PAIR, 2)),
            "collinear unless all neighbours are",
        ),
        (lambda: decode(pair_features(GENERIC, PAIR, 5), decoder="newton"), "`decoder` must be"),
        (lambda: pair_features(GENERIC, (0, 7), 5), "indices of the 7 neighbours"),
        (lambda: pair_features(GENERIC, PAIR, 0), "`degree` must be an integer >= 1"),
        (lambda: pair_features(GENERIC, PAIR, 1, weights=[1]), "`weights` must be 7 numbers"),
        (lambda: pair_features(Environment([(sympy.sqrt(2), 0, 0)]), (0, 0), 1), "be rational"),
        (lambda: decode_pair({}, Expansion.b8()), "use Monomials and DeltaDensity"),
        (
            lambda: decode_pair(
                {}, Expansion(ShiftedCosine(20, 1), GaussianDensity(1), Monomials(2, 2))
            ),
            "use Monomials and DeltaDensity",
        ),
        (lambda: decode_pair({}, Expansion(*SHARP, Monomials(1, 2))), "n_radial >= 2"),
        (lambda: decode_pair({}, Expansion(*SHARP, Monomials(2, 2))), "hold the path"),
        (
            lambda: decode_pair({(0, 0, 0): [0.5] * 8}, Expansion(*SHARP, Monomials(2, 2))),
            "compute them exactly",
        ),
    ],
)
def test_bad_input_is_refused_with_a_remedy(call, message):
    with pytest.raises(InputError, match=message):
        call()
