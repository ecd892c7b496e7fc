"""The demonstration's comparison of pairs."""

from __future__ import annotations

import pytest
import torch

from symtrip.correlations import DensityCorrelations
from symtrip.data import B8Pairs
from symtrip.demo import Degeneracy, fourth_order_difference, pair_differences
from symtrip.environments import Environments
from symtrip.errors import InputError
from symtrip.expansion import Density, GaussianDensity, Gto, ShiftedCosine, SphericalExpansion

EPS = torch.finfo(torch.float64).eps
SMALL = SphericalExpansion(
    cutoff=ShiftedCosine(radius=2.0, width=0.1),
    density=GaussianDensity(width=0.2),
    basis=Gto(n_radial=2, max_angular=2),
    species=(5,),
)


def density(count: int) -> Density:
    positions = B8Pairs.load().positions[:count].flatten(0, 1)
    return SMALL(Environments.from_positions(positions, 5, radius=2.0))


def test_fourth_order_differences_are_those_of_all_correlations_of_order_4() -> None:
    features = DensityCorrelations(max_angular=2, nu=4)(density(6))
    plus, minus = features[0::2], features[1::2]
    want = (plus - minus).norm(dim=1) / plus.norm(dim=1)
    got = fourth_order_difference(density(6))
    # a relative difference d of features with rounding eps is known to about eps / d
    assert ((got - want).abs() * want <= 64 * EPS).all()


def test_fourth_order_differences_of_equal_members_are_rounding() -> None:
    twice = density(6)[torch.tensor([0, 0, 3, 3])]
    assert fourth_order_difference(twice).max() <= 64 * EPS


def test_pairs_agree_up_to_order_3_and_differ_in_nonlinear_triplets() -> None:
    pairs = B8Pairs.load()
    seen: list[tuple[int, int]] = []
    found = pair_differences(
        SMALL, pairs.positions[:20], pairs.numbers, progress=lambda *x: seen.append(x)
    )
    for name in ("nu1", "nu2", "nu3"):
        assert found[name].max() <= 64 * EPS
    for name in ("nu4", "triplets_nonlinear"):
        summary = Degeneracy.of(found[name])
        assert summary.median >= 1e-4
        assert summary.maximum >= summary.median
    assert seen[-1] == (20, 20)


def test_half_a_pair_is_refused() -> None:
    with pytest.raises(InputError, match=r"`density` must hold pairs: an even number"):
        fourth_order_difference(density(2)[:3])
