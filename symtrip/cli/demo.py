"""`symtrip demo`: the paper's central experiment on its data."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["demo"]


def demo(
    out: Annotated[Path, typer.Option(help="Folder of the report.")] = Path("demo"),
) -> None:
    """Compare descriptions of 4000 degenerate pairs, train two models, write a report."""
    from symtrip.demo import run_demo

    run_demo(out)
