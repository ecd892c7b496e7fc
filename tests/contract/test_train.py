"""Training: resumable to the bit, honest selection, the paper's two errors."""

from __future__ import annotations

import json
import math
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Literal

import pytest
import torch

from symtrip.data import B8Pairs
from symtrip.errors import InputError
from symtrip.models import EnergyModel, InvariantEnergy, load_model
from symtrip.train import (
    LabelledPairs,
    PairErrors,
    TrainConfig,
    Trainer,
    TrainingSettings,
    TrainResult,
    load_config,
    pair_errors,
    split_pairs,
    train,
)
from symtrip.train.console import ConsoleReport

EPS = torch.finfo(torch.float64).eps
SMALL = """
model = "{model}"
output = "{output}"
seed = 3
[data]
training_pairs = 30
[expansion]
n_radial = 2
max_angular = 1
[features]
components = 12
sample = 20
[network]
hidden = 12
[training]
epochs = {epochs}
batch_pairs = 8
checkpoint_seconds = {every}
"""


def write_config(path: Path, *, epochs: int = 4, every: float = 0.0, model: str = "B_NL") -> Path:
    path.mkdir(parents=True, exist_ok=True)
    file = path / "run.toml"
    file.write_text(SMALL.format(model=model, output=path / "out", epochs=epochs, every=every))
    return file


def pairs() -> B8Pairs:
    whole = B8Pairs.load().labelled
    return whole.subset(torch.cat([torch.arange(30), torch.arange(len(whole) - 10, len(whole))]))


def run(path: Path, **options: bool) -> TrainResult:
    return train(load_config(path), ConsoleReport(), pairs=pairs(), **options)


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return EnergyModel.load(folder / "out" / "model.safetensors").state_dict()


def test_a_run_leaves_a_model_and_its_results(tmp_path: Path) -> None:
    result = run(write_config(tmp_path))
    written = json.loads((tmp_path / "out" / "results.json").read_text())
    assert written["models"]["B_NL"]["validation"] == {
        "mean": result.validation.errors.mean,
        "diff": result.validation.errors.diff,
    }
    assert written["pairs"] == {"training": 30, "validation": 10}
    loaded = EnergyModel.load(tmp_path / "out" / "model.safetensors")
    for name, value in result.model.state_dict().items():
        assert torch.equal(loaded.state_dict()[name], value), name


def test_the_same_seed_gives_the_same_weights(tmp_path: Path) -> None:
    for name in ("a", "b"):
        run(write_config(tmp_path / name))
    first, second = weights(tmp_path / "a"), weights(tmp_path / "b")
    assert all(torch.equal(first[key], second[key]) for key in first)


def test_a_killed_run_ends_with_the_weights_of_an_uninterrupted_one(tmp_path: Path) -> None:
    epochs = 60
    straight, killed = (write_config(tmp_path / n, epochs=epochs) for n in ("straight", "killed"))
    command = [sys.executable, "-m", "symtrip", "train"]
    assert subprocess.run([*command, straight], capture_output=True, check=False).returncode == 0
    checkpoint = tmp_path / "killed" / "out" / "checkpoint.safetensors"
    with subprocess.Popen([*command, killed], stderr=subprocess.DEVNULL) as job:
        deadline = time.monotonic() + 120
        while not checkpoint.exists():
            assert time.monotonic() < deadline, "no checkpoint within two minutes"
            time.sleep(0.005)
        job.send_signal(signal.SIGKILL)
    assert not (tmp_path / "killed" / "out" / "model.safetensors").exists()
    again = subprocess.run([*command, killed, "--resume"], capture_output=True, check=False)
    assert again.returncode == 0
    first, second = weights(tmp_path / "straight"), weights(tmp_path / "killed")
    assert all(torch.equal(first[key], second[key]) for key in first)


