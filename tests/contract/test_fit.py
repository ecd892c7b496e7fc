"""Training on energies and forces of structures in a file."""

from __future__ import annotations

import json
import math
import signal
import subprocess
import sys
import time
from pathlib import Path

import ase
import ase.io
import numpy as np
import pytest
import torch
from ase.calculators.singlepoint import SinglePointCalculator
from molecules import scattered
from safetensors.torch import load_file

from symtrip.cli.main import main
from symtrip.environments import Environments
from symtrip.errors import InputError
from symtrip.interop import predict
from symtrip.models import load_model
from symtrip.train.console import ConsoleReport
from symtrip.train.structures import FitConfig, fit, read_labelled

ATOMIC = {1: -3.0, 8: -7.0}  # eV


def pair_energy(positions: np.ndarray) -> tuple[float, np.ndarray]:
    """Sum of exp(-r) over pairs, and its forces."""
    d = positions[:, None] - positions[None]
    r = np.linalg.norm(d, axis=-1) + np.eye(len(d))
    e = np.exp(-r) * (1 - np.eye(len(d)))
    return 0.5 * e.sum(), (e / r)[..., None].__mul__(d).sum(axis=1)


def labelled(rng: np.random.Generator, numbers: list[int]) -> ase.Atoms:
    """A molecule of atoms that are not too close."""
    positions = scattered(rng, len(numbers), 0.7)
    atoms = ase.Atoms(numbers, positions)
    energy, forces = pair_energy(positions)
    energy += sum(ATOMIC[z] for z in numbers)
    atoms.calc = SinglePointCalculator(atoms, energy=energy, forces=forces)
    return atoms


@pytest.fixture(scope="module")
def structures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    rng = np.random.default_rng(0)
    shapes = ([8, 1, 1], [8, 8, 1, 1], [1, 1, 1])
    frames = [labelled(rng, shapes[i % 3]) for i in range(24)]
    path = tmp_path_factory.mktemp("fit") / "train.xyz"
    ase.io.write(path, frames, format="extxyz")
    return path


def config(structures: Path, folder: Path, **changes: object) -> FitConfig:
    values: dict[str, object] = {
        "structures": str(structures),
        "output": str(folder),
        "expansion": {"n_radial": 2, "max_angular": 1},
        "features": {"components": 12, "sample": 20},
        "network": {"hidden": 12, "smooth_cutoff": True},
        "training": {"epochs": 3, "batch_structures": 5, "checkpoint_seconds": 0.0},
    }
    return FitConfig.model_validate(values | changes)


