"""Random features of one's own structures: ``symtrip fit`` with ``model = "random"``."""

from __future__ import annotations

import json
from pathlib import Path

import ase
import ase.io
import numpy as np
import pytest
import torch
from ase.calculators.singlepoint import SinglePointCalculator
from molecules import scattered

from symtrip.cli.main import main
from symtrip.data import B8Pairs
from symtrip.environments import Environments
from symtrip.errors import InputError
from symtrip.interop import ModelCalculator, predict
from symtrip.models import RandomFeatureModel, load_model
from symtrip.train.console import ConsoleReport
from symtrip.train.structures import FitConfig, FitResult, fit

EPS = np.finfo(np.float64).eps


def energy(atoms: ase.Atoms) -> float:
    """eV; three atoms at a time, and something for every element."""
    positions, total = atoms.positions, 0.0
    for i in range(len(atoms)):
        d = np.delete(positions, i, axis=0) - positions[i]
        r = np.linalg.norm(d, axis=1)
        u = d * (np.exp(-r) / r)[:, None]
        total += ((u @ u.T) ** 2).sum() + {1: -3.0, 8: -7.0}[atoms.numbers[i]]
    return total


def molecule(rng: np.random.Generator, numbers: list[int]) -> ase.Atoms:
    positions = scattered(rng, len(numbers), 0.8)
    atoms = ase.Atoms(numbers, positions)
    step, slopes = 1e-4, np.zeros((len(numbers), 3))
    for index in np.ndindex(slopes.shape):
        moved = [atoms.copy(), atoms.copy()]
        for one, sign in zip(moved, (1, -1), strict=True):
            one.positions[index] += sign * step
        slopes[index] = (energy(moved[0]) - energy(moved[1])) / (2 * step)
    atoms.calc = SinglePointCalculator(atoms, energy=energy(atoms), forces=-slopes)
    return atoms


@pytest.fixture(scope="module")
def structures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    rng = np.random.default_rng(0)
    shapes = ([8, 1, 1], [8, 8, 1, 1], [1, 1, 1])
    frames = [molecule(rng, shapes[i % 3]) for i in range(120)]
    path = tmp_path_factory.mktemp("random") / "train.xyz"
    ase.io.write(path, frames, format="extxyz")
    return path


def config(structures: Path, folder: Path, **changes: object) -> FitConfig:
    values: dict[str, object] = {
        "structures": str(structures),
        "output": str(folder),
        "model": "random",
        "expansion": {"n_radial": 3, "max_angular": 2},
        "features": {"components": 16, "sample": 60},
        "random": {"n_features": 200},
    }
    return FitConfig.model_validate(values | changes)


