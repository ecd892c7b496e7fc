"""Contracts of `symtrip reproduce` on a few pairs and tiny models."""

from __future__ import annotations

import errno
import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch
from safetensors import SafetensorError

from symtrip.cli.main import main
from symtrip.data import B8Pairs
from symtrip.errors import InputError
from symtrip.files import save_tensors
from symtrip.models import FeatureSettings, NetworkSettings
from symtrip.progress import Progress, silent
from symtrip.reproduce import ModelPlan, Preset, paper_errors, reproduce
from symtrip.reproduce.invariants import (
    Invariants,
    InvariantSettings,
    compress_invariants,
    load_invariants,
)
from symtrip.reproduce.presets import LatentSettings, RowName
from symtrip.train import Epoch, TrainingSettings, paired

_TINY = NetworkSettings(hidden=12)


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


def _vectors_preset() -> Preset:
    """Models A and C, whose stages build on each other."""
    training = TrainingSettings(epochs=3, batch_pairs=4, checkpoint_seconds=0.0)
    names: list[RowName] = ["A_rho_L", "A_L", "A_rho_NL", "A_NL", "C_NL", "C_L"]
    return Preset(
        seeds=1,
        features=FeatureSettings(components=12, sample=4),
        invariants=InvariantSettings(
            max_nu=4, kept={2: (4,) * 7, 3: (5,) * 8}, sample=16, components=24, inputs=24
        ),
        models={
            name: ModelPlan(
                model=name,
                network=_TINY,
                latent=LatentSettings(size=8, hidden=16),
                training=training,
            )
            for name in names
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
    assert again.lines[0] == "D_L-seed0: cached"
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


@pytest.fixture(scope="module")
def vectors(pairs: B8Pairs, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("vectors")
    reproduce(_vectors_preset(), folder, Log(), pairs=pairs, figures="none")
    return folder


def test_models_of_latent_vectors_continue_after_a_kill_to_the_same_results(
    pairs: B8Pairs, vectors: Path, tmp_path: Path
) -> None:
    for _ in range(2):  # in A_rho_NL, then in C_NL
        with pytest.raises(SystemError):
            reproduce(_vectors_preset(), tmp_path, Log(die_after=7), pairs=pairs, figures="none")
    again = Log()
    reproduce(_vectors_preset(), tmp_path, again, pairs=pairs, figures="none")
    assert "A_rho_NL-seed0: cached" in again.lines
    assert any("resuming" in line for line in again.lines)
    assert (tmp_path / "results.json").read_bytes() == (vectors / "results.json").read_bytes()


_JOB = """
import sys
import torch
from symtrip.data import B8Pairs
from symtrip.reproduce import Preset, reproduce
from symtrip.train.console import ConsoleReport

torch.set_num_threads(int(sys.argv[3]))
data = B8Pairs.load().labelled
chosen = data.subset((data.index < 12) | ((data.index >= 3500) & (data.index < 3508)))
preset = Preset.model_validate_json(sys.argv[1])
reproduce(preset, sys.argv[2], ConsoleReport(), pairs=chosen, figures="none")
"""


def test_a_process_that_is_killed_again_and_again_ends_with_the_same_results(
    vectors: Path, tmp_path: Path
) -> None:
    words = [_vectors_preset().model_dump_json(), str(tmp_path), str(torch.get_num_threads())]
    command = [sys.executable, "-c", _JOB, *words]
    for wanted in ("nice-*", "inputs-*", "A_rho_NL-*/checkpoint.safetensors", "C_NL-*"):
        with subprocess.Popen(command, stderr=subprocess.DEVNULL) as job:
            deadline = time.monotonic() + 120
            while job.poll() is None and not list((tmp_path / "cache").glob(wanted)):
                assert time.monotonic() < deadline, f"no {wanted} within two minutes"
                time.sleep(0.001)
            job.send_signal(signal.SIGKILL)
        assert job.returncode == -signal.SIGKILL
        assert not (tmp_path / "results.json").exists()
    assert subprocess.run(command, capture_output=True, check=False).returncode == 0
    assert (tmp_path / "results.json").read_bytes() == (vectors / "results.json").read_bytes()


def test_the_linear_encoder_gives_both_members_of_a_pair_the_same_energy(
    pairs: B8Pairs, vectors: Path
) -> None:
    models = json.loads((vectors / "results.json").read_text())["models"]
    difference = pairs.validation.energies[:, 0] - pairs.validation.energies[:, 1]
    blind = float(difference.square().mean().sqrt() / difference.std(correction=0))
    linear, nonlinear = (
        abs(models[name]["validation"]["diff"] - blind) for name in ("A_L", "A_NL")
    )
    # float32 predictions, 1e3 eps of float32; three epochs do not teach A_NL much: measured 1.8e-4
    assert linear < 1e3 * 1.2e-7 < nonlinear


def test_what_as_many_components_as_the_decoder_is_wide_miss_is_said(vectors: Path) -> None:
    models = json.loads((vectors / "results.json").read_text())["models"]
    assert {name for name in models if "limit" in models[name]} == {"A_rho_L", "A_rho_NL"}
    limit = models["A_rho_NL"]["limit"]
    assert limit == models["A_rho_L"]["limit"]
    for part in ("training", "validation"):
        assert 0 < limit[part]["mean"] < models["A_rho_NL"][part]["mean"]
        assert 0 < limit[part]["diff"] < 1
    assert (
        "A_rho_NL: a last layer that reads 16 numbers alone misses at least"
        in (vectors / "tables.md").read_text()
    )


def test_rows_that_were_not_trained_are_named_under_the_table(
    pairs: B8Pairs, finished: Path, tmp_path: Path
) -> None:
    content = reproduce(_preset(), tmp_path, Log(), pairs=pairs, only=["D_L"])
    assert list(content["models"]) == ["D_L"]
    assert "Not trained here: B_L" in (tmp_path / "tables.md").read_text()
    assert "Not trained" not in (finished / "tables.md").read_text()


def test_an_unknown_row_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="D_L, B_L"):
        reproduce(_preset(), tmp_path, Log(), only=["E_NL"])


def test_a_folder_that_cannot_be_written_is_refused_before_the_work(
    pairs: B8Pairs, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("no folder")
    log = Log()
    with pytest.raises(NotADirectoryError):
        reproduce(_preset(), tmp_path / "file", log, pairs=pairs)
    assert log.lines == []


def test_a_full_disk_is_the_systems_error_and_leaves_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise SafetensorError("I/O error: No space left on device (os error 28)")

    monkeypatch.setattr("safetensors.torch.save_file", full)
    with pytest.raises(OSError, match="No space left") as caught:
        save_tensors(tmp_path / "x.safetensors", {"x": torch.zeros(2)})
    assert caught.value.errno == errno.ENOSPC
    assert list(tmp_path.iterdir()) == []


def test_errors_over_all_columns_do_not_depend_on_how_many_components_are_kept(
    tmp_path: Path,
) -> None:
    generator = torch.Generator().manual_seed(0)
    stack = torch.randn(24, 9, generator=generator, dtype=torch.float64).to(torch.float32)
    parity = torch.tensor([1, 1, 1, 1, 1, -1, -1, -1, -1])
    save_tensors(tmp_path / "invariants-00000.safetensors", {"invariants": stack})
    sets = {"training": torch.arange(8), "validation": torch.arange(8, 12)}
    errors = []
    for kept in (4, 9):
        place = tmp_path / str(kept)
        compress_invariants(place, tmp_path, parity, kept, sets, Log(), torch.device("cpu"))
        invariants = load_invariants(place, "validation")
        parts = (invariants, invariants.only(invariants.largest(3)))
        errors += [part.errors(torch.zeros_like(part.values)) for part in parts]
    centred = stack.double() - torch.where(parity > 0, stack[:16].double().mean(dim=0), 0.0)
    rows = paired(centred[16:])
    size = rows.square().mean().sqrt()
    mean = float(rows.mean(dim=1).square().mean().sqrt() / size)
    for got in errors:
        # components are stored in float32
        assert abs(got.mean - mean) < 1e-6
        assert abs(got.diff - 1.0) < 1e-6


def test_the_largest_columns_are_kept_and_the_errors_of_the_others_counted() -> None:
    generator = torch.Generator().manual_seed(0)
    size = torch.tensor([1.0, 5.0, 0.1, 3.0, 2.0, 0.2])
    values = size * torch.randn(40, 2, 6, generator=generator)
    every = Invariants(values, 4, torch.ones(40, 2))
    columns = every.largest(3)
    assert columns.tolist() == [1, 3, 4]
    some = every.only(columns)
    assert some.n_even == 2
    predicted = torch.zeros_like(values)
    predicted[..., columns] = values[..., columns] + torch.randn(40, 2, 3, generator=generator)
    want, got = every.errors(predicted), some.errors(predicted[..., columns])
    assert abs(got.mean - want.mean) <= 1e-12 * want.mean
    assert abs(got.diff - want.diff) <= 1e-12 * want.diff


def test_more_components_than_inputs_are_refused() -> None:
    with pytest.raises(ValueError, match="must not exceed `inputs`, got 20 and 10"):
        InvariantSettings(components=20, inputs=10)


def test_the_table_of_the_paper_has_its_ten_models() -> None:
    assert len(paper_errors()) == 10


def test_a_gpu_that_is_not_there_is_refused(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert main(["reproduce", "--device", "cuda"]) == 2
    assert "--device" in capsys.readouterr().err


def test_an_unknown_preset_is_refused_with_exit_code_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["reproduce", "--preset", "fast"]) == 2
    assert "quick, paper, best" in capsys.readouterr().err
