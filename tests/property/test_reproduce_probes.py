"""Numbers behind the figures: what noise and merging members do to features."""

from __future__ import annotations

import pytest
import torch

from symtrip.data import B8Pairs
from symtrip.models import ExpansionSettings
from symtrip.nice import Nice
from symtrip.reproduce.invariants import InvariantSettings
from symtrip.reproduce.probes import (
    describers,
    distances_of_distorted_pairs,
    separations,
    smallest_singular_values,
)
from symtrip.train import density_chunks

EPS = torch.finfo(torch.float64).eps
SETTINGS = InvariantSettings(max_nu=4, kept={2: (6,) * 7, 3: (8,) * 8})


@pytest.fixture(scope="module")
def pairs() -> B8Pairs:
    return B8Pairs.load().subset(slice(0, 10))


@pytest.fixture(scope="module")
def nice(pairs: B8Pairs) -> Nice:
    fitted = SETTINGS.build(3)
    positions = pairs.positions.flatten(0, 1)
    fitted.fit(next(density_chunks(ExpansionSettings().build(), positions, pairs.numbers, 20)))
    return fitted


def test_parities_are_those_of_the_invariants(pairs: B8Pairs, nice: Nice) -> None:
    positions = pairs.positions[:2].flatten(0, 1)
    expand = ExpansionSettings().build()
    one, other = (
        nice(next(density_chunks(expand, x, pairs.numbers, 4))) for x in (positions, -positions)
    )
    for nu, parity in nice.parities(6).items():
        assert parity.shape == one[nu].shape[1:]
        error = (other[nu] - parity * one[nu]).abs().max()
        assert error <= 64 * EPS * one[nu].norm(dim=1).max()


def test_pairs_are_separated_at_nu_4_and_not_below(pairs: B8Pairs, nice: Nice) -> None:
    found = separations(ExpansionSettings(), nice, pairs)
    assert max(float(found[nu].max()) for nu in ("1", "2", "3")) <= 64 * EPS
    # one of these pairs is close to a congruent one
    assert float(found["4"].min()) >= 1e-7
    assert float(found["4"].median()) >= 1e-3


def test_the_bispectrum_alone_loses_a_direction_where_members_merge(nice: Nice) -> None:
    describe = describers(ExpansionSettings(), torch.full((8,), 5), nice, None)
    values = smallest_singular_values(describe, [0.0, 0.1])
    # the differences' own error, measured 1.5e-10
    assert float(values["bispectrum"][0]) <= 1e-8 < 1e-5 <= float(values["bispectrum"][1])
    assert float(values["nu = 4"].min()) >= 1e-5


def test_noise_separates_the_bispectra_of_a_pair_in_proportion(pairs: B8Pairs, nice: Nice) -> None:
    describe = describers(ExpansionSettings(), pairs.numbers, nice, None)
    found = distances_of_distorted_pairs(describe, pairs.subset([0, 1]), [0.0, 1e-3])
    assert float(found["bispectrum"][0].max()) <= 64 * EPS
    assert float(found["bispectrum"][1].min()) >= 1e-5
    assert float(found["nu = 4"][0].min()) >= 1e-5
