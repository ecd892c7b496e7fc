"""Double-double arithmetic on numpy arrays: about 32 digits, for the construction of tables.

A number is an unevaluated sum (hi, lo) with |lo| <= ulp(hi)/2. The error-free transformations are
those of Dekker, Numer. Math. 18, 224 (1971) and Knuth, TAOCP 2, 4.2.2.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal, localcontext
from fractions import Fraction
from typing import Any

import numpy as np

__all__ = ["DoubleDouble", "decimal_context", "from_exact"]

_SPLIT = 134217729.0  # 2^27 + 1
# numpy turns zero-dimensional results into scalars, so a strict array type would be a lie
Array = Any


def decimal_context() -> Any:
    """A decimal context of 60 digits, far more than a double-double holds."""
    return localcontext(prec=60)


def _two_sum(a: Array, b: Array) -> tuple[Array, Array]:
    s = a + b
    t = s - a
    return s, (a - (s - t)) + (b - t)


def _two_product(a: Array, b: Array) -> tuple[Array, Array]:
    p = a * b
    t = _SPLIT * a
    ah = t - (t - a)
    al = a - ah
    t = _SPLIT * b
    bh = t - (t - b)
    bl = b - bh
    return p, ((ah * bh - p) + ah * bl + al * bh) + al * bl


@dataclass(frozen=True, eq=False)
class DoubleDouble:
    """An array of double-double numbers; the operators broadcast like numpy's."""

    hi: Array
    lo: Array

    @staticmethod
    def of(value: Array | float) -> DoubleDouble:
        """Exact conversion from float64."""
        hi = np.asarray(value, dtype=np.float64)
        return DoubleDouble(hi, np.zeros_like(hi))

    def __add__(self, other: DoubleDouble) -> DoubleDouble:
        s, e = _two_sum(self.hi, other.hi)
        t, f = _two_sum(self.lo, other.lo)
        s, e = _fast_two_sum(s, e + t)
        return DoubleDouble(*_fast_two_sum(s, e + f))

    def __neg__(self) -> DoubleDouble:
        return DoubleDouble(-self.hi, -self.lo)

    def __sub__(self, other: DoubleDouble) -> DoubleDouble:
        return self + (-other)

    def __mul__(self, other: DoubleDouble) -> DoubleDouble:
        p, e = _two_product(self.hi, other.hi)
        return DoubleDouble(*_fast_two_sum(p, e + (self.hi * other.lo + self.lo * other.hi)))

    def __truediv__(self, other: DoubleDouble) -> DoubleDouble:
        q = DoubleDouble.of(self.hi / other.hi)
        rest = self - q * other
        q = q + DoubleDouble.of(rest.hi / other.hi)
        rest = self - q * other
        return q + DoubleDouble.of(rest.hi / other.hi)

    def __getitem__(self, index: Any) -> DoubleDouble:
        return DoubleDouble(self.hi[index], self.lo[index])

    def sqrt(self) -> DoubleDouble:
        """Square root of positive numbers, by one Newton step from float64 and its correction."""
        root = DoubleDouble.of(np.sqrt(self.hi))
        rest = self - root * root
        return root + DoubleDouble.of(rest.hi / (2.0 * root.hi))

    def power(self, n: int) -> DoubleDouble:
        """Integer power, n of either sign."""
        result = DoubleDouble.of(np.ones_like(self.hi))
        base, k = self, abs(n)
        while k:
            if k & 1:
                result = result * base
            base = base * base
            k >>= 1
        return result if n >= 0 else DoubleDouble.of(np.ones_like(self.hi)) / result

    def exp(self) -> DoubleDouble:
        """Exponential; underflows to 0 like float64."""
        n = np.rint(self.hi / float(_LN2.hi))
        rest = (self - DoubleDouble.of(n) * _LN2) * DoubleDouble.of(2.0**-9)
        total = DoubleDouble.of(np.ones_like(self.hi))
        term = total
        for k in range(1, 13):
            term = term * rest / DoubleDouble.of(float(k))
            total = total + term
        for _ in range(9):
            total = total * total
        scale = np.clip(n, -1070, 1020).astype(np.int64)
        return DoubleDouble(np.ldexp(total.hi, scale), np.ldexp(total.lo, scale))


def _fast_two_sum(a: Array, b: Array) -> tuple[Array, Array]:
    s = a + b
    return s, b - (s - a)


def from_exact(values: Any) -> DoubleDouble:
    """Round exact numbers to double-double.

    Args:
        values: nested lists of ``Decimal``, ``Fraction`` or ``int``.
    """
    exact = np.asarray(values, dtype=object)
    hi = np.empty(exact.shape)
    lo = np.empty(exact.shape)
    for index, value in np.ndenumerate(exact):
        rounded = float(value)
        kind = Decimal if isinstance(value, Decimal) else Fraction
        with decimal_context():
            hi[index], lo[index] = rounded, float(value - kind(rounded))
    return DoubleDouble(hi, lo)


with decimal_context():
    _LN2 = from_exact(Decimal(2).ln())
