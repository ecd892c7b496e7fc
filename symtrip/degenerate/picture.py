"""Pictures of degenerate pairs: both members side by side."""

from __future__ import annotations

import os
from itertools import product
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from symtrip.degenerate.family import Family
from symtrip.degenerate.records import Member
from symtrip.files import atomic_write

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["draw_pair", "save_picture"]

# Colours and relative radii by atomic number; hydrogen is darkened to show on white.
_LOOK = {
    1: ("#b9c4cf", 0.75),
    5: ("#f0a58f", 1.0),
    6: ("#5b6470", 1.0),
    8: ("#d8433b", 1.0),
    9: ("#6fb04a", 0.9),
    14: ("#d9b36a", 1.15),
}
_OTHER = ("#9a86c4", 1.0)
_BOND, _SPOKE, _MOVED = "#3f4a56", "#c9ced4", "#f28c1a"
_ATOM_AREA = 260.0
_ELEVATION, _ELEVATION_IF_FLAT, _AZIMUTH = 17.0, 65.0, -63.0


def draw_pair(family: Family, parameters: Tensor | None = None) -> Figure:
    """Draw both members of a pair from the same point of view.

    Atoms are coloured by species, rings and other building blocks are joined, thin lines lead to
    the centre (a cross); an orange rim marks the atoms that differ between the members.

    Args:
        family: the family.
        parameters: (parameters,); None means the defaults.

    Returns:
        A figure that no window manager knows; save it with :func:`save_picture`.

    Raises:
        InputError: as :meth:`Family.members`.
    """
    from matplotlib.figure import Figure

    plus, minus = (
        Member(*(None if part is None else part.detach().cpu() for part in member))  # type: ignore[arg-type]
        for member in family.members(parameters)
    )
    moved = (plus.positions - minus.positions).abs().amax(dim=1) > 1e-9
    everything = torch.cat([_extent(plus), _extent(minus)])
    low, high = everything.amin(dim=0), everything.amax(dim=0)
    elevation = _ELEVATION if high[2] - low[2] > 1e-9 else _ELEVATION_IF_FLAT
    middle, half = (low + high) / 2, float((high - low).max()) / 2
    figure = Figure(figsize=(9.0, 5.2), dpi=150, facecolor="white")
    for column, (name, member) in enumerate((("$A^+$", plus), ("$A^-$", minus))):
        axes: Any = figure.add_axes(
            (0.01 + 0.5 * column, 0.12, 0.48, 0.74), projection="3d", proj_type="ortho"
        )
        _draw_member(axes, family, member, moved)
        for setter, center in zip(
            (axes.set_xlim, axes.set_ylim, axes.set_zlim), middle.tolist(), strict=True
        ):
            setter(center - half, center + half)
        axes.set_box_aspect((1, 1, 1), zoom=1.45 if member.cell is None else 1.1)
        axes.view_init(elev=elevation, azim=_AZIMUTH)
        axes.set_axis_off()
        figure.text(0.07 + 0.5 * column, 0.82, name, ha="center", fontsize=15)
    figure.text(0.5, 0.94, family.title, ha="center", fontsize=11.5, weight="bold")
    figure.text(0.5, 0.065, f"{family.id}: equal for {family.claim}", ha="center", fontsize=9)
    figure.text(0.5, 0.025, _legend(family, plus), ha="center", fontsize=8.5, color="#59636e")
    return figure


def save_picture(
    family: Family, path: str | os.PathLike[str], parameters: Tensor | None = None
) -> None:
    """Write :func:`draw_pair` to a file.

    Args:
        family: the family.
        path: a ``.png``, ``.svg`` or ``.pdf`` file.
        parameters: (parameters,); None means the defaults.

    Raises:
        InputError: as :meth:`Family.members`.
        OSError: the file cannot be written.
    """
    figure = draw_pair(family, parameters)
    with atomic_write(path) as temporary:
        figure.savefig(temporary)


def _draw_member(axes: Any, family: Family, member: Member, moved: Tensor) -> None:
    first = int(family.has_center)
    points = member.positions[first:]
    if member.cell is not None:
        _draw_cell(axes, member.cell)
    if family.has_center:
        for point in points:
            _line(axes, torch.zeros_like(point), point, _SPOKE, 0.9)
        axes.scatter(0, 0, 0, marker="x", s=46, c="#222222", depthshade=False)
    for i, j in family.bonds:
        _line(axes, points[i], points[j], _BOND, 1.7)
    for point, number, differs in zip(
        points.tolist(), member.numbers[first:].tolist(), moved[first:].tolist(), strict=True
    ):
        colour, size = _LOOK.get(number, _OTHER)
        axes.scatter(
            *point,
            s=_ATOM_AREA * size**2,
            c=colour,
            edgecolors=_MOVED if differs else "#20262d",
            linewidths=2.4 if differs else 0.9,
            depthshade=False,
        )


def _corners(cell: Tensor) -> Tensor:
    return torch.tensor(list(product((0.0, 1.0), repeat=3)), dtype=cell.dtype) @ cell


def _draw_cell(axes: Any, cell: Tensor) -> None:
    corners = _corners(cell)
    # Corners are numbered in binary: an edge joins two numbers that differ in one digit.
    for i, a in enumerate(corners):
        for digit in (1, 2, 4):
            if i & digit == 0:
                _line(axes, a, corners[i | digit], "#9aa3ad", 0.8)


def _line(axes: Any, a: Tensor, b: Tensor, colour: str, width: float) -> None:
    x, y, z = torch.stack([a, b], dim=1).tolist()
    axes.plot(x, y, z, color=colour, linewidth=width, zorder=0)


def _extent(member: Member) -> Tensor:
    if member.cell is None:
        return member.positions
    return torch.cat([member.positions, _corners(member.cell)])


def _legend(family: Family, member: Member) -> str:
    kinds = sorted(set(member.numbers.tolist()))
    species = ", ".join(family.symbols[number] for number in kinds)
    center = ";  ×: centre" if family.has_center else ""
    return f"species {species};  orange rim: atoms that differ{center}"
