"""Symmetries of density, correlations and triplet features, checked on random environments."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st
from strategies import NEVER_EMPTY, Cloud, clouds, rotations, two_ring_parameters
from torch import Tensor

from symtrip.correlations import DensityCorrelations
from symtrip.degenerate import two_ring_pair
from symtrip.environments import Environments
from symtrip.expansion import SphericalExpansion
from symtrip.triplets import TripletFeatures, triplet_parity

EPS = torch.finfo(torch.float64).eps
RADIUS, WIDTH = 2.0, 0.1  # the paper's cutoff in Å
EXPANSION = SphericalExpansion.b8()
TRIPLETS = TripletFeatures(max_angular=3)
PARITY = triplet_parity(3, 6).double()
CORRELATIONS = {nu: DensityCorrelations(max_angular=3, nu=nu) for nu in (1, 2, 3)}
# Rotating rounds every coordinate; radial functions and harmonics of B8 turn a relative change x of
# a vector into about (r/s + l) x = 13 x, and features are products of three of them. Neighbours are
# kept out of the cutoff shell, where values vanish but their derivatives do not.
ROTATION = 200 * EPS


def inside(min_neighbours: int = 1) -> st.SearchStrategy[Cloud]:
    return clouds(radius=RADIUS - WIDTH, kinds=NEVER_EMPTY, max_neighbors=5).filter(
        lambda cloud: len(cloud) >= min_neighbours
    )


def environment(cloud: Cloud) -> Environments:
    return Environments.from_vectors(cloud.tensor(), 5, radius=RADIUS)


def features(env: Environments) -> Tensor:
    return TRIPLETS(EXPANSION(env)).dense()[0]


def turned(env: Environments, matrix: Tensor) -> Environments:
    return env.replace(vectors=env.vectors @ matrix.T)


@given(inside(), rotations())
def test_triplets_are_invariant_under_rotations(cloud: Cloud, rotation: Tensor) -> None:
    env = environment(cloud)
    want = features(env)
    error = (features(turned(env, rotation)) - want).norm()
    assert error <= ROTATION * want.norm()


@given(inside(), rotations())
def test_odd_triplets_change_sign_under_improper_rotations(cloud: Cloud, rotation: Tensor) -> None:
    env = environment(cloud)
    want = features(env) * PARITY
    error = (features(turned(env, -rotation)) - want).norm()
    assert error <= ROTATION * want.norm()


@given(inside(), rotations())
@pytest.mark.parametrize("nu", [1, 2, 3])
def test_correlations_are_invariant_under_rotations(
    nu: int, cloud: Cloud, rotation: Tensor
) -> None:
    env = environment(cloud)
    want = CORRELATIONS[nu](EXPANSION(env))
    error = (CORRELATIONS[nu](EXPANSION(turned(env, rotation))) - want).norm()
    assert error <= ROTATION * want.norm()


@given(inside(min_neighbours=2), st.randoms(use_true_random=False))
def test_relabelling_neighbours_relabels_the_tagged_pairs(cloud: Cloud, random) -> None:
    env = environment(cloud)
    order = list(range(env.mask.shape[1]))
    random.shuffle(order)
    permuted = env.replace(vectors=env.vectors[:, order], mask=env.mask[:, order])
    got, want = features(permuted), features(env)[order][:, order]
    # the density is summed in another order: a few eps
    assert (got - want).norm() <= 16 * EPS * want.norm()


@given(inside(), st.tuples(*[st.floats(-3, 3)] * 3))
def test_translating_a_cluster_changes_nothing_but_rounding(
    cloud: Cloud, shift: tuple[float, float, float]
) -> None:
    cluster = torch.cat([torch.zeros(1, 3, dtype=torch.float64), cloud.tensor()])
    moved = cluster + torch.tensor(shift, dtype=torch.float64)
    want, got = (
        features(Environments.from_positions(p, 5, radius=RADIUS)) for p in (cluster, moved)
    )
    # coordinates up to 5 Å round by 4 ulp(1) against vectors of 1 Å: a relative change of 8 eps
    assert (got - want).norm() <= 8 * ROTATION * want.norm()


@given(inside())
def test_swapping_the_tagged_neighbours_swaps_their_channels(cloud: Cloud) -> None:
    env = environment(cloud)
    blocks = TRIPLETS(EXPANSION(env)).blocks
    norm = features(env).norm()
    for (l1, l2, big_l), block in blocks.items():
        mirrored = blocks[l2, l1, big_l].permute(0, 2, 1, 4, 3, 5)
        error = (block - (-1) ** (l1 + l2 + big_l) * mirrored).norm()
        assert error <= 4 * EPS * norm  # measured: 0.3 eps


@given(inside())
def test_triplets_sum_to_the_bispectrum(cloud: Cloud) -> None:
    env = environment(cloud)
    density = EXPANSION(env)
    want = CORRELATIONS[3](density)[0]
    got = TRIPLETS(density).dense()[0].sum(dim=(0, 1))
    # features of single pairs cancel in the sum: the scale is theirs
    assert (got - want).norm() <= 16 * EPS * TRIPLETS(density).dense().norm()


@given(inside(), st.floats(-1.0, 1.0), st.floats(-1.0, 1.0))
def test_a_neighbour_entering_at_the_cutoff_is_once_differentiable(
    cloud: Cloud, x: float, y: float
) -> None:
    without = environment(cloud)
    direction = torch.tensor([x, y, 2.0], dtype=torch.float64)
    direction /= direction.norm()

    def change(distance: float) -> Tensor:
        entering = torch.cat([without.vectors[0], distance * direction[None]])
        env = Environments.from_vectors(entering, 5, radius=RADIUS)
        return (EXPANSION(env).rho[2] - EXPANSION(without).rho[2]).norm()

    assert change(RADIUS) <= EPS  # the direction is normalised to an eps, f_c is quadratic in it
    # f_c = (pi t / 2 w)^2 at a distance t inside: quartering t divides the change by sixteen
    near, nearer = change(RADIUS - 4e-3), change(RADIUS - 1e-3)
    assert 15 <= near / nearer <= 17
    assert nearer <= (3.2 * 1e-3 / (2 * 0.1)) ** 2


def member_correlations(nu: int, parameters: tuple[float, ...], angles: tuple[float, ...]):
    r, z1, z2, psi = torch.tensor(parameters, dtype=torch.float64)
    members = two_ring_pair(r, z1, z2, psi, torch.tensor(angles, dtype=torch.float64))
    return (
        CORRELATIONS[nu](
            EXPANSION(Environments.from_positions(member, 5, radius=RADIUS, isolated="keep"))
        )
        for member in members
    )


def apart(parameters: tuple[float, float, float, float, tuple[float, ...]]) -> bool:
    r, z1, _, psi, angles = parameters
    ring = [(r * math.cos(a), r * math.sin(a), z1) for a in angles]
    ring += [(r * math.cos(a + psi), r * math.sin(a + psi), -z1) for a in angles]
    return all(math.dist(a, b) > 0.01 for i, a in enumerate(ring) for b in ring[:i])


@given(two_ring_parameters(radius=RADIUS - WIDTH).filter(apart))
@pytest.mark.parametrize("nu", [1, 2, 3])
def test_pair_members_share_their_correlations_up_to_nu_3(nu: int, parameters) -> None:
    assume(math.hypot(*parameters[:2]) < RADIUS - WIDTH)
    plus, minus = member_correlations(nu, parameters[:4], parameters[4])
    assert (plus - minus).norm() <= 16 * EPS * plus.norm()


@given(two_ring_parameters(radius=RADIUS).filter(apart), st.floats(0.05, 0.95))
@pytest.mark.parametrize("nu", [1, 2, 3])
def test_pair_members_share_their_correlations_in_the_cutoff_shell(
    nu: int, parameters, depth: float
) -> None:
    # ring atoms inside the shell, where the cutoff function magnifies rounded distances
    _, z1, _, psi, angles = parameters
    r = math.sqrt((RADIUS - depth * WIDTH) ** 2 - z1**2)
    plus, minus = member_correlations(nu, (r, z1, 1.7, psi), angles)
    assert (plus - minus).norm() <= 64 * EPS * plus.norm()


def test_triplets_of_one_pair_keep_their_difference_after_a_nonlinearity() -> None:
    parameters = [torch.tensor(x, dtype=torch.float64) for x in (1.39, 0.58, 1.77, 0.7)]
    scalene = torch.tensor([0.0, 1.1, 3.0], dtype=torch.float64)
    plus, minus = (
        features(Environments.from_positions(member, 5, radius=RADIUS)).pow(3).sum(dim=(0, 1))
        for member in two_ring_pair(*parameters, scalene)
    )
    assert (plus - minus).norm() >= 1e-4 * plus.norm()
