"""From derivatives with respect to neighbour vectors to forces on atoms."""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor

from symtrip.environments import Environments

__all__ = ["atomic_forces", "vector_gradient"]


def vector_gradient(
    energies: Float[Tensor, " environments"],
    vectors: Float[Tensor, "environments neighbors 3"],
    *,
    differentiable: bool = False,
) -> Float[Tensor, "environments neighbors 3"]:
    """Derivative of the sum of energies with respect to neighbour vectors.

    Args:
        energies: (E,), computed from ``vectors``.
        vectors: (E, N, 3) that require gradients; N may be 0.
        differentiable: whether the result is to be differentiable, as training on forces needs.

    Returns:
        (E, N, 3); 0 where no energy depends on a vector.
    """
    if not (energies.requires_grad and vectors.numel()):
        return torch.zeros_like(vectors)
    (gradient,) = torch.autograd.grad(energies.sum(), vectors, create_graph=differentiable)
    return gradient


def atomic_forces(
    environments: Environments,
    gradient: Float[Tensor, "environments neighbors 3"],
    first_atom: Int[Tensor, " structures_and_end"],
) -> Float[Tensor, "atoms 3"]:
    """Forces on the atoms of all structures, one structure after the other.

    Args:
        environments: E environments; ``structure`` counts from 0.
        gradient: (E, N, 3) derivative of the energy with respect to ``environments.vectors``.
        first_atom: (S + 1,) number of each structure's first atom, and the number of all atoms.

    Returns:
        (A, 3), differentiable to ``gradient``. Each structure's forces add up to zero.
    """
    mask = environments.mask
    offset = first_atom[environments.structure]
    neighbor = (offset[:, None] + environments.neighbor)[mask]
    forces = gradient.new_zeros(int(first_atom[-1]), 3)
    forces = forces.index_add(0, neighbor, -gradient[mask])
    return forces.index_add(0, offset + environments.center, gradient.sum(dim=1))
