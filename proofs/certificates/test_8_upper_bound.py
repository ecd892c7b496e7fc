"""Theorem 8: one rare pair makes the correlations of low order complete: 2^(nu-2) > m suffices.

Statement. For a non-collinear ordered pair p of neighbours let mu(p) be the number of ordered
pairs with the species and the Gram matrix of p; let m be the smallest and M the largest mu(p) of
an environment (m <= M <= N(N-1)). If 2^(nu-2) > m, nu >= 2, the SO(3)-invariant correlations of
order <= nu of delta densities determine the environment up to a rotation; if 2^(nu-2) > 2m, the
O(3)-invariant ones up to an orthogonal matrix. The bound is attained by the pairs of Theorems A
(m = 2, nu = 4) and B (m = 4, nu = 5). The proof is written out in proofs/upper_bound.md; the
numbers (1), (2), (3) are those of its equations.

What the machine checks. (1) symbolically for |T| <= 5. The count of even subsets for k = 2..10.
(2), with both sides counted independently of each other, the sign argument, the different group
elements g_A and (3) on every spanning T of a nu = 2 pair and of the nu = 3 pair, and on two T
that distinguish the nu = 4 pair; for SO(3) and O(3). m = 2 and M = 6 for a scalene B8 pair, m = 4
and M = 16 for the 13-neighbour pair. The collinear lemma on all two-coloured subsets of {+-1,
+-2, +-3}. The theorem itself on subsets of four to six of 18 points with many congruent subsets.

What is assumed. On paper: that correlations of order <= nu in a complete basis span the invariant
polynomials (Step 0). That these are enough, and Steps 1 to 3 in general, written out in
proofs/upper_bound.md, are proved in Coq (proofs/coq/PolynomialCorrelations.v and UpperBound.v).

Literature. Lovasz, J. Combin. Theory B 13, 309 (1972); Mueller, ibid. 22, 281 (1977); Alon, Caro,
Krasikov, Roditty, ibid. 47, 153 (1989); Radcliffe, Scott, Graphs Combin. 22, 399 (2006).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from functools import cache
from itertools import combinations, permutations, product
from typing import Any

import pytest
import sympy
from decks import Invariants, embeddings, subset_deck
from geometry import Environment, congruences, cross
from quadratic import Q3, turn
from two_rings import rotated, tangent_angle, two_ring_environment

THEOREM = (
    "If 2^(nu-2) exceeds the number m of ordered pairs in the rarest non-collinear pair class (2m "
    "for O(3)), the correlations of order <= nu are complete for delta densities; it is attained."
)
ASSUMES = (
    "on paper: correlations of order <= nu in a complete basis span the invariant polynomials; the "
    "general case is in Coq"
)

Subset = tuple[int, ...]

# Steps 1 and 2 in general -------------------------------------------------------------------------


def between(low: Iterable[int], top: Sequence[int]) -> Iterator[frozenset[int]]:
    """All B with low <= B <= top."""
    base = frozenset(low)
    rest = [x for x in top if x not in base]
    for size in range(len(rest) + 1):
        for extra in combinations(rest, size):
            yield base | frozenset(extra)


@pytest.mark.parametrize("size", [3, 4, 5])
def test_moebius_inversion_recovers_the_exact_intersections(size: int) -> None:
    top = range(size)
    subsets = list(between((), top))
    m = {a: sympy.Symbol(f"m{sorted(a)}") for a in subsets}
    f = {a: sum(m[b] for b in between(a, top)) for a in subsets}
    for a in subsets:
        inverted = sum((-1) ** len(b - a) * f[b] for b in between(a, top))
        assert sympy.expand(inverted - m[a]) == 0


@pytest.mark.parametrize("k", range(2, 11))
def test_half_of_the_subsets_that_hold_a_pair_are_even(k: int) -> None:
    even = [a for a in between((0, 1), range(k + 1)) if (k + 1 - len(a)) % 2 == 0]
    assert len(even) == 2 ** (k - 2)


# Step 2 on degenerate pairs -----------------------------------------------------------------------


def inverted(environment: Environment) -> list[tuple[Any, Any]]:
    return [(s, tuple(-c for c in v)) for s, v in environment]


class Member:
    """An environment and its inverse, as tables of invariants; O(3) = SO(3) x inversion."""

    def __init__(self, environment: Environment, labels: dict[Any, int]) -> None:
        self.environment = environment
        self.plain = Invariants(environment, labels)
        self.mirror = Invariants(inverted(environment), labels)

    def images(self, proper: bool) -> list[Invariants]:
        """g B <= Z for improper g means (-g) B <= -Z with the proper -g."""
        return [self.plain] if proper else [self.plain, self.mirror]


def noncollinear(x: Environment, a: int, b: int) -> bool:
    return any(cross(x[a][1], x[b][1]))


def spanning_pair(x: Environment, subset: Iterable[int]) -> tuple[int, int] | None:
    pairs = combinations(sorted(subset), 2)
    return next(((a, b) for a, b in pairs if noncollinear(x, a, b)), None)


def inclusions(source: Member, a: Iterable[int], target: Member, proper: bool) -> int:
    """f_Z(A): rotations that map A into Z; A spanning, so that embeddings are rotations."""
    ordered = sorted(a)
    return sum(
        sum(1 for _ in embeddings(source.plain, ordered, image, proper=True))
        for image in target.images(proper)
    )


def landing_sets(
    source: Member, t: Sequence[int], pair: tuple[int, int], target: Member, proper: bool
) -> Iterator[tuple[tuple[int, int, int], frozenset[int]]]:
    """For every g in G that maps ``pair`` into Z: g (as image and pair) and {a in T : g a in Z}."""
    x = source.plain
    p, q = pair
    for side, z in enumerate(target.images(proper)):
        for u, v in embeddings(x, pair, z, proper=True):
            landed = {
                a
                for a in t
                if any(
                    z.species[y] == x.species[a]
                    and z.dots[y][y] == x.dots[a][a]
                    and z.dots[y][u] == x.dots[a][p]
                    and z.dots[y][v] == x.dots[a][q]
                    and z.dets[u][v][y] == x.dets[p][q][a]
                    for y in range(z.size)
                )
            }
            yield (side, u, v), frozenset(landed)


def pair_classes(member: Member) -> Counter[tuple[int, ...]]:
    """mu: how many ordered pairs there are in each non-collinear pair class."""
    x, e = member.plain, member.environment
    return Counter(
        x.gram((a, b)) for a, b in permutations(range(x.size), 2) if noncollinear(e, a, b)
    )


def rarest_and_largest(member: Member) -> tuple[int, int]:
    """(m, M)."""
    counts = pair_classes(member).values()
    return min(counts, default=0), max(counts, default=0)


def check_step_two(source: Member, other: Member, t: Subset, proper: bool) -> int:
    """Equations (2) and (3) for T in ``source``; returns D."""
    x, k = source.environment, len(t) - 1
    f = {
        z: {a: inclusions(source, a, z, proper) for a in between((), t) if spanning_pair(x, a)}
        for z in (source, other)
    }
    excess = f[other][frozenset(t)] - f[source][frozenset(t)]
    winner = other if excess > 0 else source
    for a in f[source]:
        pair = spanning_pair(x, a)
        assert pair is not None
        # m_Z(A) by enumerating the g that map a pair of A into Z.
        m = {
            z: [g for g, landed in landing_sets(source, t, pair, z, proper) if landed == a]
            for z in (source, other)
        }
        assert len(m[other]) - len(m[source]) == (-1) ** (k + 1 - len(a)) * excess
        if (k + 1 - len(a)) % 2 == 0 and excess:
            assert len(m[winner]) >= abs(excess)
    if excess:
        mu = pair_classes(source)
        for pair in combinations(t, 2):
            if noncollinear(x, *pair):
                elements = list(landing_sets(source, t, pair, winner, proper))
                even = {
                    landed
                    for _, landed in elements
                    if {*pair} <= landed and (k + 1 - len(landed)) % 2 == 0
                }
                assert len(even) == 2 ** (k - 2) <= len(elements)
                assert len(elements) == mu[source.plain.gram(pair)] * (1 if proper else 2)
    return excess


def members(pair: Sequence[Environment]) -> list[Member]:
    labels: dict[Any, int] = {}
    return [Member(e, labels) for e in pair]


def nu_two_pair() -> list[Environment]:
    """a, b, b turned by pi about z, c and its mirror image (Pozdnyakov et al. 2020, Fig. 1)."""
    a, b, turned_b = (5, 0, 5), (5, 5, 5), (-5, -5, 5)
    return [[(1, a), (1, b), (1, turned_b), (1, (0, sign * 5, 5))] for sign in (1, -1)]


@cache
def nu_three_pair() -> list[Environment]:
    angles = [tangent_angle(Fraction(t)) for t in ("0", "3/5", "-7/3")]
    lower = rotated(angles, tangent_angle(Fraction(1, 4)))
    return [
        two_ring_environment(angles, lower, Fraction(7, 10), Fraction(8, 5) * sign)
        for sign in (1, -1)
    ]


@cache
def nu_four_pair() -> list[Environment]:
    upper = [turn(x) for x in (0, 1, 3, 4, 5, 8)]
    lower = rotated(upper, tangent_angle(Fraction(1, 4)))
    return [
        two_ring_environment(upper, lower, Q3(Fraction(7, 5)), Q3(Fraction(16, 5)) * sign)
        for sign in (1, -1)
    ]


@pytest.mark.parametrize("proper", [True, False], ids=["SO(3)", "O(3)"])
@pytest.mark.parametrize(("pair", "k"), [(nu_two_pair, 2), (nu_three_pair, 3)])
def test_the_counting_argument_on_every_subset(pair: Any, k: int, proper: bool) -> None:
    plus, minus = members(pair())
    decks = [
        {order: subset_deck(e.plain, order, proper=proper) for order in range(1, k + 2)}
        for e in (plus, minus)
    ]
    assert all(decks[0][order] == decks[1][order] for order in range(1, k + 1))
    assert decks[0][k + 1] != decks[1][k + 1]
    differing = 0
    for source, other in ((plus, minus), (minus, plus)):
        for t in combinations(range(source.plain.size), k + 1):
            if spanning_pair(source.environment, t):
                differing += check_step_two(source, other, t, proper) != 0
    assert differing > 0
    assert pair_classes(plus) == pair_classes(minus)


@pytest.mark.parametrize(
    ("pair", "nu", "rarest", "largest"), [(nu_three_pair, 3, 2, 6), (nu_four_pair, 4, 4, 16)]
)
def test_the_bound_is_attained(pair: Any, nu: int, rarest: int, largest: int) -> None:
    # Equal up to order nu and different at nu + 1 (Theorems A and B), where the bound begins.
    for member in members(pair()):
        assert rarest_and_largest(member) == (rarest, largest)
    assert 2 ** (nu - 2) == rarest
    assert 2 ** (nu + 1 - 2) > rarest


@pytest.mark.parametrize("proper", [True, False], ids=["SO(3)", "O(3)"])
def test_the_counting_argument_for_five_of_the_thirteen_neighbours(proper: bool) -> None:
    # (h, U(I), L(J)) by position: h first, then the rings at 30 degrees x {0, 1, 3, 4, 5, 8}.
    plus, minus = members(nu_four_pair())
    chosen = [(0, 1, 2, 3, 11), (0, 1, 3, 10, 12)]
    assert all(check_step_two(plus, minus, t, proper) for t in chosen)


# Collinear environments ---------------------------------------------------------------------------


def coloured_subsets() -> list[frozenset[tuple[int, int]]]:
    """All sets of (position, species), positions in {+-1, +-2, +-3}, species 0 or 1."""
    places = (-3, -2, -1, 1, 2, 3)
    found = []
    for colours in product((None, 0, 1), repeat=len(places)):
        atoms = {(t, s) for t, s in zip(places, colours, strict=True) if s is not None}
        if atoms:
            found.append(frozenset(atoms))
    return found


def test_a_collinear_environment_is_fixed_by_its_two_deck() -> None:
    by_decks = defaultdict(list)
    for atoms in coloured_subsets():
        single = Counter((s, abs(t)) for t, s in atoms)
        pairs = Counter(
            (s, q, abs(t), abs(r), t * r > 0) for (t, s), (r, q) in permutations(atoms, 2)
        )
        by_decks[frozenset(single.items()), frozenset(pairs.items())].append(atoms)
    for group in by_decks.values():
        first = group[0]
        mirrored = frozenset((-t, s) for t, s in first)
        assert set(group) == {first, mirrored}
    # The one-deck alone does not do.
    assert len(by_decks) > len({key[0] for key in by_decks})


# The theorem on a family --------------------------------------------------------------------------


def quarter_turns(v: tuple[int, int, int]) -> list[tuple[int, int, int]]:
    x, y, z = v
    return [(x, y, z), (-y, x, z), (-x, -y, z), (y, -x, z)]


POOL: Environment = [
    *(
        (1, v)
        for seed in [(1, 0, 1), (2, 1, 0), (1, 2, -2), (1, 1, 2)]
        for v in quarter_turns(seed)
    ),
    (1, (0, 0, 2)),
    (1, (0, 0, -1)),
]
"""Closed under quarter turns about z, so that congruent subsets abound; norms 1, 2, 4, 5, 6, 9."""


@cache
def pool_classes(order: int) -> dict[Subset, Subset]:
    """The class under SO(3) of every subset of the pool."""
    table = Invariants(POOL, {})
    return {
        subset: min(table.chiral(p) for p in permutations(subset))
        for subset in combinations(range(len(POOL)), order)
    }


@pytest.mark.parametrize(("size", "nu"), [(4, 3), (5, 3), (6, 3), (5, 4), (6, 4)])
def test_equal_decks_above_the_bound_mean_congruence(size: int, nu: int) -> None:
    classes = pool_classes(nu)
    by_deck = defaultdict(list)
    for subset in combinations(range(len(POOL)), size):
        deck = Counter(classes[t] for t in combinations(subset, nu))
        by_deck[frozenset(deck.items())].append(subset)
    labels: dict[Any, int] = {}
    compared = 0
    for group in by_deck.values():
        first = [POOL[i] for i in group[0]]
        if len(group) > 1 and 2 ** (nu - 2) > rarest_and_largest(Member(first, labels))[0]:
            for subset in group[1:]:
                assert any(True for _ in congruences(first, [POOL[i] for i in subset]))
                compared += 1
    assert compared > 0
