"""Exact arithmetic in Q(sqrt 3), where the sines and cosines of multiples of 30 degrees live."""

from __future__ import annotations

from fractions import Fraction

__all__ = ["Q3", "turn"]

Rational = int | Fraction


class Q3:
    """a + b sqrt(3) with rational a, b; equality is exact."""

    __slots__ = ("a", "b")

    def __init__(self, a: Rational, b: Rational = 0) -> None:
        self.a = a
        self.b = b

    @staticmethod
    def _of(x: Q3 | Rational) -> Q3:
        return x if isinstance(x, Q3) else Q3(x)

    def __add__(self, other: Q3 | Rational) -> Q3:
        o = Q3._of(other)
        return Q3(self.a + o.a, self.b + o.b)

    __radd__ = __add__

    def __neg__(self) -> Q3:
        return Q3(-self.a, -self.b)

    def __sub__(self, other: Q3 | Rational) -> Q3:
        o = Q3._of(other)
        return Q3(self.a - o.a, self.b - o.b)

    def __rsub__(self, other: Rational) -> Q3:
        return Q3(other - self.a, -self.b)

    def __mul__(self, other: Q3 | Rational) -> Q3:
        o = Q3._of(other)
        return Q3(self.a * o.a + 3 * self.b * o.b, self.a * o.b + self.b * o.a)

    __rmul__ = __mul__

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, (Q3, int, Fraction)):
            return NotImplemented
        o = Q3._of(other)
        return self.a == o.a and self.b == o.b

    def __hash__(self) -> int:
        return hash((self.a, self.b)) if self.b else hash(self.a)

    def __bool__(self) -> bool:
        return bool(self.a or self.b)

    def __repr__(self) -> str:
        return f"({self.a} + {self.b}*sqrt(3))"


_TWICE_COSINES = [Q3(2), Q3(0, 1), Q3(1), Q3(0), Q3(-1), Q3(0, -1)]


def turn(steps: int) -> tuple[Q3, Q3]:
    """(2 cos, 2 sin) of ``steps`` times 30 degrees: integers a, b in a + b sqrt(3)."""

    def twice_cosine(n: int) -> Q3:
        n %= 12
        return _TWICE_COSINES[n] if n < 6 else -_TWICE_COSINES[n - 6]

    return twice_cosine(steps), twice_cosine(steps - 3)
