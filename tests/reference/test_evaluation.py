"""How the three number systems relate, and what the self-check does."""

from __future__ import annotations

import sys
from fractions import Fraction
from typing import Any

import flint
import mpmath
import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st
from symtrip_reference import (
    DeltaDensity,
    Environment,
    Expansion,
    GaussianDensity,
    Gto,
    InputError,
    Monomials,
    PrecisionError,
    ShiftedCosine,
    bounds,
    density_expansion,
    flatten,
    fraction,
    real_spherical_harmonics,
    triplet_features,
)
from symtrip_reference.arithmetic import Arithmetic
from symtrip_reference.evaluation import evaluate

EXPANSION = Expansion(
    ShiftedCosine(2, Fraction(1, 2)), GaussianDensity(Fraction(1, 4)), Gto(4, 2, 2)
)
numbers = st.fractions(-1, 1, max_denominator=64)
vectors = st.tuples(numbers, numbers, numbers).filter(any)


@given(st.lists(vectors, min_size=1, max_size=2))
def test_enclosures_and_digits_agree_on_triplet_features(neighbors: list[Any]) -> None:
    environment = Environment(neighbors)
    paths = [(0, 0, 0), (1, 1, 1), (2, 1, 2)]
    digits = triplet_features(environment, EXPANSION, paths=paths, digits=30)
    balls = triplet_features(environment, EXPANSION, paths=paths, digits=25, rigorous=True)
    scale = max(abs(x) for b in digits.values() for x in flatten({p: [v] for p, v in b.items()}))
    for pair, blocks in digits.items():
        for path, block in blocks.items():
            for value, ball in zip(block, balls[pair][path], strict=True):
                low, high = bounds(ball)
                slack = fraction(scale) / 10**30
                assert low - slack <= fraction(value) <= high + slack


@given(st.lists(vectors, min_size=1, max_size=3))
def test_exact_values_and_digits_agree_on_algebraic_densities(neighbors: list[Any]) -> None:
    expansion = Expansion(ShiftedCosine(4, 1), DeltaDensity(), Monomials(2, 2))
    exact = density_expansion(Environment(neighbors), expansion)
    digits = density_expansion(Environment(neighbors), expansion, digits=30)
    for l in range(3):
        for e, d in zip(exact.rho[l], digits.rho[l], strict=True):
            for x, y in zip(e, d, strict=True):
                assert abs(sympy.N(x, 40) - sympy.Float(y, 40)) <= 1e-28


def test_the_global_precisions_are_neither_used_nor_changed() -> None:
    mpmath.mp.dps, flint.ctx.dps = 20, 20
    try:
        value = real_spherical_harmonics((1, 2, 3), 1, digits=60)[1][0]
        ball = real_spherical_harmonics((1, 2, 3), 1, digits=60, rigorous=True)[1][0]
        assert (mpmath.mp.dps, flint.ctx.dps) == (20, 20)
    finally:
        mpmath.mp.dps, flint.ctx.dps = 15, 15
    exact = sympy.N(real_spherical_harmonics((1, 2, 3), 1)[1][0], 70)
    for number in (value, ball):
        assert abs(sympy.Rational(fraction(number)) - exact) <= sympy.Float(10) ** -60


def test_cancellation_raises_the_working_precision_until_the_digits_agree() -> None:
    def formula(a: Arithmetic) -> Any:
        # 1 - sqrt(1 - 10^-60): sixty digits cancel
        return 1 - a.sqrt(1 - a(Fraction(1, 10**60)))

    for rigorous in (False, True):
        value = evaluate(formula, digits=20, rigorous=rigorous)
        assert abs(fraction(value) * 2 * 10**60 - 1) <= Fraction(1, 10**20)


def test_a_result_that_is_zero_is_found_to_be_zero() -> None:
    def formula(a: Arithmetic) -> Any:
        return a.sqrt(a(2)) * a.sqrt(a(2)) - 2

    assert abs(fraction(evaluate(lambda a: [formula(a), a(1)], digits=20)[0])) <= Fraction(
        1, 10**20
    )
    low, high = bounds(evaluate(formula, digits=20, rigorous=True))
    assert low <= 0 <= high
    assert high - low <= Fraction(1, 10**150)
    assert evaluate(lambda a: a(1) - a(1), digits=20) == 0


@pytest.mark.parametrize(("call", "number"), [(fraction, 0.5), (bounds, mpmath.mpf(1))])
def test_conversions_refuse_other_numbers(call: Any, number: Any) -> None:
    with pytest.raises(InputError, match=r"must be an? .*python-flint ball"):
        call(number)


def test_digits_that_never_settle_are_an_error() -> None:
    calls = []

    def formula(a: Arithmetic) -> Any:
        calls.append(a)
        return a(len(calls))

    with pytest.raises(PrecisionError, match="20 digits were not settled"):
        evaluate(formula, digits=20)


def test_enclosures_that_stay_wide_are_an_error() -> None:
    def formula(a: Arithmetic) -> Any:
        return a(1).union(a(2))  # type: ignore[attr-defined]

    with pytest.raises(PrecisionError, match="20 digits were not enclosed"):
        evaluate(formula, digits=20, rigorous=True)


@pytest.mark.parametrize(
    ("number", "want"),
    [
        (sympy.sqrt(2) / 3 - 1, 2**0.5 / 3 - 1),
        (sympy.pi / 7, 0.4487989505128276),
        (sympy.cos(sympy.pi / 7), 0.9009688679024191),
        (sympy.Rational(1, 3) ** sympy.Rational(1, 4), 3**-0.25),
    ],
)
def test_algebraic_coordinates_are_taken_in_every_number_system(number: Any, want: float) -> None:
    for rigorous in (False, True):
        got = evaluate(lambda a: a(number), digits=20, rigorous=rigorous)
        assert abs(float(got) - want) <= 4 * 2.0**-52
    assert evaluate(lambda a: a(number), digits=None) == number


@pytest.mark.parametrize("digits", [14, 0, -3, 15.0, "30", True])
def test_too_few_or_no_digits_are_refused(digits: Any) -> None:
    with pytest.raises(InputError, match=r"`digits` must be an integer >= 15 .*, got .*digits=50"):
        real_spherical_harmonics((1, 0, 0), 1, digits=digits)


def test_rigorous_without_digits_is_refused() -> None:
    with pytest.raises(InputError, match=r"`digits` must be given with rigorous=True"):
        real_spherical_harmonics((1, 0, 0), 1, rigorous=True)


def test_rigorous_without_python_flint_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "flint", None)
    with pytest.raises(InputError, match=r"pip install 'symtrip\[rigorous\]'\) or drop rigorous"):
        real_spherical_harmonics((1, 0, 0), 1, digits=20, rigorous=True)
    assert real_spherical_harmonics((0, 0, 1), 1, digits=20)[1][0] == 0
