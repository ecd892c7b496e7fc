"""The report of an audit as one HTML file with its pictures inside."""

from __future__ import annotations

import base64
import io
import os
from html import escape
from typing import TYPE_CHECKING

from symtrip.audit.report import AuditReport
from symtrip.audit.table import checks, rank_at_merge, scientific
from symtrip.degenerate import family
from symtrip.files import atomic_write

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["write_html"]

_COLOURS = {
    "separated": "#1a7f37",
    "not separated": "#c62828",
    "numerically ambiguous": "#b26a00",
    "skipped": "#777777",
}

_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; margin: 1rem 0; }
th, td { text-align: left; padding: .25rem .8rem; border-bottom: 1px solid #ddd; }
td.number { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
.reason { color: #777; font-size: 85%; }
.finding { color: #c62828; }
figure { margin: 1.5rem 0; } img { max-width: 100%; } figcaption { color: #555; }
"""


def write_html(report: AuditReport, path: str | os.PathLike[str]) -> None:
    """Write the report with plots and pictures of the pairs that are not separated.

    Args:
        report: the report.
        path: the file; whole or not at all.
    """
    body = [
        f"<h1>{escape(report.target)}</h1><p>{escape(report.summary)}</p>",
        *(
            f'<p class="finding">Finding ({escape(f.check)}): {escape(f.message)}</p>'
            for f in report.findings
        ),
        "<h2>Are the two members of each pair told apart?</h2>",
        _figure(_differences(report), "Relative difference of every pair (dots) and noise (bars)."),
        _separation_table(report),
        "<h2>What the features are</h2>",
        _checks_table(report),
    ]
    if report.jacobian:
        caption = (
            "Singular values of the Jacobian where the members of a family merge, on displacements "
            "that symmetry allows. Values at rounding level are directions that are not seen."
        )
        body += ["<h2>Sensitivity</h2>", _figure(_singular_values(report), caption)]
    unseparated = [
        name for name, entry in report.separation.items() if entry.verdict == "not separated"
    ]
    if unseparated:
        body.append("<h2>Pairs with the same features</h2>")
        body += [_picture(name) for name in unseparated]
    text = (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        f"<title>Audit of {escape(report.target)}</title><style>{_STYLE}</style>"
        f"<body>{''.join(body)}</body></html>\n"
    )
    with atomic_write(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def _separation_table(report: AuditReport) -> str:
    rows = []
    for name, entry in report.separation.items():
        reason = f'<div class="reason">{escape(entry.reason)}</div>' if entry.reason else ""
        rows.append(
            f'<tr><td>{escape(name)}</td><td style="color:{_COLOURS[entry.verdict]}">'
            f"{entry.verdict}{reason}</td>"
            f'<td class="number">{scientific(entry.relative_difference)}</td>'
            f'<td class="number">{scientific(entry.noise_floor)}</td>'
            f'<td class="number">{rank_at_merge(report.jacobian.get(name))}</td></tr>'
        )
    head = "<th>family</th><th>verdict</th><th>difference</th><th>noise</th><th>rank at merge</th>"
    return f"<table><tr>{head}</tr>{''.join(rows)}</table>"


def _checks_table(report: AuditReport) -> str:
    rows = "".join(
        f"<tr><th>{escape(label)}</th><td>{escape(text)}</td></tr>"
        for label, text in checks(report)
    )
    return f"<table>{rows}</table>"


def _differences(report: AuditReport) -> Figure:
    from matplotlib.figure import Figure

    shown = [(k, v) for k, v in report.separation.items() if v.relative_difference is not None]
    figure = Figure(figsize=(9, 0.3 * len(shown) + 1.2), layout="constrained")
    axes = figure.add_subplot()
    for row, (_, entry) in enumerate(shown):
        colour = _COLOURS[entry.verdict]
        axes.barh(row, entry.noise_floor or 0.0, left=1e-18, color="#dddddd")
        floor = [max(value, 1e-18) for value in entry.differences]
        axes.plot(floor, [row] * len(floor), "o", color=colour)
    axes.set_xscale("log")
    axes.set_xlim(1e-18, 10)
    axes.set_yticks(range(len(shown)), [name for name, _ in shown], fontsize=8)
    axes.invert_yaxis()
    axes.set_xlabel("relative difference")
    return figure


def _singular_values(report: AuditReport) -> Figure:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 4.5), layout="constrained")
    axes = figure.add_subplot()
    for name, entry in report.jacobian.items():
        values = [max(value, 1e-18) for value in entry.singular_values]
        axes.semilogy(range(1, len(values) + 1), values, ".-", label=name)
    axes.set_xlabel("singular value")
    axes.set_ylabel("over the largest")
    axes.legend(fontsize=7, ncol=2)
    return figure


def _picture(name: str) -> str:
    from symtrip.degenerate.picture import draw_pair

    chosen = family(name)
    return _figure(draw_pair(chosen), f"{name}: {chosen.title}")


def _figure(figure: Figure, caption: str) -> str:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=90)
    data = base64.b64encode(buffer.getvalue()).decode("ascii")
    return (
        f'<figure><img alt="{escape(caption)}" src="data:image/png;base64,{data}">'
        f"<figcaption>{escape(caption)}</figcaption></figure>"
    )
