"""Positions of two-ring pairs against their exact values."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from oracles import DTYPES, two_ring_error
from strategies import two_ring_parameters

from symtrip.verify import BUDGETS

Parameters = tuple[float, float, float, float, tuple[float, ...]]


@pytest.mark.parametrize("dtype", DTYPES)
@given(two_ring_parameters(max_ring=5))
def test_two_ring_positions_are_within_their_budget(
    dtype: torch.dtype, parameters: Parameters
) -> None:
    # measured 2.1 eps (r + z1 + z2): rounding of angle + psi
    assert two_ring_error(parameters, dtype) <= BUDGETS["two_ring_pair"].eps
