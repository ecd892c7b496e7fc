"""``symtrip collide``: search for new pairs that a descriptor cannot tell apart."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from symtrip.errors import require
from symtrip.files import check_writable

__all__ = ["collide"]


def collide(
    target: Annotated[
        str, typer.Argument(metavar="TARGET", help="A descriptor, as for `symtrip audit`.")
    ],
    starts: Annotated[int, typer.Option(help="Random starts; each takes a few seconds.")] = 20,
    seed: Annotated[int, typer.Option(help="Seed of the starts.")] = 0,
    element: Annotated[str, typer.Option(metavar="SYMBOL", help="Element of all atoms.")] = "B",
    group: Annotated[
        str, typer.Option(help="O3: mirror images count as equal; SO3: they do not.")
    ] = "O3",
    min_distance: Annotated[
        float, typer.Option(help="Orbit distance in Å below which a pair does not count.")
    ] = 0.05,
    cutoff: Annotated[
        float | None, typer.Option(help="Cutoff radius in Å of a descriptor of your own.")
    ] = None,
    json: Annotated[Path | None, typer.Option(help="Write statistics and pairs as JSON.")] = None,
    xyz: Annotated[Path | None, typer.Option(help="Write the pairs as extended XYZ.")] = None,
) -> None:
    """Search for pairs of different environments with the same features.

    Minimises the difference of the features while the environments stay apart, down to rounding,
    and reports how far apart they are and how the descriptor's image touches itself there.
    """
    from ase.data import atomic_numbers

    from symtrip.audit import DescriptorError, resolve
    from symtrip.audit.collisions import find_collisions
    from symtrip.audit.collisions.writing import statistics, write_json, write_pairs
    from symtrip.completeness.congruence import check_group
    from symtrip.progress import progress_bar

    require(
        element in atomic_numbers,
        "--element",
        "be a chemical symbol",
        repr(element),
        "write e.g. --element Cu",
    )
    check_group(group)
    check_writable(json, xyz)
    subject = resolve(target, cutoff=cutoff)
    console = Console()
    try:
        with progress_bar(f"collisions of {target}") as report:
            search = find_collisions(
                subject,
                starts=starts,
                seed=seed,
                element=int(atomic_numbers[element]),
                group="SO3" if group == "SO3" else "O3",
                min_distance=min_distance,
                progress=report,
            )
    except DescriptorError as problem:
        console.print(f"[red]{escape(target)} failed:[/] {escape(str(problem))}")
        raise typer.Exit(1) from problem
    table = Table(box=None, padding=(0, 1, 0, 0), header_style="bold")
    for heading in ("start", "N", "difference", "apart / Å", "at least", "larger basis", "contact"):
        table.add_column(heading, justify="right")
    for number, start in enumerate(search.starts):
        found = start.collision
        if found is None:
            continue
        order = "equal" if found.contact.order is None else f"order {found.contact.order}"
        larger = "" if found.refined_difference is None else f"{found.refined_difference:.1e}"
        table.add_row(
            f"{number} {start.kind}",
            str(start.n_neighbors),
            f"{found.relative_difference:.1e}",
            f"{found.orbit_distance:.3f}",
            f"{found.orbit_distance_bound:.3f}",
            larger,
            f"{found.contact.shared}/{found.contact.directions} {order}",
        )
    if search.collisions:
        console.print(table)
    console.print(
        f"{escape(target)}: {len(search.collisions)} collisions in {len(search.starts)} starts"
    )
    counts = statistics(search)
    kinds = [f"{n['collisions']} of {n['starts']} {kind}" for kind, n in counts["by_kind"].items()]
    console.print(f"by kind of start: {', '.join(kinds)}")
    if counts["in_each_twenty"]:
        console.print(f"in each twenty: {' '.join(map(str, counts['in_each_twenty']))}")
    if json is not None:
        write_json(search, json)
        console.print(f"statistics: {escape(str(json))}")
    if xyz is not None:
        write_pairs(search, xyz, element)
        console.print(f"pairs: {escape(str(xyz))}")
