"""Training on stresses of crystals."""

from __future__ import annotations

from pathlib import Path

import ase
import ase.io
import numpy as np
import pytest
import torch
from ase.calculators.singlepoint import SinglePointCalculator
from ase.stress import full_3x3_to_voigt_6_stress

from symtrip.cli.main import main
from symtrip.errors import InputError
from symtrip.interop import label_errors, predict
from symtrip.models import load_model
from symtrip.train.console import ConsoleReport
from symtrip.train.structures import FitConfig, StructureErrors, fit, read_labelled

RADIUS = 2.5  # Å


def near(atoms: ase.Atoms) -> tuple[np.ndarray, np.ndarray]:
    """Vectors from each atom to all images in the cells around, and 1 - r^2/R^2 of neighbours."""
    images = np.array(list(np.ndindex(5, 5, 5))) - 2
    there = atoms.positions[None, :, None] + images @ atoms.cell.array
    vectors = (there - atoms.positions[:, None, None]).reshape(len(atoms), -1, 3)
    u = (vectors**2).sum(axis=-1) / RADIUS**2
    return vectors, np.where((u > 1e-12) & (u < 1), 1 - u, 0.0)


def pair_energy(atoms: ase.Atoms) -> float:
    """Sum of (1 - r^2/R^2)^3 over pairs."""
    return float(0.5 * (near(atoms)[1] ** 3).sum())


def labelled(rng: np.random.Generator) -> ase.Atoms:
    """Two atoms in a strained cell with their :func:`pair_energy` and its derivatives."""
    cell = np.diag([2.2, 2.4, 2.6]) + 0.15 * rng.standard_normal((3, 3))
    atoms = ase.Atoms("O2", scaled_positions=[[0, 0, 0], [0.5, 0.45, 0.55]], cell=cell, pbc=True)
    vectors, inside = near(atoms)
    # of a pair counted twice, the derivative with respect to its vector
    slope = (-3 * inside**2 / RADIUS**2)[..., None] * vectors
    stress = np.einsum("ika,ikb->ab", slope, vectors) / atoms.get_volume()
    atoms.calc = SinglePointCalculator(
        atoms,
        energy=pair_energy(atoms),
        forces=2 * slope.sum(axis=1),
        stress=full_3x3_to_voigt_6_stress(stress),
    )
    return atoms


@pytest.fixture(scope="module")
def crystals(tmp_path_factory: pytest.TempPathFactory) -> Path:
    rng = np.random.default_rng(0)
    path = tmp_path_factory.mktemp("crystals") / "train.xyz"
    ase.io.write(path, [labelled(rng) for _ in range(24)], format="extxyz")
    return path


def config(path: Path, folder: Path, **changes: object) -> FitConfig:
    values: dict[str, object] = {
        "structures": str(path),
        "output": str(folder),
        "expansion": {
            "radius": RADIUS,
            "cutoff_width": 0.5,
            "n_radial": 2,
            "max_angular": 1,
        },
        "features": {"components": 12, "sample": 20},
        "network": {"hidden": 12, "smooth_cutoff": True},
        "training": {"epochs": 2, "batch_structures": 6, "dtype": "float64"},
    }
    return FitConfig.model_validate(values | changes)


def test_the_labels_are_consistent() -> None:
    """The stress is the slope of the energy with respect to strain."""
    atoms = labelled(np.random.default_rng(1))
    step = 1e-6
    for a, b in ((0, 0), (1, 2)):
        energies = []
        for sign in (1, -1):
            strain = np.eye(3)
            strain[a, b] += sign * step
            moved = atoms.copy()
            moved.set_cell(atoms.cell.array @ strain.T, scale_atoms=True)
            energies.append(pair_energy(moved))
        slope = (energies[0] - energies[1]) / (2 * step) / atoms.get_volume()
        assert abs(slope - atoms.get_stress(voigt=False)[a, b]) < 1e-8


