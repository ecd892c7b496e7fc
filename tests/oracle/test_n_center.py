"""Features of any number of tagged neighbours, and equivariants, against their exact values."""

from __future__ import annotations

import math

import pytest
import symtrip_reference as reference
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from oracles import DTYPES, PRODUCTS, SMALL, Hyperparameters
from oracles_features import equivariant_error, n_center_error
from strategies import Cloud, clouds

from symtrip.correlations import DensityCorrelations
from symtrip.n_center import NCenterFeatures, n_center_paths
from symtrip.triplets import TripletFeatures
from symtrip.verify import BUDGETS

POINTS = PRODUCTS[-1]
THREE = Cloud("three", ((0.5, 0.1, 0.2), (-0.3, 0.9, 0.4), (0.1, -0.2, 1.1)), (5, 6, 5), 2.0)
# odd lambda almost cancel
OPPOSITE = Cloud("poles", ((0.0, 0.0, 1.3), (0.0, 0.0, math.nextafter(-1.3, 0))), (5, 5), 2.0)


@pytest.mark.parametrize("order", [1, 2, 3, 4])
@pytest.mark.parametrize("o3_lambda", [0, 1, 2])
def test_paths_are_those_of_the_reference(order: int, o3_lambda: int) -> None:
    want = reference.coupling_paths(order, 2, o3_lambda=o3_lambda)
    assert n_center_paths(order, 2, o3_lambda=o3_lambda) == want


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    ("n_tagged", "nu", "o3_lambda", "max_intermediate"),
    [
        (0, 1, 2, None),
        (1, 0, 1, None),
        (1, 1, 1, None),
        (2, 1, 0, None),
        (2, 1, 1, 3),
        (3, 1, 0, 1),
    ],
)
@given(data=st.data())
@settings(max_examples=4)
def test_features_are_within_their_budget(
    dtype: torch.dtype,
    n_tagged: int,
    nu: int,
    o3_lambda: int,
    max_intermediate: int | None,
    data: st.DataObject,
) -> None:
    cloud = data.draw(clouds(max_neighbors=3, species=SMALL.species))
    tagged = data.draw(st.lists(st.integers(0, 11), min_size=n_tagged, max_size=n_tagged))
    error = n_center_error(cloud, SMALL, tagged, nu, o3_lambda, max_intermediate, dtype)
    # measured 16 eps of the norm
    assert error <= BUDGETS["n_center_features"].eps


@pytest.mark.parametrize("nu", [1, 2, 3])
@pytest.mark.parametrize("dtype", DTYPES)
@given(clouds(max_neighbors=3, radius=POINTS.radius, width=POINTS.width))
@settings(max_examples=4)
@example(cloud=OPPOSITE)
def test_equivariant_correlations_are_within_their_budget(
    dtype: torch.dtype, nu: int, cloud: Cloud
) -> None:
    hyper = Hyperparameters("points, l <= 2", POINTS.basis, 2, 2, smearing=None, width=POINTS.width)
    # measured 16 eps of the norm
    assert equivariant_error(cloud, hyper, nu, dtype) <= BUDGETS["equivariant_correlations"].eps


def test_two_tagged_neighbours_and_one_density_are_the_triplet_features() -> None:
    density = SMALL.fast()(THREE.environments(torch.float64))
    blocks = TripletFeatures(max_angular=2)(density).blocks
    got = NCenterFeatures(max_angular=2, n_tagged=2, nu=1)(density)
    for (l1, l2, big_l), block in blocks.items():
        # both accumulate at most 25 products per number
        difference = got[l1, l2, big_l, big_l, 0].flatten(1) - block.flatten(1)
        assert difference.norm() <= 8 * torch.finfo(torch.float64).eps * block.norm()


def test_summing_over_a_tagged_index_demotes_it_to_a_neighbour() -> None:
    density = SMALL.fast()(THREE.environments(torch.float64))
    got = NCenterFeatures(max_angular=2, n_tagged=2, nu=1)(density)
    summed = torch.cat([block.sum(dim=1).flatten(1) for block in got.values()], dim=1)
    want = DensityCorrelations(max_angular=2, nu=3)(density)
    assert (summed - want).norm() <= 16 * torch.finfo(torch.float64).eps * want.norm()
