"""Real spherical harmonics as polynomials in x, y, z."""

from __future__ import annotations

import math
from functools import cache

import numpy as np
import torch
from torch import Tensor

from symtrip.coupling import clebsch_gordan_table
from symtrip.errors import integer, require
from symtrip.precision import full_precision
from symtrip.tables import ConstantTable

__all__ = ["real_spherical_harmonics", "solid_harmonics"]

_CONSTANT = 0.5 / math.sqrt(math.pi)  # Y_00


def _blocks(x: Tensor, y: Tensor, z: Tensor, rr: Tensor | float, max_angular: int) -> list[Tensor]:
    """Orthonormal r^l Y_lm for l = 0..max_angular; ``rr`` is x^2 + y^2 + z^2."""
    one = torch.ones_like(x)
    cos, sin = [one], [torch.zeros_like(x)]  # rho^m cos(m phi), rho^m sin(m phi)
    for _ in range(max_angular):
        c, s = cos[-1], sin[-1]
        cos.append(x * c - y * s)
        sin.append(x * s + y * c)
    # legendre[m][l]: normalised associated Legendre functions over sin^m, made homogeneous
    legendre: list[dict[int, Tensor]] = []
    sectoral = math.sqrt(0.25 / math.pi)
    for m in range(max_angular + 1):
        if m == 1:
            sectoral *= math.sqrt(3.0)
        elif m > 1:
            sectoral *= math.sqrt((2 * m + 1) / (2 * m))
        column = {m: sectoral * one}
        for n in range(m + 1, max_angular + 1):
            a = math.sqrt((4 * n * n - 1) / (n * n - m * m))
            value = a * z * column[n - 1]
            if n > m + 1:
                b = math.sqrt(
                    (2 * n + 1) * ((n - 1) ** 2 - m * m) / ((2 * n - 3) * (n * n - m * m))
                )
                value = value - b * rr * column[n - 2]
            column[n] = value
        legendre.append(column)
    blocks = []
    for n in range(max_angular + 1):
        rows = [legendre[-m][n] * sin[-m] for m in range(-n, 0)]
        rows.append(legendre[0][n])
        rows += [legendre[m][n] * cos[m] for m in range(1, n + 1)]
        blocks.append(torch.stack(rows, dim=-1))
    return blocks


def _checked(vectors: Tensor, max_angular: int) -> int:
    require(
        vectors.ndim >= 1 and vectors.shape[-1] == 3,
        "vectors",
        "have shape (..., 3)",
        tuple(vectors.shape),
        "put x, y, z on the last axis",
    )
    return integer("max_angular", max_angular, 0, "give the largest l, which is included")


@full_precision
def solid_harmonics(vectors: Tensor, max_angular: int) -> list[Tensor]:
    """Regular solid harmonics r^l Y_lm(r/|r|), polynomials with finite derivatives everywhere.

    Args:
        vectors: (..., 3) in Å.
        max_angular: largest l (included).

    Returns:
        One tensor (..., 2l+1) per l, m = -l..l, in Å^l; dtype and device of ``vectors``.

    Raises:
        InputError: the last axis is not 3, or ``max_angular`` is negative.

    Accuracy:
        <= 4 (l + 1) eps of the norm over m (tests/oracle/test_harmonics.py).

    Source:
        Real, orthonormal, no Condon-Shortley phase: the convention of Bigi, Fraux, Browning,
        Ceriotti, J. Chem. Phys. 159, 064802 (2023).
    """
    max_angular = _checked(vectors, max_angular)
    blocks = harmonic_rows(vectors.reshape(-1, 3).t(), max_angular)
    return [block.t().reshape(*vectors.shape[:-1], len(block)) for block in blocks]


def harmonic_rows(points: Tensor, max_angular: int) -> list[Tensor]:
    """As :func:`solid_harmonics`, unchecked, for points (3, M): per l, (2l + 1, M).

    The long axis is the last one, for speed.
    """
    block = points.new_full((1, points.shape[1]), _CONSTANT)
    blocks, by_row = [block], points.unsqueeze(1)
    for l in range(1, max_angular + 1):
        products = points if l == 1 else (by_row * block.unsqueeze(0)).flatten(0, 1)
        block = torch.mm(_raising(l).like(points), products)
        blocks.append(block)
    return blocks


@cache
def _raising(l: int) -> ConstantTable:
    """(2l + 1, 3 (2l - 1)): the products of x, y, z with order l - 1, coupled to order l.

    For l = 1 those of x, y, z alone.
    """
    coupling = clebsch_gordan_table(1, l - 1, l)
    # (Y_1 x Y_{l-1})^l is proportional to Y_l; the coefficient of m = 0 gives the factor
    scale = coupling[1, l - 1, l] * math.sqrt((2 * l - 1) / (2 * l + 1))
    table = coupling[[2, 0, 1]].reshape(3 * (2 * l - 1), 2 * l + 1).T / scale
    return ConstantTable(np.ascontiguousarray(_CONSTANT * table if l == 1 else table))


def real_spherical_harmonics(vectors: Tensor, max_angular: int) -> list[Tensor]:
    """Real spherical harmonics Y_lm of the directions of ``vectors``.

    Args:
        vectors: (..., 3), any length. For the zero vector the direction is undefined: l = 0 is
            1/sqrt(4 pi), the mean over directions, 0, is returned for l > 0, with zero gradients.
        max_angular: largest l (included).

    Returns:
        One tensor (..., 2l+1) per l, m = -l..l; l = 1 is sqrt(3/4pi) (y, z, x)/r.

    Raises:
        InputError: as :func:`solid_harmonics`.

    Accuracy:
        <= 4 (l + 1) eps of the norm over m (tests/oracle/test_harmonics.py).

    Source:
        As :func:`solid_harmonics`.
    """
    max_angular = _checked(vectors, max_angular)
    # scaling by the largest component first keeps tiny and huge vectors from under- and overflowing
    largest = vectors.detach().abs().amax(dim=-1, keepdim=True)
    zero = largest == 0
    scaled = torch.where(zero, torch.ones_like(vectors), vectors / torch.where(zero, 1, largest))
    unit = scaled / scaled.norm(dim=-1, keepdim=True)
    x, y, z = unit.unbind(-1)
    # P_l changes by l(l+1)/2 dz at the poles: the rounding of |unit| would cost l^2 eps there
    planar = x * x + y * y
    polar = planar < 0.5
    height = (1.0 - torch.where(polar, planar, 0.0)).sqrt()
    z = torch.where(polar, torch.copysign(height, z), z)
    blocks = _blocks(x, y, z, 1.0, max_angular)
    return blocks[:1] + [torch.where(zero, torch.zeros_like(b), b) for b in blocks[1:]]
