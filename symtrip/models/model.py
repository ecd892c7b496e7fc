"""A trained model in one piece: environments in, energies out, one file on disk."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable

import torch
from jaxtyping import Float
from pydantic import PositiveInt
from torch import Tensor

from symtrip.environments import Environments
from symtrip.expansion import Density
from symtrip.files import save_tensors
from symtrip.models.compression import InvariantCompression, TripletCompression
from symtrip.models.descriptors import InvariantDescriptor, TripletDescriptor
from symtrip.models.energy import InvariantEnergy, TripletEnergy
from symtrip.models.files import ModelFile, StoredModel
from symtrip.models.settings import (
    ExpansionSettings,
    ModelName,
    NetworkSettings,
    Settings,
    validated,
)

__all__ = ["EnergyModel", "ModelSpec", "build_energy", "fit_descriptor"]

Descriptor = TripletDescriptor | InvariantDescriptor
Energy = TripletEnergy | InvariantEnergy


class ModelSpec(Settings):
    """Everything but the weights: enough to build the modules that the weights fit into.

    ``sections`` are the components of the compression: four numbers for models B, even and odd
    ones for models D. ``n_invariants`` is the number of columns before the compression (models D).
    """

    model: ModelName
    expansion: ExpansionSettings
    network: NetworkSettings
    sections: tuple[int, ...]
    n_invariants: int = 0
    pairs_per_environment: PositiveInt = 49

    @classmethod
    def describing(
        cls,
        descriptor: Descriptor,
        *,
        model: ModelName,
        expansion: ExpansionSettings,
        network: NetworkSettings,
        pairs_per_environment: int,
    ) -> ModelSpec:
        """The specification of a model that reads a fitted descriptor.

        Args:
            descriptor: the fitted descriptor; it fixes the sizes.
            model: its name.
            expansion: what the densities are computed with.
            network: the network's settings.
            pairs_per_environment: usual number of ordered neighbour pairs.
        """
        compression = descriptor.compression
        if isinstance(compression, InvariantCompression):
            n_even = compression.n_even
            sections: tuple[int, ...] = (n_even, compression.n_features - n_even)
            n_invariants = len(compression.mean)
        else:
            sections, n_invariants = compression.sections, 0
        return cls(
            model=model,
            expansion=expansion,
            network=network,
            sections=sections,
            n_invariants=n_invariants,
            pairs_per_environment=pairs_per_environment,
        )

    def build(self) -> EnergyModel:
        """The model with this specification, its weights and components yet to be loaded."""
        l_max = self.expansion.max_angular
        descriptor: Descriptor
        if self.model.startswith("B"):
            channels = len(self.expansion.species) * self.expansion.n_radial
            descriptor = TripletDescriptor(
                l_max, TripletCompression(l_max, channels, self.sections)
            )
        else:
            parity = torch.ones(self.n_invariants)
            descriptor = InvariantDescriptor(l_max, InvariantCompression(parity, *self.sections))
        return EnergyModel(self, descriptor, build_energy(self))


class EnergyModel(StoredModel):
    """Energies of environments, from positions on; differentiable to them.

    Args:
        spec: what the other two were built from.
        descriptor: density -> compressed features.
        energy: compressed features -> energy.

    Example:
        >>> from symtrip.data import B8Pairs
        >>> from symtrip.environments import Environments
        >>> from symtrip.models import EnergyModel
        >>> model = EnergyModel.load("runs/b8/model.safetensors")  # doctest: +SKIP
        >>> pair = B8Pairs.load().validation.positions[0]
        >>> energies = model(Environments.from_positions(pair, 5, radius=2.0))  # doctest: +SKIP
    """

    FORMAT = "symtrip energy model 1"

    def __init__(self, spec: ModelSpec, descriptor: Descriptor, energy: Energy) -> None:
        super().__init__()
        self.spec = spec
        self.expansion = spec.expansion.build()
        self.descriptor = descriptor
        self.energy = energy

    def forward(self, environments: Environments) -> Float[Tensor, " environments"]:
        """Energies in eV relative to the zero of the training data.

        Args:
            environments: E environments with this model's cutoff radius and species.

        Returns:
            (E,) energies; dtype and device of ``environments.vectors``. Features are computed in
            that dtype, the network in the dtype of its weights.

        Raises:
            InputError: another radius, or a neighbour of unknown species.
        """
        features = self.descriptor(self.expansion(environments))
        weight = self.energy.head.first.weight
        energies: Tensor = self.energy(features.to(dtype=weight.dtype, device=weight.device))
        return energies.to(environments.vectors)

    @property
    def radius(self) -> float:
        """Cutoff radius in Å."""
        return self.spec.expansion.radius

    @property
    def species(self) -> tuple[int, ...]:
        """Atomic numbers that it knows."""
        return self.spec.expansion.species

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return self.energy.head.first.weight.device

    def save(
        self,
        path: str | os.PathLike[str],
        dtype: torch.dtype | None = None,
        *,
        trained: bool = True,
    ) -> None:
        """Write weights, components and specification to one safetensors file, atomically.

        Args:
            path: the file.
            dtype: of the components and weights in the file; ``None``: as they are. float32 halves
                the file and changes energies by about 1e-6 of their spread.
            trained: whether the network is; a file with one that is not is refused where energies
                are wanted.
        """
        header = {
            "format": self.format_of(trained=trained),
            "spec": self.spec.model_dump_json(),
        }
        tensors = {
            name: tensor.to(dtype) if tensor.is_floating_point() else tensor
            for name, tensor in self.state_dict().items()
        }
        save_tensors(path, tensors, header)

    @classmethod
    def from_file(cls, file: ModelFile) -> EnergyModel:
        """See :meth:`StoredModel.from_file`."""

        def make() -> EnergyModel:
            model = validated(ModelSpec, json.loads(file.header["spec"]), file.path).build()
            # the network in the dtype that it was saved in; components are held in float64
            model.energy.to(file.tensors["energy.head.first.weight"].dtype)
            model.load_state_dict(file.tensors)
            return model

        return file.build(cls.FORMAT, make, "write it with `EnergyModel.save` or `symtrip train`")


def build_energy(spec: ModelSpec, generator: torch.Generator | None = None) -> Energy:
    """The network of a model, with fresh weights.

    Args:
        spec: the model.
        generator: source of the initial weights; ``None``: torch's default generator.
    """
    nonlinear = spec.model.endswith("_NL")
    hidden, symmetric = spec.network.hidden, spec.network.inversion_symmetric
    if spec.model.startswith("B"):
        even_s, odd_s, even_a, odd_a = spec.sections
        return TripletEnergy(
            (even_s, odd_s, even_a, odd_a),
            hidden,
            nonlinear=nonlinear,
            inversion_symmetric=symmetric,
            smooth_cutoff=spec.network.smooth_cutoff,
            pairs_per_environment=spec.pairs_per_environment,
            generator=generator,
        )
    n_even, n_odd = spec.sections
    return InvariantEnergy(
        n_even + n_odd,
        n_even,
        hidden,
        nonlinear=nonlinear,
        inversion_symmetric=symmetric,
        generator=generator,
    )


def fit_descriptor(
    model: ModelName,
    densities: Callable[[], Iterable[Density]],
    expansion: ExpansionSettings,
    n_components: int,
    *,
    generator: torch.Generator,
) -> Descriptor:
    """Fit the descriptor that a model reads.

    Args:
        model: its name.
        densities: starts a pass over the training sample: yields its densities in chunks.
        expansion: what the densities were computed with.
        n_components: components kept.
        generator: source of the random start.
    """
    kind = TripletDescriptor if model.startswith("B") else InvariantDescriptor
    return kind.fit(densities, expansion.max_angular, n_components, generator=generator)
