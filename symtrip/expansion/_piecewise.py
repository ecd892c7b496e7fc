"""Radial functions as piecewise polynomials in the squared distance."""

from __future__ import annotations

import math
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
CHUNK = 1024
# PyTorch multiplies smaller matrices one number at a time
FEWEST_COLUMNS = 400 // (DEGREE + 1) + 1
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
    """Smooth functions h_nl(u) of u = r^2 on [0, radius^2].

    The pieces are uniform in r and polynomials in u, so that derivatives with respect to the
    vectors exist at r = 0 too and are those of the values. Pieces are halved until the last
    Chebyshev coefficient is below half a unit in the last place of max |h r^l|.

    Args:
        values: maps u, an increasing double-double array (M,), to h in double-double, (L, n, M).
        radius: end of the range in Å.
        spacing: first guess for the width of the pieces in Å.
    """

    _of_square = True  # whether the polynomials' variable is r^2, not r

    def __init__(
        self,
        values: Callable[[DoubleDouble], DoubleDouble],
        *,
        radius: float,
        spacing: float,
    ) -> None:
        super().__init__()
        guess = np.ceil(radius / spacing)  # infinite for a width near the smallest number
        _check_pieces(guess, radius)
        n_pieces = max(4, int(guess))
        while True:
            knots = np.arange(n_pieces + 1, dtype=np.float64) * (radius / n_pieces)
            if self._of_square:
                knots = knots * knots
            coefficients, mid, half = _fit(values, knots)
            size = self._size(mid + half, coefficients.shape[-2])
            scale = (np.abs(coefficients[:, 0]) * size[:, :, None]).max(axis=0)
            tail = np.abs(coefficients[:, -1]) * size[:, :, None] / 2.0 ** (DEGREE - 1)
            if np.all(tail <= 2.0**-54 * scale.max(axis=1)[:, None]):
                break
            n_pieces *= 2
            _check_pieces(n_pieces, radius)
        self.n_pieces = n_pieces
        self.shape = coefficients.shape[-2:]
        padded = np.zeros((n_pieces, DEGREE + 1, max(math.prod(self.shape), FEWEST_COLUMNS)))
        padded[:, :, : math.prod(self.shape)] = coefficients.reshape(n_pieces, DEGREE + 1, -1)
        self._coefficients = ConstantTable(padded.reshape(n_pieces, -1))
        self._mid = ConstantTable(mid)
        self._inverse_half = ConstantTable(1.0 / half)
        self._per_length = n_pieces / radius

    def forward(self, u: Tensor) -> Tensor:
        """h_nl at squared distances ``u`` (M,) in Å^2; returns (M, L, n)."""
        return self._evaluate(u, u.detach().sqrt())

    def _size(self, largest: Array, n_l: int) -> Array:
        """r^l at the end of each piece, (pieces, L)."""
        powers: Array = np.sqrt(largest)[:, None] ** np.arange(n_l)
        return powers

    def _evaluate(self, x: Tensor, r: Tensor) -> Tensor:
        """The polynomials at ``x`` (M,) in the pieces that hold the distances ``r``."""
        if len(x) > CHUNK and not (torch.is_grad_enabled() and x.requires_grad):
            # the coefficients of all points would not stay in the cache
            parts = [slice(start, start + CHUNK) for start in range(0, len(x), CHUNK)]
            return torch.cat([self._evaluate(x[part], r[part]) for part in parts])
        piece = (r * self._per_length).long().clamp_(0, self.n_pieces - 1)
        mid = self._mid.like(x).index_select(0, piece)
        t = (x - mid) * self._inverse_half.like(x).index_select(0, piece)
        table = self._coefficients.like(x).index_select(0, piece)
        rows = table.view(len(t), DEGREE + 1, table.shape[1] // (DEGREE + 1))
        value = torch.bmm(_powers(t).unsqueeze(1), rows)
        return value[..., : math.prod(self.shape)].view(-1, *self.shape)


def _check_pieces(count: float, radius: float) -> None:
    if not count <= MAX_PIECES:
        raise InputError(
            f"`width` must be resolvable with {MAX_PIECES} pieces up to {radius} Å, "
            "got a narrower density; widen it, lower `radius`, or use DeltaDensity."
        )


def _powers(t: Tensor) -> Tensor:
    """t^0 ... t^DEGREE, (M, DEGREE + 1)."""
    if not (torch.is_grad_enabled() and t.requires_grad):
        # its gradient would look at the values; without one it is a single pass
        matrix: Tensor = torch.linalg.vander(t, N=DEGREE + 1)
        return matrix
    powers = [torch.ones_like(t)]
    for _ in range(DEGREE):
        powers.append(powers[-1] * t)
    return torch.stack(powers, dim=1)


class PiecewiseOverPower(PiecewisePolynomials):
    """I_n(r) / r^l of functions I_n that are smooth in r and the same for every l.

    Odd powers of r make them depend on the direction at r = 0, where neighbours cannot be.

    Args:
        values: maps r, an increasing double-double array (M,), to I in double-double, (1, n, M).
        max_angular: largest l.
        radius: end of the range in Å.
        spacing: first guess for the width of the pieces in Å.
    """

    _of_square = False

    def __init__(
        self,
        values: Callable[[DoubleDouble], DoubleDouble],
        *,
        max_angular: int,
        radius: float,
        spacing: float,
    ) -> None:
        super().__init__(values, radius=radius, spacing=spacing)
        self.max_angular = max_angular

    def forward(self, u: Tensor) -> Tensor:
        """I_n / r^l at squared distances ``u`` (M,) in Å^2; 0 for padding; (M, L, n)."""
        real = u > 0
        r = torch.where(real, u, torch.ones_like(u)).sqrt()
        value = self._evaluate(r, r.detach())
        scale = r.reciprocal()[:, None] ** torch.arange(self.max_angular + 1, device=u.device)
        return (scale * real[:, None])[:, :, None] * value

    def _size(self, largest: Array, n_l: int) -> Array:
        return np.ones((len(largest), n_l))


def _fit(
    values: Callable[[DoubleDouble], DoubleDouble], knots: Array
) -> tuple[Array, Array, Array]:
    """Coefficients (pieces, degree + 1, L, n), centres and half widths (pieces,) between knots."""
    n_pieces = len(knots) - 1
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
