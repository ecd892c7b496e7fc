"""Modes, transformations and settings of PyTorch change no feature."""

from __future__ import annotations

import copy
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context

import pytest
import torch
from torch import Tensor, nn
from torch.autograd import forward_ad

from symtrip.correlations import DensityCorrelations, EquivariantCorrelations
from symtrip.environments import Environments
from symtrip.expansion import (
    Density,
    GaussianDensity,
    Gto,
    ShiftedCosine,
    SphericalExpansion,
    harmonics,
)
from symtrip.n_center import NCenterFeatures
from symtrip.nice import Nice
from symtrip.triplet_linear import TripletLinear
from symtrip.triplets import TripletFeatures

MAX_ANGULAR = 2
POSITIONS = torch.tensor(
    [[[0.5, 0.1, 0.2], [-0.3, 0.9, 0.4], [0.1, -0.2, 1.1]]] * 2, dtype=torch.float64
) * torch.tensor([1.0, 0.9], dtype=torch.float64).reshape(2, 1, 1)
EPS = torch.finfo(torch.float64).eps


def layer(dtype: torch.dtype) -> TripletLinear:
    made = TripletLinear(max_angular=MAX_ANGULAR, n_channels=4, out_features=3, dtype=dtype)
    made.reset_parameters(torch.Generator().manual_seed(1))
    return made


def halves(module: TripletLinear) -> Callable[[Density], Tensor]:
    return lambda density: torch.cat(module.even_and_odd(density))


def blocks(features: nn.Module) -> Callable[[Density], Tensor]:
    return lambda density: torch.cat([x.flatten() for x in features(density).values()])


MAKERS: dict[str, Callable[[torch.dtype], Callable[[Density], Tensor]]] = {
    "density": lambda _: lambda d: torch.cat([x.flatten() for x in (*d.rho, *d.g)]),
    "triplets": lambda _: lambda d: TripletFeatures(max_angular=MAX_ANGULAR)(d).dense(),
    "triplets, dense": lambda _: TripletFeatures(max_angular=MAX_ANGULAR).dense,
    "triplets, reduced": lambda _: (
        lambda d: TripletFeatures(max_angular=MAX_ANGULAR, symmetry="reduced")(d).dense()
    ),
    "triplets, summed": lambda _: (
        lambda d: TripletFeatures(max_angular=MAX_ANGULAR, symmetry="reduced")(d).bispectrum()
    ),
    "layer": layer,
    "layer, halves": lambda dtype: halves(layer(dtype)),
    "nu = 2": lambda _: DensityCorrelations(max_angular=MAX_ANGULAR, nu=2),
    "nu = 3": lambda _: DensityCorrelations(max_angular=MAX_ANGULAR, nu=3),
    "nu = 4": lambda _: DensityCorrelations(max_angular=MAX_ANGULAR, nu=4),
    "equivariants": lambda _: blocks(
        EquivariantCorrelations(max_angular=MAX_ANGULAR, nu=2, max_lambda=2)
    ),
    "three centres": lambda _: blocks(
        NCenterFeatures(max_angular=MAX_ANGULAR, n_tagged=2, nu=1, o3_lambda=1)
    ),
    "nice": lambda _: blocks(Nice(max_angular=MAX_ANGULAR, max_nu=3)),
}


def expansion() -> SphericalExpansion:
    return SphericalExpansion(
        cutoff=ShiftedCosine(radius=2.0, width=0.5),
        density=GaussianDensity(width=0.4),
        basis=Gto(n_radial=2, max_angular=MAX_ANGULAR),
        species=(1, 6),
    )


def environments(dtype: torch.dtype) -> Environments:
    return Environments.from_vectors(POSITIONS.to(dtype), (1, 6, 1), radius=2.0)


def made(name: str, dtype: torch.dtype = torch.float64) -> Callable[[Tensor], Tensor]:
    """Features as a function of positions, with tables that nothing has used before."""
    harmonics._raising.cache_clear()
    module, features, env = expansion(), MAKERS[name](dtype), environments(dtype)
    return lambda x: features(module(env.replace(vectors=x)))


def gradient(function: Callable[[Tensor], Tensor]) -> Tensor:
    x = POSITIONS.clone().requires_grad_()
    return torch.autograd.grad(function(x).sin().sum(), x)[0]


@pytest.fixture(params=MAKERS)
def name(request: pytest.FixtureRequest) -> str:
    chosen: str = request.param
    return chosen


def test_gradients_exist_after_a_first_use_in_inference_mode(name: str) -> None:
    function, want = made(name), gradient(made(name))
    harmonics._raising.cache_clear()
    with torch.inference_mode():
        values = function(POSITIONS)
    assert (gradient(function) - want).norm() <= 16 * EPS * want.norm()
    # with and without gradients products are made in different orders; measured 1 eps
    assert (values - function(POSITIONS.clone().requires_grad_())).norm() <= 8 * EPS * values.norm()


