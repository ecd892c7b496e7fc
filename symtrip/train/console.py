"""Progress of a training run on the terminal."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from symtrip.progress import Progress

if TYPE_CHECKING:
    from rich.console import Console

    from symtrip.train.optimisation import Epoch

__all__ = ["ConsoleReport"]


class ConsoleReport:
    """Bars with the errors of the last epoch, on stderr; a :class:`~symtrip.train.Report`.

    Args:
        console: where to write; ``None``: stderr.
    """

    def __init__(self, console: Console | None = None) -> None:
        from rich.console import Console

        self._console = Console(stderr=True) if console is None else console
        self._note = ""

    @contextmanager
    def stage(self, title: str) -> Iterator[Progress]:
        """A bar for the block that it opens."""
        from rich import progress

        columns = (
            progress.TextColumn("{task.description}"),
            progress.BarColumn(),
            progress.MofNCompleteColumn(),
            progress.TimeElapsedColumn(),
            progress.TimeRemainingColumn(),
            progress.TextColumn("{task.fields[note]}"),
        )
        self._note = ""
        with progress.Progress(*columns, console=self._console) as bars:
            task = bars.add_task(title, total=None, note="")
            yield lambda done, total: bars.update(
                task, completed=done, total=total, note=self._note
            )

    def epoch(self, record: Epoch[Any]) -> None:
        """Show the errors of this epoch beside the bar."""
        self._note = f"selection {record.selection}"

    def say(self, text: str) -> None:
        """Print a line."""
        self._console.print(text, highlight=False)
