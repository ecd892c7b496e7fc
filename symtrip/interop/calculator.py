"""A trained model as an ASE calculator."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch
from ase.calculators.calculator import Calculator, PropertyNotImplementedError, all_changes
from ase.stress import full_3x3_to_voigt_6_stress

from symtrip.errors import InputError
from symtrip.interop.prediction import Centers, Predictor
from symtrip.models import AnyModel, load_model

if TYPE_CHECKING:
    import ase

__all__ = ["ModelCalculator"]


class ModelCalculator(Calculator):
    """Energies, forces and stresses for ASE's relaxations, molecular dynamics and vibrations.

    Properties are those of :class:`symtrip.interop.Prediction`; ``free_energy`` equals ``energy``.
    The stress exists in structures that are periodic in all three directions.

    Args:
        model: a trained model or its file.
        centers: as in :func:`symtrip.interop.predict`.
        device: where a model that is read from a file goes.

    Raises:
        InputError: the file is missing, damaged, or no symtrip model.

    Example:
        >>> from ase.io import read
        >>> atoms = read("cluster.xyz")  # doctest: +SKIP
        >>> atoms.calc = ModelCalculator("results/paper/b_nl.safetensors")  # doctest: +SKIP
        >>> atoms.get_potential_energy(), atoms.get_forces()  # doctest: +SKIP
    """

    implemented_properties: list[str] = ["energy", "free_energy", "energies", "forces", "stress"]  # noqa: RUF012

    def __init__(
        self,
        model: AnyModel | str | os.PathLike[str],
        *,
        centers: Centers = "trained",
        device: torch.device | str = "cpu",
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        known = load_model(model, device) if isinstance(model, str | os.PathLike) else model
        self._predictor = Predictor(known, centers)

    def calculate(
        self,
        atoms: ase.Atoms | None = None,
        properties: Sequence[str] = ("energy",),
        system_changes: Sequence[str] = tuple(all_changes),
    ) -> None:
        """Called by ASE when a property is needed that is not known for these positions.

        Args:
            atoms: the structure.
            properties: names from :attr:`implemented_properties`.
            system_changes: what changed since the last call.

        Raises:
            InputError: NaN positions, centres that do not exist, atoms of unknown species.
            PropertyNotImplementedError: the stress of a structure that is not periodic.
        """
        super().calculate(atoms, properties, system_changes)  # type: ignore[no-untyped-call]
        if self.atoms is None:
            raise InputError("`atoms` must be a structure, got None; pass one to the first call.")
        forces = bool({"forces", "stress"} & set(properties))
        (found,) = self._predictor([self.atoms], forces=forces)
        results: dict[str, Any] = {
            "energy": found.energy,
            "free_energy": found.energy,
            "energies": found.energies,
        }
        if found.forces is not None:
            results["forces"] = found.forces
        if found.stress is not None:
            results["stress"] = full_3x3_to_voigt_6_stress(found.stress)
        self.results = results
        if "stress" in properties and found.stress is None:
            raise PropertyNotImplementedError(
                "stress needs a cell that is periodic in 3 directions"
            )
