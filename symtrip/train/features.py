"""Compressed features of many clusters, computed in chunks that fit into the cache."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from jaxtyping import Float, Int
from torch import Tensor

from symtrip.environments import Environments
from symtrip.expansion import Density, SphericalExpansion
from symtrip.models import (
    ExpansionSettings,
    FeatureSettings,
    InvariantDescriptor,
    ModelName,
    PairFeatures,
    TripletDescriptor,
)
from symtrip.progress import Progress, silent

__all__ = ["chunk_for", "cluster_features", "density_chunks", "fit_to_clusters"]

_ROWS_OF_INVARIANTS = 10
_GPU_CHUNKS = 50  # a GPU gains from large batches, a CPU from those that fit into the cache


def chunk_for(cached: int, device: torch.device) -> int:
    """Structures to describe at a time.

    Args:
        cached: how many fit into the cache of a CPU.
        device: where they are described.
    """
    return cached if device.type == "cpu" else _GPU_CHUNKS * cached


def density_chunks(
    expansion: SphericalExpansion,
    positions: Float[Tensor, "structures atoms 3"],
    numbers: Int[Tensor, " atoms"],
    chunk: int,
) -> Iterator[Density]:
    """Densities around atom 0 of clusters of equal size.

    Args:
        expansion: the density expansion.
        positions: (S, A, 3) in Å.
        numbers: (A,) atomic numbers.
        chunk: structures at a time.

    Yields:
        Densities of ``chunk`` structures at a time, in order.
    """
    radius = expansion.cutoff.radius
    for part in torch.split(positions, chunk):
        yield expansion(Environments.from_positions(part, numbers, radius=radius))


def fit_to_clusters(
    model: ModelName,
    expansion: ExpansionSettings,
    features: FeatureSettings,
    positions: Float[Tensor, "structures atoms 3"],
    numbers: Int[Tensor, " atoms"],
    generator: torch.Generator,
) -> TripletDescriptor | InvariantDescriptor:
    """Fit the descriptor of a model to evenly spaced ones of some clusters.

    Args:
        model: B_L, B_NL, D_L or D_NL.
        expansion: the density expansion.
        features: how many components, and how many structures to look at.
        positions: (S, A, 3) in Å, those of the training set.
        numbers: (A,) atomic numbers.
        generator: source of the random start of the compression.
    """
    kind = TripletDescriptor if model.startswith("B") else InvariantDescriptor
    expand = expansion.build()
    # A structure gives 49 rows of triplet features but only one of invariants.
    wanted = features.sample * (1 if kind is TripletDescriptor else _ROWS_OF_INVARIANTS)
    count = min(wanted, len(positions))
    sample = positions[torch.linspace(0, len(positions) - 1, count).round().long()]

    def densities() -> Iterator[Density]:
        return density_chunks(expand, sample, numbers, chunk_for(kind.chunk, sample.device))

    return kind.fit(densities, expansion.max_angular, features.components, generator=generator)


def cluster_features(
    descriptor: TripletDescriptor | InvariantDescriptor,
    expansion: SphericalExpansion,
    positions: Float[Tensor, "structures atoms 3"],
    numbers: Int[Tensor, " atoms"],
    *,
    dtype: torch.dtype = torch.float32,
    progress: Progress = silent,
) -> PairFeatures | Tensor:
    """Features of the environments of atom 0.

    Args:
        descriptor: density -> compressed features.
        expansion: the density expansion.
        positions: (S, A, 3) in Å; features are computed in their dtype.
        numbers: (A,) atomic numbers.
        dtype: dtype of the result.
        progress: called with the number of structures done.

    Returns:
        Features of S environments. Peak memory: the result, twice while its pieces are joined.
    """
    pieces, done = [], 0
    with torch.no_grad():
        chunk = chunk_for(descriptor.chunk, positions.device)
        for density in density_chunks(expansion, positions, numbers, chunk):
            pieces.append(descriptor(density).to(dtype=dtype))
            done += len(density)
            progress(done, len(positions))
    return PairFeatures.cat(pieces) if isinstance(pieces[0], PairFeatures) else torch.cat(pieces)
