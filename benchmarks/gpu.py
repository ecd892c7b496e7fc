"""The same functions on a GPU; without one, every figure says so.

    ./run bench gpu --json benchmarks/results/gpu-NAME.json

on a machine with a GPU records the device and the versions; later runs elsewhere list the result
with its device. Written on a machine without one: nothing here has run on a GPU yet.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable

import torch
from figures import figure, gpu_needed
from side_by_side import Bar
from training import trainer

from symtrip import SphericalExpansion, TripletFeatures

__all__ = ["MEASUREMENTS"]

ROUNDS = 20


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


def on_gpu(quick: bool) -> list[Bar]:
    """Features against copying, an epoch of training in seconds."""
    if not torch.cuda.is_available():
        return gpu_needed()
    from clusters import b8

    device, dtype = torch.device("cuda"), torch.float32
    count = 200 if quick else 1000
    density = SphericalExpansion.b8()(b8(count, dtype).to(device=device))
    features = TripletFeatures(max_angular=3)
    with torch.no_grad():
        memory = features.workspace(density)
        target = torch.empty_like(memory)
        blocks = seconds_on(device, lambda: features(density, out=memory))
        copy = seconds_on(device, lambda: target.copy_(memory))
    run = trainer(350 if quick else 3500, dtype, device)
    advance = run.run()

    def epoch() -> None:
        for _ in range(run.steps_per_epoch):
            next(advance)

    seconds = seconds_on(device, epoch)
    name = torch.cuda.get_device_name(device)
    return [
        figure("GPU: triplets as blocks, part of the copy bandwidth", copy / blocks, device=name),
        figure("GPU: training epoch in seconds", seconds, device=name),
    ]


MEASUREMENTS = (on_gpu,)
