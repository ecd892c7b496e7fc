"""Dense triplet features on a CPU, without blocks in between."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from symtrip.contraction import Column, coupling_table
from symtrip.expansion.density import Density
from symtrip.products import SHORT_WORK, in_threads, multiply, shares
from symtrip.triplets.blocks import Path, triplet_paths
from symtrip.triplets.on_cpu import tagged_rows

__all__ = ["DenseWriter"]

Array = NDArray[Any]

# Bytes of results of the last product that wait in the cache for their places, and of what one
# thread has before that product: in fewer, threads wait longer for each other between NumPy's calls
_WAITING = 8 << 20
_HALF = 16 << 20
# Bytes from which more threads pay where PyTorch's, which wait actively, have just been at work
_THREADED = 16 << 20


@dataclass(frozen=True)
class _Step:
    """The couplings of one l2 and one L, for all l1.

    Attributes:
        l2: angular momentum of k.
        o3_lambda: that of rho.
        tables: (rows m2, 2 L + 1) in both types, rows: all m1 of all l1.
        targets: l1, the coupling's number among those of l1, and its rows.
    """

    l2: int
    o3_lambda: int
    tables: dict[np.dtype[Any], Array]
    targets: list[tuple[int, int, slice]]


class DenseWriter:
    """Writes the features of all ordered pairs in the order of :meth:`Triplets.dense`.

    rho meets the coupling tables first, then g of k, then g of j. The last product is made a few
    couplings and neighbours at a time and copied to its places while it is in the cache. Each
    thread makes its own environments, or neighbours j, from beginning to end: caches of two cores
    may be far from each other.

    Args:
        max_angular: largest l of the density.
    """

    def __init__(self, max_angular: int) -> None:
        paths = triplet_paths(max_angular)
        self._by_l1 = [[path for path in paths if path[0] == l1] for l1 in range(max_angular + 1)]
        number = {path: i for mine in self._by_l1 for i, path in enumerate(mine)}
        degrees = range(max_angular + 1)
        self._steps = [_step(l2, big_l, number) for l2 in degrees for big_l in degrees]

    def write(self, density: Density, out: Tensor) -> None:
        """Fill ``out``.

        Args:
            density: E environments, on a CPU.
            out: (E, N, N, P), contiguous.
        """
        n_env, n, _, q = density.g[0].shape
        if n_env * n == 0:
            return
        target = out.view(n_env, n, n, -1, q, q * q).numpy()
        rho = [x.detach().numpy() for x in density.rho]
        g = tagged_rows(density)
        threads = torch.get_num_threads() if out.nbytes >= _THREADED else 1
        parts = shares(threads, n_env, n)

        def work(i: int) -> None:
            env, tagged = parts[i]
            self._write_part([x[env] for x in rho], [x[env] for x in g], target[env], tagged)

        in_threads(work, len(parts))

    def _write_part(
        self, rho: Sequence[Array], g: Sequence[Array], target: Array, tagged: slice
    ) -> None:
        """Some environments, and some neighbours j of each."""
        n_env, _, q = rho[0].shape
        n = target.shape[1]
        numbers = sum((2 * l1 + 1) * len(mine) for l1, mine in enumerate(self._by_l1))
        step = max(1, _HALF // (numbers * n * q * q * target.itemsize))
        for start in range(0, n_env, step):
            env = slice(start, start + step)
            tagging = [x[env] for x in g]
            half = self._half([x[env] for x in rho], tagging)
            place = 0
            for left, right in zip(tagging, half, strict=True):
                stop = place + right.shape[1]
                _close(left, right, target[env, :, :, place:stop], tagged)
                place = stop

    def _half(self, rho: Sequence[Array], g: Sequence[Array]) -> list[Array]:
        """Per l1 what g of j is multiplied by: (E, couplings, 2 l1 + 1, N Q, Q)."""
        n_env, _, q = rho[0].shape
        n_rows = g[0].shape[1]
        half = [
            np.empty((n_env, len(mine), 2 * l1 + 1, n_rows, q), dtype=rho[0].dtype)
            for l1, mine in enumerate(self._by_l1)
        ]
        for step in self._steps:
            coupled = step.tables[rho[0].dtype] @ rho[step.o3_lambda]
            coupled = coupled.reshape(n_env, -1, 2 * step.l2 + 1, q)
            for l1, number, rows in step.targets:
                multiply(g[step.l2][:, None], coupled[:, rows], half[l1][:, number])
        return half


def _close(g: Array, half: Array, target: Array, tagged: slice) -> None:
    """The last product, of one l1.

    Args:
        g: (E, N Q, 2 l1 + 1).
        half: what :meth:`DenseWriter._half` gave for l1.
        target: (E, N, N, couplings, Q, Q^2).
        tagged: neighbours j.
    """
    n_env, n, _, n_couplings, q, _ = target.shape
    n_m = g.shape[2]
    # a product for each coupling and k, whose results for each j are as long as possible
    columns = half.reshape(n_env, n_couplings, n_m, n, q * q).swapaxes(2, 3)
    n_j = min(tagged.stop - tagged.start, max(1, SHORT_WORK // (q**3 * n_m)))
    per_k = n_env * n_j * q**3 * target.itemsize
    n_k = min(n, max(1, _WAITING // per_k))
    together = min(n_couplings, max(1, _WAITING // (per_k * n_k)))
    waiting = np.empty(n_env * together * n_j * n_k * q**3, dtype=target.dtype)
    for j in range(tagged.start, tagged.stop, n_j):
        left = g[:, None, None, j * q : min(j + n_j, tagged.stop) * q]
        for first in range(0, n_couplings, together):
            last = min(first + together, n_couplings)
            for k in range(0, n, n_k):
                right = columns[:, first:last, k : k + n_k]
                shape = (*right.shape[:3], left.shape[3], q * q)
                product = waiting[: math.prod(shape)].reshape(shape)
                tile = product.reshape(*shape[:3], -1, q, q * q).transpose(0, 3, 2, 1, 4, 5)
                place = target[:, j : j + tile.shape[1], k : k + n_k, first:last]
                multiply(left, right, product)
                np.copyto(place, tile)


def _step(l2: int, o3_lambda: int, number: dict[Path, int]) -> _Step:
    components = slice(o3_lambda**2, (o3_lambda + 1) ** 2)
    tables, targets, start = [], [], 0
    for l1, _, _ in sorted(path for path in number if path[1:] == (l2, o3_lambda)):
        table = coupling_table([Column(l1, l2, o3_lambda)], components.stop)[:, 0, :, components]
        tables.append(table.reshape(-1, table.shape[2]))
        stop = start + 2 * l1 + 1
        targets.append((l1, number[l1, l2, o3_lambda], slice(start, stop)))
        start = stop
    table = np.concatenate(tables)
    types = (np.dtype(np.float64), np.dtype(np.float32))
    return _Step(l2, o3_lambda, {kind: table.astype(kind) for kind in types}, targets)
