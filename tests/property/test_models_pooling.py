"""The forms of triplet networks for training against the networks themselves."""

from __future__ import annotations

import copy
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.autograd import gradcheck

from symtrip.errors import InputError
from symtrip.models import (
    LatentDecoder,
    PairFeatures,
    TripletEncoder,
    TripletEnergy,
    TripletReconstruction,
)
from symtrip.models.pooling import pooled_pairs

SECTIONS = (4, 2, 3, 2)
DTYPES = [torch.float32, torch.float64]
# environments and neighbours; 400 environments are several blocks
SIZES = [(5, 4), (1, 1), (1, 0), (0, 3), (400, 7)]


def random_pairs(environments: int, n: int, *, padded: bool = False) -> PairFeatures:
    draw = torch.Generator().manual_seed(environments + n)
    total, apart = n * (n + 1) // 2, n * (n - 1) // 2
    mask = torch.rand(environments, total, generator=draw) >= (0.4 if padded else 0.0)
    return PairFeatures(
        symmetric=torch.randn(environments, total, 6, dtype=torch.float64, generator=draw),
        antisymmetric=torch.randn(environments, apart, 5, dtype=torch.float64, generator=draw),
        mask=mask,
        n_even=(4, 3),
    )


def disturb(network: nn.Module) -> None:
    """Give a network norms that scale and shift, and double precision."""
    draw = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.3 * torch.randn(parameter.shape, generator=draw))
    network.double()


def energy(**options: bool) -> TripletEnergy:
    draw = torch.Generator().manual_seed(0)
    made = TripletEnergy(SECTIONS, 16, pairs_per_environment=1, generator=draw, **options)
    disturb(made)
    return made


def reconstruction(*, skip: bool = False) -> TripletReconstruction:
    draw = torch.Generator().manual_seed(0)
    encoder = TripletEncoder(SECTIONS, 3, 16, pairs_per_environment=1, generator=draw)
    decoder = LatentDecoder(3, 4, 8, skip=skip, generator=draw)
    made = TripletReconstruction(encoder, decoder, torch.ones(4))
    disturb(made)
    return made


NETWORKS: dict[str, Callable[[], TripletEnergy | TripletReconstruction]] = {
    "energy": energy,
    "energy with inversion": lambda: energy(inversion_symmetric=True),
    "energy with a smooth cutoff": lambda: energy(smooth_cutoff=True),
    "linear energy": lambda: energy(nonlinear=False),
    "linear energy with inversion": lambda: energy(nonlinear=False, inversion_symmetric=True),
    "reconstruction": reconstruction,
    "reconstruction with a last layer that skips": lambda: reconstruction(skip=True),
}


def gradients(network: nn.Module, values: Tensor) -> list[Tensor]:
    """Those of the sum of values, to every weight."""
    parameters = list(network.parameters())
    return list(
        torch.autograd.grad(
            values.sum(), parameters, retain_graph=True, allow_unused=True, materialize_grads=True
        )
    )


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("padded", [False, True])
@pytest.mark.parametrize(("environments", "n"), SIZES)
@pytest.mark.parametrize("name", NETWORKS)
def test_values_and_gradients_are_those_of_the_network(
    name: str, environments: int, n: int, padded: bool, dtype: torch.dtype
) -> None:
    single = NETWORKS[name]().to(dtype)
    pairs = random_pairs(environments, n, padded=padded).to(dtype=dtype)
    exact = copy.deepcopy(single).double()
    want, got = exact(pairs.to(dtype=torch.float64)), single.for_training(pairs)
    assert got.dtype == dtype
    assert got.shape == want.shape
    eps = torch.finfo(dtype).eps
    # 7 eps measured, 8 eps of gradients
    scale = want.abs().max() if environments else 0.0
    assert ((got - want).abs() <= 32 * eps * scale).all()
    some = slice(None, None, 50 if environments > 50 else 1)
    size = [torch.zeros((), dtype=torch.float64) for _ in exact.parameters()]
    for value in want[some]:
        size = [s + g.norm() for s, g in zip(size, gradients(exact, value), strict=True)]
    slopes = gradients(single, got[some]), gradients(exact, want[some])
    for slope, right, scale in zip(*slopes, size, strict=True):
        assert (slope - right).norm() <= 32 * eps * scale


def test_gradients_are_those_of_finite_differences() -> None:
    network, pairs = energy(inversion_symmetric=True), random_pairs(3, 3, padded=True)
    weights = [p.detach().clone().requires_grad_() for p in network.head.parameters()][:8]
    names = [name for name, _ in network.head.named_parameters()][:8]

    def pooled(*values: Tensor) -> Tensor:
        head = copy.deepcopy(network.head)
        for name, value in zip(names, values, strict=True):
            owner, _, leaf = name.rpartition(".")
            module = head.get_submodule(owner)
            delattr(module, leaf)
            setattr(module, leaf, value)
        return pooled_pairs(pairs, head.first, head.middle, inversion=True)

    assert gradcheck(pooled, weights, eps=1e-6, atol=1e-6, rtol=1e-5)


def test_gradients_come_again_from_a_graph_that_is_kept() -> None:
    network, pairs = energy(), random_pairs(3, 4)
    value = network.for_training(pairs)
    first, second = gradients(network, value), gradients(network, value)
    assert all(torch.equal(a, b) for a, b in zip(first, second, strict=True))


def test_second_derivatives_to_weights_are_refused() -> None:
    network = energy()
    value = network.for_training(random_pairs(3, 4)).square().sum()
    slopes = torch.autograd.grad(value, network.head.first.weight, create_graph=True)
    with pytest.raises(RuntimeError, match="once_differentiable"):
        slopes[0].square().sum().backward()


@pytest.mark.parametrize("name", NETWORKS)
def test_features_that_need_gradients_get_those_of_the_network(name: str) -> None:
    network, pairs = NETWORKS[name](), random_pairs(3, 4)
    pairs.antisymmetric.requires_grad_()
    slopes = []
    for function in (network, network.for_training):
        (slope,) = torch.autograd.grad(
            function(pairs).square().sum(), pairs.antisymmetric, create_graph=True
        )
        slopes.append((slope, *gradients(network, slope.square().sum())))
    assert all(torch.equal(a, b) for a, b in zip(*slopes, strict=True))


def test_gathered_features_are_the_selected_ones() -> None:
    pairs, rows = random_pairs(6, 4, padded=True), torch.tensor([4, 0, 4])
    got, want = pairs.gathered(rows), pairs[rows]
    assert got.n_even == want.n_even
    for name in ("symmetric", "antisymmetric", "mask"):
        assert torch.equal(getattr(got, name), getattr(want, name)), name
    network = energy()
    assert torch.equal(network.for_training(got), network.for_training(want))


def test_features_with_other_sections_are_refused() -> None:
    other = TripletEnergy((3, 3, 3, 2), 16).double()
    with pytest.raises(InputError, match=r"`pairs` must have the sections \(3, 3, 3, 2\)"):
        other.for_training(random_pairs(2, 3))
