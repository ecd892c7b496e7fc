"""The two-ring family: environments that all density correlations of low order confuse.

    U_i = (r cos p_i, r sin p_i, z1),  L_i = (r cos(p_i + psi), r sin(p_i + psi), -z1),
    apex of A+ = (0, 0, z2),           apex of A- = (0, 0, -z2).

The centre sits at the origin. All invariants of correlation order nu <= 3 agree on A+ and A-, for
every ring size and all angles; with the ring angles 30 degrees times ``Z12_RING`` those of order
nu = 4 agree as well. :mod:`symtrip.degenerate.exceptional` says when A+ and A- are congruent.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import reduce

import torch
from jaxtyping import Float, Int
from torch import Tensor

from symtrip.errors import InputError, require

__all__ = [
    "Z12_RING",
    "Angles",
    "Scalar",
    "two_ring_arguments",
    "two_ring_jacobian",
    "two_ring_numbers",
    "two_ring_pair",
    "z12_angles",
]

Scalar = float | Tensor
Angles = Tensor | Sequence[float]

Z12_RING = (0, 1, 3, 4, 5, 8)
"""Occupied twelfths of a chiral ring whose 3-subsets equal those of its mirror image."""


def two_ring_pair(
    r: Scalar, z1: Scalar, z2: Scalar, psi: Scalar, angles: Angles
) -> tuple[Float[Tensor, "*batch atoms 3"], Float[Tensor, "*batch atoms 3"]]:
    """Positions of both members of a two-ring pair.

    Args:
        r: radius of both rings in Å; a number or a tensor of any shape ``batch``.
        z1: height of ring U above (and of ring L below) the centre in Å.
        z2: distance of the apex from the centre in Å, along +z in A+ and along -z in A-.
        psi: angle in rad by which ring L is turned against ring U.
        angles: azimuths of the atoms of ring U in rad, shape (*batch, n); any n >= 1. The leading
            shapes of all five arguments broadcast.

    Returns:
        A+ and A-, each (*batch, 2n + 2, 3) in Å: centre (at the origin), ring U, ring L, apex.
        Their dtype is the widest among the tensors given (float64 if all arguments are numbers);
        differentiable with respect to every argument.

    Raises:
        InputError: a value is not finite, a tensor is not of floating dtype, ``angles`` is empty,
            or the leading shapes do not broadcast.

    Accuracy:
        coordinates within 4 eps (r + |z1| + |z2|) for angles of a few turns.

    Source:
        Pozdnyakov et al., PRL 125, 166001 (2020), Fig. 2(f); Nigam et al., APL Mach. Learn. 2,
        016110 (2024), supplementary section IV.
    """
    r, z1, z2, psi, angles = two_ring_arguments(r, z1, z2, psi, angles)
    azimuth = torch.cat([angles, angles + psi[..., None]], dim=-1)
    height = z1[..., None].expand_as(angles)
    rings = torch.stack(
        [
            r[..., None] * torch.cos(azimuth),
            r[..., None] * torch.sin(azimuth),
            torch.cat([height, -height], dim=-1),
        ],
        dim=-1,
    )
    zero = torch.zeros_like(z2)
    center = torch.stack([zero, zero, zero], dim=-1)[..., None, :]
    apex = torch.stack([zero, zero, z2], dim=-1)[..., None, :]
    return torch.cat([center, rings, apex], dim=-2), torch.cat([center, rings, -apex], dim=-2)


def two_ring_jacobian(
    r: Scalar, z1: Scalar, z2: Scalar, psi: Scalar, angles: Angles
) -> tuple[Float[Tensor, "*batch atoms 3 parameters"], Float[Tensor, "*batch atoms 3 parameters"]]:
    """Analytic derivatives of :func:`two_ring_pair` with respect to all its parameters.

    Args:
        r: as in :func:`two_ring_pair`.
        z1: as there.
        z2: as there.
        psi: as there.
        angles: as there.

    Returns:
        Derivatives of the positions of A+ and of A-, each (*batch, 2n + 2, 3, 4 + n): the last axis
        runs over r, z1, z2 (Å/Å), psi and the n ring angles (Å/rad).

    Raises:
        InputError: as :func:`two_ring_pair`.

    Accuracy:
        within 4 eps (1 + r) of the exact derivative.
    """
    r, z1, z2, psi, angles = two_ring_arguments(r, z1, z2, psi, angles)
    n = angles.shape[-1]
    azimuth = torch.cat([angles, angles + psi[..., None]], dim=-1)
    cos, sin = torch.cos(azimuth), torch.sin(azimuth)
    plus = azimuth.new_zeros(*r.shape, 2 * n + 2, 3, 4 + n)
    rings = plus[..., 1 : 2 * n + 1, :, :]
    rings[..., 0, 0], rings[..., 1, 0] = cos, sin
    rings[..., :n, 2, 1], rings[..., n:, 2, 1] = 1.0, -1.0
    dx, dy = -r[..., None] * sin, r[..., None] * cos
    rings[..., n:, 0, 3], rings[..., n:, 1, 3] = dx[..., n:], dy[..., n:]
    for i in range(n):
        for atom in (i, n + i):
            rings[..., atom, 0, 4 + i], rings[..., atom, 1, 4 + i] = dx[..., atom], dy[..., atom]
    minus = plus.clone()
    plus[..., -1, 2, 2], minus[..., -1, 2, 2] = 1.0, -1.0
    return plus, minus


def two_ring_numbers(
    n: int, *, center: int = 5, ring: int = 5, apex: int = 5
) -> Int[Tensor, " atoms"]:
    """Atomic numbers of a two-ring pair, in the order of :func:`two_ring_pair`.

    Args:
        n: number of atoms in one ring.
        center: atomic number of the centre; boron by default, as in the paper's data set.
        ring: atomic number of both rings. Rings of different species are not degenerate.
        apex: atomic number of the apex.

    Returns:
        int64 tensor (2n + 2,): centre, ring U, ring L, apex.

    Raises:
        InputError: ``n`` < 1, or an atomic number outside 1..118.
    """
    require(n >= 1, "n", "be at least 1", n, "give the number of atoms of one ring")
    for name, number in (("center", center), ("ring", ring), ("apex", apex)):
        require(1 <= number <= 118, name, "be an atomic number in 1..118", number, "e.g. 5 (boron)")
    return torch.tensor([center, *[ring] * (2 * n), apex], dtype=torch.int64)


def z12_angles(
    *, dtype: torch.dtype = torch.float64, device: torch.device | str | None = None
) -> Float[Tensor, " 6"]:
    """Ring angles in rad for which A+ and A- agree up to nu = 4 (13 neighbours).

    Args:
        dtype: dtype of the angles.
        device: device of the angles.

    Returns:
        30 degrees times :data:`Z12_RING`, shape (6,); r, z1, z2 and psi stay free.

    Source:
        Lifting theorem of the documentation's theory page; the deck property of the ring was found
        by exhaustive search over subsets of Z_n. Compare Keleti & Kolountzakis (2006).
    """
    return torch.tensor([math.pi * k / 6 for k in Z12_RING], dtype=dtype, device=device)


def two_ring_arguments(
    r: Scalar, z1: Scalar, z2: Scalar, psi: Scalar, angles: Angles
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """Check the five arguments of the family and broadcast them.

    Args:
        r: as in :func:`two_ring_pair`.
        z1: as there.
        z2: as there.
        psi: as there.
        angles: as there.

    Returns:
        r, z1, z2, psi (*batch) and the angles (*batch, n), of one dtype.

    Raises:
        InputError: as :func:`two_ring_pair`.
    """
    given = {"r": r, "z1": z1, "z2": z2, "psi": psi, "angles": angles}
    tensors = [value for value in given.values() if isinstance(value, Tensor)]
    dtype = reduce(torch.promote_types, [t.dtype for t in tensors]) if tensors else torch.float64
    require(
        dtype.is_floating_point,
        "r, z1, z2, psi, angles",
        "be of floating dtype",
        dtype,
        "convert the tensors with .to(torch.float64)",
    )
    device = tensors[0].device if tensors else None
    out = [torch.as_tensor(value, dtype=dtype, device=device) for value in given.values()]
    for name, tensor in zip(given, out, strict=True):
        require(
            bool(torch.isfinite(tensor).all()),
            name,
            "be finite",
            tensor.detach()[~torch.isfinite(tensor.detach())].flatten()[:1].tolist(),
            "remove the rows with NaN or infinity",
        )
    require(
        out[4].ndim >= 1 and out[4].shape[-1] >= 1,
        "angles",
        "hold at least one ring atom on its last axis",
        f"shape {tuple(out[4].shape)}",
        "give a tensor (..., n)",
    )
    try:
        shape = (out[0] + out[1] + out[2] + out[3] + out[4][..., 0]).shape
    except RuntimeError as error:
        raise InputError(
            "`r, z1, z2, psi, angles` must have leading shapes that broadcast, got "
            f"{[tuple(t.shape) for t in out]}; angles has the ring atoms on its last axis."
        ) from error
    ring = out[4].shape[-1]
    r, z1, z2, psi = (tensor.expand(shape) for tensor in out[:4])
    return r, z1, z2, psi, out[4].expand(*shape, ring)
