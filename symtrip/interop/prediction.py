"""Energies, forces and stresses of structures from a trained model."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from symtrip.environments import Environments
from symtrip.errors import require
from symtrip.extxyz import as_numbers, label_of, labelled, stress_of
from symtrip.models import (
    AnyModel,
    EnergyModel,
    RandomFeatureModel,
    StructureModel,
    atomic_forces,
    for_use,
    strain_derivatives,
    vector_gradient,
)
from symtrip.progress import Progress, silent

if TYPE_CHECKING:
    import ase

__all__ = ["LabelErrors", "Prediction", "Predictor", "label_errors", "predict", "with_results"]

Array = NDArray[np.float64]
Centers = Literal["trained"] | int | Sequence[int] | None


@dataclass(frozen=True, eq=False)
class Prediction:
    """What a model says about one structure of A atoms.

    Attributes:
        energy: eV, relative to the zero of the model's training data.
        energies: (A,) eV, what each centre contributes; 0 for atoms that are no centres.
        forces: (A, 3) eV/Å, or None where not asked for.
        stress: (3, 3) eV/Å^3, tension positive; None where not asked for and in structures that are
            not periodic in all three directions.
        isolated: number of centres without a neighbour within the model's radius.
    """

    energy: float
    energies: Array
    forces: Array | None = None
    stress: Array | None = None
    isolated: int = 0


class Predictor:
    """A model made ready for repeated use.

    Args:
        model: a trained model. A copy in float64 is used, so that energies are as smooth as forces
            need them; later changes of the model do not matter.
        centers: indices of the atoms whose environments' energies are added up; ``None``: all;
            "trained": those of the training. Models for B8 are for atom 0 alone: its environment is
            the whole cluster.
    """

    def __init__(self, model: AnyModel, centers: Centers = "trained") -> None:
        self.radius, self.device = model.radius, model.device
        self.centers: int | Sequence[int] | None
        if isinstance(centers, str):
            require(
                centers == "trained",
                "centers",
                'be indices, None or "trained"',
                centers,
                "count atoms from 0",
            )
            self.centers = model.centers
        else:
            self.centers = centers
        # models of structures look at their centres themselves
        self._known = (
            None
            if isinstance(model, RandomFeatureModel | StructureModel)
            else frozenset(model.species)
        )
        exact = copy.deepcopy(model).to(torch.float64)
        self._energies: nn.Module = exact
        if isinstance(exact, StructureModel):
            self._energies = exact.fused()
        elif isinstance(exact, EnergyModel):
            self._energies = for_use(exact)

    def __call__(self, frames: Sequence[ase.Atoms], *, forces: bool = True) -> list[Prediction]:
        """Predict for some structures at once, as :func:`predict` does for any number."""
        environments = Environments.from_atoms(
            frames, radius=self.radius, centers=self.centers, device=self.device, isolated="keep"
        )
        if self._known is not None:
            unknown = set(environments.center_species.tolist()) - self._known
            require(
                not unknown,
                "centers",
                f"be atoms of the species {sorted(self._known)} that the model knows",
                sorted(unknown),
                "choose other centres, or train a model with these elements",
            )
        with torch.set_grad_enabled(forces):
            vectors = environments.vectors.requires_grad_(forces)
            energies = self._energies(environments)
        gradient = vector_gradient(energies, vectors) if forces else None
        return _by_structure(frames, environments, energies.detach(), gradient)


def predict(
    model: AnyModel,
    frames: Sequence[ase.Atoms],
    *,
    centers: Centers = "trained",
    forces: bool = True,
    chunk: int = 64,
    progress: Progress = silent,
) -> list[Prediction]:
    """Energies, forces and stresses of structures.

    Args:
        model: a trained model.
        frames: the structures, clusters or crystals of any sizes.
        centers: indices of the atoms whose environments' energies are added up; ``None``: all;
            "trained": those of the training. Models for B8 are for atom 0 alone: its environment is
            the whole cluster.
        forces: whether to compute forces and stresses.
        chunk: structures at a time; memory grows with it.
        progress: called with the number of structures done and of all.

    Returns:
        One prediction for each structure. Where a model reads triplets, their features are never
        built (:class:`symtrip.models.FusedTripletModel`).

    Raises:
        InputError: no structures or an empty one, NaN positions, centres that do not exist, atoms
            of a species that the model does not know.

    Accuracy:
        Forces agree with central differences of the energies to 1e-7 of the largest force and add
        up to zero to rounding (``tests/property/test_interop.py``).

    Example:
        >>> from symtrip.extxyz import read_extxyz
        >>> from symtrip.models import load_model
        >>> model = load_model("results/paper/b_nl.safetensors")  # doctest: +SKIP
        >>> predict(model, read_extxyz("clusters.xyz"))[0].energy  # doctest: +SKIP
    """
    require(chunk >= 1, "chunk", "be >= 1", chunk, "give the number of structures at a time")
    require(len(frames) > 0, "frames", "hold at least one structure", 0, "pass a list of ase.Atoms")
    predictor = Predictor(model, centers)
    found: list[Prediction] = []
    progress(0, len(frames))
    for start in range(0, len(frames), chunk):
        found += predictor(frames[start : start + chunk], forces=forces)
        progress(len(found), len(frames))
    return found


def with_results(atoms: ase.Atoms, prediction: Prediction) -> ase.Atoms:
    """A copy of the structure that carries the prediction as the results of a calculator."""
    return labelled(atoms, prediction.energy, forces=prediction.forces, stress=prediction.stress)


@dataclass(frozen=True)
class LabelErrors:
    """How far predictions are from labels.

    Attributes:
        structures: number of structures with an energy.
        energy: root mean square error of the energies in eV per atom; None without any.
        with_forces: number of structures with forces, labelled and predicted.
        forces: root mean square error of the force components in eV/Å; None without any.
        with_stress: number of crystals with a stress, labelled and predicted.
        stress: root mean square error of the stress components in eV/Å^3; None without any.
    """

    structures: int
    energy: float | None
    with_forces: int
    forces: float | None
    with_stress: int = 0
    stress: float | None = None


def label_errors(
    frames: Sequence[ase.Atoms],
    predictions: Sequence[Prediction],
    *,
    energy: str = "energy",
    forces: str = "forces",
    stress: str = "stress",
) -> LabelErrors:
    """Compare predictions with the labels that structures came with.

    Args:
        frames: the structures, as read.
        predictions: one for each of them.
        energy: name of the energy in eV; its zero must be that of the training.
        forces: name of the forces in eV/Å.
        stress: name of the stress in eV/Å^3, tension positive; that of a crystal only.

    Returns:
        The errors, over the structures that have labels.

    Raises:
        InputError: a label is no finite number, or the forces have another shape.
    """
    by_energy, by_force, by_stress = [], [], []
    for number, (atoms, found) in enumerate(zip(frames, predictions, strict=True)):
        where, labels = f"structure {number}", (label_of(atoms, energy), label_of(atoms, forces))
        if labels[0] is not None:
            label = as_numbers(labels[0], energy, (), where, finite=True)
            by_energy.append(np.atleast_1d(found.energy - label) / len(atoms))
        if labels[1] is not None and found.forces is not None:
            label = as_numbers(labels[1], forces, (len(atoms), 3), where, finite=True)
            by_force.append(found.forces - label)
        if found.stress is not None:
            tensor = stress_of(atoms, stress, where, finite=True)
            if tensor is not None:
                by_stress.append(found.stress - tensor)
    return LabelErrors(
        structures=len(by_energy),
        energy=_root_mean_square(by_energy),
        with_forces=len(by_force),
        forces=_root_mean_square(by_force),
        with_stress=len(by_stress),
        stress=_root_mean_square(by_stress),
    )


def _root_mean_square(errors: Sequence[Array]) -> float | None:
    if not errors:
        return None
    return float(np.sqrt(np.mean(np.concatenate([np.ravel(x) for x in errors]) ** 2)))


def _by_structure(
    frames: Sequence[ase.Atoms],
    environments: Environments,
    energies: Tensor,
    gradient: Tensor | None,
) -> list[Prediction]:
    """Collect what environments contribute to atoms and cells."""
    counts = [len(atoms) for atoms in frames]
    offset = torch.tensor(np.cumsum([0, *counts]), device=energies.device)
    center = offset[environments.structure] + environments.center
    local = energies.new_zeros(sum(counts)).index_add_(0, center, energies)
    pieces = torch.split(local.cpu(), counts)
    totals = [float(piece.sum()) for piece in pieces]
    apart = environments.structure[~environments.mask.any(dim=1)]
    isolated: list[int] = torch.bincount(apart, minlength=len(frames)).tolist()
    if gradient is None:
        return [
            Prediction(t, p.numpy(), isolated=n)
            for t, p, n in zip(totals, pieces, isolated, strict=True)
        ]
    forces = atomic_forces(environments, gradient, offset)
    strained = strain_derivatives(environments, gradient, len(frames)).cpu().numpy()
    return [
        Prediction(
            totals[s],
            pieces[s].numpy(),
            force.numpy(),
            strained[s] / atoms.get_volume() if atoms.pbc.all() else None,
            isolated[s],
        )
        for s, (atoms, force) in enumerate(
            zip(frames, torch.split(forces.cpu(), counts), strict=True)
        )
    ]
