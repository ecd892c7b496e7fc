"""Golden values: exact results for every public function of the fast path, as lines of JSON.

The first line says what the file is. Every other line holds one call: ``function``, a readable
``case``, the ``arguments`` (floats that float32 holds exactly; hyperparameters are float64) and the
``results``. A result is one flattened block of what the function returns: its ``block`` number, a
``step`` (every step-th number is listed), the ``values`` as decimal strings and the ``scale`` that
errors are divided by (null: every value is its own scale). The last line counts the records.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from functools import partial
from typing import Any

import mpmath

from symtrip_reference._golden_cases import (
    COUPLINGS,
    CUTOFFS,
    DIRECTIONS,
    ENVIRONMENTS,
    EXPANSIONS,
    TWO_RINGS,
    dyadic,
)
from symtrip_reference.arithmetic import Arithmetic, Number
from symtrip_reference.correlations import (
    clebsch_gordan_product,
    coupling_paths,
    density_correlations,
    flatten,
)
from symtrip_reference.coupling import real_clebsch_gordan_table
from symtrip_reference.cutoff import ShiftedCosine, shifted_cosine
from symtrip_reference.density import Environment, Expansion, density_expansion
from symtrip_reference.evaluation import evaluate
from symtrip_reference.families import two_ring_pair
from symtrip_reference.harmonics import real_solid_harmonics, real_spherical_harmonics
from symtrip_reference.radial import (
    DeltaDensity,
    GaussianDensity,
    Gto,
    LaplacianEigenstates,
    Monomials,
    RadialBasis,
    radial_integral,
)
from symtrip_reference.triplets import triplet_features

__all__ = ["FORMAT", "VERSION", "golden_lines"]

FORMAT = "symtrip golden values"
VERSION = 1

Record = dict[str, Any]
Result = dict[str, Any]
_BASES: dict[str, type[RadialBasis]] = {
    "gto": Gto,
    "laplacian": LaplacianEigenstates,
    "monomials": Monomials,
}


def golden_lines(
    digits: int = 40, *, announce: Callable[[str], None] = lambda _: None
) -> Iterator[str]:
    """The golden file, line by line.

    Args:
        digits: decimal digits of every value, >= 15.
        announce: called with the name of each case before it is computed.

    Yields:
        JSON objects without line breaks; the same ones on every machine.

    Raises:
        InputError: ``digits`` < 15.

    Accuracy:
        ``digits`` digits of the largest value of a block; smaller than that is written as 0.
    """
    yield _line({"format": FORMAT, "version": VERSION, "digits": digits})
    makers = (
        _cutoffs,
        _harmonics,
        _couplings,
        _coupling_products,
        _radial_integrals,
        _expansions,
        _correlations,
        _triplets,
        _two_ring_pairs,
    )
    count = 0
    for maker in makers:
        for record in maker(digits, announce):
            count += 1
            yield _line(record)
    yield _line({"records": count})


Announce = Callable[[str], None]


def _line(record: Record) -> str:
    return json.dumps(record, separators=(",", ":"))


def _record(function: str, case: str, arguments: Record, results: list[Result]) -> Record:
    return {"function": function, "case": case, "arguments": arguments, "results": results}


def _result(
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


def _norm(values: Sequence[Number]) -> Number:
    return mpmath.sqrt(sum((mpmath.mpf(x) ** 2 for x in values), start=mpmath.mpf(0)))


def _cutoffs(digits: int, announce: Announce) -> Iterator[Record]:
    for radius, width in CUTOFFS:
        case = f"radius {radius}, width {width}"
        announce(f"shifted_cosine: {case}")
        # a third of the distances inside, the others in the shell and just beyond
        r = [abs(dyadic(i)) * (radius - width) for i in range(20)]
        r += [radius - width * (1 + dyadic(i)) / 2 for i in range(38)] + [radius, radius * 1.0625]
        r = [_in_float32(x) for x in r]
        values = [
            shifted_cosine(
                Fraction(x), radius=Fraction(radius), width=Fraction(width), digits=digits
            )
            for x in r
        ]
        arguments = {"r": r, "radius": radius, "width": width}
        yield _record(
            "shifted_cosine", case, arguments, [_result(0, values, digits, scale=radius / width)]
        )


def _harmonics(digits: int, announce: Announce) -> Iterator[Record]:
    for function, harmonics, max_angular in (
        ("real_spherical_harmonics", real_spherical_harmonics, 10),
        ("solid_harmonics", real_solid_harmonics, 6),
    ):
        for name, vector in DIRECTIONS.items():
            announce(f"{function}: {name}")
            blocks = harmonics([Fraction(c) for c in vector], max_angular, digits=digits)
            results = [
                _result(l, block, digits, scale=(l + 1) * _norm(block))
                for l, block in enumerate(blocks)
            ]
            arguments = {"vectors": list(vector), "max_angular": max_angular}
            yield _record(function, name, arguments, results)


def _couplings(digits: int, announce: Announce) -> Iterator[Record]:
    for path in COUPLINGS:
        announce(f"real_clebsch_gordan: {path}")
        table = real_clebsch_gordan_table(*path, digits=digits)
        values = [x for plane in table for row in plane for x in row]
        arguments = dict(zip(("l1", "l2", "o3_lambda"), path, strict=True))
        results = [_result(0, values, digits, scale=None)]
        yield _record("real_clebsch_gordan", str(path), arguments, results)


def _coupling_products(digits: int, announce: Announce) -> Iterator[Record]:
    max_angular, channels = 2, 2
    degrees = range(max_angular + 1)
    announce("clebsch_gordan_product: l <= 2")
    first, second = (
        [
            [
                [dyadic(seed + 100 * l + 10 * m + q) for q in range(channels)]
                for m in range(2 * l + 1)
            ]
            for l in degrees
        ]
        for seed in (1, 1000)
    )

    left, right = (
        [[[Fraction(x) for x in row] for row in block] for block in side]
        for side in (first, second)
    )
    product = clebsch_gordan_product(left, right, max_angular, digits=digits)
    blocks = [[x for row in block for x in row] for block in product.values()]
    norms = [_norm([x for block in side for row in block for x in row]) for side in (first, second)]
    scale = norms[0] * norms[1]
    arguments = {"first": first, "second": second, "max_lambda": max_angular}
    results = [_result(i, block, digits, scale=scale) for i, block in enumerate(blocks)]
    yield _record("clebsch_gordan_product", "l <= 2", arguments, results)


def _radial_integrals(digits: int, announce: Announce) -> Iterator[Record]:
    for name, description in EXPANSIONS.items():
        announce(f"radial_integral: {name}")
        expansion = expansion_of(description)
        basis, density = expansion.basis, expansion.density
        degrees = range(basis.max_angular + 1)
        # twelve bits: r^2, which the fast path takes, is exact in float32
        r = [_twelve_bits(description["radius"] * (i + 0.5) / 16) for i in range(16)]
        values = [
            [radial_integral(basis, density, l, Fraction(x), digits=digits) for x in r]
            for l in degrees
        ]
        results = [
            _result(
                l,
                [x for row in values[l] for x in row],
                digits,
                scale=max(abs(x) for row in values[l] for x in row),
            )
            for l in degrees
        ]
        arguments = {"r": r, "expansion": description}
        yield _record("radial_integral", name, arguments, results)


def _expansions(digits: int, announce: Announce) -> Iterator[Record]:
    for name, description, environment, exact in _environments():
        announce(f"spherical_expansion: {name}")
        expansion = expansion_of(description)
        density = density_expansion(exact, expansion, digits=digits)
        uncut = density_expansion(exact, _without_cutoff(expansion), digits=digits)
        results = []
        for l in range(expansion.basis.max_angular + 1):
            scale = max(abs(x) for block in uncut.g[l] for row in block for x in row)
            rho = [x for row in density.rho[l] for x in row]
            g = [x for block in density.g[l] for row in block for x in row]
            results.append(_result(2 * l, rho, digits, scale=scale))
            results.append(_result(2 * l + 1, g, digits, scale=scale))
        arguments = {"expansion": description, **environment}
        yield _record("spherical_expansion", name, arguments, results)


def _correlations(digits: int, announce: Announce) -> Iterator[Record]:
    for name, description, environment, exact in _environments():
        expansion = expansion_of(description)
        max_angular = expansion.basis.max_angular
        channels = len(expansion.species) * expansion.basis.n_radial
        for nu in (1, 2, 3, 4):
            if channels**nu * len(coupling_paths(nu, max_angular)) > 4000:
                continue
            announce(f"density_correlations: nu = {nu}, {name}")
            paths = sorted(
                coupling_paths(nu, max_angular, max_intermediate=max_angular * max(1, nu - 2)),
                key=_fast_order,
            )
            values, uncut = (
                flatten(density_correlations(exact, e, nu, paths=paths, digits=digits))
                for e in (expansion, _without_cutoff(expansion))
            )
            step = 1 + len(values) // 600
            arguments = {"nu": nu, "expansion": description, **environment}
            results = [_result(0, values, digits, scale=_norm(uncut), step=step)]
            yield _record("density_correlations", f"nu = {nu}, {name}", arguments, results)


def _fast_order(path: tuple[int, ...]) -> tuple[int, ...]:
    """How DensityCorrelations sorts: from nu = 4 on, the last coupling slowest."""
    if len(path) < 7:
        return path
    l1, l2, L2, l3, L3, _, _ = path
    sigma2 = (-1) ** (l1 + l2 + L2)
    return L3, -sigma2 * (-1) ** (L2 + l3 + L3), L2, -sigma2, l3, l1, l2


def _triplets(digits: int, announce: Announce) -> Iterator[Record]:
    for name, description, environment, exact in _environments():
        announce(f"triplet_features: {name}")
        expansion = expansion_of(description)
        count = len(exact)
        pairs = sorted({(0, count - 1), (count // 2, 0), (count - 1, count - 1)})
        features, uncut = (
            triplet_features(exact, e, pairs=pairs, digits=digits)
            for e in (expansion, _without_cutoff(expansion))
        )
        results = []
        for j, k in pairs:
            values = [x for block in features[j, k].values() for x in block]
            norm = _norm([x for block in uncut[j, k].values() for x in block])
            step = 1 + len(values) // 250
            results.append(_result(j * count + k, values, digits, scale=norm, step=step))
        arguments = {"expansion": description, **environment}
        yield _record("triplet_features", name, arguments, results)


def _two_ring_pairs(digits: int, announce: Announce) -> Iterator[Record]:
    for r, z1, z2, psi, angles in TWO_RINGS:
        case = f"r = {r}, psi = {psi}, {len(angles)} + {len(angles)} + 1 atoms"
        announce(f"two_ring_pair: {case}")
        turns = [Fraction(angle) for angle in angles]
        pair = two_ring_pair(Fraction(r), Fraction(z1), Fraction(z2), Fraction(psi), turns)
        results = []
        for block, member in enumerate((pair.plus, pair.minus)):
            values = evaluate(partial(_positions, member), digits=digits)
            results.append(_result(block, values, digits, scale=r + z1 + z2))
        arguments = {"r": r, "z1": z1, "z2": z2, "psi": psi, "angles": list(angles)}
        yield _record("two_ring_pair", case, arguments, results)


def _positions(member: Environment, a: Arithmetic) -> list[Number]:
    """Coordinates of the centre and of its neighbours."""
    return [a(x) for vector in ((0, 0, 0), *member.vectors) for x in vector]


def _environments() -> Iterator[tuple[str, Record, Record, Environment]]:
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


def _without_cutoff(expansion: Expansion) -> Expansion:
    """The same expansion with f_c = 1 everywhere: the scale that a cutoff shell's errors have."""
    far = ShiftedCosine(expansion.cutoff.radius * 2, expansion.cutoff.radius)
    return Expansion(far, expansion.density, expansion.basis, expansion.species)


def _in_float32(x: float) -> float:
    """``x`` cut to 20 significant bits below 8."""
    return int(x * 2**17) / 2**17


def _twelve_bits(x: float) -> float:
    return int(x * 2**9) / 2**9
