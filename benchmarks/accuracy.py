"""Measure the largest errors of the fast path over many examples and write docs/accuracy.md.

    python benchmarks/accuracy.py [--examples 5000] [--only NAME ...] [--output docs/accuracy.md]

The rows are kept in benchmarks/results/accuracy.json: --only replaces some and keeps the others.
Examples come from the strategies of the tests (tests/strategies.py), exact values from the
reference as guaranteed enclosures. The examples are the same in every run.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
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
import oracles_features as features  # noqa: E402
import strategies  # noqa: E402

import symtrip  # noqa: E402
from symtrip.degenerate import families  # noqa: E402
from symtrip.errors import InputError, require  # noqa: E402
from symtrip.files import atomic_write  # noqa: E402
from symtrip.verify import BUDGETS  # noqa: E402

RADIALS = (*oracles.EXPANSIONS, *oracles.FURTHER)
SMALL_BASES = (
    oracles.Hyperparameters("l <= 2", oracles.Gto, 1, 2),
    oracles.Hyperparameters("two species, l <= 1", oracles.Gto, 1, 1, species=(5, 6)),
    oracles.Hyperparameters("points", oracles.Monomials, 2, 1, smearing=None, width=0.5),
    oracles.Hyperparameters("Laplacian points", oracles.LaplacianEigenstates, 2, 1, smearing=None),
)
N_CENTER = ((0, 2, 1), (1, 0, 1), (1, 1, 1), (1, 2, 0), (2, 0, 2), (2, 1, 0), (2, 1, 1), (3, 1, 0))
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
        st.tuples(st.sampled_from(RADIALS), st.integers(1, 2**12 - 1)),
        lambda x, dtype: oracles.radial_error(
            x[1] / 2**12 * (2.0 if x[0].radius < 4.0 else 4.0), x[0], dtype
        ),
        lambda x: x[0].name,
    ),
    Measurement(
        "spherical_expansion",
        in_expansions(RADIALS, 5),
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
        "equivariant_correlations",
        st.tuples(in_expansions(SMALL_BASES, 4), st.integers(1, 3)),
        lambda x, dtype: features.equivariant_error(x[0][1], x[0][0], x[1], dtype),
        lambda x: f"nu = {x[1]}, {x[0][0].name}, {x[0][1].kind}",
    ),
    Measurement(
        "nice",
        st.tuples(in_expansions(SMALL_BASES, 4), st.integers(2, 4)),
        lambda x, dtype: features.nice_error(x[0][1], x[0][0], x[1], dtype),
        lambda x: f"nu <= {x[1]}, {x[0][0].name}, {x[0][1].kind}",
    ),
    Measurement(
        "triplet_features",
        in_expansions(oracles.PRODUCTS, 3),
        lambda x, dtype: oracles.triplet_error(x[1], x[0], dtype),
        lambda x: f"{x[0].name}, {x[1].kind}",
    ),
    Measurement(
        "reduced_triplet_features",
        in_expansions(SMALL_BASES, 4),
        lambda x, dtype: features.reduced_triplet_error(x[1], x[0], dtype),
        lambda x: f"{x[0].name}, {x[1].kind}",
    ),
    Measurement(
        "triplet_linear",
        st.tuples(in_expansions(SMALL_BASES, 3), st.integers(0, 2**32)),
        lambda x, dtype: features.layer_error(x[0][1], x[0][0], x[1], dtype),
        lambda x: f"{x[0][0].name}, {x[0][1].kind}",
    ),
    Measurement(
        "n_center_features",
        st.tuples(
            in_expansions(SMALL_BASES, 4),
            st.sampled_from(N_CENTER),
            st.lists(st.integers(0, 11), min_size=3, max_size=3),
            st.sampled_from([None, 1, 3]),
        ),
        lambda x, dtype: features.n_center_error(
            x[0][1], x[0][0], x[2][: x[1][0]], x[1][1], x[1][2], x[3], dtype
        ),
        lambda x: (
            "{} tagged, nu = {}, lambda = {}, ".format(*x[1]) + f"{x[0][0].name}, {x[0][1].kind}"
        ),
    ),
    Measurement(
        "two_ring_pair",
        strategies.two_ring_parameters(max_ring=5),
        oracles.two_ring_error,
        lambda x: f"{len(x[4])} + {len(x[4])} + 1 atoms",
    ),
    Measurement(
        "degenerate_family",
        st.tuples(st.sampled_from([f.id for f in families()]), st.integers(0, 2**32)),
        lambda x, dtype: features.family_error(*x, dtype),
        lambda x: x[0],
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


def versions() -> dict[str, str]:
    """What a row was measured with."""
    return {
        "symtrip": symtrip.__version__,
        "torch": torch.__version__.split("+")[0],
        "python": platform.python_version(),
        "machine": platform.machine(),
    }


def page(rows: dict[str, Any]) -> str:
    """docs/accuracy.md."""
    table = [
        "| function | examples per type | float64 | float32 | budget | in eps times | worst at |",
        "|---|--:|--:|--:|--:|---|---|",
    ]
    for function, row in rows.items():
        budget = BUDGETS[function]
        scale = budget.scale.replace("|", "\\|")
        single, double = row["float32"], row["float64"]
        table.append(
            f"| `{function}` | {double['count']} | {double['error']:.2f} | {single['error']:.2f} "
            f"| {budget.eps:g} | {scale} | {double['where'] or '-'} |"
        )
    kinds = {json.dumps(row["versions"], sort_keys=True) for row in rows.values()}
    measured = "; ".join(
        "symtrip {symtrip}, torch {torch}, Python {python}, {machine}".format(**json.loads(kind))
        for kind in sorted(kinds)
    )
    seconds = sum(row["seconds"] for row in rows.values())
    return TEMPLATE.format(
        table="\n".join(table), measured=measured, minutes=max(1, round(seconds / 60))
    )


TEMPLATE = """# Accuracy

