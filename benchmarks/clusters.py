"""Environments that the benchmarks share."""

from __future__ import annotations

import torch

from symtrip import B8Pairs, Environments

__all__ = ["b8", "cloud"]


def b8(count: int, dtype: torch.dtype = torch.float64) -> Environments:
    """The first ``count`` centres of the paper's clusters: 7 neighbours each."""
    positions = B8Pairs.load().positions.flatten(0, 1)[:count]
    return Environments.from_positions(positions, 5, radius=2.0).to(dtype)


def cloud(count: int, neighbors: int, dtype: torch.dtype = torch.float64) -> Environments:
    """``count`` environments of ``neighbors`` random neighbours of boron between 0.8 and 1.9 Å."""
    generator = torch.Generator().manual_seed(neighbors)
    directions = torch.randn(count, neighbors, 3, generator=generator, dtype=torch.float64)
    lengths = 0.8 + 1.1 * torch.rand(count, neighbors, 1, generator=generator, dtype=torch.float64)
    vectors = directions / directions.norm(dim=-1, keepdim=True) * lengths
    return Environments.from_vectors(vectors, 5, radius=2.0).to(dtype)
