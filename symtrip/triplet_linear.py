"""A linear layer on the triplet features that never builds them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from symtrip.contraction import Column, TripleProduct, chunk_length
from symtrip.errors import require
from symtrip.expansion.density import Density
from symtrip.memory import empty_like_type, keep_freed_memory, require_memory
from symtrip.precision import full_precision
from symtrip.triplets import Path, triplet_paths
from symtrip.weighted import Factors, Order, Orders

__all__ = ["TripletLinear"]


class TripletLinear(nn.Module):
    """y_jk = F_jk W + b for all ordered pairs of neighbours, without the features F_jk.

    For few neighbours, F_jk = g_j . T_k with T_k = (g_k x rho): the weights are applied to T_k,
    which has no index j, and the result meets g_j last; where the density knows the directions of
    the neighbours, this happens with k on the z axis, where couplings are shorter. For many, the
    weights meet rho, which has no index at all, then g_k, then g_j. The numbers of multiplications
    decide (at some 25 neighbours for 6 channels and l <= 3). A batch needs memory for its input and
    its output alone: first and second derivatives recompute what lies between, chunk by chunk.

    Args:
        max_angular: largest l of the density.
        n_channels: Q of the density.
        out_features: number of outputs per pair.
        bias: whether b exists.
        dtype: of the weights.
        device: of the weights.

    Attributes:
        weight: (P, out_features), rows in the order of :meth:`symtrip.Triplets.dense`.
        bias: (out_features,) or None.

    Accuracy:
        <= 128 eps of the sum of |F| |W| (tests/oracle/test_triplet_linear.py).

    Source:
        Nigam et al., APL Mach. Learn. 2, 016110 (2024), Eq. 1 for the features.
    """

    def __init__(
        self,
        *,
        max_angular: int,
        n_channels: int,
        out_features: int,
        bias: bool = True,
        dtype: torch.dtype = torch.float64,
        device: torch.device | str | None = None,
    ) -> None:
        super().__init__()
        keep_freed_memory()
        paths = triplet_paths(max_angular)
        for name, value in (("n_channels", n_channels), ("out_features", out_features)):
            count = isinstance(value, int) and not isinstance(value, bool) and value >= 1
            require(count, name, "be an integer >= 1", repr(value), "give a count")
        require(
            dtype in (torch.float32, torch.float64),
            "dtype",
            "be float32 or float64",
            dtype,
            "other types are not accurate enough for the features",
        )
        self.max_angular, self.n_channels, self.out_features = max_angular, n_channels, out_features
        self._every = _Contraction(paths, paths, n_channels)
        even = [path for path in paths if sum(path) % 2 == 0]
        odd = [path for path in paths if sum(path) % 2 == 1]
        self._even = _Contraction(even, paths, n_channels)
        self._odd = _Contraction(odd, paths, n_channels) if odd else None
        n_features = len(paths) * n_channels**3
        self.weight = nn.Parameter(
            torch.empty(n_features, out_features, dtype=dtype, device=device)
        )
        self.bias = (
            nn.Parameter(torch.empty(out_features, dtype=dtype, device=device)) if bias else None
        )
        self.reset_parameters()

    def reset_parameters(self, generator: torch.Generator | None = None) -> None:
        """Uniform weights and bias in +-1/sqrt(P), as ``nn.Linear``.

        Args:
            generator: source of randomness.
        """
        bound = 1.0 / math.sqrt(self.weight.shape[0])
        with torch.no_grad():
            for parameter in self.parameters():
                parameter.uniform_(-bound, bound, generator=generator)

    @classmethod
    def from_linear(cls, linear: nn.Linear, *, max_angular: int, n_channels: int) -> TripletLinear:
        """The same map as ``linear`` on dense features, with copied weights.

        Args:
            linear: layer on :meth:`symtrip.Triplets.dense`.
            max_angular: largest l of the density.
            n_channels: Q of the density.

        Raises:
            InputError: the layer has another number of inputs.
        """
        layer = cls(
            max_angular=max_angular,
            n_channels=n_channels,
            out_features=linear.out_features,
            bias=linear.bias is not None,
            dtype=linear.weight.dtype,
            device=linear.weight.device,
        )
        require(
            linear.in_features == layer.weight.shape[0],
            "linear",
            f"have {layer.weight.shape[0]} inputs",
            linear.in_features,
            "use the max_angular and n_channels of the features it was made for",
        )
        with torch.no_grad():
            layer.weight.copy_(linear.weight.T)
            if layer.bias is not None:
                layer.bias.copy_(linear.bias)
        return layer

    def to_linear(self) -> nn.Linear:
        """The same map as a layer on dense features, with copied weights."""
        linear = nn.Linear(
            self.weight.shape[0],
            self.out_features,
            bias=self.bias is not None,
            dtype=self.weight.dtype,
            device=self.weight.device,
        )
        with torch.no_grad():
            linear.weight.copy_(self.weight.T)
            if self.bias is not None:
                linear.bias.copy_(self.bias)
        return linear

    @full_precision
    def forward(self, density: Density) -> Float[Tensor, "environments j k outputs"]:
        """Apply the layer to all ordered pairs.

        Args:
            density: expansion of E environments with N neighbours, in the type of the weights.

        Returns:
            (E, N, N, out_features); the bias alone where a neighbour is padding. Differentiable
            twice to the density and to the weights. Where directions are known, first gradients
            with respect to g have only the part along changes of distances and directions, which
            gives those with respect to positions; ``create_graph=True`` gives the others too.
            ``torch.func.grad`` works; forward derivatives and ``torch.vmap`` are refused.

        Raises:
            InputError: the density has another max_angular, channels, dtype or device, or does not
                fit together; the result cannot fit into memory.
        """
        self._check(density)
        y = self._every.apply(density, self.weight)
        return y if self.bias is None else y + self.bias

    @full_precision
    def even_and_odd(self, density: Density) -> tuple[Tensor, Tensor]:
        """The layer's output split into what inversion keeps and what it changes the sign of.

        Args:
            density: as in :meth:`forward`.

        Returns:
            (E, N, N, out_features) each; their sum is :meth:`forward` and their difference
            :meth:`forward` of the inverted environments. The bias belongs to the first. Together
            they take as long as :meth:`forward`.

        Raises:
            InputError: as :meth:`forward`.
        """
        self._check(density)
        even = self._even.apply(density, self.weight)
        odd = torch.zeros_like(even) if self._odd is None else self._odd.apply(density, self.weight)
        return (even if self.bias is None else even + self.bias), odd

    def _check(self, density: Density) -> None:
        density.check(self.max_angular, type(self).__name__)
        rho, weight = density.rho[0], self.weight
        require(
            rho.shape[-1] == self.n_channels,
            "density",
            f"have {self.n_channels} channels",
            rho.shape[-1],
            "build TripletLinear with the n_channels of the expansion",
        )
        require(
            rho.dtype == weight.dtype and rho.device == weight.device,
            "density",
            f"be {weight.dtype} on {weight.device} like the weights",
            f"{rho.dtype} on {rho.device}",
            "convert the environments or the layer with .to()",
        )
        n_env, n = density.mask.shape
        require_memory(
            "density",
            "outputs",
            n**2 * self.out_features * weight.element_size(),
            n_env,
            weight.device,
            "pass {size} environments at a time",
        )


class _Contraction:
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
        contraction: _Contraction,
        directions: Tensor | None,
        weight: Tensor,
        *blocks: Tensor,
    ) -> Tensor:
        n_env, n, h = len(blocks[0]), blocks[-1].shape[1], weight.shape[1]
        order = contraction.orders.fastest(n, directed=directions is not None, gradients=False)
        y = empty_like_type((n_env, n, n, h), weight)
        arranged = order.arranged(weight)
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
        contraction: _Contraction,
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
                first = torch.autograd.grad(
                    y, inputs, part, create_graph=True, materialize_grads=True
                )
            vectors = [*directions, *(None if x is None else x[rows] for x in along)]
            used = [
                (x, v)
                for x, v in zip(first, vectors, strict=True)
                if v is not None and x.requires_grad
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
