"""``symtrip compare``: audits of several descriptors side by side."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Annotated, get_args

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

__all__ = ["compare"]


def compare(
    targets: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[TARGET]...",
            help="Descriptors, as for `symtrip audit`; default: every built-in one.",
        ),
    ] = None,
    markdown: Annotated[Path | None, typer.Option(help="Write Markdown tables.")] = None,
    png: Annotated[Path | None, typer.Option(help="Write a heat map.")] = None,
    json: Annotated[Path | None, typer.Option(help="Write all reports as JSON.")] = None,
    family: Annotated[
        list[str] | None,
        typer.Option(metavar="ID", help="Only test these families: ids or beginnings of ids."),
    ] = None,
    members: Annotated[int, typer.Option(help="Pairs per family.")] = 3,
    seed: Annotated[int, typer.Option(help="Seed of the random pairs and transformations.")] = 0,
) -> None:
    """Audit several descriptors and put them side by side: descriptors times families.

    All built-in descriptors take about two minutes on one core.
    """
    from symtrip.audit import audit, resolve
    from symtrip.audit import comparison as side_by_side
    from symtrip.audit.report import Verdict
    from symtrip.files import atomic_write, check_writable
    from symtrip.progress import progress_bar

    # every name is looked up, and every file tried, before the first audit starts
    check_writable(markdown, png, json)
    subjects = [resolve(target) for target in targets or side_by_side.STANDARD]
    reports = []
    with progress_bar("audits") as progress:
        progress(0, len(subjects))
        for subject in subjects:
            reports.append(audit(subject, family_ids=family or [], members=members, seed=seed))
            progress(len(reports), len(subjects))
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for heading in ("descriptor", "separated", "not", "ambiguous", "skipped", "s"):
        table.add_column(heading, justify="left" if heading == "descriptor" else "right")
    kinds = get_args(Verdict)
    for report in reports:
        verdicts = Counter(outcome.verdict for outcome in report.separation.values())
        counts = [str(verdicts[kind]) for kind in kinds]
        table.add_row(escape(report.target), *counts, f"{report.seconds:.1f}")
    console = Console()
    console.print(table)
    for report in reports:
        for finding in report.findings:
            console.print(
                f"[red]finding[/] {escape(report.target)} ({escape(finding.check)}): "
                f"{escape(finding.message)}"
            )
    if markdown is not None:
        with atomic_write(markdown) as temporary:
            temporary.write_text(side_by_side.markdown(reports), encoding="utf-8")
        console.print(f"tables: {escape(str(markdown))}")
    if png is not None:
        with atomic_write(png) as temporary:
            side_by_side.draw_comparison(reports).savefig(temporary, format="png", dpi=110)
        console.print(f"heat map: {escape(str(png))}")
    if json is not None:
        side_by_side.write_comparison(reports, json)
        console.print(f"reports: {escape(str(json))}")
