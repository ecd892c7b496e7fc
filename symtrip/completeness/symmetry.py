"""The symmetry operations of one environment, and what they allow invariant features to see."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from symtrip.completeness.clouds import Array, as_cloud
from symtrip.completeness.congruence import (
    FRAME_FACTOR,
    HANDEDNESS,
    Group,
    candidate_alignments,
    check_group,
)
from symtrip.completeness.matching import assign, bottleneck_bound
from symtrip.environments import Environments

__all__ = ["Stabiliser", "stabiliser"]


@dataclass(frozen=True, eq=False)
class Stabiliser:
    """Operations that map an environment onto itself.

    Attributes:
        matrices: (G, 3, 3) orthogonal matrices. For a collinear environment, whose group is
            infinite, generators of it (up to arbitrarily fine rotations about the axis).
        permutations: (G, N): operation g moves neighbour i to where ``permutations[g, i]`` is.
        collinear: whether all neighbours lie on one line through the centre.
    """

    matrices: Array
    permutations: NDArray[np.intp]
    collinear: bool

    def __len__(self) -> int:
        return len(self.matrices)

    def fixed_displacements(self) -> Array:
        """Displacements of the neighbours that keep every symmetry.

        Returns:
            (3N, d) orthonormal columns that span them: (x1, y1, z1, x2, ...). The gradient of every
            differentiable invariant lies in this space.
        """
        size = self.permutations.shape[1]
        constraints = np.zeros((len(self), 3 * size, 3 * size))
        for matrix, permutation, rows in zip(
            self.matrices, self.permutations, constraints, strict=True
        ):
            for i, image in enumerate(permutation):
                rows[3 * image : 3 * image + 3, 3 * i : 3 * i + 3] = matrix
        constraints -= np.eye(3 * size)
        if size == 0:
            return np.zeros((0, 0))
        _, singular, vt = np.linalg.svd(constraints.reshape(-1, 3 * size))
        return np.asarray(vt[singular < 1e-6].T)


def stabiliser(
    environment: Environments, *, group: Group = "O3", tolerance: float = 1e-8
) -> Stabiliser:
    """The symmetry operations of an environment.

    Args:
        environment: one environment.
        group: ``"O3"``, or ``"SO3"`` for proper rotations only.
        tolerance: largest deviation of an atom from its image's place, in Å.

    Returns:
        The operations, the identity among them.

    Raises:
        InputError: several environments, an unknown group.

    Accuracy:
        Matrices to about (1 + R/p) eps + tolerance/p, R the distance of the farthest neighbour and
        p the largest distance of a neighbour from its axis.
    """
    check_group(group)
    cloud = as_cloud(environment, "environment")
    forbidden = np.where(cloud.species[:, None] == cloud.species[None, :], 0.0, np.inf)
    matrices: list[Array] = []
    permutations: list[NDArray[np.intp]] = []
    for handed in HANDEDNESS[group]:
        for bound, rotations in candidate_alignments(cloud, cloud, handed):
            if bound > tolerance:
                break
            moved = np.einsum("cij,nj->cni", rotations, cloud.vectors)
            apart = np.linalg.norm(moved[:, :, None] - cloud.vectors, axis=-1) + forbidden
            for c in np.flatnonzero(bottleneck_bound(apart) <= FRAME_FACTOR * tolerance):
                permutation, worst = assign(apart[c], "bottleneck")
                known = any(np.abs(rotations[c] - m).max() < 1e-6 for m in matrices)
                if worst <= FRAME_FACTOR * tolerance and not known:
                    matrices.append(rotations[c])
                    permutations.append(permutation)
    perpendicular = np.zeros(0)
    if len(cloud):
        axis = cloud.vectors[np.linalg.norm(cloud.vectors, axis=1).argmax()]
        axis = axis / np.linalg.norm(axis)
        perpendicular = np.linalg.norm(np.cross(cloud.vectors, axis), axis=1)
    collinear = bool(perpendicular.max(initial=0.0) <= tolerance)
    if collinear and len(cloud):
        # One turn about the axis by an irrational fraction of 2 pi generates all of them.
        skew = np.cross(np.eye(3), axis)
        turn = np.eye(3) + np.sin(1.0) * skew + (1 - np.cos(1.0)) * skew @ skew
        matrices.append(turn)
        permutations.append(np.arange(len(cloud), dtype=np.intp))
    return Stabiliser(np.array(matrices), np.array(permutations, dtype=np.intp), collinear)
