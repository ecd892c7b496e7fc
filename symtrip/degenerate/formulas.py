"""The small expression language of the catalogue, evaluated with tensors."""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable, Mapping
from functools import lru_cache

import torch
from torch import Tensor

from symtrip.errors import InputError

__all__ = ["evaluate"]

Value = float | Tensor

_LONGEST = 1000
_BINARY: dict[type[ast.operator], Callable[[Value, Value], Value]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}


def _sqrt(x: Value) -> Value:
    return torch.sqrt(x) if isinstance(x, Tensor) else math.sqrt(x)


def _hcos(t: Value) -> Value:
    return (1.0 - t * t) / (1.0 + t * t)


def _hsin(t: Value) -> Value:
    return 2.0 * t / (1.0 + t * t)


_FUNCTIONS: dict[str, Callable[[Value], Value]] = {"sqrt": _sqrt, "hcos": _hcos, "hsin": _hsin}


@lru_cache(maxsize=4096)
def _parse(formula: str) -> ast.expr:
    try:
        if len(formula) > _LONGEST:
            raise ValueError("too long")
        return ast.parse(formula, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise InputError(
            f"`formula` must be an arithmetic expression of at most {_LONGEST} characters, got "
            f"{formula[:80]!r}; it may use + - * / **, sqrt, hcos, hsin, integers and names."
        ) from error


def evaluate(formula: str, values: Mapping[str, Tensor | float]) -> Tensor | float:
    """Value of a catalogue formula; nothing but arithmetic can happen.

    Args:
        formula: integers, names, ``+ - * /``, ``**`` with an integer exponent, ``sqrt``, and
            ``hcos(t)``, ``hsin(t)``: cosine and sine of the angle whose half has the tangent t.
            So rational parameters give coordinates that are rational but for the roots.
        values: what the names stand for; tensors broadcast.

    Returns:
        A tensor, differentiable with respect to ``values``, or a float if no tensor is involved.

    Raises:
        InputError: the formula holds anything else, an unknown name, or constants for which it has
            no value.

    Accuracy:
        rounding of the operations as written, in the dtype of the tensors.
    """

    def walk(node: ast.expr) -> Value:
        match node:
            case ast.Constant(value=int(number)):
                return float(number)
            case ast.Name(id=name) if name in values:
                return values[name]
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return -walk(operand)
            case ast.BinOp(left=left, op=ast.Pow(), right=ast.Constant(value=int(exponent))):
                return walk(left) ** exponent
            case ast.BinOp(left=left, op=op, right=right) if type(op) in _BINARY:
                return _BINARY[type(op)](walk(left), walk(right))
            case ast.Call(func=ast.Name(id=name), args=[inner], keywords=[]) if name in _FUNCTIONS:
                return _FUNCTIONS[name](walk(inner))
        raise InputError(
            f"`formula` must use + - * / **, sqrt, hcos, hsin, integers and the names "
            f"{sorted(values)}, got {formula!r}; see symtrip.degenerate.formulas.evaluate."
        )

    try:
        return walk(_parse(formula))
    except (ArithmeticError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(
            f"`formula` must have a real value, got {formula!r} ({error}); change its constants."
        ) from error
