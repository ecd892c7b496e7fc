"""Triplet features F_jk against their exact values, pair by pair."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from oracles import B8, DTYPES, PRODUCTS, Hyperparameters, triplet_error
from strategies import Cloud, clouds

from symtrip.degenerate import sample_b8_parameters, two_ring_pair
from symtrip.verify import BUDGETS


@pytest.mark.parametrize("hyper", PRODUCTS, ids=lambda h: h.name)
@pytest.mark.parametrize("dtype", DTYPES)
@given(data=st.data())
def test_triplet_features_are_within_their_budget(
    dtype: torch.dtype, hyper: Hyperparameters, data: st.DataObject
) -> None:
    cloud = data.draw(
        clouds(max_neighbors=4, radius=hyper.radius, width=hyper.width, species=hyper.species)
    )
    # measured 14 eps of the norm of F_jk, in the cutoff shell
    assert triplet_error(cloud, hyper, dtype) <= BUDGETS["triplet_features"].eps


@pytest.mark.parametrize("member", [0, 1])
def test_triplet_features_of_a_b8_pair_are_within_their_budget(member: int) -> None:
    r, z1, z2, psi, phi1, phi2 = sample_b8_parameters(1)[0].tolist()
    atoms = two_ring_pair(r, z1, z2, psi, [0.0, phi1, phi1 + phi2])[member]
    x, y, z = (column.tolist() for column in atoms[1:].unbind(-1))
    cloud = Cloud("b8", tuple(zip(x, y, z, strict=True)), (5,) * 7, B8.radius)
    # measured 2 eps of the norm
    assert triplet_error(cloud, B8, torch.float64) <= BUDGETS["triplet_features"].eps


@pytest.mark.parametrize("dtype", DTYPES)
@settings(max_examples=3)
@given(cloud=clouds(max_neighbors=2))
def test_triplet_features_of_the_papers_basis_are_within_their_budget(
    dtype: torch.dtype, cloud: Cloud
) -> None:
    assert triplet_error(cloud, B8, dtype) <= BUDGETS["triplet_features"].eps
