"""The small expression language of the catalogue, evaluated with tensors."""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable, Mapping
from functools import lru_cache, partial

import torch
from torch import Tensor

from symtrip.errors import InputError

__all__ = ["evaluate"]

Value = float | Tensor
_Function = Callable[..., Value]
_Step = float | str | tuple[_Function, int]

_LONGEST = 1000
_BINARY: dict[type[ast.operator], _Function] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}


def _power(exponent: int, base: Value) -> Value:
    return base**exponent


def _sqrt(x: Value) -> Value:
    if isinstance(x, Tensor):
        return torch.sqrt(x)
    if x < 0:
        raise ArithmeticError("root of a negative number")
    return math.sqrt(x)


def _hcos(t: Value) -> Value:
    return (1.0 - t * t) / (1.0 + t * t)


def _hsin(t: Value) -> Value:
    return 2.0 * t / (1.0 + t * t)


_FUNCTIONS: dict[str, _Function] = {"sqrt": _sqrt, "hcos": _hcos, "hsin": _hsin}


@lru_cache(maxsize=4096)
def _program(formula: str) -> tuple[_Step, ...]:
    """The formula in postfix order: numbers, names, and functions with their number of operands."""
    steps: list[_Step] = []

    def emit(node: ast.expr) -> None:
        match node:
            case ast.Constant(value=int(number)) if not isinstance(number, bool):
                steps.append(float(number))
            case ast.Name(id=name):
                steps.append(name)
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                emit(operand)
                steps.append((operator.neg, 1))
            case ast.BinOp(left=left, op=ast.Pow(), right=ast.Constant(value=int(exponent))):
                emit(left)
                steps.append((partial(_power, exponent), 1))
            case ast.BinOp(left=left, op=op, right=right) if type(op) in _BINARY:
                emit(left)
                emit(right)
                steps.append((_BINARY[type(op)], 2))
            case ast.Call(func=ast.Name(id=name), args=[inner], keywords=[]) if name in _FUNCTIONS:
                emit(inner)
                steps.append((_FUNCTIONS[name], 1))
            case _:
                raise ValueError(f"{type(node).__name__} is not allowed")

    try:
        if len(formula) > _LONGEST:
            raise ValueError("it is too long")
        emit(ast.parse(formula, mode="eval").body)
    except (SyntaxError, ValueError, ArithmeticError, RecursionError, MemoryError) as error:
        raise InputError(
            f"`formula` must be an arithmetic expression of at most {_LONGEST} characters, got "
            f"{formula[:80]!r} ({type(error).__name__}: {str(error)[:80]}); it may use + - * / **, "
            "sqrt, hcos, hsin, integers and names."
        ) from error
    return tuple(steps)


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
    stack: list[Value] = []
    try:
        for step in _program(formula):
            if isinstance(step, float):
                stack.append(step)
            elif isinstance(step, str):
                stack.append(values[step])
            else:
                function, arity = step
                operands = stack[-arity:]
                del stack[-arity:]
                stack.append(function(*operands))
    except KeyError as error:
        raise InputError(
            f"`formula` must use the names {sorted(values)}, got {formula!r} with {error}; correct "
            "the name."
        ) from error
    except ArithmeticError as error:
        raise InputError(
            f"`formula` must have a value, got {formula!r} ({error}); change its constants."
        ) from error
    return stack[0]
