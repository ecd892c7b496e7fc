"""Fixed random maps: analytic units that separate whatever their inputs separate."""

from __future__ import annotations

import math
from functools import lru_cache

import torch
from torch import Tensor

__all__ = ["RandomUnits", "channel_mixing", "species_labels"]


@lru_cache(maxsize=128)
def _normal(rows: int, columns: int, seed: int) -> Tensor:
    generator = torch.Generator().manual_seed(1000 + seed)
    return torch.randn(rows, columns, generator=generator, dtype=torch.float64)


@lru_cache(maxsize=256)
def channel_mixing(n_channels: int, n_kept: int, seed: int) -> Tensor:
    """(n_channels, n_kept) matrix with orthonormal columns; the identity if nothing is dropped."""
    if n_channels <= n_kept:
        return torch.eye(n_channels, dtype=torch.float64)
    mixing: Tensor = torch.linalg.qr(_normal(n_channels, n_kept, seed))[0]
    return mixing


def species_labels(species: Tensor) -> Tensor:
    """Two numbers of order 1 per species (..., 2), different for different atomic numbers."""
    z = species.to(torch.float64)
    return torch.stack([torch.sin(0.7 * z + 0.3), torch.cos(1.9 * z)], dim=-1)


class RandomUnits:
    """u -> silu(W u + b) with fixed random weights: analytic, not polynomial.

    Args:
        n_in: number of inputs.
        n_out: number of units.
        seed: which weights.
        gain: standard deviation of W times sqrt(n_in).

    Source:
        Analytic non-polynomial units with generic parameters separate whatever is separable: Amir
        et al., arXiv:2306.06529; Dym & Gortler, arXiv:2205.02956.
    """

    def __init__(self, n_in: int, n_out: int, seed: int, gain: float = 2.0) -> None:
        self.weight = _normal(n_in, n_out, seed) * (gain / math.sqrt(n_in))
        self.bias = _normal(1, n_out, seed + 500)[0]

    def __call__(self, inputs: Tensor) -> Tensor:
        """(..., n_in) -> (..., n_out)."""
        return torch.nn.functional.silu(inputs @ self.weight + self.bias)
