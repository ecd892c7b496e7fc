"""`symtrip reproduce`: the paper's table of energy models."""

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
) -> None:
    """Train models B, D and best on B8 and put their errors beside the paper's.

    Stopped in any way, the same command continues; finished models are not trained again.
    """
    from rich.console import Console
    from rich.markdown import Markdown

    from symtrip.errors import require
    from symtrip.reproduce import PRESETS
    from symtrip.reproduce import reproduce as run
    from symtrip.train.console import ConsoleReport

    presets = {str(name): value for name, value in PRESETS.items()}
    require(preset in presets, "--preset", f"be one of {', '.join(presets)}", preset, "choose one")
    folder = out if out is not None else Path("results") / preset
    run(presets[preset], folder, ConsoleReport())
    console = Console()
    console.print(Markdown((folder / "tables.md").read_text(encoding="utf-8")))
    console.print(f"results.json, tables.md and cache are in {folder}", highlight=False)
