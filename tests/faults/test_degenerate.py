"""Bad input to the degenerate pairs: one clear error each."""

from __future__ import annotations

import math

import pytest
import torch

from symtrip.degenerate import (
    Family,
    b8_pair,
    distance_to_exceptional_set,
    families,
    family,
    sample_b8_parameters,
    two_ring_numbers,
    two_ring_pair,
)
from symtrip.degenerate.formulas import evaluate
from symtrip.errors import InputError


@pytest.mark.parametrize("bad", [math.nan, math.inf])
@pytest.mark.parametrize("name", ["r", "z1", "z2", "psi", "angles"])
def test_a_value_that_is_not_finite_is_named(name, bad):
    arguments = {"r": 1.0, "z1": 0.5, "z2": 1.5, "psi": 0.1, "angles": [0.0, 1.0, 2.5]}
    arguments[name] = [0.0, bad, 1.0] if name == "angles" else bad
    with pytest.raises(InputError, match=f"`{name}` must be finite"):
        two_ring_pair(**arguments)


def test_a_ring_without_atoms_is_refused():
    with pytest.raises(InputError, match="at least one ring atom"):
        two_ring_pair(1.0, 0.5, 1.5, 0.1, [])


def test_shapes_that_do_not_broadcast_are_refused():
    with pytest.raises(InputError, match=r"broadcast, got \[\(2,\)"):
        two_ring_pair(torch.ones(2), 0.5, 1.5, 0.1, torch.ones(3, 3))


def test_integer_tensors_are_refused():
    with pytest.raises(InputError, match="floating dtype"):
        two_ring_pair(torch.tensor(1), 0.5, 1.5, 0.1, [0.0, 1.0])


@pytest.mark.parametrize(("argument", "value"), [("n", 0), ("center", 0), ("apex", 119)])
def test_impossible_atoms_are_refused(argument, value):
    with pytest.raises(InputError, match=f"`{argument}` must be"):
        two_ring_numbers(**{"n": 3, argument: value})


def test_an_unknown_group_is_refused():
    with pytest.raises(InputError, match='`group` must be "O3" or "SO3"'):
        distance_to_exceptional_set(1.0, 0.5, 1.5, 0.1, [0.0, 1.0], group="O(3)")


def test_b8_parameters_need_six_columns():
    with pytest.raises(InputError, match="six columns"):
        b8_pair(torch.ones(4, 5))


@pytest.mark.parametrize(("argument", "value"), [("n_pairs", -1), ("seed", -1), ("seed", 2**32)])
def test_impossible_samples_are_refused(argument, value):
    with pytest.raises(InputError, match=f"`{argument}` must"):
        sample_b8_parameters(**{"n_pairs": 1, argument: value})


def test_an_unknown_family_names_similar_ones():
    with pytest.raises(InputError, match="did you mean nu3_paper_B8_family"):
        family("nu3_paper_B9_family")


@pytest.mark.parametrize(
    ("parameters", "rule"),
    [
        (torch.ones(5), "floating tensor"),
        (torch.ones(6, dtype=torch.int64), "floating tensor"),
        (torch.full((6,), math.nan), "finite"),
        (torch.tensor([1.0, 1.0, 1.0, 0.9, 0.9, -0.9]), "with 1 - g12"),
    ],
)
def test_parameters_outside_a_family_are_refused(parameters, rule):
    with pytest.raises(InputError, match=rule):
        family("dGNN_gram_sign_generic_6").members(parameters)


def test_an_unknown_parameter_is_refused():
    with pytest.raises(InputError, match=r"name parameters of line_homometric_6, got \['w'\]"):
        family("line_homometric_6").vector({"w": 1.0})


def test_a_family_without_a_merge_point_says_so():
    with pytest.raises(InputError, match="have a merge point, got line_homometric_6"):
        family("line_homometric_6").merge_path(0.5)


def test_the_merge_path_ends_at_one():
    with pytest.raises(InputError, match=r"`t` must lie in \[0, 1\], got 1.5"):
        family("nu3_paper_B8_family").merge_path(1.5)


def test_a_negative_number_of_members_is_refused():
    with pytest.raises(InputError, match="`n` must be at least 0, got -1"):
        family("nu3_paper_B8_family").sample(-1)


def test_ranges_without_an_acceptable_member_end_in_an_error():
    entry = {
        "id": "own",
        "kind": "global",
        "title": "two points",
        "source": "this test",
        "claims": ["nothing"],
        "equal": {
            "nu_so3": None,
            "nu_o3": None,
            "congruent": None,
            "distances": True,
            "pdd": True,
            "wl1": True,
            "patterson": None,
        },
        "parameters": [{"name": "x", "default": "1", "low": "1/9", "high": "1/8", "unit": "Å"}],
        "definitions": [],
        "domain": [],
        "center": None,
        "species": ["H", "H"],
        "plus": [["0", "0", "0"], ["x", "0", "0"]],
        "minus": [["0", "0", "0"], ["x", "0", "0"]],
        "bonds": [],
        "cell": None,
        "exceptional": {"description": "", "formula": "x", "complete": False, "group": "O3"},
        "merge": None,
    }
    with pytest.raises(InputError, match="hold acceptable members of own"):
        Family.from_entry(entry, {"H": 1}).sample(1)


def test_more_than_one_pair_is_not_one_pair_of_atoms_objects():
    chosen = families()[0]
    with pytest.raises(InputError, match="describe one pair"):
        chosen.to_atoms(chosen.sample(2))


@pytest.mark.parametrize(
    "formula",
    [
        "x",
        "__import__('os')",
        "().__class__",
        "sin(1)",
        "2**0.5",
        "2**a",
        "b",
        "a if a else a",
        "lambda: 1",
        "[1]",
        "1.5",
        "True",
        "sqrt(-1)",
        "1/0",
        "1 +",
        "9**999999",
        "1" * 1001,
        "-" * 900 + "1",
        "sqrt(a, a)",
    ],
)
def test_formulas_can_do_nothing_but_arithmetic(formula):
    with pytest.raises(InputError, match="`formula` must"):
        evaluate(formula, {"a": 2.0})
