"""Matrix products as accurate as the type of their factors, and fast in float32 on a CPU."""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import cache, wraps
from pathlib import Path
from threading import Lock
from typing import Any, ParamSpec, TypeVar

import torch

__all__ = ["fast_float32", "full_precision"]

P = ParamSpec("P")
T = TypeVar("T")

_ONEDNN: Any = torch.backends.mkldnn
_REDUCED = ("tf32", "bf16")
_TRYING = Lock()  # two threads that try settings at once would leave one of them behind
_PROBE = 256  # size of a matrix that the libraries multiply as they do large ones


class _Setting:
    """How one library multiplies float32 matrices while somebody, in any thread, needs it so."""

    def __init__(self, library: Any, wanted: Callable[[], str]) -> None:
        self._library, self._wanted = library, wanted
        self._lock, self._users, self._before = Lock(), 0, "none"

    @property
    def reduced(self) -> bool:
        """Whether products may have the accuracy of a shorter type, now or when others leave."""
        if self._users > 0:
            return True
        value: str = self._library.fp32_precision
        return value in _REDUCED and value != self._wanted()

    @contextmanager
    def held(self) -> Iterator[None]:
        """As it is wanted; what was set before the first of several users comes back at the end."""
        wanted = self._wanted()  # which may try settings: before one is kept for the end
        with self._lock:
            if self._users == 0:
                self._before = self._library.fp32_precision
                self._library.fp32_precision = wanted
            self._users += 1
        try:
            yield
        finally:
            with self._lock:
                self._users -= 1
                if self._users == 0:
                    self._library.fp32_precision = self._before


def _fastest_on_cpu() -> str:
    """What makes float32 products fastest on this CPU, of what costs no accuracy."""
    with _TRYING:
        return _tried()


@cache
def _tried() -> str:
    """As :func:`_fastest_on_cpu`, for one thread at a time.

    PyTorch's own choice is MKL, which runs at half the speed of an AMD processor: it does not use
    the instructions for 512 bits there. oneDNN does, and PyTorch takes it where "bf16" is allowed;
    processors without units for matrices of that type multiply in float32 all the same.
    """
    if not _is_amd() or not _ONEDNN.is_available():
        return "ieee"
    generator = torch.Generator().manual_seed(0)
    a, b = (
        torch.rand(_PROBE, _PROBE, generator=generator, dtype=torch.float64, device="cpu").float()
        for _ in range(2)
    )
    exact = a.double() @ b.double()
    allowed = _Setting(_ONEDNN.matmul, lambda: "bf16")
    with allowed.held(), torch.autocast("cpu", enabled=False):
        error = (a @ b).double().sub_(exact).abs().max()
    # single roundings of bf16 are 1e5 times those of float32
    accurate = float(error) <= _PROBE * torch.finfo(torch.float32).eps * float(exact.max())
    return "bf16" if accurate else "ieee"


def _is_amd() -> bool:
    file = Path("/proc/cpuinfo")
    text = file.read_text(errors="replace") if file.exists() else platform.processor()
    return "AuthenticAMD" in text


_ON_CPU = _Setting(_ONEDNN.matmul, _fastest_on_cpu)
_ON_CUDA = _Setting(torch.backends.cuda.matmul, lambda: "ieee")


def full_precision(function: Callable[P, T]) -> Callable[P, T]:
    """Make a function's matrix products as accurate as the type of their factors.

    That is, inside ``torch.autocast`` and where ``torch.set_float32_matmul_precision`` or
    ``torch.backends`` allow TensorFloat-32 or bfloat16 for products of float32. Half precision has
    3 digits, and what tells environments apart is often in the later ones.
    """

    @wraps(function)
    def exact(*args: P.args, **kwargs: P.kwargs) -> T:
        active = [kind for kind in ("cpu", "cuda") if torch.is_autocast_enabled(kind)]
        reduced = [setting for setting in (_ON_CPU, _ON_CUDA) if setting.reduced]
        if not active and not reduced:
            return function(*args, **kwargs)
        with ExitStack() as stack:
            for kind in active:
                stack.enter_context(torch.autocast(kind, enabled=False))
            for setting in reduced:
                stack.enter_context(setting.held())
            return function(*args, **kwargs)

    return exact


@contextmanager
def fast_float32(wanted: bool = True) -> Iterator[None]:
    """Products of large float32 matrices at the speed of the CPU, without loss of accuracy.

    On AMD processors with instructions for 512 bits PyTorch multiplies float32 matrices twice as
    fast inside: by oneDNN, not MKL. Elsewhere nothing changes. The setting belongs to the process,
    other threads have it meanwhile as well. Products of small matrices, up to some 64 x 64, take
    longer.

    Args:
        wanted: ``False``: do nothing, for a caller that knows its matrices to be small.

    Accuracy:
        that of float32 products; checked once a process on a product of two matrices
        (tests/property/test_precision.py).
    """
    if not wanted or _fastest_on_cpu() == "ieee":
        yield
        return
    with _ON_CPU.held():
        yield
