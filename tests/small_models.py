"""Models small enough for tests, with the weights they are born with."""

from __future__ import annotations

import torch

from symtrip.data import B8Pairs
from symtrip.environments import Environments
from symtrip.models import (
    EnergyModel,
    ExpansionSettings,
    ModelSpec,
    NetworkSettings,
    build_energy,
    fit_descriptor,
)
from symtrip.models.settings import ModelName

SMALL = ExpansionSettings(n_radial=3, max_angular=2)


def trained(name: ModelName, *, symmetric: bool = False) -> EnergyModel:
    """20 components of the features of ten pairs and 16 hidden units, in float64."""
    generator = torch.Generator().manual_seed(0)
    positions = B8Pairs.load().positions[:10].flatten(0, 1)
    density = SMALL.build()(Environments.from_positions(positions, 5, radius=2.0))
    descriptor = fit_descriptor(name, lambda: [density], SMALL, 20, generator=generator)
    spec = ModelSpec.describing(
        descriptor,
        model=name,
        expansion=SMALL,
        network=NetworkSettings(hidden=16, inversion_symmetric=symmetric),
        pairs_per_environment=49,
    )
    return EnergyModel(spec, descriptor, build_energy(spec, generator)).double()
