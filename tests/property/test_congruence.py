"""Exact comparison of environments, their symmetries, and the metric between them."""

from __future__ import annotations

import hypothesis.strategies as st
import numpy as np
import pytest
import torch
from hypothesis import assume, given
from strategies import clouds, rotations

from symtrip import Environments
from symtrip.completeness import congruent, environment_distance, stabiliser
from symtrip.completeness.congruence import FRAME_FACTOR
from symtrip.completeness.metric import LIPSCHITZ
from symtrip.degenerate import families, family

EPS = torch.finfo(torch.float64).eps


def environment(vectors, species=5, radius=50.0, center_species=5):
    return Environments.from_vectors(
        torch.as_tensor(vectors, dtype=torch.float64),
        species,
        radius=radius,
        center_species=center_species,
        isolated="keep",
    )


def moved(env, rotation, generator):
    """A rotated copy with its neighbours in another order, and that order."""
    order = torch.randperm(env.vectors.shape[1], generator=generator)
    vectors = env.vectors[:, order] @ rotation.T
    return env.replace(
        vectors=vectors, species=env.species[:, order], mask=env.mask[:, order]
    ), order


@given(clouds(species=(5, 8)), rotations(improper=True), st.integers(0, 2**31))
def test_rotated_and_permuted_copies_are_congruent(cloud, rotation, seed):
    env = cloud.environments()
    copy, _ = moved(env, rotation, torch.Generator().manual_seed(seed))
    found = congruent(env, copy, group="O3", tolerance=1e-9)
    assert found.verdict == "congruent"
    # rotation matrices of the test are orthogonal to 4 eps; largest seen: 6 eps of the radius
    assert found.residual <= 32 * EPS * cloud.radius


@given(clouds(kinds=("generic", "two rings", "coplanar")), rotations(improper=True))
def test_the_transformation_and_the_permutation_map_one_onto_the_other(cloud, rotation):
    env = cloud.environments()
    copy, _ = moved(env, rotation, torch.Generator().manual_seed(1))
    found = congruent(env, copy, tolerance=1e-9)
    image = env.vectors[0].numpy() @ found.transformation.T
    target = copy.vectors[0].numpy()[found.permutation]
    assert np.abs(image - target).max() <= 32 * EPS * cloud.radius
    assert np.abs(found.transformation @ found.transformation.T - np.eye(3)).max() <= 16 * EPS


@given(clouds(kinds=("generic", "equal norms", "two rings", "collinear")), st.integers(0, 2**31))
def test_displaced_neighbours_bound_the_residual_from_both_sides(cloud, seed):
    step = 1e-3
    generator = np.random.default_rng(seed)
    shift = generator.normal(size=(len(cloud), 3))
    shift *= step / np.linalg.norm(shift, axis=1, keepdims=True)
    env = environment(cloud.tensor())
    other = environment(cloud.tensor() + torch.from_numpy(shift))
    found = congruent(env, other, group="SO3", tolerance=1e-6)
    # the identity does it within `step`: neither bound may contradict that
    assert found.lower_bound <= step * (1 + 1e-9)
    assert found.residual <= FRAME_FACTOR * step
    assert found.lower_bound <= found.residual


def test_members_of_every_family_are_congruent_only_where_the_catalogue_says_so():
    for member in families():
        if member.kind == "periodic":
            continue
        plus, minus = member.members()
        first, second = (
            environment(m.positions[1:], m.numbers[1:], center_species=int(m.numbers[0]))
            if member.has_center
            else environment(m.positions - m.positions.mean(dim=0), m.numbers)
            for m in (plus, minus)
        )
        verdicts = {g: congruent(first, second, group=g).verdict for g in ("SO3", "O3")}
        expected = {
            None: {"SO3": "distinct", "O3": "distinct"},
            "O3": {"SO3": "distinct", "O3": "congruent"},
            "SO3": {"SO3": "congruent", "O3": "congruent"},
        }[member.equal.congruent]
        assert verdicts == expected, member.id


def test_species_of_centre_and_neighbours_count():
    vectors = [[1.0, 0, 0], [0, 1.2, 0], [0, 0, 1.4]]
    env = environment(vectors, torch.tensor([5, 5, 8]))
    swapped = environment(vectors, torch.tensor([8, 5, 5]))
    other_centre = environment(vectors, torch.tensor([5, 5, 8]), center_species=6)
    assert congruent(env, env).verdict == "congruent"
    assert congruent(env, swapped, tolerance=0.01).verdict == "distinct"
    assert congruent(env, other_centre).residual == float("inf")


def test_environments_without_neighbours_are_congruent():
    empty = environment([[60.0, 0, 0]])
    assert not bool(empty.mask.any())
    found = congruent(empty, empty, group="SO3")
    assert found.congruent
    assert found.residual == 0.0
    assert congruent(empty, environment([[1.0, 0, 0]])).verdict == "distinct"


