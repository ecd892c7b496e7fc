"""Theorem D2: the features of one non-collinear pair determine an environment of unit weights.

Statement. An environment of N atoms with unit weights (delta density, all atoms where the cutoff
is 1), radial functions r^(l + 2n), and one non-collinear tagged pair (j, k). Let D be the largest
number of untagged atoms of one species. The features F_jk with L + 2 n3 <= D, l1, l2 <= D, both
parities, together with the channels n1 = 1 or n2 = 1 of (0, 0, 0) and with (1, 1, 0), determine
the environment up to a rotation, in all configurations (coplanar, collinear but for the pair,
equal norms, antipodes). D cannot be lowered, and the statement is false for atoms in the cutoff
shell. Collinear environments are determined by the features (L, 0, L), L <= N, of one pair.

Proof. The three special features give |r_j|^2, r_j.r_k, |r_k|^2, hence the pair up to a rotation.
By Theorem 5 the 2L+1 couplings of each L invert to the moments sum_i |x_i|^(2n) Y_LM(x_i), hence
all moments of degree <= D: the polynomials |x|^(2n) Y_LM span. Subtract the tagged atoms (their
species are known). For one species with m <= D atoms the power sums p_t(v) = sum_i (v.x_i)^t, t =
1..m, give the elementary symmetric functions e_t(v) by Newton's identities, hence the polynomial
prod_i (1 + v.x_i) in v. Its factorisation into linear forms is unique: it gives the x_i.

What the machine checks. The whole chain in rational arithmetic, from the features of one pair to
the positions, on the environments of environments.py, in a frame that is turned against the
original one, with one species and with two. That the features are those of the exact package.
Sharpness of D: for m = 1..6 two sets of m points on a line with equal moments below degree m
(ideal solutions of the Prouhet-Tarry-Escott problem), and for m = 2 their tagged features. The
counterexample with atoms in the cutoff shell. The collinear decoder.

What is assumed. Nothing; that real environments behave like rational ones is the proof above,
which holds over the reals (unique factorisation of real polynomials).

Literature. Newton's identities and power sums of vectors: Procesi, The invariant theory of n x n
matrices, Adv. Math. 19, 306 (1976), and Weyl, The Classical Groups (1946), II.3 (polarised power
sums). Borwein, Computational Excursions in Analysis and Number Theory (2002), chapter 11 (ideal
solutions). Nigam et al., APL Mach. Learn. 2, 016110 (2024), for the features.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from fractions import Fraction

import pytest
import sympy
from coupled import real_coefficient
from environments import ENVIRONMENTS, points, turned
from geometry import congruences, cross, dot
from sympy import QQ
from symtrip_reference import (
    DeltaDensity,
    Environment,
    Expansion,
    Monomials,
    ShiftedCosine,
    shifted_cosine,
    triplet_features,
)
from symtrip_reference.reconstruction.couplings import coupling_paths
from symtrip_reference.reconstruction.decoders import points_by_power_sums, points_on_a_line
from symtrip_reference.reconstruction.moments import Point, moments, subtract_point
from symtrip_reference.reconstruction.tagged import frame_moments, gram_of_the_pair, tagged_features

THEOREM = (
    "D2: with unit weights the features of one non-collinear pair up to degree D = number of "
    "untagged atoms of a species determine the environment, in every configuration; D is sharp."
)
ASSUMES = "nothing; all environments: coq/MomentSeparation.v"

ONE = QQ(1)


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_one_feature_vector_gives_back_the_environment(name: str) -> None:
    atoms = points(ENVIRONMENTS[name])
    (j, k), unknown = atoms[:2], len(atoms) - 2
    features = tagged_features(j, k, atoms, [ONE] * len(atoms), unknown)
    u, v = turned(j), turned(k)
    assert gram_of_the_pair(features) == (dot(u, u), dot(u, v), dot(v, v))
    data = frame_moments(features, u, v, unknown)
    count = data[0, 0, 0] - 2
    assert count == unknown
    rest = subtract_point(subtract_point(data, u, ONE), v, ONE)
    assert points_by_power_sums(rest, int(count)) == Counter(turned(x) for x in atoms[2:])


def test_with_two_species_the_larger_number_of_untagged_atoms_suffices() -> None:
    atoms = points(ENVIRONMENTS["generic"] + [(4, 0, 1), (0, -3, 2)])
    species = [0, 1, 0, 1, 0, 1, 1, 0]
    j, k = atoms[:2]
    degree = max(species[2:].count(s) for s in (0, 1))
    assert degree == 3
    u, v = turned(j), turned(k)
    for s, tagged in ((0, u), (1, v)):
        own = [x for x, t in zip(atoms, species, strict=True) if t == s]
        features = tagged_features(j, k, own, [ONE] * len(own), degree)
        rest = subtract_point(frame_moments(features, u, v, degree), tagged, ONE)
        assert points_by_power_sums(rest, degree) == Counter(
            turned(x) for x in own if x not in (j, k)
        )


def test_coinciding_projections_and_repeated_points_are_no_exception() -> None:
    repeated = points([(1, 2, 3), (1, 2, 3), (1, 2, -3), (1, 2, 3)])
    assert points_by_power_sums(moments(repeated, [ONE] * 4, 4), 4) == Counter(repeated)


def test_the_features_are_those_of_the_exact_package() -> None:
    # Positions of rational length, so that sympy's exact numbers stay simple.
    vectors = [(1, 2, 2), (-2, 3, 6), (4, -4, 7)]
    expansion = Expansion(ShiftedCosine(20, 1), DeltaDensity(), Monomials(2, 2))
    theirs = triplet_features(Environment(vectors), expansion, pairs=[(0, 1)])[0, 1]
    atoms = points(vectors)
    features = tagged_features(atoms[0], atoms[1], atoms, [ONE] * 3, 2)
    assert len(features) == sum(2 * L + 1 for L in (0, 0, 1, 2)) + 3
    for (path, (n1, n2, n3)), value in features.items():
        L = path[2]
        mine = real_coefficient(L, 0, L, 0, 0, 0) * value
        number = sympy.Add(
            *(
                sympy.Rational(int(c.numerator), int(c.denominator)) * sympy.sqrt(d)
                for d, c in mine.terms.items()
            )
        )
        wanted = number / sympy.sqrt(4 * sympy.pi) ** 3
        assert sympy.expand(theirs[path][4 * n1 + 2 * n2 + n3] - wanted) == 0


# Sharpness ---------------------------------------------------------------------------------------

IDEAL_SOLUTIONS = [
    ([0], [1]),
    ([0, 3], [1, 2]),
    ([0, 4, 5], [1, 2, 6]),
    ([0, 4, 7, 11], [1, 2, 9, 10]),
    ([0, 4, 8, 16, 17], [1, 2, 10, 14, 18]),
    ([0, 4, 9, 17, 22, 26], [1, 2, 12, 14, 24, 25]),
]
"""m = 1..6 integers each with equal power sums of degree < m."""


def on_a_line(parameters: Sequence[int]) -> list[Point]:
    return points([(1 + t, 2 - t, 3 + 2 * t) for t in parameters])


@pytest.mark.parametrize(("left", "right"), IDEAL_SOLUTIONS, ids=lambda s: f"{len(s)} atoms")
def test_no_smaller_degree_suffices(left: list[int], right: list[int]) -> None:
    m = len(left)
    first, second = on_a_line(left), on_a_line(right)
    below = [moments(x, [ONE] * m, m - 1) for x in (first, second)]
    at = [moments(x, [ONE] * m, m) for x in (first, second)]
    assert set(first) != set(second)
    assert below[0] == below[1]
    assert at[0] != at[1]
    assert points_by_power_sums(at[0], m) == Counter(first)


def test_the_tagged_features_of_such_a_pair_agree_below_the_degree() -> None:
    tagged = points([(1, 0, 0), (1, 1, 0)])
    first, second = (tagged + on_a_line(t) for t in IDEAL_SOLUTIONS[1])
    below, at = (
        [tagged_features(tagged[0], tagged[1], x, [ONE] * 4, degree) for x in (first, second)]
        for degree in (1, 2)
    )
    assert below[0] == below[1]
    assert at[0] != at[1]


def test_atoms_in_the_cutoff_shell_break_it() -> None:
    # r_c = 2, w = 0.1: cutoff factor 1/2 at 1.95 and 1 at 0.975; u is any unit vector.
    far, near = Fraction(195, 100), Fraction(975, 1000)
    weights = [shifted_cosine(r, radius=2, width=Fraction(1, 10)) for r in (far, near)]
    assert weights == [sympy.Rational(1, 2), 1]
    tagged = points([(1, 0, 0), (Fraction(3, 10), Fraction(11, 10), 0)])
    assert all(dot(x, x) < QQ(19, 10) ** 2 for x in tagged)
    u = (Fraction(1, 3), Fraction(2, 3), Fraction(2, 3))
    members = []
    for sign in (1, -1):
        positions = [[sign * far * c for c in u], [-sign * near * c for c in u]]
        members.append(tagged + points(positions))
    all_weights = [ONE, ONE, QQ(1, 2), ONE]
    features = [
        [tagged_features(tagged[0], tagged[1], x, all_weights, d) for x in members] for d in (2, 3)
    ]
    assert features[0][0] == features[0][1]
    assert features[1][0] != features[1][1]
    # Two unknown atoms, degree 2: with unit weights the theorem would separate them.
    unit = [tagged_features(tagged[0], tagged[1], x, [ONE] * 4, 2) for x in members]
    assert unit[0] != unit[1]
    plus, minus = ([(1, x) for x in member] for member in members)
    assert not list(congruences(plus, minus))
    assert not list(congruences(plus, minus, improper=True))


# Collinear environments --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "parameters", [[1], [1, -1], [1, 2, -3], [-2, 5, 3, -3], [1, -1, 2, -2, 4]], ids=str
)
def test_a_collinear_environment_is_decoded_from_one_pair(parameters: list[int]) -> None:
    # x_i = t_i u with j at t = t_1 (k = j): F(L, 0, L) is a constant times sum_i (x_i.r_j)^L.
    direction = (1, 2, 2)
    atoms = points([[t * c for c in direction] for t in parameters])
    j, n = atoms[0], len(atoms)
    assert not any(any(cross(x, j)) for x in atoms)
    features = tagged_features(j, j, atoms, [ONE] * n, n)
    power = []
    for L in range(n + 1):
        alone = tagged_features(j, j, [j], [ONE], n)[(L, 0, L), (0, 0, 0)]
        (d, value), (e, unit) = (f.single() for f in (features[(L, 0, L), (0, 0, 0)], alone))
        assert d == e or not value
        power.append(value / unit)  # sum_i (x_i.r_j / r_j.r_j)^L
    expected = Counter(QQ(t, parameters[0]) for t in parameters)
    assert points_on_a_line(power, n) == expected
    assert len(set(parameters)) == n == power[0]


def test_the_degrees_used_are_those_of_the_statement() -> None:
    for D in range(1, 7):
        paths = [path for L in range(D + 1) for path in coupling_paths(L)]
        assert max(max(path) for path in paths) == D
