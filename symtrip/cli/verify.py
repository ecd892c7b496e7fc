"""``symtrip verify``: check this installation against exact values."""

from __future__ import annotations

import sys
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from symtrip.cli.options import chosen_device
from symtrip.errors import InputError, require

if TYPE_CHECKING:
    import torch
    from rich.table import Table

    from symtrip.verify import Verdict

__all__ = ["verify"]

_DTYPES = ("float32", "float64")


def verify(
    file: Annotated[
        Path | None,
        typer.Argument(
            help="File of exact values, - for standard input; the one installed with symtrip "
            "when left out. `python -m symtrip_reference golden` writes such a file.",
            show_default=False,
        ),
    ] = None,
    dtype: Annotated[str, typer.Option(help="float32 or float64.")] = "float64",
    device: Annotated[str, typer.Option(help="Where to compute: cpu, cuda, cuda:1, ...")] = "cpu",
) -> None:
    """Compare this installation with exact values; exit code 1 if an error exceeds its budget."""
    require(dtype in _DTYPES, "--dtype", "be float32 or float64", dtype, "write --dtype float64")
    import torch
    from rich.console import Console

    from symtrip.verify import GOLDEN

    kind: torch.dtype = getattr(torch, dtype)
    verdicts = _compare(GOLDEN if file is None else file, kind, chosen_device(device, kind))
    console = Console(width=None if sys.stdout.isatty() else 120)
    console.print(_table(verdicts, f"{dtype} on {device}"))
    for verdict in verdicts:
        if not verdict.ok:
            console.print(f"{verdict.function} fails at: {verdict.case}", style="red")
    if not all(verdict.ok for verdict in verdicts):
        raise typer.Exit(1)


def _compare(path: Path, dtype: torch.dtype, device: torch.device) -> list[Verdict]:
    from symtrip.verify import verify as compare

    name = "standard input" if str(path) == "-" else str(path)
    require(
        name == "standard input" or (path.exists() and not path.is_dir()),
        "file",
        "name a file of exact values, or be -",
        name,
        "leave it out for the file installed with symtrip",
    )
    source = nullcontext(sys.stdin) if str(path) == "-" else path.open(encoding="utf-8")
    try:
        with source as lines:
            return compare(lines, name=name, dtype=dtype, device=device)
    except UnicodeDecodeError as problem:
        raise InputError(
            f"`{name}` must be UTF-8 text, got {problem.reason}; write the file again with "
            "`python -m symtrip_reference golden`."
        ) from problem


def _table(verdicts: list[Verdict], title: str) -> Table:
    from rich.table import Table

    table = Table(title=f"exact values against symtrip, {title}", title_justify="left")
    for heading, justify in (
        ("function", "left"),
        ("values", "right"),
        ("worst error / eps", "right"),
        ("budget / eps", "right"),
        ("relative to", "left"),
        ("verdict", "left"),
    ):
        table.add_column(heading, justify=justify)  # type: ignore[arg-type]
    for v in verdicts:
        table.add_row(
            v.function,
            str(v.values),
            f"{v.worst:.2f}",
            f"{v.budget.eps:g}",
            v.budget.scale,
            "[green]ok[/]" if v.ok else "[bold red]FAILED[/]",
        )
    return table
