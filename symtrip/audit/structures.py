"""Batches of structures of one composition, and the transformations that must not matter."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from symtrip.degenerate import Family, Member

if TYPE_CHECKING:
    from ase import Atoms
    from torch import Tensor

__all__ = ["Array", "Structures", "random_cluster", "random_rotation"]

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Structures:
    """B structures with the same atoms at different places.

    Attributes:
        positions: (B, A, 3) Å.
        numbers: (A,) atomic numbers.
        cell: (3, 3) cell vectors as rows in Å, or None for clusters.
    """

    positions: Array
    numbers: NDArray[np.int64]
    cell: Array | None = None

    def __len__(self) -> int:
        return len(self.positions)

    @property
    def n_atoms(self) -> int:
        """Number of atoms of each structure."""
        return len(self.numbers)

    @classmethod
    def of_pair(cls, family: Family, parameters: Tensor | None) -> Structures:
        """Both members of one pair of a family, as a batch of two."""
        plus, minus = family.members(parameters)
        return cls(
            np.stack([_positions(plus), _positions(minus)]),
            plus.numbers.numpy(),
            None if plus.cell is None else plus.cell.detach().numpy(),
        )

    def atoms(self, index: int) -> Atoms:
        """One structure as a new ``ase.Atoms``."""
        from ase import Atoms

        return Atoms(
            numbers=self.numbers.copy(),
            positions=self.positions[index].copy(),
            cell=None if self.cell is None else self.cell.copy(),
            pbc=self.cell is not None,
        )

    def with_positions(self, positions: Array) -> Structures:
        """The same atoms elsewhere; (B', A, 3)."""
        return replace(self, positions=positions)

    def translated(self, shift: Array) -> Structures:
        """Moved by ``shift`` (3,)."""
        return self.with_positions(self.positions + shift)

    def turned(self, matrix: Array) -> Structures:
        """Every vector replaced by ``matrix`` times it, the cell's as well."""
        return replace(
            self,
            positions=self.positions @ matrix.T,
            cell=None if self.cell is None else self.cell @ matrix.T,
        )

    def scaled(self, factor: float) -> Structures:
        """All lengths times ``factor``, the cell's as well."""
        return replace(
            self,
            positions=self.positions * factor,
            cell=None if self.cell is None else self.cell * factor,
        )

    def reordered(self, order: NDArray[np.intp]) -> Structures:
        """Atom i becomes the one that was ``order[i]``."""
        return replace(self, positions=self.positions[:, order], numbers=self.numbers[order])

    def extent(self) -> float:
        """Largest distance between two atoms of a structure, in Å."""
        apart = self.positions[:, :, None] - self.positions[:, None]
        return float(np.linalg.norm(apart, axis=-1).max())


def _positions(member: Member) -> Array:
    return np.asarray(member.positions.detach().numpy())


def random_rotation(generator: np.random.Generator) -> Array:
    """A rotation matrix drawn from the invariant measure."""
    w, x, y, z = (q := generator.normal(size=4)) / np.linalg.norm(q)
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
            [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
            [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
        ]
    )


def random_cluster(
    generator: np.random.Generator,
    numbers: NDArray[np.int64],
    *,
    inner: float,
    outer: float,
    apart: float,
) -> Array:
    """Positions of a random cluster around atom 0 at the origin.

    Args:
        generator: source of randomness.
        numbers: (A,) atomic numbers; only their count matters.
        inner: smallest distance from the centre in Å.
        outer: largest distance from the centre in Å.
        apart: smallest distance between neighbours in Å.

    Returns:
        (A, 3) Å, uniform in the shell given the minimum distances.
    """
    placed = [np.zeros(3)]
    while len(placed) < len(numbers):
        direction = generator.normal(size=3)
        radius = generator.uniform(inner**3, outer**3) ** (1 / 3)
        candidate = direction / np.linalg.norm(direction) * radius
        if all(np.linalg.norm(candidate - other) >= apart for other in placed[1:]):
            placed.append(candidate)
    return np.array(placed)
