"""``symtrip audit``: what a descriptor is invariant to, and what it cannot tell apart."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from symtrip.errors import require
from symtrip.files import check_writable

__all__ = ["audit"]


def audit(
    target: Annotated[
        str,
        typer.Argument(
            metavar="TARGET",
            help="A built-in (soap-power-spectrum, bispectrum, acdc:nu=4, triplets:linear, "
            "triplets:nonlinear, distances, gram, wmi, sprint, overlap-matrix, acsf, mtp, wl1, "
            "local-frame), an adapter (featomic:SoapPowerSpectrum, dscribe:SOAP, e3nn:Bispectrum), "
            "or module:callable / file.py:callable: a function of ase.Atoms (and a centre), or an "
            "ASE calculator factory.",
        ),
    ],
    json: Annotated[Path | None, typer.Option(help="Write the report as JSON.")] = None,
    html: Annotated[
        Path | None, typer.Option(help="Write the report as one HTML file with pictures.")
    ] = None,
    required: Annotated[
        list[str] | None,
        typer.Option(
            "--require",
            metavar="ID",
            help="Only these families decide the exit code: ids or beginnings of ids, e.g. nu3. "
            "May be repeated.",
        ),
    ] = None,
    family: Annotated[
        list[str] | None,
        typer.Option(metavar="ID", help="Only test these families: ids or beginnings of ids."),
    ] = None,
    cutoff: Annotated[
        float | None, typer.Option(help="Cutoff radius in Å of a descriptor of your own.")
    ] = None,
    element: Annotated[
        str | None,
        typer.Option(
            metavar="SYMBOL",
            help="Make all atoms this element, for targets that know few elements, e.g. Cu.",
        ),
    ] = None,
    members: Annotated[int, typer.Option(help="Pairs per family.")] = 3,
    seed: Annotated[int, typer.Option(help="Seed of the random pairs and transformations.")] = 0,
) -> None:
    """Audit a descriptor: invariances, smoothness, derivatives, and what it can tell apart.

    Exit code 1 if a family is not separated (--require limits which ones count), 2 for bad input.
    """
    from symtrip.audit import audit as run
    from symtrip.audit.html import write_html
    from symtrip.audit.runner import chosen_families
    from symtrip.audit.table import print_report

    check_writable(json, html)
    chosen = [entry.id for entry in chosen_families(family or [])]
    for word in required or []:
        require(
            any(name.startswith(word) for name in chosen),
            "--require",
            "be the id, or the beginning of the id, of a family that is tested",
            repr(word),
            f"tested: {', '.join(chosen)}",
        )
    with Console(stderr=True).status(f"audit of {escape(target)}") as status:
        report = run(
            target,
            family_ids=family or [],
            cutoff=cutoff,
            element=_atomic_number(element),
            members=members,
            seed=seed,
            progress=lambda step: status.update(f"audit of {escape(target)}: {step}"),
        )
    console = Console()
    print_report(report, console)
    if json is not None:
        report.write_json(json)
        console.print(f"report: {escape(str(json))}")
    if html is not None:
        write_html(report, html)
        console.print(f"pictures: {escape(str(html))}")
    failures = report.failures(required or [])
    if failures:
        console.print(f"[red]not separated:[/] {', '.join(failures)}")
        raise typer.Exit(1)


def _atomic_number(symbol: str | None) -> int | None:
    from ase.data import atomic_numbers

    require(
        symbol is None or symbol in atomic_numbers,
        "--element",
        "be a chemical symbol",
        repr(symbol),
        "write e.g. --element Cu",
    )
    return None if symbol is None else int(atomic_numbers[symbol])
