"""What families of pairs are made of: members, parameters, and what the members share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

from jaxtyping import Float, Int
from torch import Tensor

__all__ = ["Equalities", "Kind", "Member", "Parameter"]

Kind = Literal["env", "both", "global", "periodic"]


class Member(NamedTuple):
    """One member of a pair, or the same member of a batch of pairs.

    Attributes:
        positions: (*batch, atoms, 3) Å. Atom 0 is the centre, at the origin, where there is one.
        numbers: (atoms,) atomic numbers, int64.
        cell: (*batch, 3, 3) cell vectors in Å as rows; None unless the family is periodic.
    """

    positions: Float[Tensor, "*batch atoms 3"]
    numbers: Int[Tensor, " atoms"]
    cell: Float[Tensor, "*batch 3 3"] | None


@dataclass(frozen=True)
class Parameter:
    """One parameter of a family.

    Attributes:
        name: its name in the formulas.
        default: its value in the default member.
        low: lower end of the range of random members.
        high: upper end of that range.
        unit: unit, or meaning of a dimensionless parameter.
    """

    name: str
    default: float
    low: float
    high: float
    unit: str


@dataclass(frozen=True)
class Equalities:
    """What the two members share, each entry decided in exact arithmetic.

    Attributes:
        nu_so3: highest order up to which all invariant density correlations around the centre
            agree, those that change sign under inversion included; None without a centre, or when
            all orders agree because a proper rotation maps one member onto the other.
        nu_o3: likewise for the invariants that do not change sign; None also for mirror images.
        congruent: the group that maps one environment onto the other ("SO3"; "O3" if only an
            improper rotation does); None if there is none.
        distances: whether the multisets of all interatomic distances agree (the centre is an atom).
        pdd: whether the pointwise distance distributions agree.
        wl1: whether colour refinement (1-WL) on the distance graph gives equal colours, which is
            what a message-passing network on distances can know, at every cutoff.
        patterson: whether the interatomic vectors modulo the lattice agree; None for clusters.
    """

    nu_so3: int | None
    nu_o3: int | None
    congruent: Literal["SO3", "O3"] | None
    distances: bool
    pdd: bool
    wl1: bool
    patterson: bool | None
