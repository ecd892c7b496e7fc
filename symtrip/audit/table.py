"""The report of an audit on the terminal."""

from __future__ import annotations

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from symtrip.audit.report import AuditReport, Jacobian

__all__ = ["COLOURS", "print_report"]

COLOURS = {
    "separated": "green",
    "not separated": "red",
    "numerically ambiguous": "yellow",
    "skipped": "bright_black",
}


def print_report(report: AuditReport, console: Console) -> None:
    """Print all checks as tables."""
    console.print(f"[bold]{escape(report.target)}[/]  {escape(report.summary)}")
    console.print(
        "\nAre the two members of each pair told apart? (rank: sensitivity where they merge)"
    )
    console.print(_separation(report))
    for line in _reasons(report):
        console.print(f"[bright_black]{escape(line)}[/]")
    console.print()
    console.print(_checks(report))
    for finding in report.findings:
        console.print(f"[red]finding[/] ({escape(finding.check)}): {escape(finding.message)}")


def _separation(report: AuditReport) -> Table:
    table = Table(box=None, padding=(0, 1, 0, 0), title_justify="left", header_style="bold")
    table.add_column("family", no_wrap=True)
    table.add_column("verdict", no_wrap=True)
    for heading in ("differ", "noise", "rank"):
        table.add_column(heading, justify="right", no_wrap=True)
    for name, outcome in report.separation.items():
        table.add_row(
            name,
            f"[{COLOURS[outcome.verdict]}]{outcome.verdict}[/]",
            scientific(outcome.relative_difference),
            scientific(outcome.noise_floor),
            rank_at_merge(report.jacobian.get(name)),
        )
    return table


def _reasons(report: AuditReport) -> list[str]:
    """Why families were skipped or are ambiguous, families with the same reason together."""
    families: dict[str, list[str]] = {}
    for name, outcome in report.separation.items():
        if outcome.reason:
            families.setdefault(f"{outcome.verdict}: {outcome.reason}", []).append(name)
    return [f"{reason} ({', '.join(names)})" for reason, names in families.items()]


def _checks(report: AuditReport) -> Table:
    table = Table(box=None, padding=(0, 1, 0, 0), show_header=False)
    table.add_column("check", no_wrap=True)
    table.add_column("outcome")
    for label, text in checks(report):
        table.add_row(label, escape(text))
    return table


def checks(report: AuditReport) -> list[tuple[str, str]]:
    """All checks but separation, as (label, sentence)."""
    rows = []
    for name, outcome in report.invariance.items():
        state = "holds" if outcome.holds else "does not hold"
        note = f", {outcome.note}" if outcome.note else ""
        rows.append((f"invariant under {name}", f"{state}: worst {outcome.worst:.1e}{note}"))
    smooth = report.smoothness
    if smooth.cutoff is None:
        rows.append(("at the cutoff", smooth.reason))
    else:
        rows.append(
            (
                f"at the cutoff, {smooth.cutoff:.3g} Å",
                f"value jumps by {scientific(smooth.c0)}, slope by {scientific(smooth.c1)}",
            )
        )
    if smooth.inside is not None:
        rows.append(("inside", f"largest jump {smooth.inside:.1e}"))
    gradients = report.gradients
    text = "not provided"
    if gradients.provided:
        agree = "agree" if gradients.agree else "disagree"
        text = f"{agree} with finite differences: worst {scientific(gradients.worst)}"
    rows.append(("derivatives", text))
    size = report.effective_dimension
    if size is not None:
        text = f"{size.n_features} features, {size.components} principal components, "
        text += f"participation {size.participation:.1f}, "
        text += f"Jacobian rank {size.rank} of {size.allowed}"
        rows.append(("dimension", text))
    rows.append(("time", f"{report.seconds:.1f} s"))
    return rows


def scientific(value: float | None) -> str:
    """Two digits, or nothing."""
    return "" if value is None else f"{value:.1e}"


def rank_at_merge(jacobian: Jacobian | None) -> str:
    """Rank over the rank allowed, e.g. 17/18."""
    return "" if jacobian is None else f"{jacobian.rank}/{jacobian.allowed}"
