"""Timings that are taken in turn, so that a drifting machine moves both sides alike."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

__all__ = ["Bar", "Curve", "in_turn"]


@dataclass(frozen=True)
class Bar:
    """One figure that is asked for, or only reported.

    Attributes:
        name: what is measured.
        value: the measured figure, None where it cannot be measured.
        bar: what it is compared with; None for a figure that is only reported.
        at_most: whether the figure must not exceed the bar (else: must reach it).
        reason: why it could not be measured.
        device: where it was measured, if not on this machine's processor.
    """

    name: str
    value: float | None
    bar: float | None = None
    at_most: bool = True
    reason: str = ""
    device: str = ""

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
        extra = {"reason": reason, "device": self.device}
        return record | {key: text for key, text in extra.items() if text}


@dataclass(frozen=True)
class Curve:
    """One measured dependence, for a plot.

    Attributes:
        picture: name of the plot; curves of one name share one.
        panel: which of its panels.
        label: what this curve is.
        x: the values of ``x_label``.
        y: the measured values of ``y_label``.
    """

    picture: str
    panel: str
    label: str
    x_label: str
    x: list[float]
    y_label: str
    y: list[float] = field(default_factory=list)


SHORTEST = 1e-2


def in_turn(
    works: Mapping[str, Callable[[], object]], *, rounds: int = 7, seconds: float = 0.0
) -> dict[str, float]:
    """Median seconds of several pieces of work, run in turn after two warm-up rounds.

    What takes less than 10 ms is called several times in a row each time, because its first call
    after something else pays for caches and sleeping threads.

    Args:
        works: name -> what to time.
        rounds: timed runs of each.
        seconds: go on beyond ``rounds`` until about this much time has been spent, 200 rounds at
            most: short pieces of work need more rounds.
    """
    times: dict[str, list[float]] = {name: [] for name in works}
    calls: dict[str, int] = {}
    for name, work in works.items():
        work()
        calls[name] = max(1, int(SHORTEST / max(_seconds(work, 1), 1e-7)))
    started = time.perf_counter()
    for round_ in range(max(rounds, 200)):
        if round_ >= rounds and time.perf_counter() - started > seconds:
            break
        for name, work in works.items():
            times[name].append(_seconds(work, calls[name]))
    return {name: statistics.median(measured) for name, measured in times.items()}


def _seconds(work: Callable[[], object], calls: int) -> float:
    start = time.perf_counter()
    for _ in range(calls):
        work()
    return (time.perf_counter() - start) / calls
