"""Degenerate pairs A+ and A-: two rings turned against each other and one atom on the axis."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sympy

from symtrip_reference._checks import exact_number, require
from symtrip_reference.density import Environment

__all__ = ["TwoRingPair", "two_ring_pair"]


@dataclass(frozen=True)
class TwoRingPair:
    """Both members of a two-ring pair; neighbours are ordered ring U, ring L, axis atom."""

    plus: Environment
    minus: Environment


def two_ring_pair(
    r: Any,
    z1: Any,
    z2: Any,
    psi: Any,
    angles: Sequence[Any],
    *,
    ring_species: int = 1,
    axis_species: int | None = None,
) -> TwoRingPair:
    """A± = rings U_i = (r cos p_i, r sin p_i, z1), L_i = (r cos(p_i + psi), ..., -z1), (0, 0, ±z2).

    Args:
        r: ring radius in Å, an exact number.
        z1: height of the rings in Å, exact.
        z2: height of the axis atom in Å, exact.
        psi: twist: an exact angle (for example ``sympy.pi / 7``), or a pair (cos, sin) of exact
            numbers with cos^2 + sin^2 = 1, such as (Fraction(3, 5), Fraction(4, 5)).
        angles: ring angles p_i, each like ``psi``.
        ring_species: species of both rings.
        axis_species: species of the axis atom; that of the rings when left out.

    Returns:
        The two members. All correlations nu <= 3 (and every other SO(3)-invariant of ordered
        neighbour triples) agree between them.

    Raises:
        InputError: a float, or a (cos, sin) pair off the unit circle.

    Accuracy: exact.

    Source: Pozdnyakov et al., Phys. Rev. Lett. 125, 166001 (2020); Nigam et al., APL Mach. Learn.
    2, 016110 (2024), Fig. 1.
    """
    radius, height, axis = (
        exact_number(name, value) for name, value in (("r", r), ("z1", z1), ("z2", z2))
    )
    twist = _cos_sin("psi", psi)
    upper, lower = [], []
    for i, angle in enumerate(angles):
        c, s = _cos_sin(f"angles[{i}]", angle)
        upper.append((radius * c, radius * s, height))
        turned = (c * twist[0] - s * twist[1], s * twist[0] + c * twist[1])
        lower.append((*(sympy.expand(radius * t) for t in turned), -height))
    species = [ring_species] * (2 * len(upper))
    species.append(ring_species if axis_species is None else axis_species)
    members = [Environment([*upper, *lower, (0, 0, sign * axis)], species) for sign in (1, -1)]
    return TwoRingPair(*members)


def _cos_sin(argument: str, angle: Any) -> tuple[sympy.Expr, sympy.Expr]:
    if isinstance(angle, (tuple, list)) and len(angle) == 2:
        c, s = (exact_number(argument, x) for x in angle)
        require(
            bool(sympy.simplify(c * c + s * s - 1) == 0),
            argument,
            "lie on the unit circle when it is a pair (cos, sin)",
            tuple(angle),
            "write for example (Fraction(3, 5), Fraction(4, 5))",
        )
        return c, s
    value = exact_number(argument, angle)
    return sympy.cos(value), sympy.sin(value)
