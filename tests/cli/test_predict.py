"""``symtrip predict`` and ``symtrip features``: what they write and what they refuse."""

from __future__ import annotations

import ase
import ase.io
import metatensor
import numpy as np
import pytest
from small_models import trained

from symtrip.cli.main import main
from symtrip.data import B8Pairs


@pytest.fixture
def structures(tmp_path):
    path = tmp_path / "b8.xyz"
    positions = B8Pairs.load().positions[30].numpy()
    ase.io.write(path, [ase.Atoms("B8", positions=p) for p in positions], format="extxyz")
    return path


@pytest.fixture
def model(tmp_path):
    trained("B_NL").save(tmp_path / "model.safetensors")
    return tmp_path / "model.safetensors"


def test_predictions_are_results_in_the_file(structures, model, tmp_path, capsys) -> None:
    out = tmp_path / "new" / "predicted.xyz"
    assert main(["predict", str(model), str(structures), "--out", str(out)]) == 0
    assert "structures: 2, energies from" in capsys.readouterr().out
    written = ase.io.read(out, ":", format="extxyz")
    assert len(written) == 2
    for atoms in written:
        assert np.isfinite(atoms.get_potential_energy())
        assert atoms.get_forces().shape == (8, 3)
        assert np.abs(atoms.get_forces().sum(axis=0)).max() < 1e-6  # written with 8 decimals


def test_labels_in_the_file_are_compared_with(structures, model, tmp_path, capsys) -> None:
    out = tmp_path / "predicted.xyz"
    words = ["predict", str(model), str(structures), "--out", str(out)]
    assert main(words) == 0
    assert "root mean square" not in capsys.readouterr().out
    frames = ase.io.read(out, ":", format="extxyz")
    labels = [(a.get_potential_energy() + 0.8, a.get_forces() + 0.5) for a in frames]
    for atoms, (energy, forces) in zip(frames, labels, strict=True):
        atoms.calc = None
        atoms.info["dft"] = energy
        atoms.arrays["slopes"] = forces
    del frames[1].arrays["slopes"]
    ase.io.write(structures, frames, format="extxyz")
    assert main([*words, "--energy", "dft", "--forces-name", "slopes"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "2 energies by 0.1 eV per atom, 1 structures' forces by 0.5 eV/Å" in said
    frames[0].info["dft"] = "high"
    ase.io.write(structures, frames, format="extxyz")
    assert main([*words, "--energy", "dft"]) == 2
    assert "`dft` must hold finite numbers of shape () got" in capsys.readouterr().err.replace(
        ",", ""
    )


def test_forces_can_be_left_out(structures, model, tmp_path) -> None:
    out = tmp_path / "predicted.xyz"
    words = ["predict", str(model), str(structures), "--out", str(out), "--no-forces"]
    assert main([*words, "--centers", "all"]) == 0
    assert "forces" not in out.read_text()


def test_centres_without_neighbours_are_pointed_out(structures, model, tmp_path, capsys) -> None:
    frames = ase.io.read(structures, ":", format="extxyz")
    frames[1].positions *= 100.0  # pm
    ase.io.write(structures, frames, format="extxyz")
    assert main(["predict", str(model), str(structures), "--out", str(tmp_path / "new.xyz")]) == 0
    said = capsys.readouterr().out
    assert (
        "structures with centres without a neighbour within 2 Å: 1, the first is number 1" in said
    )
    assert "positions must be in Å" in said


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--centers", "first"], "`--centers` must be all or indices of atoms"),
        (["--centers", "9"], "`centers` must hold indices 0 <= i < 8"),
        (["--device", "abacus"], "`--device` must be a device of this machine"),
    ],
)
def test_bad_options_write_nothing(structures, model, tmp_path, capsys, words, message) -> None:
    out = tmp_path / "predicted.xyz"
    assert main(["predict", str(model), str(structures), "--out", str(out), *words]) == 2
    assert message in capsys.readouterr().err
    assert not out.exists()


def test_centres_of_an_element_that_the_model_does_not_know_are_named(
    model, tmp_path, capsys
) -> None:
    out, path = tmp_path / "predicted.xyz", tmp_path / "carbon.xyz"
    ase.io.write(path, ase.Atoms("CB2", [[0, 0, 0], [0, 0, 1.5], [1.5, 0, 0]]), format="extxyz")
    assert main(["predict", str(model), str(path), "--out", str(out)]) == 2
    assert "`centers` must be atoms of the species [5] that the model knows, got [6]" in (
        capsys.readouterr().err
    )
    assert not out.exists()


def test_a_file_that_is_no_model_is_named(structures, tmp_path, capsys) -> None:
    words = ["predict", str(structures), str(structures), "--out", str(tmp_path / "out.xyz")]
    assert main(words) == 2
    assert "must name an intact safetensors file" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("kind", "columns"), [("density", 2), ("bispectrum", 5 * 8), ("triplets", 5 * 8)]
)
def test_features_are_written_as_plain_arrays(structures, tmp_path, kind, columns) -> None:
    out = tmp_path / "features.npz"
    options = ["--n-radial", "2", "--max-angular", "1", "--kind", kind]
    assert main(["features", str(structures), "--out", str(out), *options]) == 0
    distances = [atoms.get_all_distances() for atoms in ase.io.read(structures, ":")]
    neighbors = (np.stack(distances) < 2.0).sum(axis=-1) - 1
    rows = (neighbors**2).sum() if kind == "triplets" else neighbors.size
    with np.load(out, allow_pickle=False) as stored:
        assert stored["features"].shape == (rows, columns)
        assert len(stored["structure"]) == len(stored["center"]) == rows
        assert stored["center_type"].tolist() == [5] * rows
        assert stored["columns"].shape == (columns, len(stored["column_names"]))
        assert len(stored["parity"]) == columns
        assert ("neighbors" in stored) == (kind == "triplets")


def test_a_name_with_mts_asks_for_metatensor(structures, tmp_path) -> None:
    out = tmp_path / "features.mts"
    options = ["--n-radial", "2", "--max-angular", "1", "--kind", "power-spectrum"]
    assert main(["features", str(structures), "--out", str(out), *options]) == 0
    (block,) = metatensor.load(out).blocks()
    assert block.values.shape == (16, 8)
    assert block.properties.names == ["l", "neighbor_1_type", "n_1", "neighbor_2_type", "n_2"]


def test_features_of_centres_without_neighbours_are_pointed_out(tmp_path, capsys) -> None:
    path, out = tmp_path / "apart.xyz", tmp_path / "features.npz"
    ase.io.write(path, ase.Atoms("B3", [[0, 0, 0], [0, 0, 1.5], [9, 0, 0]]), format="extxyz")
    assert main(["features", str(path), "--out", str(out), "--n-radial", "2"]) == 0
    said = capsys.readouterr().out
    assert "2 rows of 272 features" in said
    assert "kB" in said
    assert "centres without a neighbour within 2 Å: 1;" in said


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--kind", "soap"], "`kind` must be one of density"),
        (["--dtype", "float16"], "`--dtype` must be float64 or float32"),
        (["--max-angular", "40"], "`max_angular` must be valid in the options, got 40"),
        (["--radius", "-1"], "`radius` must be valid in the options"),
        (["--cutoff-width", "3"], "`width` must satisfy"),
    ],
)
def test_impossible_features_are_refused(structures, tmp_path, capsys, words, message) -> None:
    out = tmp_path / "features.npz"
    assert main(["features", str(structures), "--out", str(out), *words]) == 2
    assert message in capsys.readouterr().err
    assert not out.exists()
