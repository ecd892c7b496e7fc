"""The order of contraction for few neighbours."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from symtrip.weighted.order import Factors, Order, Pair, Path

__all__ = ["NeighborFirst"]


class NeighborFirst(Order):
    """rho with the tables, g of one neighbour, the weights, g of the other: for few neighbours.

    T_k[m; hi n_hi L n3] is needed for l = lo <= hi alone: F_jk of path (lo, hi, L) is g_j . T_k,
    and by the swap rule that of path (hi, lo, L) is +- g_k . T_j. For each neighbour 2 lo + 1 rows
    of Q^2 numbers meet the weights, instead of one row of Q^3 numbers for each pair. All hi and L
    of one lo meet them in one matrix product, which is nearly all of the time.

    Args:
        paths: couplings that are summed over, with (l2, l1, L) for every (l1, l2, L).
        index: path -> its place in the weights.
        n_channels: Q.
    """

    # of a field: E, m_hi, m_lo, L, Q
    _layout = (0, 3, 2, 4, 1)

    def __init__(self, paths: Sequence[Path], index: dict[Path, int], n_channels: int) -> None:
        super().__init__(paths, index, {(a, b) for a, b, _ in paths if a <= b}, n_channels)
        self._partners: dict[int, list[int]] = {}
        # hi = lo comes last: the swapped weights, which have none, meet the first columns of T
        for lo, hi in sorted(self.pairs, key=lambda pair: (pair[0], -pair[1])):
            self._partners.setdefault(lo, []).append(hi)

    def shapes(self, h: int) -> dict[Pair, tuple[int, ...]]:
        """(lo, 0) for direct and (lo, 1) for swapped weights.

        Rows (hi, n_hi, L, n3), columns (n_lo, h).
        """
        q = self.n_channels
        shapes: dict[Pair, tuple[int, ...]] = {}
        for lo, partners in self._partners.items():
            for swapped in (0, 1):
                used = [hi for hi in partners if hi > lo or not swapped]
                if used:
                    n_rows = sum(len(self.lambdas[lo, hi]) for hi in used) * q**2
                    shapes[lo, swapped] = (n_rows, q, h)
        return shapes

    def places(
        self, weight: Tensor, arranged: dict[Pair, Tensor]
    ) -> Iterator[tuple[Tensor, Tensor, int]]:
        """See the base class."""
        q = self.n_channels
        by_path = self._by_path(weight)
        for lo, partners in self._partners.items():
            start = 0
            for hi in partners:
                lambdas = self.lambdas[lo, hi]
                rows = slice(start, start + len(lambdas) * q**2)
                start = rows.stop
                shape = (q, len(lambdas), q, q, weight.shape[1])
                direct = arranged[lo, 0][rows].view(shape)
                for i, big_l in enumerate(lambdas):
                    yield by_path[self.index[lo, hi, big_l]].permute(1, 2, 0, 3), direct[:, i], 1
                if hi == lo:
                    continue
                swapped = arranged[lo, 1][rows].view(shape)
                for i, big_l in enumerate(lambdas):
                    block = by_path[self.index[hi, lo, big_l]].permute(0, 2, 1, 3)
                    yield block, swapped[:, i], (-1) ** (lo + hi + big_l)

    def numbers_per_environment(self, n_neighbors: int, h: int) -> int:
        """See the base class: T times the weights."""
        widest = 2 * max(self._partners, default=0) + 1
        return n_neighbors * widest * self.n_channels * h

    def values(self, factors: Factors, weights: dict[Pair, Tensor], out: Tensor) -> None:
        """See the base class."""
        rho, g, _ = factors
        n_env, n, _, h = out.shape
        fields, rows = self.fields(rho), _rows(g)
        memory = out.new_empty(n_env * self.numbers_per_environment(n, h))
        direct = torch.empty_like(out).view(n_env * n, n, h)  # (E k), j
        targets = {0: direct, 1: out.view(n_env * n, n, h)}  # (E j), k
        fresh = set(targets)
        for lo in self._partners:
            t, tagged = self._coupled(lo, fields, rows), self._tagged(g[lo])
            for swapped, target in targets.items():
                if (lo, swapped) not in weights:
                    continue
                image = _image(t, weights[lo, swapped], memory).view(n_env * n, -1, h)
                beta = 0 if swapped in fresh else 1
                torch.baddbmm(target, tagged, image, beta=beta, out=target)
                fresh.discard(swapped)
        for swapped in fresh:
            targets[swapped].zero_()
        out += direct.view(out.shape).transpose(1, 2)

    def gradients(
        self,
        factors: Factors,
        weights: dict[Pair, Tensor],
        grad: Tensor,
        sums: dict[Pair, Tensor] | None,
        *,
        blocks: bool,
    ) -> tuple[list[Tensor], list[Tensor]]:
        """See the base class."""
        rho, g, _ = factors
        n_env, n, _, h = grad.shape
        q = self.n_channels
        fields, rows = self.fields(rho), _rows(g)
        grads = (grad.transpose(1, 2).reshape(n_env * n, n, h), grad.reshape(n_env * n, n, h))
        memory = grad.new_empty(n_env * self.numbers_per_environment(n, h))
        g_sums = [torch.zeros_like(x) for x in g]
        row_sums = [torch.zeros_like(x) for x in rows]
        field_sums: dict[Pair, Tensor] = {}
        for lo in self._partners:
            t, tagged = self._coupled(lo, fields, rows), self._tagged(g[lo])
            t_grad = torch.empty_like(t) if blocks else None
            for swapped, outer in enumerate(grads):
                if (lo, swapped) not in weights:
                    continue
                matrix = weights[lo, swapped]
                if blocks:
                    image = _image(t, matrix, memory).view(n_env * n, -1, h)
                    closed = torch.bmm(outer, image.transpose(1, 2))
                    g_sums[lo] += closed.view(n_env, n, *g[lo].shape[1:]).sum(dim=1)
                # the image is not needed any more: its gradient takes its place
                image_grad = memory[: len(t) * q * h].view(n_env * n, -1, h)
                torch.bmm(tagged.transpose(1, 2), outer, out=image_grad)
                image_grad = image_grad.view(len(t), q * h)
                if sums is not None:
                    sums[lo, swapped].addmm_(t[:, : len(matrix)].T, image_grad)
                if t_grad is None:
                    continue
                part = t_grad[:, : len(matrix)]
                torch.addmm(part, image_grad, matrix.T, beta=swapped, out=part)
            if t_grad is not None:
                self._add_adjoint(lo, t_grad, fields, rows, field_sums, row_sums)
        if not blocks:
            return [], []
        for l, more in enumerate(row_sums):
            g_sums[l] += more.view(n_env, n, q, -1).transpose(2, 3)
        return self.rho_gradients(field_sums, rho), g_sums

    @staticmethod
    def _tagged(g: Tensor) -> Tensor:
        """(E N, N, (2 lo + 1) Q): the same factors of j for every k."""
        return g.flatten(2)[:, None].expand(-1, g.shape[1], -1, -1).flatten(0, 1)

    def _coupled(self, lo: int, fields: dict[Pair, Tensor], rows: Sequence[Tensor]) -> Tensor:
        """T, (E N (2 lo + 1), hi Q L Q)."""
        q, n_m = self.n_channels, 2 * lo + 1
        n_env, n = rows[0].shape[0], rows[0].shape[1] // q
        n_columns = sum(len(self.lambdas[lo, hi]) for hi in self._partners[lo]) * q**2
        t = rows[0].new_empty(n_env, n, n_m, n_columns)
        for hi, columns in self._columns_of(lo, t):
            product = torch.bmm(rows[hi], fields[lo, hi].flatten(2))
            columns.copy_(product.view(n_env, n, q, n_m, -1).transpose(2, 3))
        return t.view(n_env * n * n_m, n_columns)

    def _add_adjoint(
        self,
        lo: int,
        t_grad: Tensor,
        fields: dict[Pair, Tensor],
        rows: Sequence[Tensor],
        field_sums: dict[Pair, Tensor],
        row_sums: Sequence[Tensor],
    ) -> None:
        """The adjoint of :meth:`_coupled`, added to the sums."""
        n_m = 2 * lo + 1
        n_env, n = rows[0].shape[0], rows[0].shape[1] // self.n_channels
        t_grad = t_grad.view(n_env, n, n_m, t_grad.shape[1])
        for hi, columns in self._columns_of(lo, t_grad):
            field = fields[lo, hi]
            product = columns.transpose(2, 3).reshape(n_env, rows[hi].shape[1], -1)
            row_sums[hi].baddbmm_(product, field.flatten(2).transpose(1, 2))
            field_sums[lo, hi] = torch.bmm(rows[hi].transpose(1, 2), product).view(field.shape)

    def _columns_of(self, lo: int, t: Tensor) -> Iterator[tuple[int, Tensor]]:
        """Each hi and its columns of T, (E, N, 2 lo + 1, Q, L Q)."""
        start, q = 0, self.n_channels
        for hi in self._partners[lo]:
            stop = start + len(self.lambdas[lo, hi]) * q**2
            yield hi, t[..., start:stop].view(*t.shape[:-1], q, -1)
            start = stop


def _rows(g: Sequence[Tensor]) -> list[Tensor]:
    """Per l, (E, N Q, 2 l + 1)."""
    return [x.transpose(2, 3).flatten(1, 2) for x in g]


def _image(t: Tensor, matrix: Tensor, memory: Tensor) -> Tensor:
    """The first columns of T times the weights, (E N (2 lo + 1), Q h), written to ``memory``."""
    image = memory[: len(t) * matrix.shape[1]].view(len(t), matrix.shape[1])
    return torch.mm(t[:, : len(matrix)], matrix, out=image)
