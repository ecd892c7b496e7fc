"""symtrip beside other packages, in one process of their environment.

    ./run bench --peers          (which calls this script with the Python of .peers-venv)

Every pipeline does the same work on the same input, and its numbers are compared with symtrip's
before it is timed. Packages order their features and choose signs in their own ways, so sorted
absolute values are compared, row by row.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterable
from dataclasses import asdict
from pathlib import Path

import harness
import peer_cuequivariance
import peer_e3nn
import peer_featomic
import torch
from ase import Atoms
from clusters import b8
from figures import BATCHES, figure
from materialised import gemm_triplets
from nice import step_input
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from side_by_side import Bar, Curve, in_turn
from torch import Tensor

from symtrip import B8Pairs, DensityCorrelations, Environments, SphericalExpansion, TripletFeatures
from symtrip.files import atomic_write
from symtrip.triplet_linear import TripletLinear

__all__ = ["MEASUREMENTS"]

SECONDS = 6.0
EXACT = 1e-14
SPLINE = 1e-7  # featomic's spline is off by up to 1e-8; its derivatives by more
Works = dict[str, Callable[[], object]]


def deviation(theirs: Tensor, ours: Tensor) -> float:
    """Largest difference of sorted absolute values, relative to the largest number."""
    sorted_ = [x.detach().abs().flatten(1).sort(dim=1).values for x in (theirs, ours)]
    return ((sorted_[0] - sorted_[1]).abs().max() / sorted_[1].max()).item()


def timed(works: Works, quick: bool) -> dict[str, float]:
    return in_turn(works, rounds=3, seconds=1.0 if quick else SECONDS)


def absolute(what: str, seconds: dict[str, float], count: int) -> list[Curve]:
    """Milliseconds for an environment, for the plot."""
    return [
        Curve("peers", what, name, "environments", [count], "ms / environment", [1e3 * s / count])
        for name, s in seconds.items()
    ]


def triplets(quick: bool) -> Iterable[Bar | Curve]:
    """Triplets: 49 pairs of a B8 environment."""
    features = TripletFeatures(max_angular=3)
    worst = 0.0
    for count in BATCHES:
        density = SphericalExpansion.b8()(b8(count))
        rho, g = list(density.rho), list(density.g)
        works: Works = {
            peer_e3nn.NAME: peer_e3nn.triplets(rho, g),
            peer_cuequivariance.NAME: peer_cuequivariance.triplets(rho, g),
            f"{peer_featomic.NAME} ClebschGordanProduct": peer_featomic.triplets(rho, g),
        }
        *others, featomic = works
        ours = features.dense(density).flatten(0, 2)
        for name in others:
            worst = max(worst, deviation(works[name]().flatten(0, 2), ours))
        worst = max(worst, deviation(peer_featomic.values(works[featomic](), count * 49), ours))
        memory = features.workspace(density)
        works["batched GEMM of 20 lines"] = gemm_triplets(density)
        works["symtrip, blocks"] = lambda d=density, m=memory: features(d, out=m)
        seconds = timed(works, quick)
        mine = seconds["symtrip, blocks"]
        fastest = min(seconds[name] for name in (*others, featomic))
        yield figure(f"fastest peer / triplets as blocks, batch {count}", fastest / mine)
        yield figure(
            f"featomic ClebschGordanProduct / triplets as blocks, batch {count}",
            seconds[featomic] / mine,
        )
        yield Bar(
            f"batched GEMM of 20 lines / triplets as blocks, batch {count}",
            seconds["batched GEMM of 20 lines"] / mine,
        )
        yield from absolute("triplets", seconds, count)
    yield Bar("peers' triplets agree with symtrip's, relative deviation", worst, EXACT)


def densities(quick: bool) -> Iterable[Bar | Curve]:
    """Density expansion, from positions."""
    expansion = SphericalExpansion.b8()
    worst = 0.0
    for count in BATCHES:
        positions = B8Pairs.load().positions.flatten(0, 1)[:count]
        theirs = peer_featomic.density([Atoms("B8", p.numpy()) for p in positions])
        environments = Environments.from_positions(positions, 5, radius=2.0)
        for rho, block in zip(
            expansion(environments).rho, peer_featomic.coefficients(theirs()), strict=True
        ):
            worst = max(worst, (torch.as_tensor(block) - rho).abs().max().item())
        works: Works = {
            f"{peer_featomic.NAME}, spline 1e-8": theirs,
            "symtrip": lambda e=environments: expansion(e),
            "symtrip, neighbours too": lambda p=positions: expansion(
                Environments.from_positions(p, 5, radius=2.0)
            ),
        }
        seconds = timed(works, quick)
        spline, mine, whole = seconds.values()
        yield figure(f"featomic spline / density expansion, batch {count}", spline / mine)
        yield Bar(f"featomic spline / neighbours and density, batch {count}", spline / whole)
        yield from absolute("density", seconds, count)
    yield Bar("featomic's density agrees with symtrip's, absolute deviation", worst, 1e-8)


def invariants(quick: bool) -> Iterable[Bar | Curve]:
    """Invariants nu <= 3."""
    modules = [DensityCorrelations(max_angular=3, nu=nu) for nu in (1, 2, 3)]
    worst = 0.0
    for count in BATCHES:
        density = SphericalExpansion.b8()(b8(count))
        theirs = peer_e3nn.invariants(density.rho)
        for module, values in zip(modules, theirs(), strict=True):
            worst = max(worst, deviation(values, module(density)))
        seconds = timed(
            {
                peer_e3nn.NAME: theirs,
                "symtrip": lambda d=density: [module(d) for module in modules],
            },
            quick,
        )
        e3nn, mine = seconds.values()
        yield figure(f"invariants nu <= 3 / e3nn, batch {count}", mine / e3nn)
        yield from absolute("invariants, ν ≤ 3", seconds, count)
    yield Bar("e3nn's invariants agree with symtrip's, relative deviation", worst, EXACT)


def nice_steps(quick: bool) -> Iterable[Bar | Curve]:
    """NICE step nu = 4, forming."""
    worst = 0.0
    for count in BATCHES:
        density = SphericalExpansion.b8()(b8(count))
        step, blocks, _ = step_input(count)
        works: Works = {
            peer_e3nn.NAME: peer_e3nn.nice_step(blocks, density.rho),
            peer_cuequivariance.NAME: peer_cuequivariance.nice_step(blocks, density.rho),
            f"{peer_featomic.NAME} ClebschGordanProduct": peer_featomic.nice_step(
                blocks, density.rho
            ),
        }
        *others, featomic = works
        formed = step.form(blocks, density)
        ours = torch.cat([product.flatten(1) for product in formed.values()], dim=1)
        for name in others:
            worst = max(worst, deviation(works[name](), ours))
        worst = max(worst, deviation(peer_featomic.values(works[featomic](), count), ours))
        memory = step.workspace(blocks, density)
        works["symtrip, fresh memory"] = lambda b=blocks, d=density, s=step: s.form(b, d)
        works["symtrip"] = lambda b=blocks, d=density, s=step, m=memory: s.form(b, d, out=m)
        seconds = timed(works, quick)
        best = min(seconds[name] for name in (*others, featomic))
        yield figure(
            f"best peer / NICE step nu = 4, forming, batch {count}", best / seconds["symtrip"]
        )
        yield Bar(
            f"best peer / NICE step nu = 4, forming in fresh memory, batch {count}",
            best / seconds["symtrip, fresh memory"],
        )
        yield from absolute("NICE step, ν = 4", seconds, count)
    yield Bar("peers' NICE products agree with symtrip's, relative deviation", worst, EXACT)


def gradients(quick: bool) -> Iterable[Bar | Curve]:
    """Features with gradients to the positions."""
    count = 2 if quick else 10
    positions = B8Pairs.load().positions.flatten(0, 1)[:count]
    expansion, features = SphericalExpansion.b8(), TripletFeatures(max_angular=3)
    theirs = peer_featomic.torch_features(positions)
    layer = TripletLinear(max_angular=3, n_channels=6, out_features=128)
    layer.reset_parameters(torch.Generator().manual_seed(0))
    rest = torch.nn.Sequential(
        torch.nn.SiLU(), torch.nn.Linear(128, 128), torch.nn.SiLU(), torch.nn.Linear(128, 1)
    ).double()

    def density_of(points: Tensor) -> object:
        return expansion(Environments.from_positions(points, 5, radius=2.0))

    def ours() -> Tensor:
        points = positions.clone().requires_grad_()
        features(density_of(points)).dense().square().sum().backward()
        return points.grad

    def energies_and_forces() -> Tensor:
        points = positions.clone().requires_grad_()
        energy = rest(layer(density_of(points))).sum()
        return torch.autograd.grad(energy, points)[0]

    want = ours()
    worst = ((theirs() - want).abs().max() / want.abs().max()).item()
    works: Works = {
        "featomic.torch, features": theirs,
        "symtrip, features": ours,
        "symtrip, B_NL energies and forces": energies_and_forces,
    }
    seconds = in_turn(works, rounds=1 if quick else 3)
    peer, mine, forces = seconds.values()
    yield figure("featomic.torch features + backward / B_NL energies + forces", peer / forces)
    yield Bar("featomic.torch features + backward / symtrip's", peer / mine)
    yield Bar("featomic.torch's gradients agree with symtrip's, relative deviation", worst, 1e-5)
    yield from absolute("with gradients", seconds, count)


MEASUREMENTS = (triplets, densities, invariants, nice_steps, gradients)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer rounds")
    parser.add_argument("--json", type=Path, required=True, help="result file")
    parser.add_argument("--threads", type=int, default=harness.THREADS, help="threads of PyTorch")
    parser.add_argument("--only", help="name of one measurement")
    arguments = parser.parse_args()
    chosen = [m for m in MEASUREMENTS if arguments.only in (None, m.__name__)]
    found: list[Bar | Curve] = []
    columns = (TextColumn("peers: {task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task("", total=len(chosen))
        for measurement in chosen:
            progress.update(task, description=str(measurement.__doc__).splitlines()[0])
            with torch.set_grad_enabled(measurement is gradients):
                found += harness.run(measurement, arguments.quick, arguments.threads)
            progress.advance(task)
    content = {
        "bars": [asdict(x) for x in found if isinstance(x, Bar)],
        "curves": [asdict(x) for x in found if isinstance(x, Curve)],
    }
    with atomic_write(arguments.json) as temporary:
        temporary.write_text(json.dumps(content), encoding="utf-8")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
