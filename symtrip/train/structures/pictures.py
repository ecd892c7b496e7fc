"""Predicted against given energies and forces."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from torch import Tensor

from symtrip.files import atomic_write

__all__ = ["draw_parity"]

Pairs = Mapping[str, tuple[Tensor, Tensor]]
"""Set -> (given, predicted)."""


def draw_parity(path: Path, energies: Pairs, forces: Pairs, stresses: Pairs) -> None:
    """Write a PNG with one panel for energies and, if there are any, for forces and stresses.

    Args:
        path: the file.
        energies: per centre in eV, without the atoms' own.
        forces: components in eV/Å.
        stresses: components in eV/Å^3.
    """
    from matplotlib.figure import Figure

    panels = [
        ("energy per centre / eV", energies),
        ("force component / eV/Å", forces),
        ("stress component / eV/Å³", stresses),
    ]
    panels = [panel for panel in panels if panel[1]]
    figure = Figure(figsize=(4.5 * len(panels), 4.2), layout="constrained")
    for number, (title, sets) in enumerate(panels, start=1):
        axes = figure.add_subplot(1, len(panels), number)
        for name, (given, predicted) in sets.items():
            axes.plot(given, predicted, ".", markersize=4, alpha=0.6, label=name)
        axes.axline((0, 0), slope=1, color="0.6", linewidth=1, zorder=0)
        axes.set(xlabel=f"given {title}", ylabel="predicted")
        axes.legend()
    with atomic_write(path) as temporary:
        figure.savefig(temporary, dpi=150)
