"""The same functions on a GPU; without one, every figure says so.

    ./run bench gpu --json benchmarks/results/gpu-NAME.json

on a machine with a GPU records the device and the versions; later runs elsewhere list the result
with its device.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable

import torch
from figures import figure, gpu_needed
from forces import b_nl
from layer import CHANNELS, HIDDEN, MAX_ANGULAR, N_FEATURES, flops, random_density
from side_by_side import Bar
from training import trainer

from symtrip import B8Pairs, Environments, SphericalExpansion, TripletFeatures, TripletLinear
from symtrip.expansion import Density
from symtrip.models import FusedTripletModel

__all__ = ["MEASUREMENTS"]

ROUNDS = 20
DTYPES = {"float32": torch.float32, "float64": torch.float64}
ENVIRONMENTS = {7: 1000, 15: 400, 30: 100, 60: 25}
"""N -> environments whose materialised features are 1 to 3 GB."""


def seconds_on(device: torch.device, work: Callable[[], object]) -> float:
    """Median time of ``work`` between two events on the device, after warming up."""
    times = []
    for round_ in range(ROUNDS + 3):
        start, stop = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        start.record()
        work()
        stop.record()
        torch.cuda.synchronize(device)
        if round_ >= 3:
            times.append(1e-3 * start.elapsed_time(stop))
    return statistics.median(times)


def moved(density: Density, device: torch.device) -> Density:
    return Density(
        rho=tuple(x.to(device) for x in density.rho),
        g=tuple(x.to(device) for x in density.g),
        mask=density.mask.to(device),
        directions=None if density.directions is None else density.directions.to(device),
    )


def features_on_gpu(quick: bool) -> list[Bar]:
    """Features against copying the same bytes."""
    if not torch.cuda.is_available():
        return gpu_needed()
    from clusters import b8

    device = torch.device("cuda")
    name = torch.cuda.get_device_name(device)
    count = 200 if quick else 1000
    features = TripletFeatures(max_angular=3)
    bars = []
    for label, dtype in DTYPES.items():
        density = SphericalExpansion.b8()(b8(count, dtype).to(device=device))
        with torch.no_grad():
            memory = features.workspace(density)
            target = torch.empty_like(memory)
            blocks = seconds_on(device, lambda: features(density, out=memory))  # noqa: B023
            copy = seconds_on(device, lambda: target.copy_(memory))  # noqa: B023
            dense_memory = features.dense(density)
            target = torch.empty_like(dense_memory)
            dense = seconds_on(device, lambda: features.dense(density, out=dense_memory))  # noqa: B023
            dense_copy = seconds_on(device, lambda: target.copy_(dense_memory))  # noqa: B023
        if dtype == torch.float32:
            bars.append(
                figure(
                    "GPU: triplets as blocks, part of the copy bandwidth",
                    copy / blocks,
                    device=name,
                )
            )
        else:
            bars.append(Bar(f"GPU: the same, {label}", copy / blocks, device=name))
        bandwidth = 2e-12 * target.nbytes / dense_copy
        bars += [
            Bar(f"GPU: triplets, dense, part of the copy bandwidth, {label}", dense_copy / dense,
                device=name),
            Bar(f"GPU: copying, read and written, in TB/s, {label}", bandwidth, device=name),
        ]  # fmt: skip
    return bars


def layer_on_gpu(quick: bool) -> list[Bar]:
    """The fused layer against materialised features and one matrix product."""
    if not torch.cuda.is_available():
        return []
    device = torch.device("cuda")
    name = torch.cuda.get_device_name(device)
    bars = []
    for label, dtype in DTYPES.items():
        square = torch.randn(4096, 4096, dtype=dtype, device=device)
        ceiling = 2 * 4096**3 / seconds_on(device, lambda: square @ square)  # noqa: B023
        bars.append(Bar(f"GPU: matrix product in Tflop/s, {label}", ceiling / 1e12, device=name))
        layer = TripletLinear(
            max_angular=MAX_ANGULAR,
            n_channels=CHANNELS,
            out_features=HIDDEN,
            bias=False,
            dtype=dtype,
            device=device,
        )
        linear = layer.to_linear()
        features = TripletFeatures(max_angular=MAX_ANGULAR)
        for n, count in ENVIRONMENTS.items():
            size = max(1, count // 4) if quick else count
            density = moved(random_density(size, n, dtype, grad=False), device)
            with torch.no_grad():
                fused = seconds_on(device, lambda: layer(density))  # noqa: B023
                memory = torch.empty(size, n, n, N_FEATURES, dtype=dtype, device=device)
                dense = seconds_on(
                    device,
                    lambda: linear(features.dense(density, out=memory)),  # noqa: B023
                )
                part = flops(lambda: layer(density)) / fused / ceiling  # noqa: B023
            title = f"GPU: materialise + GEMM / TripletLinear, forward, N = {n}, {label}"
            bars.append(Bar(title, dense / fused, device=name))
            title = "GPU: TripletLinear, part of the GEMM ceiling"
            if (n, label) == (7, "float32"):
                bars.append(figure(title, part, device=name))
            bars.append(Bar(f"{title}, N = {n}, {label}", part, device=name))
    return bars


def training_on_gpu(quick: bool) -> list[Bar]:
    """An epoch of training in seconds."""
    if not torch.cuda.is_available():
        return []
    device = torch.device("cuda")
    name = torch.cuda.get_device_name(device)
    run = trainer(350 if quick else 3500, torch.float32, device)
    advance = run.run()

    def epoch() -> None:
        for _ in range(run.steps_per_epoch):
            next(advance)

    return [figure("GPU: training epoch in seconds", seconds_on(device, epoch), device=name)]


def forces_on_gpu(quick: bool) -> list[Bar]:
    """Energies and forces of B_NL."""
    if not torch.cuda.is_available():
        return []
    device = torch.device("cuda")
    name = torch.cuda.get_device_name(device)
    model = b_nl(24)
    bars = []
    for batch in (100,) if quick else (100, 4000):
        positions = B8Pairs.load().positions.flatten(0, 1)[:batch]
        for label, dtype in DTYPES.items():
            fused = FusedTripletModel(model.to(device, dtype), dtype=dtype)
            points = positions.to(device, dtype).requires_grad_()

            def forces(model: FusedTripletModel = fused, points: torch.Tensor = points) -> None:
                environments = Environments.from_positions(points, 5, radius=2.0)
                torch.autograd.grad(model(environments).sum(), points)

            value = 1e3 * seconds_on(device, forces) / batch
            title = f"GPU: energies and forces of B_NL, batch {batch}, {label}: ms an environment"
            bars.append(Bar(title, value, device=name))
    return bars


MEASUREMENTS = (features_on_gpu, layer_on_gpu, training_on_gpu, forces_on_gpu)
