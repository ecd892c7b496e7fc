"""Running groups of measurements and collecting one record for every figure."""

from __future__ import annotations

import importlib
import json
import os
import platform
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType, ModuleType

import torch
from figures import FIGURES, GROUPS, Figure, figure
from side_by_side import Bar, Curve

from symtrip.errors import InputError

__all__ = [
    "THREADS",
    "Measurement",
    "Neighbors",
    "collect",
    "environment",
    "measurements",
    "records",
    "run",
]

Measurement = Callable[[bool], Iterable[Bar | Curve]]
THREADS = min(2, os.cpu_count() or 1)


def measurements(group: str) -> Sequence[Measurement]:
    """What a group measures; its module is imported only now."""
    if not (Path(__file__).parent / f"{group}.py").exists():
        return ()
    module: ModuleType = importlib.import_module(group)
    found: Sequence[Measurement] = module.MEASUREMENTS
    return found


def run(measurement: Measurement, quick: bool, threads: int = THREADS) -> list[Bar | Curve]:
    """Results of one measurement, taken with so many threads unless it chooses otherwise."""
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        return list(measurement(quick))
    finally:
        torch.set_num_threads(before)


class Neighbors:
    """How many cores other programs keep busy while this one measures (Linux; else unknown)."""

    def __init__(self) -> None:
        self._start = self._now()

    def cores(self) -> float | None:
        """Mean over the time since this was made."""
        now = self._now()
        if now is None or self._start is None:
            return None
        wall, busy, own = (after - before for after, before in zip(now, self._start, strict=True))
        return max(0.0, (busy - own) / wall)

    @staticmethod
    def _now() -> tuple[float, float, float] | None:
        """Seconds: of the clock, of all cores' work, of the work of this program."""
        try:
            words = Path("/proc/stat").read_text(encoding="ascii").split("\n", 1)[0].split()
        except OSError:
            return None
        ticks = [int(word) for word in words[1:9]]  # the rest is counted among these
        busy = (sum(ticks) - ticks[3] - ticks[4]) / os.sysconf("SC_CLK_TCK")  # idle, waiting
        times = os.times()
        own = times.user + times.system + times.children_user + times.children_system
        return time.monotonic(), busy, own


def collect(
    bars: Iterable[Bar],
    chosen: Sequence[str],
    recorded: Sequence[Path] = (),
    failures: Mapping[str, str] = MappingProxyType({}),
) -> list[tuple[str, Bar]]:
    """One bar for each figure, in the order of the figures, then the others: (group, bar).

    Args:
        bars: what was measured.
        chosen: the groups that were run.
        recorded: results of earlier runs on a GPU, for figures that need one.
        failures: group -> why some of it could not be measured.
    """
    measured = {bar.name: bar for bar in bars}
    elsewhere = {bar.name: bar for path in recorded for bar in recorded_bars(path)}
    result = []
    for name, asked in FIGURES.items():
        bar = measured.pop(name, None)
        if bar is None or bar.value is None:
            bar = elsewhere.get(name, bar)
        if bar is None:
            bar = figure(name, None, reason=_why_missing(asked, chosen, failures))
        result.append((asked.group, bar))
    return [*result, *(("further", bar) for bar in measured.values())]


def _why_missing(asked: Figure, chosen: Sequence[str], failures: Mapping[str, str]) -> str:
    if asked.needs == "gpu" and not torch.cuda.is_available():
        return "no GPU here"
    if asked.group not in chosen:
        if asked.group == "peers":
            return "other packages are compared by ./run bench --peers"
        return f"the group {asked.group} was not run"
    if asked.group in failures:
        return failures[asked.group]
    return "not measured in this run"


def recorded_bars(path: Path) -> list[Bar]:
    """Measured bars of a result file, with the device that it names."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        device = content["machine"]["device"]
        return [
            figure(entry["name"], entry["value"], reason=f"recorded in {path.name}", device=device)
            for entry in content["bars"]
            if entry["value"] is not None and entry["name"] in FIGURES
        ]
    except (OSError, ValueError, KeyError, TypeError) as problem:
        raise InputError(
            f"`{path}` must be a result of ./run bench gpu --json FILE, got "
            f"{type(problem).__name__}: {problem}; remove it or measure again."
        ) from problem


def records(bars: Iterable[tuple[str, Bar]]) -> list[dict[str, object]]:
    """The bars for JSON."""
    return [{"group": group, **bar.record()} for group, bar in bars]


def environment(threads: int = THREADS) -> dict[str, object]:
    """Machine and versions."""
    device = "cpu"
    if torch.cuda.is_available():
        device = torch.cuda.get_device_name()
    return {
        "device": device,
        "processor": platform.machine(),
        "cores": os.cpu_count(),
        "threads": threads,
        "torch": torch.__version__,
        "python": platform.python_version(),
    }


assert all(group.isidentifier() for group in GROUPS)
