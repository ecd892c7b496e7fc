"""What both orders of contraction share: couplings with rho, and how weights are laid out."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from symtrip.coupling import clebsch_gordan_table
from symtrip.tables import ConstantTable

__all__ = ["Factors", "Order", "Pair", "Path"]

Path = tuple[int, int, int]
Pair = tuple[int, int]


class Factors(NamedTuple):
    """What the features of E environments are made of.

    Attributes:
        rho: per l, (E, 2 l + 1, Q).
        g: per l, (E, N, 2 l + 1, Q).
        directions: (E, N, 3), vectors of any length that the g belong to; None: not known.
    """

    rho: Sequence[Tensor]
    g: Sequence[Tensor]
    directions: Tensor | None = None


class Order:
    """Sums of features times weights, in an order of contraction that a subclass fixes.

    Everything works on a few environments at once, on plain tensors without a graph.

    Args:
        paths: couplings (l1, l2, L) that are summed over.
        index: path -> its place in the weights.
        pairs: (l1, l2) whose couplings with rho are needed.
        n_channels: Q.
    """

    # of a field: places of its axes in (E, Q, m1, m2, L)
    _layout: tuple[int, ...]

    def __init__(
        self, paths: Sequence[Path], index: dict[Path, int], pairs: set[Pair], n_channels: int
    ) -> None:
        self.index, self.n_channels = index, n_channels
        every: dict[Pair, list[int]] = {}
        for l1, l2, big_l in paths:
            every.setdefault((l1, l2), []).append(big_l)
        self.lambdas = every
        self.pairs = [pair for pair in sorted(pairs) if pair in every]
        self._columns: dict[Pair, slice] = {}
        self._size = (max((path[2] for path in paths), default=0) + 1) ** 2
        tables: list[np.ndarray] = [np.zeros((self._size, 0))]
        start = 0
        for a, b in self.pairs:
            lambdas = every[a, b]
            table = np.zeros((self._size, 2 * a + 1, 2 * b + 1, len(lambdas)))
            for i, big_l in enumerate(lambdas):
                closed = (-1) ** big_l / math.sqrt(2 * big_l + 1)
                coupling = closed * clebsch_gordan_table(a, b, big_l)
                table[big_l**2 : (big_l + 1) ** 2, :, :, i] = coupling.transpose(2, 0, 1)
            tables.append(table.reshape(self._size, -1))
            self._columns[a, b] = slice(start, start + tables[-1].shape[1])
            start += tables[-1].shape[1]
        self._table = ConstantTable(np.concatenate(tables, axis=1))

    def fields(self, rho: Sequence[Tensor]) -> dict[Pair, Tensor]:
        """The coupling tables times rho: (l1, l2) -> E, Q, m1, m2 and L in the order's layout."""
        n_env, q = len(rho[0]), self.n_channels
        components = torch.cat(list(rho), dim=1)[:, : self._size].transpose(1, 2)
        coupled = components.reshape(n_env * q, -1) @ self._table.like(rho[0])
        coupled = coupled.view(n_env, q, -1)
        return {
            (a, b): coupled[:, :, columns]
            .view(n_env, q, 2 * a + 1, 2 * b + 1, len(self.lambdas[a, b]))
            .permute(self._layout)
            .contiguous()
            for (a, b), columns in self._columns.items()
        }

    def rho_gradients(self, fields: dict[Pair, Tensor], rho: Sequence[Tensor]) -> list[Tensor]:
        """The adjoint of :meth:`fields`."""
        n_env, q = len(rho[0]), self.n_channels
        back = [self._layout.index(i) for i in range(len(self._layout))]
        flat = [fields[pair].permute(back).reshape(n_env * q, -1) for pair in self.pairs]
        columns = torch.cat([*flat, rho[0].new_empty(n_env * q, 0)], dim=1)
        gradient = columns @ self._table.like(rho[0]).T
        gradient = gradient.view(n_env, q, -1).transpose(1, 2)
        return [
            gradient[:, l * l : (l + 1) ** 2] if l * l < self._size else torch.zeros_like(x)
            for l, x in enumerate(rho)
        ]

    def shapes(self, h: int) -> dict[Pair, tuple[int, ...]]:
        """Shapes of the weights in the layout of this order, the last two (n, h) of a column."""
        raise NotImplementedError

    def places(
        self, weight: Tensor, arranged: dict[Pair, Tensor]
    ) -> Iterator[tuple[Tensor, Tensor, int]]:
        """Views of both layouts with equal shapes, and the sign between them; path by path."""
        raise NotImplementedError

    def arranged(self, weight: Tensor) -> dict[Pair, Tensor]:
        """The weights (P, h) in the layout of this order."""
        shapes = self.shapes(weight.shape[1])
        arranged = {key: weight.new_empty(shape) for key, shape in shapes.items()}
        for source, target, sign in self.places(weight, arranged):
            if sign < 0:
                torch.neg(source, out=target)
            else:
                target.copy_(source)
        return {key: matrix.flatten(-2) for key, matrix in arranged.items()}

    def collect(self, arranged: dict[Pair, Tensor], weight: Tensor) -> Tensor:
        """The adjoint of :meth:`arranged`, (P, h); paths that are not summed over get 0."""
        gradient = torch.zeros_like(weight)
        shapes = self.shapes(weight.shape[1])
        unfolded = {key: arranged[key].view(shape) for key, shape in shapes.items()}
        for target, source, sign in self.places(gradient, unfolded):
            target.add_(source, alpha=sign)
        return gradient

    def numbers_per_environment(self, n_neighbors: int, h: int) -> int:
        """Size of the largest intermediates."""
        raise NotImplementedError

    def values(self, factors: Factors, weights: dict[Pair, Tensor], out: Tensor) -> None:
        """Sum features times weights over the features.

        Args:
            factors: what the features are made of.
            weights: from :meth:`arranged`.
            out: (E, N, N, h) to write to; environments, j, k.
        """
        raise NotImplementedError

    def gradients(
        self,
        factors: Factors,
        weights: dict[Pair, Tensor],
        grad: Tensor,
        sums: dict[Pair, Tensor] | None,
        *,
        blocks: bool,
    ) -> tuple[list[Tensor], list[Tensor]]:
        """Gradients of the sum of outputs times ``grad``.

        Args:
            factors: as in :meth:`values`.
            weights: as in :meth:`values`.
            grad: (E, N, N, h).
            sums: those of the arranged weights are added to these; None: not wanted.
            blocks: whether those of rho and g are wanted; else the results are empty.

        Returns:
            Those of rho and of g, each taken as independent of the other.
        """
        raise NotImplementedError

    def _by_path(self, weight: Tensor) -> Tensor:
        q = self.n_channels
        return weight.view(len(self.index), q, q, q, weight.shape[1])
