"""The trained models in results/short: symmetries, and what each can tell apart."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from torch import Tensor

from symtrip.data import B8Pairs
from symtrip.environments import Environments
from symtrip.models import EnergyModel
from symtrip.train import pair_errors

FOLDER = Path(__file__).parents[2] / "results/short"
EPS = torch.finfo(torch.float32).eps
NAMES = ("b_nl", "best", "d_nl")


@pytest.fixture(scope="module")
def models() -> dict[str, EnergyModel]:
    return {name: EnergyModel.load(FOLDER / f"{name}.safetensors") for name in NAMES}


@pytest.fixture(scope="module")
def pairs() -> B8Pairs:
    return B8Pairs.load().validation.labelled.subset(slice(40))


def energies(model: EnergyModel, positions: Tensor) -> Tensor:
    with torch.no_grad():
        return model(Environments.from_positions(positions.flatten(0, -3), 5, radius=2.0))


def spread(model: EnergyModel, pairs: B8Pairs) -> float:
    return float(energies(model, pairs.positions).std())


@pytest.mark.parametrize("name", NAMES)
def test_energies_do_not_change_under_rotation_and_permutation(models, pairs, name) -> None:
    positions = pairs.positions[:10]
    rotation = torch.linalg.qr(
        torch.randn(3, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    ).Q
    rotation *= rotation.det().sign()
    order = torch.tensor([0, 5, 3, 7, 1, 2, 6, 4])  # atom 0 is the centre
    value = energies(models[name], positions)
    moved = energies(models[name], (positions @ rotation.T)[:, :, order])
    # networks in float32: 5e-7 of the spread measured
    assert (moved - value).abs().max() <= 32 * EPS * spread(models[name], pairs)


@pytest.mark.parametrize(("name", "invariant"), [("b_nl", False), ("best", True), ("d_nl", False)])
def test_inversion(models, pairs, name, invariant) -> None:
    value = energies(models[name], pairs.positions)
    change = (energies(models[name], -pairs.positions) - value).abs().max()
    assert (change <= 1e-5 * spread(models[name], pairs)) == invariant


@pytest.mark.parametrize(("name", "separates"), [("b_nl", True), ("best", True), ("d_nl", False)])
def test_only_models_on_triplets_separate_the_members_of_a_pair(
    models, pairs, name, separates
) -> None:
    plus, minus = energies(models[name], pairs.positions).view(-1, 2).T
    gap = (plus - minus).abs()
    if separates:
        assert gap.median() > 1e-3 * spread(models[name], pairs)
    else:
        assert gap.max() <= 1e-5 * spread(models[name], pairs)


@pytest.mark.parametrize("name", NAMES)
def test_weights_in_single_precision_give_the_recorded_kind_of_errors(models, pairs, name) -> None:
    recorded = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))["models"]
    (entry,) = recorded.values()
    found = pair_errors(energies(models[name], pairs.positions).view(-1, 2), pairs.energies)
    # 40 of the 499 pairs
    assert 0.5 <= found.mean / entry["validation"]["mean"] <= 2.0
    assert 0.5 <= found.diff / entry["validation"]["diff"] <= 2.0
