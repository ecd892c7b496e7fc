"""Measure the largest errors of the fast path over many examples and write docs/accuracy.md.

    python benchmarks/accuracy.py [--examples 5000] [--output docs/accuracy.md]

Examples come from the strategies of the tests (tests/strategies.py), exact values from the
reference as guaranteed enclosures. The examples are the same in every run.
"""

from __future__ import annotations

import argparse
import platform
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product
from math import prod
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
import torch
from hypothesis import HealthCheck, Phase, given, settings
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))

import oracles  # noqa: E402
import strategies  # noqa: E402

import symtrip  # noqa: E402
from symtrip.errors import InputError, require  # noqa: E402
from symtrip.files import atomic_write  # noqa: E402
from symtrip.verify import BUDGETS  # noqa: E402

POWERS = (*oracles.PRODUCTS, oracles.B8)
FOURTH = oracles.Hyperparameters("l <= 2", oracles.Gto, 1, 2)


@dataclass(frozen=True)
class Measurement:
    """What is measured for one function: examples, the error of one, how to describe it."""

    function: str
    examples: Sequence[Any] | st.SearchStrategy[Any]
    error: Callable[[Any, torch.dtype], float]
    describe: Callable[[Any], str]
    values: Callable[[Any], int] = lambda _: 1  # how many examples one draw counts as


@dataclass
class Worst:
    """The largest error found so far."""

    count: int = 0
    error: float = 0.0
    where: str = ""


def in_expansions(
    expansions: Sequence[oracles.Hyperparameters], max_neighbors: int
) -> st.SearchStrategy[Any]:
    """Pairs of an expansion and a neighbour cloud within its radius."""
    return st.sampled_from(expansions).flatmap(
        lambda h: st.tuples(
            st.just(h),
            strategies.clouds(
                max_neighbors=max_neighbors, radius=h.radius, width=h.width, species=h.species
            ),
        )
    )


def correlations() -> st.SearchStrategy[Any]:
    """(expansion, cloud, nu): nu = 1 ... 4, the last in a small basis."""
    low = in_expansions(oracles.PRODUCTS, 5).flatmap(
        lambda pair: st.tuples(st.just(pair), st.integers(1, 3))
    )
    fourth = in_expansions([FOURTH], 4).map(lambda pair: (pair, 4))
    return low | low | low | fourth


MEASUREMENTS = (
    Measurement(
        "shifted_cosine",
        st.tuples(
            st.sampled_from([(2.0, 0.1), (2.0, 2.0), (3.7, 0.5), (10.0, 0.01)]),
            st.floats(-1.1, 2.0),
        ),
        # most distances lie in the shell, some inside and beyond
        lambda x, dtype: oracles.cutoff_error(max(0.0, x[0][0] - x[1] * x[0][1]), *x[0], dtype),
        lambda x: f"radius {x[0][0]:g}, width {x[0][1]:g}",
    ),
    Measurement(
        "real_spherical_harmonics",
        strategies.clouds(max_neighbors=1, kinds=("generic", "poles", "coplanar", "single")),
        lambda x, dtype: oracles.harmonics_error(x.vectors[0], 10, dtype),
        lambda x: f"l <= 10, {x.kind}",
    ),
    Measurement(
        "solid_harmonics",
        strategies.clouds(max_neighbors=1, kinds=("generic", "poles", "coplanar", "single")),
        lambda x, dtype: oracles.solid_error(x.vectors[0], 10, dtype),
        lambda x: f"l <= 10, {x.kind}",
    ),
    Measurement(
        "real_clebsch_gordan",
        list(product(range(7), repeat=3)),
        lambda x, dtype: oracles.coupling_error(*x, dtype),
        lambda x: f"(l1, l2, L) = {x}",
        lambda x: prod(2 * l + 1 for l in x),
    ),
    Measurement(
        "clebsch_gordan_product",
        st.tuples(st.integers(0, 2**32), st.integers(0, 3)),
        lambda x, dtype: oracles.product_error(*x, dtype),
        lambda x: f"l <= {x[1]}",
    ),
    Measurement(
        "radial_integral",
        st.tuples(st.sampled_from(oracles.EXPANSIONS), st.integers(1, 2**12 - 1)),
        lambda x, dtype: oracles.radial_error(
            x[1] / 2**12 * (2.0 if x[0].radius < 4.0 else 4.0), x[0], dtype
        ),
        lambda x: x[0].name,
    ),
    Measurement(
        "spherical_expansion",
        in_expansions(oracles.EXPANSIONS, 5),
        lambda x, dtype: oracles.density_error(x[1], x[0], dtype),
        lambda x: f"{x[0].name}, {x[1].kind}",
    ),
    Measurement(
        "density_correlations",
        correlations(),
        lambda x, dtype: oracles.correlation_error(x[0][1], x[0][0], x[1], dtype),
        lambda x: f"nu = {x[1]}, {x[0][0].name}, {x[0][1].kind}",
    ),
    Measurement(
        "triplet_features",
        in_expansions(oracles.PRODUCTS, 3),
        lambda x, dtype: oracles.triplet_error(x[1], x[0], dtype),
        lambda x: f"{x[0].name}, {x[1].kind}",
    ),
    Measurement(
        "two_ring_pair",
        strategies.two_ring_parameters(max_ring=5),
        oracles.two_ring_error,
        lambda x: f"{len(x[4])} + {len(x[4])} + 1 atoms",
    ),
)


