"""The fused form of a triplet model against the model itself."""

from __future__ import annotations

import pytest
import torch
from small_models import trained

from symtrip.data import B8Pairs
from symtrip.environments import Environments
from symtrip.errors import InputError
from symtrip.models import FusedTripletModel, LearnableTriplets
from symtrip.models.settings import ModelName

EPS = torch.finfo(torch.float64).eps


def environments(positions: torch.Tensor) -> Environments:
    return Environments.from_positions(positions, 5, radius=2.0)


@pytest.mark.parametrize(("name", "symmetric"), [("B_L", False), ("B_NL", False), ("B_NL", True)])
def test_energies_and_forces_are_those_of_the_model(name: ModelName, symmetric: bool) -> None:
    model = trained(name, symmetric=symmetric)
    points = B8Pairs.load().positions[10:13].flatten(0, 1).requires_grad_()
    results = []
    for energies in (model, FusedTripletModel(model)):
        value = energies(environments(points))
        (gradient,) = torch.autograd.grad(value.sum(), points)
        results.append((value.detach(), gradient))
    (value, gradient), (fused, fused_gradient) = results
    # 2.5 eps and 22 eps measured
    assert (fused - value).abs().max() <= 32 * EPS * value.abs().max()
    assert (fused_gradient - gradient).norm() <= 256 * EPS * gradient.norm()


def test_padded_neighbours_add_nothing() -> None:
    model = FusedTripletModel(trained("B_NL"))
    env = environments(B8Pairs.load().positions[0])
    few = Environments.from_vectors(env.vectors[:, :5], env.species[:, :5], radius=2.0)
    mask = torch.arange(7).expand(2, 7) < 5
    padded = Environments.from_vectors(env.vectors, env.species, radius=2.0, mask=mask)
    value = model(few)
    assert (model(padded) - value).abs().max() <= 64 * EPS * value.abs().max()


def test_single_precision_stays_single() -> None:
    model = trained("B_NL")
    positions = B8Pairs.load().positions[0]
    exact = model(environments(positions))
    single = FusedTripletModel(model.float(), dtype=torch.float32)(environments(positions.float()))
    assert single.dtype == torch.float32
    assert (single - exact).abs().max() <= 256 * torch.finfo(torch.float32).eps * exact.abs().max()


def test_a_model_on_invariants_is_refused_by_name() -> None:
    with pytest.raises(InputError, match=r"`model` must read triplets.*got D_NL"):
        FusedTripletModel(trained("D_NL"))


def test_the_model_can_still_be_trained() -> None:
    model = trained("B_NL")
    FusedTripletModel(model)
    assert all(parameter.requires_grad for parameter in model.energy.parameters())


@pytest.mark.parametrize("symmetric", [False, True])
def test_weights_learn_from_forces_as_they_do_through_features(symmetric: bool) -> None:
    model = trained("B_NL", symmetric=symmetric)
    learnable = LearnableTriplets(model, torch.float64)
    weights = list(model.energy.parameters())
    found = []
    for energies in (model, lambda env: learnable(model.energy, env)):
        points = B8Pairs.load().positions[10:12].flatten(0, 1).requires_grad_()
        value = energies(environments(points))
        (gradient,) = torch.autograd.grad(value.sum(), points, create_graph=True)
        loss = gradient.square().sum() + value.square().sum()
        found.append(torch.autograd.grad(loss, weights, allow_unused=True))
    for plain, fused in zip(*found, strict=True):
        if plain is None:  # forces and energies' differences do not feel it
            assert fused is None
            continue
        # 300 eps measured: second derivatives of a sum over 49 pairs
        assert (fused - plain).norm() <= 4096 * EPS * plain.norm()


def test_pairs_without_features_add_nothing_if_the_cutoff_is_smooth() -> None:
    model = trained("B_NL")
    model.energy.smooth_cutoff = True
    first = model.energy.head.first
    hidden = first(torch.zeros(3, 5, first.in_features, dtype=torch.float64))
    energies = model.energy.after_first(hidden, torch.ones(3, 5, dtype=torch.bool))
    # rows of one matrix product round as its blocking wants: 0.05 eps measured
    assert (energies - model.energy.shift).abs().max() <= 4 * EPS
