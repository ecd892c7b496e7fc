"""Time the fast path against the exact one and against copying its results.

    ./run bench [--quick] [--json FILE]

The picture appears beside the JSON file.

All figures are ratios of times taken in turn in this run; absolute times mean little elsewhere.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
import textwrap
import time
from fractions import Fraction
from pathlib import Path

import symtrip_reference as reference
import torch
from rich.console import Console
from rich.table import Table
from side_by_side import Bar, in_turn

from symtrip import B8Pairs, DensityCorrelations, Environments, SphericalExpansion, TripletFeatures
from symtrip.files import atomic_write

RESULTS = Path(__file__).parent / "results"


def b8(count: int) -> Environments:
    positions = B8Pairs.load().positions.flatten(0, 1)[:count]
    return Environments.from_positions(positions, 5, radius=2.0)


def feature_bars(quick: bool) -> list[Bar]:
    """Materialised triplet features of B8 against copying as many bytes."""
    count = 50 if quick else 175  # 175 x 49 x 7344 doubles are 504 MB
    density = SphericalExpansion.b8()(b8(count))
    features = TripletFeatures(max_angular=3)
    source = torch.rand(count, 7, 7, 7344, dtype=torch.float64)
    target = torch.empty_like(source)
    with torch.no_grad():
        memory = features.workspace(density)
        seconds = in_turn(
            {
                "copy": lambda: target.copy_(source),
                "fill": lambda: target.fill_(1.0),
                "blocks": lambda: features(density, out=memory),
                "dense": lambda: features.dense(density, out=target),
            },
            rounds=3 if quick else 7,
        )
    copy = seconds["copy"]
    return [
        Bar("copy_ / fill_, the same bytes", copy / seconds["fill"]),
        Bar("B8 triplets as blocks / copy_", seconds["blocks"] / copy, 2.0),
        Bar("B8 triplets, dense / copy_", seconds["dense"] / copy, 4.0),
    ]


def exact_bars() -> list[Bar]:
    """One B8 environment, fast against the exact reference at 15 digits."""
    env = b8(1)
    expansion = SphericalExpansion.b8()
    features = TripletFeatures(max_angular=3)
    with torch.no_grad():
        seconds = in_turn({"fast": lambda: features.dense(expansion(env))})["fast"]
    exact = reference.Environment(
        [tuple(Fraction(x) for x in v) for v in env.vectors[0].tolist()], [5] * 7
    )
    start = time.perf_counter()
    reference.triplet_features(exact, exact_expansion(), pairs=[(0, 1)], digits=15)
    one_pair = time.perf_counter() - start
    return [
        Bar(
            "exact reference, one tagged pair of one environment / fast, all 49 pairs",
            one_pair / seconds,
        )
    ]


def exact_expansion() -> reference.Expansion:
    """The paper's hyperparameters in exact numbers."""
    return reference.Expansion(
        reference.ShiftedCosine(Fraction(2), Fraction(1, 10)),
        reference.GaussianDensity(Fraction(1, 5)),
        reference.Gto(6, 3, Fraction(2)),
        (5,),
    )


def invariant_bars(quick: bool) -> list[Bar]:
    """Correlations up to nu = 3 against materialising the triplets."""
    density = SphericalExpansion.b8()(b8(50 if quick else 100))
    features = TripletFeatures(max_angular=3)
    correlations = [DensityCorrelations(max_angular=3, nu=nu) for nu in (1, 2, 3)]
    with torch.no_grad():
        seconds = in_turn(
            {
                "triplets": lambda: features(density),
                "correlations": lambda: [module(density) for module in correlations],
            }
        )
    return [
        Bar(
            "nu <= 3 correlations / triplets",
            seconds["correlations"] / seconds["triplets"],
        )
    ]


def draw(bars: list[Bar], path: Path) -> None:
    """Measured ratios as horizontal bars, with a mark at what is asked."""
    from matplotlib.figure import Figure

    shown = [bar for bar in bars if bar.value is not None]
    figure = Figure(figsize=(9, 0.6 * len(shown) + 1), layout="constrained")
    axes = figure.subplots()
    for row, bar in enumerate(reversed(shown)):
        axes.barh(row, bar.value, color="#2166ac", height=0.6)
        axes.text(bar.value, row, f" {bar.value:.3g}", va="center")
        if bar.bar is not None:
            axes.plot([bar.bar, bar.bar], [row - 0.4, row + 0.4], color="#b2182b")
    axes.set_yticks(range(len(shown)), [textwrap.fill(bar.name, 40) for bar in reversed(shown)])
    axes.set_xscale("log")
    axes.set_xlabel("ratio; red: what is asked")
    with atomic_write(path) as temporary:
        figure.savefig(temporary, dpi=120)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer environments and rounds")
    parser.add_argument("--json", type=Path, default=RESULTS / "bench.json", help="result file")
    arguments = parser.parse_args()
    console = Console()
    bars = feature_bars(arguments.quick) + invariant_bars(arguments.quick) + exact_bars()
    table = Table("figure", "measured", "asked", "ok")
    for bar in bars:
        verdict = {True: "[green]yes[/]", False: "[red]no[/]", None: ""}[bar.ok]
        value = bar.reason if bar.value is None else f"{bar.value:.2f}"
        table.add_row(bar.name, value, bar.asked or "", verdict)
    console.print(table)
    content = {
        "bars": [bar.record() for bar in bars],
        "machine": {
            "processor": platform.machine(),
            "threads": torch.get_num_threads(),
            "torch": torch.__version__,
            "python": platform.python_version(),
        },
    }
    with atomic_write(arguments.json) as temporary:
        temporary.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    picture = arguments.json.with_suffix(".png")
    draw(bars, picture)
    console.print(f"wrote {arguments.json} and {picture}", highlight=False)
    return 0


if __name__ == "__main__":
    sys.exit(main())
