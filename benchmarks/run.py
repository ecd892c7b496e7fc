"""Time the fast path against its ceilings, against the exact path and against other packages.

    ./run bench [GROUP ...] [--quick] [--json FILE] [--peers [PYTHON]]

All ratios are of times taken in turn in this run; absolute times mean little elsewhere. Pictures
appear beside the JSON file. Figures that cannot be measured here are listed with the reason;
results recorded on a GPU (benchmarks/results/gpu*.json) are listed with their device.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import harness
from figures import GROUPS
from plots import draw_bars, draw_curves
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from side_by_side import Bar, Curve

from symtrip.errors import InputError, require
from symtrip.files import atomic_write

ROOT = Path(__file__).resolve().parents[1]
RESULTS = Path(__file__).resolve().parent / "results"
PEERS_PYTHON = ROOT / ".peers-venv" / "bin" / "python"


def arguments_of(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("groups", nargs="*", metavar="GROUP", help=f"of {', '.join(GROUPS)}")
    parser.add_argument("--quick", action="store_true", help="fewer environments and rounds")
    parser.add_argument("--json", type=Path, default=RESULTS / "bench.json", help="result file")
    parser.add_argument(
        "--peers",
        nargs="?",
        type=Path,
        const=PEERS_PYTHON,
        help="compare with other packages, in their own environment (or with the Python given)",
    )
    arguments = parser.parse_args(words)
    for group in arguments.groups:
        require(group in GROUPS, "GROUP", f"be one of {', '.join(GROUPS)}", group, "see --help")
    if arguments.peers is not None:
        require(
            arguments.peers.exists(),
            "--peers",
            "name the Python of an environment with the other packages",
            arguments.peers,
            "./run bench --peers makes it",
        )
    return arguments


def chosen_groups(arguments: argparse.Namespace) -> list[str]:
    """Groups to run here or with the peers' Python."""
    asked = arguments.groups or [group for group in GROUPS if group != "peers"]
    if arguments.peers is not None:
        asked = [*asked, "peers"]
    return [group for group in GROUPS if group in asked]


def with_peers(python: Path, quick: bool) -> list[Bar | Curve]:
    """Results of the group "peers", measured in one process of the peers' environment."""
    with tempfile.TemporaryDirectory() as folder:
        result = Path(folder) / "peers.json"
        command = [str(python), str(Path(__file__).parent / "peers.py"), "--json", str(result)]
        code = subprocess.call([*command, *(["--quick"] if quick else [])], cwd=ROOT)
        if code:
            raise InputError(f"`--peers` must be able to measure, got exit code {code}; see above.")
        content = json.loads(result.read_text(encoding="utf-8"))
    return [Bar(**bar) for bar in content["bars"]] + [Curve(**c) for c in content["curves"]]


def show(bars: Sequence[tuple[str, Bar]], console: Console) -> None:
    """The measured bars as a table; the others under their reasons."""
    rows = Table("figure", "measured", "asked", "ok")
    missing: dict[str, list[str]] = {}
    for _, bar in bars:
        if bar.value is None:
            missing.setdefault(bar.reason, []).append(bar.name)
            continue
        verdict = {True: "[green]yes[/]", False: "[red]no[/]", None: ""}[bar.ok]
        device = f" ({bar.device})" if bar.device else ""
        rows.add_row(bar.name, f"{bar.value:.3g}{device}", bar.asked or "", verdict)
    console.print(rows)
    for reason, names in missing.items():
        console.print(f"not measured ({reason}): {'; '.join(names)}", highlight=False, markup=False)


def write(path: Path, content: dict[str, object]) -> None:
    with atomic_write(path) as temporary:
        temporary.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def measure(
    groups: Sequence[str], arguments: argparse.Namespace, console: Console
) -> list[Bar | Curve]:
    """Everything that the groups measure."""
    here = [(group, work) for group in groups if group != "peers"
            for work in harness.measurements(group)]  # fmt: skip
    found: list[Bar | Curve] = []
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, TimeElapsedColumn(), console=console) as progress:
        task = progress.add_task("", total=len(here))
        for group, work in here:
            title = (work.__doc__ or work.__name__).strip().splitlines()[0]
            progress.update(task, description=f"{group}: {title}")
            found += harness.run(work, arguments.quick)
            progress.advance(task)
    if "peers" in groups and arguments.peers is not None:
        found += with_peers(arguments.peers, arguments.quick)
    return found


def main(words: Sequence[str] | None = None) -> int:
    console = Console()
    try:
        arguments = arguments_of(words)
        groups = chosen_groups(arguments)
        found = measure(groups, arguments, console)
        recorded = sorted(RESULTS.glob("gpu*.json"))
        bars = harness.collect((x for x in found if isinstance(x, Bar)), groups, recorded)
    except InputError as problem:
        print(f"error: {problem}", file=sys.stderr)
        return 2
    curves = [x for x in found if isinstance(x, Curve)]
    show(bars, console)
    command = "./run bench " + " ".join(sys.argv[1:] if words is None else words)
    content = {
        "command": command.strip(),
        "machine": harness.environment(),
        "bars": harness.records(bars),
        "curves": [curve.__dict__ for curve in curves],
    }
    arguments.json.parent.mkdir(parents=True, exist_ok=True)
    write(arguments.json, content)
    pictures = [draw_bars(bars, arguments.json.with_suffix(".png"))]
    pictures += draw_curves(curves, arguments.json)
    names = ", ".join(str(path) for path in pictures if path)
    console.print(f"wrote {arguments.json} {names}", highlight=False)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit("interrupted; nothing was written")
