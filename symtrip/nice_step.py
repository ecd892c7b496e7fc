"""One step of the contracted iteration: all products of equivariant blocks with the density."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from symtrip.coupling import Key, clebsch_gordan_table, coupling_paths
from symtrip.derivatives import differentiated
from symtrip.expansion.density import Density
from symtrip.memory import empty_like_type, require_memory
from symtrip.precision import full_precision
from symtrip.tables import ConstantTable

__all__ = ["Blocks", "NiceStep"]

Blocks = Mapping[Key, Tensor]
Path = tuple[Key, Key, Key]


class NiceStep:
    """The couplings of one set of blocks with the density.

    Args:
        first: keys (o3_lambda, o3_sigma) of the blocks.
        max_angular: largest l of the density.
        max_lambda: largest o3_lambda of the products.

    Attributes:
        paths: key of the products -> its couplings (key of the block, key of the density, key).
    """

    def __init__(self, first: Sequence[Key], max_angular: int, max_lambda: int) -> None:
        density: list[Key] = [(l, 1) for l in range(max_angular + 1)]
        paths = coupling_paths(list(first), density, max_lambda)
        self.paths: dict[Key, list[Path]] = {}
        for path in sorted(paths, key=lambda path: (path[2][0], -path[2][1])):
            self.paths.setdefault(path[2], []).append(path)
        self.tables = {
            (a[0], b[0], c[0]): ConstantTable(clebsch_gordan_table(a[0], b[0], c[0]))
            for a, b, c in paths
        }
        # for all products of one block at once: its couplings below each other, (2 l1 + 1) columns
        # for each component of the density
        self._by_first: dict[Key, list[Path]] = {}
        for path in paths:
            self._by_first.setdefault(path[0], []).append(path)
        self._stacked = {
            key: ConstantTable(_stacked(mine, max_angular)) for key, mine in self._by_first.items()
        }

    def widths(self, sizes: Mapping[Key, int], n_channels: int) -> dict[Key, int]:
        """Number of products of each key.

        Args:
            sizes: properties of each block.
            n_channels: Q of the density.
        """
        return {
            key: n_channels * sum(sizes[path[0]] for path in mine)
            for key, mine in self.paths.items()
        }

    def workspace(self, blocks: Blocks, density: Density) -> Tensor:
        """Memory that :meth:`form` can write the products of these sizes to, again and again.

        Raises:
            InputError: the memory cannot suffice.
        """
        q = density.rho[0].shape[-1]
        per_env = sum(
            (2 * path[2][0] + 1) * q * blocks[path[0]].shape[-1]
            for mine in self.paths.values()
            for path in mine
        )
        rho = density.rho[0]
        require_memory(
            "density",
            "products",
            per_env * rho.element_size(),
            len(density),
            rho.device,
            "form those of {size} environments at a time",
        )
        return empty_like_type((len(density) * per_env,), rho)

    @full_precision
    def form(
        self, blocks: Blocks, density: Density, *, out: Tensor | None = None
    ) -> dict[Path, Tensor]:
        """All products, path by path.

        Args:
            blocks: (o3_lambda, o3_sigma) -> (E, 2 lambda + 1, q).
            density: expansion of E environments.
            out: memory of :meth:`workspace` to write to, without gradients.

        Returns:
            path -> (E, 2 lambda + 1, n, q), views: the density's channel n slow, the block's
            property fast.
        """
        rho = torch.cat(density.rho, dim=1).transpose(1, 2)  # (E, n, components)
        n_env, q, size = rho.shape
        products: dict[Path, Tensor] = {}
        start = 0
        for key, mine in self._by_first.items():
            block = blocks[key]
            n_rows = sum(2 * path[2][0] + 1 for path in mine)
            table = self._stacked[key].like(rho)
            field = torch.mm(rho.reshape(-1, size), table)
            field = field.view(n_env, q * n_rows, 2 * key[0] + 1)
            memory = None
            if out is not None:
                stop = start + n_env * q * n_rows * block.shape[-1]
                memory = out[start:stop].view(n_env, q * n_rows, block.shape[-1])
                start = stop
            whole = _rows_times(field, block, memory).view(n_env, q, n_rows, -1).transpose(1, 2)
            row = 0
            for path in mine:
                products[path] = whole[:, row : row + 2 * path[2][0] + 1]
                row += 2 * path[2][0] + 1
        return products

    def products(
        self, key: Key, blocks: Blocks, density: Density, scratch: Tensor | None = None
    ) -> Iterator[Tensor]:
        """Products (E (2 lambda + 1), n q) of one key, path by path; the density's n slow.

        Args:
            key: of the products.
            blocks: as in :meth:`form`.
            density: as in :meth:`form`.
            scratch: memory for the largest of them, which each overwrites; without gradients.
        """
        for key1, key2, _ in self.paths[key]:
            block, rho = blocks[key1], density.rho[key2[0]]
            table = self.tables[key1[0], key2[0], key[0]].like(rho)
            field = torch.einsum("abm,ebn->emna", table, rho).flatten(1, 2)
            shape = (*field.shape[:2], block.shape[-1])
            memory = None if scratch is None else scratch[: math.prod(shape)].view(shape)
            product = _rows_times(field, block, memory)
            yield product.reshape(-1, rho.shape[-1] * block.shape[-1])

    @full_precision
    def project(self, key: Key, blocks: Blocks, density: Density, onto: Tensor) -> Tensor:
        """Products of one key times ``onto`` (width, kept), never all held at once.

        Returns (E, 2 lambda + 1, kept).
        """
        n_env, n_rows = len(density), 2 * key[0] + 1
        total = onto.new_zeros(n_env * n_rows, onto.shape[1])
        scratch = None
        tensors = (onto, *density.rho, *blocks.values())
        if not differentiated(tensors):
            # the system takes longer to hand out fresh memory than the products take
            widest = max(blocks[path[0]].shape[-1] for path in self.paths[key])
            scratch = onto.new_empty(n_env * n_rows * density.rho[0].shape[-1] * widest)
        start = 0
        for product in self.products(key, blocks, density, scratch):
            stop = start + product.shape[1]
            total.addmm_(product, onto[start:stop])
            start = stop
        return total.reshape(n_env, n_rows, -1)


def _rows_times(rows: Tensor, block: Tensor, out: Tensor | None) -> Tensor:
    """(E, R, a) times (E, a, q); an outer product is faster than a product over one index."""
    if rows.shape[2] == 1:
        return torch.mul(rows, block, out=out)
    return torch.bmm(rows, block, out=out)


def _stacked(paths: Sequence[Path], max_angular: int) -> np.ndarray:
    """Couplings of one block, (components of the density, paths' components and the block's)."""
    pieces = []
    for key1, key2, key in paths:
        piece = np.zeros((2 * key[0] + 1, 2 * key1[0] + 1, (max_angular + 1) ** 2))
        table = clebsch_gordan_table(key1[0], key2[0], key[0])
        piece[:, :, key2[0] ** 2 : (key2[0] + 1) ** 2] = table.transpose(2, 0, 1)
        pieces.append(piece)
    stacked = np.concatenate(pieces)
    return np.ascontiguousarray(stacked.reshape(-1, stacked.shape[-1]).T)
