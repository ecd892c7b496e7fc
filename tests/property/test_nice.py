"""The contracted iteration: norms, invariance, agreement with the uncontracted correlations."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from hypothesis import given
from strategies import NEVER_EMPTY, Cloud, clouds, rotations
from torch import Tensor

from symtrip.correlations import DensityCorrelations
from symtrip.data import B8Pairs
from symtrip.environments import Environments
from symtrip.errors import InputError
from symtrip.expansion import Density, GaussianDensity, Gto, ShiftedCosine, SphericalExpansion
from symtrip.nice import PAPER_CONTRACTIONS, Nice
from symtrip.nice_step import NiceStep

EPS = torch.finfo(torch.float64).eps
SMALL = SphericalExpansion(
    cutoff=ShiftedCosine(radius=2.0, width=0.1),
    density=GaussianDensity(width=0.3),
    basis=Gto(n_radial=2, max_angular=1),
    species=(5,),
)


def small_density(cloud: Cloud) -> Density:
    return SMALL(Environments.from_vectors(cloud.tensor(), 5, radius=2.0))


def b8_density(first: int, last: int) -> Density:
    positions = B8Pairs.load().positions[first:last].flatten(0, 1)
    return SphericalExpansion.b8()(Environments.from_positions(positions, 5, radius=2.0))


def inside() -> object:
    return clouds(radius=1.9, kinds=NEVER_EMPTY, max_neighbors=4)


@given(inside())
def test_the_uncontracted_iteration_preserves_norms(cloud: Cloud) -> None:
    density = small_density(cloud)
    norm = sum(rho.square().sum() for rho in density.rho).sqrt()
    # max_nu = 6 makes every product of orders up to 3 return, so none is cut
    nice = Nice(max_angular=1, max_nu=6)
    for nu in (2, 3):
        blocks = nice.equivariants(density, nu)
        got = sum(block.square().sum() for block in blocks.values()).sqrt()
        assert abs(got - norm**nu) <= 16 * nu * EPS * norm**nu


@given(inside())
@pytest.mark.parametrize("nu", [2, 3, 4])
def test_uncontracted_invariants_are_the_density_correlations(nu: int, cloud: Cloud) -> None:
    density = small_density(cloud)
    got = Nice(max_angular=1, max_nu=nu)(density)[nu]
    want = DensityCorrelations(max_angular=1, nu=nu)(density)
    # the two order their properties differently
    got, want = got.sort(dim=1).values, want.sort(dim=1).values
    assert (got - want).norm() <= 32 * EPS * want.norm()


@given(inside(), rotations(improper=True))
def test_invariants_keep_their_parity_under_improper_rotations(
    cloud: Cloud, rotation: Tensor
) -> None:
    nice = Nice(max_angular=1, max_nu=4)
    env = Environments.from_vectors(cloud.tensor(), 5, radius=2.0)
    turned = SMALL(env.replace(vectors=env.vectors @ rotation.T))
    determinant = torch.linalg.det(rotation).round()
    for nu in (2, 3, 4):
        got, want = nice.equivariants(turned, nu), nice.equivariants(SMALL(env), nu)
        size = nice(SMALL(env))[nu].norm()
        for sigma in (1, -1):
            if (0, sigma) in want:
                expected = want[0, sigma] * (determinant if sigma < 0 else 1.0)
                assert (got[0, sigma] - expected).norm() <= 200 * nu * EPS * size


def test_keeping_all_components_changes_no_scalar_product() -> None:
    density = b8_density(0, 4)
    # 8 environments span at most 8 (2 lambda + 1) directions of any block
    kept = {2: {key: 8 * (2 * key[0] + 1) for key in PAPER_CONTRACTIONS[2]}}
    nice = Nice(max_angular=3, max_nu=4, max_lambda=3, kept=kept)
    nice.fit(density)
    whole = Nice(max_angular=3, max_nu=3, max_lambda=3)(density)[3]
    got = nice(density)[3]
    error = (got @ got.T - whole @ whole.T).abs().max()
    assert error <= 1000 * EPS * (whole @ whole.T).abs().max()  # orthonormality of 8-56 columns


def test_the_papers_contraction_separates_pairs_at_nu_4_but_not_at_nu_3() -> None:
    kept = {order: PAPER_CONTRACTIONS[order] for order in (2, 3)}
    nice = Nice(max_angular=3, max_nu=4, max_lambda=3, kept=kept)
    nice.fit(b8_density(0, 50))
    invariants = nice(b8_density(3500, 3510))
    for nu, values in invariants.items():
        plus, minus = values[0::2], values[1::2]
        difference = (plus - minus).norm(dim=1) / plus.norm(dim=1)
        if nu <= 3:
            assert difference.max() <= 64 * EPS
        else:
            assert difference.min() >= 1e-5
            assert difference.median() >= 1e-3


def test_a_fit_survives_its_file(tmp_path: Path) -> None:
    density = b8_density(0, 15)
    kept = {2: dict.fromkeys(PAPER_CONTRACTIONS[2], 10)}
    fitted = Nice(max_angular=3, max_nu=3, max_lambda=3, kept=kept)
    fitted.fit(density)
    fitted.save(tmp_path / "nice.safetensors")
    loaded = Nice.load(tmp_path / "nice.safetensors")
    assert torch.equal(fitted(density)[3], loaded(density)[3])


def test_a_fit_survives_its_state_dict_and_knows_its_channels() -> None:
    density, kept = b8_density(0, 4), {2: {(0, 1): 3, (1, 1): 2}}
    fitted, fresh = (Nice(max_angular=3, max_nu=3, max_lambda=1, kept=kept) for _ in range(2))
    fitted.fit(density)
    fresh.load_state_dict(fitted.state_dict())
    assert all(torch.equal(x, fresh(density)[order]) for order, x in fitted(density).items())
    half = tuple(tuple(x[..., :3] for x in blocks) for blocks in (density.rho, density.g))
    with pytest.raises(InputError, match=r"`density` must have the channels .* fitted to, got 3"):
        fresh(Density(*half, density.mask))


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "nice.safetensors"
    path.write_bytes(b"no tensors")
    with pytest.raises(InputError, match=r"`path` must name a file written by Nice.save.*fit and"):
        Nice.load(path)


def test_chunks_change_nothing_but_rounding() -> None:
    density = b8_density(0, 3)
    nice = Nice(max_angular=3, max_nu=3, max_lambda=3)
    once, chunked = nice(density)[3], nice(density, chunk=4)[3]
    assert (once - chunked).norm() <= 4 * EPS * once.norm()


def test_too_few_structures_for_the_components_are_refused() -> None:
    nice = Nice(max_angular=3, max_nu=3, max_lambda=3, kept={2: {(0, 1): 25}})
    with pytest.raises(InputError, match=r"`density` must hold at least 25 environments"):
        nice.fit(b8_density(0, 2))
    with pytest.raises(InputError, match=r"`Nice` must be fitted before use"):
        nice(b8_density(0, 2))
    with pytest.raises(InputError, match=r"`Nice` must be fitted before use"):
        nice.equivariants(b8_density(0, 2), 2)


def test_impossible_orders_and_chunks_are_refused() -> None:
    density = b8_density(0, 1)
    nice = Nice(max_angular=3, max_nu=3)
    with pytest.raises(InputError, match=r"`nu` must be an integer from 1 to 3, got 4"):
        nice.equivariants(density, 4)
    with pytest.raises(InputError, match=r"`chunk` must be at least 1, got 0"):
        nice(density, chunk=0)


def test_impossible_contractions_are_refused() -> None:
    with pytest.raises(InputError, match=r"`kept` must give counts >= 1 for orders 2 ... 2"):
        Nice(max_angular=3, max_nu=3, kept={3: {(0, 1): 25}})
    with pytest.raises(InputError, match=r"`max_nu` must be an integer >= 2"):
        Nice(max_angular=3, max_nu=1)
    with pytest.raises(InputError, match=r"`max_angular` must be an integer >= 0, got -1"):
        Nice(max_angular=-1, max_nu=3)
    with pytest.raises(InputError, match=r"`max_lambda` must be an integer >= 0, got -1"):
        Nice(max_angular=1, max_nu=3, max_lambda=-1)


@given(inside())
def test_products_formed_at_once_are_those_formed_path_by_path(cloud: Cloud) -> None:
    density = small_density(cloud)
    blocks = Nice(max_angular=1, max_nu=4).equivariants(density, 2)
    step = NiceStep(list(blocks), 1, 2)
    formed = step.form(blocks, density, out=step.workspace(blocks, density))
    for key, paths in step.paths.items():
        for path, product in zip(paths, step.products(key, blocks, density), strict=True):
            got = formed[path].reshape(product.shape)
            scale = blocks[path[0]].norm() * density.rho[path[1][0]].norm()
            assert (got - product).norm() <= 4 * EPS * scale  # measured: 0.44


def test_widths_are_those_of_the_products() -> None:
    density = b8_density(0, 2)
    blocks = Nice(max_angular=3, max_nu=4).equivariants(density, 2)
    step = NiceStep(list(blocks), 3, 3)
    widths = step.widths({key: block.shape[-1] for key, block in blocks.items()}, 6)
    for key in step.paths:
        assert sum(x.shape[1] for x in step.products(key, blocks, density)) == widths[key]


def test_one_channel_is_contracted_like_several() -> None:
    expansion = SphericalExpansion(
        cutoff=ShiftedCosine(radius=2.0, width=0.1),
        density=GaussianDensity(width=0.3),
        basis=Gto(n_radial=1, max_angular=2),
        species=(5,),
    )
    positions = B8Pairs.load().positions[:10].flatten(0, 1)
    density = expansion(Environments.from_positions(positions, 5, radius=2.0))
    whole = Nice(max_angular=2, max_nu=3)
    # all columns of every block, and more than there are
    kept = dict.fromkeys(whole.equivariants(density, 2), 9)
    nice = Nice(max_angular=2, max_nu=3, kept={2: kept})
    nice.fit(density)
    for order, rows in nice(density).items():
        want = whole(density)[order]
        assert (rows @ rows.T - want @ want.T).norm() <= 64 * EPS * want.norm() ** 2
        assert len(nice.parities(1)[order]) == rows.shape[1]


def test_no_environments_have_empty_invariants() -> None:
    density = b8_density(0, 1)
    nice = Nice(max_angular=3, max_nu=3)
    none = nice(density[:0])
    assert {order: x.shape for order, x in none.items()} == {
        order: (0, x.shape[1]) for order, x in nice(density).items()
    }


def test_projections_are_differentiable_in_the_density() -> None:
    density = b8_density(0, 1)
    blocks = Nice(max_angular=3, max_nu=3).equivariants(density, 1)
    step = NiceStep(list(blocks), 3, 0)
    onto = torch.ones(step.widths(dict.fromkeys(blocks, 6), 6)[0, 1], 1, dtype=torch.float64)

    def projected(rho: Tensor) -> Tensor:
        moved = Density((rho, *density.rho[1:]), density.g, density.mask)
        return step.project((0, 1), {**blocks, (0, 1): rho}, moved, onto)

    assert torch.autograd.gradcheck(projected, density.rho[0].clone().requires_grad_())
