"""Time the fast path against its ceilings, against the exact path and against other packages.

    ./run bench [GROUP ...] [--quick] [--threads N] [--json FILE [--merge]]
        [--peers [PYTHON]]

All ratios are of times taken in turn in this run; absolute times mean little elsewhere. Pictures
and a table appear beside the JSON file. Figures that cannot be measured here are listed with the
reason; results recorded on a GPU (benchmarks/results/gpu*.json) are listed with their device.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import harness
from earlier import Earlier
from figures import GROUPS
from plots import draw_bars, draw_curves
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from side_by_side import Bar, Curve
from tables import markdown

from symtrip.errors import InputError, require
from symtrip.files import atomic_write

ROOT = Path(__file__).resolve().parents[1]
RESULTS = Path(__file__).resolve().parent / "results"
PEERS_PYTHON = ROOT / ".peers-venv" / "bin" / "python"
DISTURBED = 0.2  # cores that other programs may use without a warning


def arguments_of(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="./run bench",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("groups", nargs="*", metavar="GROUP", help=f"of {', '.join(GROUPS)}")
    parser.add_argument("--quick", action="store_true", help="fewer environments and rounds")
    parser.add_argument(
        "--threads", type=int, default=harness.THREADS, help="threads of PyTorch (default: 2)"
    )
    parser.add_argument(
        "--json",
        type=Path,
        default=RESULTS / "bench.json",
        help="result file (default: %(default)s)",
    )
    parser.add_argument(
        "--merge",
        action="store_true",
        help="keep what the result file has for groups that are not run now",
    )
    parser.add_argument(
        "--peers",
        nargs="?",
        metavar="PYTHON",
        const=PEERS_PYTHON,
        help="compare with other packages, in their own environment (or with the Python given)",
    )
    arguments = parser.parse_args(words)
    if arguments.peers in GROUPS:  # ./run bench --peers nice
        arguments.groups.append(arguments.peers)
        arguments.peers = PEERS_PYTHON
    check(arguments)
    return arguments


def check(arguments: argparse.Namespace) -> None:
    """Refuse before anything is measured what would fail after it."""
    for group in arguments.groups:
        require(group in GROUPS, "GROUP", f"be one of {', '.join(GROUPS)}", group, "see --help")
    cores = os.cpu_count() or 1
    require(
        1 <= arguments.threads <= cores,
        "--threads",
        f"be between 1 and {cores}, the number of cores",
        arguments.threads,
        "leave it out for two",
    )
    if "peers" in arguments.groups and arguments.peers is None:
        arguments.peers = PEERS_PYTHON
    if arguments.peers is not None:
        arguments.peers = Path(arguments.peers)
        require(
            arguments.peers.is_file() and os.access(arguments.peers, os.X_OK),
            "--peers",
            "name the Python of an environment with the other packages",
            arguments.peers,
            "./run bench --peers makes it",
        )
    file: Path = arguments.json
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        writable = os.access(file.parent, os.W_OK) and not file.is_dir()
    except OSError:
        writable = False
    require(
        writable, "--json", "name a file in a folder that can be written to", file, "give another"
    )
    require(file.suffix == ".json", "--json", "end in .json", file, f"write {file}.json")


def chosen_groups(arguments: argparse.Namespace) -> list[str]:
    """Groups to run here or with the peers' Python."""
    asked = arguments.groups or [group for group in GROUPS if group != "peers"]
    if arguments.peers is not None:
        asked = [*asked, "peers"]
    return [group for group in GROUPS if group in asked]


def with_peers(arguments: argparse.Namespace) -> list[Bar | Curve]:
    """Results of the group "peers", measured in one process of the peers' environment."""
    with tempfile.TemporaryDirectory() as folder:
        result = Path(folder) / "peers.json"
        command = [str(arguments.peers), str(Path(__file__).parent / "peers.py")]
        command += ["--json", str(result), "--threads", str(arguments.threads)]
        code = subprocess.call([*command, *(["--quick"] if arguments.quick else [])], cwd=ROOT)
        if code:
            raise InputError(f"`--peers` must be able to measure, got exit code {code}; see above.")
        content = json.loads(result.read_text(encoding="utf-8"))
    return [Bar(**bar) for bar in content["bars"]] + [Curve(**c) for c in content["curves"]]


