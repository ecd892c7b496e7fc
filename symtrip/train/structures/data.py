"""Structures with energies and forces, and batches of their environments."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from symtrip.digest import digest_of
from symtrip.environments import Environments
from symtrip.errors import InputError, require
from symtrip.extxyz import as_numbers, label_of, read_extxyz, stress_of

__all__ = ["LabelledStructures", "StructureBatch", "read_labelled"]


@dataclass(frozen=True, eq=False)
class StructureBatch:
    """Some structures, ready for a model.

    Attributes:
        environments: their environments; ``structure`` counts within the batch.
        first_atom: (B + 1,) numbers of the structures' first atoms, and of all.
        n_centers: (B,) environments of each structure.
        energies: (B,) eV.
        forces: (A, 3) eV/Å of all atoms, or None.
        stresses: (B, 3, 3) eV/Å^3, or None.
        volumes: (B,) Å^3 of the cells; 0 without one.
    """

    environments: Environments
    first_atom: Int[Tensor, " structures_and_end"]
    n_centers: Int[Tensor, " structures"]
    energies: Float[Tensor, " structures"]
    forces: Float[Tensor, "atoms 3"] | None
    stresses: Float[Tensor, "structures 3 3"] | None
    volumes: Float[Tensor, " structures"]


@dataclass(frozen=True, eq=False)
class LabelledStructures:
    """S structures with labels.

    Attributes:
        environments: of all of them, structure by structure.
        first_environment: (S + 1,) numbers of the structures' first environments, and of all.
        first_atom: (S + 1,) numbers of the structures' first atoms, and of all.
        energies: (S,) eV, float64.
        forces: (A, 3) eV/Å of all atoms, float64, or None.
        stresses: (S, 3, 3) eV/Å^3, tension positive, float64, or None.
        volumes: (S,) Å^3 of the cells, float64; 0 without one.
        without: "forces" and "stress" -> number of structures that had none in the file.
    """

    environments: Environments
    first_environment: Int[Tensor, " structures_and_end"]
    first_atom: Int[Tensor, " structures_and_end"]
    energies: Float[Tensor, " structures"]
    forces: Float[Tensor, "atoms 3"] | None
    stresses: Float[Tensor, "structures 3 3"] | None
    volumes: Float[Tensor, " structures"]
    without: Mapping[str, int] = field(default_factory=dict)

    def __len__(self) -> int:
        """Number of structures."""
        return len(self.energies)

    @property
    def n_centers(self) -> Int[Tensor, " structures"]:
        """Environments of each structure."""
        return self.first_environment.diff()

    def batch(self, rows: Int[Tensor, " structures"]) -> StructureBatch:
        """Some of the structures.

        Args:
            rows: their numbers.
        """
        n_centers, n_atoms = self.n_centers[rows], self.first_atom.diff()[rows]
        chosen = _ranges(self.first_environment[rows], n_centers)
        order = torch.arange(len(rows), device=rows.device)
        environments = self.environments[chosen]
        environments = _narrowed(environments)
        forces = self.forces
        if forces is not None:
            forces = forces[_ranges(self.first_atom[rows], n_atoms)]
        return StructureBatch(
            environments.replace(structure=order.repeat_interleave(n_centers)),
            torch.cat([n_atoms.new_zeros(1), n_atoms.cumsum(0)]),
            n_centers,
            self.energies[rows],
            forces,
            None if self.stresses is None else self.stresses[rows],
            self.volumes[rows],
        )

    def subset(self, rows: Int[Tensor, " structures"]) -> LabelledStructures:
        """Some of the structures, as a set of their own."""
        chosen = self.batch(rows)
        return LabelledStructures(
            chosen.environments,
            torch.cat([chosen.n_centers.new_zeros(1), chosen.n_centers.cumsum(0)]),
            chosen.first_atom,
            chosen.energies,
            chosen.forces,
            chosen.stresses,
            chosen.volumes,
        )

    def digest(self) -> str:
        """64 hexadecimal digits that change with any label, vector or species."""
        found = self.environments
        tensors = (
            self.first_environment,
            self.first_atom,
            self.energies,
            self.forces,
            self.stresses,
            self.volumes,
            found.vectors,
            found.mask,
            found.species,
            found.center_species,
        )
        return digest_of(tensor for tensor in tensors if tensor is not None)

    def composition(self, elements: Sequence[int]) -> Float[Tensor, "structures elements"]:
        """Number of centres of each element in each structure, float64."""
        found = self.environments.center_species[:, None]
        one_hot = (found == torch.tensor(elements, device=found.device)).double()
        structure = torch.arange(len(self), device=found.device).repeat_interleave(self.n_centers)
        counts = one_hot.new_zeros(len(self), len(elements))
        return counts.index_add(0, structure, one_hot)

    def check_elements(self, known: Iterable[int] | Tensor) -> None:
        """Raise unless a model of these elements serves this validation set.

        Args:
            known: atomic numbers of the centres that it is trained on.

        Raises:
            InputError: another element is in a centre.
        """
        elements = {int(z) for z in known}
        unknown = set(self.environments.center_species.tolist()) - elements
        require(
            not unknown,
            "validation",
            f"have centres of the elements {sorted(elements)} only, as in the training",
            sorted(unknown),
            "add structures with these elements, or choose another `seed` or file for `validation`",
        )

    def to(self, dtype: torch.dtype, device: torch.device) -> LabelledStructures:
        """Environments in another dtype; everything on a device."""
        return LabelledStructures(
            self.environments.to(dtype, device),
            self.first_environment.to(device),
            self.first_atom.to(device),
            self.energies.to(device),
            None if self.forces is None else self.forces.to(device),
            None if self.stresses is None else self.stresses.to(device),
            self.volumes.to(device),
        )


def read_labelled(
    path: str | os.PathLike[str],
    *,
    radius: float,
    centers: Sequence[int] | None = None,
    energy: str = "energy",
    forces: str = "forces",
    stress: str = "stress",
) -> LabelledStructures:
    """Structures with labels from an extended-XYZ file.

    Args:
        path: the file.
        radius: cutoff radius in Å.
        centers: indices of the centres in every structure; ``None``: all atoms.
        energy: name of the energy in eV in the comment lines.
        forces: name of the forces in eV/Å in the columns; used if all structures have them.
        stress: name of the stresses in eV/Å^3, tension positive, nine numbers or ASE's six, in the
            comment lines; used if all structures have them.

    Raises:
        InputError: the file is missing, empty or damaged, a structure has no energy, a label is NaN
            or has another shape, or one without a cell in three dimensions has a stress.
    """
    frames = read_extxyz(path)
    energies, columns, strained = [], [], []
    for number, atoms in enumerate(frames):
        where = f"structure {number} of {os.fspath(path)}"
        value = label_of(atoms, energy)
        if value is None:
            raise InputError(
                f"`structures` must have the energy {energy!r} in every structure, got none in "
                f"{where}; add it, or name another key as `energy`."
            )
        energies.append(as_numbers(value, energy, (), where))
        column = label_of(atoms, forces)
        if column is not None:
            columns.append(as_numbers(column, forces, (len(atoms), 3), where))
        tensor = stress_of(atoms, stress, where)
        if tensor is not None:
            strained.append(tensor)
    stacked = stresses = None
    if len(columns) == len(frames):
        stacked = torch.from_numpy(np.concatenate(columns))
    if len(strained) == len(frames):
        stresses = torch.from_numpy(np.stack(strained))
    every = torch.tensor(np.array(energies))
    for name, values in (("energy", every), ("forces", stacked), ("stress", stresses)):
        require(
            values is None or bool(values.isfinite().all()),
            name,
            f"be finite in {os.fspath(path)}",
            "NaN or infinity",
            "leave these structures out",
        )
    environments = Environments.from_atoms(frames, radius=radius, centers=centers, isolated="keep")
    counts = torch.bincount(environments.structure, minlength=len(frames))
    sizes = torch.tensor([len(atoms) for atoms in frames])
    return LabelledStructures(
        environments,
        torch.cat([counts.new_zeros(1), counts.cumsum(0)]),
        torch.cat([sizes.new_zeros(1), sizes.cumsum(0)]),
        every,
        stacked,
        stresses,
        torch.tensor([float(atoms.cell.volume) for atoms in frames], dtype=torch.float64),
        {"forces": len(frames) - len(columns), "stress": len(frames) - len(strained)},
    )


def _ranges(first: Tensor, counts: Tensor) -> Tensor:
    """first[0], first[0] + 1, ..., first[1], ...: ``counts`` numbers from each."""
    total = int(counts.sum())
    start = torch.repeat_interleave(counts.cumsum(0) - counts, counts)
    steps = torch.arange(total, device=first.device) - start
    return torch.repeat_interleave(first, counts) + steps


def _narrowed(environments: Environments) -> Environments:
    """Without the last columns that are padding everywhere."""
    used = torch.nonzero(environments.mask.any(dim=0)).flatten()
    n_neighbors = int(used[-1]) + 1 if len(used) else 0
    return environments.replace(
        vectors=environments.vectors[:, :n_neighbors],
        species=environments.species[:, :n_neighbors],
        mask=environments.mask[:, :n_neighbors],
        neighbor=environments.neighbor[:, :n_neighbors],
    )
