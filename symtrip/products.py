"""Matrix products of NumPy on threads of Python, beside PyTorch's own threads."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["SHORT_WORK", "in_threads", "multiply", "shares"]

Array = NDArray[Any]

SHORT_WORK = 1 << 18
"""Multiplications up to which OpenBLAS does not start threads of its own."""


def multiply(left: Array, right: Array, out: Array) -> None:
    """Matrix products, a few rows at a time so that each of them runs on the calling thread.

    Args:
        left: (..., rows, inner).
        right: (..., inner, columns); its other axes and those of ``left`` are broadcast.
        out: (..., rows, columns) to write to.
    """
    n_rows, n_inner = left.shape[-2:]
    n_columns = right.shape[-1]
    if n_inner == 1:
        np.multiply(left, right, out=out)
        return
    step = max(1, SHORT_WORK // max(n_inner * n_columns, 1))
    if step >= n_rows:
        np.matmul(left, right, out=out)
        return
    whole = n_rows // step * step
    shape = (whole // step, step)
    np.matmul(
        left[..., :whole, :].reshape(*left.shape[:-2], *shape, n_inner),
        right[..., None, :, :],
        out=out[..., :whole, :].reshape(*out.shape[:-2], *shape, n_columns),
    )
    if whole < n_rows:
        np.matmul(left[..., whole:, :], right, out=out[..., whole:, :])


def shares(threads: int, n_env: int, n_rows: int) -> list[tuple[slice, slice]]:
    """What each thread does: some environments, or some rows of all where these are few.

    Args:
        threads: number of threads to use, >= 1.
        n_env: number of environments, >= 1.
        n_rows: number of rows of each, >= 1.

    Returns:
        Environments and rows for each thread; no more threads than there is work for.
    """
    every = slice(0, n_env), slice(0, n_rows)
    by_environment = n_env >= threads
    size = n_env if by_environment else n_rows
    parts = min(threads, size)
    edges = [size * i // parts for i in range(parts + 1)]
    pieces = [slice(first, last) for first, last in pairwise(edges)]
    return [(piece, every[1]) if by_environment else (every[0], piece) for piece in pieces]


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
