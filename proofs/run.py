#!/usr/bin/env python3
"""Check every theorem and print what was proved, by which method, from which assumptions.

``./run proofs`` calls this file. Both parts, Coq and the certificates in exact arithmetic, must
pass; nothing is skipped when a tool is missing.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import check_certificates
import check_coq
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from results import ProofError, Result


def coq_table(results: Sequence[Result], axioms: Sequence[str]) -> Table:
    """One row per theorem; the time is that of its file, lemmas included."""
    table = Table("theorem", "method", "axioms", "time")
    for source in dict.fromkeys(result.source for result in results):
        rows = [result for result in results if result.source == source]
        table.add_section()
        table.add_row(f"[bold]{escape(rows[0].title)}[/]", "", "", f"{rows[0].seconds:.1f} s")
        for row in rows:
            numbers = " ".join(str(axioms.index(axiom) + 1) for axiom in row.assumptions)
            table.add_row(f"  {row.theorem}", row.method, numbers or "none", "")
    return table


def certificate_table(results: Sequence[Result]) -> Table:
    """One row per certificate file; its facts are the names of its tests."""
    table = Table("theorem", "method", "assumes", "time")
    for source in dict.fromkeys(result.source for result in results):
        rows = [result for result in results if result.source == source]
        heading = f"[bold]{escape(rows[0].title)}[/]\n{len(rows)} facts in {source}"
        seconds = sum(row.seconds for row in rows)
        table.add_section()
        assumed = escape(" ".join(rows[0].assumptions))
        table.add_row(heading, rows[0].method, assumed, f"{seconds:.1f} s")
    return table


def write_json(results: Sequence[Result], file: Path) -> None:
    """Write the results, whole or not at all."""
    text = json.dumps([asdict(result) for result in results], indent=2, ensure_ascii=False) + "\n"
    scratch = file.with_name(file.name + ".partial")
    scratch.write_text(text, encoding="utf-8")
    scratch.replace(file)


def check(coq: set[str], certificates: set[str], console: Console, *, twice: bool) -> list[Result]:
    """Check the named files and print a table of each part."""
    proved = check_coq.check(coq, console, twice=twice) if coq else []
    if proved:
        axioms = sorted({axiom for result in proved for axiom in result.assumptions})
        console.print(coq_table(proved, axioms))
        for number, axiom in enumerate(axioms, start=1):
            console.print(f"axiom {number}: {axiom}", highlight=False)
    certified = check_certificates.check(certificates, console) if certificates else []
    if certified:
        console.print(certificate_table(certified))
    console.print(f"{len(proved)} theorems in Coq, {len(certified)} facts in exact arithmetic hold")
    return [*proved, *certified]


def main(arguments: Sequence[str] | None = None) -> int:
    """Check the proofs that the arguments name; returns the exit code."""
    parser = argparse.ArgumentParser(prog="./run proofs", description="Check every theorem.")
    parser.add_argument(
        "--only",
        action="append",
        default=[],
        metavar="NAME",
        help="only files with NAME in their names, and what they need; may be repeated",
    )
    parser.add_argument(
        "--recheck",
        action="store_true",
        help="verify the compiled Coq proofs with the independent checker coqchk, too (minutes)",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the results to FILE")
    options = parser.parse_args(arguments)
    if options.json is not None and not options.json.absolute().parent.is_dir():
        parser.error(f"`--json` must name a file in a folder that exists, got {options.json}")
    everything = check_coq.names() | check_certificates.names()
    for word in options.only:
        if not any(word.lower() in name.lower() for name in everything):
            known = ", ".join(sorted(everything))
            parser.error(f"`--only` must be part of the name of a proof, got {word!r}: {known}")
    words = [word.lower() for word in options.only] or [""]
    chosen = {name for name in everything if any(word in name.lower() for word in words)}
    console = Console()
    started = time.perf_counter()
    try:
        coq, certificates = chosen & check_coq.names(), chosen & check_certificates.names()
        results = check(coq, certificates, console, twice=options.recheck)
        if options.json is not None:
            write_json(results, options.json)
            console.print(f"results: {options.json}")
    except ProofError as error:
        print(f"proofs: error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("proofs: interrupted", file=sys.stderr)
        return 130
    console.print(
        f"{time.perf_counter() - started:.0f} s; proofs/README.md explains the statements"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
