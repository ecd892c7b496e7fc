"""Couplings of three factors to a scalar, ordered so that large matrix products do the work."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from symtrip.coupling import clebsch_gordan_table
from symtrip.tables import ConstantTable

__all__ = ["Column", "TripleProduct", "chunk_fits", "chunk_length", "coupling_table"]


@dataclass(frozen=True)
class Column:
    """One scalar coupling sign * [(a^l1 x b^l2)^L x c^L]^0, closed with C(L, L, 0)."""

    l1: int
    l2: int
    o3_lambda: int
    sign: int = 1

    @property
    def serves_swapped(self) -> bool:
        """Whether exchanging a and b gives the coupling (l2, l1, L) as it is."""
        even = (self.l1 + self.l2 + self.o3_lambda) % 2 == 0
        return self.l1 != self.l2 and (self.sign < 0 or even)


def coupling_table(columns: Sequence[Column], size: int) -> np.ndarray:
    """What c meets, (2 l1 + 1, couplings, 2 l2 + 1, size), for couplings of one l1 and one l2.

    Args:
        columns: the couplings.
        size: number of all components of c, order by order.
    """
    l1, l2 = columns[0].l1, columns[0].l2
    table = np.zeros((2 * l1 + 1, len(columns), 2 * l2 + 1, size))
    for i, column in enumerate(columns):
        big_l = column.o3_lambda
        closed = column.sign * (-1) ** big_l / math.sqrt(2 * big_l + 1)
        coupling = closed * clebsch_gordan_table(l1, l2, big_l)
        table[:, i, :, big_l**2 : (big_l + 1) ** 2] = coupling
    return table


class TripleProduct:
    """All channels of [(a^l1 x b^l2)^L x c^L]^0 for a list of couplings.

    c meets the coupling tables first (one matrix product for all couplings), then b (one per pair
    l1, l2), then a (one per l1, with as many columns as there are couplings and channels): that
    last product costs 2 l1 + 1 multiplications per number and is nearly all of the time.

    Args:
        columns: the couplings; sorted by l1, then l2, otherwise kept in order.

    Attributes:
        columns: l1 -> its couplings in the order of the results.
    """

    def __init__(self, columns: Sequence[Column]) -> None:
        self.columns: dict[int, list[Column]] = {}
        for column in sorted(columns, key=lambda c: (c.l1, c.l2)):
            self.columns.setdefault(column.l1, []).append(column)
        self._slabs: dict[int, list[tuple[int, int, int]]] = {}
        size = (max(column.o3_lambda for column in columns) + 1) ** 2
        rows: list[np.ndarray] = []
        start = 0
        for l1, mine in self.columns.items():
            for l2 in sorted({column.l2 for column in mine}):
                slab = [column for column in mine if column.l2 == l2]
                rows.append(coupling_table(slab, size).reshape(-1, size))
                self._slabs.setdefault(l1, []).append((l2, len(slab), start))
                start += len(rows[-1])
        self._table = ConstantTable(np.ascontiguousarray(np.concatenate(rows).T))

    def partial(
        self, b: Sequence[Tensor], c: Sequence[Tensor], *, neighbors_first: bool = False
    ) -> dict[int, Tensor]:
        """Contract c and b.

        Args:
            b: per l, (E, N, 2l+1, Qb).
            c: per L, (E, 2L+1, Qc).
            neighbors_first: whether N comes before the couplings in the result.

        Returns:
            l1 -> (E, 2 l1 + 1, couplings of l1, N, Qb, Qc), contiguous; with ``neighbors_first``
            (E, 2 l1 + 1, N, couplings of l1, Qb, Qc).
        """
        order, joined = ((0, 2, 4, 3, 5, 1), 3) if neighbors_first else ((0, 2, 3, 4, 5, 1), 2)
        n_env, n_b, _, q_b = b[0].shape
        q_c = c[0].shape[-1]
        table = self._table.like(c[0])
        stacked = torch.cat(list(c), dim=1)[:, : table.shape[0]]
        # a channel of c is a row of its own until the end: no factor has to be rearranged
        components = stacked.transpose(1, 2).reshape(n_env * q_c, table.shape[0])
        result = {}
        for l1, slabs in self._slabs.items():
            pieces = []
            for l2, n_l, start in slabs:
                stop = start + (2 * l1 + 1) * (2 * l2 + 1) * n_l
                field = torch.mm(components, table[:, start:stop])
                rows = field.view(n_env, q_c * (2 * l1 + 1) * n_l, 2 * l2 + 1)
                piece = torch.bmm(rows, b[l2].transpose(1, 2).flatten(2))
                piece = piece.view(n_env, q_c, 2 * l1 + 1, n_l, n_b, q_b)
                pieces.append(piece.permute(order))
            result[l1] = torch.cat(pieces, dim=joined)
        return result

    def close(self, l1: int, a: Tensor, partial: Tensor, out: Tensor | None = None) -> Tensor:
        """Contract the last factor.

        Args:
            l1: angular momentum of ``a``.
            a: (E, N, 2 l1 + 1, Qa).
            partial: what :meth:`partial` gave for ``l1``.
            out: contiguous memory of the result's size to write to; not differentiable.

        Returns:
            (E, N, Qa, couplings of l1, Nb, Qb, Qc), the axes of ``partial`` in their order.
        """
        n_env, n_a, _, q_a = a.shape
        shape = (n_env, n_a, q_a, *partial.shape[2:])
        rows = as_rows(a)
        # contiguous, but torch.compile may lay it out in another way
        columns = partial.reshape(n_env, 2 * l1 + 1, math.prod(partial.shape[2:]))
        if out is not None:
            out = out.view(n_env, n_a * q_a, columns.shape[2])
        # an outer product is faster by far than a matrix product over one index
        product = torch.mul if l1 == 0 else torch.bmm
        return product(rows, columns, out=out).view(shape)

    def close_one(self, l1: int, a: Tensor, partial: Tensor) -> Tensor:
        """As :meth:`close` for one of the N items of b.

        Args:
            l1: angular momentum of ``a``.
            a: (E, N, 2 l1 + 1, Qa).
            partial: (E, 2 l1 + 1, couplings, Qb, Qc), a view of what :meth:`partial` gave.

        Returns:
            (E, N, Qa, couplings, Qb, Qc).
        """
        n_env, n_a, _, q_a = a.shape
        product = torch.mul if l1 == 0 else torch.bmm
        result = product(as_rows(a), partial.flatten(2))
        return result.view(n_env, n_a, q_a, *partial.shape[2:])


def as_rows(block: Tensor) -> Tensor:
    """(E, N, 2l+1, Q) as matrices (E, N Q, 2l+1)."""
    n_env, n, n_m, q = block.shape
    return block.transpose(2, 3).reshape(n_env, n * q, n_m)


def chunk_length(per_item: int, device: torch.device) -> int:
    """Number of items whose intermediates, ``per_item`` bytes each, stay in the cache; >= 1."""
    return max(1, _budget(device) // max(per_item, 1))


def chunk_fits(per_item: int, device: torch.device) -> bool:
    """Whether the intermediates of one item, so many bytes, stay in the cache."""
    return per_item <= _budget(device)


def _budget(device: torch.device) -> int:
    return 8 << 20 if device.type == "cpu" else 1 << 30
