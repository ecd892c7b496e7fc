"""Exact radial integrals and cutoff against their definitions by quadrature."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import mpmath
import numpy as np
import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st
from symtrip_reference import (
    DeltaDensity,
    GaussianDensity,
    Gto,
    LaplacianEigenstates,
    Monomials,
    bounds,
    fraction,
    gto_overlap,
    gto_radial_integral,
    radial_integral,
    shifted_cosine,
)

GOLDEN = Path(__file__).parents[1] / "golden" / "data" / "b8_frames.npz"
DELTA, GAUSSIAN = DeltaDensity(), GaussianDensity(Fraction(1, 2))
RADIUS = Fraction(3)
BASES = [Gto(3, 4, RADIUS), Monomials(3, 4), LaplacianEigenstates(3, 4, RADIUS)]
distances = st.fractions(0, 3, max_denominator=1000)


def names(value: Any) -> str:
    return type(value).__name__


def smeared(basis: Any, l: int, n: int, r: Fraction) -> Any:
    """<n l m | Gaussian at r> / Y_lm by quadrature over the basis function's support.

    The angular integral leaves the modified spherical Bessel function i_l.
    """
    s = mpmath.mpf(GAUSSIAN.width.p) / GAUSSIAN.width.q
    far = mpmath.mpf(r.numerator) / r.denominator

    def integrand(x: Any) -> Any:
        exact = sympy.Rational(int(x * 2**90), 2**90)
        function = radial_integral(basis, DELTA, l, exact, digits=20)[n]
        y = x * far / s**2
        bessel = mpmath.sqrt(mpmath.pi / (2 * y)) * mpmath.besseli(l + mpmath.mpf(1) / 2, y)
        return x**2 * function * mpmath.exp(-(x**2 + far**2) / (2 * s**2)) * bessel

    end = mpmath.mpf(3) if isinstance(basis, LaplacianEigenstates) else far + 8
    points = [mpmath.mpf(0), far, end] if far < end else [mpmath.mpf(0), end]
    integral = mpmath.quad(integrand, points, maxdegree=4)
    return 4 * mpmath.pi * (mpmath.pi * s**2) ** mpmath.mpf(-0.75) * integral


@pytest.mark.parametrize(("l", "n"), [(0, 0), (1, 2), (4, 1)])
@pytest.mark.parametrize("basis", BASES, ids=names)
def test_gaussian_integrals_equal_their_definition(basis: Any, l: int, n: int) -> None:
    r = Fraction(7, 5)
    got = radial_integral(basis, GAUSSIAN, l, r, digits=25)[n]
    # the quadrature is good to 12 digits: maxdegree 4 keeps it quick
    assert abs(got / smeared(basis, l, n, r) - 1) <= 1e-11


@pytest.mark.parametrize("basis", [BASES[0], BASES[2]], ids=names)
def test_normalised_bases_are_orthonormal(basis: Any) -> None:
    end = 3 if isinstance(basis, LaplacianEigenstates) else 12
    for l in (0, 2):

        def functions(x: Any, l: int = l) -> list[Any]:
            exact = sympy.Rational(int(x * 2**90), 2**90)
            return radial_integral(basis, DELTA, l, exact, digits=20)

        nodes = [mpmath.mpf(end) * k / 4 for k in range(5)]
        for a, b in [(0, 0), (0, 2), (1, 2), (2, 2)]:

            def integrand(x: Any, a: int = a, b: int = b) -> Any:
                values = functions(x)
                return x**2 * values[a] * values[b]

            overlap = mpmath.quad(integrand, nodes, maxdegree=4)
            assert abs(overlap - int(a == b)) <= 1e-11


def test_laplacian_eigenstates_vanish_at_the_radius_and_beyond() -> None:
    for l in range(4):
        at_radius = radial_integral(BASES[2], DELTA, l, RADIUS, digits=40)
        assert all(abs(x) <= 1e-38 for x in at_radius)
        assert radial_integral(BASES[2], DELTA, l, RADIUS + 1, digits=40) == [0, 0, 0]


def test_laplacian_eigenstates_of_degree_zero_are_exact_sines() -> None:
    values = radial_integral(LaplacianEigenstates(2, 0, RADIUS), DELTA, 0, 1)
    want = [sympy.sqrt(sympy.Rational(2, 3)) * sympy.sin(n * sympy.pi / 3) for n in (1, 2)]
    assert [sympy.simplify(abs(x) - w) for x, w in zip(values, want, strict=True)] == [0, 0]


def test_gto_overlap_of_the_paper_agrees_with_featomic() -> None:
    with np.load(GOLDEN, allow_pickle=False) as archive:
        want = archive["gto_overlap_normalised"]
    got = np.array(gto_overlap(Gto(6, 3, 2), digits=20), dtype=float)
    # measured 1 eps
    assert np.abs(got - want).max() <= 4 * 2.0**-52


def test_gto_integrals_of_the_paper_agree_with_featomic_to_its_condition_number() -> None:
    with np.load(GOLDEN, allow_pickle=False) as archive:
        r, want = archive["radial_r"], archive["radial_I_lrn"]
    for l in range(4):
        for i in range(0, len(r), 5):
            values = gto_radial_integral(
                Fraction(r[i]), l, n_radial=6, radius=2, width=Fraction(1, 5), digits=20
            )
            # featomic loses the condition number of the overlap: 7e-14 measured
            assert np.abs(np.array(values, dtype=float) - want[l, i]).max() <= 1e-13


@given(distances, st.integers(0, 4))
def test_monomials_of_a_delta_density_are_powers(r: Fraction, l: int) -> None:
    got = radial_integral(BASES[1], DELTA, l, r)
    exact = sympy.Rational(r.numerator, r.denominator)
    assert got == [exact ** (l + 2 * n) for n in range(3)]


@given(distances, st.integers(0, 4))
def test_gaussian_monomials_tend_to_the_mass_times_powers(r: Fraction, l: int) -> None:
    narrow = GaussianDensity(Fraction(1, 10**9))
    got = radial_integral(Monomials(3, 4), narrow, l, r, digits=20)
    mass = (4 * mpmath.pi * mpmath.mpf(10) ** -18) ** mpmath.mpf(0.75)
    for n, value in enumerate(got):
        want = (
            mass * mpmath.mpf(r.numerator) ** (l + 2 * n) / mpmath.mpf(r.denominator) ** (l + 2 * n)
        )
        assert abs(value - want) <= 1e-15 * mass * 3 ** (l + 2 * n)


@pytest.mark.parametrize("n_radial", [1, 2])
def test_small_gto_bases_are_exact_and_agree_with_their_digits(n_radial: int) -> None:
    basis = Gto(n_radial, 2, RADIUS)
    exact = radial_integral(basis, DELTA, 1, Fraction(5, 4))
    digits = radial_integral(basis, DELTA, 1, Fraction(5, 4), digits=30)
    for e, d in zip(exact, digits, strict=True):
        assert abs(sympy.N(e, 40) - sympy.Float(d, 40)) <= 1e-29


@pytest.mark.parametrize("density", [DELTA, GAUSSIAN], ids=names)
@pytest.mark.parametrize("basis", BASES, ids=names)
def test_enclosures_hold_the_digits(basis: Any, density: Any) -> None:
    for l in (0, 3):
        for r in (Fraction(0), Fraction(1, 3), Fraction(29, 10)):
            digits = radial_integral(basis, density, l, r, digits=40)
            balls = radial_integral(basis, density, l, r, digits=30, rigorous=True)
            scale = max(abs(x) for x in digits)
            for value, ball in zip(digits, balls, strict=True):
                low, high = bounds(ball)
                slack = fraction(scale) / 10**39
                assert low - slack <= fraction(value) <= high + slack
                assert high - low <= max(fraction(scale), Fraction(1, 10**100)) / 10**29


@given(st.fractions(0, 3, max_denominator=100))
def test_the_cutoff_is_one_inside_zero_outside_and_symmetric_in_the_shell(r: Fraction) -> None:
    def cutoff(x: Any) -> Any:
        return shifted_cosine(x, radius=2, width=Fraction(1, 2))

    if r <= Fraction(3, 2):
        assert cutoff(r) == 1
    elif r >= 2:
        assert cutoff(r) == 0
    else:
        assert sympy.simplify(cutoff(r) + cutoff(Fraction(7, 2) - r)) == 1


def test_the_cutoff_at_a_third_of_the_shell_is_three_quarters() -> None:
    assert shifted_cosine(Fraction(5, 3), radius=2, width=Fraction(1, 2)) == sympy.Rational(3, 4)
