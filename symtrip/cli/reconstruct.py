"""``symtrip reconstruct``: environments back from the features of one tagged pair."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from symtrip.errors import require

__all__ = ["app"]

app = typer.Typer(
    help="Rebuild environments from the features of one tagged pair.", no_args_is_help=True
)


@app.command()
def decode(
    path: Annotated[Path, typer.Argument(metavar="FILE", help="Structures as extended XYZ.")],
    center: Annotated[int, typer.Option(help="Index of the central atom.")] = 0,
    radius: Annotated[
        float | None, typer.Option(help="Cutoff radius in Å; default: all atoms fit inside.")
    ] = None,
    smearing: Annotated[
        float | None, typer.Option(help="Width in Å of Gaussian densities; default: points.")
    ] = None,
) -> None:
    """Compute the features of one pair with polynomial radial functions, and decode them.

    Uses nothing but that one feature vector, and compares the outcome with the structure.
    """
    from symtrip.completeness import congruent, decode_pair, pair_features
    from symtrip.environments import Environments
    from symtrip.expansion import (
        DeltaDensity,
        GaussianDensity,
        Monomials,
        ShiftedCosine,
        SphericalExpansion,
    )
    from symtrip.extxyz import read_extxyz

    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for heading in ("structure", "neighbours", "degree", "pair", "couplings", "error / Å"):
        table.add_column(heading, justify="right")
    for number, atoms in enumerate(read_extxyz(path)):
        reach = radius
        if reach is None:
            require(
                not atoms.pbc.any(),
                "--radius",
                "be given for periodic structures",
                "none",
                "give the cutoff radius in Å",
            )
            require(
                0 <= center < len(atoms),
                "--center",
                f"be the index of an atom, 0 .. {len(atoms) - 1}",
                center,
                "count from 0",
            )
            reach = 1.2 * float(atoms.get_distances(center, range(len(atoms))).max())
            require(
                0 < reach < float("inf"),
                "FILE",
                "hold structures with finite positions and neighbours around the centre",
                f"a farthest neighbour at {reach / 1.2} Å in structure {number}",
                "repair or export it again",
            )
        environment = Environments.from_atoms(atoms, radius=reach, centers=center)
        counts = Counter(environment.species[environment.mask].tolist())
        # of a single species two neighbours are tagged; of several, perhaps none of the largest
        degree = max(max(counts.values()) - (2 if len(counts) == 1 else 0), 1)
        expansion = SphericalExpansion(
            cutoff=ShiftedCosine(radius=reach, width=0.05 * reach),
            density=DeltaDensity() if smearing is None else GaussianDensity(width=smearing),
            basis=Monomials(n_radial=max(2, degree // 2 + 1), max_angular=degree),
            species=sorted(counts),
        )
        features, pair = pair_features(environment, expansion)
        result = decode_pair(features, expansion, pair=pair)
        rebuilt = result.environment(
            radius=2 * reach, center_species=int(environment.center_species[0])
        )
        match = congruent(environment, rebuilt, group="SO3", tolerance=1e-6)
        table.add_row(
            str(number),
            str(int(environment.mask.sum())),
            str(degree),
            f"{result.pair[0]}, {result.pair[1]}",
            f"{result.coupling_condition:.1f}",
            f"{match.residual:.1e}",
        )
    Console().print(table)


@app.command()
def sweep(
    out: Annotated[Path, typer.Option(help="Folder for sweep.json and sweep.png.")],
    n_radial: Annotated[
        list[int] | None, typer.Option(help="Numbers of radial functions; may be repeated.")
    ] = None,
    max_angular: Annotated[
        list[int] | None, typer.Option(help="Largest l; may be repeated.")
    ] = None,
    environments: Annotated[int, typer.Option(help="B8 environments per basis.")] = 8,
    starts: Annotated[int, typer.Option(help="Random starts per environment.")] = 96,
    seed: Annotated[int, typer.Option(help="Seed of the starts.")] = 0,
) -> None:
    """Recover B8 environments from smooth (GTO) features by optimisation, over basis sizes.

    Plots the success rate. Stopped at any time, it continues where it was.
    """
    from symtrip.completeness.sweep import draw_sweep
    from symtrip.completeness.sweep import sweep as run
    from symtrip.files import atomic_write
    from symtrip.progress import progress_bar

    with progress_bar("basis sizes") as report:
        outcome = run(
            out / "sweep.json",
            n_radial=n_radial or [2, 3, 4, 5, 6, 8],
            max_angular=max_angular or [1, 2, 3, 4, 5],
            environments=environments,
            starts=starts,
            seed=seed,
            progress=report,
        )
    with atomic_write(out / "sweep.png") as temporary:
        draw_sweep(outcome).savefig(temporary, dpi=150)
    Console().print(f"success rates: {out / 'sweep.json'}, plot: {out / 'sweep.png'}")
