"""Contracts of `symtrip reproduce` on a few pairs and tiny models."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from symtrip.cli.main import main
from symtrip.data import B8Pairs
from symtrip.models import FeatureSettings, NetworkSettings
from symtrip.progress import Progress, silent
from symtrip.reproduce import ModelPlan, Preset, paper_errors, reproduce
from symtrip.train import Epoch, TrainingSettings

_TINY = NetworkSettings(hidden=8)


class Log:
    """A report that remembers what was said and can stop like Ctrl-C or a killed process."""

    def __init__(self, die_after: int | None = None) -> None:
        self.lines: list[str] = []
        self.epochs, self._die_after = 0, die_after

    @contextmanager
    def stage(self, _title: str) -> Iterator[Progress]:
        yield silent

    def epoch(self, _record: Epoch) -> None:
        self.epochs += 1
        if self.epochs == self._die_after:
            raise SystemError("killed")

    def say(self, text: str) -> None:
        self.lines.append(text)


def _preset(epochs: int = 4) -> Preset:
    training = TrainingSettings(epochs=epochs, batch_pairs=4, checkpoint_seconds=0.0)
    return Preset(
        seeds=1,
        features=FeatureSettings(components=12, sample=4),
        models={
            name: ModelPlan(model=name, network=_TINY, training=training) for name in ("D_L", "B_L")
        },
    )


@pytest.fixture(scope="module")
def pairs() -> B8Pairs:
    data = B8Pairs.load().labelled
    return data.subset((data.index < 12) | ((data.index >= 3500) & (data.index < 3508)))


@pytest.fixture(scope="module")
def finished(pairs: B8Pairs, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("whole")
    reproduce(_preset(), folder, Log(), pairs=pairs)
    return folder


def test_a_killed_reproduction_continues_to_the_same_results(
    pairs: B8Pairs, finished: Path, tmp_path: Path
) -> None:
    with pytest.raises(SystemError):
        reproduce(_preset(), tmp_path, Log(die_after=6), pairs=pairs)
    again = Log()
    reproduce(_preset(), tmp_path, again, pairs=pairs)
    assert again.lines[0] == "D_L, seed 0: cached"
    assert 0 < again.epochs < 4
    assert (tmp_path / "results.json").read_bytes() == (finished / "results.json").read_bytes()


def test_finished_stages_are_not_trained_again(pairs: B8Pairs, finished: Path) -> None:
    log = Log()
    reproduce(_preset(), finished, log, pairs=pairs)
    assert log.epochs == 0


def test_changed_settings_are_computed_anew_and_said_so(pairs: B8Pairs, finished: Path) -> None:
    log = Log()
    before = (finished / "results.json").read_bytes()
    reproduce(_preset(epochs=3), finished, log, pairs=pairs)
    assert log.epochs == 6
    assert all("computed anew" in line for line in log.lines)
    reproduce(_preset(), finished, Log(), pairs=pairs)
    assert (finished / "results.json").read_bytes() == before


def test_linear_rows_cannot_tell_members_of_a_pair_apart(pairs: B8Pairs, finished: Path) -> None:
    models = json.loads((finished / "results.json").read_text())["models"]
    for part, data in (("validation", pairs.validation), ("training", pairs.train)):
        difference = data.energies[:, 0] - data.energies[:, 1]
        # 1 but for the mean of the few differences
        blind = float(difference.square().mean().sqrt() / difference.std(correction=0))
        for model in models.values():
            # float32 predictions: 1e3 eps of float32
            assert abs(model[part]["diff"] - blind) < 1e3 * 1.2e-7


def test_the_table_of_the_paper_has_its_ten_models() -> None:
    assert len(paper_errors()) == 10


def test_an_unknown_preset_is_refused_with_exit_code_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["reproduce", "--preset", "fast"]) == 2
    assert "quick, paper, best" in capsys.readouterr().err
