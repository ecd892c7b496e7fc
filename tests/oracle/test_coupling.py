"""Clebsch-Gordan coefficients and products against their exact values."""

from __future__ import annotations

from itertools import product

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from oracles import DTYPES, coupling_error, product_error

from symtrip.verify import BUDGETS

LARGE = [(4, 3, 5), (5, 5, 4), (6, 6, 9), (2, 2, 5), (7, 1, 5)]


@pytest.mark.parametrize("dtype", DTYPES)
def test_coefficients_up_to_degree_three_are_within_their_budget(dtype: torch.dtype) -> None:
    for path in product(range(4), repeat=3):
        # measured 0.5 eps: rounded once
        assert coupling_error(*path, dtype) <= BUDGETS["real_clebsch_gordan"].eps, path


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("path", LARGE)
def test_coefficients_of_higher_degrees_are_within_their_budget(
    dtype: torch.dtype, path: tuple[int, int, int]
) -> None:
    assert coupling_error(*path, dtype) <= BUDGETS["real_clebsch_gordan"].eps


@pytest.mark.parametrize("dtype", DTYPES)
@given(st.integers(0, 2**32), st.integers(0, 3))
def test_products_are_within_their_budget(dtype: torch.dtype, seed: int, max_angular: int) -> None:
    # measured 0.6 eps of the product of the norms
    error = product_error(seed, max_angular, dtype)
    assert error <= BUDGETS["clebsch_gordan_product"].eps
