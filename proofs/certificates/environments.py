"""Rational environments on which the decoders are tried; the first two atoms are tagged."""

from __future__ import annotations

from typing import Any

from coupled import rational_vector
from geometry import matrix_vector, rational_rotation
from symtrip_reference.reconstruction.moments import Point
from symtrip_reference.reconstruction.roots import rational

__all__ = ["ENVIRONMENTS", "TURN", "points", "turned"]

ENVIRONMENTS = {
    "generic": [(1, 2, 3), (2, -1, 1), (0, 1, -2), (3, 1, 1), (-1, -2, 1), (2, 2, -3)],
    "coplanar with the tagged pair": [(1, 2, 0), (2, -1, 0), (3, 3, 0), (-2, 1, 0), (1, -4, 0)],
    "coplanar, in a plane that does not hold the pair": [
        (1, 0, 0), (0, 1, 0), (1, 1, 1), (2, -1, 1), (-3, 2, 1), (4, 1, 1),
    ],
    "collinear but for two": [
        (1, 0, 2), (0, 2, 1), (1, 1, 1), (2, 2, 2), (-1, -1, -1), (-3, -3, -3),
    ],
    "collinear but for one": [(0, 1, 2), (1, 1, 1), (2, 2, 2), (-1, -1, -1), (-3, -3, -3)],
    "on a line beside the centre": [(1, 0, 0), (0, 1, 0), (0, 0, 1), (1, 1, 1), (2, 2, 1)],
    "equal norms": [(1, 2, 2), (2, 1, 2), (-2, 2, 1), (3, 0, 0), (0, 0, -3), (-1, 2, -2)],
    "atoms and their antipodes": [(1, 2, 2), (2, 0, 1), (-1, -2, -2), (-2, 0, -1), (1, 0, 0)],
    "regular octahedron": [(1, 0, 0), (0, 1, 0), (-1, 0, 0), (0, -1, 0), (0, 0, 1), (0, 0, -1)],
}  # fmt: skip

TURN = rational_rotation(1, 2, -1, 3)
"""The decoders work in a frame turned by this, so that they cannot copy the coordinates."""


def points(vectors: Any) -> list[Point]:
    return [rational_vector(v) for v in vectors]


def turned(point: Point) -> Point:
    matrix = [[rational(c) for c in row] for row in TURN]
    return matrix_vector(matrix, point)
