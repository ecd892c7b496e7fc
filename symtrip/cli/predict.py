"""``symtrip predict``: energies and forces of structures from a trained model."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["predict"]


def predict(
    model: Annotated[
        Path, typer.Argument(help="Model file of `symtrip train` or `symtrip reproduce`.")
    ],
    structures: Annotated[Path, typer.Argument(help="Extended-XYZ file.")],
    out: Annotated[Path, typer.Option(help="Extended-XYZ file to write; replaced if it exists.")],
    centers: Annotated[
        str,
        typer.Option(
            help="Atoms whose environments' energies are added up: all, indices such as 0,3, or "
            "those of the training (atom 0 for models of B8)."
        ),
    ] = "trained",
    forces: Annotated[bool, typer.Option(help="Compute forces, and stresses of crystals.")] = True,
    energy: Annotated[
        str, typer.Option(help="Name of the energies in the file to compare with.")
    ] = "energy",
    forces_name: Annotated[
        str, typer.Option(help="Name of the forces in the file to compare with.")
    ] = "forces",
    stress: Annotated[
        str, typer.Option(help="Name of the stresses in the file to compare with.")
    ] = "stress",
    chunk: Annotated[int, typer.Option(help="Structures at a time.", min=1)] = 64,
    device: Annotated[str, typer.Option(help="Where to compute: cpu, cuda, cuda:1, ...")] = "cpu",
) -> None:
    """Predict energies and forces of structures with a trained model.

    Energies in eV are relative to the zero of the model's training data; forces are in eV/Å,
    stresses in eV/Å^3. Labels that the file has already are compared with, and replaced.
    """
    import torch
    from rich.console import Console

    from symtrip.cli.options import chosen_centers, chosen_device
    from symtrip.extxyz import read_extxyz, write_extxyz
    from symtrip.files import check_writable
    from symtrip.interop import label_errors, with_results
    from symtrip.interop import predict as run
    from symtrip.models import load_model
    from symtrip.progress import progress_bar

    place = chosen_device(device, torch.float64)
    check_writable(out)
    loaded = load_model(model, place)
    frames = read_extxyz(structures)
    with progress_bar("structures") as report:
        found = run(
            loaded,
            frames,
            centers="trained" if centers == "trained" else chosen_centers(centers),
            forces=forces,
            chunk=chunk,
            progress=report,
        )
    errors = label_errors(frames, found, energy=energy, forces=forces_name, stress=stress)
    write_extxyz(out, [with_results(a, p) for a, p in zip(frames, found, strict=True)])
    energies = torch.tensor([p.energy for p in found])
    console = Console(highlight=False, soft_wrap=True)
    console.print(
        f"structures: {len(found)}, energies from {energies.min():.4f} to {energies.max():.4f} eV: "
        f"{out}",
    )
    told = [
        f"{count} {what} by {error:.4g} {unit}"
        for count, what, error, unit in (
            (errors.structures, "energies", errors.energy, "eV per atom"),
            (errors.with_forces, "structures' forces", errors.forces, "eV/Å"),
            (errors.with_stress, "crystals' stresses", errors.stress, "eV/Å^3"),
        )
        if error is not None
    ]
    if told:
        console.print(
            f"root mean square difference from the labels in {structures}: {', '.join(told)}",
        )
    alone = [number for number, p in enumerate(found) if p.isolated]
    if alone:
        console.print(
            f"[yellow]structures with centres without a neighbour within {loaded.radius:g} Å: "
            f"{len(alone)}, the first is number {alone[0]}; positions must be in Å.[/]",
        )
