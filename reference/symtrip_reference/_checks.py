"""How the exact reference refuses bad input; it may not import symtrip, hence its own helper."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Integral, Rational, Real
from typing import Any, NoReturn

import sympy

__all__ = [
    "InputError",
    "PrecisionError",
    "exact_number",
    "exact_vector",
    "magnetic_number",
    "natural_number",
    "number_of_digits",
    "refuse",
    "require",
]

MIN_DIGITS = 15
MAX_DIGITS = 10_000


class InputError(ValueError):
    """Input that breaks a documented rule; the message says which, and what to write instead."""


class PrecisionError(ArithmeticError):
    """Two working precisions never agreed to the digits asked for."""


def require(ok: bool, argument: str, rule: str, value: object, remedy: str) -> None:
    """Raise :class:`InputError` unless ``ok``."""
    if not ok:
        refuse(argument, rule, value, remedy)


def refuse(argument: str, rule: str, value: object, remedy: str) -> NoReturn:
    """Raise :class:`InputError`: argument, rule, value and remedy in one sentence."""
    raise InputError(f"`{argument}` must {rule}, got {value}; {remedy}.")


def natural_number(argument: str, value: Any, *, least: int = 0) -> int:
    """Return ``value`` as an int; it must be an integer >= ``least``."""
    integral = (isinstance(value, (Integral, sympy.Integer))) and not isinstance(value, bool)
    require(
        integral and int(value) >= least,
        argument,
        f"be an integer >= {least}",
        repr(value),
        f"pass an int such as {max(least, 1)}",
    )
    return int(value)


def magnetic_number(argument: str, value: Any, l: int) -> int:
    """Return ``value`` as an int; it must be an integer with ``|value| <= l``."""
    integral = (isinstance(value, (Integral, sympy.Integer))) and not isinstance(value, bool)
    require(
        integral and abs(int(value)) <= l,
        argument,
        f"be an integer from {-l} to {l}",
        repr(value),
        "lower its absolute value or raise the l that it belongs to",
    )
    return int(value)


def number_of_digits(digits: Any) -> int:
    """Return ``digits`` as an int; fewer than 15 would be worse than a float, 10^9 never end."""
    integral = isinstance(digits, Integral) and not isinstance(digits, bool)
    require(
        integral and MIN_DIGITS <= int(digits) <= MAX_DIGITS,
        "digits",
        f"be an integer >= {MIN_DIGITS} and <= {MAX_DIGITS}",
        repr(digits),
        "pass digits=50, or leave it out for an exact algebraic result",
    )
    return int(digits)


def exact_number(argument: str, value: Any) -> sympy.Expr:
    """Return ``value`` as an exact sympy number.

    Raises:
        InputError: ``value`` is a float, holds one, has free symbols, or is not a real number.
    """
    if isinstance(value, Rational) and not isinstance(value, bool):
        return sympy.Rational(int(value.numerator), int(value.denominator))
    is_float = isinstance(value, (Real, sympy.Float)) and not isinstance(value, bool)
    is_float = is_float or type(value).__name__ == "mpf"
    require(
        not is_float,
        argument,
        "be an exact number, not a float",
        repr(value),
        "write fractions.Fraction(x) for the exact binary value of the float x, "
        "or fractions.Fraction(1, 10) for 0.1",
    )
    expression = isinstance(value, sympy.Expr)
    require(
        expression
        and not value.free_symbols
        and not value.has(sympy.Float)
        and value.is_real is not False
        and value.is_finite is not False,
        argument,
        "be an exact finite real number (int, fractions.Fraction or a sympy number)",
        repr(value),
        "write for example fractions.Fraction(1, 3) or sympy.sqrt(2)",
    )
    return value


def exact_vector(argument: str, value: Any) -> tuple[sympy.Expr, sympy.Expr, sympy.Expr]:
    """Return ``value`` as a triple of exact numbers."""
    is_triple = isinstance(value, (Sequence, sympy.MatrixBase))
    require(
        is_triple and not isinstance(value, str) and len(value) == 3,
        argument,
        "hold three exact numbers x, y, z",
        repr(value),
        "write for example (fractions.Fraction(1, 2), 0, 1)",
    )
    x, y, z = (exact_number(f"{argument}[{i}]", value[i]) for i in range(3))
    return x, y, z
