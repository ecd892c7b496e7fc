"""The demonstration's files: JSON, pictures and one self-contained page."""

from __future__ import annotations

import base64
import html
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from symtrip.demo.degeneracy import Degeneracy
from symtrip.files import atomic_write
from symtrip.train import PairErrors, TrainResult

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["DEGENERACY_NAMES", "PAPER", "DrawnPair", "write_report", "write_results"]

DEGENERACY_NAMES = {
    "nu1": "density, ν = 1",
    "nu2": "power spectrum, ν = 2",
    "nu3": "bispectrum, ν = 3",
    "nu4": "ν = 4",
    "triplets_nonlinear": "triplets, cubed before the sum",
}

PAPER = {
    "D_NL": {"training": PairErrors(0.0368, 1.000), "validation": PairErrors(0.1686, 1.000)},
    "B_NL": {"training": PairErrors(0.0050, 0.1070), "validation": PairErrors(0.0177, 0.1997)},
}
"""Mean and diff errors of Tables 1 and S2, Nigam et al., APL Mach. Learn. 2, 016110 (2024)."""


@dataclass(frozen=True, eq=False)
class DrawnPair:
    """A picture of both members of a pair.

    Attributes:
        figure: the picture.
        number: of the pair in the data set.
        difference: between the energies of its members in eV.
    """

    figure: Figure
    number: int
    difference: float


def write_results(
    path: Path, degeneracy: Mapping[str, Degeneracy], models: Mapping[str, TrainResult]
) -> None:
    """Write ``results.json``."""
    content: dict[str, Any] = {
        "degeneracy": {
            name: {
                "median_relative_difference": value.median,
                "max_relative_difference": value.maximum,
            }
            for name, value in degeneracy.items()
        },
        "models": {
            name: {
                "validation": asdict(result.validation.errors),
                "training": asdict(result.training.errors),
            }
            for name, result in models.items()
        },
        "pairs": {
            name: {
                "training": len(result.training.index),
                "validation": len(result.validation.index),
            }
            for name, result in models.items()
        },
    }
    with atomic_write(path) as temporary:
        temporary.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def _inline(figure: Figure) -> str:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=130, bbox_inches="tight")
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    def line(cells: Sequence[str], tag: str) -> str:
        return "<tr>" + "".join(f"<{tag}>{html.escape(c)}</{tag}>" for c in cells) + "</tr>"

    return "<table>" + line(header, "th") + "".join(line(row, "td") for row in rows) + "</table>"


_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; margin: 1rem 0; }
th, td { padding: .3rem .9rem; border-bottom: 1px solid #ddd; text-align: right; }
th:first-child, td:first-child { text-align: left; }
img { max-width: 100%; }
"""


def write_report(
    path: Path,
    degeneracy: Mapping[str, Degeneracy],
    models: Mapping[str, TrainResult],
    *,
    parity: Figure,
    pair: DrawnPair,
) -> None:
    """Write the page with tables and pictures, all in one file.

    Args:
        path: the HTML file.
        degeneracy: of each description.
        models: results by name.
        parity: the parity plot.
        pair: picture of one degenerate pair.
    """
    apart = [
        (DEGENERACY_NAMES[name], f"{value.median:.1e}", f"{value.maximum:.1e}")
        for name, value in degeneracy.items()
    ]
    errors = []
    for name, result in models.items():
        for part in ("validation", "training"):
            got: PairErrors = getattr(result, part).errors
            paper = PAPER[name][part]
            errors.append(
                (
                    f"{name}, {part}",
                    f"{got.mean:.4f}",
                    f"{got.diff:.4f}",
                    f"{paper.mean:.4f}",
                    f"{paper.diff:.4f}",
                )
            )
    page = f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>symtrip: degenerate pairs of B8 clusters</title>
<style>{_STYLE}</style></head><body>
<h1>Pairs that the bispectrum cannot tell apart</h1>
<p>The members of each pair of B<sub>8</sub> clusters differ only in the position of one atom on the
axis. No rotation maps one to the other, their energies differ, and yet all correlations of up to
three neighbours around the central atom agree.</p>
<img alt="Both members of a degenerate pair" src="{_inline(pair.figure)}">
<p>Pair {pair.number}: of all labelled validation pairs the one whose members differ most in energy,
by {pair.difference:.2f} eV.</p>
<h2>How far apart the members are</h2>
<p>|x(A+) - x(A-)| / |x(A+)| over all 4000 pairs; rounding alone gives about 10<sup>-16</sup>.</p>
{_table(("description", "median", "largest"), apart)}
<h2>Learning their energies</h2>
<p>PBE/cc-pVDZ energies, predicted from the environment of the central atom. Errors relative to the
spread of the energies (mean) and of their differences within pairs (diff): a diff error of 1 means
that the model cannot tell the members apart.</p>
{_table(("model", "mean", "diff", "mean, paper", "diff, paper"), errors)}
<img alt="Predicted against computed energies" src="{_inline(parity)}">
</body></html>
"""
    with atomic_write(path) as temporary:
        temporary.write_text(page, encoding="utf-8")
