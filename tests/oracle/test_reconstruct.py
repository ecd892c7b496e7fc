"""Reconstruction from one tagged pair: floating-point decoders against the exact ones."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from rational_environments import ENVIRONMENTS
from symtrip_reference import Environment
from symtrip_reference.reconstruction import decode, pair_features

from symtrip import Environments
from symtrip import completeness as fast
from symtrip.expansion import DeltaDensity, Monomials, ShiftedCosine, SphericalExpansion

SPECIES = {"one species": [1] * 7, "two species": [8, 1, 1, 8, 1, 8, 1]}
EPS = 2.0**-52


def both(kind, species, decoder="auto"):
    """The fast and the exact result, from the features of the pair that the fast path prefers."""
    vectors = ENVIRONMENTS[kind]
    expansion = SphericalExpansion(
        cutoff=ShiftedCosine(radius=4.0, width=0.5),
        density=DeltaDensity(),
        basis=Monomials(n_radial=3, max_angular=5),
        species=tuple(sorted(set(species))),
    )
    points = torch.tensor([[float(c) for c in x] for x in vectors], dtype=torch.float64)
    env = Environments.from_vectors(points, torch.tensor(species), radius=4.0)
    features, pair = fast.pair_features(env, expansion)
    exact = decode(pair_features(Environment(vectors, species), pair, 5), decoder=decoder)
    return fast.decode_pair(features, expansion, pair=pair, decoder=decoder), exact


def error(got, exact):
    """Largest distance in Å between atoms of one species; both are in the frame of the pair."""
    want = np.array([[float(c) for c in x] for x in exact.vectors()])
    distance = np.linalg.norm(got.vectors[:, None] - want, axis=-1)
    distance[got.species[:, None] != np.array(exact.species)] = np.inf
    assert len(set(distance.argmin(axis=1))) == len(want) == len(got.vectors)
    return float(distance.min(axis=1).max())


@pytest.mark.parametrize("species", SPECIES)
@pytest.mark.parametrize("kind", ENVIRONMENTS)
def test_power_sums_agree_with_the_exact_decoder(kind, species):
    got, exact = both(kind, SPECIES[species])
    assert got.decoder == exact.decoder == "power-sums"
    # eps times both conditions, which are Å of error per relative error of the moments
    scale = EPS * got.coupling_condition * max(got.decoder_condition, 1.0)
    # largest: 4.6 (collinear, two species; 3e-15 Å), 0.8 in all other cases
    assert error(got, exact) <= 8 * scale


@pytest.mark.parametrize("kind", ["generic", "sphere", "A+", "A-", "coplanar"])
def test_the_matrix_pencil_agrees_with_the_exact_one(kind):
    got, exact = both(kind, SPECIES["one species"], "matrix-pencil")
    assert got.decoder == exact.decoder == "matrix-pencil"
    scale = EPS * got.coupling_condition * max(got.decoder_condition, 1.0)
    # largest: 0.13 (2e-15 Å): the residual is polished
    assert error(got, exact) <= 0.5 * scale
