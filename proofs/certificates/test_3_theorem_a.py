"""Theorem A: the members A+ and A- of a two-ring pair have equal correlations up to order nu = 3.

Statement. Let A+- have the ring atoms U_i = (r cos p_i, r sin p_i, z1) and L_i = (r cos(p_i +
psi), r sin(p_i + psi), -z1), i = 1..n, all of one species, and the axis atom h = (0, 0, +-z2) of
any species. For all n, angles p_i, psi, r, z1, z2, and every function f of three neighbours
(position, species) that is invariant under proper rotations, the sums of f over all ordered
triples of neighbours, repetition allowed, of A+ and of A- are equal. Hence all SO(3)-invariant
correlations (lambda = 0, both parities) up to nu = 3 agree, in every basis.

Proof. R_ij, the turn by pi about the horizontal axis at azimuth (p_i + p_j + psi)/2, maps h ->
-h, U_i <-> L_j and U_j <-> L_i. Send an ordered triple without h to itself, and a triple with h
to its image under R_ij, where {i, j} are the indices of its ring atoms (i = j if there is one
index, any i = j if there is none). The image has the same indices, and R_ij is an involution: the
map is its own inverse, so it is a bijection between the ordered triples of A+ and those of A-.

Congruence. For r, z1, z2 != 0 and an axis atom that cannot be exchanged with a ring atom (other
species, or z2^2 != r^2 + z1^2): A+ and A- are related by a proper rotation if and only if the
ring S = {e^(i p_k)} is achiral, by an orthogonal matrix if and only if S is achiral or 2 psi is a
multiple of 2 pi/m, m the order of the rotation group of S. For z1 = 0: by a proper rotation if
and only if S and e^(i psi) S together are achiral, by an orthogonal matrix always. For z2 = 0: A+
= A-. For n = 3 the condition on the axis atom is not needed: an exchange is possible only among
the vertices of a regular icosahedron, and then the ring is isosceles.

Proof. An orthogonal matrix g with g A+ = A- maps h to -h, hence is (w, z) -> (e^(ia) conj w, -z)
(proper) or (e^(ia) w, -z) (improper) in the coordinate w = x + iy. z1 != 0: it maps U to L and L
to U: proper: e^(ia) conj S = e^(i psi) S and e^(ia) e^(-i psi) conj S = S, the same condition,
solvable in a iff S is achiral; improper: e^(i(a - psi)) S = S and e^(i(a + psi)) S = S, solvable
iff e^(2 i psi) S = S (take a = psi). z1 = 0: it maps U and L together to themselves; e^(ia) = 1
is an improper solution. If g h is a ring atom x instead (n = 3, same species, z2^2 = r^2 + z1^2),
then x has with the other atoms of A- the dot products that h has in A+: three times z1 z2, three
times -z1 z2. That fixes every angle of the two rings up to sign in terms of c = z1/z2; the
conditions that L is the turned U leave c^2 = 1/5 and the angles 72 and 144 degrees.

What the machine checks. The action of R_ij and that it is a proper rotation, with symbolic r, z1,
z2 and angles; the bijection of triples by enumeration for n <= 4; equality of all ordered-triple
classes and difference of the 4-tuple classes (chiral and parity-even) for a concrete rational
pair; that no proper or improper rotation relates its members; the criteria for congruence against
an exhaustive search for rotations, in exact arithmetic, on every ring of at most six atoms in
Z_12 (one of each rotation class), all twelve psi in steps of 30 degrees, and the angle with cos
psi = 3/5, for generic and coincidence-laden r, z1, z2, and z1 = 0 (about 6700 pairs); the case n
= 3 with an exchangeable axis atom by elimination. What the theorem does not cover is shown by
exact examples: lambda = 1 differs at nu = 1, rings of different species differ at nu = 2.

What is assumed. Nothing. The step from 'every n' in the proof of congruence to the machine's n <=
6 is the paper argument above.

Literature. Pozdnyakov et al., Phys. Rev. Lett. 125, 166001 (2020) (the family); Nigam et al., APL
Mach. Learn. 2, 016110 (2024). The Coq proof of the first part is proofs/coq/TwoRings.v.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from fractions import Fraction
from itertools import product
from typing import Any

import pytest
import sympy
from decks import Invariants, ordered_deck
from geometry import Environment, congruences, dot
from quadratic import Q3, turn
from sympy import QQ
from sympy.polys.rings import PolyElement, ring
from symtrip_reference import two_ring_pair
from two_rings import AXIS, Atom, atoms, cyclic_rings, rotated, tangent_angle, two_ring_environment

THEOREM = (
    "A+ and A- have equal sums of every SO(3)-invariant function over ordered neighbour triples; "
    "they are congruent exactly when the ring is achiral (O(3): or 2 psi is a symmetry of it)."
)
ASSUMES = (
    "nothing from the literature; congruence of rings beyond the exhaustive family by the proof in "
    "the file"
)

# The bijection ----------------------------------------------------------------------------------

RING, R_, Z1, Z2, CI, SI, CJ, SJ, CP, SP = ring("r,z1,z2,ci,si,cj,sj,cp,sp", QQ)
UNIT_CIRCLES = [CI**2 + SI**2 - 1, CJ**2 + SJ**2 - 1, CP**2 + SP**2 - 1]
# Leading terms ci^2, cj^2, cp^2 are coprime: a Groebner basis, so a remainder 0 decides membership.

Polynomials = tuple[PolyElement, PolyElement]


def add_angles(a: Polynomials, b: Polynomials) -> Polynomials:
    return a[0] * b[0] - a[1] * b[1], a[0] * b[1] + a[1] * b[0]


P_I, P_J, PSI = (CI, SI), (CJ, SJ), (CP, SP)
C, S = add_angles(add_angles(P_I, P_J), PSI)
ROTATION = ((C, S, RING(0)), (S, -C, RING(0)), (RING(0), RING(0), RING(-1)))


def upper(p: Polynomials) -> tuple[PolyElement, ...]:
    return (R_ * p[0], R_ * p[1], Z1)


def lower(p: Polynomials) -> tuple[PolyElement, ...]:
    c, s = add_angles(p, PSI)
    return (R_ * c, R_ * s, -Z1)


def equal_on_the_circles(u: Sequence[PolyElement], v: Sequence[PolyElement]) -> bool:
    return all((a - b).rem(UNIT_CIRCLES) == 0 for a, b in zip(u, v, strict=True))


def test_the_turn_maps_the_atoms_as_stated() -> None:
    images = {
        (RING(0), RING(0), Z2): (RING(0), RING(0), -Z2),
        upper(P_I): lower(P_J),
        upper(P_J): lower(P_I),
        lower(P_I): upper(P_J),
        lower(P_J): upper(P_I),
    }
    for atom, image in images.items():
        assert equal_on_the_circles([dot(row, atom) for row in ROTATION], image)


def test_the_turn_is_a_proper_rotation_and_an_involution() -> None:
    one = tuple(tuple(RING(int(i == j)) for j in range(3)) for i in range(3))
    for i, row in enumerate(ROTATION):
        # The matrix is symmetric, so that R R^T = R R.
        assert equal_on_the_circles([dot(row, other) for other in ROTATION], one[i])
    determinant = sympy.Matrix(3, 3, [x.as_expr() for row in ROTATION for x in row]).det()
    assert RING(sympy.expand(determinant) - 1).rem(UNIT_CIRCLES) == 0


def image_of(triple: tuple[Atom, ...]) -> tuple[Atom, ...]:
    """The bijection by names: A+ to A- (where AXIS stands for -h), and back."""
    if AXIS not in triple:
        return triple
    indices = sorted({i for name, i in triple if name != "h"}) or [0]
    i, j = indices[0], indices[-1]
    assert len(indices) <= 2
    swap = {("U", i): ("L", j), ("U", j): ("L", i), ("L", i): ("U", j), ("L", j): ("U", i)}
    return tuple(swap.get(atom, atom) for atom in triple)


@pytest.mark.parametrize("n", [1, 2, 3, 4])
def test_the_map_of_ordered_triples_is_its_own_inverse(n: int) -> None:
    triples = list(product(atoms(n), repeat=3))
    images = [image_of(t) for t in triples]
    assert [image_of(t) for t in images] == triples
    assert set(images) == set(triples)
    for triple, image in zip(triples, images, strict=True):
        assert [a == AXIS for a in triple] == [a == AXIS for a in image]


# A concrete pair --------------------------------------------------------------------------------

ANGLES = [tangent_angle(Fraction(t)) for t in ("0", "3/5", "-7/3")]
TWIST = tangent_angle(Fraction(1, 4))
HEIGHT, AXIS_HEIGHT = Fraction(7, 10), Fraction(8, 5)
PLUS, MINUS = (
    two_ring_environment(ANGLES, rotated(ANGLES, TWIST), HEIGHT, sign * AXIS_HEIGHT)
    for sign in (1, -1)
)


def invariants(*environments: Environment) -> list[Invariants]:
    labels: dict[Any, int] = {}
    return [Invariants(e, labels) for e in environments]


def test_the_concrete_pair_is_the_package_s_family() -> None:
    pair = two_ring_pair(1, HEIGHT, AXIS_HEIGHT, TWIST, ANGLES)
    for mine, theirs in ((PLUS, pair.plus), (MINUS, pair.minus)):
        vectors = [tuple(Fraction(int(c.p), int(c.q)) for c in v) for v in theirs.vectors]
        assert Counter(v for _, v in mine) == Counter(vectors)


def test_the_concrete_pair_has_equal_triples_and_different_quadruples() -> None:
    plus, minus = invariants(PLUS, MINUS)
    for order in (1, 2, 3):
        assert ordered_deck(plus, order, proper=True) == ordered_deck(minus, order, proper=True)
    for proper in (True, False):
        assert ordered_deck(plus, 4, proper=proper) != ordered_deck(minus, 4, proper=proper)


def test_no_rotation_proper_or_improper_relates_the_concrete_pair() -> None:
    assert not list(congruences(PLUS, MINUS))
    assert not list(congruences(PLUS, MINUS, improper=True))
    # The search does find what there is.
    assert list(congruences(PLUS, PLUS)) == [tuple(range(len(PLUS)))]
    mirrored = [(s, (x, -y, z)) for s, (x, y, z) in PLUS]
    assert not list(congruences(PLUS, mirrored))
    assert list(congruences(PLUS, mirrored, improper=True)) == [tuple(range(len(PLUS)))]


def test_equivariants_are_not_covered() -> None:
    # nu = 1, lambda = 1: the sum of the positions.
    sums = [tuple(sum(v[a] for _, v in e) for a in range(3)) for e in (PLUS, MINUS)]
    assert sums[0] != sums[1]


def test_rings_of_different_species_differ_at_order_two() -> None:
    def recoloured(environment: Environment) -> list[tuple[int, Any]]:
        return [(i // 4 if i else 9, v) for i, (_, v) in enumerate(environment)]

    plus, minus = invariants(recoloured(PLUS), recoloured(MINUS))
    assert {plus.species[i] for i in (1, 2, 3)}.isdisjoint(plus.species[i] for i in (4, 5, 6))
    assert ordered_deck(plus, 2, proper=False) != ordered_deck(minus, 2, proper=False)


# Congruence -------------------------------------------------------------------------------------

N = 12


def shifted(ring_: Sequence[int], t: int) -> frozenset[int]:
    return frozenset((x + t) % N for x in ring_)


def achiral(ring_: Sequence[int]) -> bool:
    mirrored = [-x for x in ring_]
    return any(shifted(mirrored, t) == shifted(ring_, 0) for t in range(N))


def rotation_order(ring_: Sequence[int]) -> int:
    return sum(shifted(ring_, t) == shifted(ring_, 0) for t in range(N))


def cyclic_pair(
    ring_: Sequence[int], psi: int, r: int, z1: int, z2: int, axis_species: int
) -> list[Environment]:
    """A+ and A- with ring angles and psi in steps of 30 degrees; all lengths doubled."""
    first, second = ([(r * c, r * s) for c, s in (turn(x + t) for x in ring_)] for t in (0, psi))
    return [
        two_ring_environment(first, second, Q3(2 * z1), Q3(2 * h), axis_species=axis_species)
        for h in (z2, -z2)
    ]


def related(pair: Sequence[Environment], *, improper: bool) -> bool:
    return any(True for _ in congruences(*pair, improper=improper))


RINGS = cyclic_rings(N, range(1, 7))
GENERIC = (10, 7, 16)
COINCIDENT = (2, 1, 5)
"""2 z1^2 = r^2 / 2: dot products within a ring equal dot products between the rings."""


def congruence_is_as_stated(pair: Sequence[Environment], proper: bool, orthogonal: bool) -> bool:
    rotation = related(pair, improper=False)
    return rotation == proper and (rotation or related(pair, improper=True)) == orthogonal


@pytest.mark.parametrize("lengths", [GENERIC, COINCIDENT], ids=["generic", "coincident"])
def test_congruence_for_every_small_ring_and_twist(lengths: tuple[int, int, int]) -> None:
    for ring_ in RINGS:
        m = rotation_order(ring_)
        for psi in range(N):
            proper = achiral(ring_)
            orthogonal = proper or 2 * psi % (N // m) == 0
            pair = cyclic_pair(ring_, psi, *lengths, axis_species=1)
            assert congruence_is_as_stated(pair, proper, orthogonal), (ring_, psi)


def test_congruence_with_an_axis_atom_of_another_species_at_the_rings_distance() -> None:
    # z2^2 = r^2 + z1^2 = 25, but the species forbids the exchange.
    for ring_ in cyclic_rings(N, range(1, 6)):
        m = rotation_order(ring_)
        for psi in range(0, N, 2):
            proper = achiral(ring_)
            orthogonal = proper or 2 * psi % (N // m) == 0
            pair = cyclic_pair(ring_, psi, 4, 3, 5, axis_species=2)
            assert congruence_is_as_stated(pair, proper, orthogonal), (ring_, psi)


def test_congruence_of_planar_rings() -> None:
    for ring_ in cyclic_rings(N, range(1, 5)):
        for psi in range(N):
            both = shifted(ring_, 0) | shifted(ring_, psi)
            if len(both) < 2 * len(ring_):
                continue  # two atoms in one place
            pair = cyclic_pair(ring_, psi, 4, 0, 5, axis_species=1)
            assert congruence_is_as_stated(pair, achiral(sorted(both)), True), (ring_, psi)


def test_congruence_for_a_twist_that_no_ring_has_as_a_symmetry() -> None:
    # e^(i psi) = (3 + 4i)/5: e^(2 i psi m) is not 1 for the orders m <= 12 of rings in Z_12.
    real, imaginary = 3, 4
    for m in range(1, 2 * N + 1):
        assert imaginary != 0, m
        real, imaginary = 3 * real - 4 * imaginary, 4 * real + 3 * imaginary
    for ring_ in RINGS:
        circle = [turn(x) for x in ring_]
        upper_ring = [(5 * c, 5 * s) for c, s in circle]
        lower_ring = rotated(circle, (3, 4))
        pair = [two_ring_environment(upper_ring, lower_ring, Q3(7), Q3(h)) for h in (16, -16)]
        proper = achiral(ring_)
        assert congruence_is_as_stated(pair, proper, proper), ring_


def test_triangles_are_achiral_exactly_when_isosceles_and_smaller_rings_always() -> None:
    assert all(achiral(ring_) for ring_ in cyclic_rings(N, [1, 2]))
    for ring_ in cyclic_rings(N, [3]):
        a, b, c = ring_
        gaps = {(b - a) % N, (c - b) % N, (a - c) % N}
        assert achiral(ring_) == (len(gaps) < 3)


# n = 3 with an exchangeable axis atom ------------------------------------------------------------


def exchange_cases() -> list[tuple[Any, ...]]:
    """All ring angles that let x = U_1 or L_1 of A- have the dot products that h has in A+.

    Lengths in units of z2: z1 = c, r^2 = 1 - c^2, and 0 < c < 1 (z1 < 0: rename the rings). With
    z1 z2 = c: within a ring cos = c/(1+c) for the dot product +c and -c/(1-c) for -c; between the
    rings c/(1-c) for +c and -c/(1+c) for -c. In terms of u, v on the unit circle with
    Re u = c/(1+c), Re v = c/(1-c) the other atoms stand at u, 1/u or -v, -1/v (same ring) and
    v, 1/v or -u, -1/u (other ring), seen from x. x = U_1 has -c with -h, so that among the other
    five +c appears three times; x = L_1 has +c with -h, so that it appears twice.
    """
    same = {1: (U, 1 / U), -1: (-V, -1 / V)}
    other = {1: (V, 1 / V), -1: (-U, -1 / U)}
    cases: list[tuple[Any, ...]] = []
    for signs in product((1, -1), repeat=5):
        if sum(s == 1 for s in signs) not in (2, 3):
            continue
        for second, third in product(same[signs[0]], same[signs[1]]):
            cases.extend(
                (second, third, *turned)
                for turned in product(*(other[s] for s in signs[2:]))
                if second != third and len(set(turned)) == 3
            )
    return cases


U, V, COS, T = sympy.symbols("u v c t")
RELATIONS = [(U**2 + 1) * (1 + COS) - 2 * U * COS, (V**2 + 1) * (1 - COS) - 2 * V * COS]


def heights_that_allow(case: tuple[Any, ...]) -> set[Any]:
    """c in (0, 1) for which the second ring is the first one turned (atom by atom)."""
    ring_, turned = (sympy.Integer(1), *case[:2]), case[2:]
    conditions = [
        sympy.numer(sympy.together(turned[k] * ring_[0] - turned[0] * ring_[k])) for k in (1, 2)
    ]
    basis = sympy.groebner([*conditions, *RELATIONS, U * V * T - 1], T, U, V, COS, order="lex")
    eliminated = [g for g in basis.exprs if g.free_symbols <= {COS}]
    assert eliminated  # finitely many c
    if eliminated == [1]:
        return set()
    (polynomial,) = eliminated
    return {c for c in sympy.Poly(polynomial, COS).real_roots() if 0 < c < 1}


def test_an_exchange_among_seven_atoms_needs_the_icosahedron() -> None:
    cases = exchange_cases()
    assert len(cases) == 240
    solved = [case for case in cases if heights_that_allow(case)]
    assert solved
    golden = 1 / sympy.sqrt(5)
    for case in solved:
        assert heights_that_allow(case) == {golden}
    # At c = 1/sqrt 5 the roots u are primitive 5th roots of one and v are minus such roots:
    # all ring angles are multiples of 72 degrees, where every triangle is isosceles.
    for real_part, minus in ((golden / (1 + golden), 1), (golden / (1 - golden), -1)):
        minimal = sympy.Poly(U**2 - 2 * sympy.radsimp(real_part) * U + 1, U, extension=True)
        assert sympy.Poly(U**5 - minus, U, extension=True).rem(minimal).is_zero
    for a, b in product(range(1, 5), repeat=2):
        if a != b:
            low, high = sorted((a, b))
            assert len({low, high - low, 5 - high}) < 3


def test_congruence_of_three_rings_with_an_exchangeable_axis_atom() -> None:
    for ring_ in cyclic_rings(N, [3]):
        m = rotation_order(ring_)
        for psi in range(N):
            pair = cyclic_pair(ring_, psi, 4, 3, 5, axis_species=1)
            proper = achiral(ring_)
            orthogonal = proper or 2 * psi % (N // m) == 0
            assert congruence_is_as_stated(pair, proper, orthogonal), (ring_, psi)
