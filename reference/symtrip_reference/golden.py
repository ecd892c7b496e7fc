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

from symtrip_reference._checks import number_of_digits
from symtrip_reference._golden_cases import (
    COUPLINGS,
    CUTOFFS,
    DIRECTIONS,
    EXPANSIONS,
    TWO_RINGS,
    dyadic,
)
from symtrip_reference._golden_features import feature_records
from symtrip_reference._golden_records import (
    Announce,
    Record,
    environments,
    expansion_of,
    norm,
    one_record,
    one_result,
    without_cutoff,
)
from symtrip_reference.arithmetic import Arithmetic, Number
from symtrip_reference.catalogue import load_catalogue
from symtrip_reference.correlations import clebsch_gordan_product
from symtrip_reference.coupling import real_clebsch_gordan_table
from symtrip_reference.cutoff import shifted_cosine
from symtrip_reference.density import Environment, density_expansion
from symtrip_reference.evaluation import evaluate
from symtrip_reference.families import two_ring_pair
from symtrip_reference.harmonics import real_solid_harmonics, real_spherical_harmonics
from symtrip_reference.radial import radial_integral

__all__ = ["FORMAT", "VERSION", "golden_lines"]

FORMAT = "symtrip golden values"
VERSION = 1


def golden_lines(
    digits: int = 40, *, announce: Callable[[str], None] = lambda _: None
) -> Iterator[str]:
    """The golden file, line by line.

    Args:
        digits: decimal digits of every value, 15 to 10000.
        announce: called with the name of each case before it is computed.

    Yields:
        JSON objects without line breaks; the same ones on every machine.

    Raises:
        InputError: ``digits`` outside of that.

    Accuracy:
        ``digits`` digits of the largest value of a block; smaller than that is written as 0.
    """
    digits = number_of_digits(digits)
    yield _line({"format": FORMAT, "version": VERSION, "digits": digits})
    makers = (
        _cutoffs,
        _harmonics,
        _couplings,
        _coupling_products,
        _radial_integrals,
        _expansions,
        feature_records,
        _two_ring_pairs,
        _families,
    )
    count = 0
    for maker in makers:
        for record in maker(digits, announce):
            count += 1
            yield _line(record)
    yield _line({"records": count})


def _line(record: Record) -> str:
    return json.dumps(record, separators=(",", ":"))


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
        yield one_record(
            "shifted_cosine", case, arguments, [one_result(0, values, digits, scale=radius / width)]
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
                one_result(l, block, digits, scale=(l + 1) * norm(block))
                for l, block in enumerate(blocks)
            ]
            arguments = {"vectors": list(vector), "max_angular": max_angular}
            yield one_record(function, name, arguments, results)


def _couplings(digits: int, announce: Announce) -> Iterator[Record]:
    for path in COUPLINGS:
        announce(f"real_clebsch_gordan: {path}")
        table = real_clebsch_gordan_table(*path, digits=digits)
        values = [x for plane in table for row in plane for x in row]
        arguments = dict(zip(("l1", "l2", "o3_lambda"), path, strict=True))
        results = [one_result(0, values, digits, scale=None)]
        yield one_record("real_clebsch_gordan", str(path), arguments, results)


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
    norms = [norm([x for block in side for row in block for x in row]) for side in (first, second)]
    scale = norms[0] * norms[1]
    arguments = {"first": first, "second": second, "max_lambda": max_angular}
    results = [one_result(i, block, digits, scale=scale) for i, block in enumerate(blocks)]
    yield one_record("clebsch_gordan_product", "l <= 2", arguments, results)


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
            one_result(
                l,
                [x for row in values[l] for x in row],
                digits,
                scale=max(abs(x) for row in values[l] for x in row),
            )
            for l in degrees
        ]
        arguments = {"r": r, "expansion": description}
        yield one_record("radial_integral", name, arguments, results)


def _expansions(digits: int, announce: Announce) -> Iterator[Record]:
    for name, description, environment, exact in environments():
        announce(f"spherical_expansion: {name}")
        expansion = expansion_of(description)
        density = density_expansion(exact, expansion, digits=digits)
        uncut = density_expansion(exact, without_cutoff(expansion), digits=digits)
        results = []
        for l in range(expansion.basis.max_angular + 1):
            scale = max(abs(x) for block in uncut.g[l] for row in block for x in row)
            rho = [x for row in density.rho[l] for x in row]
            g = [x for block in density.g[l] for row in block for x in row]
            results.append(one_result(2 * l, rho, digits, scale=scale))
            results.append(one_result(2 * l + 1, g, digits, scale=scale))
        arguments = {"expansion": description, **environment}
        yield one_record("spherical_expansion", name, arguments, results)


def _two_ring_pairs(digits: int, announce: Announce) -> Iterator[Record]:
    for r, z1, z2, psi, angles in TWO_RINGS:
        case = f"r = {r}, psi = {psi}, {len(angles)} + {len(angles)} + 1 atoms"
        announce(f"two_ring_pair: {case}")
        turns = [Fraction(angle) for angle in angles]
        pair = two_ring_pair(Fraction(r), Fraction(z1), Fraction(z2), Fraction(psi), turns)
        results = []
        for block, member in enumerate((pair.plus, pair.minus)):
            values = evaluate(partial(_positions, member), digits=digits)
            results.append(one_result(block, values, digits, scale=r + z1 + z2))
        arguments = {"r": r, "z1": z1, "z2": z2, "psi": psi, "angles": list(angles)}
        yield one_record("two_ring_pair", case, arguments, results)


def _families(digits: int, announce: Announce) -> Iterator[Record]:
    """Both members of every degenerate family at its default parameters, and their cells."""
    for name, family in load_catalogue().items():
        announce(f"degenerate_family: {name}")
        members = [member.with_center() for member in family.members()]
        rows = [member.points for member in members]
        rows += [member.cell for member in members if member.cell is not None]
        results = []
        for block, vectors in enumerate(rows):
            values = evaluate(partial(_coordinates, vectors), digits=digits)
            scale = max(abs(x) for x in values)
            results.append(one_result(block, values, digits, scale=scale))
        yield one_record("degenerate_family", name, {"id": name}, results)


def _coordinates(vectors: Sequence[Sequence[Any]], a: Arithmetic) -> list[Number]:
    return [a(x) for vector in vectors for x in vector]


def _positions(member: Environment, a: Arithmetic) -> list[Number]:
    """Coordinates of the centre and of its neighbours."""
    return [a(x) for vector in ((0, 0, 0), *member.vectors) for x in vector]


def _in_float32(x: float) -> float:
    """``x`` cut to 20 significant bits below 8."""
    return int(x * 2**17) / 2**17


def _twelve_bits(x: float) -> float:
    return int(x * 2**9) / 2**9
