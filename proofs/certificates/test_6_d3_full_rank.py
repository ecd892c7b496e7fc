"""Theorem D3: if polynomials of degree <= d tell the atoms apart linearly, degree 2d+1 suffices.

Statement. Let m untagged atoms with any non-zero weights (the same in every channel) be such that
the polynomials of degree <= d have full rank m on them. Then their moments of degree <= 2d+1 in
the frame of one non-collinear tagged pair, hence that pair's features with L + 2 n3 <= 2d+1 (the
tagged atoms and their weights known as in D1), determine points and weights. The rank condition
can hold for m <= (d+1)(d+2)(d+3)/6 = 4, 10, 20 atoms at degree 3, 5, 7. Degree 2d does not
suffice.

Proof. Let V_ai = phi_a(x_i) over the monomials phi_a of degree <= d, W the diagonal matrix of the
weights, X_c that of the coordinate c. The moments give H = V W V^T (degree 2d) and H_c = V W X_c
V^T (degree 2d+1). V has rank m, so the pivots I of H are m rows on which V_I is invertible, and
(H_II)^-1 (H_c)_II = V_I^-T X_c V_I^T: three commuting matrices with common eigenvectors, whose
eigenvalues are the coordinates. In a direction v that separates the points the eigenvalues v.x_i
are simple, which pairs the coordinates. The weights follow linearly.

What the machine checks. The decoding in rational arithmetic for d = 1, 2, 3 with 4, 10 and 20
weighted atoms; for d = 1, 2 from the tagged features; for fewer atoms, coplanar and equal-norm
ones included; that the rank condition fails for four coplanar atoms at d = 1 and holds at d = 2;
that degree 2d does not suffice (d = 1, 2: the divided-difference pairs of D1 with m = d+1).

What is assumed. Nothing; that the moments determine every such set of atoms is proved in Coq
(coq/MomentPencil.v).

Literature. The pencil of shifted moment matrices is the matrix-pencil form of Prony's method
(Hua, Sarkar, IEEE Trans. Acoust. Speech Signal Process. 38, 814 (1990)) and of the extraction of
points from flat moment sequences (Curto, Fialkow, Mem. AMS 568 (1996); Henrion, Lasserre (2005)).
"""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest
from environments import ENVIRONMENTS, points, turned
from sympy import QQ
from sympy.polys.matrices import DomainMatrix
from symtrip_reference.reconstruction.decoders import points_by_matrix_pencil
from symtrip_reference.reconstruction.moments import (
    Exponents,
    Point,
    exponents,
    moments,
    monomial,
    subtract_point,
)
from symtrip_reference.reconstruction.tagged import frame_moments, tagged_features

THEOREM = (
    "D3: if polynomials of degree <= d have full rank on the untagged atoms, the moments of degree "
    "<= 2d+1 in one frame determine points and weights (4, 10, 20 atoms at degree 3, 5, 7)."
)
ASSUMES = "nothing; all environments: coq/MomentPencil.v"


def basis(d: int) -> list[Exponents]:
    return [e for degree in range(d + 1) for e in exponents(degree)]


def rank(atoms: list[Point], d: int) -> int:
    rows = [[monomial(x, e) for x in atoms] for e in basis(d)]
    value: int = DomainMatrix(rows, (len(rows), len(atoms)), QQ).rank()
    return value


def weights(m: int) -> list[Any]:
    """Non-zero weights, every third one negative."""
    return [QQ(i + 2, 2 * i + 1) * (-1 if i % 3 == 2 else 1) for i in range(m)]


def grid(d: int) -> list[Point]:
    """All (a, b, c) >= 0 with a + b + c <= d: unisolvent for degree d; moved off the origin."""
    return points(
        [(1 + a, 2 + b, -1 + c) for a, b, c in product(range(d + 1), repeat=3) if a + b + c <= d]
    )


@pytest.mark.parametrize(("d", "count"), [(1, 4), (2, 10), (3, 20)])
def test_as_many_atoms_as_polynomials_are_decoded(d: int, count: int) -> None:
    atoms = grid(d)
    assert len(atoms) == len(basis(d)) == rank(atoms, d) == count
    data = moments(atoms, weights(count), 2 * d + 1)
    assert points_by_matrix_pencil(data, d) == dict(zip(atoms, weights(count), strict=True))


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_environments_are_decoded_at_the_degree_that_their_rank_asks_for(name: str) -> None:
    atoms = points(ENVIRONMENTS[name])
    m = len(atoms)
    d = next(degree for degree in range(1, m) if rank(atoms, degree) == m)
    data = moments(atoms, weights(m), 2 * d + 1)
    assert points_by_matrix_pencil(data, d) == dict(zip(atoms, weights(m), strict=True))


@pytest.mark.parametrize("d", [1, 2])
def test_the_features_of_one_pair_give_back_the_weighted_environment(d: int) -> None:
    tagged = points([(1, 2, 2), (0, 1, -1)])
    unknown = grid(1) if d == 1 else points(ENVIRONMENTS["generic"])
    atoms = tagged + unknown
    w = [QQ(2, 3), QQ(3, 5), *weights(len(unknown))]
    assert rank(unknown, d) == len(unknown)
    u, v = (turned(x) for x in tagged)
    data = frame_moments(
        tagged_features(tagged[0], tagged[1], atoms, w, 2 * d + 1), u, v, 2 * d + 1
    )
    rest = subtract_point(subtract_point(data, u, w[0]), v, w[1])
    assert points_by_matrix_pencil(rest, d) == {
        turned(x): c for x, c in zip(unknown, w[2:], strict=True)
    }


def test_coplanar_atoms_need_a_higher_degree() -> None:
    atoms = points([(1, 0, 1), (0, 1, 1), (2, 3, 1), (-1, 1, 1)])
    assert rank(atoms, 1) == 3
    assert rank(atoms, 2) == 4
    assert points_by_matrix_pencil(moments(atoms, weights(4), 5), 2) == dict(
        zip(atoms, weights(4), strict=True)
    )


@pytest.mark.parametrize("d", [1, 2])
def test_degree_two_d_does_not_suffice(d: int) -> None:
    # d+1 atoms on a line, the two halves of a divided difference of 2d+2 points.
    parameters = range(2 * d + 2)
    signed = {}
    for s in parameters:
        value = QQ(1)
        for t in parameters:
            if t != s:
                value /= s - t
        signed[s] = value
    halves = [
        (points([(1 + t, t, 2 - t) for t, w in signed.items() if sign * w > 0]),
         [sign * w for w in signed.values() if sign * w > 0])
        for sign in (1, -1)
    ]  # fmt: skip
    assert all(len(x) == rank(x, d) == d + 1 for x, _ in halves)
    assert moments(*halves[0], 2 * d) == moments(*halves[1], 2 * d)
    assert moments(*halves[0], 2 * d + 1) != moments(*halves[1], 2 * d + 1)
    for x, w in halves:
        assert points_by_matrix_pencil(moments(x, w, 2 * d + 1), d) == dict(zip(x, w, strict=True))
