"""A continuous, complete distance between environments, from the frames of all tagged pairs.

Every ordered pair (j, k) of neighbours, j = k included, is described by its own Gram matrix and by
the *unordered* set of

    ( r_i . r_j / R,  r_i . r_k / R,  r_i . (r_j x r_k) / R^2 )       over all neighbours i,

which determines the environment up to proper rotation when r_j and r_k are not collinear. These are
the coordinates of r_i in the frame of the pair, multiplied by lengths that vanish where the frame
degenerates: nothing is ever divided by, so the distance stays continuous there.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from symtrip.completeness.clouds import Array, Cloud, as_cloud
from symtrip.completeness.congruence import Group, check_group
from symtrip.completeness.matching import Kind, assign, bottleneck_bound
from symtrip.environments import Environments
from symtrip.errors import require

__all__ = ["LIPSCHITZ", "environment_distance"]

LIPSCHITZ = float(np.sqrt(17.0))
"""Largest change of the distance, in Å per Å that every neighbour moves within the radius.

Each coordinate is multilinear in vectors shorter than R: it changes by at most 2, 2 and 3 times the
displacement (and so does the pair's own Gram matrix: 2, 2, 2).
"""


def environment_distance(
    a: Environments, b: Environments, *, group: Group = "SO3", kind: Kind = "bottleneck"
) -> float:
    """Distance between the rotation classes of two environments.

    Args:
        a: one environment.
        b: one environment with the same radius R.
        group: ``"SO3"``, or ``"O3"`` to give mirror images distance 0.
        kind: how frames, and neighbours within frames, are compared: by the ``"bottleneck"``
            assignment (largest deviation) or by the earth mover's distance ``"emd"`` (mean one).

    Returns:
        A distance in Å, as a Python float: 0 exactly for environments that are equal up to rotation
        and permutation, symmetric, with the triangle inequality, continuous: two environments whose
        neighbours can be matched within eps are at most sqrt(17) eps apart. ``inf`` when the
        species of the centres or of the neighbours differ.

    Raises:
        InputError: several environments, different radii, unknown ``group`` or ``kind``.

    Accuracy:
        About 10 eps R. The distance of congruent environments is of that size, not 0.

    Source:
        After the Weighted Matrices Invariants of Kurlin, arXiv:2207.08502 and arXiv:2205.04388; the
        division-free coordinates replace their weights. Completeness: Nigam et al., APL Mach.
        Learn. 2, 016110 (2024), section II of the supplement.
    """
    check_group(group)
    require(
        kind in ("bottleneck", "emd"),
        "kind",
        'be "bottleneck" or "emd"',
        repr(kind),
        'write kind="bottleneck" for the largest deviation',
    )
    require(
        a.radius == b.radius,
        "b",
        f"have the radius of `a`, {a.radius} Å (it sets the scale of the distance)",
        b.radius,
        "make both environments with one radius",
    )
    first, second = as_cloud(a, "a"), as_cloud(b, "b")
    if not first.has_composition_of(second):
        return float("inf")
    if len(first) == 0:
        return 0.0
    distance = _Frames(first, a.radius).distance(_Frames(second, a.radius), kind)
    if group == "O3":
        mirrored = Cloud(-second.vectors, second.species, second.center_species)
        distance = min(
            distance, _Frames(first, a.radius).distance(_Frames(mirrored, a.radius), kind)
        )
    return distance


class _Frames:
    """The coordinates of all neighbours in the frames of all ordered pairs of one environment."""

    def __init__(self, cloud: Cloud, radius: float) -> None:
        size = len(cloud)
        gram = cloud.vectors @ cloud.vectors.T / radius
        normal = np.cross(cloud.vectors[:, None, :], cloud.vectors[None, :, :])
        volume = normal @ cloud.vectors.T / radius**2
        j, k = (index.ravel() for index in np.meshgrid(range(size), range(size), indexing="ij"))
        self.tagged: Array = np.stack([gram[j, j], gram[k, k], gram[j, k]], axis=-1)
        self.tags: NDArray[np.int64] = np.stack([cloud.species[j], cloud.species[k]], axis=-1)
        self.columns: Array = np.stack([gram[j], gram[k], volume[j, k]], axis=-1)
        self.species = cloud.species

    def distance(self, other: _Frames, kind: Kind) -> float:
        same = (self.tags[:, None, :] == other.tags[None, :, :]).all(axis=-1)
        own = np.linalg.norm(self.tagged[:, None, :] - other.tagged[None, :, :], axis=-1)
        cost = np.where(same, own, np.inf)
        forbidden = np.where(self.species[:, None] == other.species[None, :], 0.0, np.inf)
        exact = ~same
        if kind == "bottleneck":
            for row, column in np.argwhere(same).tolist():
                apart = self._apart(other, row, column) + forbidden
                cost[row, column] = max(cost[row, column], float(bottleneck_bound(apart)))
        # `cost` holds lower bounds; only the entries that an optimal assignment uses become exact
        while True:
            columns, value = assign(cost, kind)
            rows = np.flatnonzero(~exact[np.arange(len(cost)), columns])
            if len(rows) == 0:
                return value
            for row, column in zip(rows.tolist(), columns[rows].tolist(), strict=True):
                inner = assign(self._apart(other, row, column) + forbidden, kind)[1]
                cost[row, column] = max(own[row, column], inner)
                exact[row, column] = True

    def _apart(self, other: _Frames, row: int, column: int) -> Array:
        apart = self.columns[row][:, None, :] - other.columns[column][None, :, :]
        return np.asarray(np.linalg.norm(apart, axis=-1))
