"""Matrices that turn directions onto the z axis."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from symtrip.expansion.harmonics import solid_harmonics
from symtrip.weighted.rotations import LocalFrames, frame_order, generators

EPS = torch.finfo(torch.float64).eps
MAX_ANGULAR = 8
FRAMES = LocalFrames(MAX_ANGULAR)
NUMBERS = st.floats(-2.0, 2.0, allow_subnormal=False)
DIRECTIONS = st.tuples(NUMBERS, NUMBERS, NUMBERS).filter(lambda v: max(map(abs, v)) > 1e-3)


@given(direction=DIRECTIONS)
def test_the_direction_itself_is_turned_onto_z(direction: tuple[float, float, float]) -> None:
    vector = torch.tensor([direction], dtype=torch.float64)
    length = vector.norm(dim=1)
    harmonics = solid_harmonics(vector / length, MAX_ANGULAR)
    for l, (turned, y) in enumerate(zip(FRAMES(vector), harmonics, strict=True)):
        size = ((2 * l + 1) / (4 * torch.pi)) ** 0.5
        got = (turned @ y[..., None])[0, :, 0]
        want = size * torch.eye(2 * l + 1, dtype=torch.float64)[0]
        # measured 4 eps of the norm
        assert (got - want).norm() <= 8 * (l + 1) * EPS * size


@given(direction=DIRECTIONS, other=DIRECTIONS)
def test_other_directions_turn_as_vectors_do(
    direction: tuple[float, float, float], other: tuple[float, float, float]
) -> None:
    turned = FRAMES(torch.tensor([direction], dtype=torch.float64))
    vector = torch.tensor([other], dtype=torch.float64)
    vector /= vector.norm()
    # l = 1 is (y, z, x); rows of the frame are z, x, y
    z, x, y = (turned[1] @ vector[0, [1, 2, 0]])[0]
    moved = solid_harmonics(torch.stack([x, y, z])[None], MAX_ANGULAR)
    for l, (block, before) in enumerate(
        zip(turned, solid_harmonics(vector, MAX_ANGULAR), strict=True)
    ):
        want = moved[l][0, [l + m for m in frame_order(l)]]
        got = (block @ before[..., None])[0, :, 0]
        assert (got - want).norm() <= 8 * (l + 1) ** 2 * EPS * before.norm()


def test_zero_stands_for_z_and_the_poles_are_exact() -> None:
    vectors = torch.tensor([[0.0, 0.0, 0.0], [0.0, 0.0, 3.0], [0.0, 0.0, -1e-200]]).double()
    vectors[2, 2] = -1e-200
    for l, block in enumerate(FRAMES(vectors)):
        assert (block[0] - block[1]).abs().max() == 0.0
        identity = torch.eye(2 * l + 1, dtype=torch.float64)[[l + m for m in frame_order(l)]]
        assert (block[0] - identity).norm() <= 8 * (l + 1) * EPS
        axial = block[2, 0, l]
        assert abs(axial - (-1) ** l) <= 8 * (l + 1) * EPS


@pytest.mark.parametrize("l", range(5))
def test_generators_obey_the_commutation_rules_of_rotations(l: int) -> None:
    x, y, z = generators(l)
    scale = 8 * (l + 1) ** 2 * EPS
    assert abs(x @ y - y @ x - z).max() <= scale
    assert abs(y @ z - z @ y - x).max() <= scale
    # about z, m > 0 (cosine) goes to -m (sine)
    assert abs(z[::-1].diagonal()[:l] + range(l, 0, -1)).max(initial=0.0) <= scale
