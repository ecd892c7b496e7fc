"""Encoders of models A, and errors of many columns."""

from __future__ import annotations

import pytest
import torch

from symtrip.errors import InputError
from symtrip.models import PairFeatures, TripletEncoder, sum_over_pairs
from symtrip.train import pair_errors

EPS = torch.finfo(torch.float64).eps
SECTIONS = (3, 2, 2, 1)


def features(n_env: int = 3, n: int = 4) -> PairFeatures:
    generator = torch.Generator().manual_seed(1)

    def draw(rows: int, columns: int) -> torch.Tensor:
        return torch.randn(n_env, rows, columns, generator=generator, dtype=torch.float64)

    return PairFeatures(
        symmetric=draw(n * (n + 1) // 2, 5),
        antisymmetric=draw(n * (n - 1) // 2, 3),
        mask=torch.ones(n_env, n * (n + 1) // 2, dtype=torch.bool),
        n_even=(3, 2),
    )


def encoder(*, nonlinear: bool) -> TripletEncoder:
    generator = torch.Generator().manual_seed(2)
    return TripletEncoder(SECTIONS, 6, 8, nonlinear=nonlinear, generator=generator).double()


def test_the_sum_over_pairs_is_that_of_all_ordered_pairs() -> None:
    pairs = features()
    ordered = pairs.ordered().sum(dim=(1, 2))
    assert (sum_over_pairs(pairs) - ordered[:, :5]).abs().max() <= 32 * EPS * ordered.abs().max()
    assert ordered[:, 5:].abs().max() <= 32 * EPS * ordered.abs().max()


def test_the_linear_encoder_needs_only_the_sum_over_pairs() -> None:
    pairs = features()
    linear = encoder(nonlinear=False)
    assert torch.equal(linear(pairs), linear(sum_over_pairs(pairs)))


def test_the_nonlinear_encoder_refuses_sums_over_pairs() -> None:
    with pytest.raises(InputError, match="linear encoder only"):
        encoder(nonlinear=True)(sum_over_pairs(features()))


def test_the_nonlinear_encoder_sums_its_network_over_ordered_pairs() -> None:
    pairs = features()
    network = encoder(nonlinear=True)
    each = network.last(network.middle(network.first(pairs.ordered())))
    bias = network.last.bias
    want = (each - bias).sum(dim=(1, 2)) / network.pairs_per_environment + bias
    got = network(pairs)
    assert (got - want).abs().max() <= 256 * EPS * want.abs().max()  # measured 10


def test_errors_of_many_columns_do_not_change_when_the_columns_are_rotated() -> None:
    generator = torch.Generator().manual_seed(3)
    target = torch.randn(7, 2, 5, generator=generator, dtype=torch.float64)
    predicted = target + 0.1 * torch.randn(7, 2, 5, generator=generator, dtype=torch.float64)
    turn = torch.linalg.qr(torch.randn(5, 5, generator=generator, dtype=torch.float64)).Q
    got, want = pair_errors(predicted @ turn, target @ turn), pair_errors(predicted, target)
    assert abs(got.mean - want.mean) <= 64 * EPS
    assert abs(got.diff - want.diff) <= 64 * EPS
