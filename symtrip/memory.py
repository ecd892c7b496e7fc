"""How much memory a device has left, and refusing what cannot fit before it is allocated."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from symtrip.errors import InputError

__all__ = ["available_memory", "empty_like_type", "keep_freed_memory", "require_memory"]

# Asking the system takes some 0.1 ms, which small results need not pay.
_NEVER_CHECKED = 32 << 20
# Glibc then keeps twice as much.
_KEPT = 16 << 20


def empty_like_type(shape: Sequence[int], like: Tensor) -> Tensor:
    """Uninitialised memory in the dtype and on the device of ``like``.

    On a CPU it comes from numpy, which asks Linux for huge pages: the first pass over a large array
    then costs one extra pass, not four, and later ones are faster too.
    """
    if like.device.type != "cpu" or math.prod(shape) * like.element_size() < _NEVER_CHECKED:
        return like.new_empty(tuple(shape))
    kind = {torch.float64: np.float64, torch.float32: np.float32}[like.dtype]
    return torch.from_numpy(np.empty(tuple(shape), dtype=kind))


@cache
def keep_freed_memory() -> None:
    """Let the C library keep what intermediates need from call to call, up to 32 MiB.

    Glibc returns freed memory to the system unless a large piece was freed before, and the system
    hands it out again page by page. In a fresh process that took up to half of the time of dense
    features of ten B8 environments.
    """
    torch.empty(_KEPT, dtype=torch.uint8, device="cpu")


def available_memory(device: torch.device | str) -> int | None:
    """Bytes that can still be allocated.

    Args:
        device: CPU (the smaller of what the system and its control group have left) or CUDA (what
            the driver has left, and what torch keeps cached).

    Returns:
        The bytes, or None where the system does not tell.
    """
    device = torch.device(device)
    if device.type == "cuda":
        free, _ = torch.cuda.mem_get_info(device)
        cached = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
        return int(free) + int(cached)
    if device.type != "cpu":
        return None
    limits = [limit for limit in (_system_memory(), _control_group_memory()) if limit is not None]
    return min(limits, default=None)


def _system_memory() -> int | None:
    file = Path("/proc/meminfo")
    if not file.exists():
        return None
    for line in file.read_text().splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    return None


def _control_group_memory() -> int | None:
    """What is left of a container's limit; its page cache counts as free."""
    root = Path("/sys/fs/cgroup")
    try:
        limit = int((root / "memory.max").read_text())  # "max" where there is none
        used = int((root / "memory.current").read_text())
        statistics = (root / "memory.stat").read_text().split()
    except (OSError, ValueError):
        return None
    cache = int(statistics[statistics.index("inactive_file") + 1])
    return max(limit - used + cache, 0)


def require_memory(
    argument: str, what: str, per_item: int, n_items: int, device: torch.device, remedy: str
) -> None:
    """Raise unless a result fits into three quarters of the memory that is left.

    Args:
        argument: what the user passed that makes the result large.
        what: the result, e.g. ``"triplet features"``.
        per_item: bytes of one item.
        n_items: number of items.
        device: where the result goes.
        remedy: what to do instead; ``{size}`` is replaced by the number of items that fit.

    Raises:
        InputError: it does not fit; the message has the needed and the available memory and the
            number of items that would fit.
    """
    needed = per_item * n_items
    if needed <= _NEVER_CHECKED:
        return
    available = available_memory(device)
    if available is None or needed <= 0.75 * available:
        return
    # one chunk beside the one before it, and room for the rest of the program
    size = int(0.25 * available) // max(per_item, 1)
    advice = remedy.format(size=size) if size else "use a device with more memory"
    raise InputError(
        f"`{argument}` must leave room for its {what}: they need {_gigabytes(needed)}, "
        f"{_gigabytes(available)} are available on {device}; {advice}."
    )


def _gigabytes(count: int) -> str:
    return f"{count / 1e9:.1f} GB" if count >= 1e8 else f"{count / 1e6:.1f} MB"
