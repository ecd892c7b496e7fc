"""Materialised triplet features against copying as many bytes and against twenty lines of GEMM."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import torch
from allocations import peak_bytes
from clusters import cloud
from figures import figure
from side_by_side import Bar, Curve, in_turn
from torch import Tensor

from symtrip import (
    GaussianDensity,
    Gto,
    ShiftedCosine,
    SphericalExpansion,
    TripletFeatures,
    real_clebsch_gordan,
)
from symtrip.expansion import Density
from symtrip.triplets import triplet_paths

__all__ = ["MEASUREMENTS", "gemm_triplets"]

BYTES = 512 << 20
SIZES = ((4, 3), (7, 3), (15, 3), (30, 3), (60, 3), (7, 2), (7, 4), (7, 5), (7, 6))  # N, l_max
QUICK = ((7, 3), (30, 2))


def gemm_triplets(density: Density) -> Callable[[], Tensor]:
    """What twenty lines of PyTorch reach: density, then neighbour k, then a product with j."""
    rho, g = density.rho, density.g
    n_env, n, _, q = g[0].shape
    paths = triplet_paths(density.max_angular)
    scale = {path: (-1) ** path[2] / (2 * path[2] + 1) ** 0.5 for path in paths}
    tables = {path: real_clebsch_gordan(*path) * scale[path] for path in paths}
    out = torch.empty(len(paths), n_env, n * q, n * q * q, dtype=rho[0].dtype)
    left = [x.transpose(2, 3).reshape(n_env, n * q, -1) for x in g]

    def work() -> Tensor:
        for i, (l1, l2, big_l) in enumerate(paths):
            field = torch.einsum("abm,emq->eabq", tables[l1, l2, big_l], rho[big_l])
            half = torch.einsum("eabq,ekbp->eakpq", field, g[l2]).flatten(2)
            torch.bmm(left[l1], half, out=out[i])
        return out

    return work


def gemm_dense(density: Density, target: Tensor) -> Callable[[], Tensor]:
    """The same, then copied into the order of the dense features."""
    work = gemm_triplets(density)
    n_env, n, _, q = density.g[0].shape
    n_paths = len(triplet_paths(density.max_angular))

    def dense() -> Tensor:
        blocks = work().view(n_paths, n_env, n, q, n, q, q)
        target.view(n_env, n, n, n_paths, q, q, q).copy_(blocks.permute(1, 2, 4, 0, 3, 5, 6))
        return target

    return dense


def against_copying(quick: bool) -> Iterable[Bar | Curve]:
    """Triplets against copying."""
    worst = {"blocks": 0.0, "dense": 0.0}
    gain = {"blocks": float("inf"), "dense": float("inf")}
    filled = 0.0
    curves: dict[tuple[str, str], tuple[list[float], list[float]]] = {}
    for n, max_angular in QUICK if quick else SIZES:
        per_env = n * n * len(triplet_paths(max_angular)) * 6**3 * 8
        count = max(1, (BYTES // (8 if quick else 1)) // per_env)
        expansion = SphericalExpansion(
            cutoff=ShiftedCosine(radius=2.0, width=0.1),
            density=GaussianDensity(width=0.2),
            basis=Gto(n_radial=6, max_angular=max_angular),
            species=(5,),
        )
        with torch.no_grad():
            density = expansion(cloud(count, n))
            features = TripletFeatures(max_angular=max_angular)
            source = torch.rand(count, n, n, per_env // (8 * n * n), dtype=torch.float64)
            target = torch.empty_like(source)
            memory = features.workspace(density)
            plain, plain_dense = gemm_triplets(density), gemm_dense(density, target)
            seconds = in_turn(
                {
                    "copy": lambda t=target, s=source: t.copy_(s),
                    "fill": lambda t=target: t.fill_(1.0),
                    "blocks": lambda f=features, d=density, m=memory: f(d, out=m),
                    "dense": lambda f=features, d=density, t=target: f.dense(d, out=t),
                    "GEMM blocks": plain,
                    "GEMM dense": plain_dense,
                },
                rounds=2 if quick else 7,
            )
            agreed = plain_dense().clone().sub_(features.dense(density, out=target)).abs().max()
        assert agreed <= 1e-12 * target.abs().max()
        copy = seconds["copy"]
        if (n, max_angular) == (7, 3):
            filled = copy / seconds["fill"]
        for kind in worst:
            worst[kind] = max(worst[kind], seconds[kind] / copy)
            gain[kind] = min(gain[kind], seconds[f"GEMM {kind}"] / seconds[kind])
        varied = [("N", n)] if max_angular == 3 else []
        varied += [("l_max", max_angular)] if n == 7 else []
        for panel, x in varied:
            for kind in ("blocks", "dense", "GEMM blocks", "GEMM dense"):
                xs, ys = curves.setdefault((panel, kind), ([], []))
                xs.append(float(x))
                ys.append(seconds[kind] / copy)
    yield figure("copy_ / fill_, the same bytes", filled)
    yield figure("triplets as blocks / copy_, worst over N and l_max", worst["blocks"])
    yield figure("triplets, dense / copy_, worst over N and l_max", worst["dense"])
    yield figure("batched GEMM of 20 lines, blocks / triplets as blocks", gain["blocks"])
    yield figure("batched GEMM of 20 lines, dense / triplets, dense", gain["dense"])
    for (panel, kind), (xs, ys) in curves.items():
        order = sorted(range(len(xs)), key=xs.__getitem__)
        yield Curve("materialised", panel, kind, panel, [xs[i] for i in order],
                    "time / time of copy_", [ys[i] for i in order])  # fmt: skip


def chunked_memory(quick: bool) -> list[Bar]:  # noqa: ARG001 - quick as it is
    """Memory of chunks."""
    features = TripletFeatures(max_angular=3)
    peaks = []
    with torch.no_grad():
        for count in (100, 1000):
            density = SphericalExpansion.b8()(cloud(count, 7))
            # memory from numpy does not go through PyTorch's allocator: it is the workspace, once
            held = features.workspace(density[:20]).numel() * 8

            def chunks(density: Density = density) -> None:
                for _ in features.chunks(density, 20):
                    pass

            peaks.append(held + peak_bytes(chunks))
        few = SphericalExpansion.b8()(cloud(1, 60))
        numbers = [
            TripletFeatures(max_angular=3, symmetry=symmetry).workspace(few).numel()
            for symmetry in ("full", "reduced")
        ]
    every = 60 * 60 * 7344
    return [
        figure("triplets, chunks: peak memory of 1000 / of 100 environments", peaks[1] / peaks[0]),
        Bar("triplets, N = 60: numbers kept, full symmetry / all pairs", numbers[0] / every),
        Bar("triplets, N = 60: numbers kept, reduced / all pairs", numbers[1] / every),
    ]


MEASUREMENTS = (against_copying, chunked_memory)