def test_a_verdict_near_the_tolerance_is_undecided():
    generator = torch.Generator().manual_seed(0)
    vectors = torch.randn(6, 3, generator=generator, dtype=torch.float64)
    shift = 1e-3 * torch.randn(6, 3, generator=generator, dtype=torch.float64)
    env, other = environment(vectors), environment(vectors + shift)
    # residual 2.8e-3 Å, and no alignment better than 4.6e-4 Å
    assert congruent(env, other, tolerance=1e-3).verdict == "undecided"
    assert congruent(env, other, tolerance=1e-4).verdict == "distinct"
    assert congruent(env, other, tolerance=1e-2).verdict == "congruent"


@pytest.mark.parametrize(("group", "order"), [("O3", 24), ("SO3", 12)])
def test_the_tetrahedron_has_its_symmetry_group(group, order):
    corners = torch.tensor([[1.0, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]])
    found = stabiliser(environment(corners), group=group)
    assert len(found) == order
    # the only displacement that keeps all of it is the breathing mode
    mode = found.fixed_displacements()
    assert mode.shape == (12, 1)
    assert np.abs(np.abs(mode[:, 0] @ corners.flatten().numpy()) - np.sqrt(12)) <= 1e-12


def test_collinear_environments_let_displacements_along_the_axis_through():
    found = stabiliser(environment([[0, 0, 1.0], [0, 0, -0.7], [0, 0, 1.6]]))
    assert found.collinear
    fixed = found.fixed_displacements()
    assert fixed.shape == (9, 3)
    assert np.abs(fixed.reshape(3, 3, 3)[:, :2]).max() <= 1e-12


@given(clouds(max_neighbors=5), rotations(), st.sampled_from(("bottleneck", "emd")))
def test_the_distance_of_a_rotated_copy_is_rounding(cloud, rotation, kind):
    env = cloud.environments()
    copy, _ = moved(env, rotation, torch.Generator().manual_seed(2))
    assert environment_distance(env, copy, kind=kind) <= 64 * EPS * cloud.radius


@given(
    clouds(max_neighbors=5, kinds=("generic", "collinear", "coplanar", "single")),
    st.floats(1e-6, 1e-2),
    st.integers(0, 2**31),
    st.sampled_from(("bottleneck", "emd")),
)
def test_the_distance_is_continuous_with_the_stated_constant(cloud, step, seed, kind):
    generator = np.random.default_rng(seed)
    shift = generator.normal(size=(len(cloud), 3))
    shift *= step / np.linalg.norm(shift, axis=1, keepdims=True)
    vectors = cloud.tensor() + torch.from_numpy(shift)
    assume(bool((vectors.norm(dim=1) < cloud.radius).all()))
    env, other = (environment(v, radius=cloud.radius) for v in (cloud.tensor(), vectors))
    assert environment_distance(env, other, kind=kind) <= LIPSCHITZ * step * (1 + 1e-9)


@given(st.integers(0, 2**31), st.sampled_from(("bottleneck", "emd")))
def test_the_distance_is_a_metric(seed, kind):
    generator = np.random.default_rng(seed)
    a, b, c = (environment(generator.uniform(-1, 1, (4, 3)), radius=2.0) for _ in range(3))

    def d(x, y):
        return environment_distance(x, y, kind=kind)

    assert abs(d(a, b) - d(b, a)) <= 64 * EPS
    assert d(a, c) <= d(a, b) + d(b, c) + 64 * EPS
    assert d(a, b) > 1e-6


def test_the_distance_stays_continuous_where_all_neighbours_become_collinear():
    # the frame of any pair turns by a right angle when x changes sign; the distance must not notice
    def bent(x):
        return environment([[0, 0, 1.0], [x, 0, -1.2], [0, -x, 1.5]], radius=2.0)

    for x in (1e-3, 1e-6, 1e-9):
        assert environment_distance(bent(x), bent(-x)) <= 2 * LIPSCHITZ * x
        assert (
            environment_distance(
                bent(x), environment([[0, 0, 1.0], [0, 0, -1.2], [0, 0, 1.5]], radius=2.0)
            )
            <= LIPSCHITZ * x
        )


def test_mirror_images_have_distance_zero_up_to_inversion_only():
    plus, minus = family("nu3_chirality_scalene_cap_4").members()
    a, b = (environment(m.positions[1:], radius=2.0) for m in (plus, minus))
    assert environment_distance(a, b, group="O3") <= 64 * EPS
    assert environment_distance(a, b, group="SO3") > 0.1


def test_the_distance_tells_the_members_of_degenerate_pairs_apart():
    for name in ("nu3_paper_B8_family", "dGNN_centrosymmetric_6", "nu2_CH4_like_equal_bonds"):
        plus, minus = family(name).members()
        radius = 1.1 * float(plus.positions.norm(dim=1).max())
        a, b = (environment(m.positions[1:], radius=radius) for m in (plus, minus))
        for kind in ("bottleneck", "emd"):
            assert environment_distance(a, b, group="O3", kind=kind) > 0.05
