"""Density correlations (ACDC): symmetrised products of the neighbour density."""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
from jaxtyping import Float
from torch import Tensor, nn

from symtrip.contraction import Column, TripleProduct, chunk_length
from symtrip.coupling import ClebschGordanProduct, Key
from symtrip.derivatives import differentiated
from symtrip.errors import integer, require
from symtrip.expansion.density import Density
from symtrip.memory import empty_like_type, require_memory
from symtrip.precision import full_precision

__all__ = ["DensityCorrelations", "EquivariantCorrelations"]


def _checked(max_angular: int, nu: int, max_lambda: int | None) -> tuple[int, int, int | None]:
    counted = "nu counts neighbours: 2 is the power spectrum, 3 the bispectrum"
    unlimited = "None keeps every intermediate angular momentum that contributes"
    return (
        integer("max_angular", max_angular, 0, "give the largest l of the density"),
        integer("nu", nu, 1, counted),
        None if max_lambda is None else integer("max_lambda", max_lambda, 0, unlimited),
    )


class EquivariantCorrelations(nn.Module):
    """Equivariant correlations of nu neighbours, coupled from left to right, nothing contracted.

    Args:
        max_angular: largest l of the density.
        nu: correlation order, >= 1.
        max_lambda: largest o3_lambda of the result and of every intermediate product; None: all.

    Accuracy:
        <= 128 eps of the norm for nu <= 3 (tests/oracle/test_n_center.py).

    Source:
        Nigam et al., APL Mach. Learn. 2, 016110 (2024), Eq. S5.
    """

    def __init__(self, *, max_angular: int, nu: int, max_lambda: int | None = None) -> None:
        super().__init__()
        max_angular, nu, max_lambda = _checked(max_angular, nu, max_lambda)
        self.max_angular, self.nu, self.max_lambda = max_angular, nu, max_lambda
        limits = [
            max_angular * order if max_lambda is None else max_lambda for order in range(2, nu + 1)
        ]
        products = _iterated(max_angular, limits)
        self.products = nn.ModuleList(products)

    @full_precision
    def forward(self, density: Density) -> dict[Key, Tensor]:
        """Blocks of order ``nu``.

        Args:
            density: expansion of E environments with the same ``max_angular``.

        Returns:
            (o3_lambda, o3_sigma) -> (E, 2 lambda + 1, q), sorted by lambda, sigma = +1 first; q:
            the paths of :class:`~symtrip.ClebschGordanProduct`, the previous properties slow.

        Raises:
            InputError: as :meth:`Density.check <symtrip.Density.check>`.
        """
        density.check(self.max_angular, type(self).__name__)
        first: dict[Key, Tensor] = {(l, 1): rho for l, rho in enumerate(density.rho)}
        blocks = first
        for product in self.products:
            blocks = product(blocks, first)
        return blocks


def _iterated(max_angular: int, limits: list[int]) -> list[ClebschGordanProduct]:
    """Products with the density, one for each limit of lambda."""
    density_keys: list[Key] = [(l, 1) for l in range(max_angular + 1)]
    keys, products = density_keys, []
    for limit in limits:
        product = ClebschGordanProduct(keys, density_keys, max_lambda=limit)
        products.append(product)
        keys = sorted({path[2] for path in product.paths}, key=lambda key: (key[0], -key[1]))
    return products


