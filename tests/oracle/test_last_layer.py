"""The last layer in closed form against torch's least squares on every row of the loss."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import Tensor

from symtrip.models import LatentDecoder, TripletEncoder, TripletReconstruction
from symtrip.train import LabelledPairs, pair_errors, paired, predict, refit_last_layer

SECTIONS = (5, 2, 2, 1)
COLUMNS = 4


def network(*, skip: bool = False) -> TripletReconstruction:
    generator = torch.Generator().manual_seed(3)
    encoder = TripletEncoder(SECTIONS, 6, nonlinear=False, generator=generator)
    decoder = LatentDecoder(6, COLUMNS, 8, skip=skip, generator=generator)
    return TripletReconstruction(encoder, decoder, torch.tensor([1.0, 0.1, 3.0, 2.0])).double()


def data(n_pairs: int, seed: int, *, learnable: bool = True) -> LabelledPairs:
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(2 * n_pairs, 7, generator=generator, dtype=torch.float64)
    noise = torch.randn(n_pairs, 2, COLUMNS, generator=generator, dtype=torch.float64)
    signal = paired(x[:, :COLUMNS].sin() + x[:, 1:5].square())
    return LabelledPairs(x, signal + 0.1 * noise if learnable else noise)


def loss(net: TripletReconstruction, pairs: LabelledPairs, weight: float) -> float:
    error = predict(net, pairs.features) - pairs.energies
    return float(error.square().mean() + weight * (error[:, 0] - error[:, 1]).square().mean())


def least_squares(net: TripletReconstruction, pairs: LabelledPairs, weight: float) -> Tensor:
    """(columns, width + 1) weights and biases that minimise the loss: a row for each square."""
    x = torch.cat(net.decoder.read_by_last(net.encoder(pairs.features)), dim=1).detach()
    x = paired(torch.cat([x, torch.ones_like(x[:, :1])], dim=1))
    y = pairs.energies / net.units
    root = (2 * weight) ** 0.5
    rows = torch.cat([x[:, 0], x[:, 1], root * (x[:, 0] - x[:, 1])])
    wanted = torch.cat([y[:, 0], y[:, 1], root * (y[:, 0] - y[:, 1])])
    return torch.linalg.lstsq(rows, wanted).solution.T


@pytest.mark.parametrize("skip", [False, True])
@pytest.mark.parametrize("weight", [0.0, 3.0])
def test_it_has_the_least_squared_error(weight: float, skip: bool) -> None:
    fit = data(4000, 0)
    net = network(skip=skip)
    want = least_squares(net, fit, weight)
    refit_last_layer(net, fit, data(2000, 1), weight)
    best = copy.deepcopy(net)
    with torch.no_grad():
        for parameter in best.decoder.last.parameters():
            parameter.zero_()
    best.decoder.add_to_last(want[:, :-1], want[:, -1])
    least = loss(best, fit, weight)
    # the ridge, 1e-12 to 1e-3 of the mean square of a column, costs something on the pairs fitted
    assert least <= loss(net, fit, weight) <= 1.01 * least


@pytest.mark.parametrize("skip", [False, True])
def test_nothing_below_the_last_layer_changes(skip: bool) -> None:
    net, before = network(skip=skip), network(skip=skip)
    refit_last_layer(net, data(50, 0), data(20, 1), 1.0)
    changed = {
        name
        for name, value in net.state_dict().items()
        if not torch.equal(value, before.state_dict()[name])
    }
    weights = {f"decoder.last.{part}.weight" for part in range(3 if skip else 1)}
    assert changed == weights | {"decoder.last.0.bias"}


def test_pairs_kept_aside_never_get_worse() -> None:
    for seed in range(5):
        net, aside = network(), data(30, 100 + seed, learnable=False)
        with torch.no_grad():
            net.decoder.last[0].weight.zero_()
            net.decoder.last[0].bias.zero_()
        before = loss(net, aside, 1.0)
        refit_last_layer(net, data(6, seed), aside, 1.0)
        assert loss(net, aside, 1.0) <= before * (1 + 1e-12)


def test_float32_networks_stay_float32() -> None:
    net, single = network(), network().float()
    fit, aside = data(200, 0), data(100, 1)
    refit_last_layer(net, fit, aside, 1.0)
    refit_last_layer(
        single,
        LabelledPairs(fit.features.to(dtype=torch.float32), fit.energies.float()),
        LabelledPairs(aside.features.to(dtype=torch.float32), aside.energies.float()),
        1.0,
    )
    assert single.decoder.last[0].weight.dtype == torch.float32
    want = pair_errors(predict(net, aside.features), aside.energies).mean
    got = pair_errors(
        predict(single, aside.features.to(dtype=torch.float32)), aside.energies.float()
    ).mean
    assert abs(got - want) <= 1e-4 * want
