"""Figures of predicted energies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from symtrip.train.run import SetResult

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["parity_plot"]

BLUE, RED = "#2166ac", "#b2182b"
_SHOWN = 250


def _pairs(axes: Axes, result: SetResult, colour: str, label: str) -> None:
    from matplotlib.collections import LineCollection

    target, predicted = result.target[:_SHOWN].numpy(), result.predicted[:_SHOWN].numpy()
    segments = [[(t[0], p[0]), (t[1], p[1])] for t, p in zip(target, predicted, strict=True)]
    axes.add_collection(LineCollection(segments, colors=colour, linewidths=0.8, alpha=0.6))
    axes.scatter(target, predicted, s=7, color=colour, label=label, linewidths=0, zorder=2)


def parity_plot(nonlinear: SetResult, bispectrum: SetResult) -> Figure:
    """Predicted against computed energies of validation pairs, members joined (paper, Fig. 3b).

    Args:
        nonlinear: B_NL, in blue.
        bispectrum: D_NL, in red: its lines are horizontal, since both members get one energy.

    Returns:
        A figure with all energies and an enlargement around their median.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 6.2), layout="constrained")
    whole, detail = figure.subplots(1, 2)
    for axes in (whole, detail):
        _pairs(axes, bispectrum, RED, "D_NL: network on the bispectrum")
        _pairs(axes, nonlinear, BLUE, "B_NL: network on each triplet")
        low, high = float(nonlinear.target.min()), float(nonlinear.target.max())
        axes.plot([low, high], [low, high], color="0.4", linewidth=0.8, zorder=0)
        axes.set_xlabel("computed energy (eV)")
        axes.set_aspect("equal")
    whole.set_ylabel("predicted energy (eV)")
    whole.legend(frameon=False, loc="upper left")
    whole.set_title(f"{min(_SHOWN, len(nonlinear.index))} validation pairs, members joined")
    middle = float(nonlinear.target[:_SHOWN].median())
    detail.set_xlim(middle - 1.5, middle + 1.5)
    detail.set_ylim(middle - 1.5, middle + 1.5)
    detail.set_title("enlarged; horizontal: one energy for both members")
    return figure
