"""Smooth cutoff functions."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from symtrip.errors import require

__all__ = ["ShiftedCosine", "shifted_cosine"]


def shifted_cosine(r: Tensor, *, radius: float, width: float) -> Tensor:
    """Smooth cutoff: 1 up to ``radius - width``, then half a cosine period down to 0.

    Args:
        r: neighbour distances |r_ij| in Å; any shape, float32 or float64.
        radius: cutoff radius in Å, > 0.
        width: smoothing width in Å, 0 < width <= radius.

    Returns:
        f_c(r), dimensionless, in [0, 1]; C1; dtype and device of ``r``.

    Raises:
        InputError: ``radius`` is not > 0, or ``width`` lies outside (0, radius].

    Accuracy:
        Absolute error <= 8 eps radius/width (tests/oracle/test_cutoff.py).

    Source:
        Behler & Parrinello, PRL 98, 146401 (2007), Eq. 4 is width = radius.
    """
    return ShiftedCosine(radius=radius, width=width)(r)


@dataclass(frozen=True)
class ShiftedCosine:
    """Cutoff function of :func:`shifted_cosine` with fixed parameters.

    Attributes:
        radius: cutoff radius in Å, > 0.
        width: smoothing width in Å, 0 < width <= radius.

    Raises:
        InputError: as :func:`shifted_cosine`.
    """

    radius: float
    width: float

    def __post_init__(self) -> None:
        require(
            math.isfinite(self.radius) and self.radius > 0,
            "radius",
            "be a finite distance > 0 Å",
            self.radius,
            "give the cutoff radius in Å",
        )
        require(
            math.isfinite(self.width) and 0 < self.width <= self.radius,
            "width",
            f"satisfy 0 < width <= radius = {self.radius} Å",
            self.width,
            "lower `width` or raise `radius`",
        )

    def __call__(self, r: Tensor) -> Tensor:
        """f_c(r) for distances ``r`` in Å of any shape."""
        # sin^2 of half the angle from the end: no cancellation where the function is small
        angle = ((self.radius - r) * (0.5 * math.pi / self.width)).clamp(0.0, 0.5 * math.pi)
        return angle.sin().square()

    def of_square(self, u: Tensor) -> Tensor:
        """f_c(sqrt(u)) with derivatives that stay finite at u = 0.

        Args:
            u: squared distances in Å^2, >= 0; any shape.
        """
        if self.width < self.radius:
            # clamped where f_c = 1: the root there has no gradient
            return self(u.clamp_min((self.radius - self.width) ** 2).sqrt())
        # width = radius: cos^2(a sqrt(u)) is analytic in u, so near 0 its Taylor series replaces
        # the root
        near = u < (0.01 * self.radius) ** 2
        r = torch.where(near, torch.ones_like(u), u).sqrt()
        x = u * (math.pi / self.radius) ** 2
        series = torch.ones_like(u)
        for n in range(6, 0, -1):
            series = 1 - x / (2 * n * (2 * n - 1)) * series
        return torch.where(near, 0.5 + 0.5 * series, self(r))