@pytest.mark.parametrize("optimiser", ["adamw", "muon", "soap"])
def test_a_restored_trainer_takes_the_same_steps(
    optimiser: Literal["adamw", "muon", "soap"],
) -> None:
    generator = torch.Generator().manual_seed(0)
    data = LabelledPairs(
        torch.randn(40, 6, generator=generator), torch.randn(20, 2, generator=generator)
    )
    settings = TrainingSettings(epochs=4, batch_pairs=4, optimiser=optimiser)

    def fresh() -> Trainer:
        weights = torch.Generator().manual_seed(1)
        energy = InvariantEnergy(6, 6, 8, nonlinear=True, generator=weights)
        return Trainer(energy, data[:16], data[16:], settings, seed=2)

    straight, stopped, continued = fresh(), fresh(), fresh()
    before = {name: value.clone() for name, value in stopped.network.state_dict().items()}
    for _ in straight.run():
        pass
    for _ in stopped.run(lambda: stopped.step == 7):
        pass
    tensors, values = stopped.state()
    continued.restore(tensors, json.loads(json.dumps(values)))
    for _ in continued.run():
        pass
    names = [name for name, _ in stopped.network.named_parameters()]
    want, got = straight.best_state(), continued.best_state()
    assert all(torch.equal(got[name], want[name]) for name in want)
    assert all(not torch.equal(stopped.network.get_parameter(name), before[name]) for name in names)


def test_an_interrupted_run_says_how_to_continue(tmp_path: Path) -> None:
    file = write_config(tmp_path, epochs=10**6)
    command = [sys.executable, "-m", "symtrip", "train", str(file)]
    checkpoint = tmp_path / "out" / "checkpoint.safetensors"
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as job:
        deadline = time.monotonic() + 120
        while not checkpoint.exists():
            assert time.monotonic() < deadline, "no checkpoint within two minutes"
            time.sleep(0.005)
        job.send_signal(signal.SIGINT)
        _, stderr = job.communicate(timeout=60)
    assert job.returncode == 130
    assert "--resume) continues" in " ".join(stderr.split())
    assert "Traceback" not in stderr


def test_a_folder_that_cannot_be_written_is_refused_before_the_work(tmp_path: Path) -> None:
    file = write_config(tmp_path)
    (tmp_path / "out").write_text("no folder")
    with pytest.raises(NotADirectoryError):
        run(file)


def test_a_finished_folder_is_not_overwritten(tmp_path: Path) -> None:
    file = write_config(tmp_path)
    run(file)
    with pytest.raises(InputError, match=r"`output` must be a folder without a.*--resume"):
        run(file)


def test_a_checkpoint_of_another_configuration_is_refused(tmp_path: Path) -> None:
    run(write_config(tmp_path))
    changed = write_config(tmp_path, epochs=5)
    with pytest.raises(InputError, match=r"training.epochs = 5 instead of 4"):
        run(changed, resume=True)


def test_a_checkpoint_of_other_labels_is_refused(tmp_path: Path) -> None:
    file = write_config(tmp_path)
    run(file)
    other = pairs()
    other.energies[0] += other.energies.new_tensor([1e-3, -1e-3])
    with pytest.raises(InputError, match=r"`config` must be the one .*pairs = .* instead of"):
        train(load_config(file), ConsoleReport(), pairs=other, resume=True)


def test_a_network_that_is_not_trained_is_no_model(tmp_path: Path) -> None:
    run(write_config(tmp_path))
    file = tmp_path / "out" / "descriptor.safetensors"
    for load in (EnergyModel.load, load_model):
        with pytest.raises(InputError, match="without a trained network"):
            load(file)
    assert EnergyModel.load(file, trained=False).spec.model == "B_NL"


