"""Pictures of bars and curves."""

from __future__ import annotations

import itertools
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from side_by_side import Bar, Curve

from symtrip.files import atomic_write

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["draw_bars", "draw_curves"]

MET, MISSED, REPORTED = "#2166ac", "#d6604d", "#999999"
SMALLEST = 1e-3  # rounding errors would squeeze the ratios together
COLORS = ("#2166ac", "#b2182b", "#1b7837", "#e08214", "#762a83", "#636363")
MARKERS = ("o", "x", "s", "^", "D", "v")  # hollow: points on others stay visible
DENSE, SPARSE = (1, 1.2, 1.5, 2, 3, 4, 5, 7), (1, 2, 5)


def save(figure: Figure, path: Path) -> Path:
    with atomic_write(path) as temporary:
        figure.savefig(temporary, dpi=100)
    return path


def draw_bars(bars: Sequence[tuple[str, Bar]], path: Path) -> Path | None:
    """Measured figures as horizontal bars, with a mark at what is asked; errors are left out."""
    from matplotlib.figure import Figure

    shown = [bar for group, bar in bars
             if group != "further" and bar.value is not None and bar.value > SMALLEST]  # fmt: skip
    if not shown:
        return None
    figure = Figure(figsize=(10, 0.36 * len(shown) + 1.2), layout="constrained")
    axes = figure.subplots()
    for row, bar in enumerate(reversed(shown)):
        color = {True: MET, False: MISSED, None: REPORTED}[bar.ok]
        axes.barh(row, bar.value, color=color, height=0.7)
        right = bar.value
        if bar.bar and bar.value < bar.bar < 2 * bar.value:
            right = bar.bar  # beside the mark, not under it
        axes.text(right, row, f" {bar.value:.3g}", va="center", fontsize=8)
        if bar.bar:
            axes.plot([bar.bar, bar.bar], [row - 0.45, row + 0.45], color="black", linewidth=2)
    labels = [textwrap.fill(f"{bar.name}  ({bar.asked or 'report'})", 68) for bar in shown]
    axes.set_yticks(range(len(shown)), labels[::-1], fontsize=7)
    axes.set_ylim(-0.6, len(shown) - 0.4)
    axes.set_xscale("log")
    axes.margins(x=0.1)
    axes.set_xlabel("black: what is asked; blue: met, red: missed, grey: reported")
    return save(figure, path)


def draw_curves(curves: Sequence[Curve], beside: Path) -> list[Path]:
    """One picture for each name, its panels side by side."""
    from matplotlib.figure import Figure

    written = []
    for picture in dict.fromkeys(curve.picture for curve in curves):
        mine = [curve for curve in curves if curve.picture == picture]
        panels = list(dict.fromkeys(curve.panel for curve in mine))
        columns = min(3, len(panels))
        rows = -(-len(panels) // columns)
        figure = Figure(figsize=(4.2 * columns, 3.4 * rows), layout="constrained")
        grid = figure.subplots(rows, columns, squeeze=False).ravel()
        for axes, panel in zip(grid, panels, strict=False):
            draw_panel(axes, panel, [curve for curve in mine if curve.panel == panel])
        for axes in grid[len(panels) :]:
            axes.set_visible(False)
        written.append(save(figure, beside.with_name(f"{beside.stem}_{picture}.png")))
    return written


def draw_panel(axes: object, title: str, curves: Sequence[Curve]) -> None:
    """One panel: both axes logarithmic, the measured points marked."""
    labels = list(dict.fromkeys(curve.label for curve in curves))
    for label, (color, marker) in zip(labels, itertools.cycle(zip(COLORS, MARKERS, strict=True))):
        mine = [curve for curve in curves if curve.label == label]
        points = sorted((x, y) for curve in mine for x, y in zip(curve.x, curve.y, strict=True))
        axes.plot(
            *zip(*points, strict=True),
            color=color,
            label=label,
            marker=marker,
            markersize=5,
            markerfacecolor="none",
        )
    axes.set_title(title, fontsize=10)
    axes.set_xscale("log")
    axes.set_yscale("log")
    ticks = sorted({x for curve in curves for x in curve.x})
    axes.set_xticks(ticks, [f"{x:g}" for x in ticks], fontsize=8)
    low, high = axes.get_ylim()
    if high < 1000 * low:  # else there are ticks enough
        chosen = DENSE if high < 10 * low else SPARSE
        steps = (step * 10.0**k for k in range(-4, 5) for step in chosen)
        shown = [y for y in steps if low <= y <= high]
        axes.set_yticks(shown, [f"{y:g}" for y in shown], fontsize=8)
    axes.minorticks_off()
    axes.set_xlabel(curves[0].x_label, fontsize=9)
    axes.set_ylabel(curves[0].y_label, fontsize=9)
    axes.grid(alpha=0.3)
    axes.legend(fontsize=7, loc="upper center", bbox_to_anchor=(0.5, -0.17), ncols=2)
