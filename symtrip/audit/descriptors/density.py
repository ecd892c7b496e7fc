"""Descriptors built on the neighbour density: ACDC of any order, and the tagged triplets."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Literal

import torch
from torch import Tensor, nn

from symtrip.audit.descriptor import TorchDescriptor
from symtrip.audit.descriptors.mixing import RandomUnits, channel_mixing
from symtrip.correlations import DensityCorrelations
from symtrip.coupling import ClebschGordanProduct, Key
from symtrip.environments import Environments
from symtrip.errors import require
from symtrip.expansion import (
    DeltaDensity,
    Density,
    GaussianDensity,
    Gto,
    ShiftedCosine,
    SphericalExpansion,
)
from symtrip.triplets import TripletFeatures, Triplets, triplet_parity

__all__ = ["Acdc", "Bispectrum", "PowerSpectrum", "TripletPool"]


_RADIUS = 2.0
"""Cutoff in Å that all environments are scaled to: the radial tables are made only once."""


class _SharedGto(Gto):
    """The GTO basis with one radial table for all compositions."""

    def functions(self, radius: float, density: GaussianDensity | DeltaDensity) -> nn.Module:
        """See :class:`Gto`."""
        return _radial_table(self.n_radial, self.max_angular, radius, density)


@lru_cache(maxsize=16)
def _radial_table(
    n_radial: int, max_angular: int, radius: float, density: GaussianDensity | DeltaDensity
) -> nn.Module:
    return Gto(n_radial=n_radial, max_angular=max_angular).functions(radius, density)


@lru_cache(maxsize=64)
def _expansion(species: tuple[int, ...], n_radial: int, max_angular: int) -> SphericalExpansion:
    return SphericalExpansion(
        cutoff=ShiftedCosine(radius=_RADIUS, width=0.1 * _RADIUS),
        density=GaussianDensity(width=0.1 * _RADIUS),
        basis=_SharedGto(n_radial=n_radial, max_angular=max_angular),
        species=species,
    )


@lru_cache(maxsize=16)
def _products(nu: int, max_angular: int) -> tuple[ClebschGordanProduct, ...]:
    density_keys: list[Key] = [(l, 1) for l in range(max_angular + 1)]
    keys, products = density_keys, list[ClebschGordanProduct]()
    for _ in range(nu - 1):
        product = ClebschGordanProduct(keys, density_keys, max_lambda=max_angular)
        products.append(product)
        keys = sorted({path[2] for path in product.paths}, key=lambda key: (key[0], -key[1]))
    return tuple(products)


class _DensityDescriptor(TorchDescriptor):
    """Common expansion: GTO, Gaussians a tenth of the cutoff wide, few mixed channels.

    The (species, n) channels are mixed by a fixed random matrix with orthonormal columns when there
    are more than ``n_channels``: features are then linear combinations of the full ones.
    """

    def __init__(
        self,
        radius: float,
        species: tuple[int, ...],
        *,
        n_radial: int,
        max_angular: int,
        n_channels: int,
    ) -> None:
        super().__init__(radius)
        self.max_angular = max_angular
        self.expansion = _expansion(species, n_radial, max_angular)
        self.mixing = channel_mixing(self.expansion.n_channels, n_channels, seed=1)

    @property
    def n_channels(self) -> int:
        """Number of mixed channels."""
        return self.mixing.shape[1]

    def density(self, environments: Environments) -> Density:
        """The mixed density of the environments scaled to the common cutoff."""
        scaled = environments.replace(
            vectors=environments.vectors * (_RADIUS / self.radius), radius=_RADIUS
        )
        full = self.expansion(scaled)
        return Density(
            rho=tuple(rho @ self.mixing for rho in full.rho),
            g=tuple(g @ self.mixing for g in full.g),
            mask=full.mask,
        )


class PowerSpectrum(_DensityDescriptor):
    """SOAP power spectrum: nu = 2."""

    def __init__(
        self,
        radius: float,
        species: tuple[int, ...],
        *,
        n_radial: int = 6,
        max_angular: int = 6,
    ) -> None:
        super().__init__(radius, species, n_radial=n_radial, max_angular=max_angular, n_channels=24)
        self.correlations = DensityCorrelations(max_angular=max_angular, nu=2)

    def forward(self, environments: Environments) -> Tensor:
        """See :class:`TorchDescriptor`."""
        features: Tensor = self.correlations(self.density(environments))
        return features


class Bispectrum(_DensityDescriptor):
    """Bispectrum: nu = 3, both parities unless ``parity`` is "even"."""

    def __init__(
        self,
        radius: float,
        species: tuple[int, ...],
        *,
        n_radial: int = 4,
        max_angular: int = 4,
        parity: Literal["both", "even"] = "both",
    ) -> None:
        super().__init__(radius, species, n_radial=n_radial, max_angular=max_angular, n_channels=6)
        self.correlations = DensityCorrelations(max_angular=max_angular, nu=3)
        even = triplet_parity(max_angular, self.n_channels) > 0
        self.kept = torch.nonzero(even | (parity == "both")).flatten()

    def forward(self, environments: Environments) -> Tensor:
        """See :class:`TorchDescriptor`."""
        features: Tensor = self.correlations(self.density(environments))
        return features[:, self.kept]


class Acdc(_DensityDescriptor):
    """Density correlations of all orders up to nu, both parities (ACE, NICE, ACDC).

    Each order multiplies the previous one with the density and keeps, per (lambda, sigma), a fixed
    random combination of ``n_kept`` properties: linear in the full correlations, so whatever those
    cannot tell apart, these cannot.
    """

    def __init__(
        self,
        radius: float,
        species: tuple[int, ...],
        *,
        nu: int = 4,
        n_radial: int = 4,
        max_angular: int = 4,
        n_kept: int = 24,
    ) -> None:
        require(1 <= nu <= 8, "nu", "be an integer in 1..8", nu, "write e.g. acdc:nu=4")
        super().__init__(radius, species, n_radial=n_radial, max_angular=max_angular, n_channels=6)
        self.nu, self.n_kept = nu, n_kept
        self.products = _products(nu, max_angular)

    def forward(self, environments: Environments) -> Tensor:
        """See :class:`TorchDescriptor`."""
        first: dict[Key, Tensor] = {
            (l, 1): rho for l, rho in enumerate(self.density(environments).rho)
        }
        blocks = first
        invariants = [first[0, 1][:, 0]]
        for order, product in enumerate(self.products):
            blocks = {
                key: block @ channel_mixing(block.shape[-1], self.n_kept, 10 + order)
                for key, block in product(blocks, first).items()
            }
            invariants += [blocks[key][:, 0] for key in ((0, 1), (0, -1)) if key in blocks]
        return torch.cat(invariants, dim=1)


class TripletPool(_DensityDescriptor):
    """The 3-centre, 1-neighbour features, pooled over all tagged pairs.

    ``"linear"``: their sum, which is the bispectrum. ``"nonlinear"``: the sum of random analytic
    units of them, odd blocks kept. ``"o3"``: the same units, each added to its value for the
    inverted pair (F_even, -F_odd), so that mirror images agree.
    """

    copies = 1

    def __init__(
        self,
        radius: float,
        species: tuple[int, ...],
        *,
        pooling: Literal["linear", "nonlinear", "o3"] = "nonlinear",
        n_radial: int = 4,
        max_angular: int = 4,
        units: int = 128,
    ) -> None:
        require(units >= 1, "units", "be at least 1", units, "write e.g. triplets:units=64")
        super().__init__(radius, species, n_radial=n_radial, max_angular=max_angular, n_channels=4)
        self.pooling = pooling
        self.triplets = TripletFeatures(max_angular=max_angular)
        n_features = len(triplet_parity(max_angular, self.n_channels))
        self.units = RandomUnits(n_features, units, seed=3, gain=200.0)

    def forward(self, environments: Environments) -> Tensor:
        """See :class:`TorchDescriptor`."""
        triplets = self.triplets(self.density(environments))
        if self.pooling == "linear":
            features: Tensor = triplets.bispectrum()
            return features
        even, odd = self._projections(triplets)
        pooled = torch.nn.functional.silu(even + odd + self.units.bias)
        if self.pooling == "o3":
            pooled = pooled + torch.nn.functional.silu(even - odd + self.units.bias)
        pairs: Tensor = triplets.mask[..., None].to(pooled.dtype)
        # a pair that fades out at the cutoff must fade out of the sum: without features it counts 0
        resting = torch.nn.functional.silu(self.units.bias) * (2 if self.pooling == "o3" else 1)
        return ((pooled - resting) * pairs).sum(dim=(1, 2)) / math.sqrt(self.n_channels)

    def _projections(self, triplets: Triplets) -> tuple[Tensor, Tensor]:
        """Inputs of the units (E, N, N, units) from even and from odd features.

        Block by block: all features in one tensor would be most of the time and of the memory.
        """
        paths = sorted(triplets.blocks)
        rows = self.units.weight.tensor_split(len(paths))
        sums = [rows[0].new_zeros(*triplets.mask.shape, rows[0].shape[1]) for _ in range(2)]
        for path, weight in zip(paths, rows, strict=True):
            sums[sum(path) % 2] += triplets.blocks[path].flatten(-3) @ weight
        return sums[0], sums[1]