def test_the_default_device_is_not_used(name: str) -> None:
    want = made(name)(POSITIONS).detach()
    # the weights of a layer belong to the default device, as those of nn.Linear
    function = made(name)
    with torch.device("meta"):
        got = function(POSITIONS) if name.startswith("layer") else made(name)(POSITIONS)
    assert torch.equal(got, want)


def test_gradients_of_torch_func_are_those_of_autograd(name: str) -> None:
    function, want = made(name), gradient(made(name))
    harmonics._raising.cache_clear()
    got = torch.func.grad(lambda x: function(x).sin().sum())(POSITIONS)
    assert (got - want).norm() <= 16 * EPS * want.norm()
    assert torch.equal(gradient(function), want)


# PyTorch's own, when it loads the formulas
@pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated:DeprecationWarning")
@pytest.mark.parametrize("chosen", [name for name in MAKERS if not name.startswith("layer")])
def test_forward_derivatives_are_those_of_autograd(chosen: str) -> None:
    function = made(chosen)
    x = POSITIONS.clone().requires_grad_()
    values = function(x)
    weights = torch.randn(values.shape, generator=torch.Generator().manual_seed(0)).double()
    (transposed,) = torch.autograd.grad(values, x, weights)
    direction = POSITIONS.cos()
    # without a graph: tangents are there all the same
    with torch.no_grad(), forward_ad.dual_level():
        got = forward_ad.unpack_dual(function(forward_ad.make_dual(POSITIONS, direction))).tangent
    assert got is not None
    scale = transposed.norm() * direction.norm()
    assert abs((got * weights).sum() - (transposed * direction).sum()) <= 64 * EPS * scale


@pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated:DeprecationWarning")
def test_the_layer_refuses_forward_derivatives() -> None:
    with pytest.raises(NotImplementedError, match="jvp"):
        torch.func.jvp(made("layer"), (POSITIONS,), (POSITIONS,))


def test_autocast_leaves_the_precision_of_the_inputs(name: str) -> None:
    function = made(name, torch.float32)
    x = POSITIONS.float().requires_grad_()
    want = function(x)
    (want_gradient,) = torch.autograd.grad(want.sum(), x)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        got, quick = function(x), function(x.detach())
    assert got.dtype == quick.dtype == torch.float32
    assert torch.equal(got, want)
    assert (quick - want).norm() <= 8 * torch.finfo(torch.float32).eps * want.norm()
    assert torch.equal(torch.autograd.grad(got.sum(), x)[0], want_gradient)


def test_backward_passes_of_the_layer_may_run_within_autocast() -> None:
    weights, density = layer(torch.float32), expansion()(environments(torch.float32))
    g = tuple(x.clone().requires_grad_() for x in density.g)

    def derivatives() -> list[Tensor]:
        energy = weights(Density(density.rho, g, density.mask)).sin().sum()
        first = torch.autograd.grad(energy, g, create_graph=True)
        return [*first, *torch.autograd.grad(torch.cat([x.flatten() for x in first]).norm(), g)]

    want = derivatives()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        got = derivatives()
    assert all(torch.equal(x, y) for x, y in zip(got, want, strict=True))


def test_threads_of_the_caller_get_the_same_features(name: str) -> None:
    function, want = made(name), made(name)(POSITIONS).detach()
    harmonics._raising.cache_clear()
    with ThreadPoolExecutor(4) as pool:
        for got in pool.map(lambda _: function(POSITIONS).detach(), range(8)):
            assert torch.equal(got, want)


def test_copies_of_modules_are_independent_of_what_they_were_copied_from() -> None:
    first = layer(torch.float64)
    density = expansion()(environments(torch.float64))
    want = first(density).detach()
    second = copy.deepcopy(first)
    with torch.no_grad():
        first.weight.zero_()
    assert torch.equal(second(density).detach(), want)
    third = TripletLinear(max_angular=MAX_ANGULAR, n_channels=4, out_features=3)
    third.load_state_dict(second.state_dict())
    assert torch.equal(third(density).detach(), want)


def work_in_child(density: Density, want: Tensor) -> bool:
    features = TripletFeatures(max_angular=MAX_ANGULAR)
    return torch.equal(features(density).dense(), want)


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_features_are_the_same_in_a_child_process(method: str) -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        density = expansion()(environments(torch.float64))
        # the parent's threads have run before
        want = TripletFeatures(max_angular=MAX_ANGULAR)(density).dense()
    finally:
        torch.set_num_threads(before)
    with ProcessPoolExecutor(1, mp_context=get_context(method)) as pool:
        assert pool.submit(work_in_child, density, want).result(timeout=60)