@pytest.fixture(scope="module")
def finished(structures: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[FitResult, Path]:
    folder = tmp_path_factory.mktemp("finished")
    two = {"n_features": 200, "kernels": [{}, {"smearing_width": 0.5, "components": 10}]}
    return fit(config(structures, folder, random=two), ConsoleReport()), folder


def test_energies_are_learnt_and_forces_follow(finished, structures: Path) -> None:
    result, _ = finished
    frames = ase.io.read(structures, ":", format="extxyz")
    per_atom = [a.get_potential_energy() / len(a) for a in frames]
    counts = np.array([[(a.numbers == z).mean() for z in (1, 8)] for a in frames])
    rest = per_atom - counts @ np.linalg.lstsq(counts, per_atom, rcond=None)[0]
    forces = np.concatenate([a.get_forces().ravel() for a in frames])
    assert result.counts == (108, 12)
    # 0.5 of 12.9 meV and 16 of 80 meV/Å measured
    assert result.validation.energy < 0.1 * rest.std()
    assert result.validation.forces < 0.35 * np.sqrt(np.mean(forces**2))


def test_the_file_gives_the_same_energies_in_ase(finished, structures: Path) -> None:
    result, folder = finished
    loaded = load_model(folder / "model.safetensors")
    assert isinstance(loaded, RandomFeatureModel)
    frames = ase.io.read(structures, ":3", format="extxyz")
    for one, other in zip(predict(result.model, frames), predict(loaded, frames), strict=True):
        assert one.energy == other.energy
        assert (one.forces == other.forces).all()
    atoms = frames[1].copy()
    atoms.calc = ModelCalculator(folder / "model.safetensors")
    assert atoms.get_potential_energy() == predict(loaded, [atoms])[0].energy
    results = json.loads((folder / "results.json").read_text())
    assert results["validation"]["energy"] == result.validation.energy
    assert (folder / "parity.png").read_bytes().startswith(b"\x89PNG")


def test_forces_are_slopes_and_add_up_to_zero(finished) -> None:
    model = finished[0].model
    atoms = molecule(np.random.default_rng(5), [8, 1, 1, 8])
    (found,) = predict(model, [atoms])
    largest = np.abs(found.forces).max()
    size = float(model.coefficients.norm())
    assert np.abs(found.forces.sum(axis=0)).max() <= 64 * EPS * size
    step = 1e-4
    for axis in range(3):
        values = []
        for sign in (1, -1):
            moved = atoms.copy()
            moved.positions[2, axis] += sign * step
            values.append(predict(model, [moved], forces=False)[0].energy)
        slope = (values[1] - values[0]) / (2 * step)
        assert abs(slope - found.forces[2, axis]) <= 1e-5 * largest + EPS * size / step


def test_energies_do_not_change_under_rotation_inversion_and_order(finished) -> None:
    model = finished[0].model
    atoms = molecule(np.random.default_rng(6), [8, 1, 1, 8])
    moved = [atoms.copy(), atoms[[2, 0, 3, 1]], atoms.copy()]
    moved[0].rotate(70, (3, -1, 2))
    moved[2].positions *= -1
    (wanted,) = predict(model, [atoms], forces=False)
    budget = 64 * EPS * float(model.coefficients.norm())
    for found in predict(model, moved, forces=False):
        assert abs(found.energy - wanted.energy) <= budget


def test_an_atom_that_leaves_does_so_without_a_jump(finished) -> None:
    model = finished[0].model
    radius, values = model.radius, []
    for distance in (radius - 1e-3, radius - 1e-6, radius + 1e-6):
        atoms = ase.Atoms("OH2", [[0, 0, 0], [0.9, 0.1, 0], [-distance, 0, 0]])
        values.append(predict(model, [atoms])[0])
    assert abs(values[1].energy - values[2].energy) < 1e-6
    assert np.abs(values[1].forces - values[2].forces).max() < 1e-2


def test_members_of_a_degenerate_pair_get_energies_of_their_own(tmp_path: Path) -> None:
    pairs = B8Pairs.load().train.labelled.subset(slice(30))
    frames = []
    for points, label in zip(
        pairs.positions.flatten(0, 1).numpy(), pairs.energies.flatten().tolist(), strict=True
    ):
        atoms = ase.Atoms("B8", points)
        atoms.calc = SinglePointCalculator(atoms, energy=label)
        frames.append(atoms)
    path = tmp_path / "b8.xyz"
    ase.io.write(path, frames, format="extxyz")
    settings = config(
        path,
        tmp_path / "out",
        centers=[0],
        validation=str(path),
        expansion={"radius": 2.0, "cutoff_width": 0.1, "n_radial": 3, "max_angular": 3},
    )
    result = fit(settings, ConsoleReport())
    difference = pairs.energies[:, 0] - pairs.energies[:, 1]
    found = torch.tensor([p.energy for p in predict(result.model, frames)]).view(-1, 2)
    missed = (found[:, 0] - found[:, 1] - difference).square().mean().sqrt()
    assert missed < 0.1 * difference.square().mean().sqrt()


def test_equal_seeds_give_equal_models(structures: Path, tmp_path: Path) -> None:
    models = [
        fit(config(structures, tmp_path / str(i), seed=seed), ConsoleReport()).model
        for i, seed in enumerate((3, 3, 4))
    ]
    assert (models[0].coefficients == models[1].coefficients).all()
    assert (models[0].coefficients != models[2].coefficients).any()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ("n_features = 0", "`random.n_features` must be valid"),
        ("noise = []", "`random.noise` must be valid"),
        ("kernels = [{lenght = 1.0}]", "length"),
        ("kernels = [{n_radial = 40}]", "`expansion.n_radial` must be valid in random.kernels"),
    ],
)
def test_impossible_settings_are_refused(
    structures: Path, tmp_path: Path, capsys, changes: str, message: str
) -> None:
    file = tmp_path / "mine.toml"
    head = f'structures = "{structures}"\nmodel = "random"\noutput = "{tmp_path / "out"}"\n'
    file.write_text(f"{head}[random]\n{changes}\n")
    assert main(["fit", str(file)]) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "out" / "model.safetensors").exists()


def test_features_that_do_not_fit_are_refused(structures, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("symtrip.memory.available_memory", lambda _: 100_000)
    monkeypatch.setattr("symtrip.memory._NEVER_CHECKED", 0)
    with pytest.raises(InputError, match=r"`random.n_features` must leave room for its features"):
        fit(config(structures, tmp_path), ConsoleReport())


def test_unknown_centres_and_single_precision_are_refused(finished) -> None:
    model = finished[0].model
    carbon = ase.Atoms("CH", [[0, 0, 0], [0, 0, 1.1]])
    with pytest.raises(InputError, match=r"centres of the elements \[1, 8\].*got \[6\]"):
        predict(model, [carbon], centers=0)
    single = Environments.from_atoms(
        [ase.Atoms("OH", [[0, 0, 0], [0, 0, 1.0]])], radius=4.0, dtype=torch.float32
    )
    with pytest.raises(InputError, match=r"`environments` must be torch.float64"):
        model(single)
