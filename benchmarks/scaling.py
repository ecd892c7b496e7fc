"""How time and memory grow with N, l_max, n_radial, batch and threads."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import torch
from allocations import peak_bytes
from clusters import b8, cloud
from side_by_side import Bar, Curve, in_turn

from symtrip import (
    DensityCorrelations,
    Environments,
    GaussianDensity,
    Gto,
    ShiftedCosine,
    SphericalExpansion,
    TripletFeatures,
    TripletLinear,
)

__all__ = ["MEASUREMENTS"]

HIDDEN = 128
Works = dict[str, Callable[[], object]]


def expansion_of(n_radial: int, max_angular: int) -> SphericalExpansion:
    """The paper's expansion with another basis."""
    return SphericalExpansion(
        cutoff=ShiftedCosine(radius=2.0, width=0.1),
        density=GaussianDensity(width=0.2),
        basis=Gto(n_radial=n_radial, max_angular=max_angular),
        species=(5,),
    )


def works_of(environments: Environments, n_radial: int, max_angular: int) -> Works:
    """The four kinds of work on one batch."""
    expansion = expansion_of(n_radial, max_angular)
    density = expansion(environments)
    features = TripletFeatures(max_angular=max_angular)
    invariants = DensityCorrelations(max_angular=max_angular, nu=3)
    layer = TripletLinear(max_angular=max_angular, n_channels=n_radial, out_features=HIDDEN)
    memory = features.workspace(density)
    return {
        "density expansion": lambda: expansion(environments),
        "invariants, ν = 3": lambda: invariants(density),
        "triplets as blocks": lambda: features(density, out=memory),
        f"TripletLinear, {HIDDEN} outputs": lambda: layer(density),
    }


def growth(
    panel: str, x_label: str, batches: dict[int, tuple[Environments, int, int]], quick: bool
) -> list[Curve]:
    """Milliseconds for an environment against one size; x -> (batch, n_radial, max_angular)."""
    found: dict[str, list[float]] = {}
    for environments, n_radial, max_angular in batches.values():
        with torch.no_grad():
            works = works_of(environments, n_radial, max_angular)
            seconds = in_turn(works, rounds=2 if quick else 5)
        for name, value in seconds.items():
            found.setdefault(name, []).append(1e3 * value / len(environments))
    xs = [float(x) for x in batches]
    return [
        Curve("scaling", panel, name, x_label, xs, "ms / environment", y)
        for name, y in found.items()
    ]


def neighbors(quick: bool) -> Iterable[Bar | Curve]:
    """Neighbours."""
    sizes = (4, 15) if quick else (4, 7, 15, 30, 60)
    batches = {n: (cloud(max(2, 1200 // n**2), n), 6, 3) for n in sizes}
    return growth("neighbours", "N", batches, quick)


def angular(quick: bool) -> Iterable[Bar | Curve]:
    """l_max."""
    sizes = (2, 4) if quick else (1, 2, 3, 4, 5, 6)
    return growth("angular momenta", "l_max", {l: (b8(20), 6, l) for l in sizes}, quick)


def radial(quick: bool) -> Iterable[Bar | Curve]:
    """n_radial."""
    sizes = (2, 6) if quick else (2, 4, 6, 8, 10)
    return growth("radial functions", "n_radial", {n: (b8(20), n, 3) for n in sizes}, quick)


def batch(quick: bool) -> Iterable[Bar | Curve]:
    """Batch."""
    sizes = (1, 10) if quick else (1, 3, 10, 30, 100, 175)
    return growth("batch", "environments in a batch", {e: (b8(e), 6, 3) for e in sizes}, quick)


def threads(quick: bool) -> Iterable[Bar | Curve]:
    """Threads."""
    found: dict[str, list[float]] = {}
    environments = b8(20 if quick else 100)
    with torch.no_grad():
        works = works_of(environments, 6, 3)
        for count in (1, 2):
            torch.set_num_threads(count)
            for name, value in in_turn(works, rounds=2 if quick else 5).items():
                found.setdefault(name, []).append(1e3 * value / len(environments))
    for name, y in found.items():
        yield Curve("scaling", "threads", name, "threads", [1.0, 2.0], "ms / environment", y)


def memory(quick: bool) -> Iterable[Bar | Curve]:
    """Memory."""
    sizes = (4, 15) if quick else (4, 7, 15, 30)
    found: dict[str, list[float]] = {}
    for n in sizes:
        environments = cloud(10, n)
        density = expansion_of(6, 3)(environments)
        layer = TripletLinear(max_angular=3, n_channels=6, out_features=HIDDEN)
        rho = DensityCorrelations(max_angular=3, nu=3)
        works: Works = {
            "density expansion": lambda e=environments: expansion_of(6, 3)(e),
            "invariants, ν = 3": lambda d=density, m=rho: m(d),
            "triplets as blocks": lambda d=density: TripletFeatures(max_angular=3).workspace(d),
            f"TripletLinear, {HIDDEN} outputs": lambda d=density, m=layer: m(d),
        }
        with torch.no_grad():
            for name, work in works.items():
                size = work().numel() * 8 if name.startswith("triplets") else peak_bytes(work)
                found.setdefault(name, []).append(size / len(environments) / 2**20)
    for name, y in found.items():
        yield Curve("scaling", "memory", name, "N", list(map(float, sizes)),
                    "MiB / environment", y)  # fmt: skip


MEASUREMENTS = (neighbors, angular, radial, batch, threads, memory)
