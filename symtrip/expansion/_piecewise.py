"""Radial functions as piecewise polynomials in the squared distance."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from symtrip.errors import InputError
from symtrip.expansion._doubledouble import DoubleDouble, from_exact
from symtrip.tables import ConstantTable

__all__ = ["PiecewisePolynomials", "PolynomialsInSquare"]

DEGREE = 12
MAX_PIECES = 4096
Array = NDArray[np.float64]


@lru_cache(maxsize=4)
def _interpolation(degree: int) -> tuple[Array, DoubleDouble]:
    """Chebyshev nodes in float64 and the exact matrix from values to monomial coefficients."""
    nodes = np.cos(np.pi * (2 * np.arange(degree + 1) + 1) / (2 * degree + 2))
    exact = [Fraction(x) for x in nodes]
    columns = []
    for i, x in enumerate(exact):
        lagrange, denominator = [Fraction(1)], Fraction(1)
        for j, y in enumerate(exact):
            if i != j:
                shifted = [Fraction(0), *lagrange]
                for k, value in enumerate(lagrange):
                    shifted[k] -= y * value
                lagrange, denominator = shifted, denominator * (x - y)
        columns.append([value / denominator for value in lagrange])
    return nodes, from_exact([list(row) for row in zip(*columns, strict=True)])


class PiecewisePolynomials(nn.Module):
    """Smooth functions h_nl(u) of u = r^2 on [0, radius^2], evaluated by Horner's rule.

    The pieces are uniform in r and polynomials in u, so that derivatives with respect to the
    vectors exist at r = 0 too and are those of the values. Pieces are halved until the last
    Chebyshev coefficient is below half a unit in the last place of max |h r^l|.

    Args:
        values: maps u, a double-double array (M,), to h in double-double, (L, n, M).
        radius: end of the range in Å.
        spacing: first guess for the width of the pieces in Å.
    """

    def __init__(
        self, values: Callable[[DoubleDouble], DoubleDouble], *, radius: float, spacing: float
    ) -> None:
        super().__init__()
        n_pieces = max(4, int(np.ceil(radius / spacing)))
        while True:
            coefficients, mid, half = _fit(values, radius, n_pieces)
            size = np.sqrt(mid + half)[:, None] ** np.arange(coefficients.shape[-2])
            scale = (np.abs(coefficients[:, 0]) * size[:, :, None]).max(axis=0)
            tail = np.abs(coefficients[:, -1]) * size[:, :, None] / 2.0 ** (DEGREE - 1)
            if np.all(tail <= 2.0**-54 * scale.max(axis=1)[:, None]):
                break
            n_pieces *= 2
            if n_pieces > MAX_PIECES:
                raise InputError(
                    f"`width` must be resolvable with {MAX_PIECES} pieces up to {radius} Å, "
                    "got a narrower density; widen it, lower `radius`, or use DeltaDensity."
                )
        self.n_pieces = n_pieces
        self.shape = coefficients.shape[-2:]
        self._coefficients = ConstantTable(coefficients.reshape(n_pieces, DEGREE + 1, -1))
        self._mid = ConstantTable(mid)
        self._inverse_half = ConstantTable(1.0 / half)
        self._per_length = n_pieces / radius

    def forward(self, u: Tensor) -> Tensor:
        """h_nl at squared distances ``u`` (M,) in Å^2; returns (M, L, n)."""
        piece = (u.detach().sqrt() * self._per_length).long().clamp_(0, self.n_pieces - 1)
        t = (u - self._mid.like(u)[piece]) * self._inverse_half.like(u)[piece]
        powers = [torch.ones_like(t)]
        for _ in range(DEGREE):
            powers.append(powers[-1] * t)
        table = self._coefficients.like(u)[piece]
        value = torch.einsum("md,mdf->mf", torch.stack(powers, dim=1), table)
        return value.reshape(-1, *self.shape)


def _fit(
    values: Callable[[DoubleDouble], DoubleDouble], radius: float, n_pieces: int
) -> tuple[Array, Array, Array]:
    """Coefficients (pieces, degree + 1, L, n), centres and half widths (pieces,) in u."""
    knots = (np.arange(n_pieces + 1) * (radius / n_pieces)) ** 2
    mid, half = (knots[1:] + knots[:-1]) / 2, (knots[1:] - knots[:-1]) / 2
    nodes, matrix = _interpolation(DEGREE)
    u = DoubleDouble.of(mid[:, None]) + DoubleDouble.of(half[:, None]) * DoubleDouble.of(nodes)
    u = DoubleDouble(u.hi[:, ::-1].ravel(), u.lo[:, ::-1].ravel())  # the nodes decrease
    sampled = values(u)
    shape = (*sampled.hi.shape[:2], n_pieces, DEGREE + 1)
    sampled = DoubleDouble(sampled.hi.reshape(shape), sampled.lo.reshape(shape))[..., ::-1]
    rows = []
    for row in range(DEGREE + 1):
        total = sampled[..., 0] * matrix[row, 0]
        for column in range(1, DEGREE + 1):
            total = total + sampled[..., column] * matrix[row, column]
        rows.append(total.hi)
    return np.stack(rows).transpose(3, 0, 1, 2).copy(), mid, half


class PolynomialsInSquare(nn.Module):
    """Polynomials h_nl(u) = sum_k c[k, l, n] u^k over the whole range.

    Args:
        coefficients: (degree + 1, L, n).
    """

    def __init__(self, coefficients: Array) -> None:
        super().__init__()
        self.shape = coefficients.shape[-2:]
        self._coefficients = ConstantTable(coefficients.reshape(len(coefficients), -1))

    def forward(self, u: Tensor) -> Tensor:
        """h_nl at squared distances ``u`` (M,) in Å^2; returns (M, L, n)."""
        table = self._coefficients.like(u)
        value = table[-1].expand(u.shape[0], -1)
        for k in range(table.shape[0] - 2, -1, -1):
            value = table[k] + u[:, None] * value
        return value.reshape(-1, *self.shape)
