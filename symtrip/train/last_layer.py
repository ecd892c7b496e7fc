"""The last layer of a trained network in closed form: it is linear, whatever is below it."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from symtrip.models import TripletReconstruction
from symtrip.train.regression import sums_and_differences
from symtrip.train.trainer import LabelledPairs, paired

__all__ = ["refit_last_layer"]

_RIDGES = tuple(10.0**exponent for exponent in range(-12, -2))
_PAIRS_AT_A_TIME = 128


def refit_last_layer(
    network: TripletReconstruction,
    fit: LabelledPairs,
    select: LabelledPairs,
    difference_weight: float,
) -> None:
    """Replace the last layer of the decoder by the one with the least squared error.

    The correction of the trained layer is a ridge regression of what it misses, in float64. The
    ridge is the one that serves the pairs kept aside best; if none does, nothing changes.

    Args:
        network: trained; its decoder's last layer is changed in place.
        fit: pairs to fit.
        select: training pairs kept aside.
        difference_weight: of squared errors of differences within pairs, as in the training.
    """
    outer, missed = _moments(network, fit, difference_weight)
    aside = [(x, y) for x, y in _rows(network, select, difference_weight)]
    best = torch.zeros_like(missed)
    least = float(sum(y.square().sum() for _, y in aside))
    for ridge in _RIDGES:
        matrix = outer.clone()
        matrix.diagonal().add_(ridge * outer.diagonal())
        correction = torch.linalg.solve(matrix, missed)
        left = float(sum((y - x @ correction).square().sum() for x, y in aside))
        if left < least:
            best, least = correction, left
    change = best / network.units.to(best)
    network.decoder.add_to_last(change[:-1].T, change[-1])


def _moments(
    network: TripletReconstruction, data: LabelledPairs, difference_weight: float
) -> tuple[Tensor, Tensor]:
    width, columns = sum(network.decoder.widths), len(network.units)
    outer = network.units.new_zeros(width + 1, width + 1, dtype=torch.float64)
    missed = network.units.new_zeros(width + 1, columns, dtype=torch.float64)
    for x, y in _rows(network, data, difference_weight):
        outer.addmm_(x.T, x)
        missed.addmm_(x.T, y)
    return outer, missed


def _rows(
    network: TripletReconstruction, data: LabelledPairs, difference_weight: float
) -> Iterator[tuple[Tensor, Tensor]]:
    """Input of the last layer and what the layer misses; rows have the weights of the loss."""
    for first in range(0, len(data), _PAIRS_AT_A_TIME):
        part = data[slice(first, first + _PAIRS_AT_A_TIME)]
        with torch.no_grad():
            latent = network.encoder.for_training(part.features)
            read = network.decoder.read_by_last(latent)
            y = part.energies - paired(network.units * network.decoder.from_read(read))
        x = torch.cat([*read, torch.ones_like(latent[:, :1])], dim=1)
        yield _weighted(x, difference_weight), _weighted(y.flatten(0, 1), difference_weight)


def _weighted(rows: Tensor, difference_weight: float) -> Tensor:
    # a^2 + b^2 + 2 w (a - b)^2 = s^2 + (1 + 4 w) d^2 with s, d = (a +- b) / sqrt 2
    rows = sums_and_differences(rows.double())
    rows[1::2] *= (1 + 4 * difference_weight) ** 0.5
    return rows
