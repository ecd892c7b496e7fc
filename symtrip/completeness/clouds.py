"""One environment as plain arrays, and the frames that tagged pairs of neighbours define."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from symtrip.environments import Environments
from symtrip.errors import require

__all__ = ["Cloud", "as_cloud", "frame"]

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Cloud:
    """The neighbours of one centre.

    Attributes:
        vectors: (N, 3) neighbour minus centre in Å.
        species: (N,) atomic numbers of the neighbours.
        center_species: atomic number of the centre.
    """

    vectors: Array
    species: NDArray[np.int64]
    center_species: int

    def __len__(self) -> int:
        return len(self.species)

    @property
    def extent(self) -> float:
        """Distance of the farthest neighbour in Å, 0 without neighbours."""
        return float(np.linalg.norm(self.vectors, axis=1).max(initial=0.0))

    def has_composition_of(self, other: Cloud) -> bool:
        """Whether both hold the same centre and as many neighbours of each species."""
        return self.center_species == other.center_species and bool(
            np.array_equal(np.sort(self.species), np.sort(other.species))
        )


def as_cloud(environment: Environments, argument: str) -> Cloud:
    """The single environment in ``environment``, in float64.

    Args:
        environment: exactly one environment.
        argument: name of the argument for the error message.

    Returns:
        Its neighbours without padding.

    Raises:
        InputError: it holds none or several.
    """
    require(
        len(environment) == 1,
        argument,
        "hold exactly one environment",
        len(environment),
        f"select one, e.g. {argument}[0:1]",
    )
    mask = environment.mask[0].cpu().numpy()
    return Cloud(
        environment.vectors[0].detach().cpu().double().numpy()[mask],
        environment.species[0].cpu().numpy()[mask],
        int(environment.center_species[0]),
    )


def frame(first: Array, second: Array) -> Array:
    """Right-handed orthonormal frames of tagged pairs.

    Args:
        first: (..., 3), not zero: e1 points along it.
        second: (..., 3): e2 points along its part perpendicular to ``first``; where there is none,
            e2 is some unit vector perpendicular to e1.

    Returns:
        (..., 3, 3) with rows e1, e2, e3 = e1 x e2.

    Source:
        Nigam et al., APL Mach. Learn. 2, 016110 (2024), supplementary section II.1.
    """
    e1 = first / np.linalg.norm(first, axis=-1, keepdims=True)
    across = second - (second * e1).sum(-1, keepdims=True) * e1
    # Twice is enough: the first pass leaves a part along e1 of the order of rounding.
    across = across - (across * e1).sum(-1, keepdims=True) * e1
    length = np.linalg.norm(across, axis=-1, keepdims=True)
    any_axis = np.eye(3)[np.abs(e1).argmin(axis=-1)]
    any_across = any_axis - (any_axis * e1).sum(-1, keepdims=True) * e1
    collinear = length <= 8 * np.finfo(np.float64).eps * np.linalg.norm(
        second, axis=-1, keepdims=True
    )
    across = np.where(collinear, any_across, across)
    e2 = across / np.linalg.norm(across, axis=-1, keepdims=True)
    return np.stack([e1, e2, np.cross(e1, e2)], axis=-2)
