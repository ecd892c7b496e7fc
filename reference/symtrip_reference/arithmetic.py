"""Three number systems for one set of formulas: exact, mpmath at given digits, guaranteed balls.

Every quantity of this package is written once, as a function of an :class:`Arithmetic`. What an
arithmetic returns decides what the formula yields: sympy numbers (exact), mpmath numbers (correct
to the digits asked for, found by agreement of two precisions) or python-flint balls (guaranteed
enclosures).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction
from typing import Any

__all__ = ["Arithmetic", "Number", "signed_root"]

Number = Any
"""A sympy, mpmath or python-flint number, whatever the arithmetic at work returns."""


class Arithmetic(ABC):
    """The operations that the formulas need beyond + - * /."""

    @abstractmethod
    def __call__(self, value: Any) -> Number:
        """Convert an int, a Fraction or an exact sympy number."""

    @property
    @abstractmethod
    def pi(self) -> Number:
        """The circle constant."""

    @abstractmethod
    def sqrt(self, x: Number) -> Number:
        """Square root of ``x`` >= 0."""

    @abstractmethod
    def exp(self, x: Number) -> Number:
        """Exponential of ``x``."""

    @abstractmethod
    def cos(self, x: Number) -> Number:
        """Cosine of ``x`` in radians."""

    @abstractmethod
    def clamp(self, x: Number) -> Number:
        """``x`` limited to [0, 1]."""

    @abstractmethod
    def dot(self, pairs: Iterable[tuple[Number, Number]]) -> Number:
        """Sum of the products of the pairs."""

    def multiply(
        self, left: Sequence[Sequence[Number]], right: Sequence[Sequence[Number]]
    ) -> list[Number]:
        """Entries of left^T right, row by row; ``left`` and ``right`` have the same rows."""
        return [
            self.dot(zip(x, y, strict=True))
            for x in zip(*left, strict=True)
            for y in zip(*right, strict=True)
        ]

    @abstractmethod
    def hyp1f1(self, a: Fraction, b: Fraction, z: Number) -> Number:
        """Kummer's function for rational parameters."""

    @abstractmethod
    def hyp0f1(self, b: Fraction, z: Number) -> Number:
        """0F1(; b; z) for half an odd integer ``b`` >= 3/2."""

    @abstractmethod
    def spherical_bessel_zero(self, l: int, n: int) -> Number:
        """The n-th positive zero of j_l, n = 1, 2, ..."""

    @abstractmethod
    def inverse_square_root(self, matrix: Sequence[Sequence[Number]]) -> list[list[Number]]:
        """S^(-1/2) of a symmetric positive definite matrix, itself symmetric."""

    @abstractmethod
    def integrate(self, f: Callable[[Number], Number], points: Sequence[Number]) -> Number:
        """Integral of the analytic function ``f`` from the first to the last of ``points``."""

    def gamma_half(self, twice: int) -> Number:
        """Gamma(twice / 2) for a positive integer ``twice``, exactly."""
        value: Number = self(1) if twice % 2 == 0 else self.sqrt(self.pi)
        start = 2 if twice % 2 == 0 else 1
        for t in range(start, twice, 2):
            value = value * self(Fraction(t, 2))
        return value


def signed_root(a: Arithmetic, signed_square: Fraction) -> Number:
    """sign(x) sqrt(|x|) of a rational ``x``: how Clebsch-Gordan coefficients are stored."""
    root = a.sqrt(a(abs(signed_square)))
    return -root if signed_square < 0 else root
