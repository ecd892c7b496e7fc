"""Every way to compute triplet features gives the same numbers; what cannot work is refused."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from strategies import Cloud, clouds
from torch import Tensor

from symtrip import memory
from symtrip.correlations import DensityCorrelations
from symtrip.environments import Environments
from symtrip.errors import InputError
from symtrip.expansion import Density, GaussianDensity, Gto, ShiftedCosine, SphericalExpansion
from symtrip.nice_step import NiceStep
from symtrip.triplets import TripletFeatures, triplet_parity

SPECIES = (1, 6)
EXPANSION = SphericalExpansion(
    cutoff=ShiftedCosine(radius=2.0, width=0.5),
    density=GaussianDensity(width=0.3),
    basis=Gto(n_radial=2, max_angular=3),
    species=SPECIES,
)
FULL = TripletFeatures(max_angular=3)
REDUCED = TripletFeatures(max_angular=3, symmetry="reduced")
DTYPES = (torch.float32, torch.float64)
# sums of at most 7 x 7 x 7 products in another order; measured 2 eps of the norm
SAME = 8


BATCHES = st.lists(clouds(max_neighbors=4, species=SPECIES), min_size=1, max_size=4)


def expanded(several: list[Cloud], dtype: torch.dtype = torch.float64) -> Density:
    """One density of several environments, padded to five neighbours."""
    vectors = torch.zeros(len(several), 5, 3, dtype=dtype)
    species = torch.ones(len(several), 5, dtype=torch.int64)
    mask = torch.zeros(len(several), 5, dtype=torch.bool)
    for e, cloud in enumerate(several):
        vectors[e, : len(cloud)] = cloud.tensor(dtype)
        species[e, : len(cloud)] = torch.tensor(cloud.species, dtype=torch.int64)
        mask[e, : len(cloud)] = True
    return EXPANSION(
        Environments.from_vectors(vectors, species, radius=2.0, mask=mask, isolated="keep")
    )


def random_density(n_env: int = 3, n: int = 4, dtype: torch.dtype = torch.float64) -> Density:
    generator = torch.Generator().manual_seed(n_env)
    g = tuple(
        torch.randn(n_env, n, 2 * l + 1, 4, generator=generator, dtype=torch.float64).to(dtype)
        for l in range(4)
    )
    mask = torch.ones(n_env, n, dtype=torch.bool)
    return Density(rho=tuple(x.sum(dim=1) for x in g), g=g, mask=mask)


def tracked(density: Density, *, rho: bool = False) -> Density:
    return Density(
        rho=tuple(x.clone().requires_grad_(rho) for x in density.rho),
        g=tuple(x.clone().requires_grad_() for x in density.g),
        mask=density.mask,
    )


def by_other_devices(features: TripletFeatures, density: Density) -> Tensor:
    """Dense features from the operations that devices other than a CPU use."""
    out = torch.empty_like(features.dense(density))
    features._write_dense(density, out)
    return out


def agree(got: Tensor, want: Tensor) -> bool:
    assert got.shape == want.shape
    assert got.dtype == want.dtype
    eps = torch.finfo(want.dtype).eps
    return bool((got - want).norm() <= SAME * eps * want.norm())


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("n", [36, 45])
def test_dense_features_of_many_neighbours_are_written_a_few_neighbours_at_a_time(
    n: int, dtype: torch.dtype
) -> None:
    density = random_density(2, n, dtype)
    assert agree(FULL.dense(density), FULL(density).dense())


@pytest.mark.parametrize("threads", [1, 2, 3])
@pytest.mark.parametrize(("n_env", "n"), [(1, 1), (2, 4), (100, 4), (2, 63)])
def test_blocks_are_the_same_in_parts_and_on_threads(n_env: int, n: int, threads: int) -> None:
    density = random_density(n_env, n)
    # memory that begins somewhere within a larger one
    memory_ = FULL.workspace(random_density(n_env + 1, n))[5:]
    want = by_other_devices(FULL, density)
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        got = FULL(density, out=memory_).dense(), FULL.dense(density)
        assert torch.get_num_threads() == threads
    finally:
        torch.set_num_threads(before)
    assert all(agree(some, want) for some in got)


@pytest.mark.parametrize("dtype", DTYPES)
def test_products_of_many_channels_are_made_in_parts(dtype: torch.dtype) -> None:
    features = TripletFeatures(max_angular=1)
    g = tuple(torch.randn(1, 2, 2 * l + 1, 48, dtype=dtype) for l in range(2))
    mask = torch.ones(1, 2, dtype=torch.bool)
    density = Density(rho=tuple(x.sum(dim=1) for x in g), g=g, mask=mask)
    want = by_other_devices(features, density)
    assert agree(features.dense(density), want)
    assert agree(features(density).dense(), want)


@pytest.mark.parametrize("dtype", DTYPES)
@given(several=BATCHES)
def test_blocks_dense_and_differentiable_features_are_the_same(
    dtype: torch.dtype, several: list[Cloud]
) -> None:
    density = expanded(several, dtype)
    want = FULL.dense(density)
    assert agree(FULL(density).dense(), want)
    assert agree(FULL(tracked(density)).dense().detach(), want)
    with torch.no_grad():
        assert agree(FULL(tracked(density)).dense(), want)
    assert agree(FULL.dense(tracked(density)).detach(), want)


@pytest.mark.parametrize("dtype", DTYPES)
@given(several=BATCHES)
def test_reduced_features_unfold_to_the_full_ones(dtype: torch.dtype, several: list[Cloud]) -> None:
    density = expanded(several, dtype)
    reduced, want = REDUCED(density), FULL.dense(density)
    unfolded = reduced.unfolded()
    assert agree(unfolded.dense(), want)
    assert torch.equal(unfolded.mask, FULL(density).mask)
    assert agree(REDUCED(tracked(density)).dense().detach(), reduced.dense())


@given(BATCHES)
def test_reduced_features_keep_the_norm_and_the_sum_over_all_pairs(several: list[Cloud]) -> None:
    density = expanded(several)
    reduced, full = REDUCED(density), FULL(density)
    # sums of squares are accurate; Tensor.norm itself was found to be off by 16 eps
    norms = [triplets.dense().square().sum().sqrt() for triplets in (reduced, full)]
    eps = torch.finfo(torch.float64).eps
    # the swap rule holds to rounding
    assert abs(norms[0] - norms[1]) <= 16 * eps * norms[1]
    want = DensityCorrelations(max_angular=3, nu=3)(density)
    for triplets in (reduced, full):
        # cancellation between pairs: the scale is the sum of norms
        scale = full.dense().norm(dim=-1).sum()
        assert (triplets.bispectrum() - want).norm() <= 16 * eps * scale


@given(BATCHES)
def test_swapping_the_tagged_neighbours_swaps_l_and_n_with_a_sign(several: list[Cloud]) -> None:
    density = expanded(several)
    blocks = FULL(density).blocks
    for (l1, l2, big_l), block in blocks.items():
        swapped = (-1) ** (l1 + l2 + big_l) * blocks[l2, l1, big_l]
        difference = (block - swapped.permute(0, 2, 1, 4, 3, 5)).norm()
        assert difference <= SAME * torch.finfo(torch.float64).eps * FULL.dense(density).norm()


@pytest.mark.parametrize("features", [FULL, REDUCED], ids=lambda f: f.symmetry)
def test_a_workspace_is_used_again_for_other_densities(features: TripletFeatures) -> None:
    first, second = random_density(3), random_density(2)
    memory_ = features.workspace(first)
    want = [features(density).dense() for density in (first, second)]
    for density, dense in zip((first, second), want, strict=True):
        got = features(density, out=memory_)
        start = memory_.data_ptr()
        end = start + memory_.numel() * memory_.element_size()
        assert all(start <= block.data_ptr() < end for block in got.blocks.values())
        assert torch.equal(got.dense(), dense)


@pytest.mark.parametrize("size", [None, 1, 2, 5, 7])
@pytest.mark.parametrize("features", [FULL, REDUCED], ids=lambda f: f.symmetry)
def test_chunks_cover_all_environments_once(features: TripletFeatures, size: int | None) -> None:
    density = random_density(5)
    want = features(density).dense()
    got = torch.full_like(want, math.nan)
    for rows, triplets in features.chunks(density, size):
        assert bool(got[rows].isnan().all())
        got[rows] = triplets.dense()
    assert agree(got, want)


def test_chunks_are_differentiable() -> None:
    density = tracked(random_density(3))
    total = sum(triplets.dense().sum() for _, triplets in FULL.chunks(density, 2))
    (got,) = torch.autograd.grad(total, density.g[1])
    (want,) = torch.autograd.grad(FULL(density).dense().sum(), density.g[1])
    assert agree(got, want)


@pytest.mark.parametrize("n_env", [0, 1])
def test_no_environments_and_no_neighbours_give_empty_features(n_env: int) -> None:
    density = random_density(n_env, n=0)
    assert FULL.dense(density).shape == (n_env, 0, 0, 34 * 64)
    assert REDUCED(density).dense().shape == (n_env, 0, 34 * 64)
    assert not bool(FULL(density).bispectrum().any())
    for features in (FULL, REDUCED):
        triplets, wanted = features(tracked(density)), features(density)
        assert triplets.dense().requires_grad
        assert triplets.dense().shape == wanted.dense().shape
        assert torch.equal(triplets.bispectrum(), wanted.bispectrum())


def test_parity_of_the_columns_is_that_of_the_paths() -> None:
    triplets = FULL(random_density())
    assert torch.equal(triplets.parity, triplet_parity(3, 4))
    # two channels of each of two species: 23 even and 11 odd paths
    assert int((triplets.parity == -1).sum()) == 11 * 64


def test_memory_that_cannot_suffice_is_refused_with_a_chunk_size(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(memory, "_NEVER_CHECKED", 0)
    monkeypatch.setattr(memory, "available_memory", lambda _: 10_000_000)
    density = random_density(100)
    with pytest.raises(
        InputError, match=r"need 21\.3 MB, 10\.0 MB are available on cpu; .*chunks.*size=11\)"
    ):
        FULL(density)
    with pytest.raises(InputError, match=r"need 27\.9 MB"):
        FULL.dense(density)
    sizes = [len(triplets) for _, triplets in FULL.chunks(density, 11)]
    assert sizes == [11] * 9 + [1]
    with pytest.raises(InputError, match="correlations of order 4"):
        DensityCorrelations(max_angular=3, nu=4)(density)
    # with gradients, and where blocks are copied, as well
    with pytest.raises(InputError, match=r"need 21\.3 MB"):
        FULL(tracked(density))
    with pytest.raises(InputError, match="correlations of order 4"):
        DensityCorrelations(max_angular=3, nu=4)(tracked(density, rho=True))
    small = FULL(density[:20])
    monkeypatch.setattr(memory, "available_memory", lambda _: 1_000_000)
    with pytest.raises(InputError, match=r"`triplets` must leave room for its dense features"):
        small.dense()
    step = NiceStep([(l, 1) for l in range(4)], 3, 3)
    with pytest.raises(InputError, match=r"`density` must leave room for its products"):
        step.workspace({(l, 1): rho for l, rho in enumerate(density.rho)}, density)


def test_a_single_environment_that_cannot_fit_names_no_chunk_size(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(memory, "_NEVER_CHECKED", 0)
    monkeypatch.setattr(memory, "available_memory", lambda _: 1000)
    with pytest.raises(InputError, match="use a device with more memory"):
        FULL(random_density(1))


def test_available_memory_is_what_the_system_tells() -> None:
    available = memory.available_memory("cpu")
    assert available is not None
    assert available > 1 << 20
    assert memory.available_memory("meta") is None


def test_bad_arguments_are_refused() -> None:
    density = random_density(3)
    with pytest.raises(InputError, match="`symmetry` must be"):
        TripletFeatures(max_angular=3, symmetry="half")
    with pytest.raises(InputError, match=r"`out` must hold .* for 3 environments of up to 4"):
        FULL(density, out=FULL.workspace(random_density(2)))
    with pytest.raises(InputError, match=r"`out` must be torch\.float64 memory"):
        FULL(density, out=FULL.workspace(random_density(3, dtype=torch.float32)))
    with pytest.raises(InputError, match="`out` must be left out"):
        FULL(tracked(density), out=FULL.workspace(density))
    with pytest.raises(InputError, match="`out` must be a contiguous"):
        FULL.dense(density, out=torch.empty(3, 4, 4, 7, dtype=torch.float64))
    with pytest.raises(InputError, match="`size` must be at least 1"):
        next(FULL.chunks(density, 0))
    mixed = Density(rho=tuple(r.float() for r in density.rho), g=density.g, mask=density.mask)
    with pytest.raises(InputError, match="`density` must have one dtype and one device"):
        FULL(mixed)
    with pytest.raises(InputError, match="`density` must have max_angular = 2"):
        TripletFeatures(max_angular=2)(density)
