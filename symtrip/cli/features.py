"""``symtrip features``: features of structures as numpy arrays."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["features"]


def features(
    structures: Annotated[Path, typer.Argument(help="Extended-XYZ file.")],
    out: Annotated[
        Path,
        typer.Option(help="File to write, replaced if it exists: npz or, named *.mts, metatensor."),
    ],
    kind: Annotated[
        str, typer.Option(help="density, power-spectrum, bispectrum or triplets.")
    ] = "triplets",
    centers: Annotated[
        str, typer.Option(help="Atoms to describe: all, or indices such as 0,3.")
    ] = "all",
    radius: Annotated[float, typer.Option(help="Cutoff radius in Å.")] = 2.0,
    cutoff_width: Annotated[
        float, typer.Option(help="Width in Å over which the cutoff goes to zero.")
    ] = 0.1,
    smearing: Annotated[float, typer.Option(help="Width in Å of the Gaussian densities.")] = 0.2,
    n_radial: Annotated[int, typer.Option(help="Radial functions.")] = 6,
    max_angular: Annotated[int, typer.Option(help="Largest angular momentum, included.")] = 3,
    dtype: Annotated[str, typer.Option(help="float64 or float32.")] = "float64",
    device: Annotated[str, typer.Option(help="Where to compute: cpu, cuda, cuda:1, ...")] = "cpu",
) -> None:
    """Compute features of environments and write them as one npz or metatensor file.

    Arrays of the npz: `features` (rows, columns), `structure`, `center` and `center_type` (rows)
    and, for triplets, a row for each ordered pair of neighbours, `neighbors` (rows, 2); what
    columns are: `columns` (columns, numbers), `column_names` (numbers), `parity` (columns).
    Channels are those of the elements in the file. The default settings are the paper's for B8.
    """
    import torch
    from rich import filesize
    from rich.console import Console

    from symtrip.cli.options import chosen_centers, chosen_device
    from symtrip.errors import require
    from symtrip.extxyz import read_extxyz
    from symtrip.files import check_writable
    from symtrip.interop import check_metatensor, feature_arrays, save_tensor_map
    from symtrip.models import ExpansionSettings, validated
    from symtrip.progress import progress_bar

    kinds = {"float64": torch.float64, "float32": torch.float32}
    require(dtype in kinds, "--dtype", "be float64 or float32", dtype, "choose one of them")
    place = chosen_device(device, kinds[dtype])
    as_metatensor = out.suffix == ".mts"
    if as_metatensor:
        check_metatensor()
    check_writable(out)
    frames = read_extxyz(structures)
    settings = validated(
        ExpansionSettings,
        {
            "radius": radius,
            "cutoff_width": cutoff_width,
            "smearing_width": smearing,
            "n_radial": n_radial,
            "max_angular": max_angular,
            "species": sorted({int(z) for atoms in frames for z in atoms.numbers}),
        },
        "the options",
    )
    with progress_bar("environments") as report:
        found = feature_arrays(
            frames,
            kind,
            settings,
            centers=chosen_centers(centers),
            dtype=kinds[dtype],
            device=place,
            progress=report,
        )
    if as_metatensor:
        save_tensor_map(out, found)
    else:
        found.save(out)
    rows, columns = found.features.shape
    console = Console(highlight=False, soft_wrap=True)
    console.print(
        f"{rows} rows of {columns} features, {filesize.decimal(out.stat().st_size)}: {out}",
    )
    if found.isolated:
        console.print(
            f"[yellow]centres without a neighbour within {radius:g} Å: {found.isolated}; positions "
            "must be in Å.[/]",
        )
