"""Sums of triplet features times weights, and their first and second derivatives, in chunks."""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from symtrip.contraction import Column, TripleProduct, chunk_length
from symtrip.expansion.density import Density
from symtrip.memory import empty_like_type
from symtrip.precision import fast_float32, full_precision
from symtrip.weighted import Factors, Order, Orders
from symtrip.weighted.order import Path

__all__ = ["WeightedSum"]


# Environments times neighbours times outputs from which the gain of fast products outweighs that
# small ones take longer; measured at 7 to 30 neighbours and 16 and 128 outputs: 5e3 to 5e4.
_LARGE = 1 << 15


class WeightedSum:
    """The sums over some of the paths: both fast orders, and a differentiable one.

    Args:
        paths: those summed over.
        all_paths: those that the rows of the weights belong to.
        n_channels: Q.
    """

    def __init__(self, paths: Sequence[Path], all_paths: Sequence[Path], n_channels: int) -> None:
        self.product = TripleProduct([Column(*path) for path in paths if path[0] <= path[1]])
        self.index = {path: i for i, path in enumerate(all_paths)}
        self.n_channels = n_channels
        self.orders = Orders(paths, self.index, n_channels)

    def apply(self, density: Density, weight: Tensor) -> Tensor:
        """The layer without its bias, (E, N, N, h)."""
        n_env, n = density.g[0].shape[:2]
        if n_env * n == 0:
            return weight[0] * weight.new_empty(n_env, n, n, 1)  # an output that has gradients
        result: Tensor = _Layer.apply(  # type: ignore[no-untyped-call]
            self, density.directions, weight, *density.rho, *density.g
        )
        return result

    def matrices(self, weight: Tensor) -> list[Tensor]:
        """Weights (columns of T n_hi n3, n_lo h) per lo, direct then swapped, differentiable."""
        q, h = self.n_channels, weight.shape[1]
        by_path = weight.view(len(self.index), q, q, q, h)
        matrices = []
        for lo, columns in self.product.columns.items():
            direct = [
                by_path[self.index[lo, c.l2, c.o3_lambda]].permute(1, 2, 0, 3) for c in columns
            ]
            swapped = [
                (-1) ** (lo + c.l2 + c.o3_lambda)
                * by_path[self.index[c.l2, lo, c.o3_lambda]].transpose(1, 2)
                for c in columns
                if c.l2 > lo
            ]
            matrices.append(torch.stack(direct).reshape(-1, q * h))
            # the last lo has no partner: an empty matrix keeps the list regular
            matrices.append(
                torch.stack(swapped).reshape(-1, q * h) if swapped else weight.new_empty(0, q * h)
            )
        return matrices

    def outputs(self, blocks: Sequence[Tensor], matrices: Sequence[Tensor]) -> Tensor:
        """The outputs from differentiable operations, for second derivatives."""
        rho, g = blocks[: len(blocks) // 2], blocks[len(blocks) // 2 :]
        n_env, n, _, q = g[0].shape
        h = matrices[0].shape[1] // q
        partial = self.product.partial(g, rho)
        direct = g[0].new_zeros(n_env * n, n, h)  # (E k), j
        swapped = g[0].new_zeros(n_env * n, n, h)  # (E j), k
        for i, lo in enumerate(self.product.columns):
            t = partial[lo].permute(0, 3, 1, 2, 4, 5)  # E, N, m, columns, n_hi, n3
            t = t.reshape(n_env * n * (2 * lo + 1), -1)
            tagged = g[lo].flatten(2)[:, None].expand(-1, n, -1, -1).flatten(0, 1)
            shape = (n_env * n, (2 * lo + 1) * q, h)
            direct = torch.baddbmm(direct, tagged, torch.mm(t, matrices[2 * i]).view(shape))
            partners = matrices[2 * i + 1]
            if len(partners):  # their columns come last, l2 = lo first
                z = torch.mm(t[:, t.shape[1] - len(partners) :], partners).view(shape)
                swapped = torch.baddbmm(swapped, tagged, z)
        return direct.view(n_env, n, n, h).transpose(1, 2) + swapped.view(n_env, n, n, h)


def _slices(order: Order, g: Tensor, h: int) -> list[slice]:
    """Environments whose intermediates stay in the cache."""
    n_env, n = g.shape[:2]
    largest = chunk_length(order.numbers_per_environment(n, h) * g.element_size(), g.device)
    size = math.ceil(n_env / max(1, math.ceil(n_env / largest)))  # no small one at the end
    return [slice(start, start + size) for start in range(0, n_env, max(1, size))]


def _products(g: Tensor, h: int) -> AbstractContextManager[None]:
    """How to multiply matrices for h outputs of environments with these g."""
    is_float32 = g.device.type == "cpu" and g.dtype == torch.float32
    return fast_float32(is_float32 and len(g) * g.shape[1] * h >= _LARGE)


def _factors(blocks: Sequence[Tensor], directions: Tensor | None, rows: slice) -> Factors:
    """Some environments' blocks of rho and those of g."""
    half = len(blocks) // 2
    chosen = [x[rows] for x in blocks]
    return Factors(chosen[:half], chosen[half:], None if directions is None else directions[rows])


class _Layer(torch.autograd.Function):
    """The contraction in chunks that keep nothing but the inputs for the backward pass."""

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:  # noqa: ARG004
        ctx.contraction, ctx.directions, *tensors = inputs
        ctx.save_for_backward(*tensors)

    @staticmethod
    def forward(
        contraction: WeightedSum,
        directions: Tensor | None,
        weight: Tensor,
        *blocks: Tensor,
    ) -> Tensor:
        n_env, n, h = len(blocks[0]), blocks[-1].shape[1], weight.shape[1]
        order = contraction.orders.fastest(n, directed=directions is not None, gradients=False)
        y = empty_like_type((n_env, n, n, h), weight)
        arranged = order.arranged(weight)
        with _products(blocks[-1], h):
            for rows in _slices(order, blocks[-1], h):
                order.values(_factors(blocks, directions, rows), arranged, y[rows])
        return y

    @staticmethod
    @full_precision
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        wanted = ctx.needs_input_grad[2:]
        # second derivatives are those of a function of all of rho and g
        directions = None if torch.is_grad_enabled() else ctx.directions
        gradients: tuple[Tensor | None, ...] = _Gradient.apply(  # type: ignore[no-untyped-call]
            ctx.contraction, directions, wanted, grad, *ctx.saved_tensors
        )
        return None, None, *gradients


class _Gradient(torch.autograd.Function):
    """The gradient of :class:`_Layer`, itself differentiable once, with the same memory."""

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: object) -> None:  # noqa: ARG004
        ctx.contraction, _, ctx.wanted, *tensors = inputs
        ctx.save_for_backward(*tensors)
        ctx.set_materialize_grads(False)

    @staticmethod
    def forward(
        contraction: WeightedSum,
        directions: Tensor | None,
        wanted: tuple[bool, ...],
        grad: Tensor,
        weight: Tensor,
        *blocks: Tensor,
    ) -> tuple[Tensor | None, ...]:
        n = blocks[-1].shape[1]
        order = contraction.orders.fastest(n, directed=directions is not None, gradients=True)
        arranged = order.arranged(weight)
        sums = {k: torch.zeros_like(x) for k, x in arranged.items()} if wanted[0] else None
        totals = [
            torch.empty_like(x) if w else None for x, w in zip(blocks, wanted[1:], strict=True)
        ]
        with _products(blocks[-1], weight.shape[1]):
            for rows in _slices(order, blocks[-1], weight.shape[1]):
                parts = order.gradients(
                    _factors(blocks, directions, rows),
                    arranged,
                    grad[rows],
                    sums,
                    blocks=any(wanted[1:]),
                )
                for total, part in zip(totals, [*parts[0], *parts[1]], strict=False):
                    if total is not None:
                        total[rows] = part
        del arranged
        return (None if sums is None else order.collect(sums, weight)), *totals

    @staticmethod
    @once_differentiable
    @full_precision
    def backward(ctx: Any, *upstream: Tensor | None) -> tuple[Tensor | None, ...]:
        grad = ctx.saved_tensors[0]
        with _products(ctx.saved_tensors[-1], grad.shape[-1]):
            return _second_derivatives(ctx, upstream)


