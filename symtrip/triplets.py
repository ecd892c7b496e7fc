"""The 3-centre, 1-neighbour features: a density seen from a centre and two tagged neighbours."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int8, Int64
from torch import Tensor, nn

from symtrip.contraction import Column, TripleProduct, chunk_length
from symtrip.errors import require
from symtrip.expansion.density import Density
from symtrip.memory import empty_like_type, require_memory

__all__ = ["TripletFeatures", "Triplets", "triplet_parity", "triplet_paths"]

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
    require(
        isinstance(max_angular, int) and not isinstance(max_angular, bool) and max_angular >= 0,
        "max_angular",
        "be an integer >= 0",
        repr(max_angular),
        "give the largest l of the density",
    )
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


def _unordered(n_neighbors: int, device: torch.device) -> tuple[Tensor, Tensor]:
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
        return _unordered(self.n_neighbors, self.mask.device)

    def dense(self) -> Tensor:
        """All features, (E, N, N, P) or (E, N (N + 1) / 2, P).

        P: (l1, l2, L) slow, in the order of :func:`triplet_paths`, then n1 (j), n2 (k), n3 (rho).
        :meth:`TripletFeatures.dense` is faster where blocks are not needed.
        """
        paths = sorted(self.blocks)
        if torch.is_grad_enabled() and any(block.requires_grad for block in self.blocks.values()):
            return torch.cat([self.blocks[path].flatten(-3) for path in paths], dim=-1)
        first = self.blocks[paths[0]]
        shape = (*self.mask.shape, len(paths), *first.shape[-3:])
        out = empty_like_type(shape, first)
        size = chunk_length(math.prod(shape[1:]) * first.element_size(), first.device)
        for start in range(0, len(self), size):
            for i, path in enumerate(paths):
                rows = slice(start, start + size)
                out[rows, ..., i, :, :, :] = self.blocks[path][rows]
        return out.flatten(-4)

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


class TripletFeatures(nn.Module):
    """F_jk[l1 l2 L; n1 n2 n3] = C(L,L,0) sum_M [(g_ij^l1 x g_ik^l2)^L_M]_{n1 n2} rho_i^L_{M n3}.

    Invariant under rotations; under inversion multiplied by :func:`triplet_parity`;
    F_jk[l1 n1, l2 n2, L, n3] = (-1)^(l1+l2+L) F_kj[l2 n2, l1 n1, L, n3]; the sum over j and k is
    the bispectrum.

    Args:
        max_angular: largest l of the density.
        symmetry: ``"full"``: all ordered pairs (j, k); what the swap rule gives shares memory as
            far as it can. ``"reduced"``: j <= k only, every pair j < k times sqrt(2): norms over
            all pairs and :meth:`Triplets.bispectrum` are unchanged, memory is halved.

    Accuracy:
        <= 128 eps of the norm (tests/oracle/test_triplets.py).

    Source:
        Nigam et al., APL Mach. Learn. 2, 016110 (2024), Eq. 1.
    """

    def __init__(self, *, max_angular: int, symmetry: str = "full") -> None:
        super().__init__()
        require(
            symmetry in ("full", "reduced"),
            "symmetry",
            'be "full" or "reduced"',
            repr(symmetry),
            'write symmetry="reduced" for unordered pairs',
        )
        self.max_angular, self.symmetry = max_angular, symmetry
        self.paths = triplet_paths(max_angular)
        every = [Column(*path) for path in self.paths]
        self._every = TripleProduct(every)
        # (l2, l1, L) is (l1, l2, L) with j and k exchanged, up to a sign that a view cannot have
        half = [column for column in every if column.l1 <= column.l2]
        half += [
            Column(l1, l2, big_l, sign=-1)
            for l1, l2, big_l in self.paths
            if l1 < l2 and (l1 + l2 + big_l) % 2
        ]
        self._product = TripleProduct(half) if symmetry == "full" else self._every

    def forward(self, density: Density, *, out: Tensor | None = None) -> Triplets:
        """Features of all tagged pairs.

        Args:
            density: expansion of E environments with the same ``max_angular``.
            out: memory from :meth:`workspace` to write to, for repeated calls without gradients:
                the system takes longer to hand out fresh memory than the features take.

        Returns:
            The features; dtype and device of the density, differentiable to it.

        Raises:
            InputError: the density has another ``max_angular`` or mixed types or devices; ``out``
                does not fit it or gradients are wanted; the result cannot fit into memory.
        """
        self._check(density)
        if _differentiable(density):
            _refuse_out(out)
            partial = self._product.partial(density.g, density.rho)
            closed = {
                l1: self._close(l1, density.g[l1], partial[l1]) for l1 in self._product.columns
            }
            return self._collect(density, closed)
        storage = self._storage(density, out)
        for rows in _slices(density, self._partial_size(density)):
            part = density[rows]
            partial = self._product.partial(part.g, part.rho)
            for l1, memory in storage.items():
                self._close(l1, part.g[l1], partial[l1], memory[rows])
        return self._collect(density, storage)

    def dense(self, density: Density, *, out: Tensor | None = None) -> Tensor:
        """All features in one tensor, without blocks in between.

        Args:
            density: as in :meth:`forward`.
            out: contiguous tensor of the result's shape to write to, without gradients.

        Returns:
            As :meth:`Triplets.dense`.

        Raises:
            InputError: as :meth:`forward`.
        """
        self._check(density)
        if self.symmetry == "reduced" or _differentiable(density):
            _refuse_out(out)
            triplets: Triplets = self(density)
            return triplets.dense()
        n_env, n, _, q = density.g[0].shape
        shape = (n_env, n, n, len(self.paths) * q**3)
        if out is None:
            self._require_memory(density, math.prod(shape[1:]))
            out = empty_like_type(shape, density.rho[0])
        require(
            tuple(out.shape) == shape and out.is_contiguous() and _alike(out, density.rho[0]),
            "out",
            f"be a contiguous {density.rho[0].dtype} tensor of shape {shape}",
            f"{out.dtype} of shape {tuple(out.shape)}",
            "allocate it with torch.empty",
        )
        by_path = out.view(n_env, n, n, len(self.paths), q, q * q)
        scratch: Tensor | None = None
        for rows in _slices(density, n * n * q**3 * len(self.paths) // 2):
            part = density[rows]
            partial = self._every.partial(part.g, part.rho)
            start = 0
            for l1, columns in self._every.columns.items():
                stop = start + len(columns)
                size = len(part) * n * q * math.prod(partial[l1].shape[2:])
                if scratch is None or scratch.numel() < size:
                    scratch = part.rho[0].new_empty(
                        max(size, len(part) * math.prod(shape[1:]) // 2)
                    )
                closed = self._every.close(l1, part.g[l1], partial[l1], scratch[:size])
                # n2 and n3 stay together: the copy moves runs of Q^2 numbers
                by_path[rows, :, :, start:stop] = closed.flatten(-2).permute(0, 1, 4, 3, 2, 5)
                start = stop
        return out

    def workspace(self, density: Density) -> Tensor:
        """Memory that :meth:`forward` can write the features of ``density`` to, again and again.

        Args:
            density: any density with as many environments, neighbours and channels, or more.

        Raises:
            InputError: the memory cannot suffice.
        """
        per_env = self._numbers_per_environment(density)
        self._require_memory(density, per_env)
        return empty_like_type((len(density) * per_env,), density.rho[0])

    def chunks(self, density: Density, size: int | None = None) -> Iterator[tuple[slice, Triplets]]:
        """The features of a few environments at a time, for more than fit into memory.

        Args:
            density: as in :meth:`forward`.
            size: environments per chunk; None: 128 MiB of features.

        Yields:
            The environments and their features. Without gradients each chunk overwrites the memory
            of the one before it.

        Raises:
            InputError: ``size`` is < 1; as :meth:`forward`.
        """
        self._check(density)
        if size is None:
            per_env = self._numbers_per_environment(density) * density.rho[0].element_size()
            size = max(1, (128 << 20) // max(per_env, 1))
        require(size >= 1, "size", "be at least 1", size, "give the environments per chunk")
        memory = None if _differentiable(density) else self.workspace(density[:size])
        for start in range(0, len(density), size):
            rows = slice(start, min(start + size, len(density)))
            yield rows, self(density[rows], out=memory)

    def _check(self, density: Density) -> None:
        require(
            density.max_angular == self.max_angular,
            "density",
            f"have max_angular = {self.max_angular}",
            density.max_angular,
            "build TripletFeatures with the max_angular of the expansion",
        )
        parts = (*density.rho, *density.g)
        require(
            all(_alike(part, parts[0]) for part in parts),
            "density",
            "have one dtype and one device",
            sorted({f"{part.dtype} on {part.device}" for part in parts}),
            "convert the environments with .to() before expanding them",
        )

    def _numbers_per_environment(self, density: Density) -> int:
        _, n, _, q = density.g[0].shape
        n_pairs = n * n if self.symmetry == "full" else n * (n + 1) // 2
        return n_pairs * q**3 * sum(map(len, self._product.columns.values()))

    def _partial_size(self, density: Density) -> int:
        """Numbers per environment between the second product and the last."""
        _, n, _, q = density.g[0].shape
        columns = self._product.columns
        return n * q * q * sum((2 * l1 + 1) * len(mine) for l1, mine in columns.items())

    def _require_memory(self, density: Density, per_env: int) -> None:
        require_memory(
            "density",
            "triplet features",
            per_env * density.rho[0].element_size(),
            len(density),
            density.rho[0].device,
            "take TripletFeatures.chunks(density, size={size})",
        )

    def _storage(self, density: Density, out: Tensor | None) -> dict[int, Tensor]:
        """l1 -> contiguous memory of the last product."""
        n_env, n, _, q = density.g[0].shape
        if out is None:
            out = self.workspace(density)
        needed = n_env * self._numbers_per_environment(density)
        require(
            out.ndim == 1 and out.is_contiguous() and _alike(out, density.rho[0]),
            "out",
            f"be {density.rho[0].dtype} memory on {density.rho[0].device}",
            f"{out.dtype} on {out.device} of shape {tuple(out.shape)}",
            "take it from TripletFeatures.workspace",
        )
        require(
            out.numel() >= needed,
            "out",
            f"hold {needed} numbers for {n_env} environments of up to {n} neighbours",
            out.numel(),
            "make it with TripletFeatures.workspace for the largest density",
        )
        full = self.symmetry == "full"
        storage, start = {}, 0
        for l1, columns in self._product.columns.items():
            tagged = (n, q, len(columns), n) if full else (n * (n + 1) // 2, q, len(columns))
            shape = (n_env, *tagged, q, q)
            stop = start + math.prod(shape)
            storage[l1] = out[start:stop].view(shape)
            start = stop
        return storage

    def _close(self, l1: int, g: Tensor, partial: Tensor, out: Tensor | None = None) -> Tensor:
        """(E, N, Q, couplings, N, Q, Q); reduced: (E, pairs, Q, couplings, Q, Q)."""
        if self.symmetry == "full":
            return self._product.close(l1, g, partial, out)
        pieces = []
        for k in range(g.shape[1]):
            first = k * (k + 1) // 2
            # every pair j < k stands for two ordered ones
            tagged = torch.cat([math.sqrt(2.0) * g[:, :k], g[:, k : k + 1]], dim=1)
            piece = self._product.close_one(l1, tagged, partial[:, :, :, k])
            if out is None:
                pieces.append(piece)
            else:
                out[:, first : first + k + 1] = piece
        return torch.cat(pieces, dim=1) if out is None else out

    def _collect(self, density: Density, closed: dict[int, Tensor]) -> Triplets:
        blocks = {}
        for l1, columns in self._product.columns.items():
            for i, column in enumerate(columns):
                path = (column.l1, column.l2, column.o3_lambda)
                mirrored = (column.l2, column.l1, column.o3_lambda)
                if self.symmetry == "reduced":
                    blocks[path] = closed[l1][:, :, :, i]
                    continue
                block = closed[l1][:, :, :, i]
                if column.sign > 0:
                    blocks[path] = block.permute(0, 1, 3, 2, 4, 5)
                if column.l1 != column.l2 and (column.sign < 0 or sum(path) % 2 == 0):
                    blocks[mirrored] = block.permute(0, 3, 1, 4, 2, 5)
        mask = density.mask[:, :, None] & density.mask[:, None, :]
        n = density.mask.shape[1]
        if self.symmetry == "reduced":
            j, k = _unordered(n, mask.device)
            mask = mask[:, j, k]
        return Triplets({path: blocks[path] for path in self.paths}, mask, n)


def _alike(x: Tensor, y: Tensor) -> bool:
    return x.dtype == y.dtype and x.device == y.device


def _differentiable(density: Density) -> bool:
    return torch.is_grad_enabled() and any(
        part.requires_grad for part in (*density.rho, *density.g)
    )


def _refuse_out(out: Tensor | None) -> None:
    require(
        out is None,
        "out",
        "be left out when gradients are wanted or symmetry is reduced",
        "a tensor",
        "wrap the call in torch.no_grad() or drop `out`",
    )


def _slices(density: Density, numbers_per_env: int) -> Iterator[slice]:
    rho = density.rho[0]
    size = chunk_length(numbers_per_env * rho.element_size(), rho.device)
    for start in range(0, len(density), size):
        yield slice(start, start + size)
