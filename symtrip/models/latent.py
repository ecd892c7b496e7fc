"""Models A of the paper: an environment's triplets become a short latent, the latent its features.

They show how much of an environment a few invariants of the kind of Eq. 2 keep: everything else
about it, here all density correlations of order nu <= 7, must follow from them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from symtrip.errors import InputError, require
from symtrip.models.layers import linear
from symtrip.models.pairs import PairFeatures
from symtrip.models.pooling import can_be_pooled, pooled_pairs

__all__ = ["LatentDecoder", "TripletEncoder", "TripletReconstruction", "sum_over_pairs"]


def sum_over_pairs(pairs: PairFeatures) -> Float[Tensor, "environments q_s"]:
    """Sum over all ordered pairs, (E, q_s): the antisymmetric columns cancel."""
    apart = pairs.antisymmetric.shape[1]
    return pairs.symmetric.sum(dim=1) + pairs.symmetric[:, :apart].sum(dim=1)


class TripletEncoder(nn.Module):
    """From the features of all ordered pairs to a latent vector of the environment.

        latent = 1/n * sum_jk phi(F_jk),  n = N_ordered

    Nonlinear: phi = Linear(q, h), LayerNorm, SiLU, Linear(h, h), LayerNorm, SiLU, Linear(h,
    latent), the last one behind the sum, with which it commutes. Linear: phi = Linear(q, latent);
    then only the sum of F counts, the bispectrum.

    Args:
        sections: even symmetric, odd symmetric, even antisymmetric and odd antisymmetric columns,
            as in :class:`~symtrip.models.TripletCompression`.
        latent: length of the latent vector, >= 1.
        hidden: width h.
        nonlinear: which of the two.
        pairs_per_environment: n, a constant that only sets the scale; 49 for B8.
        generator: source of the initial weights; ``None``: torch's default generator.

    Raises:
        InputError: a size is below 1.

    Source:
        Nigam et al., APL Mach. Learn. 2, 016110 (2024), models A; sizes of the archived scripts.
    """

    def __init__(
        self,
        sections: tuple[int, int, int, int],
        latent: int = 128,
        hidden: int = 512,
        *,
        nonlinear: bool = True,
        pairs_per_environment: int = 49,
        generator: torch.Generator | None = None,
    ) -> None:
        for name, size in (("latent", latent), ("hidden", hidden)):
            require(size >= 1, name, "be at least 1", size, "the paper has 128 and 512")
        super().__init__()
        self.sections = sections
        self.nonlinear = nonlinear
        self.pairs_per_environment = pairs_per_environment
        q_s, q_a = sections[0] + sections[1], sections[2] + sections[3]
        if nonlinear:
            self.first = linear(q_s + q_a, hidden, generator)
            self.middle = nn.Sequential(
                nn.LayerNorm(hidden),
                nn.SiLU(),
                linear(hidden, hidden, generator),
                nn.LayerNorm(hidden),
                nn.SiLU(),
            )
            self.last = linear(hidden, latent, generator)
        else:
            # the antisymmetric columns of F_jk and F_kj cancel in the sum
            self.last = linear(q_s, latent, generator)

    def forward(self, pairs: PairFeatures | Tensor) -> Float[Tensor, "environments latent"]:
        """Latent vectors of E environments.

        Args:
            pairs: compressed features of E environments with this encoder's ``sections``; the
                linear one reads only their :func:`sum_over_pairs` and takes that as well.

        Returns:
            (E, latent), invariant to rotations and to the order of the neighbours.
        """
        if not self.nonlinear:
            pooled = sum_over_pairs(pairs) if isinstance(pairs, PairFeatures) else pairs
        else:
            if not isinstance(pairs, PairFeatures):
                raise InputError(
                    "`pairs` must be the features of single pairs, got a tensor; sums over pairs "
                    "suffice for the linear encoder only."
                )
            apart = pairs.antisymmetric.shape[1]
            q_s = pairs.symmetric.shape[2]
            weights = self.first.weight
            symmetric = functional.linear(pairs.symmetric, weights[:, :q_s], self.first.bias)
            antisymmetric = functional.linear(pairs.antisymmetric, weights[:, q_s:])
            ordered = torch.cat(
                [
                    symmetric[:, :apart] + antisymmetric,
                    symmetric[:, :apart] - antisymmetric,
                    symmetric[:, apart:],
                ],
                dim=1,
            )
            mask = torch.cat([pairs.mask[:, :apart], pairs.mask], dim=1)
            rows = self.middle(ordered)
            pooled = torch.where(mask[..., None], rows, 0.0).sum(dim=1)
        return self._from_pooled(pooled)

    def for_training(self, pairs: PairFeatures | Tensor) -> Float[Tensor, "environments latent"]:
        """:meth:`forward` up to rounding, faster on a CPU and differentiable to the weights once.

        Where that form does not exist, :meth:`forward` itself: linear encoders, other devices,
        features that need gradients.

        Args:
            pairs: as for :meth:`forward`.

        Returns:
            (E, latent).
        """
        if self.nonlinear and isinstance(pairs, PairFeatures) and can_be_pooled(pairs):
            return self._from_pooled(pooled_pairs(pairs, self.first, self.middle))
        return self(pairs)  # type: ignore[no-any-return]

    def _from_pooled(self, pooled: Tensor) -> Tensor:
        latent: Tensor = self.last(pooled / self.pairs_per_environment)
        return latent


class LatentDecoder(nn.Module):
    """From a latent vector to features: Linear, LayerNorm, SiLU, twice, and a last layer.

    Args:
        latent: length of the latent vector.
        n_features: number of features.
        hidden: width.
        skip: whether the last layer reads the first hidden layer and the latent vector as well.
            Without, as in the archived scripts, all outputs lie in a space of ``hidden``
            dimensions: whatever the weights are, they miss what is outside.
        generator: source of the initial weights; ``None``: torch's default generator.

    Attributes:
        widths: lengths of the vectors that the last layer reads.
        last: parts of the last layer, one for each vector that it reads; their results are added,
            and only the first has a bias.
    """

    def __init__(
        self,
        latent: int,
        n_features: int,
        hidden: int = 512,
        *,
        skip: bool = False,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        self.first = linear(latent, hidden, generator)
        self.middle = nn.Sequential(nn.LayerNorm(hidden), nn.SiLU())
        self.second = linear(hidden, hidden, generator)
        self.end = nn.Sequential(nn.LayerNorm(hidden), nn.SiLU())
        # apart, as optimisers of matrices take sides of up to 512
        self.widths = [hidden, hidden, latent] if skip else [hidden]
        self.last = nn.ModuleList(linear(width, n_features, generator) for width in self.widths)
        for part in self.last[1:]:
            part.register_parameter("bias", None)

    def read_by_last(self, latent: Float[Tensor, "environments latent"]) -> list[Tensor]:
        """What the parts of the last layer read, (E, width) each.

        Args:
            latent: (E, latent).
        """
        first = self.middle(self.first(latent))
        return [self.end(self.second(first)), first, latent][: len(self.last)]

    def add_to_last(
        self, weights: Float[Tensor, "features width"], bias: Float[Tensor, " features"]
    ) -> None:
        """Change the last layer.

        Args:
            weights: added to those of its parts, which stand side by side in it.
            bias: added to its bias.
        """
        parts = [cast("nn.Linear", part) for part in self.last]
        pieces = torch.split(weights, self.widths, dim=1)
        with torch.no_grad():
            for part, piece in zip(parts, pieces, strict=True):
                part.weight.add_(piece)
            parts[0].bias.add_(bias)

    def forward(
        self, latent: Float[Tensor, "environments latent"]
    ) -> Float[Tensor, "environments features"]:
        """Features of E environments from their latent vectors.

        Args:
            latent: (E, latent).
        """
        return self.from_read(self.read_by_last(latent))

    def from_read(self, read: Sequence[Tensor]) -> Float[Tensor, "environments features"]:
        """The last layer.

        Args:
            read: what :meth:`read_by_last` returned.
        """
        first, *others = [part(x) for part, x in zip(self.last, read, strict=True)]
        total: Tensor = sum(others, start=first)
        return total


class TripletReconstruction(nn.Module):
    """Models A^rho_L and A^rho_NL: triplets -> latent -> features of the same environment.

    Args:
        encoder: triplets -> latent.
        decoder: latent -> features in units of ``units``.
        units: (features,) spread of each feature, so that the decoder's outputs are of order 1.
    """

    def __init__(
        self,
        encoder: TripletEncoder,
        decoder: LatentDecoder,
        units: Tensor,
    ) -> None:
        super().__init__()
        self.encoder, self.decoder = encoder, decoder
        self.units: Tensor
        self.register_buffer("units", units.clone())

    def standardise(self, mean: float, deviation: float) -> None:
        """Nothing: the targets are centred, and ``units`` has their spread."""

    def forward(self, pairs: PairFeatures | Tensor) -> Float[Tensor, "environments features"]:
        """Features of E environments, predicted from their triplets.

        Args:
            pairs: what the encoder reads, for E environments.
        """
        features: Tensor = self.units * self.decoder(self.encoder(pairs))
        return features

    def for_training(self, pairs: PairFeatures | Tensor) -> Float[Tensor, "environments features"]:
        """:meth:`forward` with :meth:`TripletEncoder.for_training`.

        Args:
            pairs: what the encoder reads, for E environments.
        """
        features: Tensor = self.units * self.decoder(self.encoder.for_training(pairs))
        return features
