"""Densities made by hand are refused unless they fit together."""

from __future__ import annotations

import inspect
from collections.abc import Callable

import pytest
import torch

from symtrip.correlations import DensityCorrelations, EquivariantCorrelations
from symtrip.environments import Environments
from symtrip.errors import InputError
from symtrip.expansion import Density, SphericalExpansion
from symtrip.n_center import NCenterFeatures
from symtrip.nice import Nice
from symtrip.triplet_linear import TripletLinear
from symtrip.triplets import TripletFeatures

PAIR = torch.tensor([[1.0, 0.0, 0.0], [0.0, 1.2, 0.0]], dtype=torch.float64)
DENSITY = SphericalExpansion.b8()(Environments.from_vectors(PAIR, 5, radius=2.0))
USERS = (
    TripletFeatures(max_angular=3),
    TripletFeatures(max_angular=3).dense,
    TripletFeatures(max_angular=3, symmetry="reduced"),
    TripletLinear(max_angular=3, n_channels=6, out_features=1),
    DensityCorrelations(max_angular=3, nu=3),
    EquivariantCorrelations(max_angular=3, nu=2, max_lambda=1),
    NCenterFeatures(max_angular=3, n_tagged=1, nu=1),
    Nice(max_angular=3, max_nu=3),
)


@pytest.mark.parametrize("use", USERS, ids=lambda use: getattr(use, "__name__", type(use).__name__))
def test_densities_that_do_not_fit_together_are_refused(use: Callable[[Density], object]) -> None:
    rho, g, mask = DENSITY.rho, DENSITY.g, DENSITY.mask
    half = Density(tuple(x.half() for x in rho), tuple(x.half() for x in g), mask)
    with pytest.raises(InputError, match="`density` must be float32 or float64"):
        use(half)
    with pytest.raises(InputError, match="`density` must have one dtype and one device"):
        use(Density((rho[0].float(), *rho[1:]), g, mask))
    for density in (
        Density(rho, tuple(x[:, :1] for x in g), mask),  # one neighbour, two in the mask
        Density(tuple(x[..., :3] for x in rho), g, mask),  # other channels
        Density(tuple(x.repeat(2, 1, 1) for x in rho), g, mask),  # other environments
        Density(rho, g, mask[0]),
        Density(rho, g[:2], mask),
    ):
        with pytest.raises(InputError, match="`density` must hold for each l rho of shape"):
            use(density)


def test_one_environment_of_a_density_is_selected_with_a_slice() -> None:
    select = inspect.unwrap(Density.__getitem__)  # without the type checks of this test suite
    for index in (0, torch.tensor(0), torch.tensor([[0, 1]])):
        with pytest.raises(InputError, match=r"`index` must be a slice or a tensor .*\[3:4\]"):
            select(DENSITY, index)
    assert len(DENSITY[:1]) == 1


@pytest.mark.parametrize("tagged", [[[0.0]], [[True]], [[2]], [[-1]], [0], [[0, 0]]])
def test_tagged_neighbours_are_named_by_integers(tagged: list[object]) -> None:
    features = NCenterFeatures(max_angular=3, n_tagged=1, nu=1)
    forward = inspect.unwrap(NCenterFeatures.forward)  # without the type checks of this test suite
    with pytest.raises(InputError, match=r"`tagged` must hold 1 integers 0 .. 1 per row"):
        forward(features, DENSITY, torch.tensor(tagged))


def test_three_centres_without_neighbours_have_empty_features() -> None:
    empty = Environments.from_vectors(
        torch.zeros(2, 0, 3, dtype=torch.float64), radius=2.0, isolated="keep"
    )
    density = SphericalExpansion.b8()(empty)
    for n_tagged in (1, 2):
        features = NCenterFeatures(max_angular=3, n_tagged=n_tagged, nu=1)(density)
        assert {x.shape[:2] for x in features.values()} == {(2, 0)}
