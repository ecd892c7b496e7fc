"""The cutoff function against its exact value."""

from __future__ import annotations

import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st
from oracles import DTYPES, cutoff_error

from symtrip.verify import BUDGETS

SHELLS = [(2.0, 0.1), (2.0, 2.0), (3.7, 0.5)]


@pytest.mark.parametrize("dtype", DTYPES)
@given(st.floats(0.0, 4.0), st.sampled_from(SHELLS))
@example(1.9, SHELLS[0])
@example(2.0, SHELLS[0])
@example(0.0, SHELLS[1])
def test_cutoff_is_within_its_budget(
    dtype: torch.dtype, r: float, shell: tuple[float, float]
) -> None:
    # measured 0.9 eps radius / width: rounding of r - (radius - width)
    assert cutoff_error(r, *shell, dtype) <= BUDGETS["shifted_cosine"].eps


@pytest.mark.parametrize("dtype", DTYPES)
@given(st.floats(0.0, 1.0), st.sampled_from(SHELLS))
def test_cutoff_in_the_shell_is_within_its_budget(
    dtype: torch.dtype, share: float, shell: tuple[float, float]
) -> None:
    radius, width = shell
    assert cutoff_error(radius - share * width, *shell, dtype) <= BUDGETS["shifted_cosine"].eps
