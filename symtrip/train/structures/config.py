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
    PairKernelSettings,
    Settings,
    validated,
)
from symtrip.train.config import OptimiserSettings, read_config

__all__ = [
    "FitConfig",
    "FitSettings",
    "RandomKernel",
    "RandomSettings",
    "StructureExpansion",
    "load_fit",
]


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


class RandomKernel(Settings):
    """A kernel between tagged pairs that random features stand for.

    Attributes:
        smearing_width: in place of that in the table ``expansion``; Å.
        n_radial: likewise.
        max_angular: likewise.
        components: in place of those in the table ``features``.
        length: length scale of the Gaussian, for features of pairs of length 1.
        row_weight: a pair counts as the length of its features to this power.
    """

    smearing_width: PositiveFloat | None = None
    n_radial: PositiveInt | None = None
    max_angular: NonNegativeInt | None = None
    components: PositiveInt | None = None
    length: PositiveFloat = 1.0
    row_weight: float = Field(default=0.75, ge=0, le=4)

    def over(self, expansion: ExpansionSettings, components: int) -> PairKernelSettings:
        """The whole settings of the kernel.

        Args:
            expansion: used where this says nothing.
            components: likewise.

        Raises:
            InputError: both together contradict each other.
        """
        own = self.model_dump(
            include={"smearing_width", "n_radial", "max_angular"}, exclude_none=True
        )
        values = {
            "expansion": expansion.model_dump() | own,
            "components": self.components or components,
            "length": self.length,
            "row_weight": self.row_weight,
        }
        return validated(PairKernelSettings, values, "random.kernels")


class RandomSettings(Settings):
    """Random features, for ``model = "random"``.

    Attributes:
        n_features: their number for each kernel and each element of a centre.
        kernels: kernels that they stand for; several describe structures at several resolutions.
        noise: variances of the energies' noise that are tried, in units of the mean square of the
            features; the one with the smallest validation error is taken.
    """

    n_features: PositiveInt = 2000
    kernels: tuple[RandomKernel, ...] = Field(default=(RandomKernel(),), min_length=1)
    noise: tuple[PositiveFloat, ...] = Field(
        default=tuple(10.0**power for power in range(-13, 0)), min_length=1
    )


class FitConfig(Settings):
    """A training run; every table and key but ``structures`` may be left out.

    Attributes:
        structures: extended-XYZ file with energies in eV and, if there are any, forces in eV/Å and
            stresses in eV/Å^3, tension positive.
        model: B_L, B_NL, D_L or D_NL, one network for each element; or "random", energies linear in
            random features of tagged pairs, solved for in closed form, from energies alone.
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
        random: random features; ``network`` and ``training`` do not apply to them.
    """

    structures: str
    model: ModelName | Literal["random"] = "B_NL"
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
    random: RandomSettings = RandomSettings()


def load_fit(path: str | os.PathLike[str]) -> FitConfig:
    """Read a configuration.

    Args:
        path: a TOML file.

    Raises:
        InputError: the file is missing or no TOML, a key is misspelt, missing or has an impossible
            value; the message names the key and, for a misspelt one, the closest.
    """
    return read_config(FitConfig, path)