def show(bars: Sequence[tuple[str, Bar]], groups: Sequence[str], console: Console) -> None:
    """The measured bars as a table; the others of these groups under their reasons."""
    rows = Table("figure", "measured", "asked", "ok")
    missing: dict[str, list[str]] = {}
    for group, bar in bars:
        if bar.value is None:
            if group in groups:
                missing.setdefault(bar.reason, []).append(bar.name)
            continue
        verdict = {True: "[green]yes[/]", False: "[red]no[/]", None: ""}[bar.ok]
        device = f" ({bar.device})" if bar.device else ""
        rows.add_row(bar.name, f"{bar.value:.3g}{device}", bar.asked or "", verdict)
    console.print(rows)
    others = [group for group in GROUPS if group not in groups]
    if others:
        console.print(f"not run: {', '.join(others)}", highlight=False)
    for reason, names in missing.items():
        console.print(f"not measured ({reason}): {'; '.join(names)}", highlight=False, markup=False)


def write(path: Path, content: str) -> None:
    with atomic_write(path) as temporary:
        temporary.write_text(content, encoding="utf-8")


def measure(
    groups: Sequence[str], arguments: argparse.Namespace, console: Console
) -> tuple[list[Bar | Curve], dict[str, str]]:
    """Everything that the groups measure, and why some could not."""
    here = [(group, work) for group in groups if group != "peers"
            for work in harness.measurements(group)]  # fmt: skip
    found: list[Bar | Curve] = []
    failures: dict[str, str] = {}
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, TimeElapsedColumn(), console=console) as progress:
        task = progress.add_task("", total=len(here))
        for group, work in here:
            title = (work.__doc__ or work.__name__).strip().splitlines()[0]
            progress.update(task, description=f"{group}: {title}")
            try:
                found += harness.run(work, arguments.quick, arguments.threads)
            except (InputError, MemoryError) as problem:  # a small machine: the others still count
                failures[group] = str(problem) or "out of memory"
            progress.advance(task)
    if "peers" in groups:
        found += with_peers(arguments)
    return found, failures


def command_line(words: Sequence[str] | None) -> str:
    return " ".join(["./run bench", *(sys.argv[1:] if words is None else words)])


def main(words: Sequence[str] | None = None) -> int:
    console = Console()
    try:
        arguments = arguments_of(words)
        groups = chosen_groups(arguments)
        kept = Earlier.read(arguments.json) if arguments.merge else None
        neighbors = harness.Neighbors()
        found, failures = measure(groups, arguments, console)
        busy = neighbors.cores()
        if arguments.quick:
            failures = {
                group: "not part of --quick" for group in groups if group != "gpu"
            } | failures
        recorded = sorted(RESULTS.glob("gpu*.json"))
        measured = (x for x in found if isinstance(x, Bar))
        bars = harness.collect(measured, groups, recorded, failures)
    except InputError as problem:
        print(f"error: {problem}", file=sys.stderr)
        return 2
    curves = [x for x in found if isinstance(x, Curve)]
    run = {
        "command": command_line(words),
        "groups": groups,
        "machine": harness.environment(arguments.threads) | {"cores used by others": busy},
    }
    runs = [run]
    if kept is not None:
        bars, curves = kept.with_new(bars, curves, groups)
        runs = [*kept.runs_without(groups), run]
    show(bars, groups, console)
    if busy is not None and busy > DISTURBED:
        console.print(f"[yellow]disturbed:[/] other programs used {busy:.1f} cores meanwhile")
    content = {
        "machine": run["machine"],
        "runs": runs,
        "bars": harness.records(bars),
        "curves": [curve.__dict__ for curve in curves],
    }
    write(arguments.json, json.dumps(content, indent=1) + "\n")
    table = arguments.json.with_suffix(".md")
    write(table, markdown(bars, runs))
    pictures = [draw_bars(bars, arguments.json.with_suffix(".png"))]
    pictures += draw_curves(curves, arguments.json)
    names = ", ".join(str(path) for path in (arguments.json, table, *pictures) if path)
    console.print(f"wrote {names}", highlight=False)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        print("interrupted; nothing was written", file=sys.stderr)
        sys.exit(130)
