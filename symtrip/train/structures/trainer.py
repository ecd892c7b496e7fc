"""Training on energies and forces of structures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
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
    strain_derivatives,
    vector_gradient,
)
from symtrip.train.optimisation import Optimisation
from symtrip.train.structures.config import FitSettings
from symtrip.train.structures.data import LabelledStructures, StructureBatch

__all__ = [
    "Prediction",
    "StructureErrors",
    "StructureTrainer",
    "predict_structures",
    "structure_errors",
]

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
        stress: of the components of stresses in eV/Å^3, or None without stresses.
    """

    energy: float
    forces: float | None
    stress: float | None = None

    def __str__(self) -> str:
        shown = [f"{1e3 * self.energy:.2f} meV"]
        if self.forces is not None:
            shown.append(f"{1e3 * self.forces:.1f} meV/Å")
        if self.stress is not None:
            shown.append(f"{1e3 * self.stress:.2f} meV/Å³")
        return ", ".join(shown)


@dataclass(frozen=True, eq=False)
class Prediction:
    """What a model says about structures; networks leave out the atoms' own energies.

    Attributes:
        energies: (S,) eV.
        forces: (A, 3) eV/Å, or None.
        stresses: (S, 3, 3) eV/Å^3, or None.
    """

    energies: Tensor
    forces: Tensor | None
    stresses: Tensor | None = None


def structure_errors(structures: LabelledStructures, found: Prediction) -> StructureErrors:
    """Errors of predictions for all structures of a set."""
    energy, *others = _squares(structures, found)
    return StructureErrors(
        float(energy.sqrt()), *(None if x is None else float(x.sqrt()) for x in others)
    )


class StructureTrainer(Optimisation[StructureErrors]):
    """Networks of the elements, trained on energies and forces of whole structures.

    Energies that come here are what the atoms' own energies leave. The loss of a batch is the mean
    square of their errors per centre, over their variance, plus ``force_weight`` times the mean
    square of the errors of force components, over their mean square, plus ``stress_weight`` times
    the same of stresses. Selection is by the same loss.

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
        per_center = fit.energies / fit.n_centers
        self._spread = float(per_center.std(correction=0))
        require(
            self._spread > _LEAST_SPREAD,
            "structures",
            "have energies that differ by more than those of their atoms",
            f"{self._spread:.1g} eV per centre in {len(fit)} structures",
            "check the labels that `energy` names",
        )
        weights = (settings.force_weight, fit.forces), (settings.stress_weight, fit.stresses)
        # of squared errors of energies, forces and stresses
        self._weights = [1.0 / self._spread**2] + [
            0.0 if labels is None else weight / max(float(labels.square().mean()), _LEAST_SPREAD**2)
            for weight, labels in weights
        ]
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
        found = _predict(partial(self._energies, network), batch, differentiable=True)
        return self._weighted(_squares(batch, found))

    def judge(self, network: nn.Module) -> tuple[float, StructureErrors]:
        """See :meth:`Optimisation.judge`."""
        errors = structure_errors(self._select, self.predict(network, self._select))
        parts = (errors.energy, errors.forces, errors.stress)
        squares = [None if x is None else torch.tensor(x**2) for x in parts]
        return float(self._weighted(squares)), errors

    def errors_from(self, values: dict[str, Any]) -> StructureErrors:
        """See :meth:`Optimisation.errors_from`."""
        return StructureErrors(**values)

    def predict(self, network: nn.Module, structures: LabelledStructures) -> Prediction:
        """What there are labels for, without gradients of weights."""
        return predict_structures(partial(self._energies, network), structures, self._batch)

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

    def _weighted(self, squares: Sequence[Tensor | None]) -> Tensor:
        parts = [
            weight * square
            for weight, square in zip(self._weights, squares, strict=True)
            if square is not None and weight
        ]
        return torch.stack(parts).sum()


def predict_structures(
    energies: Callable[[Environments], Tensor], structures: LabelledStructures, size: int
) -> Prediction:
    """What there are labels for, without gradients of weights.

    Args:
        energies: environments to energies (E,) in eV.
        structures: the structures.
        size: structures at a time.
    """
    rows = torch.arange(len(structures), device=structures.energies.device)
    found = [
        _predict(energies, structures.batch(part), differentiable=False)
        for part in torch.split(rows, size)
    ]
    forces = [x.forces for x in found if x.forces is not None]
    stresses = [x.stresses for x in found if x.stresses is not None]
    return Prediction(
        torch.cat([x.energies for x in found]),
        torch.cat(forces) if forces else None,
        torch.cat(stresses) if stresses else None,
    )


def _predict(
    energies_of: Callable[[Environments], Tensor], batch: StructureBatch, *, differentiable: bool
) -> Prediction:
    environments = batch.environments
    moved = batch.forces is not None or batch.stresses is not None
    vectors = environments.vectors.detach().requires_grad_(moved)
    environments = environments.replace(vectors=vectors)
    with torch.set_grad_enabled(differentiable or moved):
        local = energies_of(environments)
    energies = local.new_zeros(len(batch.energies)).index_add(0, environments.structure, local)
    if not moved:
        return Prediction(energies, None)
    gradient = vector_gradient(local, vectors, differentiable=differentiable)
    forces = stresses = None
    if batch.forces is not None:
        forces = atomic_forces(environments, gradient, batch.first_atom)
    if batch.stresses is not None:
        strained = strain_derivatives(environments, gradient, len(energies))
        stresses = strained / batch.volumes[:, None, None].to(strained)
    return Prediction(energies if differentiable else energies.detach(), forces, stresses)


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
) -> tuple[Tensor, Tensor | None, Tensor | None]:
    """Mean squared errors of energies per centre, of force components and of stresses."""
    energy = (found.energies - given.energies.to(found.energies)) / given.n_centers
    pairs = (found.forces, given.forces), (found.stresses, given.stresses)
    forces, stresses = (
        None if x is None or y is None else (x - y.to(x)).square().mean() for x, y in pairs
    )
    return energy.square().mean(), forces, stresses
