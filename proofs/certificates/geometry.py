"""Vectors over any commutative ring, and exact congruence of finite coloured point sets.

Coordinates may be rationals, elements of Q(sqrt 3), polynomials or sympy expressions; nothing here
divides or rounds. An environment is a sequence of (species, vector); its vectors are distinct.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Any

__all__ = [
    "Environment",
    "Vector",
    "congruences",
    "cross",
    "det",
    "dot",
    "matrix_vector",
    "rational_rotation",
    "subtract",
]

Vector = Sequence[Any]
Environment = Sequence[tuple[Any, Vector]]


def dot(u: Vector, v: Vector) -> Any:
    return u[0] * v[0] + u[1] * v[1] + u[2] * v[2]


def cross(u: Vector, v: Vector) -> tuple[Any, Any, Any]:
    return (
        u[1] * v[2] - u[2] * v[1],
        u[2] * v[0] - u[0] * v[2],
        u[0] * v[1] - u[1] * v[0],
    )


def det(u: Vector, v: Vector, w: Vector) -> Any:
    return dot(u, cross(v, w))


def subtract(u: Vector, v: Vector) -> tuple[Any, Any, Any]:
    return u[0] - v[0], u[1] - v[1], u[2] - v[2]


def matrix_vector(matrix: Sequence[Vector], v: Vector) -> tuple[Any, Any, Any]:
    x, y, z = (dot(row, v) for row in matrix)
    return x, y, z


def rational_rotation(a: int, b: int, c: int, d: int) -> tuple[Vector, Vector, Vector]:
    """The rotation of the quaternion a + b i + c j + d k, with rational entries."""
    n = a * a + b * b + c * c + d * d
    rows = (
        (a * a + b * b - c * c - d * d, 2 * (b * c - a * d), 2 * (b * d + a * c)),
        (2 * (b * c + a * d), a * a - b * b + c * c - d * d, 2 * (c * d - a * b)),
        (2 * (b * d - a * c), 2 * (c * d + a * b), a * a - b * b - c * c + d * d),
    )
    first, second, third = (tuple(Fraction(x, n) for x in row) for row in rows)
    return first, second, third


def congruences(
    x: Environment, y: Environment, *, improper: bool = False
) -> Iterator[tuple[int, ...]]:
    """All ways in which a rotation (or rotation with inversion) maps ``x`` onto ``y``.

    Yields, for every such orthogonal matrix of determinant +1 (-1 if ``improper``), the index in
    ``y`` of the image of each atom of ``x``. Complete by Theorem 0 (test_0_central_theorem.py): the
    map is fixed by the images of one non-collinear pair of ``x``, and it exists if and only if the
    atoms have equal dot products with that pair and equal (opposite) determinants.

    Args:
        x: environment with at least one non-collinear pair.
        y: environment.
        improper: look for determinant -1.
    """
    if len(x) != len(y):
        return
    a, b = next((a, b) for b in range(len(x)) for a in range(b) if any(cross(x[a][1], x[b][1])))
    normal = cross(x[a][1], x[b][1])
    wanted = [(s, dot(v, x[a][1]), dot(v, x[b][1]), dot(v, normal)) for s, v in x]
    for p in range(len(y)):
        if y[p][0] != x[a][0] or dot(y[p][1], y[p][1]) != wanted[a][1]:
            continue
        for q in range(len(y)):
            if y[q][0] != x[b][0] or dot(y[p][1], y[q][1]) != wanted[a][2]:
                continue
            if dot(y[q][1], y[q][1]) != wanted[b][2]:
                continue
            image_normal = cross(y[p][1], y[q][1])
            if improper:
                image_normal = (-image_normal[0], -image_normal[1], -image_normal[2])
            found = {
                (s, dot(v, y[p][1]), dot(v, y[q][1]), dot(v, image_normal)): i
                for i, (s, v) in enumerate(y)
            }
            if all(w in found for w in wanted):
                yield tuple(found[w] for w in wanted)
