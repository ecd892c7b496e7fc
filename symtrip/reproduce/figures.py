"""Drawings of the pipeline; all numbers in them are in figures.json as well."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from symtrip.reproduce.tables import paper_errors

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = [
    "distance_figure",
    "exceptional_figure",
    "latent_figure",
    "learning_figure",
    "singular_figure",
]

_COLOURS = {
    "bispectrum": "#b2182b",
    "latent": "#2166ac",
    "D_NL": "#b2182b",
    "B_NL": "#2166ac",
    "best": "#1b7837",
}


def _axes(width: float = 5.4, height: float = 4.2) -> tuple[Figure, Axes]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.subplots()


def distance_figure(sigmas: Sequence[float], distances: Mapping[str, Any]) -> Figure:
    """Fig. 3a: medians over pairs, with the middle half shaded.

    Args:
        sigmas: noise in Å.
        distances: description -> (sigmas, pairs).
    """
    figure, axes = _axes()
    for name, values in distances.items():
        low, middle, high = np.quantile(np.asarray(values), [0.25, 0.5, 0.75], axis=1)
        colour = _COLOURS.get(name, "0.35")
        axes.loglog(sigmas, middle, color=colour, label=name, marker="o", markersize=3)
        axes.fill_between(sigmas, low, high, color=colour, alpha=0.2, linewidth=0)
    axes.set_xlabel("standard deviation of the noise (Å)")
    axes.set_ylabel("distance of the two members' features")
    axes.legend(frameon=False)
    return figure


def singular_figure(offsets: Sequence[float], values: Mapping[str, Any]) -> Figure:
    """Smallest over largest singular value of the features' derivatives along a path.

    Args:
        offsets: distance along the path in rad; the members merge at 0.
        values: description -> (offsets,).
    """
    figure, axes = _axes()
    for name, y in values.items():
        axes.semilogy(offsets, y, color=_COLOURS.get(name, "0.35"), label=name, marker="o", ms=3)
    axes.set_xlabel("ring angles from the merge point (rad)")
    axes.set_ylabel("smallest / largest singular value")
    axes.legend(frameon=False)
    return figure


def _two_errors(x: Sequence[float], rows: Mapping[str, Any], label: str) -> Figure:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 4), layout="constrained")
    for axes, error in zip(figure.subplots(1, 2), ("mean", "diff"), strict=True):
        for name, errors in rows.items():
            axes.loglog(
                x,
                [point["validation"][error] for point in errors],
                color=_COLOURS.get(name, "0.35"),
                marker="o",
                ms=4,
                label=f"{name}, validation",
            )
            axes.loglog(
                x,
                [point["training"][error] for point in errors],
                color=_COLOURS.get(name, "0.35"),
                linestyle=":",
                label=f"{name}, training",
            )
            if name in paper_errors():
                value = getattr(paper_errors()[name]["validation"], error)
                axes.axhline(value, color="0.7", linewidth=0.8, zorder=0)
        axes.set_xticks(x, [f"{value:g}" for value in x])
        axes.set_xticks([], minor=True)
        axes.set_xlabel(label)
        axes.set_title(f"{error} error (grey: the paper's)")
        axes.legend(frameon=False, fontsize="small")
    return figure


def latent_figure(sizes: Sequence[int], rows: Mapping[str, Any]) -> Figure:
    """Fig. S4: reconstruction errors against the length of the latent vector.

    Args:
        sizes: lengths.
        rows: model -> for each length: set -> "mean" or "diff" -> error.
    """
    return _two_errors([float(size) for size in sizes], rows, "length of the latent vector")


def learning_figure(counts: Sequence[int], rows: Mapping[str, Any]) -> Figure:
    """Errors against the number of training pairs.

    Args:
        counts: numbers of pairs.
        rows: as in :func:`latent_figure`.
    """
    return _two_errors([float(count) for count in counts], rows, "training pairs")


def exceptional_figure(distance: Sequence[float], rows: Mapping[str, Any]) -> Figure:
    """Errors of the differences within pairs against the distance to a congruent pair.

    Args:
        distance: (pairs,) in Å.
        rows: model or "target" -> (pairs,) |difference| or its error in eV.
    """
    figure, axes = _axes()
    x = np.asarray(distance)
    order = np.argsort(x)
    groups = np.array_split(order, min(10, len(x)))
    centres = [float(np.median(x[g])) for g in groups]
    for name, values in rows.items():
        y = np.asarray(values)
        colour = _COLOURS.get(name, "0.6")
        axes.scatter(x, np.maximum(y, 1e-6), s=3, color=colour, alpha=0.3, linewidths=0)
        rms = [float(np.sqrt(np.mean(y[g] ** 2))) for g in groups]
        label = "energy difference" if name == "target" else f"error of {name}"
        # a model that gives both members one energy errs by exactly their difference
        width = 5.0 if name == "target" else 1.5
        axes.plot(centres, rms, color=colour, lw=width, marker="o", ms=4, label=f"{label} (rms)")
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_ylim(1e-4, None)
    axes.set_xlabel("distance to a pair with congruent members (Å)")
    axes.set_ylabel("difference within pairs (eV)")
    axes.legend(frameon=False, fontsize="small")
    return figure
