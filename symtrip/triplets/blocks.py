"""Blocks of triplet features: which couplings there are, and what can be read off them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int8, Int64
from torch import Tensor

from symtrip.contraction import chunk_length
from symtrip.derivatives import differentiated
from symtrip.errors import integer
from symtrip.memory import empty_like_type, require_memory
from symtrip.precision import full_precision
from symtrip.products import in_threads, shares

__all__ = ["Path", "Triplets", "triplet_parity", "triplet_paths", "unordered"]

Path = tuple[int, int, int]


def triplet_paths(max_angular: int) -> list[Path]:
    """All couplings (l1, l2, L) with l1, l2, L <= max_angular: l1 slow, then l2, L fast.

    Args:
        max_angular: largest l (included), >= 0.

    Returns:
        The paths; 34 of them for max_angular = 3.

    Raises:
        InputError: ``max_angular`` is not an integer >= 0.
    """
    max_angular = integer("max_angular", max_angular, 0, "give the largest l of the density")
    return [
        (l1, l2, big_l)
        for l1 in range(max_angular + 1)
        for l2 in range(max_angular + 1)
        for big_l in range(abs(l1 - l2), min(l1 + l2, max_angular) + 1)
    ]


def triplet_parity(max_angular: int, n_channels: int) -> Int8[Tensor, " features"]:
    """Sign under inversion of each dense triplet feature, (-1)^(l1 + l2 + L).

    Args:
        max_angular: largest l.
        n_channels: Q of the density.

    Returns:
        (P,) int8 of +1 and -1, in the order of :meth:`Triplets.dense`.
    """
    signs = [(-1) ** sum(path) for path in triplet_paths(max_angular)]
    return torch.tensor(signs, dtype=torch.int8).repeat_interleave(n_channels**3)


def unordered(n_neighbors: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """Indices j and k of all pairs j <= k, k slow."""
    k, j = torch.tril_indices(n_neighbors, n_neighbors, device=device)
    return j, k


@dataclass(frozen=True, eq=False)
class Triplets:
    """Features F_jk of pairs of tagged neighbours, j = k included.

    Attributes:
        blocks: (l1, l2, L) -> (E, N, N, Q, Q, Q): axes environment, j, k, channel of j, of k, of
            rho. With reduced symmetry (E, N (N + 1) / 2, Q, Q, Q): the pairs of :attr:`pairs`,
            those with j < k times sqrt(2), since they stand for two. Read-only: blocks may share
            memory, as swapping j and k turns (l1, l2, L) into (l2, l1, L).
        mask: (E, N, N) or (E, N (N + 1) / 2) bool, true for pairs of real neighbours; features are
            0 elsewhere.
        n_neighbors: N.
    """

    blocks: dict[Path, Tensor]
    mask: Tensor
    n_neighbors: int

    def __len__(self) -> int:
        """Number of environments."""
        return self.mask.shape[0]

    @property
    def symmetry(self) -> str:
        """Whether all ordered pairs are there or only those with j <= k."""
        return "full" if self.mask.ndim == 3 else "reduced"

    @property
    def n_channels(self) -> int:
        """Q."""
        return self.blocks[0, 0, 0].shape[-1]

    @property
    def parity(self) -> Int8[Tensor, " features"]:
        """Sign under inversion of each column of :meth:`dense`."""
        max_angular = max(l1 for l1, _, _ in self.blocks)
        return triplet_parity(max_angular, self.n_channels).to(self.mask.device)

    @property
    def pairs(self) -> tuple[Int64[Tensor, " pairs"], Int64[Tensor, " pairs"]]:
        """Indices j and k of the pairs of reduced blocks, in order: (0,0), (0,1), (1,1), ..."""
        return unordered(self.n_neighbors, self.mask.device)

    def dense(self) -> Tensor:
        """All features, (E, N, N, P) or (E, N (N + 1) / 2, P).

        P: (l1, l2, L) slow, in the order of :func:`triplet_paths`, then n1 (j), n2 (k), n3 (rho).
        :meth:`TripletFeatures.dense` is faster where blocks are not needed.

        Raises:
            InputError: the result cannot fit into memory beside the blocks.
        """
        paths = sorted(self.blocks)
        if differentiated(self.blocks.values()):
            return torch.cat([self.blocks[path].flatten(-3) for path in paths], dim=-1)
        first = self.blocks[paths[0]]
        shape = (*self.mask.shape, len(paths), *first.shape[-3:])
        require_memory(
            "triplets",
            "dense features",
            math.prod(shape[1:]) * first.element_size(),
            shape[0],
            first.device,
            "take those of {size} environments at a time, or TripletFeatures.dense from the start",
        )
        out = empty_like_type(shape, first)
        blocks = [self.blocks[path].detach() for path in paths]
        if first.device.type == "cpu":
            _copy_on_cpu(blocks, out)
        else:
            for i, block in enumerate(blocks):
                out[..., i, :, :, :] = block
        return out.flatten(-4)

    @full_precision
    def bispectrum(self) -> Float[Tensor, "environments features"]:
        """Sum over all ordered pairs, (E, P): the invariants of correlation order 3."""
        if self.symmetry == "full":
            sums = [self.blocks[path].sum(dim=(1, 2)) for path in sorted(self.blocks)]
        else:
            j, k = self.pairs
            first = self.blocks[0, 0, 0]
            weight = first.new_full((len(j),), math.sqrt(0.5)).masked_fill(j == k, 0.5)
            summed = {
                path: torch.einsum("epxyz,p->exyz", block, weight)
                for path, block in self.blocks.items()
            }
            sums = [
                summed[l1, l2, big_l]
                + (-1) ** (l1 + l2 + big_l) * summed[l2, l1, big_l].transpose(1, 2)
                for l1, l2, big_l in sorted(self.blocks)
            ]
        return torch.cat([part.flatten(1) for part in sums], dim=1)

    def unfolded(self) -> Triplets:
        """The same features for all ordered pairs, with full symmetry."""
        if self.symmetry == "full":
            return self
        j, k = self.pairs
        n = self.n_neighbors
        where = torch.empty(n, n, dtype=torch.int64, device=j.device)
        where[j, k] = where[k, j] = torch.arange(len(j), device=j.device)
        upper = torch.ones(n, n, dtype=torch.bool, device=j.device).triu()
        scale = self.blocks[0, 0, 0].new_full((n, n), math.sqrt(0.5)).fill_diagonal_(1.0)
        blocks = {}
        for (l1, l2, big_l), block in self.blocks.items():
            sign = (-1) ** (l1 + l2 + big_l)
            swapped = sign * self.blocks[l2, l1, big_l].transpose(2, 3)
            choose = upper[:, :, None, None, None]
            ordered = torch.where(choose, block[:, where], swapped[:, where])
            blocks[l1, l2, big_l] = scale[:, :, None, None, None] * ordered
        return Triplets(blocks, self.mask[:, where], n)


def _copy_on_cpu(blocks: Sequence[Tensor], out: Tensor) -> None:
    """Write blocks to their places in (E, ..., path, Q, Q, Q).

    NumPy copies them up to 1.9 times faster than PyTorch, both in loops as short as Q.
    """
    target, sources = out.numpy(), [block.numpy() for block in blocks]
    if target.size == 0:
        return
    step = chunk_length(math.prod(target.shape[1:]) * target.itemsize, out.device)
    parts = shares(torch.get_num_threads(), *target.shape[:2])

    def work(i: int) -> None:
        env, rows = parts[i]
        for start in range(env.start, env.stop, step):
            some = slice(start, min(start + step, env.stop))
            for place, source in enumerate(sources):
                np.copyto(target[some, rows, ..., place, :, :, :], source[some, rows])

    in_threads(work, len(parts))
