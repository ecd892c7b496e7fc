"""Check an installation against the exact values that the reference writes.

The exact reference (``python -m symtrip_reference golden``) shares no code with this package; the
two meet in a file of decimal strings.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal, DecimalException, localcontext
from pathlib import Path
from typing import Any

import torch

from symtrip.errors import InputError, require
from symtrip.verify.runners import RUNNERS

__all__ = ["BUDGETS", "GOLDEN", "Budget", "Verdict", "read_golden", "verify"]

GOLDEN = Path(__file__).parents[1] / "data" / "golden.jsonl"
"""The exact values that are installed with the package."""

FORMAT, VERSION = "symtrip golden values", 1
Record = dict[str, Any]


@dataclass(frozen=True)
class Budget:
    """Largest error that a function may have.

    Attributes:
        eps: the limit, in units of the spacing of floats times a scale.
        scale: what the error is divided by, besides eps.
    """

    eps: float
    scale: str


BUDGETS: dict[str, Budget] = {
    "shifted_cosine": Budget(8, "radius / width"),
    "real_spherical_harmonics": Budget(4, "(l + 1) norm over m"),
    "solid_harmonics": Budget(4, "(l + 1) norm over m"),
    "real_clebsch_gordan": Budget(2, "the coefficient itself"),
    "clebsch_gordan_product": Budget(16, "product of the factors' norms"),
    "radial_integral": Budget(64, "maximum over distances and n"),
    "spherical_expansion": Budget(64, "largest coefficient without cutoff"),
    "density_correlations": Budget(128, "norm without cutoff"),
    "triplet_features": Budget(128, "norm of F_jk without cutoff"),
    "equivariant_correlations": Budget(128, "norm over all lambda without cutoff"),
    "nice": Budget(128, "norm over an order without cutoff"),
    "reduced_triplet_features": Budget(128, "norm of F_jk without cutoff"),
    "triplet_linear": Budget(128, "norm of F_jk times norm of W"),
    "n_center_features": Budget(128, "norm up to this lambda without cutoff"),
    "two_ring_pair": Budget(4, "r + |z1| + |z2|"),
    "degenerate_family": Budget(4, "largest coordinate"),
}
"""The accuracy that the fast path promises; tests and docs/accuracy.md use the same numbers."""


@dataclass(frozen=True)
class Verdict:
    """Outcome for one function.

    Attributes:
        function: its name.
        values: how many numbers were compared.
        worst: largest error in eps times the scale of ``budget``; infinite for NaN.
        case: where that error occurred.
        budget: what is allowed.
    """

    function: str
    values: int
    worst: float
    case: str
    budget: Budget

    @property
    def ok(self) -> bool:
        """Whether the error stays within the budget."""
        return self.worst <= self.budget.eps


def verify(
    lines: Iterable[str],
    *,
    name: str = "golden values",
    dtype: torch.dtype = torch.float64,
    device: torch.device | str = "cpu",
) -> list[Verdict]:
    """Compare this installation with exact values.

    Args:
        lines: a golden file, line by line.
        name: what to call it in error messages.
        dtype: float32 or float64; errors are counted in its eps.
        device: where the fast path runs.

    Returns:
        One verdict per function, in the order of the file.

    Raises:
        InputError: the file is damaged or made for another version, or ``dtype`` is neither float32
            nor float64.
    """
    require(
        dtype in (torch.float32, torch.float64),
        "dtype",
        "be float32 or float64",
        dtype,
        "these are the types that features are computed in",
    )
    verdicts: dict[str, Verdict] = {}
    for record in read_golden(lines, name=name):
        function = record["function"]
        worst, count = _worst_error(record, dtype, torch.device(device))
        old = verdicts.get(function, Verdict(function, 0, -1.0, "", BUDGETS[function]))
        further = worst > old.worst
        verdicts[function] = Verdict(
            function,
            old.values + count,
            worst if further else old.worst,
            record["case"] if further else old.case,
            old.budget,
        )
    return list(verdicts.values())


def read_golden(lines: Iterable[str], *, name: str = "golden values") -> list[Record]:
    """Parse and check a golden file.

    Args:
        lines: the file, line by line.
        name: what to call it in error messages.

    Returns:
        The records, without the heading.

    Raises:
        InputError: not JSON, another format or version, an unknown function, missing keys, numbers
            that are none, no records, or a file that was cut short.
    """
    remedy = "write the file again with `python -m symtrip_reference golden`"
    records: list[Record] = []
    heading: Any = None
    ended = False
    for number, line in enumerate(lines, start=1):
        where = f"{name}, line {number}"
        try:
            entry = json.loads(line)
        except ValueError as problem:
            raise InputError(f"`{where}` must be JSON, got {line[:40]!r}; {remedy}.") from problem
        if heading is None:
            heading = entry
            found = (
                (entry.get("format"), entry.get("version")) if isinstance(entry, dict) else entry
            )
            require(found == (FORMAT, VERSION), where, f"be {(FORMAT, VERSION)}", found, remedy)
            continue
        if isinstance(entry, dict) and set(entry) == {"records"}:
            count = f"count the {len(records)} records before it"
            require(entry["records"] == len(records), where, count, entry["records"], remedy)
            ended = True
            continue
        require(not ended, where, "not follow the end of the file", line[:40], remedy)
        _check_record(entry, where, remedy)
        records.append(entry)
    require(heading is not None, name, "hold golden values", "an empty file", remedy)
    require(ended, name, "end with the number of its records", "a file cut short", remedy)
    require(bool(records), name, "hold at least one record", "a heading alone", remedy)
    return records


def _check_record(entry: Any, where: str, remedy: str) -> None:
    complete = isinstance(entry, dict) and {"function", "case", "arguments", "results"} <= set(
        entry
    )
    require(complete, where, "hold function, case, arguments and results", str(entry)[:60], remedy)
    function, arguments, results = entry["function"], entry["arguments"], entry["results"]
    require(
        isinstance(function, str) and function in RUNNERS,
        where,
        f"name one of {', '.join(RUNNERS)}",
        function,
        "use the file that was made for this version of symtrip",
    )
    require(isinstance(arguments, dict), where, "name its arguments", str(arguments)[:60], remedy)
    listed = isinstance(results, list) and bool(results)
    require(listed, where, "list its results", str(results)[:60], remedy)
    for result in results:
        complete = isinstance(result, dict) and {"block", "step", "scale", "values"} <= set(result)
        require(complete, where, "give block, step, scale, values", str(result)[:60], remedy)
        block, step = result["block"], result["step"]
        counts = all(isinstance(x, int) and not isinstance(x, bool) for x in (block, step))
        counts = counts and block >= 0 and step >= 1
        require(counts, where, "have block >= 0 and step >= 1", (block, step), remedy)
        try:
            scale = result["scale"]
            finite = scale is None or (Decimal(scale).is_finite() and Decimal(scale) >= 0)
            finite = finite and all(Decimal(value).is_finite() for value in result["values"])
        except (DecimalException, TypeError, ValueError):
            finite = False
        rule = "hold finite decimal numbers and a scale >= 0"
        require(finite, where, rule, str(result)[:60], remedy)


def _worst_error(record: Record, dtype: torch.dtype, device: torch.device) -> tuple[float, int]:
    """Largest error of one record in eps times its scale, and the number of values."""
    function, case = record["function"], record["case"]
    where, remedy = f"{function}, {case}", "use the file that was made for this version of symtrip"
    try:
        blocks = RUNNERS[function](record["arguments"], dtype, device)
    except InputError:
        raise
    except (
        KeyError,
        TypeError,
        IndexError,
        AttributeError,
        ValueError,
        RuntimeError,
        OverflowError,
    ) as problem:
        kind, reason = type(problem).__name__, str(problem).partition("\n")[0]
        raise InputError(
            f"`{where}` must have the arguments of {function}, got {kind}: {reason}; {remedy}."
        ) from problem
    eps = torch.finfo(dtype).eps
    worst, count = 0.0, 0
    for result in record["results"]:
        block, step, values = result["block"], result["step"], result["values"]
        require(block < len(blocks), where, f"number blocks below {len(blocks)}", block, remedy)
        got = blocks[block].detach().to("cpu", torch.float64).flatten()[::step].tolist()
        require(len(got) == len(values), where, f"list {len(got)} values", len(values), remedy)
        count += len(values)
        for x, value in zip(got, values, strict=True):
            worst = max(worst, _error(x, value, result["scale"], eps))
    return worst, count


def _error(got: float, value: str, scale: str | None, eps: float) -> float:
    with localcontext(prec=60):
        want = Decimal(value)
        unit = (abs(want) if scale is None else Decimal(scale)) * Decimal(eps)
        # Decimal(float) is exact; NaN and infinity are as wrong as can be
        difference = abs(Decimal(got) - want)
        if not difference.is_finite():
            return float("inf")
        if unit == 0:
            return 0.0 if difference == 0 else float("inf")
        return float(difference / unit)
