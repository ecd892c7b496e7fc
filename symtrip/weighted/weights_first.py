"""The order of contraction for many neighbours."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from symtrip.weighted.order import Factors, Order, Pair, Path

__all__ = ["WeightsFirst"]


class WeightsFirst(Order):
    """rho with the tables, the weights, g of one neighbour, g of the other: for many neighbours.

    The product of rho and the weights does not depend on neighbours at all. It is a matrix of
    ((l_max + 1)^2 Q)^2 h numbers per environment, made and used for one channel of j at a time.

    Args:
        paths: couplings that are summed over.
        index: path -> its place in the weights.
        n_channels: Q.
    """

    # of a field: E, m1, m2, L, Q
    _layout = (0, 2, 3, 4, 1)

    def __init__(self, paths: Sequence[Path], index: dict[Path, int], n_channels: int) -> None:
        super().__init__(paths, index, {(a, b) for a, b, _ in paths}, n_channels)
        self._partners: dict[int, list[int]] = {}
        for a, b in self.pairs:
            self._partners.setdefault(a, []).append(b)

    def shapes(self, h: int) -> dict[Pair, tuple[int, ...]]:
        """One matrix for each n1: rows (L, n3), columns (n2, h)."""
        q = self.n_channels
        return {pair: (q, len(lambdas), q, q, h) for pair, lambdas in self.lambdas.items()}

    def places(
        self, weight: Tensor, arranged: dict[Pair, Tensor]
    ) -> Iterator[tuple[Tensor, Tensor, int]]:
        """See the base class."""
        by_path = self._by_path(weight)
        for (a, b), lambdas in self.lambdas.items():
            for i, big_l in enumerate(lambdas):
                block = by_path[self.index[a, b, big_l]]
                yield block.permute(0, 2, 1, 3), arranged[a, b][:, i], 1

    def numbers_per_environment(self, n_neighbors: int, h: int) -> int:
        """See the base class: the largest matrix and what g of one neighbour makes of all."""
        largest = max(((2 * a + 1) * (2 * b + 1) for a, b in self.pairs), default=0)
        n_rows = sum(2 * a + 1 for a in self._partners)
        return h * (largest * self.n_channels + n_rows * n_neighbors)

    def values(self, factors: Factors, weights: dict[Pair, Tensor], out: Tensor) -> None:
        """See the base class."""
        rho, g, _ = factors
        n_env, n, _, h = out.shape
        fields, tagged = self.fields(rho), self._tagged(g)
        rows = {pair: self._repeated(g[pair[1]], 2 * pair[0] + 1) for pair in self.pairs}
        out.zero_()
        flat = out.view(n_env, n, n * h)
        for n1 in range(self.n_channels):
            images = []
            for a, partners in self._partners.items():
                image = out.new_zeros(n_env * (2 * a + 1), n, h)
                for b in partners:
                    image.baddbmm_(rows[a, b], self._matrix(a, b, n1, fields, weights))
                images.append(image.view(n_env, 2 * a + 1, n * h))
            if images:
                flat.baddbmm_(tagged[n1], torch.cat(images, dim=1))

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
        fields, tagged = self.fields(rho), self._tagged(g)
        flat = grad.reshape(n_env, n, n * h)
        rows = {pair: self._repeated(g[pair[1]], 2 * pair[0] + 1) for pair in self.pairs}
        row_sums = {pair: torch.zeros_like(x) for pair, x in rows.items()}
        field_sums = {pair: torch.zeros_like(x) for pair, x in fields.items()}
        tagged_sums = torch.zeros_like(tagged)
        for n1 in range(self.n_channels):
            start = 0
            for a, partners in self._partners.items():
                stop = start + 2 * a + 1
                mine = tagged[n1][:, :, start:stop]
                image_grad = torch.bmm(mine.transpose(1, 2), flat).view(-1, n, h)
                image = torch.zeros_like(image_grad) if blocks else None
                for b in partners:
                    key = (a, b)
                    field = fields[key].view(-1, fields[key].shape[-2] * self.n_channels)
                    matrix_grad = torch.bmm(rows[key].transpose(1, 2), image_grad)
                    matrix_grad = matrix_grad.view(len(field), -1)
                    if sums is not None:
                        sums[key][n1].flatten(0, 1).addmm_(field.T, matrix_grad)
                    if image is None:
                        continue
                    matrix = self._matrix(a, b, n1, fields, weights)
                    image.baddbmm_(rows[key], matrix)
                    row_sums[key].baddbmm_(image_grad, matrix.transpose(1, 2))
                    total = field_sums[key].view(field.shape)
                    total.addmm_(matrix_grad, weights[key][n1].flatten(0, 1).T)
                if image is not None:
                    closed = torch.bmm(flat, image.view(n_env, 2 * a + 1, n * h).transpose(1, 2))
                    tagged_sums[n1][:, :, start:stop] = closed
                start = stop
        if not blocks:
            return [], []
        g_sums = [torch.zeros_like(x) for x in g]
        for (a, b), total in row_sums.items():
            g_sums[b] += total.view(n_env, 2 * a + 1, *g[b].shape[1:]).sum(dim=1)
        start = 0
        for a in self._partners:
            g_sums[a] += tagged_sums[..., start : start + 2 * a + 1].permute(1, 2, 3, 0)
            start += 2 * a + 1
        return self.rho_gradients(field_sums, rho), g_sums

    def _tagged(self, g: Sequence[Tensor]) -> Tensor:
        """(Q, E, N, m of all l): the factors of j, channel by channel."""
        used = [g[a] for a in self._partners]
        return torch.cat(used or [g[0][:, :, :0]], dim=2).permute(3, 0, 1, 2).contiguous()

    @staticmethod
    def _repeated(g: Tensor, n_m: int) -> Tensor:
        """(E m, N, (2 l2 + 1) Q): the factors of k for every m of l1."""
        return g.flatten(2)[:, None].expand(-1, n_m, -1, -1).flatten(0, 1)

    def _matrix(
        self, a: int, b: int, n1: int, fields: dict[Pair, Tensor], weights: dict[Pair, Tensor]
    ) -> Tensor:
        """The fields times the weights of one channel of j, (E m1, (2 l2 + 1) Q, h)."""
        field, weight = fields[a, b], weights[a, b][n1].flatten(0, 1)
        n_rows = field.shape[0] * field.shape[1]
        product = torch.mm(field.view(-1, len(weight)), weight)
        return product.view(n_rows, (2 * b + 1) * self.n_channels, -1)