The largest errors of the fast path that were found, against exact values. `./run accuracy` measures
them again and writes this page ({minutes} min on one core); `./run accuracy --only nice` replaces
one row.

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
* `triplet_features`: every F_jk against its own norm over all paths and channels;
  `reduced_triplet_features`: unordered pairs times sqrt(2), and their sum, the bispectrum;
  `triplet_linear`: all outputs and their parts of either parity.
* `n_center_features`: 0 to 3 tagged neighbours, repetitions included, nu = 0 to 2, lambda = 0 to 2.
* `nice`: invariants of all orders up to 4 without contraction.
* `degenerate_family`: random members of every family of the catalogue, cells included.
* `real_clebsch_gordan`: all coefficients with l1, l2, L <= 6, counted one by one; zeros are exact
  zeros.

The budgets are those of the tests (`tests/oracle`) and of `symtrip verify`, which checks an
installation in seconds. Measured with {measured}.
"""


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--examples", type=int, default=5000, help="per function and type")
    parser.add_argument("--output", type=Path, default=ROOT / "docs" / "accuracy.md")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="rows to replace")
    parser.add_argument("--results", type=Path, default=ROOT / "benchmarks/results/accuracy.json")
    arguments = parser.parse_args(argv)
    names = [measurement.function for measurement in MEASUREMENTS]
    wanted = arguments.only or names
    console = Console(stderr=True)
    try:
        require(arguments.examples > 0, "--examples", "be > 0", arguments.examples, "5000 is usual")
        for name in wanted:
            require(name in names, "--only", f"name some of {', '.join(names)}", name, "correct it")
        known = read_rows(arguments.results) if arguments.only else {}
    except InputError as problem:
        console.print(f"error: {problem}", highlight=False)
        return 2
    torch.set_num_threads(1)
    rows: dict[str, Any] = {}
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, TimeElapsedColumn(), console=console) as progress:
        for measurement in MEASUREMENTS:
            if measurement.function not in wanted:
                continue
            start = time.monotonic()
            row: dict[str, Any] = {"versions": versions()}
            for dtype in oracles.DTYPES:
                finite = isinstance(measurement.examples, list)
                total = len(measurement.examples) if finite else arguments.examples
                task = progress.add_task(f"{measurement.function} {dtype}", total=total)
                worst = measure(
                    measurement, dtype, arguments.examples, lambda t=task: progress.advance(t)
                )
                row[str(dtype).removeprefix("torch.")] = asdict(worst)
            rows[measurement.function] = {**row, "seconds": round(time.monotonic() - start)}
    merged = known | rows
    rows = {name: merged[name] for name in names if name in merged}
    with atomic_write(arguments.results) as path:
        path.write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")
    with atomic_write(arguments.output) as path:
        path.write_text(page(rows), encoding="utf-8")
    console.print(f"wrote {arguments.output}")
    failed = [
        name
        for name, row in rows.items()
        if max(row[kind]["error"] for kind in ("float32", "float64")) > BUDGETS[name].eps
    ]
    for function in failed:
        console.print(f"{function} exceeds its budget", style="red")
    return 1 if failed else 0


def read_rows(path: Path) -> dict[str, Any]:
    """The rows measured before."""
    if not path.exists():
        return {}
    try:
        rows: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as problem:
        raise InputError(
            f"`--results` must name a file of this command, got {path} ({problem}); measure all "
            "rows anew without --only."
        ) from problem
    return rows


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit("interrupted; nothing was written")
