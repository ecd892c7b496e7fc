"""The refusal of bad input: one sentence, four facts."""

from __future__ import annotations

import re

import numpy as np
import pytest

from symtrip.errors import InputError, integer, require


def test_a_kept_rule_passes_silently():
    require(True, "width", "be > 0", 0.1, "raise `width`")


def test_a_broken_rule_is_reported_with_argument_rule_value_and_remedy():
    with pytest.raises(InputError) as caught:
        require(False, "width", "satisfy 0 < width <= 4.0 Å", 5.0, "lower `width`")
    assert str(caught.value) == ("`width` must satisfy 0 < width <= 4.0 Å, got 5.0; lower `width`.")


def test_an_input_error_is_a_value_error():
    assert issubclass(InputError, ValueError)


@pytest.mark.parametrize("value", [3, np.int64(3), np.uint8(3), np.array(3)])
def test_what_counts_as_an_integer_becomes_one(value: object) -> None:
    number = integer("max_angular", value, 0, "give l")
    assert number == 3
    assert type(number) is int


@pytest.mark.parametrize("value", [True, np.True_, -1, np.int8(-1), 2.0, "3", None, np.array(2.0)])
def test_what_is_no_integer_of_that_size_is_refused(value: object) -> None:
    said = re.escape(f"`max_angular` must be an integer >= 0, got {value!r}; give l.")
    with pytest.raises(InputError, match=said):
        integer("max_angular", value, 0, "give l")
