"""From derivatives with respect to neighbour vectors to forces on atoms."""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor

from symtrip.environments import Environments

__all__ = ["atomic_forces", "strain_derivatives", "vector_gradient"]


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


def strain_derivatives(
    environments: Environments,
    gradient: Float[Tensor, "environments neighbors 3"],
    n_structures: int,
) -> Float[Tensor, "structures 3 3"]:
    """Derivatives of the structures' energies with respect to homogeneous strain.

    A strain e moves every vector v by e @ v. In a crystal, this over the volume of the cell is the
    stress, tension positive.

    Args:
        environments: E environments; ``structure`` counts from 0.
        gradient: (E, N, 3) derivative of the energy with respect to ``environments.vectors``.
        n_structures: S.

    Returns:
        (S, 3, 3), symmetric up to rounding, in the unit of the energy; differentiable to
        ``gradient``.
    """
    each = gradient.mT @ environments.vectors.detach()
    total = gradient.new_zeros(n_structures, 3, 3)
    return total.index_add(0, environments.structure, each)


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
