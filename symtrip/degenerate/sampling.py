"""Random members of a family that are well away from degeneration."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from jaxtyping import Float
from torch import Tensor

from symtrip.errors import InputError, require

if TYPE_CHECKING:
    from symtrip.degenerate.family import Family
from symtrip.degenerate.records import Member

__all__ = ["draw", "shortest_distance"]

_EXCEPTIONAL_MARGIN = 0.1
_SEPARATION_MARGIN = 0.5
_DRAWS_AT_ONCE = 256
_MOST_ROUNDS_IN_VAIN = 100


def draw(
    family: Family, n: int, generator: torch.Generator | None
) -> Float[Tensor, "n parameters"]:
    """Parameters of random members, by rejection; see :meth:`Family.sample` for the rule.

    Args:
        family: the family.
        n: number of members, >= 0.
        generator: source of randomness; None means a new one with seed 0.

    Returns:
        (n, parameters) float64, on the generator's device. More members start with the fewer.

    Raises:
        InputError: ``n`` < 0, or no draw is kept in 25 600.
    """
    require(n >= 0, "n", "be at least 0", n, "give the number of members wanted")
    generator = torch.Generator().manual_seed(0) if generator is None else generator
    low, high = (
        torch.tensor(ends, dtype=torch.float64, device=generator.device)
        for ends in zip(*family.ranges.values(), strict=True)
    )
    least_distance = _SEPARATION_MARGIN * _shortest(family, family.vector())
    least_value = _EXCEPTIONAL_MARGIN * family.exceptional_value().abs()
    kept, count, in_vain = [low.new_empty(0, len(low))], 0, 0
    while count < n:
        uniform = torch.rand(
            _DRAWS_AT_ONCE, len(low), dtype=low.dtype, device=low.device, generator=generator
        )
        drawn = low + (high - low) * uniform
        drawn = drawn[family.in_domain(drawn)]
        good = (_shortest(family, drawn) >= least_distance.to(drawn)) & (
            family.exceptional_value(drawn).abs() >= least_value.to(drawn)
        )
        kept.append(drawn[good])
        count += len(kept[-1])
        in_vain = 0 if len(kept[-1]) else in_vain + 1
        if in_vain == _MOST_ROUNDS_IN_VAIN:
            raise InputError(
                f"`ranges` must hold acceptable members of {family.id}, got none in "
                f"{in_vain * _DRAWS_AT_ONCE} draws from {family.ranges}; widen the ranges."
            )
    return torch.cat(kept)[:n]


def _shortest(family: Family, parameters: Tensor) -> Tensor:
    return torch.minimum(*map(shortest_distance, family.members(parameters)))


def shortest_distance(member: Member) -> Float[Tensor, "*batch"]:
    """Shortest distance between two atoms, periodic images in the 26 nearest cells included.

    Args:
        member: a structure or a batch of structures.

    Returns:
        (*batch) in Å.
    """
    points = member.positions
    shifts = points.new_zeros(1, 3)
    if member.cell is not None:
        steps = torch.cartesian_prod(*3 * [torch.arange(-1, 2, device=points.device)])
        # The home cell comes first, so that every atom finds itself at the front.
        steps = steps[steps.abs().sum(dim=1).argsort(stable=True)]
        shifts = steps.to(points) @ member.cell
    apart = points[..., None, :, None, :] - points[..., None, None, :, :]
    apart = apart - shifts[..., :, None, None, :]
    distances: Tensor = torch.linalg.vector_norm(apart, dim=-1)
    distances[..., 0, :, :].diagonal(dim1=-2, dim2=-1).fill_(torch.inf)
    return torch.amin(distances.flatten(-3), dim=-1)
