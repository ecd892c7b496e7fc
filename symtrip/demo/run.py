"""The demonstration: degenerate pairs, two models, a report."""

from __future__ import annotations

import os
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import torch
from rich.console import Console
from rich.table import Table

from symtrip.data import B8Pairs
from symtrip.degenerate import family, sample_b8_parameters
from symtrip.degenerate.picture import draw_pair
from symtrip.demo.degeneracy import Degeneracy, pair_differences
from symtrip.demo.report import DEGENERACY_NAMES, PAPER, DrawnPair, write_report, write_results
from symtrip.errors import require
from symtrip.expansion import SphericalExpansion
from symtrip.files import atomic_write, check_writable
from symtrip.progress import progress_bar
from symtrip.train import DataSettings, TrainConfig, TrainingSettings, TrainResult, train
from symtrip.train.console import ConsoleReport
from symtrip.train.pictures import parity_plot

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["EPOCHS", "run_demo"]

EPOCHS: dict[Literal["D_NL", "B_NL"], int] = {"D_NL": 40, "B_NL": 40}
"""Chosen so that the whole demonstration takes about three minutes on two cores."""


def run_demo(
    out: str | os.PathLike[str],
    *,
    pairs: B8Pairs | None = None,
    epochs: dict[Literal["D_NL", "B_NL"], int] | None = None,
    console: Console | None = None,
) -> None:
    """Run the demonstration and write its report.

    Args:
        out: folder of ``report.html``, ``results.json``, ``parity.png`` and ``pair.png``.
        pairs: the data; ``None``: the 4000 that ship with symtrip.
        epochs: of each model; ``None``: :data:`EPOCHS`.
        console: where tables go; ``None``: stdout.

    Raises:
        InputError: the data hold too few labels, or labels of other pairs.
        OSError: the folder cannot be written; known before the work starts.
        KeyboardInterrupt: nothing is written then.
    """
    folder = Path(out)
    check_writable(folder / "report.html")
    console = console or Console()
    data = _made_again(pairs if pairs is not None else B8Pairs.load())
    console.print(
        f"made {len(data)} pairs of B8 clusters from six numbers each (seed 12345, as in the "
        f"paper); both members of {len(data.labelled)} have PBE energies",
        highlight=False,
    )
    with progress_bar(f"comparing {len(data)} pairs") as progress:
        differences = pair_differences(
            SphericalExpansion.b8(), data.positions, data.numbers, progress=progress
        )
    degeneracy = {name: Degeneracy.of(value) for name, value in differences.items()}
    console.print(_degeneracy_table(degeneracy))

    models: dict[str, TrainResult] = {}
    with tempfile.TemporaryDirectory() as scratch:
        for name, count in (epochs or EPOCHS).items():
            config = TrainConfig(
                model=name,
                output=str(Path(scratch) / name),
                data=DataSettings(),
                training=TrainingSettings(epochs=count),
            )
            models[name] = train(config, _NothingToResume(), pairs=data)
    console.print(_error_table(models))

    parity = parity_plot(models["B_NL"].validation, models["D_NL"].validation)
    pair = _most_different(data.validation.labelled)
    _save(parity, folder / "parity.png")
    _save(pair.figure, folder / "pair.png")
    write_report(folder / "report.html", degeneracy, models, parity=parity, pair=pair)
    write_results(folder / "results.json", degeneracy, models)
    console.print(
        f"wrote {folder / 'report.html'}, parity.png, pair.png and results.json", highlight=False
    )


class _NothingToResume(ConsoleReport):
    """Training in a folder that does not outlive it: no word about checkpoints."""

    def say(self, text: str) -> None:
        """Nothing."""


def _made_again(data: B8Pairs) -> B8Pairs:
    """The same pairs from the paper's sampling instead of the file, with the file's labels."""
    count = int(data.index.max()) + 1
    sampled = torch.from_numpy(sample_b8_parameters(count)).to(data.parameters)[data.index]
    require(
        torch.equal(sampled, data.parameters),
        "pairs",
        "be the paper's, in its order",
        "other parameters",
        "use B8Pairs.load()",
    )
    return replace(data, parameters=sampled)


def _most_different(pairs: B8Pairs) -> DrawnPair:
    """Picture of the pair whose members differ most in energy."""
    differences = (pairs.energies[:, 0] - pairs.energies[:, 1]).abs()
    row = int(differences.argmax())
    r, z1, z2, psi, phi1, phi2 = pairs.parameters[row].double()
    tangents = [torch.tan(angle / 2) for angle in (psi, phi1, phi1 + phi2)]
    parameters = torch.stack([r, z1, z2, *tangents])
    return DrawnPair(
        figure=draw_pair(family("nu3_paper_B8_family"), parameters),
        number=int(pairs.index[row]),
        difference=float(differences[row]),
    )


def _save(figure: Figure, path: Path) -> None:
    with atomic_write(path) as temporary:
        figure.savefig(temporary, dpi=150, bbox_inches="tight")


def _degeneracy_table(degeneracy: dict[str, Degeneracy]) -> Table:
    table = Table(
        "description",
        "median",
        "largest",
        title="relative difference between the members of a pair",
    )
    for name, value in degeneracy.items():
        table.add_row(DEGENERACY_NAMES[name], f"{value.median:.1e}", f"{value.maximum:.1e}")
    return table


def _error_table(models: dict[str, TrainResult]) -> Table:
    table = Table(
        "model",
        "set",
        "mean",
        "diff",
        "paper: mean",
        "paper: diff",
        title="errors relative to the spread of energies (mean) and of pair differences (diff)",
    )
    for name, result in models.items():
        for part, got in (("validation", result.validation), ("training", result.training)):
            paper = PAPER[name][part]
            table.add_row(
                name,
                part,
                f"{got.errors.mean:.4f}",
                f"{got.errors.diff:.4f}",
                f"{paper.mean:.4f}",
                f"{paper.diff:.4f}",
            )
    return table
