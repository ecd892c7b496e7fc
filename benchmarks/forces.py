"""Energies and forces of B_NL on the paper's clusters, from positions on."""

from __future__ import annotations

import torch
from clusters import b8
from figures import figure
from side_by_side import Bar, in_turn

from symtrip import B8Pairs, Environments
from symtrip.models import (
    EnergyModel,
    ExpansionSettings,
    FusedTripletModel,
    ModelSpec,
    NetworkSettings,
    build_energy,
    fit_descriptor,
)

__all__ = ["MEASUREMENTS", "b_nl"]

COMPONENTS, HIDDEN = 512, 128


def b_nl(sample: int) -> EnergyModel:
    """B_NL with 128 hidden units and fresh weights, compression fitted to some clusters."""
    settings = ExpansionSettings()
    generator = torch.Generator().manual_seed(0)
    density = settings.build()(b8(sample))
    densities = [density[start : start + 8] for start in range(0, sample, 8)]
    with torch.no_grad():
        descriptor = fit_descriptor(
            "B_NL", lambda: densities, settings, COMPONENTS, generator=generator
        )
    spec = ModelSpec.describing(
        descriptor,
        model="B_NL",
        expansion=settings,
        network=NetworkSettings(hidden=HIDDEN),
        pairs_per_environment=49,
    )
    return EnergyModel(spec, descriptor, build_energy(spec, generator))


def energies_and_forces(quick: bool) -> list[Bar]:
    """100 environments at once: energies, then their gradients with respect to all positions."""
    batch = 20 if quick else 100
    positions = B8Pairs.load().positions.flatten(0, 1)[:batch]
    model = b_nl(24)
    bars = []
    for dtype in (torch.float64, torch.float32):
        fused = FusedTripletModel(model.to(dtype), dtype=dtype)
        points = positions.to(dtype).requires_grad_()

        def forces(model: FusedTripletModel = fused, points: torch.Tensor = points) -> None:
            environments = Environments.from_positions(points, 5, radius=2.0)
            torch.autograd.grad(model(environments).sum(), points)

        seconds = in_turn({"forces": forces}, rounds=3 if quick else 7)["forces"]
        name = f"energies and forces of B_NL, batch {batch}, {str(dtype).removeprefix('torch.')}"
        name = f"{name}: ms a B8 environment"
        value = 1e3 * seconds / batch
        bars.append(Bar(name, value) if quick else figure(name, value))
    return bars


MEASUREMENTS = (energies_and_forces,)
