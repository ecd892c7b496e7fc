"""How far a two-ring pair is from the set where its two members are congruent."""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor

from symtrip.degenerate.two_ring import Angles, Scalar, two_ring_arguments
from symtrip.errors import require

__all__ = ["distance_to_exceptional_set", "exceptional_distances"]

_TURN = 2.0 * math.pi


def distance_to_exceptional_set(
    r: Scalar, z1: Scalar, z2: Scalar, psi: Scalar, angles: Angles, *, group: str = "O3"
) -> Float[Tensor, "*batch"]:
    """How far the atoms must move until A+ and A- are congruent.

    The least of :func:`exceptional_distances`; zero exactly if the members are congruent.

    Args:
        r: as in :func:`symtrip.degenerate.two_ring_pair`.
        z1: as there.
        z2: as there.
        psi: as there.
        angles: as there.
        group: "O3": rotations and reflections about the centre; "SO3": rotations only.

    Returns:
        (*batch) in Å, >= 0; differentiable almost everywhere.

    Raises:
        InputError: as :func:`symtrip.degenerate.two_ring_pair`, or another group.

    Accuracy:
        8 eps (r + |z1| + |z2|) for angles of a few turns.

    Source:
        Theorem A of the documentation's theory page: the set where the members are congruent, for
        r > 0 and an apex that cannot be exchanged with a ring atom. It can only if it is of the
        rings' species, z2^2 = r^2 + z1^2, and the rings do not have three atoms; such pairs may be
        congruent where this distance is positive.
    """
    distances = exceptional_distances(r, z1, z2, psi, angles, group=group)
    return torch.stack(list(distances.values())).amin(dim=0)


def exceptional_distances(
    r: Scalar, z1: Scalar, z2: Scalar, psi: Scalar, angles: Angles, *, group: str = "O3"
) -> dict[str, Float[Tensor, "*batch"]]:
    """Distance to each part of the set where A+ and A- are congruent.

    A distance is the least, over the exceptional pairs of that part, of the largest displacement of
    an atom; an atom's displacement is the longer of its way along its circle and that along z.

    * ``"apex"``: z2 = 0; A+ and A- are identical.
    * ``"ring"``: the ring is its own mirror image (as every ring of one or two atoms and every
      isosceles triangle); a half turn about a horizontal axis maps A+ onto A-.
    * ``"plane"``: z1 = 0. Under O(3) that suffices (mirror z = 0); under SO(3) the atoms of both
      rings together must be their own mirror image as well. That part of the distance lets the ring
      atoms move independently, so it is a lower bound there.
    * ``"twist"`` (O(3) only): 2 psi is a multiple of 2 pi/m and the ring has an m-fold axis, for
      some m that divides n (m = 1: psi is a multiple of pi).

    Args:
        r: as in :func:`symtrip.degenerate.two_ring_pair`.
        z1: as there.
        z2: as there.
        psi: as there.
        angles: as there.
        group: "O3" or "SO3".

    Returns:
        The distances in Å, each (*batch).

    Raises:
        InputError: as :func:`symtrip.degenerate.two_ring_pair`, or another group.
    """
    require(group in ("O3", "SO3"), "group", 'be "O3" or "SO3"', repr(group), "choose one of them")
    r, z1, z2, psi, angles = two_ring_arguments(r, z1, z2, psi, angles)
    distances = {"apex": z2.abs(), "ring": r.abs() * _angle_to_achiral(angles)}
    if group == "O3":
        return distances | {"plane": z1.abs(), "twist": r.abs() * _angle_to_twist(psi, angles)}
    both = _angle_to_achiral(torch.cat([angles, angles + psi[..., None]], dim=-1))
    return distances | {"plane": torch.maximum(z1.abs(), r.abs() * both)}


def _angle_to_achiral(angles: Tensor) -> Tensor:
    """Least angle by which the atoms of a ring must move to make it its own mirror image.

    A reflection reverses the order around the circle, so it pairs the k-th atom with the (c - k)-th
    for one of n values of c; both then share the deviation of the sum of their angles.
    """
    n = angles.shape[-1]
    ordered = torch.sort(torch.remainder(angles, _TURN), dim=-1).values
    k = torch.arange(n, device=angles.device)
    partner = k[:, None] - k
    # Atom -1 is atom n - 1 one turn earlier.
    turns = torch.div(partner, n, rounding_mode="floor").to(ordered.dtype)
    lifted = ordered[..., partner % n] + _TURN * turns
    sums = ordered[..., None, :] + lifted
    spread = sums.amax(dim=-1) - sums.amin(dim=-1)
    return spread.amin(dim=-1) / 4.0


def _angle_to_twist(psi: Tensor, angles: Tensor) -> Tensor:
    """Least angle by which ring atoms must move until psi is a multiple of pi/m, m the ring's axis.

    Making an m-fold ring costs half the largest spread among atoms that the axis exchanges; psi is
    then changed by turning the rings against each other, each by half.
    """
    n = angles.shape[-1]
    ordered = torch.sort(torch.remainder(angles, _TURN), dim=-1).values
    candidates = []
    for m in (m for m in range(1, n + 1) if n % m == 0):
        turns = torch.arange(m, device=angles.device, dtype=angles.dtype) * (_TURN / m)
        cosets = ordered.reshape(*ordered.shape[:-1], m, n // m) - turns[:, None]
        spread = (cosets.amax(dim=-2) - cosets.amin(dim=-2)).amax(dim=-1)
        step = math.pi / m
        away = torch.remainder(psi + step / 2.0, step) - step / 2.0
        candidates.append(spread / 2.0 + away.abs() / 2.0)
    return torch.stack(candidates).amin(dim=0)
