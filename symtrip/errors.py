"""The one way symtrip refuses bad input."""

from __future__ import annotations

import contextlib
import operator
from importlib.util import find_spec
from typing import SupportsIndex, cast

__all__ = ["InputError", "integer", "require", "require_package"]


class InputError(ValueError):
    """Input that breaks a documented rule; the message says which, and what to write instead."""


def require(ok: bool, argument: str, rule: str, value: object, remedy: str) -> None:
    """Raise :class:`InputError` unless ``ok``.

    Args:
        ok: whether the rule holds.
        argument: name of the argument, file or configuration key, as its user wrote it.
        rule: what must hold, with the numbers in it, e.g. ``"satisfy 0 < width <= 4.0 Å"``.
        value: what was given.
        remedy: what to write instead.

    Raises:
        InputError: ```argument` must <rule>, got <value>; <remedy>.``
    """
    if not ok:
        raise InputError(f"`{argument}` must {rule}, got {value}; {remedy}.")


def integer(argument: str, value: object, least: int, remedy: str) -> int:
    """A count or a quantum number as an ``int``: NumPy's integers are taken, bools are not.

    Args:
        argument: as in :func:`require`.
        value: what was given.
        least: the smallest value allowed.
        remedy: as in :func:`require`.

    Raises:
        InputError: ``value`` is no integer, or less than ``least``.
    """
    number = least - 1
    if not isinstance(value, bool):
        with contextlib.suppress(TypeError):
            number = operator.index(cast("SupportsIndex", value))
    require(number >= least, argument, f"be an integer >= {least}", repr(value), remedy)
    return number


def require_package(module: str, extra: str, purpose: str) -> None:
    """Raise :class:`InputError` unless an optional package can be imported.

    Args:
        module: its name in Python.
        extra: the extra of symtrip that installs it.
        purpose: what it is needed for, e.g. ``"to compute labels"``.

    Raises:
        InputError: it is not installed.
    """
    remedy = f'install the extra with `pip install "symtrip[{extra}]"`'
    installed = find_spec(module) is not None
    require(installed, module, f"be installed {purpose}", "no such package", remedy)
