"""Check an installation against the exact values that the reference writes.

The exact reference (``python -m symtrip_reference golden``) shares no code with this package; the
two meet in a file of decimal strings.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal, DecimalException, localcontext
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from symtrip.correlations import DensityCorrelations
from symtrip.coupling import ClebschGordanProduct, real_clebsch_gordan
from symtrip.degenerate import two_ring_pair
from symtrip.environments import Environments
from symtrip.errors import InputError, require
from symtrip.expansion import (
    Basis,
    DeltaDensity,
    GaussianDensity,
    Gto,
    Monomials,
    ShiftedCosine,
    SphericalExpansion,
    real_spherical_harmonics,
    shifted_cosine,
    solid_harmonics,
)
from symtrip.triplets import TripletFeatures

__all__ = ["BUDGETS", "GOLDEN", "Budget", "Verdict", "read_golden", "verify"]

GOLDEN = Path(__file__).parent / "data" / "golden.jsonl"
"""The exact values that are installed with the package."""

FORMAT, VERSION = "symtrip golden values", 1
Arguments = dict[str, Any]
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
    "two_ring_pair": Budget(4, "r + |z1| + |z2|"),
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
            that are none, an empty file or one that was cut short.
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
    return records


def _check_record(entry: Any, where: str, remedy: str) -> None:
    complete = isinstance(entry, dict) and {"function", "case", "arguments", "results"} <= set(
        entry
    )
    require(complete, where, "hold function, case, arguments and results", str(entry)[:60], remedy)
    require(
        entry["function"] in _RUNNERS,
        where,
        f"name one of {', '.join(_RUNNERS)}",
        entry["function"],
        "use the file that was made for this version of symtrip",
    )
    for result in entry["results"]:
        complete = isinstance(result, dict) and {"block", "step", "scale", "values"} <= set(result)
        require(complete, where, "give block, step, scale, values", str(result)[:60], remedy)
        try:
            scale = result["scale"]
            finite = scale is None or Decimal(scale).is_finite()
            finite = finite and all(Decimal(value).is_finite() for value in result["values"])
        except (DecimalException, TypeError, ValueError):
            finite = False
        require(finite, where, "hold finite decimal numbers", str(result)[:60], remedy)


def _worst_error(record: Record, dtype: torch.dtype, device: torch.device) -> tuple[float, int]:
    """Largest error of one record in eps times its scale, and the number of values."""
    function, case = record["function"], record["case"]
    where, remedy = f"{function}, {case}", "use the file that was made for this version of symtrip"
    try:
        blocks = _RUNNERS[function](record["arguments"], dtype, device)
    except (KeyError, TypeError, IndexError, AttributeError) as problem:
        raise InputError(
            f"`{where}` must have the arguments of {function}, got {problem!r}; {remedy}."
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


Runner = Callable[[Arguments, torch.dtype, torch.device], Sequence[Tensor]]


def _cutoff(a: Arguments, dtype: torch.dtype, device: torch.device) -> list[Tensor]:
    r = torch.tensor(a["r"], dtype=dtype, device=device)
    return [shifted_cosine(r, radius=a["radius"], width=a["width"])]


def _harmonics(a: Arguments, dtype: torch.dtype, device: torch.device) -> list[Tensor]:
    vectors = torch.tensor(a["vectors"], dtype=dtype, device=device)
    return real_spherical_harmonics(vectors, a["max_angular"])


def _solid(a: Arguments, dtype: torch.dtype, device: torch.device) -> list[Tensor]:
    vectors = torch.tensor(a["vectors"], dtype=dtype, device=device)
    return solid_harmonics(vectors, a["max_angular"])


def _coupling(a: Arguments, dtype: torch.dtype, device: torch.device) -> list[Tensor]:
    return [real_clebsch_gordan(a["l1"], a["l2"], a["o3_lambda"], dtype=dtype, device=device)]


def _product(a: Arguments, dtype: torch.dtype, device: torch.device) -> list[Tensor]:
    first, second = (
        {
            (l, 1): torch.tensor(block, dtype=dtype, device=device)[None]
            for l, block in enumerate(a[side])
        }
        for side in ("first", "second")
    )
    product = ClebschGordanProduct(list(first), list(second), max_lambda=a["max_lambda"])
    return list(product(first, second).values())


def _radial(a: Arguments, dtype: torch.dtype, device: torch.device) -> list[Tensor]:
    r = torch.tensor(a["r"], dtype=dtype, device=device)
    # the module returns I_nl(r) / r^l at r^2, which these distances have exactly
    over_power = _expansion(a["expansion"]).radial(r.square())
    return [
        over_power[:, l].to(torch.float64) * r[:, None].to(torch.float64) ** l
        for l in range(over_power.shape[1])
    ]


def _density(a: Arguments, dtype: torch.dtype, device: torch.device) -> list[Tensor]:
    density = _expansion(a["expansion"])(_environment(a, dtype, device))
    return [block for pair in zip(density.rho, density.g, strict=True) for block in pair]


def _correlations(a: Arguments, dtype: torch.dtype, device: torch.device) -> list[Tensor]:
    expansion = _expansion(a["expansion"])
    features = DensityCorrelations(max_angular=expansion.basis.max_angular, nu=a["nu"])
    return [features(expansion(_environment(a, dtype, device)))]


def _triplets(a: Arguments, dtype: torch.dtype, device: torch.device) -> list[Tensor]:
    expansion = _expansion(a["expansion"])
    features = TripletFeatures(max_angular=expansion.basis.max_angular)
    dense = features(expansion(_environment(a, dtype, device))).dense()[0]
    return list(dense.flatten(0, 1))


def _two_rings(a: Arguments, dtype: torch.dtype, device: torch.device) -> list[Tensor]:
    r, z1, z2, psi, angles = (
        torch.tensor(a[name], dtype=dtype, device=device)
        for name in ("r", "z1", "z2", "psi", "angles")
    )
    return list(two_ring_pair(r, z1, z2, psi, angles))


_RUNNERS: dict[str, Runner] = {
    "shifted_cosine": _cutoff,
    "real_spherical_harmonics": _harmonics,
    "solid_harmonics": _solid,
    "real_clebsch_gordan": _coupling,
    "clebsch_gordan_product": _product,
    "radial_integral": _radial,
    "spherical_expansion": _density,
    "density_correlations": _correlations,
    "triplet_features": _triplets,
    "two_ring_pair": _two_rings,
}

_BASES: dict[str, Callable[..., Basis]] = {"gto": Gto, "monomials": Monomials}


def _expansion(description: Arguments) -> SphericalExpansion:
    return _expansion_of(json.dumps(description, sort_keys=True))


@lru_cache(maxsize=16)
def _expansion_of(description: str) -> SphericalExpansion:
    """Built once for all records that share it: its radial tables take a tenth of a second."""
    a = json.loads(description)
    basis = a["basis"]
    return SphericalExpansion(
        cutoff=ShiftedCosine(radius=a["radius"], width=a["width"]),
        density=DeltaDensity() if a["density"] is None else GaussianDensity(width=a["density"]),
        basis=_BASES[basis["kind"]](n_radial=basis["n_radial"], max_angular=basis["max_angular"]),
        species=a["species"],
    )


def _environment(a: Arguments, dtype: torch.dtype, device: torch.device) -> Environments:
    vectors = torch.tensor(a["vectors"], dtype=dtype, device=device)
    return Environments.from_vectors(vectors, a["species"], radius=a["expansion"]["radius"])
