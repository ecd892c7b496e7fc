"""The fused first layer against materialised features and one matrix product.

The materialised route forms the features of a whole batch (in memory that is reused, so that
the system need not hand it out) and multiplies them by the weights: what one does without the
fused layer. Its features come from this package's own fastest function, and the batch is as large
as fits into 512 MB; times are per environment. In float32 the layer takes the faster products of
``symtrip.precision.fast_float32``, where there are any; the materialised route with those is timed
as well. "Forward + backward" means gradients with respect to the weights and to every g_j and rho.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import torch
from allocations import peak_bytes
from figures import figure
from side_by_side import Bar, Curve, in_turn
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from symtrip import TripletFeatures, TripletLinear
from symtrip.expansion import Density
from symtrip.expansion.harmonics import solid_harmonics
from symtrip.precision import fast_float32

__all__ = ["MEASUREMENTS"]

HIDDEN, CHANNELS, MAX_ANGULAR, N_FEATURES = 128, 6, 3, 7344
NEIGHBORS = (7, 15, 30, 60)
SQUARE = 1024  # size of the matrix product that is the ceiling
DTYPES = {"float64": torch.float64, "float32": torch.float32}


def random_density(
    count: int,
    neighbors: int,
    dtype: torch.dtype,
    *,
    grad: bool,
    max_angular: int = MAX_ANGULAR,
) -> Density:
    """Random radial functions times the harmonics of random directions."""
    generator = torch.Generator().manual_seed(neighbors)

    def random(*shape: int) -> Tensor:
        return torch.randn(count, neighbors, *shape, generator=generator, dtype=torch.float64)

    directions = torch.nn.functional.normalize(random(3), dim=-1)
    harmonics = solid_harmonics(directions.flatten(0, 1), max_angular)
    g = tuple((y.view(count, neighbors, -1, 1) * random(1, CHANNELS)).to(dtype) for y in harmonics)
    rho = tuple(x.sum(dim=1) for x in g)
    for x in (*g, *rho):
        x.requires_grad_(grad)
    return Density(
        rho=rho,
        g=g,
        mask=torch.ones(count, neighbors, dtype=torch.bool),
        directions=directions.to(dtype),
    )


def flops(work: Callable[[], object]) -> int:
    """Multiplications and additions in the matrix products that ``work`` really does."""

    def product(_: Sequence[int], a: Sequence[int], b: Sequence[int], **_rest: object) -> int:
        return 2 * math.prod(a) * b[-1]

    # the counter knows these only where they make a new tensor
    in_place = {torch.ops.aten.addmm_: product, torch.ops.aten.baddbmm_: product}
    with FlopCounterMode(display=False, custom_mapping=in_place) as counter:
        work()
    return int(counter.get_total_flops())


def backward(outputs: Tensor, density: Density, grad: Tensor, weight: Tensor) -> None:
    torch.autograd.grad(outputs, [*density.rho, *density.g, weight], grad[: len(outputs)])


def seconds_per_environment(neighbors: int, dtype: torch.dtype, quick: bool) -> dict[str, float]:
    """Both routes, forward and forward + backward."""
    n_fused = max(4, (50 if quick else 100) * 15 // max(neighbors, 15))
    per_env = neighbors**2 * N_FEATURES * torch.finfo(dtype).bits // 8
    n_dense = max(1, min(n_fused, (128 << 20 if quick else 512 << 20) // per_env))
    n_few = max(1, n_dense // 2)  # gradients need several times the memory
    layer = TripletLinear(
        max_angular=MAX_ANGULAR, n_channels=CHANNELS, out_features=HIDDEN, bias=False, dtype=dtype
    )
    linear = layer.to_linear()
    features = TripletFeatures(max_angular=MAX_ANGULAR)
    density = random_density(n_fused, neighbors, dtype, grad=True)
    grad = torch.randn(n_fused, neighbors, neighbors, HIDDEN, dtype=dtype)
    buffer = torch.empty(n_dense, neighbors, neighbors, N_FEATURES, dtype=dtype)
    in_cache = max(1, (8 << 20) // per_env)

    def fused() -> None:
        with torch.no_grad():
            layer(density)

    def dense(size: int) -> None:
        with torch.no_grad():
            for start in range(0, n_dense, size):
                part = density[start : min(start + size, n_dense)]
                linear(features.dense(part, out=buffer[: len(part)]))

    def dense_fast() -> None:
        with fast_float32():
            dense(n_dense)

    def ceiling() -> None:
        with fast_float32():
            torch.mm(square, square)

    def fused_gradients() -> None:
        backward(layer(density), density, grad, layer.weight)

    few = density[:n_few]
    square = torch.randn(SQUARE, SQUARE, dtype=dtype)

    def dense_gradients() -> None:
        outputs = linear(features.dense(few))
        leaves = [*few.rho, *few.g, linear.weight]
        torch.autograd.grad(outputs, leaves, grad[:n_few])

    seconds = in_turn(
        {
            "fused": fused,
            "dense": lambda: dense(n_dense),
            "dense, in the cache": lambda: dense(in_cache),
            "dense, fast products": dense_fast,
            "fused, gradients": fused_gradients,
            "dense, gradients": dense_gradients,
            "square product": ceiling,
        },
        rounds=2 if quick else 5,
    )
    counts = dict.fromkeys(("dense", "dense, in the cache", "dense, fast products"), n_dense)
    counts["dense, gradients"] = n_few
    at_ceiling = seconds.pop("square product") / (2 * SQUARE**3)
    times = {name: value / counts.get(name, n_fused) for name, value in seconds.items()}
    for name, work in (("fused", fused), ("fused, gradients", fused_gradients)):
        times[f"{name}, at the ceiling"] = at_ceiling * flops(work) / n_fused
    return times


def growth(quick: bool) -> list[Bar | Curve]:
    """Ratios of the two routes, and time per environment over N."""
    results: list[Bar | Curve] = []
    for name, dtype in DTYPES.items():
        times = {n: seconds_per_environment(n, dtype, quick) for n in NEIGHBORS}
        for n, seconds in times.items():
            suffix = f"N = {n}, {name}"
            cached = seconds["dense, in the cache"] / seconds["fused"]
            results += [
                figure(
                    f"materialise + GEMM / TripletLinear, forward, {suffix}",
                    seconds["dense"] / seconds["fused"],
                ),
                figure(
                    f"materialise + GEMM / TripletLinear, forward + backward, {suffix}",
                    seconds["dense, gradients"] / seconds["fused, gradients"],
                ),
                Bar(f"the same, forward, materialised in cache-sized chunks, {suffix}", cached),
                Bar(
                    f"the same, forward, both with fast products, {suffix}",
                    seconds["dense, fast products"] / seconds["fused"],
                ),
                Bar(
                    f"TripletLinear, part of the GEMM ceiling, forward, {suffix}",
                    seconds["fused, at the ceiling"] / seconds["fused"],
                ),
                Bar(
                    f"TripletLinear, part of the GEMM ceiling, forward + backward, {suffix}",
                    seconds["fused, gradients, at the ceiling"] / seconds["fused, gradients"],
                ),
            ]
        for route in ("fused", "dense", "fused, gradients", "dense, gradients"):
            results.append(
                Curve(
                    picture="layer",
                    panel=name,
                    label=route,
                    x_label="neighbours",
                    x=[float(n) for n in NEIGHBORS],
                    y_label="ms per environment",
                    y=[1e3 * times[n][route] for n in NEIGHBORS],
                )
            )
    return results


def memory(quick: bool) -> list[Bar]:  # noqa: ARG001 - quick as it is
    """Largest memory above inputs and outputs, forward + backward, 7 neighbours."""
    count = 100
    dtype = torch.float64
    layer = TripletLinear(
        max_angular=MAX_ANGULAR, n_channels=CHANNELS, out_features=HIDDEN, bias=False, dtype=dtype
    )
    linear = layer.to_linear()
    features = TripletFeatures(max_angular=MAX_ANGULAR)
    density = random_density(count, 7, dtype, grad=True)
    leaves = [*density.rho, *density.g]
    grad = torch.randn(count, 7, 7, HIDDEN, dtype=dtype)
    # the output and the gradients of the inputs are results, not overhead
    results = grad.nbytes + sum(x.nbytes for x in leaves) + layer.weight.nbytes

    def fused() -> object:
        outputs = layer(density)
        return outputs, torch.autograd.grad(outputs, [*leaves, layer.weight], grad)

    def dense() -> object:
        outputs = linear(features.dense(density))
        return outputs, torch.autograd.grad(outputs, [*leaves, linear.weight], grad)

    for work in (fused, dense):
        work()  # tables are made at the first use
    fused_peak, dense_peak = (peak_bytes(work) - results for work in (fused, dense))
    name = "peak memory, materialise + GEMM / TripletLinear, 100 environments"
    return [
        figure(name, dense_peak / fused_peak),
        Bar("TripletLinear: peak memory above inputs and outputs in MB", fused_peak / 1e6),
    ]


MEASUREMENTS = (memory, growth)
