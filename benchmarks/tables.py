"""The figures as a table for the documentation."""

from __future__ import annotations

from collections.abc import Sequence

from side_by_side import Bar

__all__ = ["markdown"]


def markdown(bars: Sequence[tuple[str, Bar]], runs: Sequence[dict[str, object]]) -> str:
    """Every figure with what is asked and measured, then the commands and their machines.

    Args:
        bars: group and bar.
        runs: command, groups and machine of what was measured.
    """
    lines = ["| group | figure | asked | measured | |", "|---|---|---|---|---|"]
    for group, bar in bars:
        verdict = {True: "met", False: "**missed**", None: ""}[bar.ok]
        measured = "" if bar.value is None else f"{bar.value:.3g}"
        note = " ".join(filter(None, (verdict, bar.device, "" if measured else bar.reason)))
        lines.append(f"| {group} | {bar.name} | {bar.asked or ''} | {measured} | {note} |")
    lines += [
        "",
        "| command | groups | threads | cores used by other programs |",
        "|---|---|---|---|",
    ]
    for run in runs:
        machine = dict(run["machine"])
        busy = machine.get("cores used by others")
        used = "unknown" if busy is None else f"{busy:.1f}"
        groups = ", ".join(run["groups"])
        lines.append(f"| `{run['command']}` | {groups} | {machine['threads']} | {used} |")
    return "\n".join(lines) + "\n"
