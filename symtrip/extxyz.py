"""Structures from and to extended-XYZ files."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from symtrip.errors import InputError, require
from symtrip.files import atomic_write

if TYPE_CHECKING:
    import ase

__all__ = [
    "as_numbers",
    "label_of",
    "labelled",
    "read_extxyz",
    "stress_of",
    "write_extxyz",
]


def read_extxyz(path: str | os.PathLike[str]) -> list[ase.Atoms]:
    """All structures of an extended-XYZ file.

    Raises:
        InputError: the file is missing, empty, truncated or no extended XYZ.
    """
    import ase.io

    name = os.fspath(path)
    require(Path(path).is_file(), "path", "name an existing file", name, "check its spelling")
    try:
        frames = ase.io.read(name, index=":", format="extxyz")
    except Exception as problem:
        raise InputError(
            f"`path` must name a readable extended-XYZ file, got {name} "
            f"({type(problem).__name__}: {problem}); repair or export it again."
        ) from problem
    require(len(frames) > 0, "path", "name a file with structures", name, "export it again")
    return list(frames)


def label_of(atoms: ase.Atoms, name: str) -> Any:
    """A label of a structure, or None: ase's reader makes known ones results of a calculator.

    Args:
        atoms: the structure, as read.
        name: of the key in the comment line, or of the column.
    """
    results = {} if atoms.calc is None else atoms.calc.results
    return results.get(name, atoms.info.get(name, atoms.arrays.get(name)))


def as_numbers(
    value: object, name: str, shape: tuple[int, ...], where: str, *, finite: bool = False
) -> NDArray[np.float64]:
    """A label of one structure as float64.

    Args:
        value: what :func:`label_of` gave.
        name: of the label.
        shape: that it must have.
        where: name of the structure in the message.
        finite: whether NaN and infinity are refused.

    Raises:
        InputError: something else than numbers of this shape.
    """
    found = np.asarray(value)
    good = found.dtype.kind in "fiu" and found.shape == shape
    require(
        good and (not finite or bool(np.isfinite(found).all())),
        name,
        f"hold {'finite ' if finite else ''}numbers of shape {shape}",
        f"{np.array2string(found, threshold=6)} in {where}",
        "repair the file, or name another key",
    )
    return found.astype(np.float64)


def stress_of(
    atoms: ase.Atoms, name: str, where: str, *, finite: bool = False
) -> NDArray[np.float64] | None:
    """The stress of a structure, (3, 3) float64, or None.

    Args:
        atoms: the structure, as read.
        name: of the stress: three by three numbers, or ASE's six (xx, yy, zz, yz, xz, xy).
        where: name of the structure in the message.
        finite: whether NaN and infinity are refused.

    Raises:
        InputError: something else than such numbers, or a structure that is not periodic in
            all three directions.
    """
    value = label_of(atoms, name)
    if value is None:
        return None
    require(
        bool(atoms.pbc.all()),
        name,
        "belong to structures that are periodic in three directions",
        f"one in {where} with pbc {atoms.pbc.tolist()}",
        "leave it out there, or name another key",
    )
    if np.shape(value) == (6,):
        from ase.stress import voigt_6_to_full_3x3_stress

        six = as_numbers(value, name, (6,), where, finite=finite)
        tensor: NDArray[np.float64] = voigt_6_to_full_3x3_stress(six)
        return tensor
    return as_numbers(value, name, (3, 3), where, finite=finite)


def labelled(atoms: ase.Atoms, energy: float, **others: Any) -> ase.Atoms:
    """A copy of a structure that carries labels as the results of a calculator.

    Args:
        atoms: the structure.
        energy: in eV; the free energy is the same.
        others: further results by ASE's names, e.g. ``forces``; None for those that are missing.
    """
    from ase.calculators.singlepoint import SinglePointCalculator

    copy: ase.Atoms = atoms.copy()
    known = {name: value for name, value in others.items() if value is not None}
    copy.calc = SinglePointCalculator(copy, energy=energy, free_energy=energy, **known)
    return copy


def write_extxyz(path: str | os.PathLike[str], frames: Sequence[ase.Atoms]) -> None:
    """Write structures with the results of their calculators, atomically.

    Positions and forces are rounded to 8 decimals, as usual in this format.

    Raises:
        OSError: the file cannot be written.
    """
    import ase.io

    with atomic_write(path) as temporary:
        ase.io.write(os.fspath(temporary), list(frames), format="extxyz")
