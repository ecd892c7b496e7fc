"""Theorem B (lifting): a pair of environments with equal correlations up to order nu = 4.

Statement. Let S be a finite set of ring angles and A+- the two-ring pair of Theorem A. Suppose
that the k-subsets of S and those of its mirror image -S agree up to rotation, class by class and
with multiplicity (equal k-decks, k <= |S|; then the smaller decks agree too). Then every function
of k+1 neighbours that is invariant under proper rotations has equal sums over the ordered
(k+1)-tuples of A+ and of A-: all SO(3)-invariant correlations up to nu = k+1 agree, for all r,
z1, z2, psi. For S = 30 degrees x {0, 1, 3, 4, 5, 8} this holds with k = 3: 13 neighbours, four
continuous parameters, equal up to nu = 4. For r, z1, z2 != 0 and an axis atom that cannot be
exchanged with a ring atom, A+ and A- are not related by any rotation, and by an orthogonal matrix
exactly if psi is a multiple of pi; at nu = 5 chiral invariants always differ, parity-even ones
exactly for psi not a multiple of pi. Among the rings in Z_n, n <= 12, that are chiral and have
the 3-deck of their mirror image, it is the only one up to rotation and reflection; so none exists
in Z_n for n < 12.

Proof of the lifting. T_b, the turn by pi about the horizontal axis at azimuth (b + psi)/2, maps h
-> -h, U(p) -> L(b - p), L(p) -> U(b - p). Equal decks give, for every m <= k, a bijection of the
m-subsets K of S of the form K -> b(K) - K. Send an ordered (k+1)-tuple without h to itself; a
tuple with h has ring atoms with angles K, |K| <= k; send it to its image under T_b(K). The image
has the angles b(K) - K, which determine K and b(K): the map is a bijection from the tuples of A+
to those of A-, and each tuple is related to its image by a rotation. For k = 2 take b({x, y}) = x
+ y: Theorem A.

Proof of the difference at nu = 5. Let c(I, J; S) be the number of turns a with I + a and J + a in
S, and f(I, J) = c(I, J; S) - c(I, J; -S). An orthogonal matrix that maps the tuple (h, U(I),
L(J)), |I| + |J| = 4, into A+ or A- is (w, z) -> (e^(ia) w, z) or (e^(ia) conj w, z) for A+,
(e^(ia) conj w, -z) or (e^(ia) w, -z) for A-; the first of each is proper. Counting them, the
numbers of occurrences in A+ and A- differ by f(I, J) under SO(3) and by f(I, J) - f(I, J + 2 psi)
under O(3) (by half of the latter if a reflection fixes the tuple). The 4-decks differ: f(I, J) !=
0 for some I, J (J may be empty: the chiral case, for every psi). If 2 psi is no multiple of 30
degrees, f(I, J + 2 psi) = 0 for I, J not empty; if 2 psi = 30 t degrees, t = 1..11, there are I,
J with f(I, J) != f(I, J + t).

What the machine checks. The action of T_b with symbolic r, z1, z2, psi and angles; for the ring
above the bijection of all subsets with at most three elements and of all 13^4 ordered 4-tuples;
the same with coordinates in Q(sqrt 3) for cos psi = 15/17: all 715 4-subsets land on atoms of A-
under their explicit rotation; independently of the map, equality of the classes (Gram matrices
and determinants) of all 13^4 ordered tuples, for this psi and for all multiples of 30 degrees;
5-tuples, chiral and parity-even ones, that occur differently often, by the finite sums above for
every psi and by counting in coordinates for these psi; that no rotation relates the pair; all
rings in Z_n, n <= 12.

What is assumed. Nothing for the above. From the literature, for the remark that this mechanism
cannot exceed nu = 6 (k = 5): a subset of a finite cyclic group is determined up to translation by
its 6-deck (Pebody, Combin. Probab. Comput. 13, 867 (2004)).

Literature. Pozdnyakov et al., Phys. Rev. Lett. 125, 166001 (2020); Keleti, Kolountzakis, Online
J. Anal. Comb. 1, 4 (2006) (3-decks in Z_n); Radcliffe, Scott, J. Combin. Theory A 83, 169 (1998)
and Graphs Combin. 22, 399 (2006) (reconstruction under group actions). We claim no more than an
explicit nu = 4 pair of atomic environments, not known to us before. The 3-deck computation is
also in Coq (proofs/coq).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from fractions import Fraction
from functools import lru_cache
from itertools import combinations, product
from typing import Any

import pytest
from decks import Invariants, count_embeddings, ordered_deck
from geometry import Environment, congruences, dot
from quadratic import Q3, turn
from sympy import QQ
from sympy.polys.rings import ring
from two_rings import AXIS, Atom, atoms, cyclic_rings, rotated, tangent_angle, two_ring_environment

THEOREM = (
    "Equal k-decks of a ring and its mirror image make A+ and A- agree up to nu = k+1; ring angles "
    "30 degrees x {0,1,3,4,5,8} give a nu = 4 pair of 13 neighbours that nu = 5 separates."
)
ASSUMES = (
    "nothing from the literature (but the remark 'never beyond nu = 6': Pebody 2004); the lifting "
    "for general rings and nu = 5 for every psi by the proofs in the file"
)

N = 12
S = (0, 1, 3, 4, 5, 8)
Subset = tuple[int, ...]

# The decks of rings -------------------------------------------------------------------------------


def shifted(members: Iterable[int], t: int, n: int = N) -> Subset:
    return tuple(sorted((x + t) % n for x in members))


def mirrored(members: Iterable[int], n: int = N) -> Subset:
    return tuple(sorted(-x % n for x in members))


def turn_class(members: Iterable[int]) -> Subset:
    """The smallest of all turned copies: equal for subsets related by a turn."""
    chosen = tuple(members)
    return min(shifted(chosen, t) for t in range(N))


def deck(members: Sequence[int], k: int) -> Counter[Subset]:
    return Counter(turn_class(subset) for subset in combinations(members, k))


def triple_correlation(members: Iterable[int], n: int) -> list[int]:
    """Numbers of x with x, x + a, x + b in the set, all a and b: the decks of order <= 3."""
    mask, full = sum(1 << x for x in members), (1 << n) - 1
    turned = [(mask >> a | mask << (n - a)) & full for a in range(n)]
    return [(mask & p & q).bit_count() for p, q in product(turned, repeat=2)]


def test_the_decks_of_the_ring_and_its_mirror_image_agree_up_to_three_only() -> None:
    for k in (1, 2, 3):
        assert deck(S, k) == deck(mirrored(S), k)
    assert deck(S, 4) != deck(mirrored(S), 4)
    assert turn_class(S) != turn_class(mirrored(S))


def test_no_smaller_cyclic_ring_has_this_property_and_no_other_in_z12() -> None:
    found = []
    for n in range(1, 13):
        for members in cyclic_rings(n, range(1, n + 1)):
            mirror = mirrored(members, n)
            chiral = all(shifted(members, t, n) != mirror for t in range(n))
            if chiral and triple_correlation(members, n) == triple_correlation(mirror, n):
                found.append((n, turn_class(members)))
    assert sorted(found) == sorted((N, turn_class(m)) for m in (S, mirrored(S)))


# The lifting -------------------------------------------------------------------------------------


def matching(k: int) -> dict[Subset, int]:
    """For every subset K of S with at most k elements the b with K -> b - K, a bijection."""
    chosen: dict[Subset, int] = {}
    for m in range(k + 1):
        targets: dict[Subset, list[Subset]] = defaultdict(list)
        for subset in combinations(S, m):
            targets[turn_class(mirrored(subset))].append(subset)
        for subset in combinations(S, m):
            image = targets[turn_class(subset)].pop()
            chosen[subset] = next(b for b in range(N) if shifted(mirrored(subset), b) == image)
    return chosen


@lru_cache(maxsize=1)
def turns() -> dict[Subset, int]:
    return matching(3)


def reflected(subset: Subset, b: int) -> Subset:
    return shifted(mirrored(subset), b)


def test_subsets_of_at_most_three_ring_atoms_are_matched_one_to_one() -> None:
    for m in range(4):
        subsets = list(combinations(S, m))
        images = [reflected(subset, turns()[subset]) for subset in subsets]
        assert sorted(images) == subsets


def image_of(tuple_: tuple[Atom, ...]) -> tuple[Atom, ...]:
    """The bijection of the proof by names; ring atoms are named by their angle in Z_12."""
    if AXIS not in tuple_:
        return tuple_
    b = turns()[tuple(sorted({x for name, x in tuple_ if name != "h"}))]
    other = {"U": "L", "L": "U"}
    return tuple(AXIS if name == "h" else (other[name], (b - x) % N) for name, x in tuple_)


def test_all_ordered_quadruples_are_matched_one_to_one() -> None:
    names = [AXIS, *((ring_, x) for ring_ in "UL" for x in S)]
    quadruples = list(product(names, repeat=4))
    images = {image_of(q) for q in quadruples}
    assert len(quadruples) == 13**4
    assert images == set(quadruples)


def test_the_turn_maps_ring_atoms_as_stated_for_all_parameters() -> None:
    # Angles p and b as symbolic points of the circle; T_b turns by pi about (b + psi)/2.
    R, r, z1, z2, cp, sp, cb, sb, cq, sq = ring("r,z1,z2,cp,sp,cb,sb,cq,sq", QQ)
    circles = [cp**2 + sp**2 - 1, cb**2 + sb**2 - 1, cq**2 + sq**2 - 1]

    def plus(a: Any, b: Any) -> Any:
        return a[0] * b[0] - a[1] * b[1], a[0] * b[1] + a[1] * b[0]

    p, b, psi = (cp, sp), (cb, sb), (cq, sq)
    b_minus_p = plus(b, (cp, -sp))
    c, s = plus(b, psi)
    rows = ((c, s, R(0)), (s, -c, R(0)), (R(0), R(0), R(-1)))

    def upper(angle: Any) -> Any:
        return (r * angle[0], r * angle[1], z1)

    def lower(angle: Any) -> Any:
        x, y = plus(angle, psi)
        return (r * x, r * y, -z1)

    images = {
        (R(0), R(0), z2): (R(0), R(0), -z2),
        upper(p): lower(b_minus_p),
        lower(p): upper(b_minus_p),
    }
    for atom, image in images.items():
        for row, component in zip(rows, image, strict=True):
            assert (dot(row, atom) - component).rem(circles) == 0


# Coordinates -------------------------------------------------------------------------------------

TWIST = tangent_angle(Fraction(1, 4))
"""cos psi = 15/17, sin psi = 8/17."""
CIRCLE = [turn(x) for x in S]
HEIGHT, AXIS_HEIGHT = Fraction(7, 5), Fraction(16, 5)
"""2 z1 and 2 z2 for r = 1, z1 = 0.7, z2 = 1.6: turn() doubles all lengths."""


def pair(lower: Sequence[Any]) -> list[Environment]:
    return [
        two_ring_environment(CIRCLE, lower, Q3(HEIGHT), Q3(sign * AXIS_HEIGHT)) for sign in (1, -1)
    ]


def lattice_pair(steps: int) -> list[Environment]:
    """psi = 30 degrees times ``steps``."""
    return pair([turn(x + steps) for x in S])


GENERIC = pair(rotated(CIRCLE, TWIST))


def invariants(environments: Sequence[Environment]) -> list[Invariants]:
    labels: dict[Any, int] = {}
    return [Invariants(e, labels) for e in environments]


def names_of_atoms() -> list[Atom]:
    """Names in the order of the environments, ring atoms by their angle."""
    return [AXIS if name == "h" else (name, S[i]) for name, i in atoms(len(S))]


def test_every_subset_of_four_lands_on_the_other_member() -> None:
    plus, minus = GENERIC
    names = names_of_atoms()
    where_minus = {name: v for name, (_, v) in zip(names, minus, strict=True)}
    where_plus = {name: v for name, (_, v) in zip(names, plus, strict=True)}
    images = set()
    for subset in combinations(names, 4):
        image = image_of(subset)
        images.add(frozenset(image))
        if AXIS in subset:
            b = turns()[tuple(sorted({x for name, x in subset if name != "h"}))]
            (c2, s2), (cp, sp) = turn(b), TWIST
            # turn() gives twice the cosine and sine: the matrix is twice the rotation.
            c, s = c2 * cp - s2 * sp, c2 * sp + s2 * cp
            rows = ((c, s, Q3(0)), (s, -c, Q3(0)), (Q3(0), Q3(0), Q3(-2)))
            assert c * c + s * s == 4
        else:
            rows = ((Q3(2), Q3(0), Q3(0)), (Q3(0), Q3(2), Q3(0)), (Q3(0), Q3(0), Q3(2)))
        for atom, target in zip(subset, image, strict=True):
            turned = tuple(dot(row, where_plus[atom]) for row in rows)
            assert turned == tuple(2 * x for x in where_minus[target])
    assert len(images) == 715


def test_all_ordered_quadruples_have_equal_classes() -> None:
    plus, minus = invariants(GENERIC)
    assert sum(ordered_deck(plus, 4, proper=True).values()) == 13**4
    assert ordered_deck(plus, 4, proper=True) == ordered_deck(minus, 4, proper=True)


@pytest.mark.parametrize("steps", range(N))
def test_all_ordered_quadruples_have_equal_classes_for_lattice_twists(steps: int) -> None:
    plus, minus = invariants(lattice_pair(steps))
    assert ordered_deck(plus, 4, proper=True) == ordered_deck(minus, 4, proper=True)


def test_no_rotation_proper_or_improper_relates_the_pair() -> None:
    assert not list(congruences(*GENERIC))
    assert not list(congruences(*GENERIC, improper=True))


@pytest.mark.parametrize("steps", range(N))
def test_only_half_turns_make_the_pair_mirror_images(steps: int) -> None:
    environments = lattice_pair(steps)
    assert not list(congruences(*environments))
    assert bool(list(congruences(*environments, improper=True))) == (steps % 6 == 0)


# Order five --------------------------------------------------------------------------------------


def occurrences(i: Iterable[int], j: Iterable[int], members: Sequence[int]) -> int:
    """c(I, J; S)."""
    inside = set(members)
    return sum(all((x + a) % N in inside for x in (*i, *j)) for a in range(N))


def excess(i: Iterable[int], j: Iterable[int]) -> int:
    """f(I, J)."""
    first, second = tuple(i), tuple(j)
    return occurrences(first, second, S) - occurrences(first, second, mirrored(S))


def four_index_patterns() -> list[tuple[Subset, Subset]]:
    """Subsets I, J of Z_12, |I| + |J| = 4, J possibly empty; 0 in I (turns do not matter)."""
    return [
        ((0, *i), j)
        for size in range(4)
        for i in combinations(range(1, N), size)
        for j in combinations(range(N), 3 - size)
    ]


def test_the_fifth_order_differs_for_every_twist() -> None:
    patterns = four_index_patterns()
    assert any(excess(i, ()) for i, j in patterns if not j)
    mixed = [(i, j) for i, j in patterns if j]
    assert any(excess(i, j) for i, j in mixed)
    for t in range(1, N):
        assert any(excess(i, j) != excess(i, shifted(j, t)) for i, j in mixed)
    assert all(excess(i, j) == excess(i, shifted(j, N)) for i, j in mixed)


def indices(i: Iterable[int], j: Iterable[int]) -> list[int]:
    """The tuple (h, U(I), L(J)) by position in the environments; I and J in S."""
    names = names_of_atoms()
    return [0, *(names.index(("U", x)) for x in i), *(names.index(("L", x)) for x in j)]


def excess_in_coordinates(
    environments: Sequence[Invariants], tuple_: Sequence[int], *, proper: bool
) -> int:
    plus, minus = environments
    in_plus = count_embeddings(plus, tuple_, plus, proper=proper)
    in_minus = count_embeddings(plus, tuple_, minus, proper=proper)
    return in_plus - in_minus


@pytest.mark.parametrize("steps", [None, *range(N)], ids=str)
def test_counts_of_five_tuples_in_coordinates_are_the_finite_sums(steps: int | None) -> None:
    # One tuple of each kind |I| = 4, 3, 2, 1 that contains h; counts as in the proof above.
    environments = invariants(GENERIC if steps is None else lattice_pair(steps))
    differs = {True: False, False: False}
    for i, j in [((0, 1, 3, 4), ()), ((0, 1, 3), (4,)), ((0, 1), (3, 4)), ((0,), (1, 4, 8))]:
        tuple_ = indices(i, j)
        chiral = excess_in_coordinates(environments, tuple_, proper=True)
        even = excess_in_coordinates(environments, tuple_, proper=False)
        assert chiral == excess(i, j)
        further = 0 if steps is None and j else excess(i, shifted(j, 2 * (steps or 0)))
        assert even == chiral - further
        differs[True] |= chiral != 0
        differs[False] |= even != 0
    assert differs[True]
    assert differs[False] == (steps is None or steps % 6 != 0)
