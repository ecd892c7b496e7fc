"""The smooth cutoff function."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from symtrip_reference._checks import exact_number, require
from symtrip_reference.arithmetic import Arithmetic, Number
from symtrip_reference.evaluation import evaluate

__all__ = ["ShiftedCosine", "shifted_cosine"]


@dataclass(frozen=True)
class ShiftedCosine:
    """1 up to ``radius - width``, half a cosine period down to 0 at ``radius``, 0 beyond.

    Args:
        radius: cutoff radius in Å, an exact number > 0.
        width: smoothing width in Å, an exact number, 0 < width <= radius.

    Raises:
        InputError: a float, or a number outside these ranges.
    """

    radius: Any
    width: Any

    def __post_init__(self) -> None:
        radius = exact_number("radius", self.radius)
        width = exact_number("width", self.width)
        require(bool(radius > 0), "radius", "be > 0 Å", radius, "pass a positive radius")
        require(
            bool(width > 0) and bool(width <= radius),
            "width",
            f"satisfy 0 < width <= radius = {radius} Å",
            width,
            "lower `width` or raise `radius`",
        )
        object.__setattr__(self, "radius", radius)
        object.__setattr__(self, "width", width)

    def value(self, a: Arithmetic, r: Number) -> Number:
        """f_c(r) in the arithmetic ``a``."""
        inside = a.clamp((r - a(self.radius - self.width)) / a(self.width))
        return (1 + a.cos(a.pi * inside)) / 2


def shifted_cosine(
    r: Any, *, radius: Any, width: Any, digits: int | None = None, rigorous: bool = False
) -> Number:
    """The cutoff function at one distance.

    Args:
        r: distance in Å, an exact number >= 0.
        radius: cutoff radius in Å, an exact number > 0.
        width: smoothing width in Å, exact, 0 < width <= radius.
        digits: None for an exact sympy number, otherwise the decimal digits wanted (>= 15).
        rigorous: guaranteed enclosure (python-flint), with ``digits``.

    Returns:
        f_c(r), dimensionless, in [0, 1].

    Raises:
        InputError: a float instead of an exact number, or a number out of range.

    Accuracy: exact, or ``digits`` digits.

    Source: Behler & Parrinello, PRL 98, 146401 (2007), Eq. 4 is width = radius.
    """
    cutoff = ShiftedCosine(radius, width)
    distance = exact_number("r", r)
    require(bool(distance >= 0), "r", "be >= 0 Å", distance, "pass a distance")
    return evaluate(lambda a: cutoff.value(a, a(distance)), digits=digits, rigorous=rigorous)
