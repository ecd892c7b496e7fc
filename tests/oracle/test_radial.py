"""Radial integrals against their exact values."""

from __future__ import annotations

import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st
from oracles import DTYPES, EXPANSIONS, Hyperparameters, radial_error

from symtrip.verify import BUDGETS


@pytest.mark.parametrize("hyper", EXPANSIONS, ids=lambda h: h.name)
@pytest.mark.parametrize("dtype", DTYPES)
@given(st.integers(1, 2**12 - 1))
@example(1)
@example(2**12 - 1)
def test_radial_integrals_are_within_their_budget(
    dtype: torch.dtype, hyper: Hyperparameters, k: int
) -> None:
    # twelve bits, so that r^2 is exact; measured 3.1 eps of the maximum over r
    r = k / 2**12 * (2.0 if hyper.radius < 4.0 else 4.0)
    assert radial_error(r, hyper, dtype) <= BUDGETS["radial_integral"].eps
