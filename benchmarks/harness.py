"""Running groups of measurements and collecting one record for every figure."""

from __future__ import annotations

import importlib
import json
import os
import platform
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from types import ModuleType

import torch
from figures import FIGURES, GROUPS, figure
from side_by_side import Bar, Curve

from symtrip.errors import InputError

__all__ = ["Measurement", "collect", "environment", "measurements", "records", "run"]

Measurement = Callable[[bool], Iterable[Bar | Curve]]
THREADS = 2


def measurements(group: str) -> Sequence[Measurement]:
    """What a group measures; its module is imported only now."""
    if not (Path(__file__).parent / f"{group}.py").exists():
        return ()
    module: ModuleType = importlib.import_module(group)
    found: Sequence[Measurement] = module.MEASUREMENTS
    return found


def run(measurement: Measurement, quick: bool) -> list[Bar | Curve]:
    """Results of one measurement, taken with two threads unless it chooses otherwise."""
    torch.set_num_threads(min(THREADS, os.cpu_count() or 1))
    return list(measurement(quick))


def collect(
    bars: Iterable[Bar], chosen: Sequence[str], recorded: Sequence[Path] = ()
) -> list[tuple[str, Bar]]:
    """One bar for each figure, in the order of the figures, then the others: (group, bar).

    Args:
        bars: what was measured.
        chosen: the groups that were run.
        recorded: results of earlier runs on a GPU, for figures that need one.
    """
    measured = {bar.name: bar for bar in bars}
    elsewhere = {bar.name: bar for path in recorded for bar in recorded_bars(path)}
    result = []
    for name, asked in FIGURES.items():
        bar = measured.pop(name, None)
        if bar is None or bar.value is None:
            bar = elsewhere.get(name, bar)
        if bar is None:
            bar = figure(name, None, reason=_why_missing(asked.group, asked.needs, chosen))
        result.append((asked.group, bar))
    return [*result, *(("further", bar) for bar in measured.values())]


def _why_missing(group: str, needs: str, chosen: Sequence[str]) -> str:
    if group == "peers" and group not in chosen:
        return "other packages are compared by ./run bench --peers"
    if group not in chosen:
        return f"the group {group} was not run"
    if needs == "gpu":
        return "no GPU here"
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


def environment() -> dict[str, object]:
    """Machine and versions."""
    device = "cpu"
    if torch.cuda.is_available():
        device = torch.cuda.get_device_name()
    return {
        "device": device,
        "processor": platform.machine(),
        "cores": os.cpu_count(),
        "threads": THREADS,
        "torch": torch.__version__,
        "python": platform.python_version(),
    }


assert all(group.isidentifier() for group in GROUPS)
