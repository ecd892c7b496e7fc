"""Energies and forces of trained models on the paper's clusters, from positions on."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import torch
from clusters import b8
from figures import figure
from side_by_side import Bar, in_turn

from symtrip import B8Pairs, Environments
from symtrip.models import (
    EnergyModel,
    ExpansionSettings,
    FusedTripletModel,
    KernelModel,
    ModelSpec,
    NetworkSettings,
    RandomFeatureModel,
    RandomFeatures,
    RandomFeatureSettings,
    build_energy,
    fit_descriptor,
)

__all__ = ["MEASUREMENTS", "b_nl"]

ROOT = Path(__file__).parents[1]
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


def kernel_and_random(quick: bool) -> list[Bar]:
    """The shipped Gaussian process and a linear model on random features of its kernels."""
    if quick:
        return []  # the Gaussian process takes seconds
    kernel = KernelModel.load(ROOT / "results/best/best.safetensors")
    terms = kernel.settings.terms
    settings = RandomFeatureSettings(terms=terms, n_features=4000)
    known = Environments.from_positions(B8Pairs.load().positions.flatten(0, 1)[:24], 5, radius=2.0)
    generator = torch.Generator().manual_seed(0)
    features = [
        RandomFeatures.fit(term, known, settings.n_features, sample=24, generator=generator)
        for term in terms
    ]
    random = RandomFeatureModel(settings, features, (5,))
    random.coefficients.normal_(generator=generator)
    batch = 20
    points = B8Pairs.load().positions.flatten(0, 1)[:batch].clone().requires_grad_()

    def forces(model: KernelModel | RandomFeatureModel) -> None:
        environments = Environments.from_positions(points, 5, radius=2.0)
        torch.autograd.grad(model(environments).sum(), points)

    works = {"best": partial(forces, kernel), "random": partial(forces, random)}
    seconds = in_turn(works, rounds=3)
    count = len(kernel.support)
    return [
        Bar(
            f"energies and forces of best ({count} known clusters) / of random features "
            f"({len(terms)} x {settings.n_features})",
            seconds["best"] / seconds["random"],
        ),
        Bar(
            "energies and forces of random features: ms a B8 environment",
            1e3 * seconds["random"] / batch,
        ),
    ]


MEASUREMENTS = (energies_and_forces, kernel_and_random)
