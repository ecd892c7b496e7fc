"""Matrix products of NumPy on threads of Python, beside PyTorch's own threads."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["SHORT_WORK", "in_threads", "multiply"]

Array = NDArray[Any]

SHORT_WORK = 1 << 18
"""Multiplications up to which OpenBLAS does not start threads of its own."""


def multiply(left: Array, right: Array, out: Array) -> None:
    """Matrix products, a few rows at a time so that each of them runs on the calling thread.

    Args:
        left: (E, rows, inner).
        right: (E, inner, columns), or one for all environments.
        out: (E, rows, columns) to write to.
    """
    n_env, n_rows, n_inner = left.shape
    if n_inner == 1:
        np.multiply(left, right, out=out)
        return
    step = max(1, SHORT_WORK // max(n_inner * right.shape[2], 1))
    if step >= n_rows:
        np.matmul(left, right, out=out)
        return
    whole = n_rows // step * step
    shape = (n_env, whole // step, step)
    np.matmul(
        left[:, :whole].reshape(*shape, n_inner),
        right[:, None],
        out=out[:, :whole].reshape(*shape, right.shape[2]),
    )
    if whole < n_rows:
        np.matmul(left[:, whole:], right, out=out[:, whole:])


def in_threads(work: Callable[[int], None], n: int) -> None:
    """Call ``work(0)`` to ``work(n - 1)`` at once, the first on this thread.

    NumPy lets infinities and NaN pass through without a warning meanwhile, as PyTorch does.
    The threads live as long as the call: nothing is left that a fork could break. PyTorch's number
    of threads is neither used nor changed; ``work`` must not call operations that use them.

    Raises:
        BaseException: the first that a call raised, after all have ended.
    """

    def quiet(i: int) -> None:
        with np.errstate(all="ignore"):
            work(i)

    if n <= 1:
        quiet(0)
        return
    with ThreadPoolExecutor(n - 1) as pool:
        others = [pool.submit(quiet, i) for i in range(1, n)]
        quiet(0)
    for other in others:
        other.result()
