"""Progress of long work on the terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

__all__ = ["Progress", "progress_bar", "silent"]

Progress = Callable[[int, int], None]
"""Called with (done, total)."""


def silent(*_: object) -> None:
    """The progress callback of those who do not want to know."""


@contextmanager
def progress_bar(title: str) -> Iterator[Progress]:
    """Show a bar with elapsed and remaining time on stderr while the block runs.

    Args:
        title: what is being done.

    Yields:
        A function to call with (done, total).
    """
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
    ) as bars:
        task = bars.add_task(title, total=None)
        yield lambda done, total: bars.update(task, completed=done, total=total)
