"""Pipelines of e3nn: FullTensorProduct, once or twice.

e3nn names its axes differently, but the invariants of a structure and those of its rotated copy
are the same, so coefficients in the basis of symtrip can be handed over as they are.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib.metadata import version

import torch
from torch import Tensor

__all__ = ["NAME", "invariants", "nice_step", "triplets"]

NAME = f"e3nn {version('e3nn')} FullTensorProduct"


def _irreps(multiplicities: Sequence[tuple[int, int, int]]) -> str:
    """(count, l, parity) in e3nn's words."""
    return " + ".join(f"{n}x{l}{'e' if parity > 0 else 'o'}" for n, l, parity in multiplicities)


def _natural(blocks: Sequence[Tensor]) -> str:
    return _irreps([(block.shape[-1], l, (-1) ** l) for l, block in enumerate(blocks)])


def _flat(blocks: Sequence[Tensor]) -> Tensor:
    """Blocks (..., 2l+1, Q) in one vector, channels slow."""
    return torch.cat([block.transpose(-1, -2).flatten(-2) for block in blocks], dim=-1)


def _product(first: object, second: object, largest: int) -> Callable[[Tensor, Tensor], Tensor]:
    from e3nn.o3 import FullTensorProduct, Irrep

    kept = [Irrep(l, parity) for l in range(largest + 1) for parity in (1, -1)]
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)  # its constants have the default type when it is made
    try:
        return FullTensorProduct(first, second, filter_ir_out=kept)
    finally:
        torch.set_default_dtype(before)


def triplets(rho: Sequence[Tensor], g: Sequence[Tensor]) -> Callable[[], Tensor]:
    """(density x neighbour j) x neighbour k, the scalars: the order with the fewest products."""
    once = _product(_natural(rho), _natural(g), 3)
    twice = _product(once.irreps_out, _natural(g), 0)
    center, tagged = _flat(rho), _flat(g)
    n_env, n = tagged.shape[:2]

    def work() -> Tensor:
        half = once(center[:, None].expand(n_env, n, -1), tagged)
        return twice(
            half[:, :, None].expand(n_env, n, n, -1), tagged[:, None].expand(n_env, n, n, -1)
        )

    return work


def invariants(rho: Sequence[Tensor]) -> Callable[[], list[Tensor]]:
    """Density, power spectrum and bispectrum."""
    once = _product(_natural(rho), _natural(rho), 3)
    twice = _product(once.irreps_out, _natural(rho), 0)
    n_scalars = sum(mul for mul, ir in once.irreps_out if ir.l == 0)
    center, channels = _flat(rho), rho[0].shape[-1]

    def work() -> list[Tensor]:
        half = once(center, center)
        return [center[:, :channels], half[:, :n_scalars], twice(half, center)]

    return work


def nice_step(blocks: dict[tuple[int, int], Tensor], rho: Sequence[Tensor]) -> Callable[[], Tensor]:
    """All products of contracted blocks (lambda, sigma) with the density up to lambda = 3."""
    parts = [(block.shape[-1], l, sigma * (-1) ** l) for (l, sigma), block in blocks.items()]
    product = _product(_irreps(parts), _natural(rho), 3)
    first, second = _flat(list(blocks.values())), _flat(rho)
    return lambda: product(first, second)
