"""Theorem 2: the features of all tagged pairs add up to the bispectrum; the swap rule.

Statement. For all densities and all bases, with F_jk[l1 l2 L; q1 q2 q3] as in Eq. 1 of the paper:
(a) sum over j and k (j = k included) of F_jk is the bispectrum ((rho^l1 x rho^l2)^L x rho^L)^0,
with factor exactly 1 (Eq. S7); (b) F_jk[l1 q1, l2 q2, L, q3] = (-1)^(l1+l2+L) F_kj[l2 q2, l1 q1,
L, q3]; (c) C(L,M; L,M'; 0,0) = (-1)^L delta_MM' / sqrt(2L+1).

What the machine checks. (a) For every path l <= 3 and three neighbours whose expansion
coefficients are independent symbols, different ones for the three factors: an identity of
polynomials, so it holds for any channels, radial functions and positions. Both sides are
trilinear in the neighbours' coefficients and symmetric under relabelling them; a trilinear form
that vanishes for three neighbours vanishes on every triple of neighbours, so the identity holds
for any number N. (b) For every path l <= 4 as an identity of the coefficients, and symbolically
through (a)'s features for l <= 3. A sign of its own for one path (l1, l2, L), l1 != l2, would
break (b). (c) For L <= 8. The exact package's triplet_features and density_correlations are
compared with the polynomials of these certificates on a rational environment.

What is assumed. Nothing.

Literature. Nigam et al., APL Mach. Learn. 2, 016110 (2024), Eqs. 1 and S7; Nigam, Pozdnyakov,
Fraux, Ceriotti, J. Chem. Phys. 156, 204115 (2022), for the N-centre features in general.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import pytest
import sympy
from coupled import couple, paths, rational_vector, real_coefficient, real_terms, triplet_polynomial
from sympy import QQ
from sympy.polys.rings import ring
from symtrip_reference import (
    DeltaDensity,
    Environment,
    Expansion,
    Monomials,
    ShiftedCosine,
    density_correlations,
    triplet_features,
)
from symtrip_reference.reconstruction.roots import RootSum, root

THEOREM = "sum_jk F_jk is the bispectrum with factor 1; F_jk(12) = (-1)^(l1+l2+L) F_kj(21)."
ASSUMES = "nothing"

NEIGHBORS = 3
Path = tuple[int, int, int]


def symbolic_blocks(path: Path) -> list[list[list[RootSum]]]:
    """blocks[factor][neighbour][m]: independent symbols for the three factors of a path."""
    sizes = [2 * l + 1 for l in path]
    _, *g = ring(f"g:{NEIGHBORS * sum(sizes)}", QQ)
    symbols = iter(g)
    return [
        [[RootSum.of(next(symbols)) for _ in range(size)] for _ in range(NEIGHBORS)]
        for size in sizes
    ]


def density(neighbors: Sequence[Sequence[RootSum]]) -> list[RootSum]:
    """rho: the sum over neighbours."""
    return [RootSum.total(components) for components in zip(*neighbors, strict=True)]


def triplet(
    path: Path, left: Sequence[RootSum], right: Sequence[RootSum], rho: Sequence[RootSum]
) -> RootSum:
    """Eq. 1: C(L,L,0) times the dot product over M."""
    l1, l2, L = path
    scalar = root(Fraction(1, 2 * L + 1)).scaled((-1) ** L)
    coupled = couple(l1, l2, L, left, right)
    return scalar * RootSum.total(c * r for c, r in zip(coupled, rho, strict=True))


def test_coupling_to_a_scalar_is_the_signed_dot_product() -> None:
    for L in range(9):
        expected = root(Fraction(1, 2 * L + 1)).scaled((-1) ** L)
        for m in range(-L, L + 1):
            for n in range(-L, L + 1):
                value = real_coefficient(L, m, L, n, 0, 0)
                assert value == (expected if m == n else RootSum({}))


@pytest.mark.parametrize("path", list(paths(3)), ids=str)
def test_the_sum_over_tagged_pairs_is_the_bispectrum(path: Path) -> None:
    l1, l2, L = path
    first, second, third = symbolic_blocks(path)
    rho = density(third)
    total = RootSum.total(
        triplet(path, first[j], second[k], rho) for j in range(NEIGHBORS) for k in range(NEIGHBORS)
    )
    squared = couple(l1, l2, L, density(first), density(second))
    (bispectrum,) = couple(L, L, 0, squared, rho)
    assert total
    assert total == bispectrum


@pytest.mark.parametrize("path", list(paths(3)), ids=str)
def test_swapping_the_tagged_neighbours_gives_the_parity_sign(path: Path) -> None:
    l1, l2, L = path
    first, second, third = symbolic_blocks(path)
    rho = density(third)
    value = triplet(path, first[0], second[1], rho)
    swapped = triplet((l2, l1, L), second[1], first[0], rho)
    assert value == swapped.scaled((-1) ** (l1 + l2 + L))


@pytest.mark.parametrize("path", list(paths(4)), ids=str)
def test_coefficients_obey_the_swap_rule(path: Path) -> None:
    l1, l2, L = path
    swapped = {(m1, m2, M): c for m2, m1, M, c in real_terms(l2, l1, L)}
    terms = real_terms(l1, l2, L)
    assert len(terms) == len(swapped)
    for m1, m2, M, c in terms:
        assert c == swapped[m1, m2, M].scaled((-1) ** (l1 + l2 + L))


def test_a_sign_chosen_path_by_path_breaks_the_swap_rule() -> None:
    # (1, 2, 2) and (2, 1, 2) are odd: F_jk(12) = -F_kj(21). With one of the two signs flipped it
    # would read F_jk(12) = +F_kj(21), and F_jk is not zero.
    path = (1, 2, 2)
    first, second, third = symbolic_blocks(path)
    rho = density(third)
    flipped = -triplet(path, first[0], second[1], rho)
    assert flipped != triplet((2, 1, 2), second[1], first[0], rho).scaled(-1)


VECTORS = [(1, 2, 2), (-2, 3, 6), (4, -4, 7)]
"""Rational positions of rational length (3, 7, 9), so that sympy's exact numbers stay simple."""
EXPANSION = Expansion(ShiftedCosine(20, 1), DeltaDensity(), Monomials(1, 2))
"""Delta density, r^l, all neighbours far inside the cutoff: the features are polynomials."""


def polynomial_feature(path: Path, j: int, k: int) -> sympy.Expr:
    """What the certificates' polynomials give for the package's feature, as a sympy number."""
    points = [rational_vector(v) for v in VECTORS]
    total = RootSum.total(triplet_polynomial(*path, points[j], points[k], x) for x in points)
    value = sympy.Add(
        *(
            sympy.Rational(int(c.numerator), int(c.denominator)) * sympy.sqrt(d)
            for d, c in total.terms.items()
        )
    )
    return value / sympy.sqrt(4 * sympy.pi) ** 3


def test_the_package_computes_these_polynomials_and_their_sum() -> None:
    environment = Environment(VECTORS)
    features = triplet_features(environment, EXPANSION)
    bispectrum = density_correlations(environment, EXPANSION, 3)
    for path in paths(2):
        total = sympy.Integer(0)
        for (j, k), values in features.items():
            (value,) = values[path]
            assert sympy.expand(value - polynomial_feature(path, j, k)) == 0
            total += value
        ((invariant,),) = bispectrum[*path, path[2], 0]
        assert sympy.expand(total - invariant) == 0
