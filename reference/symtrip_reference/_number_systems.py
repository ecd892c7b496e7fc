"""The three number systems behind :class:`symtrip_reference.arithmetic.Arithmetic`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction
from functools import lru_cache
from typing import Any, NoReturn

import mpmath
import sympy
from mpmath.libmp import mpf_mul, mpf_sum, round_nearest

from symtrip_reference._checks import PrecisionError, exact_number, refuse
from symtrip_reference.arithmetic import Arithmetic, Number

__all__ = ["Balls", "Digits", "Exact", "flint_module"]


class Exact(Arithmetic):
    """sympy: exact real numbers, algebraic ones with pi; never rounded."""

    def __call__(self, value: Any) -> Number:
        return exact_number("value", value)

    @property
    def pi(self) -> Number:
        return sympy.pi

    def sqrt(self, x: Number) -> Number:
        return sympy.sqrt(x)

    def exp(self, x: Number) -> Number:
        return sympy.exp(x)

    def cos(self, x: Number) -> Number:
        return sympy.cos(x)

    def clamp(self, x: Number) -> Number:
        return sympy.Max(0, sympy.Min(1, x))

    def dot(self, pairs: Iterable[tuple[Number, Number]]) -> Number:
        return sympy.Add(*(sympy.expand(x * y) for x, y in pairs))

    def hyp1f1(self, a: Fraction, b: Fraction, z: Number) -> Number:
        if a.denominator == 1 and a <= 0:
            return _terminating_1f1(self, int(-a), b, z)
        return self._refuse("Kummer's function 1F1")

    def hyp0f1(self, b: Fraction, z: Number) -> Number:
        if z == 0:
            return sympy.Integer(1)
        # j_l(x) (2l+1)!! / x^l, and sympy writes j_l in sines and cosines.
        l = int(b - Fraction(3, 2))
        x = sympy.sqrt(-4 * z)
        value = sympy.expand_func(sympy.jn(l, x)) / x**l
        return value * sympy.factorial2(2 * l + 1)

    def spherical_bessel_zero(self, l: int, n: int) -> Number:
        if l == 0:
            return n * sympy.pi
        return self._refuse("a zero of a spherical Bessel function with l > 0")

    def inverse_square_root(self, matrix: Sequence[Sequence[Number]]) -> list[list[Number]]:
        size = len(matrix)
        if size == 1:
            return [[1 / sympy.sqrt(matrix[0][0])]]
        if size > 2:
            self._refuse("the Loewdin matrix of more than two radial functions")
        (p, q), (_, r) = matrix
        # Cayley-Hamilton for 2 x 2: S^(1/2) = (S + sqrt(det) 1) / sqrt(tr + 2 sqrt(det)).
        root = sympy.sqrt(p * r - q * q)
        norm = root * sympy.sqrt(p + r + 2 * root)
        return [[(r + root) / norm, -q / norm], [-q / norm, (p + root) / norm]]

    def integrate(self, f: Callable[[Number], Number], points: Sequence[Number]) -> Number:  # noqa: ARG002
        self._refuse("an integral without closed form")

    @staticmethod
    def _refuse(what: str) -> NoReturn:
        refuse(
            "digits",
            f"be given: {what} is not an algebraic number",
            "None",
            "pass digits=50 for 50 correct digits",
        )


class Digits(Arithmetic):
    """mpmath with its own context, so that the global precision is neither read nor changed."""

    def __init__(self, digits: int) -> None:
        self.digits = digits
        self.context = mpmath.ctx_mp.MPContext()
        self.context.dps = digits
        self.convert = lru_cache(maxsize=None)(self._convert)

    def __call__(self, value: Any) -> Number:
        if isinstance(value, self.context.mpf):
            return value
        return self.convert(value)

    def _convert(self, value: Any) -> Number:
        if isinstance(value, (int, Fraction, sympy.Rational)):
            return self.context.mpf(int(value.numerator)) / int(value.denominator)
        return self.context.mpf(exact_number("value", value).evalf(self.digits + 5)._mpf_)

    @property
    def pi(self) -> Number:
        return +self.context.pi

    def sqrt(self, x: Number) -> Number:
        return self.context.sqrt(x)

    def exp(self, x: Number) -> Number:
        return self.context.exp(x)

    def cos(self, x: Number) -> Number:
        return self.context.cos(x)

    def clamp(self, x: Number) -> Number:
        return max(self(0), min(self(1), x))

    def dot(self, pairs: Iterable[tuple[Number, Number]]) -> Number:
        # Exact products, one rounding at the end; a third of the time of context.fdot.
        products = [mpf_mul(x._mpf_, y._mpf_) for x, y in pairs]
        return self.context.make_mpf(mpf_sum(products, self.context.prec, round_nearest))

    def hyp1f1(self, a: Fraction, b: Fraction, z: Number) -> Number:
        if a.denominator == 1 and a <= 0:
            return _terminating_1f1(self, int(-a), b, z)
        return self.context.hyp1f1(self(a), self(b), z)

    def hyp0f1(self, b: Fraction, z: Number) -> Number:
        return self.context.hyp0f1(self(b), z)

    def spherical_bessel_zero(self, l: int, n: int) -> Number:
        return self.context.besseljzero(l + self.context.mpf(1) / 2, n)

    def inverse_square_root(self, matrix: Sequence[Sequence[Number]]) -> list[list[Number]]:
        c = self.context
        values, vectors = c.eigsy(c.matrix([list(row) for row in matrix]))
        size = range(len(matrix))
        return [
            [c.fsum(vectors[i, k] * vectors[j, k] / c.sqrt(values[k]) for k in size) for j in size]
            for i in size
        ]

    def integrate(self, f: Callable[[Number], Number], points: Sequence[Number]) -> Number:
        return self.context.quad(f, list(points), method="gauss-legendre")


class Balls(Arithmetic):
    """python-flint balls: every result is an interval that is proved to hold the true value."""

    def __init__(self, digits: int) -> None:
        flint = flint_module()
        self.digits = digits
        self.flint = flint
        self.bits = int(digits * 3.3219281) + 8
        self.convert = lru_cache(maxsize=None)(self._convert)

    def __call__(self, value: Any) -> Number:
        if isinstance(value, self.flint.arb):
            return value
        return self.convert(value)

    def _convert(self, value: Any) -> Number:
        arb = self.flint.arb
        expression = exact_number("value", value)
        if isinstance(expression, sympy.Rational):
            return arb(int(expression.p)) / int(expression.q)
        if isinstance(expression, sympy.Add):
            return sum((self(term) for term in expression.args), start=arb(0))
        if isinstance(expression, sympy.Mul):
            product = arb(1)
            for factor in expression.args:
                product = product * self(factor)
            return product
        if isinstance(expression, sympy.Pow):
            return self(expression.base) ** self(expression.exp)
        if expression is sympy.pi:
            return arb.pi()
        if isinstance(expression, (sympy.cos, sympy.sin)):
            angle = self(expression.args[0])
            return angle.cos() if isinstance(expression, sympy.cos) else angle.sin()
        return refuse(
            "value",
            "be made of rationals, roots, pi, sin and cos for guaranteed enclosures",
            repr(value),
            "write it so, or use digits without rigorous",
        )

    @property
    def pi(self) -> Number:
        return self.flint.arb.pi()

    def sqrt(self, x: Number) -> Number:
        return x.sqrt()

    def exp(self, x: Number) -> Number:
        return x.exp()

    def cos(self, x: Number) -> Number:
        return x.cos()

    def clamp(self, x: Number) -> Number:
        return x.min(self(1)).max(self(0))

    def dot(self, pairs: Iterable[tuple[Number, Number]]) -> Number:
        return sum((x * y for x, y in pairs), start=self(0))

    def multiply(
        self, left: Sequence[Sequence[Number]], right: Sequence[Sequence[Number]]
    ) -> list[Number]:
        # the same enclosures in one call of the library
        columns = list(zip(*left, strict=True))
        if not left or not columns:
            return super().multiply(left, right)
        product: list[Number] = (self.flint.arb_mat(columns) * self.flint.arb_mat(right)).entries()
        return product

    def hyp1f1(self, a: Fraction, b: Fraction, z: Number) -> Number:
        if a.denominator == 1 and a <= 0:
            return _terminating_1f1(self, int(-a), b, z)
        return z.hypgeom_1f1(self(a), self(b))

    def hyp0f1(self, b: Fraction, z: Number) -> Number:
        return z.hypgeom_0f1(self(b))

    def spherical_bessel_zero(self, l: int, n: int) -> Number:
        # The zero is bracketed by the sign change that a ball around an approximation proves.
        approximation = Digits(self.digits + 5).spherical_bessel_zero(l, n)
        middle = self.flint.arb(str(approximation))
        radius = self.flint.arb(10) ** (8 - self.digits)
        b = self(Fraction(2 * l + 3, 2))
        ends = [middle - radius, middle + radius]
        left, right = ((-x * x / 4).hypgeom_0f1(b) for x in ends)
        if not left * right < 0:
            raise PrecisionError(f"no sign change proved around zero {n} of j_{l}")
        return ends[0].union(ends[1])

    def inverse_square_root(self, matrix: Sequence[Sequence[Number]]) -> list[list[Number]]:
        flint = self.flint
        size = len(matrix)
        if size == 1:
            return [[1 / matrix[0][0].sqrt()]]
        values, vectors = flint.acb_mat([list(row) for row in matrix]).eig(right=True)
        inverse = vectors.inv()
        roots = flint.acb_mat(size, size)
        for k in range(size):
            roots[k, k] = 1 / flint.acb(values[k].real.sqrt())
        product = vectors * roots * inverse
        return [[product[i, j].real for j in range(size)] for i in range(size)]

    def integrate(self, f: Callable[[Number], Number], points: Sequence[Number]) -> Number:
        integral = self.flint.acb.integral(lambda x, _: f(x), points[0], points[-1])
        return integral.real


def flint_module() -> Any:
    try:
        import flint
    except ImportError:
        refuse(
            "rigorous",
            "be False without python-flint",
            "True",
            "install it (pip install 'symtrip[rigorous]') or drop rigorous",
        )
    return flint


def _terminating_1f1(a: Arithmetic, k: int, b: Fraction, z: Number) -> Number:
    """1F1(-k; b; z) as the finite sum that it is."""
    term, total = a(1), a(1)
    for i in range(k):
        term = term * z * a(Fraction(i - k) / ((b + i) * (i + 1)))
        total = total + term
    return total
