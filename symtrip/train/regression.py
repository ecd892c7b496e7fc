"""Gaussian-process regression of energies of degenerate pairs from a kernel matrix."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from symtrip.errors import require

__all__ = ["PairRegression", "regress_pairs"]


@dataclass(frozen=True, eq=False)
class PairRegression:
    """A fitted Gaussian process: energy(A) = shift + scale * sum_s coefficients_s K(A, A_s).

    Attributes:
        coefficients: (2 P,).
        shift: mean of the energies.
        scale: their standard deviation.
        left_out: (P, 2) energies of each pair as predicted from all the others.
    """

    coefficients: Float[Tensor, " structures"]
    shift: float
    scale: float
    left_out: Float[Tensor, "pairs 2"]


def regress_pairs(
    kernel: Float[Tensor, "structures structures"],
    energies: Float[Tensor, "pairs 2"],
    noise: float,
    difference_noise: float,
) -> PairRegression:
    """Fit energies of pairs whose members a kernel hardly tells apart.

    The energies of a pair are noisy in their sum and, independently and much less, in their
    difference: what a smooth model misses is nearly the same for both members.

    Args:
        kernel: (2 P, 2 P) float64, symmetric and positive semidefinite; members of a pair next to
            each other; its diagonal is 1 on average.
        energies: (P, 2), any unit.
        noise: variance of the noise of (E+ + E-) / sqrt 2, in units of the energies' variance.
        difference_noise: the same of (E+ - E-) / sqrt 2.

    Raises:
        InputError: shapes that do not fit, or noise too small for the kernel's rounding errors.

    Accuracy:
        ``left_out`` agrees with P separate fits to 1e-8 of the energies' spread for condition
        numbers up to 1e6 (tests/oracle/test_kernel.py); the error grows in proportion.

    Source:
        Rasmussen & Williams, Gaussian Processes for Machine Learning (2006), Eqs. 2.25 and 5.12,
        the latter for blocks of two.
    """
    count = 2 * len(energies)
    require(
        kernel.shape == (count, count),
        "kernel",
        f"have shape {(count, count)} for {len(energies)} pairs",
        tuple(kernel.shape),
        "give one row and one column for each structure",
    )
    shift, scale = float(energies.mean()), float(energies.std(correction=0))
    y = _sums_and_differences(((energies - shift) / scale).flatten()[:, None].to(kernel))
    matrix = _sums_and_differences(_sums_and_differences(kernel).T.contiguous())
    matrix.diagonal().add_(kernel.new_tensor([noise, difference_noise]).repeat(len(energies)))
    factor, failed = torch.linalg.cholesky_ex(matrix)
    require(
        not int(failed),
        "noise",
        "exceed the rounding errors of the kernel, about 1e-11",
        f"{noise} and {difference_noise}",
        "give larger values",
    )
    weights = torch.cholesky_solve(y, factor)
    inverse = torch.cholesky_inverse(factor)
    first = torch.arange(0, count, 2, device=kernel.device)
    members = torch.stack([first, first + 1], dim=1)
    blocks = inverse[members[:, :, None], members[:, None, :]]
    residual = torch.linalg.solve(blocks, weights.view(-1, 2, 1)).view(-1, 1)
    left_out = _sums_and_differences(y - residual).view(-1, 2)
    return PairRegression(
        coefficients=_sums_and_differences(weights)[:, 0],
        shift=shift,
        scale=scale,
        left_out=shift + scale * left_out,
    )


def _sums_and_differences(rows: Tensor) -> Tensor:
    """Rows a, b of each pair become (a + b) / sqrt 2 and (a - b) / sqrt 2; its own inverse."""
    a, b = rows[0::2], rows[1::2]
    result: Tensor = torch.stack([a + b, a - b], dim=1).flatten(0, 1) * 0.5**0.5
    return result
