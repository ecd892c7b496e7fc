"""Encoders of models A, and errors of many columns."""

from __future__ import annotations

import pytest
import torch

from symtrip.errors import InputError
from symtrip.models import LatentDecoder, PairFeatures, TripletEncoder, sum_over_pairs
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


def decoded(*, skip: bool, n_features: int = 40) -> torch.Tensor:
    generator = torch.Generator().manual_seed(4)
    decoder = LatentDecoder(6, n_features, 8, skip=skip, generator=generator).double()
    return decoder(torch.randn(100, 6, generator=generator, dtype=torch.float64)).detach()


@pytest.mark.parametrize(("skip", "dimensions"), [(False, 8), (True, 8 + 8 + 6)])
def test_outputs_lie_in_a_space_as_wide_as_what_the_last_layer_reads(
    skip: bool, dimensions: int
) -> None:
    outputs = decoded(skip=skip)
    values = torch.linalg.svdvals(outputs - outputs.mean(dim=0))
    assert values[dimensions] <= 256 * EPS * values[0]
    assert values[dimensions - 1] >= 1e-9 * values[0]


def test_a_decoder_that_skips_adds_to_one_that_does_not() -> None:
    latent = torch.randn(5, 6, generator=torch.Generator().manual_seed(5), dtype=torch.float64)
    plain, skipping = (LatentDecoder(6, 4, 8, skip=skip).double() for skip in (False, True))
    missing, surplus = skipping.load_state_dict(plain.state_dict(), strict=False)
    assert (surplus, missing) == ([], ["last.1.weight", "last.2.weight"])
    with torch.no_grad():
        for part in skipping.last[1:]:
            part.weight.zero_()
    assert torch.equal(skipping(latent), plain(latent))


def test_errors_of_many_columns_do_not_change_when_the_columns_are_rotated() -> None:
    generator = torch.Generator().manual_seed(3)
    target = torch.randn(7, 2, 5, generator=generator, dtype=torch.float64)
    predicted = target + 0.1 * torch.randn(7, 2, 5, generator=generator, dtype=torch.float64)
    turn = torch.linalg.qr(torch.randn(5, 5, generator=generator, dtype=torch.float64)).Q
    got, want = pair_errors(predicted @ turn, target @ turn), pair_errors(predicted, target)
    assert abs(got.mean - want.mean) <= 64 * EPS
    assert abs(got.diff - want.diff) <= 64 * EPS
