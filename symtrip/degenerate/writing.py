"""Pairs as extended XYZ, every number with all its digits."""

from __future__ import annotations

import os
from collections.abc import Iterator

from torch import Tensor

from symtrip.degenerate.family import Family
from symtrip.degenerate.records import Member
from symtrip.files import atomic_write

__all__ = ["write_pairs"]


def write_pairs(
    family: Family, parameters: Tensor, path: str | os.PathLike[str], *, center: bool = True
) -> None:
    """Write pairs as extended XYZ: A+, A-, A+, A-, ...

    Numbers have 17 digits, so reading the file gives the same floats back: coordinates rounded to
    8 decimals, as usual in this format, would separate a degenerate pair by rounding alone.

    Args:
        family: the family.
        parameters: (pairs, parameters).
        path: the file; replaced if it exists.
        center: False leaves the centre out.

    Raises:
        InputError: as :meth:`Family.members`.
        OSError: the file cannot be written.
    """
    members = family.members(parameters.detach(), center=center)
    names = [p.name for p in family.parameters]
    with atomic_write(path) as temporary, temporary.open("w", encoding="utf-8") as file:
        for pair, row in enumerate(parameters.tolist()):
            values = " ".join(f"{n}={value!r}" for n, value in zip(names, row, strict=True))
            origin = " center=0" if family.has_center and center else ""
            for name, member in zip(("plus", "minus"), members, strict=True):
                about = f"family={family.id} member={name} pair={pair}{origin} {values}"
                file.writelines(_frame(member, pair, about, family.symbols))


def _frame(member: Member, pair: int, about: str, symbols: dict[int, str]) -> Iterator[str]:
    lattice = 'pbc="F F F"'
    if member.cell is not None:
        rows = " ".join(repr(x) for x in member.cell[pair].flatten().tolist())
        lattice = f'Lattice="{rows}" pbc="T T T"'
    yield f"{len(member.numbers)}\n{lattice} Properties=species:S:1:pos:R:3 {about}\n"
    for number, (x, y, z) in zip(
        member.numbers.tolist(), member.positions[pair].tolist(), strict=True
    ):
        yield f"{symbols[number]:2} {x!r} {y!r} {z!r}\n"
