"""The trained models in results/: symmetries, and what each can tell apart."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from torch import Tensor

from symtrip.data import B8Pairs
from symtrip.environments import Environments
from symtrip.models import EnergyModel, KernelModel, for_use
from symtrip.train import pair_errors

RESULTS = Path(__file__).parents[2] / "results"
FILES = {
    "B_NL": RESULTS / "paper/b_nl",
    "B_NL, inversion": RESULTS / "short/b_nl_inversion",
    "D_NL": RESULTS / "short/d_nl",
    "best": RESULTS / "best/best",
}
EPS = torch.finfo(torch.float32).eps

Model = torch.nn.Module


@pytest.fixture(scope="module")
def models() -> dict[str, Model]:
    def load(name: str) -> Model:
        kind = KernelModel if name == "best" else EnergyModel
        return kind.load(FILES[name].with_suffix(".safetensors"))

    return {name: load(name) for name in FILES}


@pytest.fixture(scope="module")
def validation() -> B8Pairs:
    return B8Pairs.load().validation.labelled


@pytest.fixture(scope="module")
def pairs(validation: B8Pairs) -> B8Pairs:
    return validation.subset(slice(None, None, 25))


def energies(model: Model, positions: Tensor) -> Tensor:
    with torch.no_grad():
        return model(Environments.from_positions(positions.flatten(0, -3), 5, radius=2.0))


@pytest.fixture(scope="module")
def values(models: dict[str, Model], pairs: B8Pairs) -> dict[str, Tensor]:
    """Name -> (P, 2) eV."""
    return {name: energies(model, pairs.positions).view(-1, 2) for name, model in models.items()}


@pytest.mark.parametrize("name", FILES)
def test_energies_do_not_change_under_rotation_and_permutation(models, pairs, values, name) -> None:
    rotation = torch.linalg.qr(
        torch.randn(3, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    ).Q
    rotation *= rotation.det().sign()
    order = torch.tensor([0, 5, 3, 7, 1, 2, 6, 4])  # atom 0 is the centre
    moved = energies(models[name], (pairs.positions[:5] @ rotation.T)[:, :, order])
    # networks in float32: 5e-7 of the spread measured
    change = (moved - values[name][:5].flatten()).abs().max()
    assert change <= 32 * EPS * values[name].std()


@pytest.mark.parametrize(
    ("name", "invariant"),
    [("B_NL", False), ("B_NL, inversion", True), ("D_NL", False), ("best", True)],
)
def test_inversion(models, pairs, values, name, invariant) -> None:
    inverted = energies(models[name], -pairs.positions[:5])
    change = (inverted - values[name][:5].flatten()).abs().max()
    assert (change <= 1e-5 * values[name].std()) == invariant


@pytest.mark.parametrize(
    ("name", "separates"),
    [("B_NL", True), ("B_NL, inversion", True), ("D_NL", False), ("best", True)],
)
def test_only_models_on_triplets_separate_the_members_of_a_pair(values, name, separates) -> None:
    gap = (values[name][:, 0] - values[name][:, 1]).abs()
    if separates:
        assert gap.median() > 1e-3 * values[name].std()
    else:
        assert gap.max() <= 1e-5 * values[name].std()


@pytest.mark.parametrize("name", ["B_NL", "B_NL, inversion", "D_NL"])
def test_shipped_weights_have_the_recorded_errors(models, validation, name) -> None:
    recorded = json.loads(FILES[name].with_suffix(".json").read_text(encoding="utf-8"))
    (entry,) = recorded["models"].values()
    # the last pair got its second label after these were trained
    validation = validation.subset(slice(recorded["pairs"]["validation"]))
    parts = validation.positions.split(50)
    model = for_use(models[name])
    found = torch.cat([energies(model, part) for part in parts]).view(-1, 2)
    # weights are kept in float32
    expected = pytest.approx((entry["validation"]["mean"], entry["validation"]["diff"]), rel=1e-4)
    errors = pair_errors(found, validation.energies)
    assert (errors.mean, errors.diff) == expected


def test_the_kernel_model_has_the_recorded_kind_of_errors(pairs, values) -> None:
    recorded = json.loads(FILES["best"].with_suffix(".json").read_text(encoding="utf-8"))
    found = pair_errors(values["best"], pairs.energies)
    # 20 of the 500 pairs; all of them take minutes
    assert 0.4 <= found.mean / recorded["validation"]["mean"] <= 2.0
    assert 0.4 <= found.diff / recorded["validation"]["diff"] <= 2.0
