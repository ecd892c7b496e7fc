"""Real spherical harmonics up to l = 10 against their exact values."""

from __future__ import annotations

import pytest
import torch
from hypothesis import example, given
from oracles import DTYPES, harmonics_error, solid_error
from strategies import Cloud, clouds

from symtrip.verify import BUDGETS


def one(x: float, y: float, z: float) -> Cloud:
    return Cloud("example", ((x, y, z),), (5,), 2.0)


@pytest.mark.parametrize("dtype", DTYPES)
@given(clouds(max_neighbors=2, kinds=("generic", "poles", "coplanar", "near the centre")))
@example(one(0.0, 0.0, -1.0))
@example(one(1e-3, 0.0, 1.0))
@example(one(1e-15, -1e-15, 1e-15))
def test_harmonics_are_within_their_budget(dtype: torch.dtype, cloud: Cloud) -> None:
    # measured 2.9 (l + 1) eps of the norm over m: the recursion in l
    for vector in cloud.vectors:
        assert harmonics_error(vector, 10, dtype) <= BUDGETS["real_spherical_harmonics"].eps


@pytest.mark.parametrize("dtype", DTYPES)
@given(clouds(max_neighbors=2, kinds=("generic", "poles", "coplanar", "near the centre")))
@example(one(0.0, 0.0, -1.0))
@example(one(1e-3, 0.0, 1.0))
def test_solid_harmonics_are_within_their_budget(dtype: torch.dtype, cloud: Cloud) -> None:
    for vector in cloud.vectors:
        assert solid_error(vector, 10, dtype) <= BUDGETS["solid_harmonics"].eps
