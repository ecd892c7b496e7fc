"""`symtrip reproduce`: the paper's tables and figures."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["reproduce"]


def reproduce(
    preset: Annotated[str, typer.Option(help="quick, paper or best.")] = "quick",
    out: Annotated[
        Path | None, typer.Option(help="Folder of the results; default: results/<preset>.")
    ] = None,
    device: Annotated[str, typer.Option(help="Where to compute: cpu, cuda, cuda:1, ...")] = "cpu",
    only: Annotated[
        str | None, typer.Option(help="Train these rows only, e.g. A_rho_NL,A_NL.")
    ] = None,
    seeds: Annotated[
        int | None, typer.Option(help="Train fewer seeds than the preset.", min=1)
    ] = None,
    further: Annotated[
        int | None,
        typer.Option(
            help="Pairs without labels to train on as well; default: the preset's.", min=0
        ),
    ] = None,
    figures: Annotated[
        str, typer.Option(help="all, table (of the models in the table only) or none.")
    ] = "all",
) -> None:
    """Train the paper's models and best on B8 and put their errors beside the paper's.

    Stopped in any way, the same command continues; finished stages are not computed again.
    """
    import torch
    from rich.console import Console
    from rich.markdown import Markdown

    from symtrip.cli.options import chosen_device
    from symtrip.errors import require
    from symtrip.reproduce import PRESETS
    from symtrip.reproduce import reproduce as run
    from symtrip.reproduce.run import Figures
    from symtrip.train.console import ConsoleReport

    presets = {str(name): value for name, value in PRESETS.items()}
    require(preset in presets, "--preset", f"be one of {', '.join(presets)}", preset, "choose one")
    place = chosen_device(device, torch.float64)
    chosen: dict[str, Figures] = {"all": "all", "table": "table", "none": "none"}
    require(figures in chosen, "--figures", "be all, table or none", figures, "choose one")
    folder = out if out is not None else Path("results") / preset
    rows = None if only is None else [name.strip() for name in only.split(",")]
    chosen_preset = presets[preset]
    if further is not None:
        chosen_preset = chosen_preset.model_copy(update={"further_pairs": further})
    run(
        chosen_preset,
        folder,
        ConsoleReport(),
        device=place,
        only=rows,
        seeds=seeds,
        figures=chosen[figures],
    )
    console = Console()
    console.print(Markdown((folder / "tables.md").read_text(encoding="utf-8")))
    console.print(f"results.json, tables.md, figures and cache are in {folder}", highlight=False)
