"""Contracts of the kernel model and of further pairs in `symtrip reproduce`, on a few pairs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from symtrip.data import N_PAIRS, B8Pairs
from symtrip.degenerate import sample_b8_parameters
from symtrip.environments import Environments
from symtrip.errors import InputError
from symtrip.models import (
    ExpansionSettings,
    FeatureSettings,
    KernelModel,
    KernelSettings,
    NetworkSettings,
    PairKernelSettings,
    RandomFeatureModel,
    RandomFeatureSettings,
    load_model,
)
from symtrip.progress import Progress, silent
from symtrip.reproduce import ModelPlan, Preset, reproduce
from symtrip.reproduce.invariants import InvariantSettings
from symtrip.reproduce.presets import LatentSettings, RandomRegressionSettings, RowName
from symtrip.train import Epoch, TrainConfig, TrainingSettings, pair_errors, paired, train

_KERNEL = KernelSettings(
    terms=tuple(
        PairKernelSettings(
            expansion=ExpansionSettings(n_radial=2, max_angular=2), components=8, length=length
        )
        for length in (0.7, 1.0)
    ),
    sample=6,
    noise=1e-6,
    difference_noise=1e-8,
)
_RANDOM = RandomRegressionSettings(
    features=RandomFeatureSettings(terms=_KERNEL.terms, n_features=200, sample=6),
    noise=(1e-9, 1e-6),
)
_TRAINING = TrainingSettings(epochs=2, batch_pairs=4, checkpoint_seconds=0.0)


class Log:
    """A report that remembers what was said and can stop at a progress of a stage."""

    def __init__(self, stop_in: str | None = None, after: int = 1) -> None:
        self.lines: list[str] = []
        self._stop_in, self._after = stop_in, after

    @contextmanager
    def stage(self, title: str) -> Iterator[Progress]:
        def progress(_done: int, _total: int) -> None:
            if self._stop_in is not None and self._stop_in in title:
                self._after -= 1
                if self._after == 0:
                    raise SystemError("killed")

        yield progress if self._stop_in else silent

    def epoch(self, _record: Epoch) -> None:
        """Nothing to remember."""

    def say(self, text: str) -> None:
        self.lines.append(text)


@pytest.fixture(scope="module")
def pairs() -> B8Pairs:
    data = B8Pairs.load().labelled
    few = data.index.new_tensor([*range(10), *range(len(data) - 4, len(data))])
    return data.subset(few)


def _preset(names: list[RowName], further: int) -> Preset:
    return Preset(
        seeds=1,
        features=FeatureSettings(components=12, sample=4),
        invariants=InvariantSettings(
            max_nu=4, kept={2: (4,) * 7, 3: (5,) * 8}, sample=16, components=24, inputs=24
        ),
        teacher=_KERNEL,
        further_pairs=further,
        models={
            name: ModelPlan(
                model=name,
                network=NetworkSettings(hidden=12),
                latent=LatentSettings(size=8, hidden=16),
                training=_TRAINING,
                kernel=_KERNEL,
                random=_RANDOM,
            )
            for name in names
        },
    )


def test_a_killed_fit_of_kernels_continues_to_the_same_model(
    pairs: B8Pairs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("symtrip.reproduce.kernels._ROWS_A_FILE", 6)
    preset = _preset(["kernel"], 0)
    wanted = reproduce(preset, tmp_path / "whole", Log(), pairs=pairs, figures="none")
    with pytest.raises(SystemError):
        reproduce(preset, tmp_path / "cut", Log("kernels", 3), pairs=pairs, figures="none")
    left = {file.name for file in (tmp_path / "cut").glob("cache/kernel-*/rows-*")}
    assert left == {
        "rows-0-000000.safetensors",
        "rows-0-000006.safetensors",
        "rows-0-000012.safetensors",
    }
    found = reproduce(preset, tmp_path / "cut", Log(), pairs=pairs, figures="none")
    assert found == wanted
    whole, cut = (
        load_file(next((tmp_path / name).glob("cache/kernel-*/model.safetensors")))
        for name in ("whole", "cut")
    )
    assert all(torch.equal(tensor, cut[key]) for key, tensor in whole.items())
    assert not list(tmp_path.glob("*/cache/kernel-*/rows-*"))


def test_the_kernel_model_knows_its_training_pairs(pairs: B8Pairs, tmp_path: Path) -> None:
    reproduce(_preset(["kernel"], 0), tmp_path, Log(), pairs=pairs, figures="none")
    place = next(tmp_path.glob("cache/kernel-*"))
    errors = json.loads((place / "errors.json").read_text(encoding="utf-8"))
    assert errors["training"]["mean"] < 1e-2 < errors["left_out"]["mean"]
    model = KernelModel.load(place / "model.safetensors")
    assert model.support.shape == (20, 8, 3)


def test_the_row_random_is_the_model_in_its_file(pairs: B8Pairs, tmp_path: Path) -> None:
    log = Log()
    content = reproduce(_preset(["random"], 0), tmp_path, log, pairs=pairs, figures="none")
    place = next(tmp_path.glob("cache/random-*"))
    errors = json.loads((place / "errors.json").read_text(encoding="utf-8"))
    assert errors["training"]["mean"] < 1e-2 < errors["left_out"]["mean"]
    assert content["models"]["random"]["validation"] == errors["validation"]
    assert any(line.startswith("random, seed 0: noise ") for line in log.lines)
    model = load_model(place / "model.safetensors")
    assert isinstance(model, RandomFeatureModel)
    for name, part in (("training", pairs.train), ("validation", pairs.validation)):
        env = Environments.from_positions(part.positions.flatten(0, 1), part.numbers, radius=2.0)
        with torch.no_grad():
            found = pair_errors(paired(model(env)), part.energies)
        for error in ("mean", "diff"):
            # coefficients cancel to about five digits
            assert abs(getattr(found, error) - errors[name][error]) < 1e-6
    again = reproduce(_preset(["random"], 0), tmp_path, log, pairs=pairs, figures="none")
    assert again == content
    assert log.lines[-1] == "random-seed0: cached"


def test_further_pairs_continue_the_papers_draw(pairs: B8Pairs) -> None:
    further = B8Pairs.further(3)
    drawn = torch.from_numpy(sample_b8_parameters(N_PAIRS + 3))
    assert torch.equal(further.parameters, drawn[N_PAIRS:])
    assert torch.equal(drawn[: len(pairs)][:5], B8Pairs.load().parameters[:5])
    assert not further.mask.any()
    with pytest.raises(InputError, match="count"):
        B8Pairs.further(-1)


def test_further_pairs_are_labelled_once_and_all_models_use_them(
    pairs: B8Pairs, tmp_path: Path
) -> None:
    names: list[RowName] = ["B_L", "D_L", "A_rho_NL", "A_NL", "C_L"]
    first, again = Log(), Log()
    content = reproduce(_preset(names, 6), tmp_path, first, pairs=pairs, figures="none")
    assert set(content["models"]) == set(names)
    assert content["pairs"] == {"training": 10, "validation": 4}
    assert len(list(tmp_path.glob("cache/further-*"))) == 1
    assert reproduce(_preset(names, 6), tmp_path, again, pairs=pairs, figures="none") == content
    without = reproduce(_preset(names, 0), tmp_path, Log(), pairs=pairs, figures="none")
    for name in names:
        assert without["models"][name] != content["models"][name]


def test_further_pairs_without_energies_are_refused(pairs: B8Pairs, tmp_path: Path) -> None:
    config = TrainConfig(model="D_L", output=str(tmp_path), training=_TRAINING)
    with pytest.raises(InputError, match="further"):
        train(config, Log(), pairs=pairs, further=B8Pairs.further(2))
