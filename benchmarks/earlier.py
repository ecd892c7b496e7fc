"""What an earlier run measured, for results that are gathered group by group."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from figures import FIGURES
from side_by_side import Bar, Curve

from symtrip.errors import InputError

__all__ = ["Earlier"]

Grouped = list[tuple[str, Bar]]


@dataclass(frozen=True)
class Earlier:
    """The contents of a result file.

    Attributes:
        runs: commands, groups and machines.
        bars: (group, bar), those with a value only.
        curves: as they were.
    """

    runs: list[dict[str, object]]
    bars: Grouped
    curves: list[Curve]

    @classmethod
    def read(cls, path: Path) -> Earlier | None:
        """None where there is no such file yet."""
        if not path.exists():
            return None
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            bars = [(entry["group"], _bar(entry)) for entry in content["bars"]]
            curves = [Curve(**entry) for entry in content["curves"]]
            runs = [dict(run, groups=list(run["groups"])) for run in content["runs"]]
        except (OSError, ValueError, KeyError, TypeError) as problem:
            raise InputError(
                f"`--json` must be a result of ./run bench to merge with, got {path} with "
                f"{type(problem).__name__}: {problem}; name another file."
            ) from problem
        return cls(runs, [(group, bar) for group, bar in bars if bar.value is not None], curves)

    def runs_without(self, groups: Sequence[str]) -> list[dict[str, object]]:
        """The runs, less the groups that are measured anew."""
        left = [run | {"groups": [g for g in run["groups"] if g not in groups]}
                for run in self.runs]  # fmt: skip
        return [run for run in left if run["groups"]]

    def with_new(
        self, bars: Grouped, curves: Sequence[Curve], groups: Sequence[str]
    ) -> tuple[Grouped, list[Curve]]:
        """The new results, completed by the earlier ones of other groups.

        Args:
            bars: new bars.
            curves: new curves.
            groups: what was measured anew.
        """
        before = {bar.name: bar for group, bar in self.bars if group not in groups}
        new = [(group, before.pop(bar.name, bar) if bar.value is None else bar)
               for group, bar in bars]  # fmt: skip
        names = {bar.name for _, bar in new}
        further = [("further", bar) for name, bar in before.items()
                   if name not in names and name not in FIGURES]  # fmt: skip
        pictures = {curve.picture for curve in curves}
        kept = [curve for curve in self.curves if curve.picture not in pictures]
        return [*new, *further], [*kept, *curves]


def _bar(entry: dict[str, object]) -> Bar:
    """The bar that made this record."""
    sign, _, number = str(entry["bar"] or "<= ").partition(" ")
    return Bar(
        str(entry["name"]),
        entry["value"],
        float(number) if number else None,
        sign == "<=",
        str(entry.get("reason", "")).replace("reported only", ""),
        str(entry.get("device", "")),
    )
