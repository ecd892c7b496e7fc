"""Training on energies and forces of structures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from symtrip.environments import Environments
from symtrip.errors import require
from symtrip.models import (
    EnergyModel,
    LearnableTriplets,
    TripletDescriptor,
    atomic_forces,
    vector_gradient,
)
from symtrip.train.optimisation import Optimisation
from symtrip.train.structures.config import FitSettings
from symtrip.train.structures.data import LabelledStructures, StructureBatch

__all__ = ["Prediction", "StructureErrors", "StructureTrainer", "structure_errors"]

# eV per centre and eV/Å: what is smaller is rounding
_LEAST_SPREAD = 1e-9

EnergyOf = Callable[[nn.Module, Environments], Tensor]
"""A network and environments -> energies (E,) in eV."""


@dataclass(frozen=True)
class StructureErrors:
    """Root mean square errors.

    Attributes:
        energy: of the energies per centre, in eV.
        forces: of the force components in eV/Å, or None without forces.
    """

    energy: float
    forces: float | None

    def __str__(self) -> str:
        shown = f"{1e3 * self.energy:.2f} meV"
        return shown if self.forces is None else f"{shown}, {1e3 * self.forces:.1f} meV/Å"


@dataclass(frozen=True, eq=False)
class Prediction:
    """Energies (S,) in eV and forces (A, 3) in eV/Å of structures, without the atoms' energies."""

    energies: Tensor
    forces: Tensor | None


def structure_errors(structures: LabelledStructures, found: Prediction) -> StructureErrors:
    """Errors of predictions for all structures of a set."""
    energy, forces = _squares(structures, found)
    return StructureErrors(float(energy.sqrt()), None if forces is None else float(forces.sqrt()))


class StructureTrainer(Optimisation[StructureErrors]):
    """Networks of the elements, trained on energies and forces of whole structures.

    Energies that come here are what the atoms' own energies leave. The loss of a batch is the mean
    square of their errors per centre, over their variance, plus ``force_weight`` times the mean
    square of the errors of force components, over their mean square. Selection is by the same loss.

    Args:
        models: atomic number -> model; its expansion and compression stay as they are.
        fit: structures to fit.
        select: structures to select weights on.
        settings: the optimisation.
        seed: determines the order of the batches.

    Raises:
        InputError: all energies to fit are the same.
    """

    def __init__(
        self,
        models: dict[int, EnergyModel],
        fit: LabelledStructures,
        select: LabelledStructures,
        settings: FitSettings,
        seed: int,
    ) -> None:
        self._fit, self._select = fit, select
        self._force_weight = settings.force_weight if fit.forces is not None else 0.0
        per_center = fit.energies / fit.n_centers
        self._spread = float(per_center.std(correction=0))
        require(
            self._spread > _LEAST_SPREAD,
            "structures",
            "have energies that differ by more than those of their atoms",
            f"{self._spread:.1g} eV per centre in {len(fit)} structures",
            "check the labels that `energy` names",
        )
        self._size = 1.0
        if fit.forces is not None:
            self._size = max(float(fit.forces.square().mean().sqrt()), _LEAST_SPREAD)
        dtype = fit.environments.vectors.dtype
        self._energy_of = {z: _energy_of(model, dtype) for z, model in models.items()}
        networks = nn.ModuleDict({str(z): model.energy for z, model in models.items()})
        for model in models.values():
            model.energy.standardise(0.0, self._spread)
        super().__init__(
            networks,
            settings,
            count=len(fit),
            batch=settings.batch_structures,
            seed=seed,
            device=fit.energies.device,
            recorded=False,
        )

    def loss(self, network: nn.Module, rows: Tensor) -> Tensor:
        """See :meth:`Optimisation.loss`."""
        batch = self._fit.batch(rows)
        found = self._predict(network, batch, differentiable=True)
        return self._weighted(*_squares(batch, found))

    def judge(self, network: nn.Module) -> tuple[float, StructureErrors]:
        """See :meth:`Optimisation.judge`."""
        errors = structure_errors(self._select, self.predict(network, self._select))
        forces = None if errors.forces is None else torch.tensor(errors.forces**2)
        return float(self._weighted(torch.tensor(errors.energy**2), forces)), errors

    def errors_from(self, values: dict[str, Any]) -> StructureErrors:
        """See :meth:`Optimisation.errors_from`."""
        return StructureErrors(**values)

    def predict(self, network: nn.Module, structures: LabelledStructures) -> Prediction:
        """Energies and, if there are labels for them, forces, without gradients of weights."""
        energies, forces = [], []
        rows = torch.arange(len(structures), device=structures.energies.device)
        for part in torch.split(rows, self._batch):
            found = self._predict(network, structures.batch(part), differentiable=False)
            energies.append(found.energies)
            if found.forces is not None:
                forces.append(found.forces)
        return Prediction(torch.cat(energies), torch.cat(forces) if forces else None)

    def _predict(
        self, network: nn.Module, batch: StructureBatch, *, differentiable: bool
    ) -> Prediction:
        environments = batch.environments
        with_forces = batch.forces is not None
        vectors = environments.vectors.detach().requires_grad_(with_forces)
        environments = environments.replace(vectors=vectors)
        with torch.set_grad_enabled(differentiable or with_forces):
            local = self._energies(network, environments)
        energies = local.new_zeros(len(batch.energies)).index_add(0, environments.structure, local)
        if not with_forces:
            return Prediction(energies, None)
        gradient = vector_gradient(local, vectors, differentiable=differentiable)
        forces = atomic_forces(environments, gradient, batch.first_atom)
        return Prediction(energies if differentiable else energies.detach(), forces)

    def _energies(self, network: nn.Module, environments: Environments) -> Tensor:
        if not isinstance(network, nn.ModuleDict):
            raise TypeError(type(network).__name__)
        total = environments.vectors.new_zeros(len(environments))
        for z, energy_of in self._energy_of.items():
            rows = torch.nonzero(environments.center_species == z).flatten()
            if len(rows):
                found = energy_of(network[str(z)], environments[rows])
                total = total.index_add(0, rows, found)
        return total

    def _weighted(self, energy: Tensor, forces: Tensor | None) -> Tensor:
        total = energy / self._spread**2
        if forces is not None and self._force_weight:
            total = total + self._force_weight * forces / self._size**2
        return total


def _energy_of(model: EnergyModel, dtype: torch.dtype) -> EnergyOf:
    """The model as a function of its network."""
    if isinstance(model.descriptor, TripletDescriptor):
        return LearnableTriplets(model, dtype)
    expansion, descriptor = model.expansion, model.descriptor

    def energy(network: nn.Module, environments: Environments) -> Tensor:
        found: Tensor = network(descriptor(expansion(environments)).to(dtype))
        return found.to(environments.vectors)

    return energy


def _squares(
    given: StructureBatch | LabelledStructures, found: Prediction
) -> tuple[Tensor, Tensor | None]:
    """Mean squared errors of energies per centre and of force components."""
    energy = (
        ((found.energies - given.energies.to(found.energies)) / given.n_centers).square().mean()
    )
    if found.forces is None or given.forces is None:
        return energy, None
    return energy, (found.forces - given.forces.to(found.forces)).square().mean()
