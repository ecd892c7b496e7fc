"""Timings that are taken in turn, so that a drifting machine moves both sides alike."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

__all__ = ["Bar", "in_turn"]


@dataclass(frozen=True)
class Bar:
    """One figure that is asked for.

    Attributes:
        name: what is measured.
        value: the measured figure, None where it cannot be measured.
        bar: what it is compared with; None for a figure that is only reported.
        at_most: whether the figure must not exceed the bar (else: must reach it).
        reason: why it could not be measured.
    """

    name: str
    value: float | None
    bar: float | None = None
    at_most: bool = True
    reason: str = ""

    @property
    def ok(self) -> bool | None:
        """Whether the bar is met; None where there is nothing to compare."""
        if self.value is None or self.bar is None:
            return None
        return self.value <= self.bar if self.at_most else self.value >= self.bar

    @property
    def asked(self) -> str | None:
        """The bar in words."""
        if self.bar is None:
            return None
        return f"{'<=' if self.at_most else '>='} {self.bar:g}"

    def record(self) -> dict[str, object]:
        """For JSON."""
        record: dict[str, object] = {
            "name": self.name,
            "value": self.value,
            "bar": self.asked,
            "ok": self.ok,
        }
        reason = self.reason or ("reported only" if self.bar is None else "")
        return record | ({"reason": reason} if reason else {})


def in_turn(works: Mapping[str, Callable[[], object]], *, rounds: int = 7) -> dict[str, float]:
    """Median seconds of several pieces of work, run in turn after one warm-up round.

    Args:
        works: name -> what to time.
        rounds: timed runs of each.
    """
    seconds: dict[str, list[float]] = {name: [] for name in works}
    for round_ in range(rounds + 1):
        for name, work in works.items():
            start = time.perf_counter()
            work()
            if round_:
                seconds[name].append(time.perf_counter() - start)
    return {name: statistics.median(times) for name, times in seconds.items()}
