"""`symtrip label`: energies and forces of structures from PySCF."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from symtrip.labels import LabelReport, LabelSettings

__all__ = ["label"]

_MINIMUM_BUDGET = 1e-6
_CHECK_BUDGET = 3e-7  # Ha: PySCF's integral and grid screening against exact integrals


def label(
    structures: Annotated[
        Path | None, typer.Argument(help="Extended-XYZ file with clusters.")
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder of the label store.")] = Path("labels"),
    functional: Annotated[str, typer.Option(help="Exchange-correlation functional.")] = "pbe",
    basis: Annotated[str, typer.Option(help="Orbital basis.")] = "cc-pvdz",
    smearing: Annotated[float, typer.Option(help="Fermi smearing in Ha; 0 for none.")] = 0.01,
    grid_level: Annotated[int, typer.Option(help="PySCF grid level, 0 to 9.")] = 5,
    scf_grid_level: Annotated[
        int | None,
        typer.Option(
            help="Coarser grid that the density is converged on, e.g. 1; without gradients only. "
            "Four times as fast, energies change by less than 1e-7 Ha for B8."
        ),
    ] = None,
    charge: Annotated[int, typer.Option(help="Total charge.")] = 0,
    spin: Annotated[int, typer.Option(help="Number of unpaired electrons.")] = 0,
    gradients: Annotated[bool, typer.Option(help="Compute forces too.")] = True,
    max_cycle: Annotated[int, typer.Option(help="Largest number of SCF cycles.")] = 100,
    conv_tol: Annotated[float, typer.Option(help="Energy threshold of the SCF in Ha.")] = 1e-9,
    guess: Annotated[
        str, typer.Option(help="Density that the SCF starts from: minao, huckel or atom.")
    ] = "minao",
    processes: Annotated[int, typer.Option(help="Worker processes, one thread each.")] = 2,
    b8: Annotated[
        str | None,
        typer.Option(
            metavar="FIRST:LAST",
            help="Label these pairs of the B8 data set instead of a file, e.g. 0:10; writes "
            "OUT/b8.npz, which B8Pairs.load reads.",
        ),
    ] = None,
    check: Annotated[
        int, typer.Option(help="Recompute this many shipped B8 labels instead.", min=0)
    ] = 0,
    seed: Annotated[int, typer.Option(help="Seed of the sample of --check.")] = 0,
    check_pair: Annotated[
        list[int] | None,
        typer.Option(help="Recompute the labels of this B8 pair instead; may be repeated."),
    ] = None,
    check_minimum: Annotated[
        bool, typer.Option("--check-minimum", help="Relax planar B8 to the zero of energy instead.")
    ] = False,
) -> None:
    """Label structures with DFT (the paper's settings by default), resumable at any point."""
    from symtrip.errors import InputError, require
    from symtrip.labels import LabelSettings

    settings = LabelSettings.checked(
        functional=functional,
        basis=basis,
        smearing=smearing,
        grid_level=grid_level,
        charge=charge,
        spin=spin,
        gradients=gradients and not (check or check_pair),
        max_cycle=max_cycle,
        conv_tol=conv_tol,
        scf_grid_level=scf_grid_level,
        initial_guess=guess,
    )
    require(processes >= 1, "--processes", "be at least 1", processes, "use one per core")
    if check or check_pair:
        _check(check, seed, check_pair or [], settings, processes)
        return
    if check_minimum:
        _check_minimum()
        return
    if b8 is not None:
        require(structures is None, "--b8", "be given without a file", str(structures), "drop one")
        _label_pairs(b8, out, settings, processes)
        return
    if structures is None:
        raise InputError(
            "`structures` must name an extended-XYZ file, got nothing; "
            "write `symtrip label FILE.xyz`, or --check 5 to recompute shipped labels."
        )
    _label(structures, out, settings, processes)


def _label(structures: Path, out: Path, settings: LabelSettings, processes: int) -> None:
    from symtrip.extxyz import read_extxyz
    from symtrip.labels import LabelStore, check_structures, label_structures
    from symtrip.progress import progress_bar

    frames = read_extxyz(structures)
    check_structures(frames, settings)
    store = LabelStore(out, settings)
    _announce(len(frames), out)
    with progress_bar("labelling") as update:
        report = label_structures(frames, store, processes=processes, progress=update)
    _tell(report, out, report.path)


def _label_pairs(text: str, out: Path, settings: LabelSettings, processes: int) -> None:
    from symtrip.labels import label_pairs
    from symtrip.labels.pairs import pair_range
    from symtrip.progress import progress_bar

    first, last = pair_range(text)
    _announce(2 * (last - first), out)
    with progress_bar("labelling") as update:
        report, path = label_pairs(first, last, out, settings, processes=processes, progress=update)
    _tell(report, out, path)


def _announce(count: int, out: Path) -> None:
    from rich.console import Console

    Console().print(f"{count} structures; every label goes to {out} as soon as it is computed")


def _tell(report: LabelReport, out: Path, path: Path) -> None:
    from rich.console import Console

    console = Console()
    console.print(f"computed {report.computed}, found {report.reused} in the store; wrote {path}")
    if report.unconverged:
        some = ", ".join(map(str, report.unconverged[:10]))
        console.print(
            f"[yellow]{len(report.unconverged)} not converged[/] (structures {some}), kept in "
            f"{out / 'unconverged'}"
        )


def _check(
    count: int, seed: int, pairs: list[int], settings: LabelSettings, processes: int
) -> None:
    from rich.console import Console
    from rich.table import Table

    from symtrip.labels import shipped_deviations
    from symtrip.progress import progress_bar

    with progress_bar("recomputing shipped labels") as update:
        found = shipped_deviations(
            count,
            seed=seed,
            pairs=pairs,
            initial_guess=settings.initial_guess,
            scf_grid_level=settings.scf_grid_level,
            processes=processes,
            progress=update,
        )
    table = Table("pair", "shipped / Ha", "recomputed / Ha", "deviation / Ha", title="B8 labels")
    for record in found:
        table.add_row(
            f"{record.pair}{record.member}",
            f"{record.shipped:.9f}",
            f"{record.computed:.9f}" if record.converged else "not converged",
            f"{record.deviation:.1e}",
        )
    Console().print(table)
    worst = max(record.deviation for record in found)
    good = worst <= _CHECK_BUDGET and all(record.converged for record in found)
    Console().print(f"worst deviation {worst:.1e} Ha, budget {_CHECK_BUDGET:.0e} Ha: ", end="")
    Console().print("[green]ok[/]" if good else "[red]exceeded[/]")
    if not good:
        raise typer.Exit(1)


def _check_minimum() -> None:
    from rich.console import Console

    from symtrip.data import B8_REFERENCE_ENERGY_HARTREE
    from symtrip.labels import relax_planar_b8

    console = Console()
    energy, _ = relax_planar_b8(
        progress=lambda step, value: console.print(f"step {step}: {value:.9f} Ha")
    )
    deviation = energy - B8_REFERENCE_ENERGY_HARTREE
    good = abs(deviation) <= _MINIMUM_BUDGET
    console.print(
        f"relaxed {energy:.9f} Ha, shipped zero {B8_REFERENCE_ENERGY_HARTREE:.9f} Ha: "
        f"{deviation:+.1e} Ha, budget {_MINIMUM_BUDGET:.0e} Ha: "
        + ("[green]ok[/]" if good else "[red]exceeded[/]"),
        highlight=False,
    )
    if not good:
        raise typer.Exit(1)
