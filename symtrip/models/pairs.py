"""Compressed features of unordered pairs of neighbours: half the rows of the ordered ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from symtrip.errors import require

__all__ = ["PairFeatures", "unordered_pairs"]


def unordered_pairs(
    n_neighbors: int, device: torch.device | str | None = None
) -> tuple[Tensor, Tensor]:
    """Indices (j, k) of all pairs j <= k: first those with j < k, row by row, then j = k.

    Args:
        n_neighbors: N, >= 0.
        device: where the indices go.

    Returns:
        j and k, each (N (N + 1) / 2,) int64.
    """
    apart = torch.triu_indices(n_neighbors, n_neighbors, 1, device=device)
    same = torch.arange(n_neighbors, device=device)
    return torch.cat([apart[0], same]), torch.cat([apart[1], same])


@dataclass(frozen=True, eq=False)
class PairFeatures:
    """Triplet features F_jk in coordinates that keep or change their sign when j and k swap.

    T = N (N + 1) / 2 unordered pairs in the order of :func:`unordered_pairs`, the first
    T' = N (N - 1) / 2 of them with j < k. F_jk is (symmetric, antisymmetric), F_kj is (symmetric,
    -antisymmetric), F_jj is (symmetric, 0). Within both, the even columns come first; inversion
    of the environment changes the sign of all others.

    Attributes:
        symmetric: (E, T, q_s), 0 where padded.
        antisymmetric: (E, T', q_a), 0 where padded.
        mask: (E, T) bool, true for pairs of real neighbours.
        n_even: numbers of even columns of ``symmetric`` and of ``antisymmetric``.
    """

    symmetric: Float[Tensor, "environments pairs q_s"]
    antisymmetric: Float[Tensor, "environments pairs_apart q_a"]
    mask: Bool[Tensor, "environments pairs"]
    n_even: tuple[int, int]

    def __len__(self) -> int:
        """Number of environments."""
        return len(self.mask)

    def __getitem__(self, rows: slice | Tensor) -> PairFeatures:
        """The environments that a slice or an index tensor selects."""
        return replace(
            self,
            symmetric=self.symmetric[rows],
            antisymmetric=self.antisymmetric[rows],
            mask=self.mask[rows],
        )

    def gathered(self, rows: Int[Tensor, " rows"]) -> PairFeatures:
        """The environments that an index tensor selects, for the forms ``for_training`` of models.

        Pair by pair in memory: the first pair of all environments comes before the second one.
        """

        def gather(x: Tensor) -> Tensor:
            pairs = x.shape[1]
            flat = rows * pairs + torch.arange(pairs, device=x.device)[:, None]
            chosen = x.flatten(0, 1).index_select(0, flat.flatten())
            return chosen.view(pairs, len(rows), x.shape[2]).transpose(0, 1)

        return replace(
            self,
            symmetric=gather(self.symmetric),
            antisymmetric=gather(self.antisymmetric),
            mask=self.mask[rows],
        )

    @property
    def n_features(self) -> int:
        """Columns of an ordered pair, q = q_s + q_a."""
        return self.symmetric.shape[2] + self.antisymmetric.shape[2]

    @property
    def n_neighbors(self) -> int:
        """N, the padded number of neighbours."""
        return self.mask.shape[1] - self.antisymmetric.shape[1]

    def to(
        self, *, dtype: torch.dtype | None = None, device: torch.device | str | None = None
    ) -> PairFeatures:
        """The same features with another dtype or on another device."""
        return replace(
            self,
            symmetric=self.symmetric.to(dtype=dtype, device=device),
            antisymmetric=self.antisymmetric.to(dtype=dtype, device=device),
            mask=self.mask.to(device=device),
        )

    @staticmethod
    def cat(pieces: Sequence[PairFeatures]) -> PairFeatures:
        """Join features of different environments with the same N and columns.

        Raises:
            InputError: ``pieces`` is empty.
        """
        require(len(pieces) > 0, "pieces", "hold at least one element", 0, "pass some features")
        return replace(
            pieces[0],
            symmetric=torch.cat([p.symmetric for p in pieces]),
            antisymmetric=torch.cat([p.antisymmetric for p in pieces]),
            mask=torch.cat([p.mask for p in pieces]),
        )

    def inverted(self) -> PairFeatures:
        """The features of the inverted environments (x -> -x)."""
        signs = [
            torch.ones(x.shape[2], dtype=x.dtype, device=x.device)
            for x in (self.symmetric, self.antisymmetric)
        ]
        for sign, n_even in zip(signs, self.n_even, strict=True):
            sign[n_even:] = -1.0
        return replace(
            self, symmetric=self.symmetric * signs[0], antisymmetric=self.antisymmetric * signs[1]
        )

    def ordered(self) -> Float[Tensor, "environments neighbors neighbors q"]:
        """The features of all ordered pairs, (E, N, N, q): axes environment, j, k, column."""
        n = self.n_neighbors
        j, k = unordered_pairs(n, self.mask.device)
        apart = self.antisymmetric.shape[1]
        full = self.symmetric.new_zeros(len(self), n, n, self.n_features)
        q_s = self.symmetric.shape[2]
        full[:, j, k, :q_s] = self.symmetric
        full[:, k, j, :q_s] = self.symmetric
        full[:, j[:apart], k[:apart], q_s:] = self.antisymmetric
        full[:, k[:apart], j[:apart], q_s:] = -self.antisymmetric
        return full

    def ordered_mask(self) -> Bool[Tensor, "environments neighbors neighbors"]:
        """True for ordered pairs of real neighbours, (E, N, N)."""
        n = self.n_neighbors
        j, k = unordered_pairs(n, self.mask.device)
        full = self.mask.new_zeros(len(self), n, n)
        full[:, j, k] = self.mask
        full[:, k, j] = self.mask
        return full
