"""Features of any number of tagged neighbours, and equivariants, against their exact values."""

from __future__ import annotations

import pytest
import symtrip_reference as reference
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from oracles import DIGITS, DTYPES, PRODUCTS, SMALL, Hyperparameters, error_in_eps, floats
from strategies import NEVER_EMPTY, Cloud, clouds, exact_environment

from symtrip.correlations import DensityCorrelations, EquivariantCorrelations
from symtrip.n_center import NCenterFeatures, n_center_paths
from symtrip.triplets import TripletFeatures
from symtrip.verify import BUDGETS

BUDGET = BUDGETS["triplet_features"].eps
POINTS = PRODUCTS[-1]
THREE = Cloud("three", ((0.5, 0.1, 0.2), (-0.3, 0.9, 0.4), (0.1, -0.2, 1.1)), (5, 6, 5), 2.0)


@pytest.mark.parametrize("order", [1, 2, 3, 4])
@pytest.mark.parametrize("o3_lambda", [0, 1, 2])
def test_paths_are_those_of_the_reference(order: int, o3_lambda: int) -> None:
    want = reference.coupling_paths(order, 2, o3_lambda=o3_lambda)
    assert n_center_paths(order, 2, o3_lambda=o3_lambda) == want


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    ("n_tagged", "nu", "o3_lambda", "max_intermediate"),
    [
        (0, 1, 2, None),
        (1, 0, 1, None),
        (1, 1, 1, None),
        (2, 1, 0, None),
        (2, 1, 1, 3),
        (3, 1, 0, 1),
    ],
)
@given(data=st.data())
@settings(max_examples=4)
def test_features_are_within_their_budget(
    dtype: torch.dtype,
    n_tagged: int,
    nu: int,
    o3_lambda: int,
    max_intermediate: int | None,
    data: st.DataObject,
) -> None:
    cloud = data.draw(clouds(max_neighbors=3, species=SMALL.species, kinds=NEVER_EMPTY))
    environments = cloud.environments(dtype)
    exact = exact_environment(environments)
    assume(len(exact) > 0)  # rounding may take a neighbour to the cutoff
    neighbors = st.integers(0, len(exact) - 1)
    tagged = data.draw(st.lists(neighbors, min_size=n_tagged, max_size=n_tagged))
    module = NCenterFeatures(
        max_angular=2,
        n_tagged=n_tagged,
        nu=nu,
        o3_lambda=o3_lambda,
        max_intermediate=max_intermediate,
    )
    positions = environments.mask[0].nonzero()[:, 0]  # the exact side has no padding
    index = positions[torch.tensor(tagged, dtype=torch.int64)].reshape(1, n_tagged)
    got = module(SMALL.fast()(environments), index)
    want, uncut = (
        reference.n_centre_features(
            exact,
            SMALL.exact(cut=cut),
            tagged,
            nu,
            o3_lambda=o3_lambda,
            max_intermediate=max_intermediate,
            digits=DIGITS,
            rigorous=True,
        )
        for cut in (True, False)
    )
    assert list(got) == list(want)
    norm = float(floats(reference.flatten(uncut)).norm())
    for path, block in want.items():
        values = [x for row in block for x in row]
        # measured 6 eps of the norm
        assert error_in_eps(got[path], values, norm) <= BUDGET


@pytest.mark.parametrize("nu", [1, 2, 3])
@given(clouds(max_neighbors=3, radius=POINTS.radius, width=POINTS.width, kinds=NEVER_EMPTY))
@settings(max_examples=4)
def test_equivariant_correlations_are_within_their_budget(nu: int, cloud: Cloud) -> None:
    hyper = Hyperparameters("points, l <= 2", POINTS.basis, 2, 2, smearing=None, width=POINTS.width)
    environments = cloud.environments(torch.float64)
    got = EquivariantCorrelations(max_angular=2, nu=nu, max_lambda=2)(hyper.fast()(environments))
    exact = exact_environment(environments)
    for o3_lambda in range(3):
        blocks, uncut = (
            reference.density_correlations(
                exact, hyper.exact(cut=cut), nu, o3_lambda=o3_lambda, digits=DIGITS, rigorous=True
            )
            for cut in (True, False)
        )
        norm = float(floats(reference.flatten(uncut)).norm())
        for sigma in (1, -1):
            mine = [path for path in blocks if NCenterFeatures.parity(path) == sigma]
            if nu == 3:
                mine.sort(key=fast_order)
            if not mine:
                assert (o3_lambda, sigma) not in got
                continue
            values = [x for m in range(2 * o3_lambda + 1) for path in mine for x in blocks[path][m]]
            assert error_in_eps(got[o3_lambda, sigma], values, norm) <= BUDGET


def fast_order(path: tuple[int, ...]) -> tuple[int, ...]:
    """Blocks of order 2 by lambda, sigma = +1 first; then l3; then l1 and l2."""
    l1, l2, big_l, l3, _ = path
    return big_l, -((-1) ** (l1 + l2 + big_l)), l3, l1, l2


def test_two_tagged_neighbours_and_one_density_are_the_triplet_features() -> None:
    density = SMALL.fast()(THREE.environments(torch.float64))
    blocks = TripletFeatures(max_angular=2)(density).blocks
    got = NCenterFeatures(max_angular=2, n_tagged=2, nu=1)(density)
    for (l1, l2, big_l), block in blocks.items():
        # both accumulate at most 25 products per number
        difference = got[l1, l2, big_l, big_l, 0].flatten(1) - block.flatten(1)
        assert difference.norm() <= 8 * torch.finfo(torch.float64).eps * block.norm()


def test_summing_over_a_tagged_index_demotes_it_to_a_neighbour() -> None:
    density = SMALL.fast()(THREE.environments(torch.float64))
    got = NCenterFeatures(max_angular=2, n_tagged=2, nu=1)(density)
    summed = torch.cat([block.sum(dim=1).flatten(1) for block in got.values()], dim=1)
    want = DensityCorrelations(max_angular=2, nu=3)(density)
    assert (summed - want).norm() <= 16 * torch.finfo(torch.float64).eps * want.norm()
