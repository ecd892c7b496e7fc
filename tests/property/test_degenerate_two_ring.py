"""The two-ring pairs: geometry, derivatives, and where their members become congruent."""

from __future__ import annotations

import itertools
import math

import hypothesis.strategies as st
import pytest
import sympy
import torch
from hypothesis import assume, example, given
from symtrip_reference import two_ring_pair as exact_two_ring_pair
from symtrip_reference.catalogue import Structure
from symtrip_reference.comparison import EnvironmentComparison
from torch.autograd.functional import jacobian

from symtrip.degenerate import (
    b8_jacobian,
    b8_pair,
    distance_to_exceptional_set,
    exceptional_distances,
    sample_b8_parameters,
    two_ring_jacobian,
    two_ring_numbers,
    two_ring_pair,
    z12_angles,
)

EPS = torch.finfo(torch.float64).eps

lengths = st.floats(0.3, 2.0)
turns = st.floats(-2 * math.pi, 2 * math.pi)
rings = st.lists(turns, min_size=1, max_size=6)


def rotation_z(angle):
    c, s = math.cos(angle), math.sin(angle)
    return torch.tensor([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]], dtype=torch.float64)


@given(lengths, lengths, lengths, turns, rings)
@example(1.0, 0.7, 1.6, 0.5, [0.0])
def test_the_atoms_are_where_the_formula_puts_them(r, z1, z2, psi, angles):
    plus, minus = two_ring_pair(r, z1, z2, psi, angles)
    upper = [(r * math.cos(p), r * math.sin(p), z1) for p in angles]
    lower = [(r * math.cos(p + psi), r * math.sin(p + psi), -z1) for p in angles]
    for member, apex in ((plus, z2), (minus, -z2)):
        want = torch.tensor([(0, 0, 0), *upper, *lower, (0, 0, apex)], dtype=torch.float64)
        # The same operations in another library: 2 eps measured, from cos and sin.
        assert (member - want).abs().max() <= 4 * EPS * (r + z1 + z2)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_leading_shapes_broadcast_and_the_dtype_follows_the_input(dtype):
    angles = torch.rand(5, 1, 4, generator=torch.Generator().manual_seed(0), dtype=dtype)
    plus, minus = two_ring_pair(
        torch.ones(3, dtype=dtype), 0.7, torch.ones(5, 3, dtype=dtype), 0.1, angles
    )
    assert plus.shape == minus.shape == (5, 3, 10, 3)
    assert plus.dtype == minus.dtype == dtype


def test_plain_numbers_give_float64_whatever_the_default_dtype_is():
    plus, _ = two_ring_pair(1.0, 0.5, 1.5, 0.1, [0.0, 1.0, 3.0])
    assert plus.dtype == torch.float64


@given(lengths, lengths, lengths, turns, rings)
def test_all_analytic_derivatives_equal_automatic_ones(r, z1, z2, psi, angles):
    arguments = [torch.tensor(x, dtype=torch.float64) for x in (r, z1, z2, psi, angles)]
    for member in (0, 1):
        automatic = jacobian(lambda *a, m=member: two_ring_pair(*a)[m], tuple(arguments))
        columns = [*[part[..., None] for part in automatic[:4]], automatic[4]]
        analytic = two_ring_jacobian(*arguments)[member]
        # Equal but for the order of one product: 1 eps measured.
        assert (analytic - torch.cat(columns, dim=-1)).abs().max() <= 2 * EPS * (1 + r)


def test_derivatives_of_b8_pairs_with_respect_to_the_six_parameters_equal_automatic_ones():
    parameters = torch.from_numpy(sample_b8_parameters(20))
    for member in (0, 1):
        want = torch.stack([jacobian(lambda p, m=member: b8_pair(p)[m], row) for row in parameters])
        # 1 eps measured: one product in another order.
        assert (b8_jacobian(parameters)[member] - want).abs().max() <= 4 * EPS


