"""From a density to the compressed features that an energy model reads."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import torch
from jaxtyping import Float
from torch import Tensor, nn

from symtrip.correlations import DensityCorrelations
from symtrip.expansion import Density
from symtrip.models.compression import InvariantCompression, TripletCompression
from symtrip.models.pairs import PairFeatures, unordered_pairs
from symtrip.triplet_linear import TripletLinear
from symtrip.triplets import TripletFeatures, Triplets, triplet_parity

__all__ = ["DirectTripletDescriptor", "InvariantDescriptor", "TripletDescriptor"]

Densities = Callable[[], Iterable[Density]]


class TripletDescriptor(nn.Module):
    """Triplet features of all neighbour pairs, compressed: the input of models B.

    Args:
        max_angular: largest l of the density.
        compression: fitted to features of this density.

    Attributes:
        chunk: environments to describe at a time: the triplet features of 8 B8 clusters are 23 MB
            in float64, about what a cache holds.
    """

    chunk = 8

    def __init__(self, max_angular: int, compression: TripletCompression) -> None:
        super().__init__()
        self.triplets = TripletFeatures(max_angular=max_angular)
        self.compression = compression

    @classmethod
    def fit(
        cls,
        densities: Densities,
        max_angular: int,
        n_components: int,
        *,
        generator: torch.Generator,
    ) -> TripletDescriptor:
        """Fit the compression to a sample; see :meth:`TripletCompression.fit`.

        Args:
            densities: starts a pass over the sample: yields its densities in chunks.
            max_angular: largest l of the densities.
            n_components: components kept.
            generator: source of the random start.
        """
        features = TripletFeatures(max_angular=max_angular)

        def chunks() -> Iterator[Triplets]:
            return (features(density) for density in densities())

        compression = TripletCompression.fit(chunks, n_components, generator=generator)
        return cls(max_angular, compression)

    def forward(self, density: Density) -> PairFeatures:
        """Compressed features of E environments; dtype and device of ``density``."""
        features: PairFeatures = self.compression(self.triplets(density))
        return features


class DirectTripletDescriptor(nn.Module):
    """What :class:`TripletDescriptor` gives, through :class:`~symtrip.TripletLinear`.

    Faster for fewer than some 200 components, and its memory does not grow with the triplet
    features; the components are copied, so it must be made anew when they change.

    Args:
        compression: of the descriptor.

    Attributes:
        chunk: environments to describe at a time.

    Accuracy:
        <= 64 eps of the norm from :class:`TripletDescriptor`
        (tests/property/test_models_compression.py).
    """

    chunk = 256

    def __init__(self, compression: TripletCompression) -> None:
        super().__init__()
        first = compression.components[0]
        self.sections = compression.sections
        self.layer = TripletLinear(
            max_angular=compression.max_angular,
            n_channels=compression.n_channels,
            out_features=compression.n_features,
            bias=False,
            dtype=first.dtype,
            device=first.device,
        )
        self.layer.requires_grad_(False)
        self.layer.weight.copy_(compression.dense_components())

    def forward(self, density: Density) -> PairFeatures:
        """Compressed features of E environments in float64, on the device of ``density``."""
        j, k = unordered_pairs(density.mask.shape[1], density.mask.device)
        apart = len(j) - density.mask.shape[1]
        even_s, odd_s, even_a, odd_a = torch.split(
            self.layer(density)[:, j, k], list(self.sections), dim=-1
        )
        return PairFeatures(
            symmetric=torch.cat([even_s, odd_s], dim=-1),
            antisymmetric=torch.cat([even_a[:, :apart], odd_a[:, :apart]], dim=-1),
            mask=density.mask[:, j] & density.mask[:, k],
            n_even=(self.sections[0], self.sections[2]),
        )


class InvariantDescriptor(nn.Module):
    """Density correlations nu = 1, 2, 3 of whole environments, compressed: the input of models D.

    Args:
        max_angular: largest l of the density.
        compression: fitted to the stacked invariants of this density.

    Attributes:
        chunk: environments to describe at a time: many, for their features are few.
    """

    chunk = 256

    def __init__(self, max_angular: int, compression: InvariantCompression) -> None:
        super().__init__()
        self.correlations = _correlations(max_angular)
        self.compression = compression

    @classmethod
    def fit(
        cls,
        densities: Densities,
        max_angular: int,
        n_components: int,
        *,
        generator: torch.Generator,
    ) -> InvariantDescriptor:
        """Fit the compression to a sample; see :meth:`InvariantCompression.fit`.

        Args:
            densities: starts a pass over the sample: yields its densities in chunks.
            max_angular: largest l of the densities.
            n_components: components kept.
            generator: source of the random start.
        """
        correlations = _correlations(max_angular)
        first = next(iter(densities()))
        n_channels = first.rho[0].shape[2]
        odd_possible = triplet_parity(max_angular, n_channels)
        n_lower = n_channels + (max_angular + 1) * n_channels**2
        parity = torch.cat([torch.ones(n_lower, dtype=torch.int8), odd_possible])

        def chunks() -> Iterator[Tensor]:
            return (_stacked(correlations, density) for density in densities())

        compression = InvariantCompression.fit(chunks, parity, n_components, generator=generator)
        return cls(max_angular, compression)

    def forward(self, density: Density) -> Float[Tensor, "environments q"]:
        """Compressed invariants of E environments; dtype and device of ``density``."""
        invariants: Tensor = self.compression(_stacked(self.correlations, density))
        return invariants


def _correlations(max_angular: int) -> nn.ModuleList:
    return nn.ModuleList(
        DensityCorrelations(max_angular=max_angular, nu=order) for order in (1, 2, 3)
    )


def _stacked(correlations: nn.ModuleList, density: Density) -> Tensor:
    return torch.cat([correlation(density) for correlation in correlations], dim=1)
