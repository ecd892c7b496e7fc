"""Options that several commands share: their texts into values."""

from __future__ import annotations

from typing import TYPE_CHECKING

from symtrip.errors import InputError

if TYPE_CHECKING:
    import torch

__all__ = ["chosen_centers", "chosen_device"]


def chosen_device(name: str, dtype: torch.dtype) -> torch.device:
    """The device of ``--device``.

    Args:
        name: cpu, cuda, cuda:1, ...
        dtype: what it must be able to compute in.

    Raises:
        InputError: this machine has no such device, or it does not compute in ``dtype``.
    """
    import torch

    try:
        device = torch.device(name)
        torch.zeros(1, dtype=dtype, device=device).item()
    except (RuntimeError, AssertionError, NotImplementedError, TypeError) as problem:
        # the first sentence; torch goes on with the names of all of its backends
        reason = str(problem).splitlines()[0].split(". ")[0][:200]
        raise InputError(
            f"`--device` must be a device of this machine that computes in {dtype}, got {name} "
            f"({reason}); write --device cpu."
        ) from problem
    return device


def chosen_centers(text: str) -> list[int] | None:
    """The atoms of ``--centers``: ``all`` (None) or indices such as ``0`` or ``0,3``.

    Raises:
        InputError: anything else.
    """
    if text == "all":
        return None
    try:
        return [int(word) for word in text.split(",")]
    except ValueError:
        raise InputError(
            f"`--centers` must be all or indices of atoms, got {text!r}; write e.g. --centers 0,3."
        ) from None
