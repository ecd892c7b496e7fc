"""Density correlations (ACDC): symmetrised products of the neighbour density."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from symtrip.coupling import ClebschGordanProduct, Key
from symtrip.errors import require
from symtrip.expansion.density import Density

__all__ = ["DensityCorrelations"]


class DensityCorrelations(nn.Module):
    """Invariant correlations of nu neighbours: iterated products, closed with C(L, L, 0).

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
        require(
            isinstance(nu, int) and not isinstance(nu, bool) and nu >= 1,
            "nu",
            "be an integer >= 1",
            repr(nu),
            "nu counts neighbours: 2 is the power spectrum, 3 the bispectrum",
        )
        require(
            isinstance(max_angular, int) and max_angular >= 0,
            "max_angular",
            "be an integer >= 0",
            repr(max_angular),
            "give the largest l of the density",
        )
        require(
            max_lambda is None or max_lambda >= 0,
            "max_lambda",
            "be None or an integer >= 0",
            max_lambda,
            "None keeps every intermediate angular momentum that contributes",
        )
        self.max_angular, self.nu, self.max_lambda = max_angular, nu, max_lambda
        density_keys: list[Key] = [(l, 1) for l in range(max_angular + 1)]
        keys, products = density_keys, list[ClebschGordanProduct]()
        for order in range(2, nu):
            # order nu - 1 is coupled with one more density: nothing above max_angular can close
            limit = max_angular * (nu - order)
            if max_lambda is not None:
                limit = min(limit, max_lambda)
            product = ClebschGordanProduct(keys, density_keys, max_lambda=limit)
            products.append(product)
            keys = sorted({path[2] for path in product.paths}, key=lambda key: (key[0], -key[1]))
        self.products = products

    def equivariants(self, density: Density) -> dict[Key, Tensor]:
        """Blocks of order nu - 1 (nu = 1: of order 1), before the last, scalar coupling.

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

    def forward(self, density: Density) -> Tensor:
        """Invariants of order ``nu``.

        Args:
            density: expansion of E environments with the same ``max_angular``.

        Returns:
            (E, n_features). nu = 2: l slow, n1, n2. nu = 3: the order of
            :meth:`symtrip.TripletFeatures.forward`: (l1, l2, L) slow, n1, n2, n3. nu >= 4:
            intermediate (o3_lambda, o3_sigma) slow, then the previous order's properties, n_nu
            fast.

        Raises:
            InputError: the density has another ``max_angular``.
        """
        require(
            density.max_angular == self.max_angular,
            "density",
            f"have max_angular = {self.max_angular}",
            density.max_angular,
            "build DensityCorrelations with the max_angular of the expansion",
        )
        if self.nu == 1:
            return density.rho[0][:, 0]
        if self.nu == 3:
            return self._bispectrum(density)
        blocks = self.equivariants(density)
        pieces = []
        for (lam, _), block in blocks.items():
            if lam <= self.max_angular:
                close = (-1) ** lam / math.sqrt(2 * lam + 1)
                pieces.append(
                    close * torch.einsum("emp,emq->epq", block, density.rho[lam]).flatten(1)
                )
        return torch.cat(pieces, dim=1)

    def _bispectrum(self, density: Density) -> Tensor:
        pieces: dict[tuple[int, int, int], Tensor] = {}
        product = self.products[0]
        for (l1, _), (l2, _), (lam, _) in product.paths:
            table = product.table(l1, l2, lam, density.rho[0])
            close = (-1) ** lam / math.sqrt(2 * lam + 1)
            half = torch.einsum("eap,abm->epbm", density.rho[l1], table)
            pair = torch.einsum("epbm,ebq->epqm", half, density.rho[l2])
            pieces[l1, l2, lam] = close * torch.einsum("epqm,emr->epqr", pair, density.rho[lam])
        return torch.cat([piece.flatten(1) for piece in pieces.values()], dim=1)
