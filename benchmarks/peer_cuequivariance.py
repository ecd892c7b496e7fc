"""Pipelines of cuequivariance: full_tensor_product, once or twice, by the method for CPUs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib.metadata import version

import torch
from torch import Tensor

__all__ = ["NAME", "nice_step", "triplets"]

NAME = f"cuequivariance {version('cuequivariance')} full_tensor_product (naive)"


def _irreps(multiplicities: Sequence[tuple[int, int, int]]) -> object:
    import cuequivariance as cue

    words = [f"{n}x{l}{'e' if parity > 0 else 'o'}" for n, l, parity in multiplicities]
    return cue.Irreps("O3", " + ".join(words))


def _natural(blocks: Sequence[Tensor]) -> object:
    return _irreps([(block.shape[-1], l, (-1) ** l) for l, block in enumerate(blocks)])


def _flat(blocks: Sequence[Tensor]) -> Tensor:
    """Blocks (..., 2l+1, Q) in one vector, channels fast (its layout ir_mul)."""
    return torch.cat([block.flatten(-2) for block in blocks], dim=-1)


def _product(first: object, second: object, largest: int) -> tuple[torch.nn.Module, object]:
    import cuequivariance as cue
    import cuequivariance_torch as cuet

    kept = [cue.O3(l, parity) for l in range(largest + 1) for parity in (1, -1)]
    described = cue.descriptors.full_tensor_product(first, second, kept)
    module = cuet.SegmentedPolynomial(
        described.polynomial, method="naive", math_dtype=torch.float64
    )
    return module, described.outputs[0].irreps


def triplets(rho: Sequence[Tensor], g: Sequence[Tensor]) -> Callable[[], Tensor]:
    """(density x neighbour j) x neighbour k, the scalars."""
    once, between = _product(_natural(rho), _natural(g), 3)
    twice, _ = _product(between, _natural(g), 0)
    center, tagged = _flat(rho), _flat(g)
    n_env, n, width = tagged.shape

    def work() -> Tensor:
        left = center[:, None].expand(n_env, n, width).reshape(-1, width)
        half = once([left, tagged.flatten(0, 1)])[0].view(n_env, n, 1, -1)
        left = half.expand(n_env, n, n, half.shape[-1]).flatten(0, 2)
        right = tagged[:, None].expand(n_env, n, n, width).flatten(0, 2)
        result: Tensor = twice([left, right])[0]
        return result.view(n_env, n, n, -1)

    return work


def nice_step(blocks: dict[tuple[int, int], Tensor], rho: Sequence[Tensor]) -> Callable[[], Tensor]:
    """All products of contracted blocks (lambda, sigma) with the density up to lambda = 3."""
    parts = [(block.shape[-1], l, sigma * (-1) ** l) for (l, sigma), block in blocks.items()]
    product, _ = _product(_irreps(parts), _natural(rho), 3)
    first, second = _flat(list(blocks.values())), _flat(rho)

    def work() -> Tensor:
        result: Tensor = product([first, second])[0]
        return result

    return work
