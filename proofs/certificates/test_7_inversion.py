"""Theorem 7: inversion symmetry must be restored after the nonlinearity, for the whole odd vector.

Statement. Write F_jk = (F_even, F_odd) for the paths with l1+l2+L even and odd. (a) Inversion of
an environment maps every F_jk to (F_even, -F_odd). (b) Reflecting one neighbour in the plane of
the centre, j and k keeps its contribution to F_even and changes the sign of that to F_odd: two
environments that differ by such a reflection have the same F_even for the pair (j, k), at every
resolution, although in general no orthogonal matrix relates them. Dropping F_odd before the
nonlinearity therefore loses, pair by pair, on which side of the plane each neighbour lies. (c)
Taking |F_odd| or F_odd^2 component by component loses relative signs: with two species of
neighbours there are environments, not related by any orthogonal matrix, with equal F_even and
componentwise equal |F_odd| for the pair, but no common sign. (d) If features that separate pairs
up to rotation enter sums over pairs of phi(F_even, F_odd) + phi(F_even, -F_odd) with all
polynomials phi (or any class that separates finite multisets), the sums are equal for two
environments if and only if an orthogonal matrix relates these. (e) phi(F_even, F_odd) -
phi(F_even, -F_odd) gives pseudoscalars: they change sign under inversion and, for suitable phi,
tell enantiomers apart.

Proof of (d). By (a) the symmetrised sum is that of phi over the multiset M(A) + M(-A), where M(A)
holds the features of all pairs of A. Equal sums for all phi give M(A) + M(-A) = M(B) + M(-B)
(finite multisets are separated by polynomials, Theorem 0). The feature vector of one
non-collinear pair of A is then that of a pair of B or of -B, and determines A up to rotation
(Theorems 0 and D2): A is a rotated B or -B. If A has no non-collinear pair, A and -A are related
by a rotation, and M(A) determines A.

What the machine checks. (a), (b): all 65 paths l <= 4 as polynomials, in (b) in the coordinates
of the plane, to which F may be turned by Theorem 1. (b), (c): concrete rational environments, the
absence of any orthogonal matrix, equal even and different odd features. (d): on all 4-subsets of
eight points with many coincidences, in the data of Theorem 0, that M(A) + M(-A) agrees exactly
when an orthogonal matrix exists. (e): a concrete chiral environment.

What is assumed. Nothing beyond Theorem 0 for (d). Whether F_even alone, from all pairs together,
is complete up to O(3) is open; nothing is claimed about it.

Literature. Nigam et al., APL Mach. Learn. 2, 016110 (2024); parity of coupled features: Grisafi
et al., Phys. Rev. Lett. 120, 036002 (2018).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import combinations, permutations
from typing import Any

import pytest
from coupled import paths, triplet_polynomial
from environments import points
from geometry import Environment, congruences, cross, dot
from sympy import QQ
from sympy.polys.rings import ring
from symtrip_reference.reconstruction.moments import Point
from symtrip_reference.reconstruction.roots import RootSum

THEOREM = (
    "Dropping odd features before the nonlinearity loses the side of the plane of each neighbour; "
    "phi(Fe, Fo) + phi(Fe, -Fo) after it keeps completeness up to O(3)."
)
ASSUMES = "nothing from the literature; completeness by the proof in the file from Theorem 0"

Path = tuple[int, int, int]
ALL_PATHS = list(paths(4))


@pytest.mark.parametrize("path", ALL_PATHS, ids=str)
def test_reflection_in_the_plane_of_the_pair_changes_the_sign_of_odd_features(path: Path) -> None:
    R, *g = ring("j_x,j_y,k_x,k_y,x,y,z", QQ)
    j, k = (g[0], g[1], R(0)), (g[2], g[3], R(0))
    feature = triplet_polynomial(*path, j, k, (g[4], g[5], g[6]))
    mirrored = triplet_polynomial(*path, j, k, (g[4], g[5], -g[6]))
    assert mirrored == feature.scaled((-1) ** sum(path))


@pytest.mark.parametrize("path", ALL_PATHS, ids=str)
def test_inversion_changes_the_sign_of_odd_features(path: Path) -> None:
    _, *g = ring("j:3,k:3,x:3", QQ)
    inverted = [-v for v in g]
    feature = triplet_polynomial(*path, g[:3], g[3:6], g[6:])
    image = triplet_polynomial(*path, inverted[:3], inverted[3:6], inverted[6:])
    assert image == feature.scaled((-1) ** sum(path))


# Concrete environments ----------------------------------------------------------------------------

J, K = points([(1, 0, 0), (1, 3, 0)])
X, Y, Y_MIRRORED = points([(2, 1, 1), (-1, 1, 2), (-1, 1, -2)])


def feature(path: Path, neighbors: Sequence[Point], radial: int) -> RootSum:
    """F_jk of the pair (J, K) in the radial channel r^(L + 2 radial), one species of neighbours."""
    return RootSum.total(
        triplet_polynomial(*path, J, K, x).scaled(dot(x, x) ** radial) for x in neighbors
    )


def related(x: Environment, y: Environment) -> bool:
    return any(True for improper in (False, True) for _ in congruences(x, y, improper=improper))


def test_even_features_of_a_pair_do_not_see_the_side_of_its_plane() -> None:
    first, second = [J, K, X, Y], [J, K, X, Y_MIRRORED]
    assert not related([(1, x) for x in first], [(1, x) for x in second])
    assert related([(1, x) for x in first], [(1, x) for x in first])
    differing = set()
    for path in paths(3):
        for radial in range(3):
            one, other = feature(path, first, radial), feature(path, second, radial)
            if sum(path) % 2 == 0:
                assert one == other
            elif one != other:
                differing.add(path)
    assert (1, 1, 1) in differing


def test_absolute_values_of_odd_components_lose_relative_signs() -> None:
    # x is of species 2, y of species 3; the channels of the density are separate by species.
    tagged = [(1, J), (1, K)]
    first = [*tagged, (2, X), (3, Y)]
    second = [*tagged, (2, X), (3, Y_MIRRORED)]
    assert not related(first, second)
    signs = set()
    for path in paths(3):
        for radial in range(3):
            for species in (1, 2, 3):
                one, other = (
                    feature(path, [x for s, x in e if s == species], radial)
                    for e in (first, second)
                )
                if sum(path) % 2 == 0:
                    assert one == other
                else:
                    assert one in (other, -other)
                    if one:
                        signs.add(1 if one == other else -1)
    assert signs == {1, -1}


# Completeness after symmetrisation ----------------------------------------------------------------

Data = tuple[Any, ...]


def pair_data(atoms: Sequence[Point]) -> Counter[Data]:
    """M(A): the sharp data of Theorem 0 of every ordered pair of different atoms."""
    return Counter(
        (dot(j, j), dot(j, k), dot(k, k), in_frame(atoms, j, k)) for j, k in permutations(atoms, 2)
    )


def in_frame(atoms: Sequence[Point], j: Point, k: Point) -> frozenset[Data]:
    normal = cross(j, k)
    return frozenset(Counter((dot(x, j), dot(x, k), dot(x, normal)) for x in atoms).items())


def inverted(atoms: Sequence[Point]) -> list[Point]:
    return [(-x, -y, -z) for x, y, z in atoms]


def test_symmetrised_data_agree_exactly_for_environments_related_by_an_orthogonal_matrix() -> None:
    pool = points(
        [(1, 0, 0), (0, 1, 0), (0, 0, 1), (-1, 0, 0), (1, 1, 0), (0, 1, 1), (1, 0, 1), (1, 1, 1)]
    )
    subsets = list(combinations(pool, 4))
    plain = [pair_data(a) for a in subsets]
    symmetrised = [p + pair_data(inverted(a)) for p, a in zip(plain, subsets, strict=True)]
    counted = Counter[tuple[bool, bool]]()
    for m, n in combinations(range(len(subsets)), 2):
        first, second = ([(1, x) for x in subsets[i]] for i in (m, n))
        rotation = any(True for _ in congruences(first, second))
        orthogonal = rotation or any(True for _ in congruences(first, second, improper=True))
        assert (plain[m] == plain[n]) == rotation
        assert (symmetrised[m] == symmetrised[n]) == orthogonal
        counted[rotation, orthogonal] += 1
    # All three relations occur: rotated, only mirrored, unrelated.
    assert set(counted) == {(True, True), (False, True), (False, False)}


def test_antisymmetrised_sums_are_pseudoscalars_that_see_handedness() -> None:
    # phi is the product of one even feature, |r_j|^2 sum_x x.r_j, and one odd feature of the pair,
    # sum_x |x|^2 x.(r_j x r_k).
    atoms = points([(1, 0, 0), (1, 2, 0), (0, 1, 3), (-1, 1, 1)])

    def pooled(neighbors: Sequence[Point]) -> Any:
        total = QQ(0)
        for j, k in permutations(neighbors, 2):
            even = sum((dot(x, j) for x in neighbors), QQ(0)) * dot(j, j)
            odd = sum((dot(x, x) * dot(x, cross(j, k)) for x in neighbors), QQ(0))
            total += even * odd
        return total

    assert not list(congruences([(1, x) for x in atoms], [(1, x) for x in inverted(atoms)]))
    assert pooled(atoms) != 0
    assert pooled(inverted(atoms)) == -pooled(atoms)