@pytest.fixture(scope="module")
def finished(structures: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("finished")
    larger = {
        "expansion": {"n_radial": 3, "max_angular": 1},
        "network": {"hidden": 16, "smooth_cutoff": True},
        "training": {
            "epochs": 60,
            "batch_structures": 5,
            "dtype": "float64",
            "learning_rate": 0.005,
        },
    }
    fit(config(structures, folder, **larger), ConsoleReport())
    return folder


def test_a_run_leaves_model_results_and_picture(finished: Path) -> None:
    results = json.loads((finished / "results.json").read_text())
    assert results["training"]["structures"] == 22
    assert results["validation"]["structures"] == 2
    assert (finished / "parity.png").read_bytes().startswith(b"\x89PNG")


def test_training_on_energies_and_forces_learns_a_potential(finished: Path) -> None:
    results = json.loads((finished / "results.json").read_text())
    # without a model: 0.068 eV per centre and 0.21 eV/Å; measured 0.014 and 0.051
    assert results["training"]["energy"] < 0.03
    assert results["training"]["forces"] < 0.1


def test_atomic_energies_are_found_by_least_squares(structures: Path, tmp_path: Path) -> None:
    frames = ase.io.read(structures, ":", format="extxyz")
    rest = 1e-3 * np.random.default_rng(1).standard_normal(len(frames))
    counts = np.array([[np.sum(atoms.numbers == z) for z in ATOMIC] for atoms in frames])
    energies = counts @ np.array(list(ATOMIC.values())) + rest
    for atoms, energy in zip(frames, energies, strict=True):
        atoms.calc = SinglePointCalculator(atoms, energy=energy)
    path = tmp_path / "atoms.xyz"
    ase.io.write(path, frames, format="extxyz")
    result = fit(config(path, tmp_path / "out", validation=str(path)), ConsoleReport())
    assert result.model.elements == tuple(ATOMIC)
    want = np.linalg.lstsq(counts, energies, rcond=None)[0]
    assert np.abs(result.model.atomic_energies.numpy() - want).max() < 1e-12


def test_the_saved_model_has_the_errors_of_the_results(structures: Path, finished: Path) -> None:
    results = json.loads((finished / "results.json").read_text())
    frames = ase.io.read(structures, ":", format="extxyz")
    found = predict(load_model(finished / "model.safetensors"), frames)
    errors, forces = [], []
    for atoms, one in zip(frames, found, strict=True):
        errors.append((one.energy - atoms.get_potential_energy()) / len(atoms))
        forces.append((one.forces - atoms.get_forces()).ravel())
    squares = sum(
        results[name]["energy"] ** 2 * results[name]["structures"]
        for name in ("training", "validation")
    )
    assert math.isclose(np.square(errors).sum(), squares, rel_tol=1e-8)
    components = {name: results[name]["forces"] for name in ("training", "validation")}
    rms = np.sqrt(np.square(np.concatenate(forces)).mean())
    assert min(components.values()) <= rms <= max(components.values())


def test_a_neighbour_at_the_cutoff_comes_and_goes_without_a_jump(finished: Path) -> None:
    model = load_model(finished / "model.safetensors")
    values, slopes = [], []
    for distance in (4.0 - 1e-4, 4.0 + 1e-4):
        atoms = ase.Atoms("OH2", [[0, 0, 0], [0, 0, 1.0], [distance, 0, 0]])
        (found,) = predict(model, [atoms], centers=0)
        values.append(found.energy)
        slopes.append(found.forces[2, 0])
    # the cutoff's square, 1e-8, times the network's slope
    assert abs(values[0] - values[1]) < 1e-5
    assert slopes[1] == 0.0
    assert abs(slopes[0]) < 1e-2


def test_batches_are_the_environments_of_their_structures(structures: Path) -> None:
    every = read_labelled(structures, radius=4.0)
    frames = ase.io.read(structures, ":", format="extxyz")
    rows = torch.tensor([5, 0, 23])
    batch = every.batch(rows)
    wanted = Environments.from_atoms([frames[i] for i in rows], radius=4.0)
    assert torch.equal(batch.environments.vectors, wanted.vectors)
    assert torch.equal(batch.environments.structure, wanted.structure)
    assert torch.equal(batch.environments.neighbor, wanted.neighbor)
    assert batch.energies.tolist() == [frames[i].get_potential_energy() for i in rows]
    assert np.array_equal(batch.forces, np.concatenate([frames[i].get_forces() for i in rows]))


@pytest.mark.parametrize("model", ["B_L", "D_NL"])
def test_all_models_train(structures: Path, tmp_path: Path, model: str) -> None:
    result = fit(config(structures, tmp_path, model=model), ConsoleReport())
    assert math.isfinite(result.validation.energy)
    assert result.validation.forces is not None


def test_energies_alone_suffice_and_centres_can_be_chosen(
    structures: Path, tmp_path: Path, capsys
) -> None:
    frames = ase.io.read(structures, ":", format="extxyz")
    for atoms in frames:
        atoms.info["total"] = atoms.get_potential_energy()
        atoms.calc = None
    ase.io.write(tmp_path / "bare.xyz", frames, format="extxyz")
    settings = config(tmp_path / "bare.xyz", tmp_path / "out", energy="total", centers=[0])
    result = fit(settings, ConsoleReport())
    assert result.training.forces is None
    said = " ".join(capsys.readouterr().err.split())
    assert "training without forces: no 'forces' in 24 of 24 structures of" in said
    assert result.model.centers == (0,)
    (found,) = predict(result.model, [frames[0]])
    assert (found.energies[1:] == 0).all()


def test_a_killed_run_ends_with_the_weights_of_an_uninterrupted_one(
    structures: Path, tmp_path: Path
) -> None:
    text = f"""
structures = "{structures}"
expansion = {{n_radial = 2, max_angular = 1}}
features = {{components = 12, sample = 20}}
network = {{hidden = 12}}
training = {{epochs = 6, batch_structures = 5, checkpoint_seconds = 0.0}}
"""
    for name in ("straight", "killed"):
        content = f'output = "{tmp_path / name}"\n{text}'
        (tmp_path / f"{name}.toml").write_text(content, encoding="utf-8")
    command = [sys.executable, "-m", "symtrip", "fit"]
    done = subprocess.run([*command, tmp_path / "straight.toml"], capture_output=True, check=False)
    assert done.returncode == 0
    with subprocess.Popen([*command, tmp_path / "killed.toml"], stderr=subprocess.DEVNULL) as job:
        deadline = time.monotonic() + 120
        while not (tmp_path / "killed" / "checkpoint.safetensors").exists():
            assert time.monotonic() < deadline, "no checkpoint within two minutes"
            time.sleep(0.002)
        job.send_signal(signal.SIGKILL)
    assert not (tmp_path / "killed" / "model.safetensors").exists()
    again = [*command, tmp_path / "killed.toml", "--resume"]
    assert subprocess.run(again, capture_output=True, check=False).returncode == 0
    first, second = (load_file(tmp_path / n / "model.safetensors") for n in ("straight", "killed"))
    assert all(torch.equal(first[key], second[key]) for key in first)


def write(folder: Path, frames: list[ase.Atoms], **changes: object) -> str:
    """A configuration for these structures."""
    ase.io.write(folder / "x.xyz", frames, format="extxyz")
    values = {"structures": str(folder / "x.xyz"), "output": str(folder / "out")} | changes
    lines = [f"{key} = {json.dumps(value)}" for key, value in values.items()]
    (folder / "c.toml").write_text("\n".join(lines), encoding="utf-8")
    return str(folder / "c.toml")


def test_bad_structures_are_named_without_a_traceback(tmp_path: Path, capsys) -> None:
    rng = np.random.default_rng(1)
    good = [labelled(rng, [8, 1, 1]) for _ in range(6)]
    bare = ase.Atoms("OH2", good[0].positions)
    worded, several = bare.copy(), bare.copy()
    worded.info["energy"] = "low"
    several.info["energy"] = np.arange(3.0)
    spoilt = good[0].copy()
    spoilt.calc = SinglePointCalculator(spoilt, energy=math.nan)
    cases = [
        ([*good, bare], {}, "`structures` must have the energy 'energy' in every structure"),
        ([*good, spoilt], {}, "`energy` must be finite"),
        ([*good, worded], {}, "`energy` must hold numbers of shape (), got 'low' in structure 6"),
        ([*good, several], {}, "`energy` must hold numbers of shape (), got [0. 1. 2.]"),
        (good, {"forces": "dft_forces"}, "`forces` must name a label that some structure has"),
        (good[:1], {}, "`structures` must leave at least two structures, got 0"),
        (good[:3], {}, "`structures` must leave at least two structures"),
        (good, {"validation": 1.5}, "`validation` must be a file or a part between 0 and 1"),
        (good, {"validation": "no.xyz"}, "must name an existing file"),
        (good, {"centers": [5]}, "`centers` must hold indices"),
        (good, {"centers": [-1]}, "`centers` must be valid"),
        (good, {"centers": [-1]}, "'all'; or input should be greater than or equal to 0."),
        (good, {"validation": [1]}, "`validation` must be valid"),
        (good, {"modle": "B_NL"}, "did you mean `model`?"),
        (good, {"expansion": 3}, "`expansion` must be valid"),
        (good, {"expansion.radius": 0.2}, "`expansion.radius` must give"),
        (good, {"features.components": 10**9}, "`features.components` must be valid"),
        (good, {"network.hidden": 10**9}, "`network.hidden` must be valid"),
        (good, {"network.hidden": 8}, "greater than or equal to 12"),
    ]
    for frames, changes, message in cases:
        assert main(["fit", write(tmp_path, frames, **changes)]) == 2
        assert message in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_elements_that_only_the_validation_has_are_named(tmp_path: Path, capsys) -> None:
    rng = np.random.default_rng(1)
    ase.io.write(tmp_path / "v.xyz", [labelled(rng, [8, 8, 1])] * 2, format="extxyz")
    frames = [labelled(rng, [1, 1, 1]) for _ in range(4)]
    file = write(tmp_path, frames, validation=str(tmp_path / "v.xyz"), features={})
    assert main(["fit", file]) == 2
    said = capsys.readouterr().err
    assert "`validation` must have centres of the elements [1]" in said
    assert "choose another `seed` or file for `validation`" in said


def test_a_folder_that_cannot_be_written_is_refused_before_the_work(
    structures: Path, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("no folder")
    said: list[str] = []
    report = ConsoleReport()
    report.stage = said.append  # type: ignore[method-assign, assignment]
    with pytest.raises(OSError, match="Not a directory"):
        fit(config(structures, tmp_path / "file"), report)
    assert not said


@pytest.mark.filterwarnings("ignore:overflow")
def test_a_training_that_diverges_is_an_error(structures: Path, tmp_path: Path) -> None:
    wild = {"epochs": 2, "batch_structures": 5, "learning_rate": 1e30}
    with pytest.raises(InputError, match=r"`training.learning_rate`.*no finite error in 2 epochs"):
        fit(config(structures, tmp_path, training=wild), ConsoleReport())
    assert not (tmp_path / "model.safetensors").exists()


def test_a_checkpoint_of_other_settings_is_refused(structures: Path, tmp_path: Path) -> None:
    fit(config(structures, tmp_path), ConsoleReport())
    assert (tmp_path / "checkpoint.safetensors").exists()
    with pytest.raises(InputError, match=r"`output` must be a folder without a checkpoint"):
        fit(config(structures, tmp_path), ConsoleReport())
    with pytest.raises(InputError, match=r"checkpoint"):
        fit(config(structures, tmp_path, seed=1), ConsoleReport(), resume=True)


def test_a_checkpoint_of_other_labels_is_refused(structures: Path, tmp_path: Path) -> None:
    """Even if the sum of all energies is the same."""
    frames = ase.io.read(structures, ":", format="extxyz")
    path = tmp_path / "train.xyz"
    ase.io.write(path, frames, format="extxyz")
    fit(config(path, tmp_path), ConsoleReport())
    for atoms, change in zip(frames[::3], (0.5, -0.5), strict=False):
        results = atoms.calc.results
        atoms.calc = SinglePointCalculator(
            atoms, energy=results["energy"] + change, forces=results["forces"]
        )
    ase.io.write(path, frames, format="extxyz")
    with pytest.raises(InputError, match=r"`config` must be the one .*contents = .* instead of"):
        fit(config(path, tmp_path), ConsoleReport(), resume=True)


def test_energies_that_are_all_the_same_are_refused(structures: Path, tmp_path: Path) -> None:
    frames = ase.io.read(structures, "::3", format="extxyz")
    for atoms in frames:
        atoms.calc = SinglePointCalculator(atoms, energy=-5.0)
    path = tmp_path / "same.xyz"
    ase.io.write(path, frames, format="extxyz")
    with pytest.raises(InputError, match=r"`structures` must have energies that differ by more"):
        fit(config(path, tmp_path), ConsoleReport())


def test_a_network_that_is_not_trained_is_no_model(finished: Path) -> None:
    with pytest.raises(InputError, match="without a trained network"):
        load_model(finished / "descriptor.safetensors")