def test_derivatives_follow_finite_differences():
    parameters = torch.from_numpy(sample_b8_parameters(5))
    step = 1e-5
    for column in range(6):
        shift = torch.zeros(6, dtype=torch.float64)
        shift[column] = step
        for member in (0, 1):
            difference = (
                b8_pair(parameters + shift)[member] - b8_pair(parameters - shift)[member]
            ) / (2 * step)
            analytic = b8_jacobian(parameters)[member][..., column]
            # Truncation step^2 r/6 = 3e-11 plus rounding eps/step = 4e-11; 3e-11 measured.
            assert (analytic - difference).abs().max() <= 1e-10


def test_up_to_three_species():
    assert two_ring_numbers(3).tolist() == [5] * 8
    assert two_ring_numbers(2, center=6, ring=1, apex=8).tolist() == [6, 1, 1, 1, 1, 8]


HALF_TANGENTS = [
    sympy.Rational(*t) for t in ((0, 1), (1, 2), (-1, 2), (1, 3), (2, 1), (-3, 1), (1, 1))
]
RING_HEIGHTS = [sympy.Rational(*z) for z in ((0, 1), (1, 2), (-7, 10))]
APEX_HEIGHTS = [sympy.Rational(*z) for z in ((1, 2), (-7, 5))]


def direction(t):
    return (1 - t**2) / (1 + t**2), 2 * t / (1 + t**2)


def as_structure(environment, species):
    return Structure(tuple(species), environment.vectors, center="B")


@given(
    st.lists(st.sampled_from(HALF_TANGENTS), min_size=1, max_size=4, unique=True),
    st.sampled_from(HALF_TANGENTS),
    st.sampled_from(RING_HEIGHTS),
    st.sampled_from(APEX_HEIGHTS),
)
@example([*HALF_TANGENTS[:2], HALF_TANGENTS[3]], HALF_TANGENTS[0], RING_HEIGHTS[1], APEX_HEIGHTS[1])
@example([*HALF_TANGENTS[:2], HALF_TANGENTS[3]], HALF_TANGENTS[6], RING_HEIGHTS[0], APEX_HEIGHTS[1])
@example(HALF_TANGENTS[:3], HALF_TANGENTS[3], RING_HEIGHTS[1], APEX_HEIGHTS[1])
@example([*HALF_TANGENTS[:2], HALF_TANGENTS[3]], HALF_TANGENTS[3], RING_HEIGHTS[1], APEX_HEIGHTS[1])
def test_the_distance_vanishes_exactly_where_the_members_are_congruent(tangents, twist, z1, z2):
    pair = exact_two_ring_pair(
        1, z1, z2, direction(twist), [direction(t) for t in tangents], axis_species=8
    )
    assume(len(set(pair.plus.vectors)) == len(pair.plus.vectors))
    species = ["B"] * (2 * len(tangents)) + ["O"]
    comparison = EnvironmentComparison(
        as_structure(pair.plus, species), as_structure(pair.minus, species)
    )
    angles = [2 * math.atan(float(t)) for t in tangents]
    arguments = (1.0, float(z1), float(z2), 2 * math.atan(float(twist)), angles)
    for group, proper in (("SO3", True), ("O3", False)):
        distance = float(distance_to_exceptional_set(*arguments, group=group))
        # Rounding of angles is 4 eps; the smallest distance of these pairs is above 0.01 Å.
        assert (distance <= 16 * EPS) == comparison.congruent(proper=proper)
        assert distance <= 16 * EPS or distance > 1e-3


@given(st.lists(st.floats(0.0, 6.28), min_size=3, max_size=4), st.floats(0.0, 3.1))
def test_the_ring_part_is_the_least_motion_that_makes_the_ring_its_own_mirror_image(angles, psi):
    got = float(exceptional_distances(1.0, 0.7, 1.6, psi, angles)["ring"])
    best = math.pi
    # Every way to pair atoms with mirror images, and the axes halfway between two candidates.
    sums = [a + b for a in angles for b in angles]
    axes = {s / 2 + t / 2 + k * math.pi / 2 for s in sums for t in sums for k in range(4)}
    for axis in {round(a % (2 * math.pi), 12) for a in axes}:
        mirrored = [axis - a for a in angles]
        for order in itertools.permutations(range(len(angles))):
            way = max(
                abs(math.remainder(a - mirrored[j], 2 * math.pi))
                for a, j in zip(angles, order, strict=True)
            )
            best = min(best, way / 2)
    # The axes above are rounded to 1e-12.
    assert abs(got - best) <= 1e-11


