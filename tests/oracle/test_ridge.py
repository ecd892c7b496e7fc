"""The closed form of ridge regression against its normal equations in 40 digits."""

from __future__ import annotations

import mpmath
import pytest
import torch
from torch import Tensor

from symtrip.train.structures import ridge

EPS = torch.finfo(torch.float64).eps
NOISE = (1e-6, 1e-3, 1.0)


def exact(columns: Tensor, free: Tensor, values: Tensor, noise: float) -> tuple[Tensor, Tensor]:
    """What ridge regression predicts, and its penalised coefficients."""
    with mpmath.workdps(40):
        x, c, y = (mpmath.matrix(m.tolist()) for m in (columns, free, values[:, None]))
        onto = c * (c.T * c) ** -1 * c.T
        inside = x - onto * x
        scale = sum(v**2 for v in inside) / len(values)
        penalty = mpmath.mpf(noise) * scale * mpmath.eye(columns.shape[1])
        b = mpmath.lu_solve(inside.T * inside + penalty, inside.T * (y - onto * y))
        predicted = onto * (y - x * b) + x * b
        return (
            torch.tensor([float(v) for v in predicted], dtype=torch.float64),
            torch.tensor([float(v) for v in b], dtype=torch.float64),
        )


@pytest.mark.parametrize("width", [6, 9, 17])
def test_fits_solve_the_normal_equations(width: int) -> None:
    generator = torch.Generator().manual_seed(width)
    columns = torch.randn(9, width, dtype=torch.float64, generator=generator) + 2.0
    free = torch.rand(9, 2, dtype=torch.float64, generator=generator)
    values = torch.randn(9, dtype=torch.float64, generator=generator)
    for fit in ridge(columns, free, values, NOISE):
        predicted, coefficients = exact(columns, free, values, fit.noise)
        budget = 256 * EPS / fit.noise  # the condition of the penalised equations
        assert (fit.coefficients - coefficients).abs().max() <= budget * coefficients.abs().max()
        found = free @ fit.free + columns @ fit.coefficients
        assert (found - predicted).abs().max() <= budget * predicted.abs().max()


def test_more_noise_means_smaller_coefficients_and_free_columns_are_not_penalised() -> None:
    generator = torch.Generator().manual_seed(0)
    columns = torch.randn(8, 30, dtype=torch.float64, generator=generator)
    free = torch.ones(8, 1, dtype=torch.float64)
    values = torch.randn(8, dtype=torch.float64, generator=generator) + 1e3
    fits = ridge(columns, free, values, (1e-8, 1e-2, 1e8))
    sizes = [float(fit.coefficients.norm()) for fit in fits]
    assert sizes == sorted(sizes, reverse=True)
    assert abs(float(fits[-1].free) - float(values.mean())) <= 1e-5
    residual = values - free @ fits[0].free - columns @ fits[0].coefficients
    assert residual.abs().max() <= 1e-6


def test_free_columns_may_depend_on_each_other() -> None:
    generator = torch.Generator().manual_seed(1)
    columns = torch.randn(9, 4, dtype=torch.float64, generator=generator)
    one = torch.ones(9, 1, dtype=torch.float64)
    values = torch.randn(9, dtype=torch.float64, generator=generator)
    (twice,) = ridge(columns, one.expand(-1, 2), values, (1e-3,))
    (once,) = ridge(columns, one, values, (1e-3,))
    assert (twice.coefficients - once.coefficients).abs().max() <= 64 * EPS
    assert (twice.free - once.free / 2).abs().max() <= 64 * EPS