def _second_derivatives(ctx: Any, upstream: Sequence[Tensor | None]) -> tuple[Tensor | None, ...]:
    """The backward pass of :class:`_Gradient`, in the same chunks."""
    contraction, wanted = ctx.contraction, ctx.wanted
    grad, weight, *blocks = ctx.saved_tensors
    along = [x for x, w in zip(upstream, wanted, strict=True) if w]
    with torch.enable_grad():
        leaf = weight.detach().requires_grad_()
        arranged = contraction.matrices(leaf)
    matrices = [x.detach().requires_grad_() for x in arranged]
    n_mats = len(matrices)
    directions: list[Tensor | None] = []
    if wanted[0]:
        direction = along.pop(0)
        directions = [None] * n_mats if direction is None else contraction.matrices(direction)
    mat_sums = [torch.zeros_like(x) for x in matrices]
    grad_sum = torch.zeros_like(grad)
    sums = [torch.zeros_like(x) for x in blocks]
    order = contraction.orders.fastest(grad.shape[1], directed=False, gradients=True)
    for rows in _slices(order, blocks[-1], grad.shape[-1]):
        part = grad[rows].detach().requires_grad_()
        leaves = [x[rows].detach().requires_grad_() for x in blocks]
        with torch.enable_grad():
            y = contraction.outputs(leaves, matrices)
            inputs = [x for x, w in zip(leaves, wanted[1:], strict=True) if w]
            inputs = (matrices if wanted[0] else []) + inputs
            first = torch.autograd.grad(y, inputs, part, create_graph=True, materialize_grads=True)
        vectors = [*directions, *(None if x is None else x[rows] for x in along)]
        used = [
            (x, v) for x, v in zip(first, vectors, strict=True) if v is not None and x.requires_grad
        ]
        if not used:
            continue
        targets = [part, *leaves, *matrices]
        second = torch.autograd.grad(
            [x for x, _ in used], targets, [v for _, v in used], allow_unused=True
        )
        totals = [grad_sum[rows], *(x[rows] for x in sums), *mat_sums]
        for total, more in zip(totals, second, strict=True):
            if more is not None:
                total.add_(more)
    tied = [(x, total) for x, total in zip(arranged, mat_sums, strict=True) if len(x)]
    (weight_sum,) = torch.autograd.grad([x for x, _ in tied], leaf, [t for _, t in tied])
    return None, None, None, grad_sum, weight_sum, *sums
