"""The order of contraction for few neighbours."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from symtrip.weighted.order import Order, Pair, Path

__all__ = ["NeighborFirst"]


class NeighborFirst(Order):
    """rho with the tables, g of one neighbour, the weights, g of the other: for few neighbours.

    T_k[m; n_hi L n3] is needed for l = lo <= hi alone: F_jk of path (lo, hi, L) is g_j . T_k, and
    by the swap rule that of path (hi, lo, L) is +- g_k . T_j. For each neighbour 2 lo + 1 rows of
    Q^2 numbers meet the weights, instead of one row of Q^3 numbers for each pair.

    Args:
        paths: couplings that are summed over, with (l2, l1, L) for every (l1, l2, L).
        index: path -> its place in the weights.
        n_channels: Q.
    """

    def __init__(self, paths: Sequence[Path], index: dict[Path, int], n_channels: int) -> None:
        super().__init__(paths, index, {(a, b) for a, b, _ in paths if a <= b}, n_channels)
        self._partners: dict[int, list[int]] = {}
        for lo, hi in self.pairs:
            self._partners.setdefault(lo, []).append(hi)

    def empty(self, weight: Tensor) -> dict[Pair, Tensor]:
        """Rows (n_hi, L, n3), columns (n_lo, h)."""
        q, h = self.n_channels, weight.shape[1]
        return {
            pair: weight.new_empty(q, len(lambdas), q, q, h)
            for pair, lambdas in self.lambdas.items()
        }

    def places(
        self, weight: Tensor, arranged: dict[Pair, Tensor]
    ) -> Iterator[tuple[Tensor, Tensor, int]]:
        """See the base class."""
        by_path = self._by_path(weight)
        for (a, b), lambdas in self.lambdas.items():
            for i, big_l in enumerate(lambdas):
                block = by_path[self.index[a, b, big_l]]
                if a <= b:
                    yield block.permute(1, 2, 0, 3), arranged[a, b][:, i], 1
                else:
                    sign = (-1) ** (a + b + big_l)
                    yield block.permute(0, 2, 1, 3), arranged[a, b][:, i], sign

    def numbers_per_environment(self, n_neighbors: int, h: int) -> int:
        """See the base class: T times the direct and the swapped weights."""
        widest = 2 * max(self._partners, default=0) + 1
        return 2 * n_neighbors * widest * self.n_channels * h

    def values(
        self, rho: Sequence[Tensor], g: Sequence[Tensor], weights: dict[Pair, Tensor], out: Tensor
    ) -> None:
        """See the base class."""
        n_env, n, _, h = out.shape
        fields, rows = self.fields(rho), _rows(g)
        results = out.new_zeros(2, n_env * n, n, h)  # (E k), j and (E j), k
        for lo in self._partners:
            images = self._images(lo, fields, rows, weights)
            tagged = self._tagged(g[lo])
            for image, result in zip(images, results, strict=False):
                result.baddbmm_(tagged, image.view(n_env * n, -1, h))
        direct, swapped = results.view(2, *out.shape)
        torch.add(direct.transpose(1, 2), swapped, out=out)

    def gradients(
        self,
        rho: Sequence[Tensor],
        g: Sequence[Tensor],
        weights: dict[Pair, Tensor],
        grad: Tensor,
        sums: dict[Pair, Tensor] | None,
        *,
        blocks: bool,
    ) -> tuple[list[Tensor], list[Tensor]]:
        """See the base class."""
        n_env, n, _, h = grad.shape
        q = self.n_channels
        fields, rows = self.fields(rho), _rows(g)
        grads = (grad.transpose(1, 2).reshape(n_env * n, n, h), grad.reshape(n_env * n, n, h))
        g_sums = [torch.zeros_like(x) for x in g]
        row_sums = [torch.zeros_like(x) for x in rows]
        field_sums: dict[Pair, Tensor] = {}
        for lo, partners in self._partners.items():
            n_m = 2 * lo + 1
            tagged = self._tagged(g[lo]).transpose(1, 2)
            image_grads = [torch.bmm(tagged, x).view(n_env * n, n_m, q * h) for x in grads]
            if blocks:
                for image, x in zip(self._images(lo, fields, rows, weights), grads, strict=False):
                    closed = torch.bmm(x, image.view(n_env * n, n_m * q, h).transpose(1, 2))
                    g_sums[lo] += closed.view(n_env, n, n, n_m, q).sum(dim=1)
            for hi in partners:
                field = self._field(fields, lo, hi)
                t = self._coupled(rows[hi], field)
                pairs = list(zip(image_grads, [(lo, hi), (hi, lo)][: 1 + (hi > lo)], strict=False))
                if sums is not None:
                    for image_grad, key in pairs:
                        _add_transposed_products(t, image_grad, sums[key].flatten(0, -2))
                if not blocks:
                    continue
                # t is not needed any more: its gradient takes its place
                for i, (image_grad, key) in enumerate(pairs):
                    _add_products(image_grad, weights[key].flatten(0, -2).T, t, fresh=i == 0)
                t_grad = t.view(n_m * n_env, n * q, -1)
                summed = torch.bmm(t_grad, field.transpose(1, 2))
                row_sums[hi] += summed.view(n_m, n_env, n * q, -1).sum(dim=0)
                field_grad = torch.bmm(self._repeated(rows[hi], n_m).transpose(1, 2), t_grad)
                shape = (n_m, n_env, 2 * hi + 1, -1, q)
                field_sums[lo, hi] = field_grad.view(shape).transpose(0, 1)
        if not blocks:
            return [], []
        for l, more in enumerate(row_sums):
            g_sums[l] += more.view(n_env, n, q, -1).transpose(2, 3)
        return self.rho_gradients(field_sums, rho), g_sums

    @staticmethod
    def _tagged(g: Tensor) -> Tensor:
        """(E N, N, (2 lo + 1) Q): the same factors of j for every k."""
        return g.flatten(2)[:, None].expand(-1, g.shape[1], -1, -1).flatten(0, 1)

    @staticmethod
    def _repeated(rows: Tensor, n_m: int) -> Tensor:
        """(m E, N Q, 2 hi + 1)."""
        return rows.expand(n_m, -1, -1, -1).flatten(0, 1)

    @staticmethod
    def _field(fields: dict[Pair, Tensor], lo: int, hi: int) -> Tensor:
        """(m E, 2 hi + 1, L Q)."""
        return fields[lo, hi].transpose(0, 1).flatten(-2).flatten(0, 1)

    def _coupled(self, rows: Tensor, field: Tensor) -> Tensor:
        """T, (m, E N, Q L Q)."""
        n_m = len(field) // max(len(rows), 1)
        t = torch.bmm(self._repeated(rows, n_m), field)
        n_rows = rows.shape[0] * rows.shape[1] // self.n_channels
        return t.view(n_m, n_rows, self.n_channels * field.shape[2])

    def _images(
        self,
        lo: int,
        fields: dict[Pair, Tensor],
        rows: Sequence[Tensor],
        weights: dict[Pair, Tensor],
    ) -> list[Tensor]:
        """T times the direct weights and, where there are any, the swapped ones.

        (E N, 2 lo + 1, Q h) each.
        """
        images: dict[bool, Tensor] = {}
        for hi in self._partners[lo]:
            t = self._coupled(rows[hi], self._field(fields, lo, hi))
            for key in [(lo, hi), (hi, lo)][: 1 + (hi > lo)]:
                matrix = weights[key].flatten(0, -2)
                swapped = key[0] > key[1]
                first = swapped not in images
                if first:
                    shape = (t.shape[1], t.shape[0], matrix.shape[1])
                    images[swapped] = t.new_empty(shape)
                _add_products(
                    t.transpose(0, 1), matrix, images[swapped].transpose(0, 1), fresh=first
                )
        return list(images.values())


def _rows(g: Sequence[Tensor]) -> list[Tensor]:
    """Per l, (E, N Q, 2 l + 1)."""
    return [x.transpose(2, 3).flatten(1, 2) for x in g]


def _add_products(left: Tensor, matrix: Tensor, out: Tensor, *, fresh: bool) -> None:
    """Add left[:, m] @ matrix to out[m]; to 0 if ``out`` is ``fresh`` memory."""
    for m, target in enumerate(out):
        torch.addmm(target, left[:, m], matrix, beta=0 if fresh else 1, out=target)


def _add_transposed_products(left: Tensor, right: Tensor, out: Tensor) -> None:
    """Add in place: out += sum over m of left[m]^T @ right[:, m]."""
    for m, rows in enumerate(left):
        out.addmm_(rows.T, right[:, m])
