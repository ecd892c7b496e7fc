"""The refusal of bad input: one sentence, four facts."""

from __future__ import annotations

import pytest

from symtrip.errors import InputError, require


def test_a_kept_rule_passes_silently():
    require(True, "width", "be > 0", 0.1, "raise `width`")


def test_a_broken_rule_is_reported_with_argument_rule_value_and_remedy():
    with pytest.raises(InputError) as caught:
        require(False, "width", "satisfy 0 < width <= 4.0 Å", 5.0, "lower `width`")
    assert str(caught.value) == ("`width` must satisfy 0 < width <= 4.0 Å, got 5.0; lower `width`.")


def test_an_input_error_is_a_value_error():
    assert issubclass(InputError, ValueError)