def test_stresses_are_learned_and_their_errors_are_those_of_the_saved_model(
    crystals: Path, tmp_path: Path
) -> None:
    longer = {
        "epochs": 40,
        "batch_structures": 6,
        "dtype": "float64",
        "learning_rate": 0.01,
        "stress_weight": 3.0,
        "force_weight": 0.0,
    }
    result = fit(config(crystals, tmp_path, training=longer), ConsoleReport())
    frames = ase.io.read(crystals, ":", format="extxyz")
    size = np.sqrt(np.mean([atoms.get_stress(voigt=False) ** 2 for atoms in frames]))
    assert result.training.stress is not None
    assert result.training.stress < 0.5 * size  # measured 0.36
    found = predict(load_model(tmp_path / "model.safetensors"), frames)
    every = label_errors(frames, found)
    assert every.with_stress == len(frames)
    parts = [(result.training, result.counts[0]), (result.validation, result.counts[1])]
    together = sum(errors.stress**2 * count for errors, count in parts) / len(frames)
    assert abs(every.stress - together**0.5) <= 1e-6 * every.stress
    assert (tmp_path / "parity.png").read_bytes().startswith(b"\x89PNG")


def test_stresses_matter_to_the_loss(crystals: Path, tmp_path: Path) -> None:
    training = {"epochs": 2, "batch_structures": 6, "dtype": "float64"}
    errors: list[StructureErrors] = []
    for weight in (0.0, 10.0):
        settings = training | {"stress_weight": weight}
        done = fit(config(crystals, tmp_path / str(weight), training=settings), ConsoleReport())
        errors.append(done.training)
    assert errors[0].stress != errors[1].stress


def test_a_name_without_stresses_is_an_error_and_some_missing_are_said(
    crystals: Path, tmp_path: Path, capsys
) -> None:
    with pytest.raises(InputError, match="`stress` must name a label that some structure has"):
        fit(config(crystals, tmp_path / "a", stress="virials"), ConsoleReport())
    frames = ase.io.read(crystals, ":", format="extxyz")
    frames[3].calc = SinglePointCalculator(frames[3], energy=0.0, forces=np.zeros((2, 3)))
    ase.io.write(tmp_path / "some.xyz", frames, format="extxyz")
    result = fit(config(tmp_path / "some.xyz", tmp_path / "b"), ConsoleReport())
    assert result.training.stress is None
    assert "training without stress: no 'stress' in 1 of 24" in " ".join(
        capsys.readouterr().err.split()
    )


def test_six_and_nine_numbers_are_the_same_stress(crystals: Path, tmp_path: Path) -> None:
    frames = ase.io.read(crystals, ":", format="extxyz")
    for atoms in frames:
        tensor = atoms.get_stress(voigt=False)
        atoms.calc = SinglePointCalculator(atoms, energy=0.0)
        atoms.info["nine"] = tensor
        atoms.info["six"] = full_3x3_to_voigt_6_stress(tensor)
    ase.io.write(tmp_path / "both.xyz", frames, format="extxyz")
    nine, six = (
        read_labelled(tmp_path / "both.xyz", radius=RADIUS, stress=name).stresses
        for name in ("nine", "six")
    )
    wanted = read_labelled(crystals, radius=RADIUS)
    assert torch.equal(nine, six)
    assert (nine - wanted.stresses).abs().max() < 1e-12
    assert nine.shape == (24, 3, 3)
    assert torch.equal(wanted.batch(torch.tensor([5])).stresses, wanted.stresses[5:6])
    volumes = torch.tensor([atoms.get_volume() for atoms in frames], dtype=torch.float64)
    assert torch.equal(wanted.volumes, volumes)


@pytest.mark.parametrize("stress", [np.zeros((2, 3)), np.full((3, 3), np.nan)])
def test_bad_stresses_are_refused(crystals: Path, tmp_path: Path, stress: np.ndarray) -> None:
    (atoms,) = ase.io.read(crystals, ":1", format="extxyz")
    atoms.info["mine"] = stress
    ase.io.write(tmp_path / "bad.xyz", [atoms], format="extxyz")
    with pytest.raises(InputError, match=r"`(mine|stress)` must"):
        read_labelled(tmp_path / "bad.xyz", radius=RADIUS, stress="mine")


def test_a_stress_needs_a_cell(crystals: Path, tmp_path: Path, capsys) -> None:
    (atoms,) = ase.io.read(crystals, ":1", format="extxyz")
    atoms.pbc = (True, True, False)
    ase.io.write(tmp_path / "slab.xyz", [atoms] * 4, format="extxyz")
    file = tmp_path / "fit.toml"
    file.write_text(f'structures = "{tmp_path / "slab.xyz"}"\noutput = "{tmp_path / "out"}"\n')
    assert main(["fit", str(file)]) == 2
    assert "`stress` must belong to structures that are periodic in three directions" in (
        capsys.readouterr().err
    )
