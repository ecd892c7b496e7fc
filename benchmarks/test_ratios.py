"""Regressions of the ratios, with pytest-benchmark: nothing is more than half worse than recorded.

    ./run python -m pytest benchmarks/test_ratios.py -n 0 --benchmark-enable

Recorded by

    ./run bench materialised layer density nice --quick --threads 1 \\
        --json benchmarks/results/quick.json

Not part of `./run test`: it needs a quiet machine. What was measured is in the report's
`extra_info`, so that `--benchmark-autosave` and `--benchmark-compare` follow it over commits.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import harness  # noqa: E402

RECORDED = {
    bar["name"]: bar["value"]
    for bar in json.loads((HERE / "results" / "quick.json").read_text(encoding="utf-8"))["bars"]
}
SLACK = 1.5
CASES = [
    (group, measurement)
    for group in ("materialised", "layer", "density", "nice")
    for measurement in harness.measurements(group)
]


@pytest.mark.parametrize(
    "measurement", [m for _, m in CASES], ids=[f"{g}-{m.__name__}" for g, m in CASES]
)
def test_no_ratio_is_half_worse_than_recorded(benchmark, measurement):
    found = benchmark.pedantic(harness.run, (measurement, True, 1), rounds=1)
    worse = []
    for bar in found:
        recorded = RECORDED.get(getattr(bar, "name", ""))
        if recorded is None or getattr(bar, "bar", None) is None:
            continue
        benchmark.extra_info[bar.name] = bar.value
        if " / " not in bar.name:  # seconds and errors are held to what is asked
            worse += [bar] if not bar.ok else []
        elif bar.at_most:
            worse += [bar] if bar.value > SLACK * recorded else []
        else:
            worse += [bar] if bar.value < recorded / SLACK else []
    assert worse == []
