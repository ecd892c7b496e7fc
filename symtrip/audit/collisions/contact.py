"""How the image of a descriptor meets itself at a collision."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from symtrip.audit.descriptor import Descriptor
from symtrip.audit.sensitivity import numerical_jacobian, visible_displacements
from symtrip.audit.structures import Array, Structures
from symtrip.completeness.congruence import Group

__all__ = ["Contact", "contact_of"]

_STEPS = (0.02, 0.01)
_NOISE = 1e-11


@dataclass(frozen=True)
class Contact:
    """Contact of the two sheets {phi(X + dX)} and {phi(Y + dY)} of the image at phi(X) = phi(Y).

    Attributes:
        shared: number of independent directions that the tangent spaces of both sheets have in
            common. 0: the sheets cross transversally, the collision is isolated.
        directions: dimension of the sheet, 3N - 3 minus what symmetry hides; 0 if the features are
            constant.
        order: largest k such that, when X moves by t along a generic shared direction, Y can follow
            with features O(t^(k + 1)) apart; None when they stay equal to rounding, so that the
            collision belongs to a family with ``shared`` parameters. 0 without shared directions.
    """

    shared: int
    directions: int
    order: int | None


def contact_of(descriptor: Descriptor, pair: Structures, group: Group) -> Contact:
    """Measure the contact at a collision.

    Args:
        descriptor: the descriptor.
        pair: the two structures, centre first.
        group: group that the descriptor is invariant to.

    Returns:
        The contact.

    Raises:
        DescriptorError: the descriptor misbehaved.
    """
    first, second = (pair.with_positions(pair.positions[i : i + 1]) for i in range(2))
    sheets = [_Sheet(descriptor, one, group) for one in (first, second)]
    if any(sheet.tangent.shape[1] == 0 for sheet in sheets):
        return Contact(0, 0, None)
    overlap = np.linalg.svd(sheets[0].tangent.T @ sheets[1].tangent)
    shared = int((overlap[1] > 1 - 1e-7).sum())
    directions = sheets[0].tangent.shape[1]
    if shared == 0:
        return Contact(0, directions, 0)
    generator = np.random.default_rng(0)
    direction = overlap[0][:, :shared] @ generator.normal(size=shared)
    moves = sheets[0].displacement(sheets[0].tangent @ direction)
    follows = sheets[1].displacement(sheets[0].tangent @ direction)
    step = 1.0 / max(np.abs(moves).max(), np.abs(follows).max())
    gaps = [
        _gap(descriptor, sheets, first.positions + t * step * moves, t * step * follows)
        for t in _STEPS
    ]
    if gaps[1] <= _NOISE:
        return Contact(shared, directions, None)
    return Contact(shared, directions, max(0, round(float(np.log2(gaps[0] / gaps[1]))) - 1))


class _Sheet:
    """One structure with the Jacobian of the features on the displacements they can see."""

    def __init__(self, descriptor: Descriptor, one: Structures, group: Group) -> None:
        self.one = one
        matrix = numerical_jacobian(descriptor, one, 0, full=True)
        matrix = matrix[:, 1:].reshape(len(matrix), -1)
        self.basis = visible_displacements(one, group)
        u, singular, vt = np.linalg.svd(matrix @ self.basis, full_matrices=False)
        kept = singular > 1e-7 * singular[0]
        self.tangent: Array = u[:, kept]
        self.inverse: Array = self.basis @ (vt[kept].T / singular[kept])

    def displacement(self, features: Array) -> Array:
        """Displacement (1, A, 3) that changes the features by their part in the tangent space."""
        moved = (self.inverse @ (self.tangent.T @ features)).reshape(1, -1, 3)
        return np.concatenate([np.zeros((1, 1, 3)), moved], axis=1)


def _gap(descriptor: Descriptor, sheets: list[_Sheet], moved: Array, follow: Array) -> float:
    """Smallest relative difference to the moved first structure that the second one can reach."""
    one = sheets[1].one
    goal = descriptor.evaluate(one.with_positions(moved), [0])[0, 0]
    positions = one.positions + follow
    smallest = float("inf")
    for _ in range(12):
        here = one.with_positions(positions)
        missing = goal - descriptor.evaluate(here, [0])[0, 0]
        size = float(np.linalg.norm(missing) / np.linalg.norm(goal))
        if size > 0.9 * smallest:
            break
        smallest = size
        matrix = numerical_jacobian(descriptor, here, 0, full=True)[:, 1:]
        matrix = matrix.reshape(len(matrix), -1)
        step = np.linalg.lstsq(matrix, missing, rcond=1e-9)[0].reshape(1, -1, 3)
        positions = positions + np.concatenate([np.zeros((1, 1, 3)), step], axis=1)
    return smallest