def test_a_damaged_checkpoint_is_named(tmp_path: Path) -> None:
    file = write_config(tmp_path)
    run(file)
    (tmp_path / "out" / "checkpoint.safetensors").write_bytes(b"\x10\x00")
    with pytest.raises(InputError, match=r"`checkpoint` must be an intact safetensors file"):
        run(file, resume=True)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('modle = "B_NL"', r"got 'modle'; did you mean `model`"),
        ('model = "E_NL"', r"`model` must be valid"),
        ('model = "B_NL"\n[training]\nepoch = 3', r"`training.epoch` .*did you mean `epochs`"),
        ('model = "B_NL"\n[training]\nepochs = 0', r"`training.epochs` must be valid"),
        ('model = "B_NL"\n[expansion]\nradius = -1.0', r"`expansion.radius` must be valid"),
        ("", r"`model` must be given"),
        ("model = ", r"`config` must name a readable TOML file"),
    ],
)
def test_a_bad_configuration_is_named(line: str, message: str, tmp_path: Path) -> None:
    file = tmp_path / "bad.toml"
    file.write_text(line)
    with pytest.raises(InputError, match=message):
        load_config(file)


def test_a_misspelt_key_ends_the_command_with_code_2(tmp_path: Path) -> None:
    file = tmp_path / "bad.toml"
    file.write_text('model = "B_NL"\nsede = 1\n')
    done = subprocess.run(
        [sys.executable, "-m", "symtrip", "train", file],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "did you mean `seed`" in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr


def test_impossible_expansions_are_refused_before_training(tmp_path: Path) -> None:
    config = TrainConfig.model_validate(
        {"model": "D_NL", "output": str(tmp_path), "expansion": {"cutoff_width": 3.0}}
    )
    with pytest.raises(InputError, match=r"`width` must satisfy 0 < width <= radius = 2.0"):
        train(config, ConsoleReport(), pairs=pairs())


def test_the_errors_are_those_of_the_paper() -> None:
    target = torch.tensor([[1.0, 3.0], [5.0, 5.0], [2.0, 8.0]], dtype=torch.float64)
    predicted = target + torch.tensor([[0.5, 0.1], [0.0, 0.2], [-0.3, 0.3]], dtype=torch.float64)
    means = [0.3, 0.1, 0.0]
    differences = [0.4, -0.2, -0.6]
    spread = math.sqrt(sum((t - 4.0) ** 2 for t in (1, 3, 5, 5, 2, 8)) / 6)
    wanted = [-2.0, 0.0, -6.0]
    centre = sum(wanted) / 3
    spread_diff = math.sqrt(sum((w - centre) ** 2 for w in wanted) / 3)
    got = pair_errors(predicted, target)
    assert got.mean == pytest.approx(math.sqrt(sum(x * x for x in means) / 3) / spread, rel=8 * EPS)
    assert got.diff == pytest.approx(
        math.sqrt(sum(x * x for x in differences) / 3) / spread_diff, rel=8 * EPS
    )
    assert pair_errors(target, target) == PairErrors(0.0, 0.0)


def test_missing_labels_cannot_enter_the_errors() -> None:
    target = torch.tensor([[1.0, math.nan], [5.0, 5.0]], dtype=torch.float64)
    with pytest.raises(InputError, match=r"`target` must be finite, got 1 NaN"):
        pair_errors(torch.zeros(2, 2).double(), target)


def test_selection_pairs_are_training_pairs_kept_aside() -> None:
    fit, select = split_pairs(50, 0.1, seed=0)
    assert len(select) == 5
    assert sorted(torch.cat([fit, select]).tolist()) == list(range(50))
    again, _ = split_pairs(50, 0.1, seed=0)
    assert torch.equal(fit, again)


def test_training_needs_neither_ase_nor_vesin_nor_scipy(tmp_path: Path) -> None:
    file = write_config(tmp_path, epochs=1, every=1e9)
    script = (
        "import sys; from symtrip.cli.main import main; "
        f"code = main(['train', {str(file)!r}]); "
        "bad = {'ase', 'vesin', 'scipy', 'pyscf', 'matplotlib'} & set(sys.modules); "
        "sys.exit(f'{code} {bad}' if code or bad else 0)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
