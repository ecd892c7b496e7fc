"""Density coefficients against their exact values, over all kinds of environments."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from oracles import B8, DTYPES, EXPANSIONS, Hyperparameters, density_error
from strategies import KINDS, clouds

from symtrip.verify import BUDGETS


@pytest.mark.parametrize("hyper", EXPANSIONS, ids=lambda h: h.name)
@pytest.mark.parametrize("dtype", DTYPES)
@given(data=st.data())
def test_densities_are_within_their_budget(
    dtype: torch.dtype, hyper: Hyperparameters, data: st.DataObject
) -> None:
    cloud = data.draw(clouds(radius=hyper.radius, width=hyper.width, species=hyper.species))
    # measured 34 eps, in the cutoff shell, where f_c multiplies the error of r by radius / width
    assert density_error(cloud, hyper, dtype) <= BUDGETS["spherical_expansion"].eps


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data())
def test_b8_densities_of_every_kind_are_within_their_budget(kind: str, data: st.DataObject) -> None:
    cloud = data.draw(clouds(kinds=(kind,)))
    assert density_error(cloud, B8, torch.float64) <= BUDGETS["spherical_expansion"].eps
