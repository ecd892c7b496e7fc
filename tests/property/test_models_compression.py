"""Compression of triplet features: linear, symmetric, and close to the best of its rank."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch
from hypothesis import given
from strategies import NEVER_EMPTY, Cloud, clouds

from symtrip.data import B8Pairs
from symtrip.environments import Environments
from symtrip.errors import InputError
from symtrip.expansion import GaussianDensity, Gto, ShiftedCosine, SphericalExpansion
from symtrip.models import (
    DirectTripletDescriptor,
    InvariantCompression,
    InvariantDescriptor,
    TripletCompression,
    TripletDescriptor,
)
from symtrip.pca import principal_components
from symtrip.triplets import TripletFeatures, Triplets

EPS = torch.finfo(torch.float64).eps
EXPANSION = SphericalExpansion(
    cutoff=ShiftedCosine(radius=2.0, width=0.1),
    density=GaussianDensity(width=0.25),
    basis=Gto(n_radial=3, max_angular=2),
    species=(5,),
)
FEATURES = TripletFeatures(max_angular=2)


def b8_triplets(first: int, last: int) -> Triplets:
    positions = B8Pairs.load().positions[first:last].flatten(0, 1)
    return FEATURES(EXPANSION(Environments.from_positions(positions, 5, radius=2.0)))


@pytest.fixture(scope="module")
def compression() -> TripletCompression:
    return TripletCompression.fit(
        lambda: iter([b8_triplets(0, 12), b8_triplets(12, 20)]),
        40,
        generator=torch.Generator().manual_seed(0),
    )


@given(clouds(radius=1.9, kinds=NEVER_EMPTY, max_neighbors=4))
def test_compressed_pairs_are_the_dense_features_times_one_matrix(
    compression: TripletCompression, cloud: Cloud
) -> None:
    env = Environments.from_vectors(cloud.tensor(), 5, radius=2.0)
    triplets = FEATURES(EXPANSION(env))
    got = compression(triplets).ordered()
    components = compression.dense_components()
    want = triplets.dense() @ components
    size = triplets.dense().norm() * components.norm(dim=0).max()
    assert (got - want).norm() <= 64 * EPS * size


@given(clouds(radius=1.9, kinds=NEVER_EMPTY, max_neighbors=4))
def test_the_direct_descriptor_gives_the_same_pairs(
    compression: TripletCompression, cloud: Cloud
) -> None:
    env = Environments.from_vectors(cloud.tensor(), 5, radius=2.0)
    got = DirectTripletDescriptor(compression)(EXPANSION(env))
    triplets = FEATURES(EXPANSION(env))
    want = compression(triplets)
    size = triplets.dense().norm() * compression.dense_components().norm(dim=0).max()
    assert (got.ordered() - want.ordered()).norm() <= 64 * EPS * size
    assert torch.equal(got.mask, want.mask)
    assert got.n_even == want.n_even


def test_columns_are_orthogonal_with_one_norm(compression: TripletCompression) -> None:
    dense = compression.dense_components()
    gram = dense.T @ dense
    norm = gram.diagonal().mean()
    assert (gram / norm - torch.eye(40, dtype=torch.float64)).abs().max() <= 64 * EPS


def test_inversion_changes_the_sign_of_odd_columns(compression: TripletCompression) -> None:
    positions = B8Pairs.load().positions[20:22].flatten(0, 1)
    mirrored = FEATURES(EXPANSION(Environments.from_positions(-positions, 5, radius=2.0)))
    got = compression(mirrored)
    want = compression(b8_triplets(20, 22)).inverted()
    assert (got.ordered() - want.ordered()).norm() <= 64 * EPS * want.ordered().norm()


def test_components_leave_little_more_than_the_smallest_possible_remainder(
    compression: TripletCompression,
) -> None:
    sample = torch.cat([b8_triplets(0, 12).dense(), b8_triplets(12, 20).dense()])
    rows = sample.flatten(0, 2)
    dense = compression.dense_components()
    unit = dense / dense.norm(dim=0)
    left = (rows - rows @ unit @ unit.T).square().sum()
    best = torch.linalg.svdvals(rows)[40:].square().sum()
    assert left <= 1.1 * best  # measured: 1.01


def test_compressed_features_have_a_root_mean_square_of_one(
    compression: TripletCompression,
) -> None:
    both = [compression(b8_triplets(0, 12)).ordered(), compression(b8_triplets(12, 20)).ordered()]
    # the scale is fitted with the randomised subspace, which keeps the variance to a per cent
    assert torch.cat(both).square().mean().sqrt() == pytest.approx(1.0, rel=0.02)


def test_sums_over_pairs_keep_the_degeneracy(compression: TripletCompression) -> None:
    pooled = compression(b8_triplets(20, 30)).ordered().sum(dim=(1, 2))
    plus, minus = pooled[0::2], pooled[1::2]
    size = compression(b8_triplets(20, 30)).ordered().norm(dim=3).sum(dim=(1, 2))[0::2]
    assert ((plus - minus).norm(dim=1) <= 64 * EPS * size).all()


def test_features_of_other_hyperparameters_are_refused(compression: TripletCompression) -> None:
    other = SphericalExpansion.b8()
    positions = B8Pairs.load().positions[0]
    triplets = TripletFeatures(max_angular=3)(
        other(Environments.from_positions(positions, 5, radius=2.0))
    )
    with pytest.raises(InputError, match=r"`triplets` must have max_angular = 2 and 3 channels"):
        compression(triplets)


def test_l_0_alone_has_no_odd_components() -> None:
    expansion = SphericalExpansion(
        cutoff=ShiftedCosine(radius=2.0, width=0.1),
        density=GaussianDensity(width=0.25),
        basis=Gto(n_radial=3, max_angular=0),
        species=(5,),
    )
    positions = B8Pairs.load().positions[:10].flatten(0, 1)
    density = expansion(Environments.from_positions(positions, 5, radius=2.0))
    generator = torch.Generator().manual_seed(0)
    triplets = TripletDescriptor.fit(lambda: [density], 0, 20, generator=generator)
    assert triplets.compression.sections[1::2] == (0, 0)
    assert sum(triplets.compression.sections) == 20
    got, dense = triplets(density).ordered(), TripletFeatures(max_angular=0).dense(density)
    want = dense @ triplets.compression.dense_components()
    assert (got - want).norm() <= 64 * EPS * want.norm()
    invariants = InvariantDescriptor.fit(lambda: [density], 0, 20, generator=generator)
    assert (invariants.compression.n_even, invariants.compression.n_features) == (20, 20)
    assert invariants(density).isfinite().all()


def test_invariants_are_centred_only_where_they_are_even() -> None:
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(50, 6, dtype=torch.float64, generator=generator) + 3.0
    parity = torch.tensor([1, 1, 1, -1, -1, -1])
    compression = InvariantCompression.fit(lambda: iter([x]), parity, 6, generator=generator)
    y = compression(x)
    assert y[:, : compression.n_even].mean(dim=0).abs().max() <= 64 * EPS
    inverted = torch.where(parity > 0, x, -x)
    signs = torch.ones(6, dtype=torch.float64)
    signs[compression.n_even :] = -1
    assert (compression(inverted) - y * signs).abs().max() <= 64 * EPS * y.abs().max()


def test_principal_components_of_chunks_are_those_of_the_whole() -> None:
    generator = torch.Generator().manual_seed(2)
    scales = 0.5 ** torch.arange(12, dtype=torch.float64)
    x = torch.randn(60, 12, dtype=torch.float64, generator=generator) * scales

    def chunks() -> Iterator[list[torch.Tensor]]:
        return ([part] for part in x.split(25))

    values, vectors = principal_components(chunks, 12, generator=torch.Generator().manual_seed(3))
    want = torch.linalg.svdvals(x).square()
    assert ((values[0] - want).abs() <= 64 * EPS * want[0]).all()
    assert (vectors[0].T @ vectors[0] - torch.eye(12).double()).abs().max() <= 64 * EPS


def test_no_components_are_refused() -> None:
    with pytest.raises(InputError, match=r"`n_components` must be at least 1"):
        principal_components(list, 0, generator=torch.Generator())
    with pytest.raises(InputError, match=r"`chunks` must yield at least one matrix"):
        principal_components(list, 1, generator=torch.Generator())
