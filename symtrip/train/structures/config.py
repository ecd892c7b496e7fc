"""Configuration of a training run on structures of one's own."""

from __future__ import annotations

import os
from typing import Literal

from pydantic import Field, NonNegativeFloat, NonNegativeInt, PositiveFloat, PositiveInt

from symtrip.models import (
    ExpansionSettings,
    FeatureSettings,
    ModelName,
    NetworkSettings,
    Settings,
)
from symtrip.train.config import OptimiserSettings, read_config

__all__ = ["FitConfig", "FitSettings", "StructureExpansion", "load_fit"]


class StructureExpansion(ExpansionSettings):
    """Density expansion; without ``species``, those that occur in the training structures."""

    radius: PositiveFloat = 4.0
    cutoff_width: PositiveFloat = 1.0
    smearing_width: PositiveFloat = 0.3
    species: tuple[PositiveInt, ...] = ()


class FitSettings(OptimiserSettings):
    """The optimisation on structures.

    Attributes:
        batch_structures: structures in a batch.
        force_weight: weight of the squared errors of force components, in units of their mean
            square; those of energies per centre, in units of their variance, have weight 1.
        stress_weight: the same for components of stresses.
        dtype: of the network and of the features during the training.
    """

    epochs: PositiveInt = 100
    average_decay: float = Field(default=0.99, ge=0, lt=1)
    batch_structures: PositiveInt = 8
    force_weight: NonNegativeFloat = 1.0
    stress_weight: NonNegativeFloat = 1.0
    dtype: Literal["float32", "float64"] = "float32"


class FitConfig(Settings):
    """A training run; every table and key but ``structures`` may be left out.

    Attributes:
        structures: extended-XYZ file with energies in eV and, if there are any, forces in eV/Å and
            stresses in eV/Å^3, tension positive.
        model: B_L, B_NL, D_L or D_NL, one network for each element.
        validation: another such file, or the part of the structures that is kept aside. Weights are
            selected on them.
        output: folder of the checkpoint and the results.
        centers: indices of the atoms whose environments' energies are added up, or "all".
        energy: name of the energy in the file.
        forces: name of the forces in the file; they are used where all structures have them.
        stress: name of the stresses in the file; they are used where all structures have them.
        seed: of the random start of the compression, the initial weights, the split and the order
            of the batches.
        expansion: the density expansion.
        features: the compression, fitted to a sample of the environments of each element.
        network: the networks; their pairs vanish at the cutoff unless that is switched off.
        training: the optimisation.
    """

    structures: str
    model: ModelName = "B_NL"
    validation: str | float = Field(default=0.1)
    output: str = "runs/structures"
    centers: Literal["all"] | tuple[NonNegativeInt, ...] = "all"
    energy: str = "energy"
    forces: str = "forces"
    stress: str = "stress"
    seed: NonNegativeInt = 0
    expansion: StructureExpansion = StructureExpansion()
    features: FeatureSettings = FeatureSettings(components=128)
    network: NetworkSettings = NetworkSettings(hidden=64, smooth_cutoff=True)
    training: FitSettings = FitSettings()


def load_fit(path: str | os.PathLike[str]) -> FitConfig:
    """Read a configuration.

    Args:
        path: a TOML file.

    Raises:
        InputError: the file is missing or no TOML, a key is misspelt, missing or has an impossible
            value; the message names the key and, for a misspelt one, the closest.
    """
    return read_config(FitConfig, path)