@given(lengths, lengths, lengths, turns, rings, turns)
def test_the_distance_does_not_depend_on_orientation_order_or_full_turns(
    r, z1, z2, psi, angles, turn
):
    for group in ("SO3", "O3"):
        first = distance_to_exceptional_set(r, z1, z2, psi, angles, group=group)
        moved = [a + turn + 2 * math.pi for a in reversed(angles)]
        second = distance_to_exceptional_set(r, z1, z2, psi - 2 * math.pi, moved, group=group)
        # Angles up to 5 turns carry 32 eps of rounding each.
        assert (first - second).abs() <= 128 * EPS * r


@given(lengths, lengths, lengths, turns, rings, st.floats(-0.1, 0.1))
def test_the_distance_changes_no_faster_than_the_atoms_move(r, z1, z2, psi, angles, step):
    for group in ("SO3", "O3"):
        first = distance_to_exceptional_set(r, z1, z2, psi, angles, group=group)
        nearby = [*angles[:-1], angles[-1] + step]
        second = distance_to_exceptional_set(r, z1, z2, psi, nearby, group=group)
        assert (first - second).abs() <= r * abs(step) + 64 * EPS


def test_the_distance_has_finite_gradients_also_where_it_vanishes():
    parameters = [
        (1.0, 0.7, 1.6, 0.5, (0.0, 1.0, 2.5)),
        (1.0, 0.0, 1.6, 0.5, (0.0, 1.0, -1.0)),
        (1.0, 0.0, 0.0, 0.0, (0.0, 1.0, 2.5)),
    ]
    for group, row in itertools.product(("SO3", "O3"), parameters):
        arguments = [torch.tensor(x, dtype=torch.float64, requires_grad=True) for x in row]
        distance_to_exceptional_set(*arguments, group=group).backward()
        for argument in arguments:
            assert argument.grad is None or torch.isfinite(argument.grad).all()


def test_rings_with_an_axis_merge_at_more_twists():
    square_pairs = [0.0, 1.0, math.pi, math.pi + 1.0]
    ring = [0.0, 0.3, 1.0, math.pi, math.pi + 0.3, math.pi + 1.0]
    quarter = exceptional_distances(1.0, 0.7, 1.6, math.pi / 2, ring)
    assert quarter["twist"] <= 8 * EPS
    assert quarter["ring"] > 0.05
    assert exceptional_distances(1.0, 0.7, 1.6, 0.4, square_pairs)["ring"] <= 8 * EPS


def test_the_nu_4_ring_is_well_away_from_being_achiral():
    distances = exceptional_distances(1.0, 0.7, 1.6, 0.5, z12_angles())
    # The best mirror leaves sums of angles that spread by 60 degrees; each atom moves by a quarter.
    assert distances["ring"] == pytest.approx(math.pi / 12, abs=16 * EPS)


def test_members_meet_when_rotated_onto_each_other_at_an_isosceles_ring():
    angles = [0.4, 1.5, -0.7]
    plus, minus = two_ring_pair(1.2, 0.6, 1.7, 0.9, angles)
    # Half turn about the horizontal axis at azimuth p + psi/2, p the ring's own axis.
    axis = rotation_z(0.4 + 0.45)
    half_turn = axis @ torch.diag(torch.tensor([1.0, -1.0, -1.0], dtype=torch.float64)) @ axis.T
    turned = minus @ half_turn.T
    nearest = torch.cdist(plus, turned).amin(dim=1)
    # cdist squares and takes a root: eps becomes sqrt(eps) ~ 1e-8 at coincidence; 3e-8 measured.
    assert nearest.max() <= 1e-7
