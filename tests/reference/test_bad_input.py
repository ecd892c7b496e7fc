"""One clear error each: argument, rule, value, remedy."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import Any

import mpmath
import numpy as np
import pytest
import sympy
import symtrip_reference as reference
from symtrip_reference import InputError

half = Fraction(1, 2)
EXPANSION = reference.Expansion(
    reference.ShiftedCosine(2, half), reference.DeltaDensity(), reference.Monomials(1, 1)
)
GTO = reference.Expansion(
    reference.ShiftedCosine(2, half), reference.GaussianDensity(half), reference.Gto(3, 1, 2)
)
PAIR = reference.Environment([(1, 0, 0), (0, 1, 0)])

CASES: dict[str, tuple[Callable[[], Any], str]] = {
    "negative l": (
        lambda: reference.real_clebsch_gordan(-1, 0, 1, 0, 1, 0),
        r"`l1` must be an integer >= 0, got -1; pass an int",
    ),
    "fractional l": (
        lambda: reference.complex_clebsch_gordan(1, 0, half, 0, 1, 0),
        r"`l2` must be an integer >= 0, got Fraction\(1, 2\)",
    ),
    "float l": (
        lambda: reference.real_clebsch_gordan_table(1, 1, 2.0),  # type: ignore[arg-type]
        r"`L` must be an integer >= 0, got 2.0",
    ),
    "boolean l": (
        lambda: reference.real_clebsch_gordan(True, 0, 1, 0, 1, 0),
        r"`l1` must be an integer >= 0, got True",
    ),
    "m above l": (
        lambda: reference.real_clebsch_gordan(1, 2, 1, 0, 1, 0),
        r"`m1` must be an integer from -1 to 1, got 2; lower its absolute value",
    ),
    "M below -L": (
        lambda: reference.complex_clebsch_gordan(2, 0, 2, 0, 1, -2),
        r"`M` must be an integer from -1 to 1, got -2",
    ),
    "m of a polynomial": (
        lambda: reference.solid_harmonic_polynomial(2, 3),
        r"`m` must be an integer from -2 to 2, got 3",
    ),
    "zero vector": (
        lambda: reference.real_spherical_harmonics((0, 0, 0), 1),
        r"`vector` must not be the zero vector.*centre",
    ),
    "float distance": (
        lambda: reference.shifted_cosine(0.1, radius=2, width=half),
        r"`r` must be an exact number, not a float, got 0.1; write fractions.Fraction\(x\)",
    ),
    "numpy float": (
        lambda: reference.shifted_cosine(np.float32(1), radius=2, width=half),
        r"`r` must be an exact number, not a float",
    ),
    "mpmath float": (
        lambda: reference.shifted_cosine(mpmath.mpf(1), radius=2, width=half),
        r"`r` must be an exact number, not a float",
    ),
    "sympy float inside": (
        lambda: reference.shifted_cosine(sympy.Float("0.1") * sympy.pi, radius=2, width=half),
        r"`r` must be an exact finite real number",
    ),
    "decimal": (
        lambda: reference.shifted_cosine(Decimal("0.1"), radius=2, width=half),
        r"`r` must be an exact finite real number",
    ),
    "symbol": (
        lambda: reference.shifted_cosine(sympy.Symbol("r"), radius=2, width=half),
        r"`r` must be an exact finite real number",
    ),
    "complex number": (
        lambda: reference.shifted_cosine(sympy.I, radius=2, width=half),
        r"`r` must be an exact finite real number",
    ),
    "infinity": (
        lambda: reference.shifted_cosine(sympy.oo, radius=2, width=half),
        r"`r` must be an exact finite real number",
    ),
    "text": (
        lambda: reference.shifted_cosine("1/2", radius=2, width=half),
        r"`r` must be an exact finite real number",
    ),
    "negative distance": (
        lambda: reference.shifted_cosine(-1, radius=2, width=half),
        r"`r` must be >= 0 Å, got -1",
    ),
    "radius zero": (lambda: reference.ShiftedCosine(0, 1), r"`radius` must be > 0 Å, got 0"),
    "width above radius": (
        lambda: reference.ShiftedCosine(4, 5),
        r"`width` must satisfy 0 < width <= radius = 4 Å, got 5; lower `width` or raise `radius`",
    ),
    "width zero": (
        lambda: reference.GaussianDensity(0),
        r"`width` must be > 0 Å, got 0; or use DeltaDensity\(\)",
    ),
    "no radial function": (
        lambda: reference.Gto(0, 3, 2),
        r"`n_radial` must be an integer >= 1, got 0",
    ),
    "negative max_angular": (
        lambda: reference.Monomials(2, -1),
        r"`max_angular` must be an integer >= 0, got -1",
    ),
    "l above max_angular": (
        lambda: reference.radial_integral(
            reference.Monomials(2, 1), reference.DeltaDensity(), 2, half
        ),
        r"`l` must be <= max_angular = 1, got 2",
    ),
    "neighbour on the centre": (
        lambda: reference.Environment([(1, 0, 0), (0, 0, 0)]),
        r"`vectors\[1\]` must not be the zero vector",
    ),
    "float coordinate": (
        lambda: reference.Environment([(1, 0.5, 0)]),
        r"`vectors\[0\]\[1\]` must be an exact number, not a float, got 0.5",
    ),
    "no list of vectors": (
        lambda: reference.Environment(None),  # type: ignore[arg-type]
        r"`vectors` must be a list of triples of exact numbers, got None; pass \[\]",
    ),
    "two coordinates": (
        lambda: reference.Environment([(1, 0)]),
        r"`vectors\[0\]` must hold three exact numbers",
    ),
    "species count": (
        lambda: reference.Environment([(1, 0, 0)], [1, 2]),
        r"`species` must hold one integer for each of the 1 neighbours",
    ),
    "unknown species": (
        lambda: reference.density_expansion(reference.Environment([(1, 0, 0)], [6]), EXPANSION),
        r"`species` must be among \(1,\), got 6; add it to the expansion",
    ),
    "unsorted species": (
        lambda: reference.Expansion(
            EXPANSION.cutoff, EXPANSION.density, EXPANSION.basis, species=(5, 1)
        ),
        r"`species` must be sorted, distinct and not empty",
    ),
    "nu zero": (
        lambda: reference.density_correlations(PAIR, EXPANSION, 0),
        r"`nu` must be an integer >= 1, got 0",
    ),
    "tagged outside": (
        lambda: reference.triplet_features(PAIR, EXPANSION, pairs=[(0, 2)]),
        r"`tagged` must hold indices of the 2 neighbours, 0..1, got 2",
    ),
    "path without triangle": (
        lambda: reference.triplet_features(PAIR, EXPANSION, paths=[(0, 0, 1)]),
        r"`paths` must hold paths .* triangle rule",
    ),
    "path of another length": (
        lambda: reference.density_correlations(PAIR, EXPANSION, 2, paths=[(1, 1, 0, 1, 1)]),
        r"`paths` must hold paths",
    ),
    "nothing to couple": (
        lambda: reference.n_centre_features(PAIR, EXPANSION, [], 0),
        r"`nu` must be >= 1 without tagged neighbours",
    ),
    "transcendental without digits": (
        lambda: reference.density_expansion(PAIR, GTO),
        r"`digits` must be given: .* is not an algebraic number.*pass digits=50",
    ),
    "ring angle off the circle": (
        lambda: reference.two_ring_pair(1, 1, 1, (half, half), [0]),
        r"`psi` must lie on the unit circle",
    ),
    "quaternion of three": (
        lambda: reference.rotation_matrix((1, 0, 0)),
        r"`quaternion` must hold four rational numbers",
    ),
    "irrational quaternion": (
        lambda: reference.real_wigner_d(1, (1, sympy.sqrt(2), 0, 0)),
        r"`quaternion\[1\]` must be rational",
    ),
    "zero quaternion": (
        lambda: reference.rotation_matrix((0, 0, 0, 0)),
        r"`quaternion` must not be zero",
    ),
    "too few golden digits": (
        lambda: next(iter(list(reference.golden_lines(10)))),
        r"`digits` must be an integer >= 15 and <= 10000, got 10",
    ),
    "digits without end": (
        lambda: reference.density_expansion(PAIR, GTO, digits=10**9),
        r"`digits` must be an integer >= 15 and <= 10000, got 1000000000",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_bad_input_is_refused_with_argument_rule_value_and_remedy(name: str) -> None:
    call, message = CASES[name]
    with pytest.raises(InputError, match=message):
        call()
