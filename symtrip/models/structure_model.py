"""Energies of structures of any size and composition: one network for each element."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping

import torch
from jaxtyping import Float
from torch import Tensor, nn

from symtrip.environments import Environments
from symtrip.errors import require
from symtrip.files import save_tensors
from symtrip.models.files import ModelFile, StoredModel
from symtrip.models.fused import for_use
from symtrip.models.model import EnergyModel, ModelSpec
from symtrip.models.settings import validated

__all__ = ["StructureModel"]


class StructureModel(StoredModel):
    """Energies of environments, from the network of the element in their centre.

        energy(A) = e_z + phi_z(A),  z the element of the centre of A

    The energy of a structure is the sum over its centres, all atoms or chosen ones.

    Args:
        models: atomic number -> phi_z, with one cutoff radius and one list of neighbour species.
        atomic_energies: atomic number -> e_z in eV, for the same elements.
        centers: the centres that the model was trained on: indices of atoms, or None for all.

    Raises:
        InputError: no models, or their radii, species or elements differ.

    Example:
        >>> from symtrip.models import load_model
        >>> model = load_model("runs/mine/model.safetensors")  # doctest: +SKIP
    """

    FORMAT = "symtrip structure model 1"

    def __init__(
        self,
        models: Mapping[int, EnergyModel],
        atomic_energies: Mapping[int, float],
        centers: tuple[int, ...] | None = None,
    ) -> None:
        super().__init__()
        require(len(models) > 0, "models", "hold at least one", 0, "give one for each element")
        self.elements = tuple(sorted(models))
        require(
            sorted(atomic_energies) == list(self.elements),
            "atomic_energies",
            f"be those of the elements {list(self.elements)}",
            sorted(atomic_energies),
            "give one for each model",
        )
        scopes = {(m.radius, m.spec.expansion.species) for m in models.values()}
        require(
            len(scopes) == 1,
            "models",
            "have one cutoff radius and one list of species",
            sorted(scopes),
            "build them with the same expansion",
        )
        self.centers = centers
        self._specs = {z: models[z].spec for z in self.elements}
        self.models = nn.ModuleDict({str(z): models[z] for z in self.elements})
        self.atomic_energies: Tensor
        energies = [atomic_energies[z] for z in self.elements]
        self.register_buffer("atomic_energies", torch.tensor(energies, dtype=torch.float64))

    def forward(self, environments: Environments) -> Float[Tensor, " environments"]:
        """Energies in eV.

        Args:
            environments: E environments with this model's cutoff radius and species.

        Returns:
            (E,) energies; dtype and device of ``environments.vectors``, differentiable to them.

        Raises:
            InputError: another radius, or a centre or neighbour of unknown species.
        """
        found = environments.center_species
        total = environments.vectors.new_zeros(len(environments))
        counted = 0
        for z, atomic in zip(self.elements, self.atomic_energies, strict=True):
            rows = torch.nonzero(found == z).flatten()
            counted += len(rows)
            if len(rows):
                energies = self.models[str(z)](environments[rows]) + atomic
                total = total.index_add(0, rows, energies.to(total))
        require(
            counted == len(environments),
            "environments",
            f"have centres of the elements {list(self.elements)}",
            sorted(set(found.tolist()) - set(self.elements)),
            "train a model with these elements",
        )
        return total

    @property
    def radius(self) -> float:
        """Cutoff radius in Å."""
        return self._specs[self.elements[0]].expansion.radius

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return self.atomic_energies.device

    def fused(self) -> StructureModel:
        """The same model for use: triplet features are never built, weights are not for training.

        Models on invariants stay as they are.
        """
        result = StructureModel(
            {z: self.of(z) for z in self.elements},
            dict(zip(self.elements, self.atomic_energies.tolist(), strict=True)),
            self.centers,
        )
        dtype = next(self.parameters()).dtype
        for z in self.elements:
            result.models[str(z)] = for_use(self.of(z), dtype)
        return result

    def of(self, z: int) -> EnergyModel:
        """The model of the element with atomic number ``z``."""
        model = self.models[str(z)]
        if not isinstance(model, EnergyModel):
            raise TypeError(f"the model of element {z} is fused already")
        return model

    def save(self, path: str | os.PathLike[str], *, trained: bool = True) -> None:
        """Write the model to one safetensors file, atomically.

        Args:
            path: the file.
            trained: whether its networks are; a file with some that are not is refused where
                energies are wanted.
        """
        specs = {str(z): spec.model_dump(mode="json") for z, spec in self._specs.items()}
        header = {
            "format": self.format_of(trained=trained),
            "specs": json.dumps(specs),
            "centers": json.dumps(self.centers),
        }
        save_tensors(path, self.state_dict(), header)

    @classmethod
    def from_file(cls, file: ModelFile) -> StructureModel:
        """See :meth:`StoredModel.from_file`."""

        def make() -> StructureModel:
            specs = {
                int(z): validated(ModelSpec, values, file.path)
                for z, values in json.loads(file.header["specs"]).items()
            }
            centers = json.loads(file.header["centers"])
            model = cls(
                {z: spec.build() for z, spec in specs.items()},
                dict.fromkeys(specs, 0.0),
                None if centers is None else tuple(centers),
            )
            model.load_state_dict(file.tensors, assign=True)  # every tensor in its own dtype
            return model

        return file.build(cls.FORMAT, make, "write it with `StructureModel.save` or `symtrip fit`")
