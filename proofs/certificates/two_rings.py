"""The two-ring pairs A+- by name and in exact coordinates.

A+- : ring U_i = (r cos p_i, r sin p_i, z1), ring L_i = (r cos(p_i + psi), r sin(p_i + psi), -z1),
axis atom h = (0, 0, +-z2).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

__all__ = [
    "AXIS",
    "Atom",
    "Planar",
    "atoms",
    "cyclic_rings",
    "rotated",
    "tangent_angle",
    "two_ring_environment",
]

Planar = tuple[Any, Any]

Atom = tuple[str, int]
"""("U", i), ("L", i) or AXIS: an atom by its name."""

AXIS: Atom = ("h", 0)


def atoms(ring_size: int) -> list[Atom]:
    """h, U_0.., L_0..: the order of :func:`two_ring_environment`."""
    return [AXIS, *((ring, i) for ring in "UL" for i in range(ring_size))]


def tangent_angle(t: Any) -> tuple[Any, Any]:
    """(cos, sin) of the angle whose half has the tangent ``t``: a rational point of the circle."""
    return (1 - t * t) / (1 + t * t), 2 * t / (1 + t * t)


def rotated(points: Sequence[Planar], angle: Planar) -> list[Planar]:
    """Points of the plane turned by an angle, given as (cos, sin) or a multiple of it."""
    c, s = angle
    return [(c * x - s * y, s * x + c * y) for x, y in points]


def two_ring_environment(
    upper: Sequence[Planar], lower: Sequence[Planar], z1: Any, z2: Any, *, axis_species: int = 1
) -> list[tuple[int, tuple[Any, Any, Any]]]:
    """h, U_0.., L_0.. as (species, vector) from the rings' planar points; the rings have species 1.

    All lengths may carry one common factor, which keeps coordinates integer.
    """
    axis = (upper[0][0] * 0, upper[0][0] * 0, z2)
    rings = [(x, y, z1) for x, y in upper] + [(x, y, -z1) for x, y in lower]
    return [(axis_species, axis), *((1, v) for v in rings)]


def cyclic_rings(n: int, sizes: Sequence[int]) -> list[tuple[int, ...]]:
    """Subsets of Z_n of the given sizes, one for each class under rotation."""
    rings = []
    for mask in range(1, 1 << n):
        members = tuple(x for x in range(n) if mask >> x & 1)
        if len(members) in sizes:
            shifted = (sum(1 << (x + t) % n for x in members) for t in range(1, n))
            if all(mask <= other for other in shifted):
                rings.append(members)
    return rings
