"""``symtrip fit``: train a model on structures of one's own."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["fit"]


def fit(
    config: Annotated[Path, typer.Argument(help="TOML file with the settings.")],
    resume: Annotated[
        bool, typer.Option("--resume", help="Continue from the checkpoint in the output folder.")
    ] = False,
    device: Annotated[str, typer.Option(help="Where to train: cpu, cuda, cuda:1, ...")] = "cpu",
) -> None:
    """Train a model on energies, forces and stresses of your own structures (extended XYZ).

    The smallest configuration is one line: structures = "train.xyz". Energies in eV, forces in eV/Å
    and stresses in eV/Å^3; use the model with `symtrip predict` or as an ASE calculator.
    """
    import torch
    from rich.console import Console
    from rich.table import Table

    from symtrip.cli.options import chosen_device
    from symtrip.train.console import ConsoleReport
    from symtrip.train.structures import fit as run
    from symtrip.train.structures import load_fit

    settings = load_fit(config)
    place = chosen_device(device, getattr(torch, settings.training.dtype))
    result = run(settings, ConsoleReport(), resume=resume, device=place)
    table = Table(
        "set",
        "structures",
        "energy, rms / meV per centre",
        "forces, rms / meV/Å",
        "stress, rms / meV/Å³",
        title="errors",
    )
    sets = {"training": result.training, "validation": result.validation}
    for (name, errors), count in zip(sets.items(), result.counts, strict=True):
        forces = "-" if errors.forces is None else f"{1e3 * errors.forces:.1f}"
        stress = "-" if errors.stress is None else f"{1e3 * errors.stress:.2f}"
        table.add_row(name, str(count), f"{1e3 * errors.energy:.2f}", forces, stress)
    console = Console()
    console.print(table)
    console.print(f"model, results and parity plot are in {settings.output}")
