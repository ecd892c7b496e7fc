"""`symtrip train`: train an energy model from a configuration file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["train"]


def train(
    config: Annotated[Path, typer.Argument(help="TOML file with the settings.")],
    resume: Annotated[
        bool, typer.Option("--resume", help="Continue from the checkpoint in the output folder.")
    ] = False,
) -> None:
    """Train B_L, B_NL, D_L or D_NL on B8; Ctrl-C leaves a checkpoint to resume from."""
    from rich.console import Console
    from rich.table import Table

    from symtrip.train import load_config
    from symtrip.train import train as run
    from symtrip.train.console import ConsoleReport

    settings = load_config(config)
    result = run(settings, ConsoleReport(), resume=resume)
    table = Table("set", "pairs", "mean error", "diff error", title=settings.model)
    for name, part in (("training", result.training), ("validation", result.validation)):
        errors = part.errors
        table.add_row(name, str(len(part.index)), f"{errors.mean:.4f}", f"{errors.diff:.4f}")
    console = Console()
    console.print(table)
    console.print(f"model and results are in {settings.output}")
