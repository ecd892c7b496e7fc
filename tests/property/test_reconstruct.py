"""Completeness by reconstruction: one feature vector of one tagged pair -> the environment."""

from __future__ import annotations

import math

import hypothesis.strategies as st
import numpy as np
import pytest
import torch
from hypothesis import given

from symtrip import Environments
from symtrip.completeness import (
    basis_paths,
    congruent,
    coupling_matrix,
    decode_pair,
    fit_positions,
    frame_moments,
    pair_features,
    reconstruct,
)
from symtrip.completeness.couplings import coupling_condition
from symtrip.degenerate import b8_pair, sample_b8_parameters
from symtrip.errors import InputError
from symtrip.expansion import (
    DeltaDensity,
    GaussianDensity,
    Gto,
    Monomials,
    ShiftedCosine,
    SphericalExpansion,
)
from symtrip.triplets import TripletFeatures

RADIUS = 2.2
KINDS = ("random", "sphere", "A+", "A-", "coplanar", "five collinear", "collinear")
B8 = torch.from_numpy(sample_b8_parameters(64))


def monomials(degree, *, n_radial=None, species=(5,), width=0.1, density=None):
    return SphericalExpansion(
        cutoff=ShiftedCosine(radius=RADIUS, width=width),
        density=density or DeltaDensity(),
        basis=Monomials(n_radial=n_radial or max(2, degree // 2 + 1), max_angular=degree),
        species=species,
    )


def scattered(generator, count, *, flat=False):
    """Points in a shell, at least 0.5 Å apart."""
    points = []
    while len(points) < count:
        point = generator.normal(size=3) * (1, 1, not flat)
        point *= np.cbrt(generator.uniform(0.7**3, 1.9**3)) / np.linalg.norm(point)
        if all(np.linalg.norm(point - other) > 0.5 for other in points):
            points.append(point)
    return np.array(points)


def seven_neighbours(kind, seed):
    generator = np.random.default_rng(seed)
    axis = generator.normal(size=3)
    axis /= np.linalg.norm(axis)
    if kind in ("A+", "A-"):
        return b8_pair(B8[seed % len(B8)])[kind == "A-"][1:].numpy()
    if kind == "five collinear":
        heights = np.array([-1.7, -1.1, -0.6, 0.7, 1.5]) + generator.uniform(-0.1, 0.1, 5)
        return np.concatenate([heights[:, None] * axis, scattered(generator, 2)])
    if kind == "collinear":
        heights = np.array([-1.8, -1.2, -0.7, 0.4, 0.9, 1.4, 1.9])
        return (heights + generator.uniform(-0.1, 0.1, 7))[:, None] * axis
    points = scattered(generator, 7, flat=kind == "coplanar")
    if kind == "sphere":
        points = 1.4 * points / np.linalg.norm(points, axis=1, keepdims=True)
        apart = np.linalg.norm(points[:, None] - points, axis=-1) + 9 * np.eye(7)
        return points if apart.min() > 0.3 else seven_neighbours(kind, seed + 1)
    return points


def environment(vectors, species=5, dtype=torch.float64):
    return Environments.from_vectors(torch.as_tensor(vectors).to(dtype), species, radius=RADIUS)


def error(env, result):
    """Largest deviation from the true environment after the best proper rotation."""
    rebuilt = result.environment(radius=9.0)
    return congruent(env, rebuilt, group="SO3", tolerance=1e-6).residual


@pytest.mark.parametrize("kind", KINDS)
@given(seed=st.integers(0, 2**20))
def test_one_pair_determines_seven_neighbours(kind, seed):
    env = environment(seven_neighbours(kind, seed))
    expansion = monomials(5)
    result = reconstruct(TripletFeatures(max_angular=5)(expansion(env)), expansion)
    assert result.decoder == "power-sums"
    # asked: 1e-9 Å; largest in 2000 of each kind: 2e-12 (five collinear), 1e-13 (the others)
    assert error(env, result) <= 1e-10
    assert error(env, result) <= 8 * result.error_estimate


@pytest.mark.parametrize("kind", KINDS)
def test_gaussian_densities_are_decoded_as_well(kind):
    env = environment(seven_neighbours(kind, 3))
    expansion = monomials(5, density=GaussianDensity(width=0.2))
    features, pair = pair_features(env, expansion)
    assert error(env, decode_pair(features, expansion, pair=pair)) <= 1e-10


def test_members_of_degenerate_pairs_decode_to_different_environments():
    expansion = monomials(5)
    decoded = []
    for positions in b8_pair(B8[0]):
        features, pair = pair_features(environment(positions[1:]), expansion)
        result = decode_pair(features, expansion, pair=pair)
        decoded.append(result.environment(radius=9.0))
    assert congruent(*decoded, group="O3", tolerance=1e-6).verdict == "distinct"


@given(seed=st.integers(0, 2**20))
def test_the_matrix_pencil_finds_neighbours_in_the_cutoff_shell_and_their_weights(seed):
    env = environment(seven_neighbours("random", seed))
    expansion = monomials(5, width=1.2)
    features, pair = pair_features(env, expansion)
    result = decode_pair(features, expansion, pair=pair)
    assert result.decoder == "matrix-pencil"
    # largest in 1000: 1e-12
    assert error(env, result) <= 1e-10
    lengths = torch.from_numpy(np.linalg.norm(result.vectors, axis=1))
    assert np.abs(expansion.cutoff(lengths).numpy() - result.weights).max() <= 1e-9


def test_the_matrix_pencil_decodes_weighted_collinear_neighbours():
    heights = np.array([-1.8, 0.9, 1.4, 2.05])
    env = environment(heights[:, None] * np.array([0.6, 0.0, 0.8]))
    expansion = monomials(3, width=1.5)
    features, pair = pair_features(env, expansion)
    result = decode_pair(features, expansion, pair=pair)
    assert result.decoder == "matrix-pencil"
    assert error(env, result) <= 1e-11


def test_power_sums_refuse_weights_that_are_not_one():
    # docs/theory, D2: with these weights two environments agree up to degree 2
    far = np.array([1.95, 0.0, 0.0]) * RADIUS / 2.0
    tags = np.array([[1.0, 0, 0], [0.3, 1.1, 0]])
    env = environment(np.concatenate([tags, [-far, far / 2]]))
    expansion = monomials(2, width=0.2)
    features, pair = pair_features(env, expansion, pair=(0, 1))
    with pytest.raises(ValueError, match="cutoff shell"):
        decode_pair(features, expansion, pair=pair, decoder="power-sums")


@given(seed=st.integers(0, 2**20))
def test_several_species_are_decoded_apart(seed):
    generator = np.random.default_rng(seed)
    species = torch.tensor([1] * 5 + [8] * 4)
    env = environment(scattered(generator, 9), species)
    expansion = monomials(5, species=(1, 8))
    features, pair = pair_features(env, expansion)
    result = decode_pair(features, expansion, pair=pair)
    assert sorted(result.species) == species.tolist()
    assert error(env, result) <= 1e-10


@pytest.mark.parametrize("count", [1, 2, 3])
def test_a_few_neighbours_need_degree_one(count):
    env = environment(scattered(np.random.default_rng(count), count))
    expansion = monomials(1)
    result = reconstruct(TripletFeatures(max_angular=1)(expansion(env)), expansion)
    assert error(env, result) <= 1e-13


def test_float32_features_give_single_precision_positions():
    vectors = seven_neighbours("random", 5)
    env = environment(vectors, dtype=torch.float32)
    expansion = monomials(5)
    features, pair = pair_features(env, expansion)
    result = decode_pair(features, expansion, pair=pair)
    # largest in 200: 3e-6
    assert error(env, result) <= 3e-5


@pytest.mark.parametrize(
    ("big_l", "constant"),
    [
        (1, 9 * math.sqrt(2) / (128 * math.pi**3)),
        (2, 225 * math.sqrt(6) / (8192 * math.pi**5)),
        (3, 33075 * math.sqrt(10) / (2097152 * math.pi**7)),
        (4, 17222625 * math.sqrt(70) / (4294967296 * math.pi**9)),
    ],
)
def test_the_determinant_of_the_couplings_is_the_exact_one(big_l, constant):
    close = math.sqrt(2 * big_l + 1) ** (2 * big_l + 1)  # the matrices hold C(L, L, 0) as well
    for theta in (0.3, 1.0, 2.5):
        second = np.array([math.sin(theta), 0.0, math.cos(theta)])
        matrix = coupling_matrix(np.array([0.0, 0.0, 1.0]), second, basis_paths(big_l))
        expected = constant * math.sin(theta) ** (big_l * (big_l + 1))
        assert abs(abs(np.linalg.det(matrix)) * close / expected - 1) <= 1e-11


def test_couplings_worsen_as_the_stated_power_of_the_angle():
    ratio = coupling_condition(0.005, 4) / coupling_condition(0.01, 4)
    assert abs(math.log2(ratio) - 4) <= 0.05
    assert coupling_condition(0.0, 2) == float("inf")


def test_a_collinear_pair_of_a_bent_environment_is_refused():
    env = environment([[1.0, 0, 0], [-0.7, 0, 0], [0.4, 0, 0], [0.1, 0.8, 0.2]])
    expansion = monomials(3)
    features, pair = pair_features(env, expansion, pair=(0, 1))
    with pytest.raises(ValueError, match="must not be collinear unless all neighbours are"):
        decode_pair(features, expansion, pair=pair)


def test_too_low_a_degree_says_which_one_is_needed():
    env = environment(seven_neighbours("random", 1))
    features, pair = pair_features(env, monomials(3))
    with pytest.raises(ValueError, match=r"n_radial=3, max_angular=5"):
        decode_pair(features, monomials(3), pair=pair)


def test_bases_that_cannot_be_decoded_are_refused():
    env = environment(seven_neighbours("random", 1))
    gto = SphericalExpansion(
        cutoff=ShiftedCosine(radius=RADIUS, width=0.1),
        density=GaussianDensity(width=0.2),
        basis=Gto(n_radial=3, max_angular=2),
        species=(5,),
    )
    features, _ = pair_features(env, gto)
    with pytest.raises(ValueError, match="Monomials basis"):
        frame_moments(features, gto)


def test_padded_pairs_are_refused():
    env = environment(seven_neighbours("random", 1)[:3])
    expansion = monomials(2)
    triplets = TripletFeatures(max_angular=2)(expansion(env))
    with pytest.raises(ValueError, match="two real neighbours"):
        reconstruct(triplets, expansion, pair=(0, 5))


def test_optimisation_recovers_b8_at_the_resolution_of_the_paper():
    env = Environments.from_positions(b8_pair(B8[0])[0], 5, radius=2.0)
    report = fit_positions(env, SphericalExpansion.b8(), starts=24)
    assert report.recovered
    assert report.found >= 2
    assert report.wrong == 0
    assert report.deviation <= 1e-12


def test_the_pair_of_a_fit_is_counted_with_padding():
    vectors = torch.tensor(
        [[3.0, 0.0, 0.0], [1.0, 0.1, 0.0], [0.2, 1.1, 0.1], [0.3, -0.4, 0.9]], dtype=torch.float64
    )
    env = Environments.from_vectors(vectors, 5, radius=2.0)  # the first one is beyond the cutoff
    report = fit_positions(env, SphericalExpansion.b8(), starts=4, pair=(2, 3))
    assert report.recovered
    want = vectors[[2, 3, 1]].norm(dim=1).numpy()
    assert np.abs(np.linalg.norm(report.vectors, axis=1) - want).max() <= 1e-6
    for wrong in ((0, 1), (1, 1), (1, 4)):
        with pytest.raises(InputError, match=r"`pair` must name two different ones"):
            fit_positions(env, SphericalExpansion.b8(), starts=1, pair=wrong)


def test_too_small_a_basis_fits_other_environments():
    env = Environments.from_positions(b8_pair(B8[0])[0], 5, radius=2.0)
    small = SphericalExpansion(
        cutoff=ShiftedCosine(radius=2.0, width=0.1),
        density=GaussianDensity(width=0.2),
        basis=Gto(n_radial=2, max_angular=1),
        species=(5,),
    )
    report = fit_positions(env, small, starts=8)
    assert report.wrong >= 4
    assert not report.recovered


def test_the_amplification_is_finite_for_the_basis_of_the_paper_and_infinite_below_it():
    env = Environments.from_positions(b8_pair(B8[0])[0], 5, radius=2.0)
    paper = fit_positions(env, SphericalExpansion.b8(), starts=1)
    # docs/images/reconstruction.png: 22 Å is the largest of six environments
    assert 1.0 < paper.amplification < 25.0
    blind = SphericalExpansion(
        cutoff=ShiftedCosine(radius=2.0, width=0.1),
        density=GaussianDensity(width=0.2),
        basis=Gto(n_radial=6, max_angular=1),
        species=(5,),
    )
    assert fit_positions(env, blind, starts=1).amplification == float("inf")
