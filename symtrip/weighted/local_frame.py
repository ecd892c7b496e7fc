"""The order of contraction for neighbours whose directions are known."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from symtrip.coupling import clebsch_gordan_table
from symtrip.tables import ConstantTable
from symtrip.weighted.order import Factors, Order, Pair, Path
from symtrip.weighted.rotations import LocalFrames, frame_order, generators

__all__ = ["LocalFrame"]

Slices = list[tuple[slice, slice]]


@dataclass(frozen=True)
class _Group:
    """What has l = lo and one |m|.

    Attributes:
        lo: l of the neighbour that the weights do not meet.
        n_m: 1 or 2, the number of m.
        rows: places of m and -m and all channels among those of lo.
        direct: rows of T and those of the direct weights.
        swapped: the same for the swapped weights.
        hi: (paths,), l of the other neighbour.
        component: (paths m,), of rho.
        coefficient: (paths m, 1, 1), of the couplings.
    """

    lo: int
    n_m: int
    rows: slice
    direct: Slices
    swapped: Slices
    hi: ConstantTable
    component: ConstantTable
    coefficient: ConstantTable

    def pieces(self, swapped: int) -> Slices:
        """Rows of T and of either kind of weights."""
        return self.swapped if swapped else self.direct


class LocalFrame(Order):
    """As :class:`NeighborFirst`, with the neighbour that meets the weights on the z axis.

    There g of this neighbour has m = 0 alone, and couplings join m of lo to m (even paths) or -m
    (odd paths) of L: T needs no sums, and has no rows with |m| > L and none with m = 0 of odd
    paths. At l <= 3 its products with the weights take 89/124 of the multiplications.

    Args:
        paths: couplings that are summed over, with (l2, l1, L) for every (l1, l2, L).
        index: path -> its place in the weights.
        n_channels: Q.

    Source:
        Passaro and Zitnick, ICML 2023, arXiv:2302.03655, for couplings in such a frame.
    """

    def __init__(self, paths: Sequence[Path], index: dict[Path, int], n_channels: int) -> None:
        super().__init__(paths, index, set(), n_channels)
        self.max_angular = max((path[0] for path in paths), default=0)
        self._frames = LocalFrames(self.max_angular)
        self._partners: dict[int, list[Path]] = {}
        for lo in range(self.max_angular + 1):
            mine = [path for path in paths if path[0] == lo <= path[1]]
            # those that a value of |m| needs are neighbours: odd L up, then even L down; the
            # swapped weights, which have no hi = lo, need the first ones
            mine.sort(key=lambda p: (p[0] == p[1], *((0, p[2]) if sum(p) % 2 else (1, -p[2]))))
            if mine:
                self._partners[lo] = mine
        self._groups: list[_Group] = []
        for lo, mine in self._partners.items():
            for m in range(lo + 1):
                used = [i for i, path in enumerate(mine) if _couples(path, m)]
                if used:
                    self._groups.append(self._group(lo, m, used))
        turns = []
        for l in range(self.max_angular + 1):
            places = [l + m for m in frame_order(l)]
            turns.append(ConstantTable(generators(l)[:2][:, places][:, :, places]))
        self._turns = turns

    def _group(self, lo: int, m: int, used: list[int]) -> _Group:
        mine, q = self._partners[lo], self.n_channels
        size = q**2
        signed = (m, -m) if m else (0,)
        unequal = [i for i in used if mine[i][1] > lo]
        pieces = []
        for part in (unequal, used[len(unequal) :]):
            if part:
                first = used.index(part[0])
                rows = slice(first * size, (first + len(part)) * size)
                pieces.append((rows, slice(part[0] * size, (part[-1] + 1) * size)))
        couplings = [_coupling(mine[i], s) for i in used for s in signed]
        return _Group(
            lo=lo,
            n_m=len(signed),
            rows=slice((2 * m - len(signed) + 1) * q, (2 * m + 1) * q),
            direct=pieces,
            swapped=pieces[: 1 if unequal else 0],
            hi=ConstantTable(np.array([mine[i][1] for i in used], dtype=np.int64)),
            component=ConstantTable(np.array([c[0] for c in couplings], dtype=np.int64)),
            coefficient=ConstantTable(np.array([c[1] for c in couplings])[:, None, None]),
        )

    def shapes(self, h: int) -> dict[Pair, tuple[int, ...]]:
        """(lo, 0) for direct and (lo, 1) for swapped weights.

        Rows (path, n_hi, n3), columns (n_lo, h).
        """
        q = self.n_channels
        shapes: dict[Pair, tuple[int, ...]] = {}
        for lo, mine in self._partners.items():
            for swapped in (0, 1):
                n_paths = sum(path[1] > lo or not swapped for path in mine)
                if n_paths:
                    shapes[lo, swapped] = (n_paths * q**2, q, h)
        return shapes

    def places(
        self, weight: Tensor, arranged: dict[Pair, Tensor]
    ) -> Iterator[tuple[Tensor, Tensor, int]]:
        """See the base class."""
        q = self.n_channels
        by_path = self._by_path(weight)
        for (lo, swapped), matrix in arranged.items():
            blocks = matrix.view(-1, q, q, q, weight.shape[1])
            for path, block in zip(self._partners[lo], blocks, strict=False):
                if swapped:
                    partner = by_path[self.index[path[1], lo, path[2]]]
                    yield partner.permute(0, 2, 1, 3), block, (-1) ** sum(path)
                else:
                    yield by_path[self.index[path]].permute(1, 2, 0, 3), block, 1

    def numbers_per_environment(self, n_neighbors: int, h: int) -> int:
        """See the base class: T or its product for m and -m, and most of the sums over m.

        Measured for 7 and 15 neighbours, l <= 3 and 128 outputs in both types.
        """
        q = self.n_channels
        largest = max((g.n_m * len(g.hi.master) * q**2 for g in self._groups), default=0)
        return n_neighbors * max(largest, 2 * q * h) + 3 * n_neighbors**2 * h // 2

    def values(self, factors: Factors, weights: dict[Pair, Tensor], out: Tensor) -> None:
        """See the base class."""
        n_env, n, _, h = out.shape
        turned = self._turned(factors, self._matrices(factors))
        axial, rho = self._axial(turned), self._turned_rho(turned)
        memory = out.new_empty(n_env * n * 2 * self.n_channels * h)
        direct = torch.empty_like(out).view(n_env * n, n, h)  # (E k), j
        targets = {0: direct, 1: out.view(n_env * n, n, h)}  # (E j), k
        every = self._rows(turned)
        fresh = set(targets)
        for group in self._groups:
            t = _outer(*_sides(group, axial, rho))
            tagged = every[group.lo][:, group.rows].transpose(1, 2)
            for swapped, target in targets.items():
                if not group.pieces(swapped):
                    continue
                image = self._image(group, t, weights, swapped, memory)
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
        """See the base class; of g, the part along what directions and radial functions can do."""
        n_env, n, _, h = grad.shape
        q = self.n_channels
        matrices = self._matrices(factors)
        turned = self._turned(factors, matrices)
        axial, rho = self._axial(turned), self._turned_rho(turned)
        memory = grad.new_empty(n_env * n * 2 * q * h)
        grads = (grad.transpose(1, 2).reshape(n_env * n, n, h), grad.reshape(n_env * n, n, h))
        turned_sums = [torch.zeros_like(x) for x in turned] if blocks else []
        every, every_sum = self._rows(turned), self._rows(turned_sums)
        axial_sum, rho_sum = torch.zeros_like(axial), torch.zeros_like(rho)
        for group in self._groups:
            left, right = _sides(group, axial, rho)
            t, tagged = _outer(left, right), every[group.lo][:, group.rows]
            t_grad = torch.empty_like(t) if blocks else None
            for swapped, outer in enumerate(grads):
                pieces = group.pieces(swapped)
                if not pieces:
                    continue
                if blocks:
                    image = self._image(group, t, weights, swapped, memory)
                    every_sum[group.lo][:, group.rows] += torch.bmm(image, outer.transpose(1, 2))
                # the image is not needed any more: its gradient takes its place
                image_grad = memory[: t.shape[1] * q * h].view(n_env * n, -1, h)
                image_grad = torch.bmm(tagged, outer, out=image_grad).view(t.shape[1], q * h)
                for mine, rows in pieces:
                    if sums is not None:
                        sums[group.lo, swapped][rows].addmm_(t[mine], image_grad)
                    if t_grad is not None:
                        part, matrix = t_grad[mine], weights[group.lo, swapped][rows]
                        torch.addmm(part, matrix, image_grad.T, beta=swapped, out=part)
            if t_grad is not None:
                _add_outer(group, t_grad, left, right, axial_sum, rho_sum)
        if not blocks:
            return [], []
        self._add_own(turned, turned_sums, axial, axial_sum, rho_sum)
        return self._turned_back(turned_sums, matrices)

    def _matrices(self, factors: Factors) -> list[Tensor]:
        """Per l, (E, N (2l+1), 2l+1): into the frames of all neighbours of an environment."""
        if factors.directions is None:
            raise ValueError("a local frame needs the directions of the neighbours")
        return [x.flatten(1, 2) for x in self._frames(factors.directions)]

    def _turned(self, factors: Factors, matrices: Sequence[Tensor]) -> list[Tensor]:
        """Per l, (E, N, 2l+1, Q, N + 1): all g_j, and rho last, in the frame of each k."""
        turned = []
        for matrix, rho, g in zip(matrices, factors.rho, factors.g, strict=True):
            both = torch.cat([g.permute(0, 2, 3, 1), rho[..., None]], dim=3)
            n_env, n_m, q, n_last = both.shape
            product = torch.bmm(matrix, both.view(n_env, n_m, q * n_last))
            turned.append(product.view(n_env, n_last - 1, n_m, q, n_last))
        return turned

    def _turned_back(
        self, turned: Sequence[Tensor], matrices: Sequence[Tensor]
    ) -> tuple[list[Tensor], list[Tensor]]:
        """The adjoint of :meth:`_turned`."""
        rho, g = [], []
        for matrix, x in zip(matrices, turned, strict=True):
            n_env, n, n_m, q, _ = x.shape
            product = torch.bmm(matrix.transpose(1, 2), x.view(n_env, n * n_m, -1))
            product = product.view(n_env, n_m, q, n + 1)
            rho.append(product[..., n])
            g.append(product[..., :n].permute(0, 3, 1, 2))
        return rho, g

    @staticmethod
    def _turned_rho(turned: Sequence[Tensor]) -> Tensor:
        """(components, Q, E N): rho in the frame of each neighbour."""
        rho = torch.cat([x[..., -1] for x in turned], dim=2)
        return rho.flatten(0, 1).permute(1, 2, 0).contiguous()

    @staticmethod
    def _axial(turned: Sequence[Tensor]) -> Tensor:
        """(l, Q, E N): g of each neighbour in its own frame, m = 0."""
        own = [x[:, :, 0].diagonal(dim1=1, dim2=3) for x in turned]
        return torch.stack(own, dim=1).permute(1, 2, 0, 3).flatten(2)

    def _add_own(
        self,
        turned: Sequence[Tensor],
        turned_sums: Sequence[Tensor],
        axial: Tensor,
        axial_sum: Tensor,
        rho_sum: Tensor,
    ) -> None:
        """The adjoint of :meth:`_axial` and :meth:`_turned_rho`, and what moves a g off its axis.

        Turning g_k, all other g_j and rho together changes nothing, so the derivative with
        respect to the direction of k is minus that of turning all others.
        """
        n_env, n = turned[0].shape[:2]
        sizes = [x.shape[2] for x in turned]
        to_rho = rho_sum.permute(2, 0, 1).reshape(n_env, n, -1, self.n_channels)
        torque = axial.new_zeros(n_env * n, 2)
        for l, (total, part) in enumerate(
            zip(turned_sums, torch.split(to_rho, sizes, dim=2), strict=True)
        ):
            total[..., n] += part
            change = torch.bmm(
                total.flatten(3).flatten(0, 1), turned[l].flatten(3).flatten(0, 1).transpose(1, 2)
            )
            torque += change.flatten(1) @ self._turns[l].like(change).flatten(1).T
        scale = axial[1:].abs().amax(dim=(0, 1))
        # a padded neighbour, or one at the cutoff, has no direction to change
        axial = torch.where(scale > 0, axial / scale, 0.0)
        columns = [self._turns[l].like(axial)[:, :, 0] for l in range(len(sizes))]
        squares = torch.stack([column[0].square().sum() for column in columns])
        scale = scale * (squares @ axial.square().sum(dim=1))
        angles = torch.where(scale > 0, -torque.T / scale, 0.0)  # 2, E k
        for l, total in enumerate(turned_sums):
            own = total.diagonal(dim1=1, dim2=4)  # E, 2l+1, Q, k
            own[:, 0] += axial_sum[l].view(-1, n_env, n).transpose(0, 1)
            moved = (columns[l].T @ angles)[:, None] * axial[l]  # 2l+1, Q, E k
            own += moved.view(*moved.shape[:2], n_env, n).permute(2, 0, 1, 3)

    @staticmethod
    def _rows(turned: Sequence[Tensor]) -> list[Tensor]:
        """Per l, (E N, (2l+1) Q, N), views: the factors of j in the frame of k."""
        return [x.flatten(0, 1).flatten(1, 2)[..., :-1] for x in turned]

    def _image(
        self,
        group: _Group,
        t: Tensor,
        weights: dict[Pair, Tensor],
        swapped: int,
        memory: Tensor,
    ) -> Tensor:
        """T times the weights, (E N, m Q, h), written to ``memory``."""
        matrix, n_rows = weights[group.lo, swapped], t.shape[1]
        image = memory[: n_rows * matrix.shape[1]].view(n_rows, matrix.shape[1])
        for i, (mine, rows) in enumerate(group.pieces(swapped)):
            torch.addmm(image, t[mine].T, matrix[rows], beta=min(i, 1), out=image)
        return image.view(n_rows // group.n_m, group.n_m * self.n_channels, -1)


def _sides(group: _Group, axial: Tensor, rho: Tensor) -> tuple[Tensor, Tensor]:
    """Factors of T, (paths, Q, E N m): g_k with m = 0, couplings times rho."""
    left = axial.index_select(0, group.hi.like(axial))
    right = rho.index_select(0, group.component.like(rho)).mul_(group.coefficient.like(rho))
    if group.n_m == 1:
        return left, right
    left = left[..., None].expand(*left.shape, group.n_m).flatten(2)
    right = right.view(-1, group.n_m, *right.shape[1:])
    return left, right.permute(0, 2, 3, 1).flatten(2)


def _outer(left: Tensor, right: Tensor) -> Tensor:
    """T transposed, (paths Q Q, E N m): the long axis is the last one, for speed."""
    return (left[:, :, None] * right[:, None]).flatten(0, 2)


def _add_outer(
    group: _Group,
    t_grad: Tensor,
    left: Tensor,
    right: Tensor,
    axial_sum: Tensor,
    rho_sum: Tensor,
) -> None:
    """The adjoint of :func:`_sides` and :func:`_outer`, added to the sums."""
    outer = t_grad.view(*left.shape[:2], *right.shape[1:])
    apart = (*left.shape[:2], -1, group.n_m)
    left_grad = (outer * right[:, None]).sum(dim=2).view(apart).sum(dim=3)
    right_grad = (outer * left[:, :, None]).sum(dim=1).view(apart)
    right_grad = right_grad.permute(0, 3, 1, 2).flatten(0, 1) * group.coefficient.like(right)
    axial_sum.index_add_(0, group.hi.like(left), left_grad)
    rho_sum.index_add_(0, group.component.like(right), right_grad)


def _couples(path: Path, m: int) -> bool:
    """Whether m of l1 couples with m = 0 of l2."""
    return path[2] >= m and (m > 0 or sum(path) % 2 == 0)


def _coupling(path: Path, m: int) -> tuple[int, float]:
    """The component of rho that m of l1 and m = 0 of l2 couple to, and the coefficient."""
    lo, hi, big_l = path
    other = -m if sum(path) % 2 else m
    closed = (-1) ** big_l / math.sqrt(2 * big_l + 1)
    coupling = float(clebsch_gordan_table(lo, hi, big_l)[lo + m, hi, big_l + other])
    return big_l**2 + frame_order(big_l).index(other), closed * coupling
