"""The fused first layer is the linear layer on dense features, with all its derivatives."""

from __future__ import annotations

import pytest
import torch
from contraction_orders import ORDERS, use_only
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from strategies import Cloud, clouds
from torch import Tensor, nn

from symtrip import memory, weighted_sum
from symtrip.environments import Environments
from symtrip.errors import InputError
from symtrip.expansion import GaussianDensity, Gto, ShiftedCosine, SphericalExpansion
from symtrip.triplet_linear import TripletLinear
from symtrip.triplets import TripletFeatures, triplet_parity

SPECIES = (1, 6)
HYPER = {"max_angular": 2, "n_channels": 4}
EXPANSION = SphericalExpansion(
    cutoff=ShiftedCosine(radius=2.0, width=0.5),
    density=GaussianDensity(width=0.3),
    basis=Gto(n_radial=2, max_angular=2),
    species=SPECIES,
)
FEATURES = TripletFeatures(max_angular=2)
N_FEATURES = 15 * 64
EPS = torch.finfo(torch.float64).eps


@pytest.fixture(params=ORDERS, autouse=True)
def _order(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """All orders of contraction, whatever the number of neighbours."""
    use_only(request.param, monkeypatch)


def random_linear(dtype: torch.dtype = torch.float64, bias: bool = True) -> nn.Linear:
    linear = nn.Linear(N_FEATURES, 5, bias=bias, dtype=dtype)
    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for parameter in linear.parameters():
            parameter.normal_(generator=generator)
    return linear


def environments(several: list[Cloud], dtype: torch.dtype = torch.float64) -> Environments:
    vectors = torch.zeros(len(several), 5, 3, dtype=dtype)
    species = torch.ones(len(several), 5, dtype=torch.int64)
    mask = torch.zeros(len(several), 5, dtype=torch.bool)
    for e, cloud in enumerate(several):
        vectors[e, : len(cloud)] = cloud.tensor(dtype)
        species[e, : len(cloud)] = torch.tensor(cloud.species, dtype=torch.int64)
        mask[e, : len(cloud)] = True
    return Environments.from_vectors(vectors, species, radius=2.0, mask=mask, isolated="keep")


BATCHES = st.lists(clouds(max_neighbors=4, species=SPECIES), min_size=1, max_size=4)
THREE = Cloud("three", ((0.5, 0.1, 0.2), (-0.3, 0.9, 0.4), (0.1, -0.2, 1.1)), (1, 6, 1), 2.0)
POLES = Cloud("poles", ((0.0, 0.0, 1.0), (0.0, 0.0, -0.5)), (1, 6), 2.0)


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@given(several=BATCHES)
@settings(max_examples=5, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_outputs_are_those_of_the_linear_layer(
    dtype: torch.dtype, bias: bool, several: list[Cloud]
) -> None:
    linear = random_linear(dtype, bias)
    layer = TripletLinear.from_linear(linear, **HYPER)
    density = EXPANSION(environments(several, dtype))
    with torch.no_grad():
        features = FEATURES.dense(density)
        got, want = layer(density), linear(features)
        scale = features.abs() @ linear.weight.abs().T
    assert got.dtype == dtype
    # both accumulate roundings of N_FEATURES products; measured 3 eps of the sum of magnitudes
    assert bool(((got - want).abs() <= 16 * torch.finfo(dtype).eps * (scale + 1.0)).all())


@given(several=BATCHES)
@settings(max_examples=5, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_even_and_odd_outputs_are_those_of_even_and_odd_features(several: list[Cloud]) -> None:
    linear = random_linear()
    layer = TripletLinear.from_linear(linear, **HYPER)
    env = environments(several)
    with torch.no_grad():
        features = FEATURES.dense(EXPANSION(env))
        odd_columns = triplet_parity(2, 4) < 0
        even, odd = layer.even_and_odd(EXPANSION(env))
        inverted = layer(EXPANSION(env.replace(vectors=-env.vectors)))
    scale = features.norm() * linear.weight.norm() + 1.0
    assert (
        odd - features[..., odd_columns] @ linear.weight.T[odd_columns]
    ).norm() <= 16 * EPS * scale
    assert (even + odd - layer(EXPANSION(env))).norm() <= 16 * EPS * scale
    assert (even - odd - inverted).norm() <= 16 * EPS * scale


def derivatives(module: nn.Module, dense: bool, several: list[Cloud]) -> list[Tensor]:
    """Gradient and second derivatives of a nonlinear function of the outputs."""
    env = environments(several)
    vectors = env.vectors.clone().requires_grad_()
    density = EXPANSION(env.replace(vectors=vectors))
    outputs = module(FEATURES(density).dense()) if dense else module(density)
    ramp = torch.arange(outputs.numel(), dtype=torch.float64).reshape(outputs.shape)
    (first,) = torch.autograd.grad(
        (outputs * (1.0 + ramp.cos())).sin().sum(), vectors, create_graph=True
    )
    weights = list(module.parameters())
    second = torch.autograd.grad(first.square().sum(), [vectors, *weights])
    turned = [x.T if x.ndim == 2 and not dense else x for x in second[1:]]
    return [first.detach(), second[0], *turned]


@pytest.mark.parametrize("several", [[THREE, POLES], [POLES]], ids=["padded", "poles"])
def test_first_and_second_derivatives_are_those_of_the_linear_layer(several: list[Cloud]) -> None:
    linear = random_linear()
    layer = TripletLinear.from_linear(linear, **HYPER)
    for got, want in zip(
        derivatives(layer, False, several), derivatives(linear, True, several), strict=True
    ):
        # measured 20 eps: sines of arguments of size 10 amplify
        assert (got - want).norm() <= 256 * EPS * want.norm()


def test_gradients_do_not_depend_on_whether_they_are_differentiated_again() -> None:
    layer = TripletLinear.from_linear(random_linear(), **HYPER)
    env = environments([THREE, POLES, Cloud("one", ((0.3, -0.2, 1e-3),), (6,), 2.0)])
    vectors = env.vectors.clone().requires_grad_()
    even, odd = layer.even_and_odd(EXPANSION(env.replace(vectors=vectors)))
    energy = (even.sin() + odd.square()).sum()
    inputs = [vectors, *layer.parameters()]
    once = torch.autograd.grad(energy, inputs, retain_graph=True)
    twice = torch.autograd.grad(energy, inputs, create_graph=True)
    for got, want in zip(once, twice, strict=True):
        # measured 4 eps
        assert (got - want).norm() <= 32 * EPS * want.norm()


@pytest.mark.parametrize("frozen", ["weights", "positions"])
def test_only_the_gradients_that_are_wanted_are_made(frozen: str) -> None:
    layer = TripletLinear.from_linear(random_linear(), **HYPER)
    density = EXPANSION(environments([THREE]))
    if frozen == "weights":
        layer.requires_grad_(False)
        env = environments([THREE])
        vectors = env.vectors.clone().requires_grad_()
        layer(EXPANSION(env.replace(vectors=vectors))).sum().backward()
        assert layer.weight.grad is None
        assert vectors.grad is not None
        assert bool(vectors.grad.any())
    else:
        layer(density).sum().backward()
        assert layer.weight.grad is not None
        assert bool(layer.weight.grad.any())


def test_the_backward_pass_does_not_depend_on_the_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    several = [THREE, POLES, THREE, THREE]

    def gradients() -> list[Tensor]:
        layer = TripletLinear.from_linear(random_linear(), **HYPER)
        env = environments(several)
        vectors = env.vectors.clone().requires_grad_()
        layer(EXPANSION(env.replace(vectors=vectors))).square().sum().backward()
        return [vectors.grad, layer.weight.grad]

    whole = gradients()
    monkeypatch.setattr(weighted_sum, "chunk_length", lambda *_: 1)
    for got, want in zip(gradients(), whole, strict=True):
        assert (got - want).norm() <= 16 * EPS * want.norm()


def test_features_are_never_built() -> None:
    """The graph of a batch holds its inputs and its outputs."""
    layer = TripletLinear(max_angular=3, n_channels=6, out_features=8)
    env = Environments.from_vectors(torch.randn(40, 7, 3, dtype=torch.float64), 5, radius=2.0)
    density = SphericalExpansion.b8()(env.replace(vectors=env.vectors.requires_grad_()))
    inputs = sum(x.nbytes for x in (*density.rho, *density.g)) + layer.weight.nbytes
    saved: dict[int, int] = {}

    def pack(x: Tensor) -> Tensor:
        saved[x.untyped_storage().data_ptr()] = x.untyped_storage().nbytes()
        return x

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda x: x):
        outputs = layer(density)
    features = 40 * 49 * 7344 * 8
    # the arranged weights are a copy of the weights
    assert sum(saved.values()) <= inputs + layer.weight.nbytes + outputs.nbytes
    assert sum(saved.values()) < features / 4


def test_layers_go_there_and_back_unchanged() -> None:
    linear = random_linear()
    again = TripletLinear.from_linear(linear, **HYPER).to_linear()
    assert torch.equal(again.weight, linear.weight)
    assert torch.equal(again.bias, linear.bias)
    assert TripletLinear.from_linear(random_linear(bias=False), **HYPER).to_linear().bias is None


def test_no_environments_give_no_outputs() -> None:
    layer = TripletLinear(**HYPER, out_features=2)
    assert layer(EXPANSION(environments([THREE])[:0])).shape == (0, 5, 5, 2)


def test_environments_without_neighbours_have_no_outputs_and_no_gradients() -> None:
    layer = TripletLinear(**HYPER, out_features=2)
    empty = Environments.from_vectors(
        torch.zeros(3, 0, 3, dtype=torch.float64), radius=2.0, isolated="keep"
    )
    outputs = layer(EXPANSION(empty))
    assert outputs.shape == (3, 0, 0, 2)
    (gradient,) = torch.autograd.grad(outputs.sum(), layer.weight)
    assert not bool(gradient.any())


def test_without_odd_paths_the_odd_output_is_zero() -> None:
    expansion = SphericalExpansion(
        cutoff=ShiftedCosine(radius=2.0, width=0.5),
        density=GaussianDensity(width=0.3),
        basis=Gto(n_radial=2, max_angular=0),
        species=SPECIES,
    )
    layer = TripletLinear(max_angular=0, n_channels=4, out_features=2)
    even, odd = layer.even_and_odd(expansion(environments([THREE])))
    assert bool(even.any())
    assert not bool(odd.any())


def test_bad_input_is_refused() -> None:
    layer = TripletLinear(**HYPER, out_features=2)
    density = EXPANSION(environments([THREE]))
    with pytest.raises(InputError, match=r"`density` must be torch\.float64 on cpu"):
        layer(EXPANSION(environments([THREE], torch.float32)))
    with pytest.raises(InputError, match="`density` must have 3 channels, got 4"):
        TripletLinear(max_angular=2, n_channels=3, out_features=2)(density)
    with pytest.raises(InputError, match="`linear` must have 960 inputs, got 7"):
        TripletLinear.from_linear(nn.Linear(7, 2), **HYPER)
    for wrong in (0, True):
        with pytest.raises(
            InputError, match=f"`out_features` must be an integer >= 1, got {wrong}"
        ):
            TripletLinear(**HYPER, out_features=wrong)
    with pytest.raises(InputError, match="`dtype` must be float32 or float64"):
        TripletLinear(**HYPER, out_features=2, dtype=torch.float16)


def test_outputs_that_cannot_fit_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    density = EXPANSION(environments([THREE] * 10))
    monkeypatch.setattr(memory, "_NEVER_CHECKED", 0)
    monkeypatch.setattr(memory, "available_memory", lambda _: 40_000)
    layer = TripletLinear(**HYPER, out_features=20)
    with pytest.raises(InputError, match=r"its outputs: they need 0\.0 MB.*pass 2 environments"):
        layer(density)
    assert len(layer(density[:2])) == 2
