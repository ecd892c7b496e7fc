"""The objects under test, taken from ``symtrip_reference`` and written as exact polynomials.

Harmonics carry a factor sqrt(4 pi) throughout, so that nothing transcendental is left:
Y here is sqrt(4 pi) Y_lm, and a triplet invariant here is (4 pi)^(3/2) times the package's.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

from sympy.polys.rings import PolyElement
from symtrip_reference.coupling import complex_clebsch_gordan
from symtrip_reference.reconstruction.couplings import (
    couple,
    real_coefficient,
    real_terms,
    solid_harmonics,
)
from symtrip_reference.reconstruction.roots import RootSum, rational, root_of

__all__ = [
    "complex_coefficient",
    "couple",
    "paths",
    "rational_vector",
    "real_coefficient",
    "real_terms",
    "solid_harmonics",
    "triplet_polynomial",
]


def paths(max_angular: int) -> Iterator[tuple[int, int, int]]:
    """All (l1, l2, L) up to ``max_angular`` that satisfy the triangle rule."""
    for l1 in range(max_angular + 1):
        for l2 in range(max_angular + 1):
            for L in range(abs(l1 - l2), min(l1 + l2, max_angular) + 1):
                yield l1, l2, L


@cache
def complex_coefficient(l1: int, m1: int, l2: int, m2: int, L: int, M: int) -> RootSum:
    return root_of(complex_clebsch_gordan(l1, m1, l2, m2, L, M))


def triplet_polynomial(
    l1: int,
    l2: int,
    L: int,
    tagged_j: Sequence[PolyElement],
    tagged_k: Sequence[PolyElement],
    neighbor: Sequence[PolyElement],
) -> RootSum:
    """F_jk of one neighbour with polynomial radial functions r^l, as a polynomial.

    C(L, L, 0) sum_M [(g_j^l1 x g_k^l2)^L_M] rho^L_M  (Eq. 1 of the paper), times (4 pi)^(3/2).
    """
    coupled = couple(l1, l2, L, solid_harmonics(l1, tagged_j), solid_harmonics(l2, tagged_k))
    scalar = real_coefficient(L, 0, L, 0, 0, 0)
    rho = solid_harmonics(L, neighbor)
    return scalar * RootSum.total(c * y for c, y in zip(coupled, rho, strict=True))


def rational_vector(vector: Sequence[Any]) -> tuple[Any, Any, Any]:
    """Three ints or Fractions as elements of QQ."""
    x, y, z = (rational(c) for c in vector)
    return x, y, z
