"""Laplacian eigenstates and point densities against their exact values."""

from __future__ import annotations

from fractions import Fraction

import pytest
import symtrip_reference as reference
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from oracles import DTYPES, Hyperparameters, density_error, error_in_eps, triplet_error
from strategies import Cloud, clouds

from symtrip.expansion import Gto, LaplacianEigenstates
from symtrip.verify import BUDGETS

BASES = (
    Hyperparameters("Laplacian", LaplacianEigenstates, 4, 3, smearing=0.25),
    Hyperparameters("Laplacian, wide", LaplacianEigenstates, 2, 1, smearing=1.5),
    Hyperparameters("Laplacian, points", LaplacianEigenstates, 6, 4, smearing=None),
    Hyperparameters("Gto, points", Gto, 6, 3, smearing=None),
)
POINTS = (
    Hyperparameters("Laplacian, points", LaplacianEigenstates, 2, 2, smearing=None),
    Hyperparameters("Gto, points", Gto, 2, 2, smearing=None),
)


@pytest.mark.parametrize("hyper", BASES, ids=lambda h: h.name)
@pytest.mark.parametrize("dtype", DTYPES)
@given(k=st.integers(1, 2**12 - 1), data=st.data())
@settings(max_examples=4)
def test_radial_integrals_are_within_their_budget(
    dtype: torch.dtype, hyper: Hyperparameters, k: int, data: st.DataObject
) -> None:
    # twelve bits, so that r^2 is exact; measured 3.4 eps of the maximum over r
    r = Fraction(k, 2**11)
    l = data.draw(st.integers(0, hyper.max_angular))
    exact = hyper.exact()
    want = reference.radial_integral(exact.basis, exact.density, l, r, digits=25)
    over_power = [reference.fraction(x) / r**l for x in want]
    radial = hyper.fast().radial
    sampled = torch.linspace(0.001, 4.0, 400, dtype=torch.float64)
    largest = (radial(sampled)[:, l] * sampled[:, None] ** (l / 2)).abs().amax(dim=0)
    got = radial(torch.tensor([float(r) ** 2], dtype=dtype))[0, l]
    error = error_in_eps(got, over_power, largest, float(r) ** l)
    assert error <= BUDGETS["radial_integral"].eps


@pytest.mark.parametrize("hyper", POINTS, ids=lambda h: h.name)
@pytest.mark.parametrize("dtype", DTYPES)
@given(clouds(radius=2.0, max_neighbors=3))
@settings(max_examples=4)
def test_densities_are_within_their_budget(
    dtype: torch.dtype, hyper: Hyperparameters, cloud: Cloud
) -> None:
    assert density_error(cloud, hyper, dtype) <= BUDGETS["spherical_expansion"].eps


@pytest.mark.parametrize("hyper", POINTS, ids=lambda h: h.name)
@given(clouds(radius=2.0, max_neighbors=2))
@settings(max_examples=3)
def test_triplets_are_within_their_budget(hyper: Hyperparameters, cloud: Cloud) -> None:
    assert triplet_error(cloud, hyper, torch.float64) <= BUDGETS["triplet_features"].eps


@pytest.mark.parametrize("l", range(5))
def test_zeros_of_bessel_functions_are_those_of_the_reference(l: int) -> None:
    from symtrip.expansion._laplacian import bessel_zeros

    basis = reference.LaplacianEigenstates(3, 4, 1)
    # a zero of the n-th eigenstate but one lies where the distance is the ratio of two zeros
    zeros = bessel_zeros(3, 4)[l]
    ratio = Fraction(zeros[0]) / Fraction(zeros[2])
    values = reference.radial_integral(basis, reference.DeltaDensity(), l, ratio, digits=40)
    assert abs(values[2]) <= 1e-38 * abs(values[1])
