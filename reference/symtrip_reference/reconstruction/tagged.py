"""The features of one tagged pair, exactly, and the moments of the neighbours in its frame.

The features are those of :func:`symtrip_reference.triplet_features` with its ``Monomials`` basis
(radial functions r^(l + 2n), delta density), without the constants C(L,L,0) and (4 pi)^(-3/2);
neighbours may carry weights (cutoff factors), tagged atoms do not.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from functools import cache
from typing import Any

from sympy import QQ
from sympy.polys.matrices import DomainMatrix
from sympy.polys.rings import PolyElement, ring

from symtrip_reference._checks import require
from symtrip_reference.reconstruction.couplings import (
    ORTHONORMAL,
    Form,
    Path,
    couple,
    coupling_paths,
    solid_harmonics,
)
from symtrip_reference.reconstruction.matrices import solve
from symtrip_reference.reconstruction.moments import Exponents, Moments, Point, exponents
from symtrip_reference.reconstruction.roots import RootSum, root

__all__ = [
    "SCALAR",
    "Features",
    "frame_moments",
    "frame_of_the_pair",
    "gram_of_the_pair",
    "tagged_features",
    "used_channels",
]

Channel = tuple[Path, tuple[int, int, int]]
Features = Mapping[Channel, RootSum]
"""(l1, l2, L), (n1, n2, n3) -> sum_M [g_j^l1 x g_k^l2]^L_M rho^L_M in those radial channels."""

SCALAR: Channel = ((0, 0, 0), (0, 0, 0))
"""The channel that carries the total weight."""


def used_channels(degree: int) -> list[Channel]:
    """All that the decoders use.

    The paths of :func:`coupling_paths` for L + 2 n3 <= ``degree``; (0, 0, 0) with n1 = 1 and with
    n2 = 1, and (1, 1, 0), which give the Gram matrix of the pair.
    """
    moments = [
        (path, (0, 0, n))
        for L in range(degree + 1)
        for n in range((degree - L) // 2 + 1)
        for path in coupling_paths(L)
    ]
    return [
        *moments,
        ((0, 0, 0), (1, 0, 0)),
        ((0, 0, 0), (0, 1, 0)),
        ((1, 1, 0), (0, 0, 0)),
    ]


def tagged_features(
    j: Point, k: Point, neighbors: Sequence[Point], weights: Sequence[Any], degree: int
) -> Features:
    """The :func:`used_channels` of one tagged pair in an environment of one species.

    Args:
        j: rational position of the first tagged atom (elements of QQ).
        k: that of the second.
        neighbors: positions of the atoms of the density.
        weights: their weights.
        degree: largest L + 2 n3.

    Source: Nigam et al., APL Mach. Learn. 2, 016110 (2024), Eq. 1, for one radial basis.
    """
    top = max(degree, 1)
    at_j = [solid_harmonics(l, j) for l in range(top + 1)]
    at_k = [solid_harmonics(l, k) for l in range(top + 1)]
    at_neighbors = [[solid_harmonics(l, x) for x in neighbors] for l in range(degree + 1)]

    @cache
    def density(L: int, n: int) -> list[RootSum]:
        weighted = [
            [y.scaled(w * _dot(x, x) ** n) for y in harmonics]
            for x, w, harmonics in zip(neighbors, weights, at_neighbors[L], strict=True)
        ]
        return [RootSum.total(components) for components in zip(*weighted, strict=True)]

    def contract(path: Path, n: tuple[int, int, int]) -> RootSum:
        coupled = couple(*path, at_j[path[0]], at_k[path[1]])
        sharp = RootSum.total(c * r for c, r in zip(coupled, density(path[2], n[2]), strict=True))
        return sharp.scaled(_dot(j, j) ** n[0] * _dot(k, k) ** n[1])

    return {(path, n): contract(path, n) for path, n in used_channels(degree)}


def _dot(u: Sequence[Any], v: Sequence[Any]) -> Any:
    return u[0] * v[0] + u[1] * v[1] + u[2] * v[2]


def gram_of_the_pair(features: Features) -> tuple[Any, Any, Any]:
    """|r_j|^2, r_j.r_k, |r_k|^2 from features alone; needs sum of the weights != 0.

    Raises:
        InputError: features of no pair of atoms with rational scalar products.
    """
    _, mass = features[SCALAR].single()
    _require_a_pair(bool(mass), "weights that sum to zero")
    jj = features[(0, 0, 0), (1, 0, 0)].single()[1] / mass
    kk = features[(0, 0, 0), (0, 1, 0)].single()[1] / mass
    # [Y_1 x Y_1]^0 = -sqrt(3) r_j.r_k here: 3 from the harmonics, -1/sqrt 3 from the coupling.
    radicand, coupled = features[(1, 1, 0), (0, 0, 0)].single()
    _require_a_pair(radicand == 3 or not coupled, f"a root of {radicand} in the path (1, 1, 0)")
    jk = -coupled / mass
    _require_a_pair(jj > 0 and kk > 0 and jk * jk <= jj * kk, f"the Gram matrix {jj}, {jk}, {kk}")
    return jj, jk, kk


def _require_a_pair(ok: bool, found: str) -> None:
    require(
        ok,
        "features",
        "be those of two atoms with rational scalar products",
        found,
        "compute them with triplet_features, Monomials and DeltaDensity at rational positions",
    )


def frame_of_the_pair(gram: tuple[Any, Any, Any]) -> tuple[Form, Point, Point]:
    """The orthogonal axes r_k - (r_j.r_k / |r_j|^2) r_j, r_j x r_k, r_j of a non-collinear pair.

    In them every atom with rational scalar products has rational coordinates.

    Args:
        gram: as :func:`gram_of_the_pair` returns it.

    Returns:
        The squared lengths of the axes, and the coordinates of j and of k.
    """
    jj, jk, kk = gram
    across = kk - jk * jk / jj
    zero, one = QQ(0), QQ(1)
    return (across, jj * across, jj), (zero, zero, one), (one, zero, jk / jj)


def frame_moments(
    features: Features, j: Point, k: Point, degree: int, form: Form = ORTHONORMAL
) -> Moments:
    """Moments of the neighbours up to ``degree``, in the coordinates in which j and k are given.

    Args:
        features: as :func:`tagged_features` returns them.
        j: a vector that, with ``k``, has the Gram matrix of the tagged pair.
        k: the other one; not collinear with ``j``.
        degree: largest L + 2 n3.
        form: squared lengths of the axes of these coordinates.

    Source: theorem 5 of the proofs: the 2L + 1 couplings of each L are a basis.
    """
    data: dict[Exponents, Any] = {}
    for d in range(degree + 1):
        by_momentum = []
        for L in range(d % 2, d + 1, 2):
            values = [features[path, (0, 0, (d - L) // 2)] for path in coupling_paths(L)]
            by_momentum.extend(_solve_couplings(L, values, j, k, form))
        data.update(_monomial_moments(d, by_momentum, form))
    return data


@cache
def _rational_harmonics(L: int, form: Form) -> tuple[list[int], list[PolyElement]]:
    """Y_LM = sqrt(e_M) h_M with rational polynomials h_M: all e_M and h_M."""
    _, *xyz = ring("x,y,z", QQ)
    singles = [h.single() for h in solid_harmonics(L, xyz, form)]
    return [e for e, _ in singles], [h for _, h in singles]


def _solve_couplings(
    L: int, values: Sequence[RootSum], j: Point, k: Point, form: Form
) -> list[Any]:
    """sum_i w_i |x_i|^2n h_LM(x_i), M = -L..L, from the 2L + 1 features of one n.

    The coupling matrix is sqrt(d_q / e_M) times a rational matrix (``single`` asserts it), the
    moments of Y_LM are sqrt(e_M) times those of h_LM: the roots of e_M cancel.
    """
    radicands, _ = _rational_harmonics(L, form)
    rows, right = [], []
    for path, value in zip(coupling_paths(L), values, strict=True):
        left = solid_harmonics(path[0], j, form)
        coupled = couple(*path, left, solid_harmonics(path[1], k, form))
        entries = [
            (c * root(Fraction(e))).single() for c, e in zip(coupled, radicands, strict=True)
        ]
        (d,) = {d for d, entry in entries if entry}
        found, rational = value.single()
        _require_a_pair(found == d or not rational, f"a root of {found} in the path {path}")
        rows.append([entry for _, entry in entries])
        right.append(rational)
    return solve(rows, right)


@cache
def _decomposition(d: int, form: Form) -> list[list[Any]]:
    """Monomials of degree d in terms of |x|^(d-L) h_LM: the inverse of the expansion."""
    R, x, y, z = ring("x,y,z", QQ)
    square = x**2 * form[0] + y**2 * form[1] + z**2 * form[2]
    rows = []
    for L in range(d % 2, d + 1, 2):
        for h in _rational_harmonics(L, form)[1]:
            polynomial = R.from_dict(dict(h.terms())) * square ** ((d - L) // 2)
            rows.append([polynomial.get(e, QQ(0)) for e in exponents(d)])
    size = len(exponents(d))
    inverse: list[list[Any]] = DomainMatrix(rows, (size, size), QQ).inv().to_list()
    return inverse


def _monomial_moments(
    d: int, harmonic: Sequence[Any], form: Form
) -> Iterator[tuple[Exponents, Any]]:
    for e, row in zip(exponents(d), _decomposition(d, form), strict=True):
        yield e, sum((a * b for a, b in zip(row, harmonic, strict=True)), QQ(0))
