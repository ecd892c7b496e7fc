"""From the features of one tagged pair to the moments of the neighbours in its frame.

The features are those of the exact package with its ``Monomials`` basis (radial functions
r^(l + 2n), delta density), without the constants C(L,L,0) and (4 pi)^(-3/2); neighbours may carry
weights (cutoff factors), tagged atoms do not. That they are the package's is a test in
test_6_d2_unit_weights.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from functools import cache
from typing import Any

from coupled import couple, solid_harmonics
from geometry import dot
from moments import Exponents, Moments, Point, exponents
from roots import RootSum, root
from sympy import QQ
from sympy.polys.matrices import DomainMatrix
from sympy.polys.rings import PolyElement, ring

__all__ = ["Features", "coupling_paths", "frame_moments", "gram_of_the_pair", "tagged_features"]

Path = tuple[int, int, int]
Features = Mapping[tuple[Path, tuple[int, int, int]], RootSum]
"""(l1, l2, L), (n1, n2, n3) -> sum_M [g_j^l1 x g_k^l2]^L_M rho^L_M in those radial channels."""


def coupling_paths(L: int) -> list[Path]:
    """The paths of Theorem 5: l1 + l2 = L and l1 + l2 = L + 1 with l1, l2 >= 1."""
    even = [(L - l2, l2, L) for l2 in range(L + 1)]
    return even + [(L + 1 - l2, l2, L) for l2 in range(1, L + 1)]


def tagged_features(
    j: Point, k: Point, neighbors: Sequence[Point], weights: Sequence[Any], degree: int
) -> Features:
    """All that the decoders use: the paths of Theorem 5 for L + 2 n3 <= degree; (0, 0, 0) with
    n1 = 1 and with n2 = 1, and (1, 1, 0), which give the Gram matrix of the pair.
    """
    top = max(degree, 1)
    at_j = [solid_harmonics(l, j) for l in range(top + 1)]
    at_k = [solid_harmonics(l, k) for l in range(top + 1)]
    at_neighbors = [[solid_harmonics(l, x) for x in neighbors] for l in range(degree + 1)]

    def density(L: int, n: int) -> list[RootSum]:
        weighted = [
            [y.scaled(w * dot(x, x) ** n) for y in harmonics]
            for x, w, harmonics in zip(neighbors, weights, at_neighbors[L], strict=True)
        ]
        return [RootSum.total(components) for components in zip(*weighted, strict=True)]

    def contract(path: Path, rho: Sequence[RootSum]) -> RootSum:
        coupled = couple(*path, at_j[path[0]], at_k[path[1]])
        return RootSum.total(c * r for c, r in zip(coupled, rho, strict=True))

    features = {
        (path, (0, 0, n)): contract(path, rho)
        for L in range(degree + 1)
        for n in range((degree - L) // 2 + 1)
        for rho in [density(L, n)]
        for path in coupling_paths(L)
    }
    scalar = features[(0, 0, 0), (0, 0, 0)]
    features[(0, 0, 0), (1, 0, 0)] = scalar.scaled(dot(j, j))
    features[(0, 0, 0), (0, 1, 0)] = scalar.scaled(dot(k, k))
    features[(1, 1, 0), (0, 0, 0)] = contract((1, 1, 0), density(0, 0))
    return features


def gram_of_the_pair(features: Features) -> tuple[Any, Any, Any]:
    """|r_j|^2, r_j.r_k, |r_k|^2 from features alone; needs sum of the weights != 0."""
    _, mass = features[(0, 0, 0), (0, 0, 0)].single()
    jj = features[(0, 0, 0), (1, 0, 0)].single()[1] / mass
    kk = features[(0, 0, 0), (0, 1, 0)].single()[1] / mass
    # [Y_1 x Y_1]^0 = -sqrt(3) r_j.r_k here: 3 from the harmonics, -1/sqrt 3 from the coupling.
    radicand, coupled = features[(1, 1, 0), (0, 0, 0)].single()
    assert radicand == 3 or not coupled
    return jj, -coupled / mass, kk


def frame_moments(features: Features, j: Point, k: Point, degree: int) -> Moments:
    """Moments of the neighbours up to ``degree``, in the coordinates in which j and k are given.

    Args:
        features: as :func:`tagged_features` returns them.
        j: a vector that, with ``k``, has the Gram matrix of the tagged pair.
        k: the other one; not collinear with ``j``.
        degree: largest L + 2 n3.
    """
    data: dict[Exponents, Any] = {}
    for d in range(degree + 1):
        by_momentum = []
        for L in range(d % 2, d + 1, 2):
            values = [features[path, (0, 0, (d - L) // 2)] for path in coupling_paths(L)]
            by_momentum.extend(_solve_couplings(L, values, j, k))
        data.update(_monomial_moments(d, by_momentum))
    return data


@cache
def _rational_harmonics(L: int) -> tuple[list[int], list[PolyElement]]:
    """Y_LM = sqrt(e_M) h_M with rational polynomials h_M: all e_M and h_M."""
    _, *xyz = ring("x,y,z", QQ)
    singles = [h.single() for h in solid_harmonics(L, xyz)]
    return [e for e, _ in singles], [h for _, h in singles]


def _solve_couplings(L: int, values: Sequence[RootSum], j: Point, k: Point) -> list[Any]:
    """sum_i w_i |x_i|^2n h_LM(x_i), M = -L..L, from the 2L + 1 features of one n.

    The coupling matrix is sqrt(d_q / e_M) times a rational matrix (``single`` asserts it), the
    moments of Y_LM are sqrt(e_M) times those of h_LM: the roots of e_M cancel.
    """
    radicands, _ = _rational_harmonics(L)
    rows, right = [], []
    for path, value in zip(coupling_paths(L), values, strict=True):
        coupled = couple(*path, solid_harmonics(path[0], j), solid_harmonics(path[1], k))
        entries = [
            (c * root(Fraction(e))).single() for c, e in zip(coupled, radicands, strict=True)
        ]
        (d,) = {d for d, entry in entries if entry}
        found, rational = value.single()
        assert found == d or not rational
        rows.append([entry for _, entry in entries])
        right.append([rational])
    size = 2 * L + 1
    matrix = DomainMatrix(rows, (size, size), QQ)
    solution: list[Any] = matrix.lu_solve(DomainMatrix(right, (size, 1), QQ)).to_list_flat()
    return solution


@cache
def _decomposition(d: int) -> list[list[Any]]:
    """Monomials of degree d in terms of |x|^(d-L) h_LM: the inverse of the expansion."""
    R, x, y, z = ring("x,y,z", QQ)
    square = x**2 + y**2 + z**2
    rows = []
    for L in range(d % 2, d + 1, 2):
        for h in _rational_harmonics(L)[1]:
            polynomial = R.from_dict(dict(h.terms())) * square ** ((d - L) // 2)
            rows.append([polynomial.get(e, QQ(0)) for e in exponents(d)])
    size = len(exponents(d))
    inverse: list[list[Any]] = DomainMatrix(rows, (size, size), QQ).inv().to_list()
    return inverse


def _monomial_moments(d: int, harmonic: Sequence[Any]) -> Iterator[tuple[Exponents, Any]]:
    for e, row in zip(exponents(d), _decomposition(d), strict=True):
        yield e, sum((a * b for a, b in zip(row, harmonic, strict=True)), QQ(0))
