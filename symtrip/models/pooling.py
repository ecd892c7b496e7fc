"""A network on every ordered pair and the sum over pairs, in blocks that stay in the cache.

The same function as the modules one by one. Rows are columns here: hidden units are a matrix
(h, pairs x environments) with neighbouring environments next to each other, so that norms,
activations and sums run along contiguous memory.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional

from symtrip.models.pairs import PairFeatures

__all__ = ["can_be_pooled", "number_of_rows", "pooled_first_layer", "pooled_pairs"]

_BLOCK_BYTES = 2**20  # of a matrix of hidden units; in fewer columns products are slower


def can_be_pooled(pairs: PairFeatures) -> bool:
    """Whether :func:`pooled_pairs` serves these features: on a CPU, without gradients to them."""
    wanted = pairs.symmetric.requires_grad or pairs.antisymmetric.requires_grad
    return pairs.mask.device.type == "cpu" and not wanted


def number_of_rows(pairs: PairFeatures, *, inversion: bool = False) -> Int[Tensor, " environments"]:
    """Ordered pairs of real neighbours of each environment, and as many inverted ones if asked."""
    n_apart = pairs.antisymmetric.shape[1]
    rows = pairs.mask.sum(dim=1) + pairs.mask[:, :n_apart].sum(dim=1)
    return 2 * rows if inversion else rows


def pooled_first_layer(
    pairs: PairFeatures, first: nn.Linear, *, inversion: bool = False
) -> Float[Tensor, "environments hidden"]:
    """``first(F_jk)`` summed over all ordered pairs: what changes its sign cancels before.

    Args:
        pairs: features of E environments.
        first: Linear(q, h).
        inversion: sum over the pairs of the inverted environments as well.

    Returns:
        (E, h).
    """
    often = pairs.mask.to(pairs.symmetric.dtype)
    often[:, : pairs.antisymmetric.shape[1]] *= 2
    features = torch.bmm(often[:, None], pairs.symmetric).squeeze(1)
    if inversion:
        features = 2 * features[:, : pairs.n_even[0]]
    rows = number_of_rows(pairs, inversion=inversion)[:, None]
    return features @ first.weight[:, : features.shape[1]].T + rows * first.bias


def pooled_pairs(
    pairs: PairFeatures,
    first: nn.Linear,
    middle: nn.Sequential,
    *,
    inversion: bool = False,
) -> Float[Tensor, "environments hidden"]:
    """``middle(first(F_jk))`` summed over all ordered pairs of real neighbours.

    Differentiable to the weights, once; the features are taken as constants.

    Args:
        pairs: features of E environments on a CPU, in the dtype of the weights; read fastest as
            :meth:`~symtrip.models.PairFeatures.gathered` stores them.
        first: Linear(q, h).
        middle: norm, SiLU, Linear(h, h), norm, SiLU. The norms are ``nn.LayerNorm`` or
            :class:`~symtrip.models.RowGroupNorm`.
        inversion: sum over the pairs of the inverted environments as well.

    Returns:
        (E, h).
    """
    norms: list[Any] = [middle[0], middle[3]]
    groups = getattr(norms[0], "groups", 1)
    plan = _Plan(groups, (norms[0].eps, norms[1].eps), pairs.n_even if inversion else None)
    pooled: Tensor = _PooledPairs.apply(  # type: ignore[no-untyped-call]
        plan,
        *(pairs.symmetric, pairs.antisymmetric, pairs.mask),
        *(first.weight, first.bias, norms[0].weight, norms[0].bias),
        *(middle[2].weight, middle[2].bias, norms[1].weight, norms[1].bias),
    )
    return pooled


class _Plan(NamedTuple):
    """Groups and eps of the norms; numbers of even columns if inverted environments count."""

    groups: int
    eps: tuple[float, float]
    n_even: tuple[int, int] | None


@dataclass(frozen=True)
class _Block:
    """Some pairs of all environments, with j < k or with j = k, and what backward needs of them."""

    pairs: slice
    apart: bool
    rows: int
    absent: Tensor | None
    kept: list[Tensor] = field(default_factory=list)

    def hide_absent(self, values: Tensor) -> Tensor:
        """(h, rows, environments) values, 0 for neighbours that are padding."""
        if self.absent is None:
            return values
        copies = values.reshape(len(values), -1, *self.absent.shape)
        return copies.masked_fill(self.absent, 0.0).flatten(1, 2)


class _PooledPairs(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        plan: _Plan,
        symmetric: Tensor,
        antisymmetric: Tensor,
        mask: Tensor,
        *weights: Tensor,
    ) -> Tensor:
        features = [x.transpose(0, 1).contiguous() for x in (symmetric, antisymmetric)]
        network = _Network(plan, features, weights)
        pooled = symmetric.new_zeros(len(weights[1]), len(symmetric))
        row_bytes = pooled.element_size() * len(pooled)
        images = len(network.kinds[0])
        blocks = list(_blocks(mask, antisymmetric.shape[1], images, row_bytes))
        for block in blocks:
            units = network.first_layer(block)
            inverse = network.norms[0].standardise(units)
            active = functional.silu(network.norms[0].affine(units), inplace=True)
            last = torch.addmm(network.second_bias, network.second, active)
            last_inverse = network.norms[1].standardise(last)
            values = functional.silu(network.norms[1].affine(last), inplace=True)
            pooled += block.hide_absent(values.view(len(last), block.rows, -1)).sum(1)
            block.kept.extend((units, inverse, active, last, last_inverse))
        ctx.plan, ctx.blocks = plan, blocks
        ctx.save_for_backward(*features, *weights)
        return pooled.T

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, upstream: Tensor) -> tuple[Tensor | None, ...]:
        features, weights = ctx.saved_tensors[:2], ctx.saved_tensors[2:]
        network = _Network(ctx.plan, features, weights)
        gradient = [torch.zeros_like(weight) for weight in weights]
        above = upstream.T.contiguous()[:, None]
        for block in ctx.blocks:
            units, inverse, active, last, last_inverse = block.kept
            arriving = block.hide_absent(above.expand(-1, block.rows, -1))
            slope = network.norms[1].backward(arriving, last, last_inverse, gradient[6:])
            gradient[5] += slope.sum(1)
            gradient[4].addmm_(slope, active.T)
            arriving = torch.mm(network.second.T, slope)
            slope = network.norms[0].backward(arriving, units, inverse, gradient[2:4])
            gradient[1] += slope.sum(1)
            network.first_layer_backward(block, slope, gradient[0])
        for index in (0, 1, 4, 5):
            gradient[index] = _centred(gradient[index], ctx.plan.groups)
        return (None, None, None, None, *gradient)


class _Norm(NamedTuple):
    """Norm and SiLU of (h, columns) units that are centred: the mean of each group is 0."""

    groups: int
    eps: float
    scale: Tensor
    shift: Tensor

    def standardise(self, units: Tensor) -> Tensor:
        """Divide by the deviations in place; returns their inverse."""
        inverse = self._grouped(units.square()).mean(1, keepdim=True).add_(self.eps).rsqrt_()
        self._grouped(units).mul_(inverse)
        return inverse

    def affine(self, units: Tensor) -> Tensor:
        """Scaled and shifted rows of standardised units."""
        return torch.mul(units, self.scale).add_(self.shift)  # addcmul broadcasts at half the speed

    def backward(
        self, arriving: Tensor, units: Tensor, inverse: Tensor, gradient: Sequence[Tensor]
    ) -> Tensor:
        """The gradient to the centred units; adds to ``gradient``, that of scale and shift.

        Args:
            arriving: gradient behind SiLU, of any shape.
            units: (h, columns) standardised.
            inverse: what :meth:`standardise` returned.
            gradient: see there.
        """
        product = self.affine(units)
        slope: Tensor = torch.ops.aten.silu_backward(arriving, product.view_as(arriving))
        slope = slope.reshape(units.shape)
        torch.mul(slope, units, out=product)
        gradient[0].add_(product.sum(1))
        gradient[1].add_(slope.sum(1))
        mean = self._grouped(product.mul_(self.scale)).mean(1, keepdim=True)
        torch.mul(self._grouped(units), mean, out=self._grouped(product))
        self._grouped(slope.mul_(self.scale).sub_(product)).mul_(inverse)
        return slope

    def _grouped(self, units: Tensor) -> Tensor:
        return units.view(self.groups, len(units) // self.groups, -1)


class _Section(NamedTuple):
    """Columns of the features that keep or change their sign together, and those of the weights."""

    features: Tensor
    columns: slice

    def rows(self, block: _Block) -> Tensor:
        """(pairs x environments, columns) of a block."""
        return self.features[block.pairs].flatten(0, 1)


class _Network:
    """Features by pair and the weights as blocks use them.

    A norm takes the mean of each group of units away. It is linear in the weights before the norm,
    so it is taken away from those.
    """

    def __init__(self, plan: _Plan, features: Sequence[Tensor], weights: Sequence[Tensor]) -> None:
        self.first, first_bias, self.second, second_bias = (
            _centred(weights[index], plan.groups) for index in (0, 1, 4, 5)
        )
        self.first_bias, self.second_bias = first_bias[:, None, None], second_bias[:, None]
        self.norms = [
            _Norm(plan.groups, eps, weights[at][:, None], weights[at + 1][:, None])
            for eps, at in zip(plan.eps, (2, 6), strict=True)
        ]
        self.kinds: list[list[_Section]] = []
        start = 0
        for x, n_even in zip(features, plan.n_even or (None, None), strict=True):
            widths = [x.shape[2]] if n_even is None else [n_even, x.shape[2] - n_even]
            self.kinds.append([])
            for part in torch.split(x, widths, dim=2):
                self.kinds[-1].append(_Section(part, slice(start, start + part.shape[2])))
                start += part.shape[2]

    def first_layer(self, block: _Block) -> Tensor:
        """(h, rows x environments) centred units of a block."""
        images = [
            _spread([torch.mm(self.first[:, s.columns], s.rows(block).T) for s in sections])
            for sections in self.kinds[: 1 + block.apart]
        ]
        images[0] += self.first_bias
        return _spread(images).flatten(1)

    def first_layer_backward(self, block: _Block, slope: Tensor, gradient: Tensor) -> None:
        """Add a block's gradient to that of the first weights."""
        shape = (len(slope), 1 + block.apart, len(self.kinds[0]), -1)
        images = _collect(slope.view(shape))
        for image, sections in zip(images, self.kinds[: 1 + block.apart], strict=True):
            for part, section in zip(_collect(image), sections, strict=True):
                gradient[:, section.columns].addmm_(part, section.rows(block))


