"""Exact sums of square roots: what coupling coefficients and harmonics are made of.

A :class:`RootSum` is a finite sum  sum_d  c_d sqrt(d)  over squarefree positive integers d, with
c_d in a commutative algebra over the rationals (here: rationals, or polynomials with rational
coefficients). The square roots of distinct squarefree positive integers are linearly independent
over the rationals (Besicovitch, J. London Math. Soc. 15, 3 (1940)), hence also over a polynomial
ring over them: such a sum is zero if and only if every c_d is zero. That makes ``==`` a proof.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fractions import Fraction
from functools import cache
from math import gcd
from typing import Any

import sympy
from sympy import QQ

__all__ = ["RootSum", "plain", "rational", "root", "root_of"]


def rational(value: Any) -> Any:
    """An int, Fraction or sympy rational as an element of sympy's QQ."""
    return QQ(int(value.numerator), int(value.denominator))


def plain(number: Any) -> Fraction:
    """An element of QQ as a Fraction."""
    return Fraction(int(number.numerator), int(number.denominator))


@cache
def _squarefree(n: int) -> tuple[int, int]:
    """(s, d) with n = s^2 d and d squarefree."""
    square, free = 1, 1
    for prime, exponent in sympy.factorint(n).items():
        square *= int(prime) ** (int(exponent) // 2)
        free *= int(prime) ** (int(exponent) % 2)
    return square, free


class RootSum:
    """sum_d c_d sqrt(d); see the module's text."""

    __slots__ = ("terms",)

    def __init__(self, terms: Mapping[int, Any]) -> None:
        self.terms = {d: c for d, c in terms.items() if c}

    @classmethod
    def of(cls, coefficient: Any) -> RootSum:
        """The sum without any root."""
        return cls({1: coefficient})

    @classmethod
    def total(cls, summands: Iterable[RootSum]) -> RootSum:
        """The sum of many."""
        terms: dict[int, Any] = {}
        for summand in summands:
            for d, c in summand.terms.items():
                terms[d] = terms[d] + c if d in terms else c
        return cls(terms)

    def __add__(self, other: RootSum) -> RootSum:
        return RootSum.total((self, other))

    def __neg__(self) -> RootSum:
        return RootSum({d: -c for d, c in self.terms.items()})

    def __sub__(self, other: RootSum) -> RootSum:
        return self + (-other)

    def __mul__(self, other: RootSum) -> RootSum:
        terms: dict[int, Any] = {}
        for d, c in self.terms.items():
            for e, f in other.terms.items():
                g = gcd(d, e)
                key, product = (d // g) * (e // g), c * f * g
                terms[key] = terms[key] + product if key in terms else product
        return RootSum(terms)

    def scaled(self, factor: Any) -> RootSum:
        """Times an element of the algebra of the coefficients."""
        return RootSum({d: c * factor for d, c in self.terms.items()})

    def __eq__(self, other: object) -> bool:
        return isinstance(other, RootSum) and not (self - other).terms

    __hash__ = None  # type: ignore[assignment]

    def __bool__(self) -> bool:
        return bool(self.terms)

    def single(self) -> tuple[int, Any]:
        """(d, c) of a sum with at most one root; (1, 0) if it is zero."""
        if not self.terms:
            return 1, QQ(0)
        ((d, c),) = self.terms.items()
        return d, c

    def __repr__(self) -> str:
        return " + ".join(f"({c})*sqrt({d})" for d, c in sorted(self.terms.items())) or "0"


@cache
def root(signed_square: Fraction) -> RootSum:
    """sign(x) sqrt(|x|) of a rational x."""
    if signed_square == 0:
        return RootSum({})
    n, m = abs(signed_square.numerator), signed_square.denominator
    s, d = _squarefree(n * m)
    return RootSum({d: QQ(s if signed_square > 0 else -s, m)})


def root_of(number: sympy.Expr) -> RootSum:
    """An exact sympy number whose square is rational."""
    square = sympy.Rational(number**2)
    sign = -1 if number < 0 else 1
    return root(Fraction(sign * int(square.p), int(square.q)))
