"""Evaluate a formula exactly, to given digits with a self-check, or as guaranteed enclosures."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from functools import lru_cache
from typing import Any, TypeVar

import mpmath

from symtrip_reference._checks import PrecisionError, number_of_digits, require
from symtrip_reference._number_systems import Balls, Digits, Exact, flint_module
from symtrip_reference.arithmetic import Arithmetic

__all__ = ["evaluate"]

Result = TypeVar("Result")


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
        least 20 digits more; they must agree to ``digits``, otherwise both are raised.
    """
    if digits is None:
        require(not rigorous, "digits", "be given with rigorous=True", "None", "pass digits=50")
        return formula(Exact())
    wanted = number_of_digits(digits)
    if rigorous:
        return _enclose(formula, wanted)
    guard = 10
    coarse = formula(_digits(wanted + guard))
    for _ in range(6):
        guard = 2 * guard + 10
        fine = formula(_digits(wanted + guard))
        scale = max((abs(x) for x in _leaves(fine)), default=0)
        bound = scale * mpmath.mpf(10) ** (-wanted)
        if all(abs(x - y) <= bound for x, y in zip(_leaves(fine), _leaves(coarse), strict=True)):
            return fine
        coarse = fine
    raise PrecisionError(f"{wanted} digits were not settled with {wanted + guard} working digits")


@lru_cache(maxsize=64)
def _digits(digits: int) -> Digits:
    return Digits(digits)


@lru_cache(maxsize=64)
def _balls(digits: int) -> Balls:
    return Balls(digits)


def _enclose(formula: Callable[[Arithmetic], Result], wanted: int) -> Result:
    flint = flint_module()
    guard = 10
    for _ in range(7):
        balls = _balls(wanted + guard)
        previous = flint.ctx.prec
        flint.ctx.prec = balls.bits
        try:
            result = formula(balls)
        finally:
            flint.ctx.prec = previous
        leaves = list(_leaves(result))
        scale = max((abs(float(x.mid())) for x in leaves), default=0.0)
        worst = max((float(x.rad()) for x in leaves), default=0.0)
        if worst <= scale * 10.0 ** (-wanted):
            return result
        guard = 2 * guard + 10
    raise PrecisionError(f"{wanted} digits were not enclosed with {wanted + guard} working digits")


def _leaves(value: Any) -> Iterator[Any]:
    """The numbers in nested lists, tuples, mappings and dataclasses, in order."""
    if isinstance(value, Mapping):
        for item in value.values():
            yield from _leaves(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _leaves(item)
    elif is_dataclass(value) and not isinstance(value, type):
        for field in fields(value):
            yield from _leaves(getattr(value, field.name))
    elif not isinstance(value, (int, str)) and value is not None:
        yield value
