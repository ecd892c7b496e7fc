"""Regression of energies of degenerate pairs in closed form: with a kernel, or linear."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from symtrip.errors import require

__all__ = [
    "LinearPairRegression",
    "PairMoments",
    "PairRegression",
    "regress_pairs",
    "sums_and_differences",
]


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
    y = sums_and_differences(((energies - shift) / scale).flatten()[:, None].to(kernel))
    matrix = sums_and_differences(sums_and_differences(kernel).T.contiguous())
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
    left_out = sums_and_differences(y - residual).view(-1, 2)
    return PairRegression(
        coefficients=sums_and_differences(weights)[:, 0],
        shift=shift,
        scale=scale,
        left_out=shift + scale * left_out,
    )


@dataclass(frozen=True, eq=False)
class LinearPairRegression:
    """A linear model: energy = intercept + features @ coefficients.

    Attributes:
        coefficients: (q,).
        intercept: in the unit of the energies.
    """

    coefficients: Float[Tensor, " q"]
    intercept: float

    def __call__(self, features: Float[Tensor, "*structures q"]) -> Float[Tensor, "*structures"]:
        """Energies."""
        energies: Tensor = self.intercept + features.to(self.coefficients) @ self.coefficients
        return energies


class PairMoments:
    """What linear regressions of pairs need to know of a training set, for any noise and scaling.

    The model is that of :func:`regress_pairs` with the kernel X X^T, where X are the features less
    their means, times one factor for each column, times one factor that makes the mean of the
    diagonal 1.

    Args:
        features: (P, 2, q).
        energies: (P, 2), any unit.

    Attributes:
        deviation: (q,) standard deviation of each column.

    Accuracy:
        energies agree with :func:`regress_pairs` to 1e-9 of their spread for condition numbers up
        to 1e6 (tests/oracle/test_kernel.py).

    Source:
        Rasmussen & Williams, Gaussian Processes for Machine Learning (2006), Eq. 2.8.
    """

    def __init__(
        self, features: Float[Tensor, "pairs 2 q"], energies: Float[Tensor, "others 2"]
    ) -> None:
        require(
            energies.shape == features.shape[:2] and len(energies) > 0,
            "energies",
            f"have shape {tuple(features.shape[:2])}, at least one pair",
            tuple(energies.shape),
            "give one energy for each member of each pair",
        )
        x, y = features.flatten(0, 1).double(), energies.flatten().double()
        self._center, self._shift = x.mean(dim=0), float(y.mean())
        self._scale = float(y.std(correction=0))
        x = sums_and_differences(x - self._center)
        y = sums_and_differences(((y - self._shift) / self._scale)[:, None])[:, 0]
        sums, differences = (x[0::2], y[0::2]), (x[1::2], y[1::2])
        self._moments = [(a.T @ a, a.T @ b) for a, b in (sums, differences)]
        squares = self._moments[0][0].diagonal() + self._moments[1][0].diagonal()
        self.deviation = (squares / len(x)).sqrt()

    def solve(
        self, noise: float, difference_noise: float, factors: Float[Tensor, " q"] | None = None
    ) -> LinearPairRegression:
        """The regression with these settings.

        Args:
            noise: as in :func:`regress_pairs`.
            difference_noise: the same.
            factors: of the columns; None: 1.

        Raises:
            InputError: noise too small for the rounding errors of the moments.
        """
        factors = torch.ones_like(self.deviation) if factors is None else factors.double()
        factors = factors / (factors * self.deviation).norm()
        (sums, y_sums), (differences, y_differences) = self._moments
        ratio = noise / difference_noise
        # multiplied by the noise, so that nothing is larger than the moments themselves
        matrix = factors[:, None] * (sums + ratio * differences) * factors
        matrix.diagonal().add_(noise)
        factor, failed = torch.linalg.cholesky_ex(matrix)
        require(
            not int(failed),
            "noise",
            "exceed the rounding errors of the moments, about 1e-13 of the number of pairs",
            f"{noise} and {difference_noise}",
            "give larger values",
        )
        wanted = (factors * (y_sums + ratio * y_differences))[:, None]
        coefficients = self._scale * factors * torch.cholesky_solve(wanted, factor)[:, 0]
        return LinearPairRegression(coefficients, self._shift - float(self._center @ coefficients))


def sums_and_differences(rows: Tensor) -> Tensor:
    """Rows a, b of each pair become (a + b) / sqrt 2 and (a - b) / sqrt 2; its own inverse."""
    a, b = rows[0::2], rows[1::2]
    result: Tensor = torch.stack([a + b, a - b], dim=1).flatten(0, 1) * 0.5**0.5
    return result
