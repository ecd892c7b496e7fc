"""Parametrised pairs of environments that a search starts from.

``free``: two unrelated environments. ``glued``: a random motif and its image under a random
rotoreflection S are common to both; one more atom sits on the axis of S, on opposite sides in the
two environments. S maps the one onto the other but for half of the motif, so that many correlations
agree from the start; how the motif must look for the rest to agree is left to the search.
``ring``: the same from a motif near a random circle around the axis. Motifs on such a circle make
the most symmetric rings, and many more correlations agree near them than for a random motif.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod

import numpy as np

from symtrip.audit.structures import Array, random_cluster

__all__ = ["ANSATZES", "Ansatz", "FreePair", "GluedPair", "RingPair"]

INNER, OUTER, LIMIT = 0.8, 2.0, 2.6
"""Distances from the centre in Å: of the starts, and the largest one in a search."""

_CLOSEST = 0.4
_OFF_THE_CIRCLE = 0.2


class Ansatz(ABC):
    """Pairs of environments that depend on a vector of parameters.

    Args:
        n_neighbors: number of neighbours of each environment.
    """

    name: str

    def __init__(self, n_neighbors: int) -> None:
        self.n_neighbors = n_neighbors

    @abstractmethod
    def draw(self, generator: np.random.Generator) -> Array:
        """Random parameters (m,)."""

    @abstractmethod
    def build(self, parameters: Array) -> Array:
        """(P, m) -> neighbours of both environments (P, 2, N, 3) in Å."""

    def start(self, generator: np.random.Generator) -> Array:
        """Random parameters whose environments have no neighbours closer than 0.4 Å."""
        while True:
            parameters = self.draw(generator)
            if self.closest(parameters) > _CLOSEST:
                return parameters

    def closest(self, parameters: Array) -> float:
        """Smallest distance between two atoms of the same environment in Å, the centre included."""
        vectors = self.build(parameters[None])[0]
        atoms = np.concatenate([np.zeros((2, 1, 3)), vectors], axis=1)
        apart = np.linalg.norm(atoms[:, :, None] - atoms[:, None], axis=-1)
        return float((apart + 9 * np.eye(atoms.shape[1])).min())

    def inside(self, parameters: Array) -> bool:
        """Whether all neighbours are within the limit of the search."""
        return bool(np.linalg.norm(self.build(parameters[None]), axis=-1).max() < LIMIT)


class FreePair(Ansatz):
    """Two environments with nothing in common: 6 N parameters."""

    name = "free"

    def draw(self, generator: np.random.Generator) -> Array:
        """See :class:`Ansatz`."""
        return np.concatenate([_cluster(generator, self.n_neighbors).ravel() for _ in range(2)])

    def build(self, parameters: Array) -> Array:
        """See :class:`Ansatz`."""
        return parameters.reshape(len(parameters), 2, self.n_neighbors, 3)


class GluedPair(Ansatz):
    """Motif, its image under a rotoreflection, and an atom on the axis that changes sides."""

    name = "glued"

    def __init__(self, n_neighbors: int) -> None:
        super().__init__(n_neighbors)
        self.size = (n_neighbors - 1) // 2

    def draw(self, generator: np.random.Generator) -> Array:
        """See :class:`Ansatz`."""
        motif = self.motif(generator).ravel()
        return np.array([*motif, generator.uniform(0, math.pi), generator.uniform(INNER, OUTER)])

    def motif(self, generator: np.random.Generator) -> Array:
        """Random motif (size, 3) in Å."""
        return _cluster(generator, self.size)

    def build(self, parameters: Array) -> Array:
        """See :class:`Ansatz`."""
        count = len(parameters)
        motif = parameters[:, :-2].reshape(count, self.size, 3)
        cos, sin = np.cos(parameters[:, -2, None]), np.sin(parameters[:, -2, None])
        x, y, z = np.moveaxis(motif, -1, 0)
        image = np.stack([cos * x - sin * y, sin * x + cos * y, -z], axis=-1)
        apex = np.zeros((count, 1, 3))
        apex[:, 0, 2] = parameters[:, -1]
        return np.stack(
            [
                np.concatenate([motif, image, apex], axis=1),
                np.concatenate([motif, image, -apex], axis=1),
            ],
            axis=1,
        )


class RingPair(GluedPair):
    """A glued pair whose motif starts near a circle around the axis; nothing holds it there.

    The circle is at a random distance and in a random direction from the centre; every coordinate
    of every atom is moved off it by 0.2 Å (standard deviation).
    """

    name = "ring"

    def motif(self, generator: np.random.Generator) -> Array:
        """See :class:`GluedPair`."""
        distance, height = generator.uniform(INNER, OUTER), generator.uniform(-1, 1)
        angles = generator.uniform(0, 2 * math.pi, size=self.size)
        rho = math.sqrt(1 - height**2)
        circle = [rho * np.cos(angles), rho * np.sin(angles), np.full(self.size, height)]
        off = generator.normal(scale=_OFF_THE_CIRCLE, size=(self.size, 3))
        return distance * np.stack(circle, axis=1) + off


ANSATZES: tuple[tuple[type[Ansatz], int], ...] = (
    (FreePair, 4),
    (GluedPair, 7),
    (RingPair, 7),
    (RingPair, 7),
)
"""Kinds of starts and their numbers of neighbours; a search takes them in turn."""


def _cluster(generator: np.random.Generator, size: int) -> Array:
    numbers = np.ones(size + 1, dtype=np.int64)
    return random_cluster(generator, numbers, inner=INNER, outer=OUTER, apart=0.5)[1:]
