"""The records of the golden file and what they are made from."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from typing import Any

import mpmath

from symtrip_reference._golden_cases import ENVIRONMENTS, EXPANSIONS
from symtrip_reference.arithmetic import Number
from symtrip_reference.cutoff import ShiftedCosine
from symtrip_reference.density import Environment, Expansion
from symtrip_reference.radial import (
    DeltaDensity,
    GaussianDensity,
    Gto,
    LaplacianEigenstates,
    Monomials,
    RadialBasis,
)

__all__ = [
    "Announce",
    "Record",
    "Result",
    "environments",
    "expansion_of",
    "norm",
    "one_record",
    "one_result",
    "without_cutoff",
]

Announce = Callable[[str], None]
Record = dict[str, Any]
Result = dict[str, Any]
_BASES: dict[str, type[RadialBasis]] = {
    "gto": Gto,
    "laplacian": LaplacianEigenstates,
    "monomials": Monomials,
}


def one_record(function: str, case: str, arguments: Record, results: list[Result]) -> Record:
    return {"function": function, "case": case, "arguments": arguments, "results": results}


def one_result(
    block: int,
    values: Sequence[Number],
    digits: int,
    *,
    scale: Number | None,
    step: int = 1,
) -> Result:
    """One block; numbers below the digits of the largest one are zeros that were rounded."""
    largest = max((abs(x) for x in values), default=0)
    floor = largest * mpmath.mpf(10) ** (-digits - 5)
    return {
        "block": block,
        "step": step,
        "scale": None if scale is None else mpmath.nstr(scale, 17),
        "values": ["0" if abs(x) <= floor else mpmath.nstr(x, digits) for x in values[::step]],
    }


def norm(values: Sequence[Number]) -> Number:
    return mpmath.sqrt(sum((mpmath.mpf(x) ** 2 for x in values), start=mpmath.mpf(0)))


def environments() -> Iterator[tuple[str, Record, Record, Environment]]:
    """Every environment in the expansion that it is listed with."""
    for name, (expansion, vectors, species) in ENVIRONMENTS.items():
        description = EXPANSIONS[expansion]
        exact = Environment([[Fraction(c) for c in v] for v in vectors], species)
        arguments = {"vectors": [list(v) for v in vectors], "species": list(species)}
        yield f"{name}, {expansion}", description, arguments, exact


def expansion_of(description: Record) -> Expansion:
    """The expansion that the JSON object describes."""
    radius = Fraction(description["radius"])
    smearing = description["density"]
    basis = description["basis"]
    return Expansion(
        ShiftedCosine(radius, Fraction(description["width"])),
        DeltaDensity() if smearing is None else GaussianDensity(Fraction(smearing)),
        _BASES[basis["kind"]](basis["n_radial"], basis["max_angular"], radius),
        tuple(description["species"]),
    )


def without_cutoff(expansion: Expansion) -> Expansion:
    """The same expansion with f_c = 1 everywhere: the scale that a cutoff shell's errors have."""
    far = ShiftedCosine(expansion.cutoff.radius * 2, expansion.cutoff.radius)
    return Expansion(far, expansion.density, expansion.basis, expansion.species)
