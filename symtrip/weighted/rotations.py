"""Rotations of real spherical harmonics that turn a direction onto the z axis."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from symtrip.coupling import clebsch_gordan_table
from symtrip.tables import ConstantTable

__all__ = ["LocalFrames", "frame_order", "generators"]


def frame_order(l: int) -> list[int]:
    """All m in the order of a local frame: 0, 1, -1, 2, -2, ..., l, -l."""
    return [0, *(sign * m for m in range(1, l + 1) for sign in (1, -1))]


def generators(l: int) -> np.ndarray:
    """Derivatives of rotations about x, y and z at angle 0, (3, 2l+1, 2l+1), m = -l..l.

    A vector operator on the harmonics of one l is a multiple of (l x 1 -> l); the multiple follows
    from the eigenvalues, which are i m.
    """
    # components of l = 1 are y, z, x
    tables = clebsch_gordan_table(l, 1, l).transpose(1, 2, 0)[[2, 0, 1]]
    largest = np.linalg.eigvalsh(1j * tables[0]).max() if l else 1.0
    return tables * (l / largest)


class LocalFrames:
    """Matrices that act on (2l+1) components and turn given directions onto the z axis.

    A rotation by -phi about z, which mixes m with -m, then one by -theta about y, whose matrices
    are trigonometric polynomials in theta with constant coefficients.

    Args:
        max_angular: largest l.

    Accuracy:
        <= 8 (l + 1) eps for every element (tests/property/test_rotations.py).
    """

    def __init__(self, max_angular: int) -> None:
        self.max_angular = max_angular
        cosines, sines, orders = [], [], []
        for l in range(max_angular + 1):
            table = _about_y(l, max_angular)[:, [l + m for m in frame_order(l)]]
            m = np.arange(-l, l + 1)
            cosines.append(table.reshape(len(table), -1))
            sines.append((-np.sign(m) * table[:, :, ::-1]).reshape(len(table), -1))
            orders.append(np.tile(np.abs(m), 2 * l + 1))
        self._cosines = ConstantTable(np.concatenate(cosines, axis=1))
        self._sines = ConstantTable(np.concatenate(sines, axis=1))
        self._orders = ConstantTable(np.concatenate(orders))

    def __call__(self, directions: Float[Tensor, "*items 3"]) -> list[Tensor]:
        """The matrices.

        Args:
            directions: vectors of any length; zero stands for z.

        Returns:
            Per l, (..., 2l+1, 2l+1): rows in the order of :func:`frame_order`, columns m = -l..l.
        """
        x, y, z = directions.unbind(-1)
        across = torch.hypot(x, y)
        length = torch.hypot(across, z)
        whole = torch.stack([length, across])  # of theta and of phi
        cosines, sines = self._multiples(
            _ratio(torch.stack([z, x]), whole, 1.0), _ratio(torch.stack([across, y]), whole, 0.0)
        )
        powers = torch.cat([cosines[0], sines[0, ..., 1:]], dim=-1)
        orders = self._orders.like(directions)
        flat = (powers @ self._cosines.like(directions)) * cosines[1].index_select(-1, orders)
        flat += (powers @ self._sines.like(directions)) * sines[1].index_select(-1, orders)
        sizes = [2 * l + 1 for l in range(self.max_angular + 1)]
        blocks = torch.split(flat, [size**2 for size in sizes], dim=-1)
        return [b.view(*b.shape[:-1], s, s) for b, s in zip(blocks, sizes, strict=True)]

    def _multiples(self, cosine: Tensor, sine: Tensor) -> tuple[Tensor, Tensor]:
        """Cosines and sines of 0, 1, ..., max_angular times an angle."""
        cosines, sines = [torch.ones_like(cosine)], [torch.zeros_like(sine)]
        for _ in range(self.max_angular):
            c, s = cosines[-1], sines[-1]
            cosines.append(c * cosine - s * sine)
            sines.append(s * cosine + c * sine)
        return torch.stack(cosines, dim=-1), torch.stack(sines, dim=-1)


def _about_y(l: int, max_angular: int) -> np.ndarray:
    """Coefficients of 1, cos theta, ..., sin theta, ... in the rotation by -theta about y."""
    size = 2 * l + 1
    table = np.zeros((2 * max_angular + 1, size, size))
    values, vectors = np.linalg.eigh(1j * generators(l)[1])
    for value, vector in zip(values, vectors.T, strict=True):
        m, projector = round(value), np.outer(vector, vector.conj())
        # exp(-theta G) of G = -i m on this vector
        table[abs(m)] += projector.real
        if m:
            table[max_angular + abs(m)] -= np.sign(m) * projector.imag
    return table


def _ratio(part: Tensor, whole: Tensor, otherwise: float) -> Tensor:
    """Quotient, ``otherwise`` where whole = 0."""
    safe = torch.where(whole > 0, whole, 1.0)
    return torch.where(whole > 0, part / safe, otherwise)
