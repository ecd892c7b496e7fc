"""Triplet features as blocks on a CPU: NumPy's matrix products on a few threads.

NumPy's OpenBLAS writes products with a short inner index that do not stay in the cache 1.3 to 2.2
times faster than the library behind ``torch.bmm`` (inner index 3 to 13, one core of an AMD EPYC).
Each thread makes its own environments from beginning to end, so that nothing is shared.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
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

__all__ = ["BlockWriter", "tagged_rows"]

Array = NDArray[Any]
Pair = tuple[int, int]
Strided = tuple[tuple[int, ...], tuple[int, ...], int]

# Columns of a matrix product from which on one product for each coupling is faster than one for
# some of (l1, l2): measured
_WIDE = 1000
# Intermediates of one thread, in bytes
_CACHE = 16 << 20


def tagged_rows(density: Density) -> list[Array]:
    """Per l, g as matrices (E, N Q, 2 l + 1).

    By NumPy: threads of PyTorch keep a core busy for a while after their work.
    """
    n_env, n, _, q = density.g[0].shape
    return [x.detach().numpy().swapaxes(2, 3).reshape(n_env, n * q, -1) for x in density.g]


@dataclass(frozen=True)
class _Slab:
    """The couplings of one l2.

    Attributes:
        l2: angular momentum of k.
        places: l1 -> its rows among all (l1, m1, coupling).
        n_rows: number of these rows.
        tables: (components of rho, rows m2), in both types.
    """

    l2: int
    places: dict[int, slice]
    n_rows: int
    tables: dict[np.dtype[Any], Array]


@dataclass(frozen=True)
class _Place:
    """The result of one matrix product, (E, N Q, width).

    Attributes:
        start: of the first environment.
        per_env: numbers from one environment to the next.
        width: number of columns: couplings, Q of rho, N, Q of k.
    """

    start: int
    per_env: int
    width: int


class BlockWriter:
    """Writes the features of all ordered pairs to flat memory, as blocks.

    rho meets the coupling tables first, then g of k, then g of j: as in
    :class:`symtrip.contraction.TripleProduct`, with the channel of rho in front of k so that
    nothing is rearranged between the products.

    Args:
        columns: couplings with l1 <= l2 that all blocks are views of.
        max_angular: largest l of the density.
    """

    def __init__(self, columns: Sequence[Column], max_angular: int) -> None:
        self._pairs: dict[Pair, list[Column]] = {}
        for column in columns:
            self._pairs.setdefault((column.l1, column.l2), []).append(column)
        self._max_angular = max_angular
        self._slabs = [self._slab(l2) for l2 in range(max_angular + 1)]

    def _slab(self, l2: int) -> _Slab:
        size = (self._max_angular + 1) ** 2
        rows, places, start = [], {}, 0
        for l1 in range(l2 + 1):
            couplings = self._pairs[l1, l2]
            table = coupling_table(couplings, size)
            stop = start + (2 * l1 + 1) * len(couplings)
            places[l1] = slice(start, stop)
            rows.append(table.reshape(-1, size))
            start = stop
        table = np.ascontiguousarray(np.concatenate(rows).T)
        types = (np.dtype(np.float64), np.dtype(np.float32))
        return _Slab(l2, places, start, {kind: table.astype(kind) for kind in types})

    def write(self, density: Density, memory: Tensor) -> dict[Path, Tensor]:
        """The blocks, views of ``memory``.

        Args:
            density: E environments, on a CPU.
            memory: flat, at least as long as all blocks.

        Returns:
            path -> (E, N, N, Q, Q, Q), in the order of :func:`triplet_paths`.
        """
        n_env, n, _, q = density.g[0].shape
        places, blocks = self._layout(n_env, n, q)
        if n_env * n > 0:
            parts = shares(torch.get_num_threads(), n_env, n * q)
            flat = memory.numpy()
            targets = {
                pair: [flat[x.start :][: n_env * x.per_env].reshape(n_env, n * q, -1) for x in mine]
                for pair, mine in places.items()
            }
            rho = np.concatenate([x.detach().numpy() for x in density.rho], axis=1).swapaxes(1, 2)
            g = tagged_rows(density)

            def work(i: int) -> None:
                env, rows = parts[i]
                self._write_part(rho[env], [x[env] for x in g], targets, env, rows)

            in_threads(work, len(parts))
        origin = memory.storage_offset()
        return {
            path: memory.as_strided(size, stride, origin + start)
            for path, (size, stride, start) in blocks.items()
        }

    def _write_part(
        self,
        rho: Array,
        g: Sequence[Array],
        targets: dict[Pair, list[Array]],
        env: slice,
        rows: slice,
    ) -> None:
        """Some environments, and some rows (j, n1) of each."""
        per_env = 2 * g[0].shape[1] * rho.shape[1] * rho.itemsize
        per_env *= sum(slab.n_rows for slab in self._slabs)
        step = max(1, _CACHE // per_env)
        for start in range(0, len(rho), step):
            part = slice(start, start + step)
            place = slice(env.start + start, min(env.start + start + step, env.stop))
            for pair, right in self._factors(rho[part], [x[part] for x in g]):
                left, column = g[pair[0]][part, rows], 0
                for target in targets[pair]:
                    stop = column + target.shape[2]
                    multiply(left, right[:, :, column:stop], target[place, rows])
                    column = stop

    def _factors(self, rho: Array, g: Sequence[Array]) -> Iterator[tuple[Pair, Array]]:
        """Per (l1, l2), what g of j is multiplied by: (E, 2 l1 + 1, columns)."""
        n_env, q, _ = rho.shape
        n = g[0].shape[1]
        for slab in self._slabs:
            table = slab.tables[rho.dtype]
            n_m = 2 * slab.l2 + 1
            coupled = np.empty((n_env, q, table.shape[1]), dtype=rho.dtype)
            multiply(rho, table[None], coupled)
            by_row = coupled.reshape(n_env, q, slab.n_rows, n_m).transpose(0, 2, 1, 3)
            product = np.empty((n_env, slab.n_rows * q, n), dtype=rho.dtype)
            multiply(by_row.reshape(n_env, -1, n_m), g[slab.l2].transpose(0, 2, 1), product)
            for l1, rows in slab.places.items():
                mine = product[:, rows.start * q : rows.stop * q]
                yield (l1, slab.l2), mine.reshape(n_env, 2 * l1 + 1, -1)

    def _layout(
        self, n_env: int, n: int, q: int
    ) -> tuple[dict[Pair, list[_Place]], dict[Path, Strided]]:
        """Where products are written; size, stride and beginning of each block."""
        places: dict[Pair, list[_Place]] = {}
        blocks: dict[Path, Strided] = {}
        start, width = 0, q * n * q
        size = (n_env, n, n, q, q, q)
        for (l1, l2), couplings in self._pairs.items():
            together = max(1, SHORT_WORK // max(n * q * (2 * l1 + 1) * width, 1))
            together = 1 if width >= _WIDE else together
            places[l1, l2] = []
            for i, column in enumerate(couplings):
                if i % together == 0:
                    n_columns = min(together, len(couplings) - i) * width
                    place = _Place(start, n * q * n_columns, n_columns)
                    places[l1, l2].append(place)
                    start += n_env * place.per_env
                first = place.start + i % together * width
                j, n1, k, n2, n3 = q * place.width, place.width, q, 1, n * q
                if column.sign > 0:
                    blocks[l1, l2, column.o3_lambda] = (
                        size,
                        (place.per_env, j, k, n1, n2, n3),
                        first,
                    )
                if column.serves_swapped:
                    mirrored = (place.per_env, k, j, n2, n1, n3)
                    blocks[l2, l1, column.o3_lambda] = (size, mirrored, first)
        return places, {path: blocks[path] for path in triplet_paths(self._max_angular)}
