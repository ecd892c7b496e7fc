"""First and second derivatives of every feature, against finite differences, where it is hard."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor
from torch.autograd import gradcheck, gradgradcheck

from symtrip.correlations import DensityCorrelations, EquivariantCorrelations
from symtrip.environments import Environments
from symtrip.expansion import (
    Basis,
    DeltaDensity,
    Density,
    GaussianDensity,
    Gto,
    LaplacianEigenstates,
    Monomials,
    ShiftedCosine,
    SphericalExpansion,
)
from symtrip.n_center import NCenterFeatures
from symtrip.triplet_linear import TripletLinear
from symtrip.triplets import TripletFeatures
from symtrip.weighted import Order

MAX_ANGULAR, N_RADIAL, SPECIES = 2, 2, (1, 6)
CONFIGURATIONS = {
    "generic": [[0.5, 0.1, 0.2], [-0.3, 0.9, 0.4]],
    "poles": [[0.0, 0.0, 1.0], [0.0, 0.0, -0.7]],
    "collinear": [[0.3, 0.6, -0.2], [-0.6, -1.2, 0.4]],
    "coincident directions": [[0.3, 0.6, -0.2], [0.6, 1.2, -0.4]],
    "near the centre": [[1e-3, -2e-3, 1e-3], [0.4, 0.5, 0.6]],
    "cutoff shell": [[1.8, 0.1, 0.0], [0.0, 0.3, -1.7]],
}


def expansion(basis: type, density: GaussianDensity | DeltaDensity) -> SphericalExpansion:
    chosen: Basis = basis(n_radial=N_RADIAL, max_angular=MAX_ANGULAR)
    return SphericalExpansion(
        cutoff=ShiftedCosine(radius=2.0, width=0.5), density=density, basis=chosen, species=SPECIES
    )


GAUSSIAN = expansion(Gto, GaussianDensity(width=0.4))
EXPANSIONS = {
    "gto": GAUSSIAN,
    "laplacian": expansion(LaplacianEigenstates, GaussianDensity(width=0.4)),
    "laplacian, points": expansion(LaplacianEigenstates, DeltaDensity()),
    "monomials": expansion(Monomials, GaussianDensity(width=0.4)),
    "monomials, points": expansion(Monomials, DeltaDensity()),
    "gto, points": expansion(Gto, DeltaDensity()),
}


def layer(order: str) -> TripletLinear:
    """A layer that contracts in one order, whatever the number of neighbours."""
    made = TripletLinear(max_angular=MAX_ANGULAR, n_channels=4, out_features=2)
    made.reset_parameters(torch.Generator().manual_seed(1))
    orders = made._every.orders

    def fastest(_: int, *, directed: bool, gradients: bool) -> Order:  # noqa: ARG001
        # second derivatives are taken without directions
        return getattr(orders, order if directed else "neighbor_first")

    orders.fastest = fastest
    return made.requires_grad_(False)


FULL = TripletFeatures(max_angular=MAX_ANGULAR)
REDUCED = TripletFeatures(max_angular=MAX_ANGULAR, symmetry="reduced")
EQUIVARIANTS = EquivariantCorrelations(max_angular=MAX_ANGULAR, nu=2, max_lambda=2)
THREE_CENTRE = NCenterFeatures(max_angular=MAX_ANGULAR, n_tagged=2, nu=1, o3_lambda=1)
FEATURES: dict[str, Callable[[Density], Tensor]] = {
    "density": lambda d: torch.cat([x.flatten() for x in (*d.rho, *d.g)]),
    "triplets": lambda d: FULL(d).dense(),
    "triplets, dense": FULL.dense,
    "triplets, reduced": lambda d: REDUCED(d).dense(),
    "layer, neighbour first": layer("neighbor_first"),
    "layer, weights first": layer("weights_first"),
    "layer, local frame": layer("local_frame"),
    "nu = 2": DensityCorrelations(max_angular=MAX_ANGULAR, nu=2),
    "nu = 3": DensityCorrelations(max_angular=MAX_ANGULAR, nu=3),
    "nu = 4": DensityCorrelations(max_angular=MAX_ANGULAR, nu=4),
    "equivariants": lambda d: torch.cat([x.flatten() for x in EQUIVARIANTS(d).values()]),
    "three centres": lambda d: torch.cat([x.flatten() for x in THREE_CENTRE(d).values()]),
}


def projected(
    module: SphericalExpansion, feature: Callable[[Density], Tensor], positions: Tensor
) -> Callable[[Tensor], Tensor]:
    """Two random combinations of the features, scaled to order one, as functions of positions."""
    env = Environments.from_vectors(
        torch.cat([positions, torch.zeros(1, 3, dtype=positions.dtype)])[None],
        (*SPECIES, 1),
        radius=2.0,
        mask=torch.tensor([[True, True, False]]),
    )
    with torch.no_grad():
        values = feature(module(env)).flatten()
    generator = torch.Generator().manual_seed(0)
    weights = torch.randn(2, len(values), generator=generator, dtype=torch.float64)
    weights /= values.abs().max() * len(values) ** 0.5

    def function(x: Tensor) -> Tensor:
        vectors = torch.cat([x, torch.zeros_like(x[:1])])[None]
        return weights @ feature(module(env.replace(vectors=vectors))).flatten()

    return function


def check(function: Callable[[Tensor], Tensor], positions: Tensor) -> None:
    x = positions.clone().requires_grad_()
    # central differences of step 1e-6 are good to 1e-9 of second derivatives of order 1e2
    assert gradcheck(function, (x,), eps=1e-6, atol=1e-6, rtol=1e-5)
    assert gradgradcheck(function, (x,), eps=1e-6, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("configuration", CONFIGURATIONS)
@pytest.mark.parametrize("name", FEATURES)
def test_derivatives_of_features_are_those_of_their_values(name: str, configuration: str) -> None:
    positions = torch.tensor(CONFIGURATIONS[configuration], dtype=torch.float64)
    check(projected(GAUSSIAN, FEATURES[name], positions), positions)


# point densities in GTOs depend on the direction as r -> 0, where derivatives grow without bound
@pytest.mark.parametrize(
    ("name", "configuration"),
    [
        (name, configuration)
        for name in EXPANSIONS
        for configuration in CONFIGURATIONS
        if (name, configuration) != ("gto, points", "near the centre")
    ],
)
def test_derivatives_of_every_basis_are_those_of_its_values(name: str, configuration: str) -> None:
    positions = torch.tensor(CONFIGURATIONS[configuration], dtype=torch.float64)
    check(projected(EXPANSIONS[name], FEATURES["density"], positions), positions)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("name", EXPANSIONS)
def test_gradients_of_padding_are_finite_and_zero(name: str, dtype: torch.dtype) -> None:
    env = Environments.from_vectors(
        torch.tensor([[[0.5, 0.1, 0.2], [0.0, 0.0, 0.0]]] * 2, dtype=dtype),
        1,
        radius=2.0,
        mask=torch.tensor([[True, False], [False, False]]),
        isolated="keep",
    )
    vectors = env.vectors.clone().requires_grad_()
    features = FULL(EXPANSIONS[name](env.replace(vectors=vectors))).dense()
    (gradient,) = torch.autograd.grad(features.square().sum(), vectors)
    assert bool(gradient[env.mask].any())
    assert bool((gradient[~env.mask] == 0).all())


def test_weights_of_the_layer_pass_gradcheck() -> None:
    made = TripletLinear(max_angular=1, n_channels=2, out_features=1, bias=False)
    module = SphericalExpansion(
        cutoff=ShiftedCosine(radius=2.0, width=0.5),
        density=GaussianDensity(width=0.4),
        basis=Gto(n_radial=2, max_angular=1),
        species=(1,),
    )
    positions = torch.tensor(CONFIGURATIONS["generic"], dtype=torch.float64)
    env = Environments.from_vectors(positions, 1, radius=2.0)

    def outputs(x: Tensor, weight: Tensor) -> Tensor:
        density = module(env.replace(vectors=x[None]))
        result: Tensor = torch.func.functional_call(made, {"weight": weight}, (density,))
        return result.flatten()

    x = positions.clone().requires_grad_()
    weight = torch.linspace(-1.0, 1.0, made.weight.numel(), dtype=torch.float64)
    weight = weight.reshape(made.weight.shape).requires_grad_()
    assert gradcheck(outputs, (x, weight), eps=1e-6, atol=1e-6, rtol=1e-5)
    assert gradgradcheck(outputs, (x, weight), eps=1e-6, atol=1e-5, rtol=1e-4)
