"""Labels on disk: one file a structure, whole or absent, all made with the same settings."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from symtrip.errors import InputError, require
from symtrip.files import atomic_write
from symtrip.labels.compute import Label
from symtrip.labels.settings import LabelSettings

__all__ = ["LabelStore", "structure_key"]


def structure_key(numbers: NDArray[np.int64], positions: NDArray[np.float64]) -> str:
    """Name of a structure in a store: a hash of its atomic numbers and positions, bit for bit."""
    digest = hashlib.sha256(np.ascontiguousarray(numbers, dtype="<i8").tobytes())
    digest.update(np.ascontiguousarray(positions, dtype="<f8").tobytes())
    return digest.hexdigest()[:32]


class LabelStore:
    """A folder of labels.

    ``settings.json`` holds the settings all labels share, ``labels/<key>.json`` the converged
    ones, ``unconverged/<key>.json`` the others. Every file appears by atomic rename, so a killed
    job leaves no half record and the next one continues behind it.

    Args:
        folder: created if absent.
        settings: settings of all labels in it.

    Raises:
        InputError: the folder holds labels made with other settings, or is damaged.
    """

    def __init__(self, folder: str | os.PathLike[str], settings: LabelSettings) -> None:
        self.folder = Path(folder)
        self.settings = settings
        record = self.folder / "settings.json"
        if not record.exists():
            with atomic_write(record) as temporary:
                temporary.write_text(settings.model_dump_json(indent=1) + "\n")
            return
        # what an older version did not record, it could not set
        stored = LabelSettings().model_dump() | self._read(record)
        wanted = settings.model_dump()
        different = sorted(key for key in {*stored, *wanted} if stored.get(key) != wanted.get(key))
        require(
            not different,
            "out",
            f"name a store made with the same settings ({self.folder} differs in "
            + ", ".join(f"{k} = {stored.get(k)!r}" for k in different)
            + ")",
            ", ".join(f"{k} = {wanted.get(k)!r}" for k in different),
            "choose another folder: labels of different settings are never mixed",
        )

    def _path(self, key: str, converged: bool) -> Path:
        return self.folder / ("labels" if converged else "unconverged") / f"{key}.json"

    @staticmethod
    def _read(path: Path) -> dict[str, object]:
        try:
            content = json.loads(path.read_text())
        except (json.JSONDecodeError, UnicodeDecodeError) as problem:
            raise InputError(
                f"`{path}` must hold JSON, got a damaged file ({problem}); delete it to compute it "
                "again."
            ) from problem
        require(
            isinstance(content, dict),
            str(path),
            "hold a JSON object",
            type(content).__name__,
            "delete it to compute it again",
        )
        return dict(content)

    def get(self, key: str) -> Label | None:
        """The label of a structure, or None if it was not computed yet.

        Raises:
            InputError: its file is damaged.
        """
        for converged in (True, False):
            path = self._path(key, converged)
            if path.exists():
                content = self._read(path)
                try:
                    forces = content["forces_hartree_per_bohr"]
                    return Label(
                        energy=float(content["energy_hartree"]),  # type: ignore[arg-type]
                        energy_total=float(content["energy_total_hartree"]),  # type: ignore[arg-type]
                        forces=None if forces is None else np.array(forces, dtype=np.float64),
                        converged=converged,
                    )
                except (KeyError, TypeError, ValueError) as problem:
                    raise InputError(
                        f"`{path}` must hold a label, got one with a bad or missing {problem}; "
                        "delete it to compute it again."
                    ) from problem
        return None

    def put(self, key: str, label: Label) -> None:
        """Add a label; it is on disk, whole, when this returns."""
        content = {
            "energy_hartree": label.energy,
            "energy_total_hartree": label.energy_total,
            "forces_hartree_per_bohr": None if label.forces is None else label.forces.tolist(),
        }
        with atomic_write(self._path(key, label.converged)) as temporary:
            temporary.write_text(json.dumps(content) + "\n")
