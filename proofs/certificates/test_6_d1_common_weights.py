"""Theorem D1: moments of degree <= 2m-1 determine m weighted atoms.

Statement. Let m untagged atoms at distinct points carry any non-zero weights, the same weight in
every channel (L, n) (a cutoff factor, for example). The moments in the frame of one non-collinear
tagged pair of degree <= 2m-1 determine the points and the weights; hence so do that pair's
features with L + 2 n3 <= 2m-1 (the tagged atoms and their weights are known: their distances from
the channels of D2, their weights from the cutoff function). For unrestricted weights the degree
cannot be lowered, not even for positive ones and atoms on a line.

Proof. If two such measures have equal moments, their difference is carried by M <= 2m points and
annihilates all polynomials of degree <= 2m-1. For a point x_0 of them choose a direction v in
which the others have other projections than x_0; p(x) = prod_{i > 0} v.(x - x_i) has degree M-1
<= 2m-1 and vanishes at all points but x_0: the weight of x_0 is zero. Decoding: of the directions
(1, t, t^2) at most two for each pair of points hide their difference, so one of any m(m-1)+1
separates them; there the Hankel matrix of the projected moments (degree <= 2m-2) has rank m, and
its recurrence (degree <= 2m-1) has the projections as roots (Prony). Then weights and coordinates
follow from Vandermonde systems (degree <= m).

What the machine checks. Decoding in rational arithmetic of weighted environments, coplanar,
collinear and equal-norm ones included, also from the tagged features through Theorem 5; the
polynomials p for these; sharpness, symbolically for m = 1, 2, 3: the divided difference at t_1 <
... < t_2m annihilates degree <= 2m-2, is 1 at t^(2m-1), and its weights alternate in sign.

What is assumed. Nothing.

Literature. Prony, J. de l'Ecole Polytechnique 1(2), 24 (1795); the separation lemma is classical
and is also proved in Coq (proofs/coq). Weighted moments in a frame: this project.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from environments import ENVIRONMENTS, points, turned
from geometry import dot, subtract
from sympy import QQ
from sympy.polys.rings import ring
from symtrip_reference.reconstruction.decoders import prony
from symtrip_reference.reconstruction.matrices import hankel, rank, solve
from symtrip_reference.reconstruction.moments import (
    Moments,
    Point,
    directional_moments,
    moments,
    subtract_point,
)
from symtrip_reference.reconstruction.tagged import frame_moments, tagged_features

THEOREM = (
    "D1: the moments of degree <= 2m-1 in the frame of one pair determine m atoms with any "
    "non-zero weights; for unrestricted weights the degree is sharp."
)
ASSUMES = "nothing; all environments: coq/MomentSeparation.v"

ONE = QQ(1)
WEIGHTS = [ONE, QQ(1, 2), QQ(-2, 3), QQ(3, 7), QQ(1, 5), QQ(5, 4)]
"""A negative one as well: the theorem asks for non-zero weights only."""


def decode(data: Moments, m: int) -> dict[Point, Any]:
    """Points and weights of m atoms from their moments of degree <= 2m-1."""
    for t in range(m * (m - 1) + 1):
        direction = (ONE, QQ(t), QQ(t * t))
        projected = directional_moments(data, direction, 2 * m - 1)
        if rank(hankel(projected, m)) == m:
            break
    else:
        raise AssertionError("no direction separates the points")
    weighted = prony(projected, m)
    roots, weights = list(weighted), list(weighted.values())
    vandermonde = [[root**power for root in roots] for power in range(m)]
    columns = []
    for axis in ((1, 0, 0), (0, 1, 0), (0, 0, 1)):
        first = directional_moments(data, direction, m - 1, axis)
        columns.append([x / w for x, w in zip(solve(vandermonde, first), weights, strict=True)])
    return dict(zip(zip(*columns, strict=True), weights, strict=True))


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_weighted_moments_give_back_points_and_weights(name: str) -> None:
    atoms = points(ENVIRONMENTS[name])
    m = len(atoms)
    data = moments(atoms, WEIGHTS[:m], 2 * m - 1)
    assert decode(data, m) == dict(zip(atoms, WEIGHTS[:m], strict=True))


@pytest.mark.parametrize("name", ["generic", "coplanar with the tagged pair", "equal norms"])
def test_the_features_of_one_pair_give_back_the_weighted_environment(name: str) -> None:
    # Three untagged atoms: degree 5. The tagged atoms have known positions and known weights.
    atoms = points(ENVIRONMENTS[name])[:5]
    weights = [QQ(3, 4), QQ(1, 3), *WEIGHTS[1:4]]
    u, v = turned(atoms[0]), turned(atoms[1])
    features = tagged_features(atoms[0], atoms[1], atoms, weights, 5)
    data = frame_moments(features, u, v, 5)
    rest = subtract_point(subtract_point(data, u, weights[0]), v, weights[1])
    expected = {turned(x): w for x, w in zip(atoms[2:], weights[2:], strict=True)}
    assert decode(rest, 3) == expected


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_a_product_of_linear_forms_singles_out_each_point(name: str) -> None:
    atoms = points(ENVIRONMENTS[name])
    for x in atoms:
        others = [y for y in atoms if y != x]
        for t in range(2 * len(others) + 1):
            direction = (ONE, QQ(t), QQ(t * t))
            values = [dot(direction, subtract(x, y)) for y in others]
            if all(values):
                break
        else:
            raise AssertionError("no direction separates the point")

        def product_at(z: Point, direction: Point = direction, others: list[Point] = others) -> Any:
            value = ONE
            for y in others:
                value *= dot(direction, subtract(z, y))
            return value

        assert product_at(x) != 0
        assert all(product_at(y) == 0 for y in others)


@pytest.mark.parametrize("m", [1, 2, 3])
def test_for_unrestricted_positive_weights_the_degree_is_sharp(m: int) -> None:
    # Divided difference: weights 1 / prod_{j != i} (t_i - t_j), times prod_{i < j} (t_j - t_i).
    R, *t = ring(f"t:{2 * m}", QQ)
    vandermonde = R(1)
    for i, later in enumerate(t):
        for earlier in t[:i]:
            vandermonde *= later - earlier
    weights = []
    for x in t:
        denominator = R(1)
        for y in t:
            if y != x:
                denominator *= x - y
        weights.append(vandermonde.exquo(denominator))
    for degree in range(2 * m):
        moment = sum((w * x**degree for w, x in zip(weights, t, strict=True)), R(0))
        assert moment == (vandermonde if degree == 2 * m - 1 else 0)
    # For t_0 < t_1 < ... the Vandermonde product is positive and the weights alternate in sign.
    increasing = [(x, QQ(n)) for n, x in enumerate(t)]
    values = [w.evaluate(increasing) for w in weights]
    assert [v > 0 for v in values] == [i % 2 == 1 for i in range(2 * m)]


def test_two_positive_measures_of_two_atoms_agree_up_to_degree_two() -> None:
    # m = 2 and t = 0, 1, 2, 3: six times the divided difference is -1, 3, -3, 1.
    def line(parameters: Sequence[int]) -> list[Point]:
        return points([(1 + t, 2, 1 - t) for t in parameters])

    left, right = (line((0, 2)), [ONE, QQ(3)]), (line((1, 3)), [QQ(3), ONE])
    assert moments(*left, 2) == moments(*right, 2)
    assert moments(*left, 3) != moments(*right, 3)
    assert decode(moments(*left, 3), 2) == dict(zip(*left, strict=True))
    assert decode(moments(*right, 3), 2) == dict(zip(*right, strict=True))