def measure(
    measurement: Measurement, dtype: torch.dtype, examples: int, advance: Callable[[], None]
) -> Worst:
    """Largest error over ``examples`` examples, or over all of a finite list."""
    worst = Worst()

    def look(example: Any) -> None:
        error = measurement.error(example, dtype)
        worst.count += measurement.values(example)
        if error > worst.error:
            worst.error, worst.where = error, measurement.describe(example)
        advance()

    if isinstance(measurement.examples, list):
        for example in measurement.examples:
            look(example)
        return worst
    run = given(measurement.examples)(look)
    settings(
        max_examples=examples,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )(run)()
    return worst


def page(rows: list[tuple[str, Worst, Worst]], seconds: float) -> str:
    """docs/accuracy.md."""
    table = [
        "| function | examples per type | float64 | float32 | budget | in eps times | worst at |",
        "|---|--:|--:|--:|--:|---|---|",
    ]
    for function, single, double in rows:
        budget = BUDGETS[function]
        scale = budget.scale.replace("|", "\\|")
        table.append(
            f"| `{function}` | {double.count} | {double.error:.2f} | {single.error:.2f} "
            f"| {budget.eps:g} | {scale} | {double.where or '-'} |"
        )
    return TEMPLATE.format(
        table="\n".join(table),
        torch=torch.__version__.split("+")[0],
        python=platform.python_version(),
        machine=platform.machine(),
        version=symtrip.__version__,
        minutes=max(1, round(seconds / 60)),
    )


TEMPLATE = """# Accuracy

The largest errors of the fast path that were found, against exact values. `./run accuracy` measures
them again and writes this page ({minutes} min on one core).

{table}

* Examples come from the strategies of the test suite: generic, collinear, coplanar and equal-norm
  neighbours, neighbours on the poles, in the same direction, near the centre and in the cutoff
  shell, two-ring pairs, single neighbours and none. Each type has that many examples of its own and
  is counted in its own eps (2^-52 and 2^-23). The last column is where float64 was worst.
* Exact values are enclosures of 50 digits (`symtrip_reference`, `rigorous=True`), taken at the very
  binary numbers that the fast path received.
* *Without cutoff*: the scale is what the coefficients would be with f_c = 1. In the cutoff shell
  the error of r, eps r, becomes eps radius/width of f_c = 1, however small f_c itself is.
* `radial_integral`: I_nl(r) at given r^2, largest error over n and l; scale: maximum over
  distances, for each n and l.
* `triplet_features`: every F_jk against its own norm over all paths and channels.
* `real_clebsch_gordan`: all coefficients with l1, l2, L <= 6, counted one by one; zeros are exact
  zeros.

The budgets are those of the tests (`tests/oracle`) and of `symtrip verify`, which checks an
installation in a second. Measured with symtrip {version}, torch {torch}, Python {python},
{machine}.
"""


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--examples", type=int, default=5000, help="per function and type")
    parser.add_argument("--output", type=Path, default=ROOT / "docs" / "accuracy.md")
    arguments = parser.parse_args(argv)
    console = Console(stderr=True)
    try:
        require(arguments.examples > 0, "--examples", "be > 0", arguments.examples, "5000 is usual")
    except InputError as problem:
        console.print(f"error: {problem}", highlight=False)
        return 2
    torch.set_num_threads(1)
    start = time.monotonic()
    rows, failed = [], []
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, TimeElapsedColumn(), console=console) as progress:
        for measurement in MEASUREMENTS:
            found = {}
            for dtype in oracles.DTYPES:
                finite = isinstance(measurement.examples, list)
                total = len(measurement.examples) if finite else arguments.examples
                task = progress.add_task(f"{measurement.function} {dtype}", total=total)
                found[dtype] = measure(
                    measurement, dtype, arguments.examples, lambda t=task: progress.advance(t)
                )
            single, double = found[torch.float32], found[torch.float64]
            rows.append((measurement.function, single, double))
            if max(single.error, double.error) > BUDGETS[measurement.function].eps:
                failed.append(measurement.function)
    with atomic_write(arguments.output) as path:
        path.write_text(page(rows, time.monotonic() - start), encoding="utf-8")
    console.print(f"wrote {arguments.output}")
    for function in failed:
        console.print(f"{function} exceeds its budget", style="red")
    return 1 if failed else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit("interrupted; nothing was written")
