"""Derivatives: checked against finite differences, and their rank where families merge."""

from __future__ import annotations

import numpy as np
import torch

from symtrip.audit.descriptor import Descriptor, DescriptorError, Target
from symtrip.audit.invariance import probe_clusters, probe_scope
from symtrip.audit.report import Dimension, Gradients, Jacobian
from symtrip.audit.separation import Properties, fitted, scope_of
from symtrip.audit.structures import Array, Structures, random_cluster
from symtrip.completeness.congruence import Group
from symtrip.completeness.symmetry import stabiliser
from symtrip.degenerate import Family
from symtrip.environments import Environments

__all__ = [
    "check_gradients",
    "dimension",
    "jacobian_at_merge",
    "numerical_jacobian",
    "visible_displacements",
]

_ANALYTIC_RANK, _NUMERICAL_RANK = 1e-10, 1e-6


def check_gradients(target: Target, *, seed: int) -> Gradients:
    """Analytic derivatives at random clusters against fourth-order finite differences.

    Args:
        target: what is audited.
        seed: seed of the clusters.

    Returns:
        The largest deviation.

    Raises:
        DescriptorError: the descriptor misbehaved.
    """
    descriptor = target.build(probe_scope())
    clusters = probe_clusters(2, seed)
    worst = 0.0
    for position in clusters.positions:
        one = clusters.with_positions(position[None])
        analytic = descriptor.jacobian(one, 0)
        if analytic is None:
            return Gradients(False, None, None)
        numerical = numerical_jacobian(descriptor, one, 0)
        if analytic.shape != numerical.shape:
            raise DescriptorError(
                f"the gradient is that of {len(analytic)} features, there are {len(numerical)}"
            )
        worst = max(worst, float(np.abs(analytic - numerical).max() / np.abs(analytic).max()))
    return Gradients(True, worst, worst < 1e-6)


def numerical_jacobian(
    descriptor: Descriptor,
    structures: Structures,
    center: int,
    *,
    step: float = 2e-3,
    full: bool = False,
) -> Array:
    """Derivatives of one structure's outputs by fourth-order central differences.

    Args:
        descriptor: what is differentiated.
        structures: one structure.
        center: the atom described.
        step: displacement in Å.
        full: differentiate all features instead of the descriptor's outputs.

    Returns:
        (F', A, 3) per Å.

    Raises:
        DescriptorError: the descriptor misbehaved.
    """
    size = 3 * structures.n_atoms
    unit = np.eye(size).reshape(size, structures.n_atoms, 3) * step
    moves = np.concatenate([c * unit for c in (-2.0, -1.0, 1.0, 2.0)])
    moved = structures.with_positions(structures.positions + moves)
    features = descriptor.evaluate(moved, [center])[:, 0]
    values = features if full else descriptor.outputs(features)
    far_left, left, right, far_right = values.reshape(4, size, -1)
    slopes = (8 * (right - left) - (far_right - far_left)) / (12 * step)
    return np.asarray(slopes.T.reshape(-1, structures.n_atoms, 3))


def jacobian_at_merge(target: Target, family: Family, properties: Properties) -> Jacobian | None:
    """Rank of the Jacobian where the members of a family have become congruent.

    Only displacements that keep the symmetry of that structure and are no rotations count: no
    smooth invariant can see others to first order.

    Args:
        target: what is audited.
        family: the family.
        properties: what is known about the descriptor.

    Returns:
        The rank against the one allowed; None if the family has no centre or no merge point.

    Raises:
        DescriptorError: the descriptor misbehaved.
    """
    if family.merge is None or not family.has_center:
        return None
    pair = Structures.of_pair(family, family.merge_path(1.0))
    descriptor = target.build(scope_of(pair))
    pair = fitted(pair, target, descriptor)
    one = pair.with_positions(pair.positions[:1])
    matrix, threshold = _jacobian(descriptor, one)
    basis = visible_displacements(one, "O3" if properties.mirror else "SO3")
    singular = np.linalg.svd(matrix @ basis, compute_uv=False)[: basis.shape[1]]
    relative = singular / singular[0] if singular[0] > 0 else singular
    rank = int((relative > threshold).sum())
    return Jacobian(rank, basis.shape[1], tuple(relative.tolist()), family.merge)


def dimension(target: Target, *, seed: int) -> Dimension:
    """How many numbers the feature vectors of random carbon-hydrogen environments really hold.

    Args:
        target: what is audited.
        seed: seed of the environments.

    Returns:
        Principal components and Jacobian rank.

    Raises:
        DescriptorError: the descriptor misbehaved.
    """
    descriptor = target.build(probe_scope())
    generator = np.random.default_rng(seed)
    numbers = np.array([6, 1, 1, 1, 1], dtype=np.int64)
    positions = [
        random_cluster(generator, numbers, inner=0.9, outer=2.4, apart=0.8) for _ in range(96)
    ]
    structures = Structures(np.array(positions), numbers)
    features = descriptor.evaluate(structures, [0])[:, 0]
    variances = np.linalg.svd(features - features.mean(axis=0), compute_uv=False) ** 2
    total = float(variances.sum())
    if total == 0.0:
        return Dimension(features.shape[1], 0, 0.0, 0, 9)
    missing = 1 - np.cumsum(variances) / total
    one = structures.with_positions(structures.positions[:1])
    matrix, threshold = _jacobian(descriptor, one)
    basis = visible_displacements(one, "O3")
    singular = np.linalg.svd(matrix @ basis, compute_uv=False)
    return Dimension(
        features.shape[1],
        int(np.searchsorted(-missing, -1e-6)) + 1,
        float(total**2 / (variances**2).sum()),
        int((singular > threshold * singular[0]).sum()),
        basis.shape[1],
    )


def _jacobian(descriptor: Descriptor, one: Structures) -> tuple[Array, float]:
    """(F', 3N) with respect to the neighbours of atom 0, and the relative rank threshold."""
    analytic = descriptor.jacobian(one, 0)
    if analytic is not None:
        return analytic[:, 1:].reshape(len(analytic), -1), _ANALYTIC_RANK
    numerical = numerical_jacobian(descriptor, one, 0)
    return numerical[:, 1:].reshape(len(numerical), -1), _NUMERICAL_RANK


def visible_displacements(one: Structures, group: Group) -> Array:
    """Displacements of the neighbours that an invariant can see to first order.

    Args:
        one: one structure, its centre first.
        group: group that the invariant is invariant to.

    Returns:
        (3N, d) orthonormal columns: they keep the symmetry and are no rotations.
    """
    vectors = one.positions[0, 1:] - one.positions[0, 0]
    environment = Environments.from_vectors(
        torch.from_numpy(vectors),
        torch.from_numpy(one.numbers[1:]),
        radius=2.0 * float(np.linalg.norm(vectors, axis=1).max()),
        center_species=int(one.numbers[0]),
    )
    fixed = stabiliser(environment, group=group, tolerance=1e-7).fixed_displacements()
    turns = np.cross(np.eye(3)[:, None], vectors[None]).reshape(3, -1).T
    u, singular, _ = np.linalg.svd(turns, full_matrices=False)
    turns = u[:, singular > 1e-8 * singular[0]]
    # part of each fixed displacement that is no rotation; rotations that are fixed drop out
    across = fixed - turns @ (turns.T @ fixed)
    u, singular, _ = np.linalg.svd(across, full_matrices=False)
    return np.asarray(u[:, singular > 1e-7])
