"""Several descriptors side by side: a table for the documentation, and a heat map."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from symtrip.audit.descriptors import BUILTIN
from symtrip.audit.report import AuditReport, Separation
from symtrip.files import atomic_write

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["STANDARD", "draw_comparison", "markdown", "write_comparison"]

STANDARD = (
    "distances",
    "wl1",
    "sprint",
    "overlap-matrix",
    "acsf",
    "soap-power-spectrum",
    "bispectrum",
    "bispectrum:parity=even",
    "mtp",
    "acdc:nu=4",
    "acdc:nu=5",
    "local-frame",
    "gram",
    "wmi",
    "triplets:linear",
    "triplets:nonlinear",
    "triplets:o3",
)
"""The built-in descriptors with the options that make a difference to what they separate."""

_SIGNS = {"separated": "✓", "not separated": "✗", "numerically ambiguous": "~", "skipped": "·"}
# Red where a pair is confused, grey where nothing was asked; blue grows with the difference.
_CONFUSED, _AMBIGUOUS, _SKIPPED = "#c94f4f", "#e8b84a", "#e4e4e4"
_FAINTEST = -10.0


def markdown(reports: Sequence[AuditReport]) -> str:
    """The comparison as three Markdown tables.

    Args:
        reports: audits with the same families.

    Returns:
        What each descriptor is, which families it tells apart, and its sensitivity where the
        members of a family merge. The columns of the last two are the rows of the first.
    """
    head = "| | descriptor | stands for | features | mirror images | at the cutoff | derivatives |"
    head += " told apart | s |"
    lines = [head, "|--:|---|---|--:|---|---|---|--:|--:|"]
    lines += [_row(number, report) for number, report in enumerate(reports, start=1)]
    numbers = [str(number) for number in range(1, len(reports) + 1)]
    families = list(reports[0].separation)
    lines += ["", *_head("family", numbers)]
    for name in families:
        signs = [_SIGNS[report.separation[name].verdict] for report in reports]
        lines.append(f"| `{name}` | {' | '.join(signs)} |")
    merging = [name for name in families if any(name in report.jacobian for report in reports)]
    if merging:
        lines += ["", *_head("rank / allowed at the merge point", numbers)]
    for name in merging:
        entries = [report.jacobian.get(name) for report in reports]
        ranks = ["" if entry is None else f"{entry.rank}/{entry.allowed}" for entry in entries]
        lines.append(f"| `{name}` | {' | '.join(ranks)} |")
    return "\n".join(lines) + "\n"


def draw_comparison(reports: Sequence[AuditReport]) -> Figure:
    """The relative differences of all families as a heat map, one column a descriptor.

    Args:
        reports: audits with the same families.

    Returns:
        A figure that no window manager knows.
    """
    from matplotlib.colors import Normalize, to_rgb
    from matplotlib.figure import Figure
    from matplotlib.patches import Patch

    families = list(reports[0].separation)
    figure = Figure(
        figsize=(3.6 + 0.55 * len(reports), 2.2 + 0.27 * len(families)), layout="constrained"
    )
    axes = figure.add_subplot()
    colours = np.ones((len(families), len(reports), 3))
    shades = _shades()
    for column, report in enumerate(reports):
        for row, name in enumerate(families):
            outcome = report.separation[name]
            text, dark = _power(outcome), False
            if outcome.verdict == "separated":
                strength = Normalize(_FAINTEST, 0.0, clip=True)(math.log10(_known(outcome)))
                colours[row, column], dark = shades(float(strength)), bool(strength > 0.6)
            else:
                colours[row, column] = to_rgb(
                    {"skipped": _SKIPPED, "not separated": _CONFUSED}.get(
                        outcome.verdict, _AMBIGUOUS
                    )
                )
            light = dark or outcome.verdict == "not separated"
            axes.text(
                column,
                row,
                text,
                ha="center",
                va="center",
                fontsize=7.5,
                color="white" if light else "#333333",
            )
    axes.imshow(colours, aspect="auto")
    axes.set_xticks(range(len(reports)), [r.target for r in reports], rotation=45, ha="right")
    axes.set_yticks(range(len(families)), families)
    axes.tick_params(labelsize=8, length=0)
    axes.set_xticks(np.arange(len(reports) - 1) + 0.5, minor=True)
    axes.set_yticks(np.arange(len(families) - 1) + 0.5, minor=True)
    axes.grid(which="minor", color="white", linewidth=1.2)
    axes.tick_params(which="minor", length=0)
    axes.spines[:].set_visible(False)
    legend = [
        Patch(color=shades(0.7), label="told apart; power of ten of the smallest difference"),
        Patch(color=_CONFUSED, label="not told apart; the same of the largest (=: none)"),
        Patch(color=_AMBIGUOUS, label="numerically ambiguous"),
        Patch(color=_SKIPPED, label="not asked"),
    ]
    figure.legend(handles=legend, loc="outside upper center", ncol=2, fontsize=8, frameon=False)
    return figure


def write_comparison(reports: Sequence[AuditReport], path: str | os.PathLike[str]) -> None:
    """Write all reports as one JSON file, whole or not at all."""
    with atomic_write(path) as temporary:
        text = json.dumps([report.to_dict() for report in reports], indent=1, ensure_ascii=False)
        temporary.write_text(text + "\n", encoding="utf-8")


def _row(number: int, report: AuditReport) -> str:
    entry = BUILTIN.get(report.target.partition(":")[0])
    size = report.effective_dimension
    asked = [s for s in report.separation.values() if s.verdict != "skipped" or s.failed]
    apart = sum(outcome.verdict == "separated" for outcome in asked)
    inversion = report.invariance.get("inversion")
    cells = [
        str(number),
        f"`{report.target}`",
        report.summary if entry is None else entry.system,
        "" if size is None else str(size.n_features),
        "" if inversion is None else ("same" if inversion.holds else "differ"),
        _at_the_cutoff(report),
        _derivatives(report),
        f"{apart} of {len(asked)}",
        f"{report.seconds:.1f}",
    ]
    return f"| {' | '.join(cells)} |"


def _at_the_cutoff(report: AuditReport) -> str:
    smooth = report.smoothness
    if smooth.continuous is False:
        return "jumps"
    if smooth.cutoff is None:
        return "no cutoff"
    return "C1" if smooth.differentiable else "C0"


def _derivatives(report: AuditReport) -> str:
    if not report.gradients.provided:
        return "none"
    return "right" if report.gradients.agree else f"off by {report.gradients.worst:.0e}"


def _head(label: str, numbers: Sequence[str]) -> list[str]:
    return [f"| {label} | {' | '.join(numbers)} |", f"|---|{':-:|' * len(numbers)}"]


def _known(outcome: Separation) -> float:
    return outcome.relative_difference or 10**_FAINTEST


def _power(outcome: Separation) -> str:
    """The power of ten of the difference, or that there is none."""
    if outcome.relative_difference is None:
        return ""
    if outcome.relative_difference == 0.0:
        return "="
    return str(math.floor(math.log10(outcome.relative_difference))).replace("-", "−")


def _shades() -> Callable[[float], tuple[float, float, float]]:
    """From pale to strong blue for 0 .. 1."""
    pale, strong = np.array([0.87, 0.92, 0.97]), np.array([0.11, 0.37, 0.62])

    def shade(x: float) -> tuple[float, float, float]:
        red, green, blue = (pale + x * (strong - pale)).tolist()
        return red, green, blue

    return shade
