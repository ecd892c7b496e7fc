"""The sampling of the paper's B8 data set: pairs of the two-ring family with three-atom rings."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor

from symtrip.degenerate.two_ring import two_ring_jacobian, two_ring_pair
from symtrip.errors import require

__all__ = [
    "B8_PARAMETERS",
    "accept_b8",
    "b8_arguments",
    "b8_jacobian",
    "b8_pair",
    "sample_b8_parameters",
]

B8_PARAMETERS = ("r", "z1", "z2", "psi", "phi1", "phi2")
"""Names of the six parameters: three lengths in Å, three angles in rad."""

_LOW = np.array([0.5, 0.5, 1.5, 0.0, np.pi / 6, np.pi / 6])
_HIGH = np.array([2.0, 2.0, 1.8, np.pi, np.pi, np.pi])
_CENTER_DISTANCE = (1.5, 1.8)
_SHORTEST_DISTANCE = 1.2
_DRAWS_AT_ONCE = 1 << 16


def accept_b8(parameters: NDArray[np.float64]) -> NDArray[np.bool_]:
    """The acceptance rule of the data set, in the one place that states it.

    A draw is kept when every atom is between 1.5 and 1.8 Å from the centre and no two atoms are
    within 1.2 Å of each other (A+ and A- have the same distances). All bounds are strict.

    Args:
        parameters: (..., 6), in the order of :data:`B8_PARAMETERS`.

    Returns:
        (...) bool.
    """
    r, z1, z2, psi, phi1, phi2 = np.moveaxis(parameters, -1, 0)
    low, high = _CENTER_DISTANCE
    ring = np.sqrt(r**2 + z1**2)
    accepted: NDArray[np.bool_] = (ring > low) & (ring < high) & (z2 > low) & (z2 < high)
    for height in (z2 - z1, z2 + z1):
        accepted &= np.sqrt(r**2 + height**2) > _SHORTEST_DISTANCE
    angles = (np.zeros_like(phi1), phi1, phi1 + phi2)
    for i in range(3):
        for j in range(i):
            chord = 2.0 * r * np.abs(np.sin((angles[i] - angles[j]) / 2))
            accepted &= chord > _SHORTEST_DISTANCE
        for j in range(3):
            chord = 2.0 * r * np.sin((angles[i] - angles[j] - psi) / 2)
            accepted &= np.sqrt(chord**2 + 4.0 * z1**2) > _SHORTEST_DISTANCE
    return accepted


def sample_b8_parameters(n_pairs: int, seed: int = 12345) -> NDArray[np.float64]:
    """Draw parameters of B8 pairs by rejection, exactly as the paper's data set was drawn.

    Args:
        n_pairs: number of accepted draws wanted, >= 0. A longer sample starts with the shorter one.
        seed: seed of the generator; 12345 gives the paper's data set bit for bit.

    Returns:
        (n_pairs, 6) float64, columns :data:`B8_PARAMETERS`. The ring angles of a pair are
        (0, phi1, phi1 + phi2).

    Raises:
        InputError: ``n_pairs`` < 0, or ``seed`` outside 0 .. 2^32 - 1.

    Source:
        Nigam et al., APL Mach. Learn. 2, 016110 (2024), supplementary section IV, and the
        structures archived with it (numpy's legacy Mersenne Twister stream, six uniforms per draw).
    """
    require(n_pairs >= 0, "n_pairs", "be at least 0", n_pairs, "give the number of pairs wanted")
    require(0 <= seed < 2**32, "seed", "lie in 0 .. 2^32 - 1", seed, "the paper's is 12345")
    # The legacy generator is the data set's definition: numpy promises never to change its stream.
    generator = np.random.RandomState(seed)
    accepted, count = [np.empty((0, 6))], 0
    while count < n_pairs:
        drawn = generator.uniform(_LOW, _HIGH, size=(_DRAWS_AT_ONCE, 6))
        kept = drawn[accept_b8(drawn)]
        accepted.append(kept)
        count += len(kept)
    return np.concatenate(accepted)[:n_pairs]


def b8_pair(
    parameters: Tensor,
) -> tuple[Float[Tensor, "*batch 8 3"], Float[Tensor, "*batch 8 3"]]:
    """Positions of both members of B8 pairs.

    Args:
        parameters: (*batch, 6), columns :data:`B8_PARAMETERS`.

    Returns:
        A+ and A-, each (*batch, 8, 3) in Å: centre (at the origin), ring U, ring L, apex.
        Differentiable; dtype and device of ``parameters``.

    Raises:
        InputError: ``parameters`` is not (..., 6) or holds a value that is not finite.
    """
    return two_ring_pair(*b8_arguments(parameters))


def b8_jacobian(
    parameters: Tensor,
) -> tuple[Float[Tensor, "*batch 8 3 6"], Float[Tensor, "*batch 8 3 6"]]:
    """Analytic derivatives of :func:`b8_pair` with respect to the six parameters.

    Args:
        parameters: (*batch, 6), columns :data:`B8_PARAMETERS`.

    Returns:
        Derivatives of A+ and of A-, each (*batch, 8, 3, 6), in Å/Å and Å/rad.

    Raises:
        InputError: as :func:`b8_pair`.
    """
    # phi1 turns the second and the third ring atom, phi2 the third one only.
    chain = torch.zeros(7, 6, dtype=parameters.dtype, device=parameters.device)
    chain[:4, :4] = torch.eye(4, dtype=parameters.dtype, device=parameters.device)
    chain[5, 4] = chain[6, 4] = chain[6, 5] = 1.0
    plus, minus = two_ring_jacobian(*b8_arguments(parameters))
    return plus @ chain, minus @ chain


def b8_arguments(parameters: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """The arguments of :func:`symtrip.degenerate.two_ring_pair` for B8 pairs.

    Args:
        parameters: (*batch, 6), columns :data:`B8_PARAMETERS`.

    Returns:
        r, z1, z2, psi, each (*batch), and the ring angles (0, phi1, phi1 + phi2), (*batch, 3).

    Raises:
        InputError: ``parameters`` is not (..., 6).
    """
    require(
        parameters.ndim >= 1 and parameters.shape[-1] == 6,
        "parameters",
        "have six columns (r, z1, z2, psi, phi1, phi2)",
        f"shape {tuple(parameters.shape)}",
        "see symtrip.degenerate.sample_b8_parameters",
    )
    r, z1, z2, psi, phi1, phi2 = parameters.unbind(-1)
    return r, z1, z2, psi, torch.stack([torch.zeros_like(phi1), phi1, phi1 + phi2], dim=-1)
