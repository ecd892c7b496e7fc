"""Random Fourier features against plain sums, and against the kernel that they stand for."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from symtrip.data import B8Pairs
from symtrip.environments import Environments
from symtrip.errors import InputError
from symtrip.models import (
    ExpansionSettings,
    PairFourierFeatures,
    PairKernel,
    PairKernelSettings,
    TripletDescriptor,
)

SETTINGS = PairKernelSettings(
    expansion=ExpansionSettings(n_radial=2, max_angular=2), components=10, length=0.7
)
ROTATION = torch.linalg.qr(
    torch.randn(3, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
).Q


@pytest.fixture(scope="module")
def positions() -> Tensor:
    return B8Pairs.load().positions[:6].flatten(0, 1)


def environments(positions: Tensor) -> Environments:
    return Environments.from_positions(positions, 5, radius=2.0, isolated="keep")


@pytest.fixture(scope="module")
def parts(positions: Tensor) -> tuple[TripletDescriptor, PairKernel]:
    density = SETTINGS.expansion.build()(environments(positions))
    descriptor = TripletDescriptor.fit(
        lambda: [density], 2, 10, generator=torch.Generator().manual_seed(0)
    )
    kernel = PairKernel(SETTINGS, descriptor.compression.sections)
    kernel.fit(descriptor(density), same=True)
    kernel.size.fill_(7.0)
    return descriptor, kernel


def features(
    parts: tuple[TripletDescriptor, PairKernel],
    positions: Tensor,
    count: int = 64,
    *,
    seed: int = 0,
    same: bool = True,
) -> Tensor:
    descriptor, kernel = parts
    fourier = PairFourierFeatures(kernel, count, generator=torch.Generator().manual_seed(seed))
    density = SETTINGS.expansion.build()(environments(positions))
    return fourier(kernel.rows(descriptor(density), same=same))


def plain(
    parts: tuple[TripletDescriptor, PairKernel], positions: Tensor, frequencies: Tensor
) -> Tensor:
    """All ordered pairs of one environment and of its mirror image, those with j = k twice."""
    descriptor, kernel = parts
    total = torch.zeros(2, frequencies.shape[1], dtype=torch.float64)
    for image in (positions, -positions):
        density = SETTINGS.expansion.build()(environments(image[None]))
        ordered = descriptor(density).ordered()[0] * kernel.factors
        for j in range(7):
            for k in range(7):
                x = ordered[j, k]
                length = x.norm()
                weight = (length / kernel.mean_square.sqrt()) ** SETTINGS.row_weight
                weight = weight * (2.0 if j == k else 1.0) / 4.0
                angle = (x / length) @ frequencies
                total += weight * torch.stack([torch.cos(angle), torch.sin(angle)])
    scale = math.sqrt(4.0 / frequencies.shape[1] / float(kernel.size))
    return scale * total.flatten()


def test_features_are_plain_sums_over_ordered_pairs_and_both_images(parts, positions) -> None:
    fourier = PairFourierFeatures(parts[1], 64, generator=torch.Generator().manual_seed(0))
    found = features(parts, positions)
    eps = torch.finfo(torch.float64).eps
    for row, cluster in zip(found[:3], positions[:3], strict=True):
        wanted = plain(parts, cluster, fourier.frequencies)
        # 4 eps measured
        assert (row - wanted).abs().max() <= 64 * eps * wanted.abs().max()


@pytest.mark.parametrize("same", [False, True])
def test_scalar_products_approach_the_kernel(parts, positions, same: bool) -> None:
    descriptor, kernel = parts
    rows = kernel.rows(descriptor(SETTINGS.expansion.build()(environments(positions))), same=same)
    wanted = kernel(rows, rows)
    errors = []
    for count in (64, 1024, 16384):
        phi = features(parts, positions, count, same=same)
        errors.append(float((phi @ phi.T - wanted).norm() / wanted.norm()))
    # 0.06, 0.008 and 0.0004 measured
    for count, error in zip((64, 1024, 16384), errors, strict=True):
        assert error <= 1.0 / math.sqrt(count)


def test_the_lengths_of_orthogonal_frequencies_are_those_of_a_normal_distribution(parts) -> None:
    q = sum(parts[1].sections)
    fourier = PairFourierFeatures(parts[1], 2000 * q, generator=torch.Generator().manual_seed(3))
    groups = fourier.frequencies.view(q, 1000, q).transpose(0, 1)
    lengths = groups.square().sum(1)
    products = groups.mT @ groups
    off_diagonal = products - torch.diag_embed(lengths)
    eps = torch.finfo(torch.float64).eps
    assert off_diagonal.abs().max() <= 64 * eps * lengths.max()
    variance = 0.5 / SETTINGS.length**2
    # 1e4 squared lengths of q normal numbers: their mean is uncertain by 0.01 sqrt(2 / q)
    assert abs(float(lengths.mean()) / (q * variance) - 1.0) <= 0.05 * math.sqrt(2.0 / q)
    covariance = fourier.frequencies @ fourier.frequencies.T / (1000 * q)
    assert (covariance / variance - torch.eye(q)).abs().max() <= 0.06


def test_features_do_not_change_under_rotation_inversion_and_order(parts, positions) -> None:
    value = features(parts, positions)
    eps = torch.finfo(torch.float64).eps
    order = torch.tensor([0, 5, 3, 7, 1, 2, 6, 4])  # atom 0 is the centre
    for moved in (positions @ ROTATION.T, -positions, positions[:, order]):
        other = features(parts, moved)
        # 3 eps measured; features of other environments lose more digits to rotation
        assert (other - value).abs().max() <= 1024 * eps * value.abs().max()


def test_the_members_of_a_degenerate_pair_differ(parts, positions) -> None:
    phi = features(parts, positions)
    difference = (phi[0::2] - phi[1::2]).norm(dim=1) / phi[0::2].norm(dim=1)
    assert difference.min() > 1e-6


def test_an_environment_with_one_neighbour_has_features_only_from_pairs_of_one(parts) -> None:
    pair = torch.tensor([[[0.0, 0.0, 0.0], [0.0, 0.3, 1.5]]], dtype=torch.float64)
    assert features(parts, pair).norm() > 0
    assert (features(parts, pair, same=False) == 0).all()
    alone = pair[:, :1]
    assert (features(parts, alone) == 0).all()


def test_features_are_differentiable_and_follow_the_dtype(parts, positions) -> None:
    descriptor, kernel = parts
    fourier = PairFourierFeatures(kernel, 6, generator=torch.Generator().manual_seed(0))
    expansion = SETTINGS.expansion.build()

    def phi(points: Tensor) -> Tensor:
        return fourier(kernel.rows(descriptor(expansion(environments(points))), same=True))

    points = positions[:1, :4].clone().requires_grad_()
    assert torch.autograd.gradcheck(phi, (points,))
    single = phi(positions.float())
    assert single.dtype == torch.float32
    difference = (single - phi(positions)).norm() / single.norm()
    # 2 eps measured
    assert difference <= 64 * torch.finfo(torch.float32).eps


def test_a_length_below_one_is_refused(parts) -> None:
    with pytest.raises(InputError, match=r"`n_features` must be an integer >= 1, got 0"):
        PairFourierFeatures(parts[1], 0, generator=torch.Generator())
