"""The one way symtrip refuses bad input."""

from __future__ import annotations

__all__ = ["InputError", "require"]


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
