"""Evaluate a formula exactly, to given digits with a self-check, or as guaranteed enclosures."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Any, TypeVar

import mpmath

from symtrip_reference._checks import PrecisionError, number_of_digits, refuse, require
from symtrip_reference._number_systems import Balls, Digits, Exact, flint_module
from symtrip_reference.arithmetic import Arithmetic

__all__ = ["bounds", "evaluate", "fraction"]

Result = TypeVar("Result")

_GUARDS = (10, 30, 70, 150, 310, 630)
_FOR_ZEROS = 150


def evaluate(
    formula: Callable[[Arithmetic], Result], *, digits: int | None, rigorous: bool = False
) -> Result:
    """Evaluate ``formula`` exactly (``digits`` None), to ``digits`` digits, or as enclosures.

    Args:
        formula: computes nested lists, dicts or dataclasses of numbers from an arithmetic.
        digits: None for exact sympy numbers; otherwise the number of correct decimal digits, >= 15,
            counted from the largest number of the result.
        rigorous: return python-flint balls whose radius is below the digits asked for.

    Returns:
        What ``formula`` returns, in the chosen number system.

    Raises:
        InputError: ``digits`` < 15, ``rigorous`` without ``digits`` or without python-flint.
        PrecisionError: even the largest working precision did not settle the digits.

    Accuracy:
        Without ``rigorous`` the formula is evaluated at two working precisions, the second with at
        least 20 digits more; they must agree to ``digits``, otherwise both are raised. A result
        that is zero at both is believed only with 150 digits to spare. With ``rigorous`` such a
        result is returned as balls around zero that are narrower still.
    """
    if digits is None:
        require(not rigorous, "digits", "be given with rigorous=True", "None", "pass digits=50")
        return formula(Exact())
    wanted = number_of_digits(digits)
    if rigorous:
        return _enclose(formula, wanted)
    coarse = formula(_digits(wanted + _GUARDS[0]))
    for guard in _GUARDS[1:]:
        fine = formula(_digits(wanted + guard))
        scale = max((abs(x) for x in _leaves(fine)), default=0)
        bound = scale * mpmath.mpf(10) ** (-wanted)
        agree = all(
            abs(x - y) <= bound for x, y in zip(_leaves(fine), _leaves(coarse), strict=True)
        )
        # sixty digits may cancel at both precisions: zeros need a stricter look
        if agree and (scale != 0 or guard >= _FOR_ZEROS):
            return fine
        coarse = fine
    raise PrecisionError(f"{wanted} digits were not settled with {wanted + guard} working digits")


def fraction(number: Any) -> Fraction:
    """The exact rational value of an mpmath number, or of the centre of a python-flint ball.

    Args:
        number: what a function of this package returned for given ``digits``.

    Returns:
        Its binary value without any rounding.

    Raises:
        InputError: it is neither, for example a sympy number, which is exact already.

    Accuracy: exact.

    Source: none; a conversion.
    """
    if hasattr(number, "_mpf_"):
        sign, mantissa, exponent, _ = number._mpf_
        return Fraction((-1) ** sign * int(mantissa)) * Fraction(2) ** int(exponent)
    if hasattr(number, "mid"):
        mantissa, exponent = number.mid().man_exp()
        return Fraction(int(mantissa)) * Fraction(2) ** int(exponent)
    return refuse(
        "number", "be an mpmath number or a python-flint ball", repr(number), "pass digits=50"
    )


def bounds(ball: Any) -> tuple[Fraction, Fraction]:
    """The rational interval that a python-flint ball stands for.

    Args:
        ball: what a function of this package returned with ``rigorous=True``.

    Returns:
        (lower, upper), exact; the true value is proved to lie between them.

    Raises:
        InputError: it is no ball.

    Accuracy: exact.

    Source: none; a conversion.
    """
    if not hasattr(ball, "rad"):
        refuse("ball", "be a python-flint ball", repr(ball), "pass rigorous=True")
    middle, radius = fraction(ball), fraction(ball.rad())
    return middle - radius, middle + radius


@lru_cache(maxsize=64)
def _digits(digits: int) -> Digits:
    return Digits(digits)


@lru_cache(maxsize=64)
def _balls(digits: int) -> Balls:
    return Balls(digits)


def _enclose(formula: Callable[[Arithmetic], Result], wanted: int) -> Result:
    flint = flint_module()
    previous = flint.ctx.prec
    try:
        for guard in _GUARDS:
            balls = _balls(wanted + guard)
            flint.ctx.prec = balls.bits
            result = formula(balls)
            leaves = _leaves(result)
            scale = max((abs(x.mid()) for x in leaves), default=flint.arb(0))
            worst = max((x.rad() for x in leaves), default=flint.arb(0))
            vanishes = guard >= _FOR_ZEROS and all(x.contains(0) for x in leaves)
            if vanishes or worst * 10**wanted <= scale:
                return result
    finally:
        flint.ctx.prec = previous
    raise PrecisionError(f"{wanted} digits were not enclosed with {wanted + guard} working digits")


def _leaves(value: Any) -> list[Any]:
    """The numbers in nested lists, tuples, mappings and dataclasses, in order."""
    leaves: list[Any] = []

    def collect(item: Any) -> None:
        if isinstance(item, (list, tuple)):
            for part in item:
                collect(part)
        elif isinstance(item, Mapping):
            collect(list(item.values()))
        elif is_dataclass(item) and not isinstance(item, type):
            collect([getattr(item, field.name) for field in fields(item)])
        elif not isinstance(item, (int, str)) and item is not None:
            leaves.append(item)

    collect(value)
    return leaves
