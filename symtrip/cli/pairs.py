"""``symtrip pairs``: list, show and sample the families of degenerate pairs."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import torch
import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from torch import Tensor

from symtrip.degenerate import Family, families, family, write_pairs
from symtrip.degenerate.formulas import evaluate
from symtrip.errors import InputError, require

__all__ = ["app"]

app = typer.Typer(
    help="Pairs of structures that incomplete descriptors cannot tell apart.",
    no_args_is_help=True,
)

_KINDS = ("env", "both", "global", "periodic")
_PICTURES = (".png", ".svg", ".pdf")
_STRUCTURES = (".extxyz", ".xyz")

Id = Annotated[str, typer.Argument(metavar="ID", help="Family, as `symtrip pairs list` names it.")]
Assignments = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="NAME=VALUE", help="Change a parameter, e.g. --set z2=3/2."),
]


@app.command("list")
def list_families(
    kind: Annotated[
        str | None, typer.Option(help="Only families of this kind: env, both, global or periodic.")
    ] = None,
) -> None:
    """List the families: what they are, how many atoms, and which descriptors they fool."""
    require(
        kind is None or kind in _KINDS, "--kind", f"be one of {_KINDS}", kind, "or leave it out"
    )
    table = Table(show_lines=False)
    for heading in ("id", "kind", "atoms", "parameters", "fools"):
        table.add_column(heading, justify="right" if heading == "atoms" else "left")
    for member in families():
        if kind in (None, member.kind):
            table.add_row(
                member.id,
                member.kind,
                str(len(member.members()[0].numbers)),
                " ".join(p.name for p in member.parameters),
                escape(member.claim),
            )
    _console().print(table)


@app.command()
def show(
    id: Id,  # noqa: A002
    png: Annotated[
        Path | None, typer.Option(help="Write a picture of both members (.png, .svg or .pdf).")
    ] = None,
    assignments: Assignments = None,
) -> None:
    """Show one family: claim, source, parameters, and the atoms of both members."""
    chosen = family(id)
    parameters = _parameters(chosen, assignments or [])
    if png is not None:
        _check_suffix("--png", png, _PICTURES)
    plus, minus = chosen.members(parameters)
    console = _console()
    console.print(f"[bold]{escape(chosen.title)}[/]  ({chosen.id}, {chosen.kind})")
    for label, text in (
        ("fools", chosen.claim),
        ("source", chosen.source),
        ("congruent where", chosen.exceptional),
        ("merge path", chosen.merge or "none"),
    ):
        console.print(f"[cyan]{label}:[/] {escape(text)}", highlight=False)
    table = Table("parameter", "value", "random members", "unit", title="parameters")
    for p, value in zip(chosen.parameters, parameters.tolist(), strict=True):
        table.add_row(p.name, f"{value:.10g}", f"{p.low:g} .. {p.high:g}", p.unit)
    console.print(table)
    atoms = Table("atom", "Z", "A+ (Å)", "A- (Å)", title="atoms")
    for i, (a, b) in enumerate(zip(plus.positions.tolist(), minus.positions.tolist(), strict=True)):
        label = f"{i} (centre)" if i == 0 and chosen.has_center else str(i)
        atoms.add_row(label, str(int(plus.numbers[i])), _point(a), "same" if a == b else _point(b))
    console.print(atoms)
    if plus.cell is not None:
        console.print("cell (Å): " + "; ".join(_point(row) for row in plus.cell.tolist()))
    if png is not None:
        from symtrip.degenerate.picture import save_picture

        save_picture(chosen, png, parameters)
        console.print(f"wrote {png}", highlight=False, soft_wrap=True)


@app.command()
def sample(
    id: Id,  # noqa: A002
    out: Annotated[Path, typer.Option(help="File to write (.extxyz); replaced if it exists.")],
    n: Annotated[int, typer.Option(help="Number of random pairs.")] = 10,
    seed: Annotated[int, typer.Option(help="Seed; the same seed gives the same pairs.")] = 0,
    center: Annotated[
        bool, typer.Option(help="Write the centre as atom 0 (families that have one).")
    ] = True,
) -> None:
    """Write random pairs away from degeneration: A+, A-, A+, A-, ... as extended XYZ."""
    chosen = family(id)
    require(n >= 1, "--n", "be at least 1", n, "give the number of pairs")
    require(0 <= seed < 2**63, "--seed", "lie in 0 .. 2^63 - 1", seed, "choose another seed")
    _check_suffix("--out", out, _STRUCTURES)
    rows = chosen.sample(n, torch.Generator().manual_seed(seed))
    write_pairs(chosen, rows, out, center=center)
    _console().print(f"wrote {n} pairs ({2 * n} frames) to {out}", highlight=False, soft_wrap=True)


def _parameters(chosen: Family, assignments: list[str]) -> Tensor:
    values = {}
    for text in assignments:
        name, equals, formula = text.partition("=")
        require(bool(equals), "--set", "be written NAME=VALUE", text, "e.g. --set z2=3/2")
        try:
            values[name.strip()] = float(formula)
        except ValueError:
            values[name.strip()] = float(evaluate(formula.strip(), {}))
    return chosen.vector(values)


def _check_suffix(option: str, path: Path, allowed: tuple[str, ...]) -> None:
    if path.suffix.lower() not in allowed:
        raise InputError(
            f"`{option}` must end in {', '.join(allowed)}, got {path}; the suffix chooses the "
            "file format."
        )


def _point(xyz: list[float]) -> str:
    return "  ".join(f"{x:10.6f}" for x in xyz)


def _console() -> Console:
    return Console(width=None if sys.stdout.isatty() else 160)