def _spread(parts: Sequence[Tensor]) -> Tensor:
    """One part as it is, of two the sum and the difference, on a new axis 1."""
    if len(parts) == 1:
        return parts[0][:, None]
    first, second = parts
    both = first.new_empty(len(first), 2, *first.shape[1:])
    torch.add(first, second, out=both[:, 0])
    torch.sub(first, second, out=both[:, 1])
    return both


def _collect(slopes: Tensor) -> list[Tensor]:
    """The gradients of the arguments of :func:`_spread` from that of its result."""
    if slopes.shape[1] == 1:
        return [slopes[:, 0]]
    return [slopes[:, 0] + slopes[:, 1], slopes[:, 0] - slopes[:, 1]]


def _centred(x: Tensor, groups: int) -> Tensor:
    """Minus the mean over each group of rows."""
    grouped = x.reshape(groups, len(x) // groups, -1)
    return (grouped - grouped.mean(1, keepdim=True)).view_as(x)


def _blocks(mask: Tensor, n_apart: int, images: int, row_bytes: int) -> Iterator[_Block]:
    """Pairs in blocks of about equal size."""
    environments, total = mask.shape
    complete = bool(mask.all())
    for start, stop, apart in ((0, n_apart, True), (n_apart, total, False)):
        copies = images * (1 + apart)
        wanted = (stop - start) * copies * environments * row_bytes / _BLOCK_BYTES
        count = max(1, min(math.ceil(wanted), stop - start))
        edges = [start + (stop - start) * step // count for step in range(count + 1)]
        for first, last in pairwise(edges):
            absent = None if complete else ~mask.T[first:last]
            if environments and last > first:
                yield _Block(slice(first, last), apart, copies * (last - first), absent)
