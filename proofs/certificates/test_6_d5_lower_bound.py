"""Theorem D5: for N = 4p neighbours some pairs agree on all tagged features below degree p.

Statement. Let X_s, for a set s of four residues mod 8, be the 4p unit-weight atoms of one species
at height 1 on the unit circle about an axis, at the angles 2 pi n / 8p with n mod 8 in s. The
environments X_{0,1,3,4} and X_{0,1,2,5} are not related by any orthogonal matrix, but the
multisets over all ordered pairs (j, k) of neighbours of their features F_jk with L + 2 n3 < p
agree, for all l1, l2 and all radial channels of j and k. For p >= 2 they differ at degree p. So
no bound on the degree that is independent of N makes the features complete, and D2's degree is
right up to a factor of about 4.

Proof. A polynomial of degree < p in x is a sum of monomials w^a conj(w)^b z^c, w = x + iy, a + b
< p. On X_s its sum contains sum_t e^(2 pi i (a-b) t / p) over the p atoms of each residue, which
vanishes unless a = b; so it is the same for every s and every turn of X_s about the axis. In the
frame of j, k and the axis all moments of degree < p are therefore functions of the angle from j
to k, the pair's Gram matrix too. The angles from j to k occur equally often in both environments,
since the numbers of differences mod 8 of {0,1,3,4} and {0,1,2,5} are equal (a homometric pair).
For p >= 2 the sum of the positions is 4p times the axis, so the angle from j to k and, at degree
p, sum_i (w_i conj(w_j))^p can be read off the features of (j, k); as multisets they differ.

What the machine checks. For p = 1..6: the vanishing sums and those that remain; equality of the
numbers of differences mod 8p; that no turn or reflection of Z_8p maps one set onto the other (an
orthogonal map between the environments maps the plane z = 1 of the circle to itself, fixes the
axis and so turns or reflects the circle); at degree p the moments of w^p, seen from j, differ as
multisets, in Z[e^(i pi/4)].

What is assumed. Nothing.

Literature. Patterson, Phys. Rev. 65, 195 (1944) (homometric point sets on a circle; this is his
smallest example).
"""

from __future__ import annotations

from collections import Counter
from itertools import product

import pytest

THEOREM = (
    "D5: for N = 4p there are non-congruent environments whose tagged features of all pairs agree "
    "below degree p."
)
ASSUMES = "nothing from the literature; p > 6 by the proof in the file"

FIRST, SECOND = (0, 1, 3, 4), (0, 1, 2, 5)
ORDERS = range(1, 7)


def atoms(residues: tuple[int, ...], p: int) -> list[int]:
    """Angles in units of 2 pi / 8p."""
    return [8 * t + s for s in residues for t in range(p)]


@pytest.mark.parametrize("p", ORDERS)
def test_there_are_four_p_atoms_in_different_places(p: int) -> None:
    for residues in (FIRST, SECOND):
        assert len(set(atoms(residues, p))) == 4 * p


def exponent_sum(residues: tuple[int, ...], p: int, m: int) -> Counter[int]:
    """sum over the atoms of zeta^(m n), zeta = e^(2 pi i / 8p), as multiplicities of exponents."""
    return Counter(m * n % (8 * p) for n in atoms(residues, p))


def vanishes_by_full_turns(terms: Counter[int], p: int, m: int) -> bool:
    """Whether the sum splits into full orbits of a rotation by a non-trivial root of unity.

    Adding 8m to every exponent multiplies the sum by zeta^(8m) = e^(2 pi i m/p). If that maps the
    terms to themselves and is not 1, the sum is zero.
    """
    moved = Counter({(n + 8 * m) % (8 * p): count for n, count in terms.items()})
    return moved == terms and (8 * m) % (8 * p) != 0


@pytest.mark.parametrize("p", ORDERS)
def test_moments_below_degree_p_do_not_see_the_angles(p: int) -> None:
    for residues in (FIRST, SECOND):
        for a, b in product(range(p), repeat=2):
            if a + b < p:
                terms = exponent_sum(residues, p, a - b)
                if a == b:
                    assert terms == {0: 4 * p}
                else:
                    assert vanishes_by_full_turns(terms, p, a - b)


@pytest.mark.parametrize("p", ORDERS)
def test_the_angles_between_tagged_atoms_occur_equally_often(p: int) -> None:
    def differences(residues: tuple[int, ...]) -> Counter[int]:
        chosen = atoms(residues, p)
        return Counter((k - j) % (8 * p) for j, k in product(chosen, repeat=2))

    assert differences(FIRST) == differences(SECOND)


@pytest.mark.parametrize("p", ORDERS)
def test_no_turn_or_reflection_relates_the_environments(p: int) -> None:
    second = set(atoms(SECOND, p))
    for sign, turn in product((1, -1), range(8 * p)):
        assert {(sign * n + turn) % (8 * p) for n in atoms(FIRST, p)} != second


def eighth_root_sum(exponents: list[int]) -> tuple[int, int, int, int]:
    """sum of omega^e, omega = e^(i pi/4), in the basis 1, omega, omega^2, omega^3 of Z[omega]."""
    coordinates = [0, 0, 0, 0]
    for e in exponents:
        coordinates[e % 4] += 1 if e % 8 < 4 else -1
    a, b, c, d = coordinates
    return a, b, c, d


def test_degree_p_tells_them_apart() -> None:
    # sum_i (w_i conj(w_j))^p = p sum_s omega^(s - s_j): p times the same numbers for every p.
    def seen(residues: tuple[int, ...]) -> Counter[tuple[int, tuple[int, int, int, int]]]:
        return Counter(
            ((k - j) % 8, eighth_root_sum([s - j for s in residues]))
            for j, k in product(residues, repeat=2)
        )

    assert seen(FIRST) != seen(SECOND)