class DensityCorrelations(nn.Module):
    """Invariant correlations of nu neighbours: rho^{nu} = (rho^{nu-1} x rho)^0.

    Nothing is contracted or truncated up to nu = 3. The body order is nu + 1; the number of
    features is that of all paths, with both parities, redundancies between equal factors included.

    Args:
        max_angular: largest l of the density.
        nu: correlation order, >= 1: 1 density, 2 power spectrum, 3 bispectrum, ...
        max_lambda: largest angular momentum of the intermediate products; ``None``: all that
            contribute. The last intermediate one never exceeds ``max_angular``.

    Attributes:
        nu: correlation order.

    Accuracy:
        nu <= 3: <= 128 eps of the norm (tests/oracle/test_correlations.py).

    Source:
        Willatt, Musil, Ceriotti, J. Chem. Phys. 150, 154110 (2019); iteration of Nigam, Pozdnyakov,
        Ceriotti, J. Chem. Phys. 153, 121101 (2020).
    """

    def __init__(self, *, max_angular: int, nu: int, max_lambda: int | None = None) -> None:
        super().__init__()
        max_angular, nu, max_lambda = _checked(max_angular, nu, max_lambda)
        self.max_angular, self.nu, self.max_lambda = max_angular, nu, max_lambda
        # order nu - 1 is coupled with one more density: nothing above max_angular can close
        limits = [max_angular * (nu - order) for order in range(2, nu)]
        if max_lambda is not None:
            limits = [min(limit, max_lambda) for limit in limits]
        products = _iterated(max_angular, limits)
        # The last two products are one: the two densities meet first, whatever they close on.
        self.products = nn.ModuleList(products[:-1])
        self._paths = [product.paths for product in products]
        if nu < 3:
            return
        paths = self._paths[-1]
        if nu > 3:
            paths = sorted(paths, key=lambda path: (path[2][0], -path[2][1]))
        self._order = [(key1, key2[0], key[0]) for key1, key2, key in paths]
        triples = sorted({(key1[0], l, lam) for key1, l, lam in self._order})
        self._triple = TripleProduct([Column(*triple) for triple in triples])

    @full_precision
    def equivariants(self, density: Density) -> dict[Key, Tensor]:
        """Blocks of order nu - 2 (at least 1), before the last two couplings.

        Args:
            density: expansion of E environments.

        Returns:
            (o3_lambda, o3_sigma) -> (E, 2 lambda + 1, q).
        """
        first: dict[Key, Tensor] = {(l, 1): rho for l, rho in enumerate(density.rho)}
        blocks = first
        for product in self.products:
            blocks = product(blocks, first)
        return blocks

    def n_features(self, n_channels: int) -> int:
        """Number of features for a density of Q = ``n_channels``."""
        if self.nu <= 2:
            return n_channels if self.nu == 1 else (self.max_angular + 1) * n_channels**2
        widths: dict[Key, int] = {(l, 1): n_channels for l in range(self.max_angular + 1)}
        for paths in self._paths[:-1]:
            wider: dict[Key, int] = {}
            for key1, _, key in paths:
                wider[key] = wider.get(key, 0) + widths[key1] * n_channels
            widths = wider
        return n_channels**2 * sum(widths[key1] for key1, _, _ in self._order)

    @full_precision
    def forward(
        self, density: Density, *, out: Tensor | None = None
    ) -> Float[Tensor, "environments features"]:
        """Invariants of order ``nu``.

        Args:
            density: expansion of E environments with the same ``max_angular``.
            out: tensor of the result's shape to write to, without gradients.

        Returns:
            (E, n_features). nu = 2: l slow, n1, n2. nu = 3: the order of
            :meth:`symtrip.Triplets.dense`: (l1, l2, L) slow, n1, n2, n3. nu >= 4: intermediate
            (o3_lambda, o3_sigma) slow, then the previous order's properties, n_nu fast.

        Raises:
            InputError: as :meth:`Density.check <symtrip.Density.check>`; the result cannot fit into
                memory; ``out`` has another shape or gradients are wanted.
        """
        density.check(self.max_angular, type(self).__name__)
        rho = density.rho[0]
        shape = (len(density), self.n_features(rho.shape[-1]))
        if out is None:
            require_memory(
                "density",
                f"correlations of order {self.nu}",
                shape[1] * rho.element_size(),
                shape[0],
                rho.device,
                "take DensityCorrelations.chunks(density, size={size})",
            )
        if differentiated(density.rho):
            require(
                out is None, "out", "be left out when gradients are wanted", "a tensor", "drop it"
            )
            return torch.cat(list(self._pieces(density, None)), dim=1)
        if out is None:
            out = empty_like_type(shape, rho)
        require(
            tuple(out.shape) == shape and out.dtype == rho.dtype and out.is_contiguous(),
            "out",
            f"be a contiguous {rho.dtype} tensor of shape {shape}",
            f"{out.dtype} of shape {tuple(out.shape)}",
            "allocate it with torch.empty",
        )
        size = 8 * chunk_length(shape[1] * rho.element_size(), rho.device)
        for start in range(0, len(density), size):
            rows = slice(start, start + size)
            for _ in self._pieces(density[rows], out[rows]):
                pass
        return out

    def chunks(self, density: Density, size: int | None = None) -> Iterator[tuple[slice, Tensor]]:
        """The invariants of a few environments at a time, for more than fit into memory.

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
        rho = density.rho[0]
        width = self.n_features(rho.shape[-1])
        if size is None:
            size = max(1, (128 << 20) // (width * rho.element_size()))
        require(size >= 1, "size", "be at least 1", size, "give the environments per chunk")
        memory = None
        if not differentiated(density.rho):
            memory = empty_like_type((min(size, len(density)), width), rho)
        for start in range(0, len(density), size):
            rows = slice(start, min(start + size, len(density)))
            out = None if memory is None else memory[: rows.stop - rows.start]
            yield rows, self(density[rows], out=out)

    def _pieces(self, density: Density, out: Tensor | None) -> Iterator[Tensor]:
        """Features, path by path, written to ``out`` if there is one."""
        n_env, _, q = density.rho[0].shape
        start = 0

        def place(piece: Tensor) -> Tensor:
            nonlocal start
            first, start = start, start + math.prod(piece.shape[1:])
            if out is None:
                return piece.flatten(1)
            # bmm is slow where its result is not contiguous, so it is copied to its place
            target = out[:, first:start]
            target.view(piece.shape).copy_(piece)
            return target

        if self.nu == 1:
            yield place(density.rho[0][:, 0])
        elif self.nu == 2:
            for l, rho in enumerate(density.rho):
                closed = rho.transpose(1, 2) * ((-1) ** l / math.sqrt(2 * l + 1))
                yield place(torch.bmm(closed, rho))
        elif self.nu == 3:
            # (l1, l2, L) is the order of the triple product: one wide product per l1
            partial = self._triple.partial([rho[:, None] for rho in density.rho], density.rho)
            for l1, part in partial.items():
                closed = self._triple.close(l1, density.rho[l1][:, None], part)
                yield place(closed.flatten(4).permute(0, 1, 3, 2, 4))
        else:
            blocks = self.equivariants(density)
            partial = self._triple.partial([rho[:, None] for rho in density.rho], density.rho)
            for key1, l, lam in self._order:
                index = self._triple.columns[key1[0]].index(Column(key1[0], l, lam))
                columns = partial[key1[0]][:, :, index].reshape(n_env, 2 * key1[0] + 1, q * q)
                yield place(torch.bmm(blocks[key1].transpose(1, 2), columns))
