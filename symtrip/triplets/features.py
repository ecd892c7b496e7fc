"""The 3-centre, 1-neighbour features: a density seen from a centre and two tagged neighbours."""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
from torch import Tensor, nn

from symtrip.contraction import Column, TripleProduct, chunk_fits, chunk_length
from symtrip.errors import integer, require
from symtrip.expansion.density import Density
from symtrip.memory import empty_like_type, keep_freed_memory, require_memory
from symtrip.precision import full_precision
from symtrip.triplets.blocks import Triplets, triplet_paths, unordered
from symtrip.triplets.dense_on_cpu import DenseWriter
from symtrip.triplets.on_cpu import BlockWriter

__all__ = ["TripletFeatures"]


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
        keep_freed_memory()
        max_angular = integer("max_angular", max_angular, 0, "give the largest l of the density")
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
        self._writer = BlockWriter(half, max_angular) if symmetry == "full" else None
        self._dense_writer = DenseWriter(max_angular) if symmetry == "full" else None

    @full_precision
    def forward(self, density: Density, *, out: Tensor | None = None) -> Triplets:
        """Features of all tagged pairs.

        Args:
            density: expansion of E environments with the same ``max_angular``.
            out: memory from :meth:`workspace` to write to, for repeated calls without gradients:
                the system takes longer to hand out fresh memory than the features take.

        Returns:
            The features; dtype and device of the density, differentiable to it.

        Raises:
            InputError: as :meth:`Density.check <symtrip.Density.check>`; ``out`` does not fit the
                density or gradients are wanted; the result cannot fit into memory.
        """
        density.check(self.max_angular, type(self).__name__)
        if density.differentiated:
            _refuse_out(out)
            self._require_memory(density, self._numbers_per_environment(density))
            partial = self._product.partial(density.g, density.rho)
            closed = {
                l1: self._close(l1, density.g[l1], partial[l1]) for l1 in self._product.columns
            }
            return self._collect(density, closed)
        if self._writer is not None and density.rho[0].device.type == "cpu":
            blocks = self._writer.write(density, self._memory(density, out))
            return Triplets(blocks, self._pair_mask(density), density.mask.shape[1])
        storage = self._storage(density, self._memory(density, out))
        for rows in _slices(density, self._partial_size(density)):
            part = density[rows]
            partial = self._product.partial(part.g, part.rho)
            for l1, memory in storage.items():
                self._close(l1, part.g[l1], partial[l1], memory[rows])
        return self._collect(density, storage)

    @full_precision
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
        density.check(self.max_angular, type(self).__name__)
        if self.symmetry == "reduced" or density.differentiated:
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
        if self._dense_writer is not None and out.device.type == "cpu":
            self._dense_writer.write(density, out)
        else:
            self._write_dense(density, out)
        return out

    def _write_dense(self, density: Density, out: Tensor) -> None:
        """Fill ``out`` by operations that every device has."""
        n_env, n, _, q = density.g[0].shape
        by_path = out.view(n_env, n, n, len(self.paths), q, q * q)
        per_env = math.prod(out.shape[1:]) // 2
        # What the last product gives is rearranged while it is in the cache: some environments at
        # a time, or a few neighbours j of one, with k in front so that runs are near each other
        whole = chunk_fits(per_env * out.element_size(), out.device)
        order = (0, 1, 4, 3, 2, 5) if whole else (0, 1, 3, 4, 2, 5)
        scratch = out.new_empty(0)
        for rows in _slices(density, per_env):
            part = density[rows]
            partial = self._every.partial(part.g, part.rho, neighbors_first=not whole)
            start = 0
            for l1, columns in self._every.columns.items():
                stop = start + len(columns)
                per_j = len(part) * q * math.prod(partial[l1].shape[2:])
                step = (
                    max(n, 1) if whole else chunk_length(4 * per_j * out.element_size(), out.device)
                )
                if scratch.numel() < min(step, n) * per_j:
                    scratch = out.new_empty(min(step, n) * per_j)
                for first in range(0, n, step):
                    g = part.g[l1][:, first : first + step]
                    size = g.shape[1] * per_j
                    closed = self._every.close(l1, g, partial[l1], scratch[:size])
                    # n2 and n3 stay together: the copy moves runs of Q^2 numbers
                    by_path[rows, first : first + step, :, start:stop] = closed.flatten(-2).permute(
                        order
                    )
                start = stop

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
        density.check(self.max_angular, type(self).__name__)
        if size is None:
            per_env = self._numbers_per_environment(density) * density.rho[0].element_size()
            size = max(1, (128 << 20) // max(per_env, 1))
        require(size >= 1, "size", "be at least 1", size, "give the environments per chunk")
        memory = None if density.differentiated else self.workspace(density[:size])
        for start in range(0, len(density), size):
            rows = slice(start, min(start + size, len(density)))
            yield rows, self(density[rows], out=memory)

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

    def _memory(self, density: Density, out: Tensor | None) -> Tensor:
        """Flat memory for the features, checked if it was given."""
        if out is None:
            return self.workspace(density)
        needed = len(density) * self._numbers_per_environment(density)
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
            f"hold {needed} numbers for {len(density)} environments of up to "
            f"{density.mask.shape[1]} neighbours",
            out.numel(),
            "make it with TripletFeatures.workspace for the largest density",
        )
        return out

    def _storage(self, density: Density, memory: Tensor) -> dict[int, Tensor]:
        """l1 -> contiguous memory of the last product."""
        n_env, n, _, q = density.g[0].shape
        full = self.symmetry == "full"
        storage, start = {}, 0
        for l1, columns in self._product.columns.items():
            tagged = (n, q, len(columns), n) if full else (n * (n + 1) // 2, q, len(columns))
            shape = (n_env, *tagged, q, q)
            stop = start + math.prod(shape)
            storage[l1] = memory[start:stop].view(shape)
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
        if out is not None:
            return out
        if not pieces:
            pieces = [self._product.close(l1, g, partial).sum(dim=4)]  # no pairs, in the graph
        return torch.cat(pieces, dim=1)

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
                if column.serves_swapped:
                    blocks[mirrored] = block.permute(0, 3, 1, 4, 2, 5)
        ordered = {path: blocks[path] for path in self.paths}
        return Triplets(ordered, self._pair_mask(density), density.mask.shape[1])

    def _pair_mask(self, density: Density) -> Tensor:
        mask = density.mask[:, :, None] & density.mask[:, None, :]
        if self.symmetry == "full":
            return mask
        j, k = unordered(mask.shape[1], mask.device)
        return mask[:, j, k]


def _alike(x: Tensor, y: Tensor) -> bool:
    return x.dtype == y.dtype and x.device == y.device


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
