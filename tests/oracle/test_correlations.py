"""Density correlations nu = 1 ... 4 against their exact values."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from oracles import DTYPES, PRODUCTS, SMALL, Hyperparameters, correlation_error
from strategies import clouds

from symtrip.verify import BUDGETS


@pytest.mark.parametrize("nu", [1, 2, 3])
@pytest.mark.parametrize("hyper", PRODUCTS, ids=lambda h: h.name)
@pytest.mark.parametrize("dtype", DTYPES)
@given(data=st.data())
def test_correlations_are_within_their_budget(
    dtype: torch.dtype, hyper: Hyperparameters, nu: int, data: st.DataObject
) -> None:
    cloud = data.draw(clouds(radius=hyper.radius, width=hyper.width, species=hyper.species))
    # measured 15 eps of the norm, in the cutoff shell
    assert correlation_error(cloud, hyper, nu, dtype) <= BUDGETS["density_correlations"].eps


@pytest.mark.parametrize("dtype", DTYPES)
@given(data=st.data())
def test_correlations_of_order_four_are_within_their_budget(
    dtype: torch.dtype, data: st.DataObject
) -> None:
    cloud = data.draw(clouds(max_neighbors=3, species=SMALL.species))
    # measured 5 eps of the norm
    assert correlation_error(cloud, SMALL, 4, dtype) <= BUDGETS["density_correlations"].eps
