"""Trained models and features on ``ase.Atoms``."""

from __future__ import annotations

import math

import ase
import ase.build
import metatensor
import numpy as np
import pytest
import torch
from ase.calculators.calculator import PropertyNotImplementedError
from ase.stress import full_3x3_to_voigt_6_stress
from small_models import SMALL, trained

from symtrip.correlations import DensityCorrelations
from symtrip.data import B8Pairs
from symtrip.environments import Environments
from symtrip.errors import InputError
from symtrip.interop import KINDS, ModelCalculator, feature_arrays, predict, save_tensor_map
from symtrip.models import EnergyModel, KernelModel, KernelSettings, load_model
from symtrip.triplets import TripletFeatures

EPS = np.finfo(np.float64).eps
STEP = 1e-5


@pytest.fixture(scope="module", params=["B_NL", "D_NL"])
def model(request) -> EnergyModel:
    return trained(request.param)


def clusters(n_pairs: int) -> list[ase.Atoms]:
    positions = B8Pairs.load().positions[20 : 20 + n_pairs].flatten(0, 1)
    return [ase.Atoms("B8", positions=points) for points in positions.numpy()]


def crystal() -> ase.Atoms:
    atoms = ase.Atoms("B2", [[0, 0, 0], [0.8, 0.9, 1.0]], cell=np.diag([1.7, 1.8, 1.9]), pbc=True)
    shear = np.array([[0, 0.1, 0], [0, 0, -0.1], [0.05, 0, 0]])
    atoms.set_cell(atoms.cell.array + shear, scale_atoms=True)
    return atoms


def energy(model: EnergyModel, atoms: ase.Atoms) -> float:
    return predict(model, [atoms], centers=None, forces=False)[0].energy


def test_energies_are_those_of_the_model(model: EnergyModel) -> None:
    frames = clusters(2)
    positions = torch.from_numpy(np.stack([atoms.positions for atoms in frames]))
    wanted = model(Environments.from_positions(positions, 5, radius=2.0)).detach().numpy()
    found = np.array([p.energy for p in predict(model, frames, forces=False)])
    # the compression and the first layer in one matrix: 3 eps measured
    assert np.abs(found - wanted).max() <= 32 * EPS * np.abs(wanted).max()


def test_every_centre_contributes_and_they_add_up(model: EnergyModel) -> None:
    atoms = clusters(1)[0]
    (total,) = predict(model, [atoms], centers=None)
    parts = [predict(model, [atoms], centers=c)[0] for c in range(8)]
    largest = np.abs(total.energies).max()
    assert np.abs(total.energies - [p.energy for p in parts]).max() <= 64 * EPS * largest
    assert abs(total.energy - total.energies.sum()) <= 8 * EPS * largest
    forces = sum(p.forces for p in parts)
    assert np.abs(total.forces - forces).max() <= 256 * EPS * np.abs(forces).max()


@pytest.mark.parametrize("make", [lambda: clusters(1)[0], crystal])
def test_forces_are_slopes_of_the_energy_and_add_up_to_zero(model: EnergyModel, make) -> None:
    atoms = make()
    (found,) = predict(model, [atoms], centers=None)
    largest = np.abs(found.forces).max()
    assert np.abs(found.forces.sum(axis=0)).max() <= 64 * EPS * largest * len(atoms)
    for axis in range(3):
        values = []
        for sign in (1, -1):
            moved = atoms.copy()
            moved.positions[1, axis] += sign * STEP
            values.append(energy(model, moved))
        slope = (values[1] - values[0]) / (2 * STEP)
        # central differences: step^2 f''' / 6 and eps f / step
        assert abs(slope - found.forces[1, axis]) <= 1e-6 * largest + EPS * abs(values[0]) / STEP


def test_stress_is_the_slope_with_respect_to_strain(model: EnergyModel) -> None:
    atoms = crystal()
    (found,) = predict(model, [atoms], centers=None)
    # without rotation there is no torque: 20 eps measured
    largest = np.abs(found.stress).max()
    assert np.abs(found.stress - found.stress.T).max() <= 512 * EPS * largest
    for a, b in ((0, 0), (1, 2), (2, 0)):
        values = []
        for sign in (1, -1):
            strain = np.eye(3)
            strain[a, b] += sign * STEP
            strained = atoms.copy()
            strained.set_cell(atoms.cell.array @ strain.T, scale_atoms=True)
            values.append(energy(model, strained))
        slope = (values[0] - values[1]) / (2 * STEP) / atoms.get_volume()
        assert abs(slope - found.stress[a, b]) <= 1e-6 * largest + EPS * abs(values[0]) / STEP


def test_results_do_not_depend_on_the_company_of_a_structure(model: EnergyModel) -> None:
    frames = [*clusters(2), crystal()]
    together = predict(model, frames, centers=None, chunk=3)
    for one, atoms in zip(together, frames, strict=True):
        (alone,) = predict(model, [atoms], centers=None, chunk=1)
        assert np.isclose(alone.energy, one.energy, rtol=64 * EPS, atol=0)
        largest = np.abs(alone.forces).max()
        assert np.abs(alone.forces - one.forces).max() <= 512 * EPS * largest
    assert [one.stress is None for one in together] == [True] * 4 + [False]


def test_an_atom_without_neighbours_has_an_energy_and_no_force(model: EnergyModel) -> None:
    (found,) = predict(model, [ase.Atoms("B", [[0, 0, 0]])])
    assert np.isfinite(found.energy)
    assert (found.forces == 0).all()


def test_the_calculator_serves_ase(model: EnergyModel) -> None:
    atoms = clusters(1)[0]
    (wanted,) = predict(model, [atoms])
    atoms.calc = ModelCalculator(model)
    assert atoms.get_potential_energy() == wanted.energy
    assert (atoms.get_forces() == wanted.forces).all()
    assert (atoms.get_potential_energies() == wanted.energies).all()
    with pytest.raises(PropertyNotImplementedError):
        atoms.get_stress()
    atoms.rattle(0.01)
    assert atoms.get_potential_energy() != wanted.energy


def test_the_calculator_knows_the_stress_of_a_crystal(model: EnergyModel) -> None:
    atoms = crystal()
    (wanted,) = predict(model, [atoms], centers=None)
    atoms.calc = ModelCalculator(model, centers=None)
    assert (atoms.get_stress() == full_3x3_to_voigt_6_stress(wanted.stress)).all()
    assert (atoms.get_forces() == wanted.forces).all()


def test_any_model_file_is_loaded_as_what_it_is(tmp_path) -> None:
    model = trained("B_L")
    model.save(tmp_path / "energy.safetensors")
    atoms = clusters(1)[0]
    loaded = load_model(tmp_path / "energy.safetensors")
    assert isinstance(loaded, EnergyModel)
    atoms.calc = ModelCalculator(tmp_path / "energy.safetensors")
    assert atoms.get_potential_energy() == predict(model, [atoms])[0].energy


def test_a_kernel_model_predicts_and_its_file_is_recognised(kernel_model, tmp_path) -> None:
    kernel_model.save(tmp_path / "kernel.safetensors")
    loaded = load_model(tmp_path / "kernel.safetensors")
    assert isinstance(loaded, KernelModel)
    atoms = clusters(1)[0]
    (found,) = predict(loaded, [atoms])
    values = []
    for sign in (1, -1):
        moved = atoms.copy()
        moved.positions[3, 0] += sign * STEP
        values.append(predict(loaded, [moved], forces=False)[0].energy)
    slope = (values[1] - values[0]) / (2 * STEP)
    assert abs(slope - found.forces[3, 0]) <= 1e-6 * np.abs(found.forces).max()


@pytest.fixture
def kernel_model() -> KernelModel:
    from symtrip.models import KernelTerm, PairKernelSettings

    settings = PairKernelSettings(expansion=SMALL, components=20)
    support = B8Pairs.load().positions[:3].flatten(0, 1)
    known = Environments.from_positions(support, 5, radius=2.0)
    term = KernelTerm(settings, trained("B_L").descriptor.compression)
    term.kernel.fit(term.pairs(known))
    numbers = torch.full((8,), 5)
    model = KernelModel(KernelSettings(terms=(settings,)), [term], support, numbers)
    model.coefficients.copy_(torch.linspace(-1.0, 1.0, 6))
    return model


def test_what_is_no_model_is_refused_by_name(tmp_path) -> None:
    from symtrip.files import save_tensors

    save_tensors(tmp_path / "other.safetensors", {"x": torch.zeros(2)})
    with pytest.raises(InputError, match=r"`path` must name a file in one of the formats"):
        load_model(tmp_path / "other.safetensors")
    model = trained("B_L")
    header = {"format": EnergyModel.FORMAT, "spec": model.spec.model_dump_json()}
    save_tensors(tmp_path / "weights.safetensors", {"x": torch.zeros(2)}, header)
    with pytest.raises(InputError, match=r"`path` must name an intact model"):
        load_model(tmp_path / "weights.safetensors")


def test_elements_that_the_model_does_not_know_are_refused(model: EnergyModel) -> None:
    atoms = clusters(1)[0]
    atoms.numbers[3] = 8
    with pytest.raises(InputError, match=r"species"):
        predict(model, [atoms])


def test_rows_of_triplets_are_pairs_of_real_neighbours() -> None:
    frames = [clusters(1)[0], clusters(1)[0][:5]]
    found = feature_arrays(frames, "triplets", SMALL, centers=0)
    env = Environments.from_atoms(frames, radius=2.0, centers=0)
    dense = TripletFeatures(max_angular=2).dense(SMALL.build()(env)).numpy()
    assert found.features.shape == (49 + 16, dense.shape[-1])
    for row in range(0, 65, 7):
        structure = found.structure[row]
        j, k = found.neighbors[row] - 1  # the centre, atom 0, is left out
        assert (found.features[row] == dense[structure, j, k]).all()


def test_rows_of_invariants_are_environments(tmp_path) -> None:
    frames = clusters(2)
    found = feature_arrays(frames, "bispectrum", SMALL, dtype=torch.float32)
    env = Environments.from_atoms(frames, radius=2.0, dtype=torch.float32, isolated="keep")
    wanted = DensityCorrelations(max_angular=2, nu=3)(SMALL.build()(env)).numpy()
    assert (found.features == wanted).all()
    found.save(tmp_path / "features.npz")
    with np.load(tmp_path / "features.npz", allow_pickle=False) as stored:
        assert (stored["features"] == wanted).all()
        assert stored["center"].tolist() == list(range(8)) * 4
        assert str(stored["kind"]) == "bispectrum"


MIXED = SMALL.model_copy(update={"species": (5, 8), "n_radial": 2})


def mixed_frames() -> list[ase.Atoms]:
    frames = clusters(2)
    for atoms in frames:
        atoms.numbers[[2, 5]] = 8
    frames[1] = frames[1][:5]
    return frames


@pytest.mark.parametrize("kind", KINDS)
def test_columns_say_which_numbers_they_are(kind: str) -> None:
    found = feature_arrays(mixed_frames(), kind, MIXED, centers=1)
    env = Environments.from_atoms(mixed_frames(), radius=2.0, centers=1)
    density = MIXED.build()(env)
    triplets = TripletFeatures(max_angular=2)(density)
    columns = found.columns
    assert columns.values.shape == (found.features.shape[1], len(columns.names))
    assert len(np.unique(columns.values, axis=0)) == found.features.shape[1]
    for number in range(0, found.features.shape[1], 7):
        given = dict(zip(columns.names, columns.values[number].tolist(), strict=True))
        channel = [
            MIXED.species.index(given[f"neighbor_{i}_type"]) * MIXED.n_radial + given[f"n_{i}"]
            for i in range(1, 4)
            if f"n_{i}" in given
        ]
        path = tuple(given[f"l_{i}"] for i in (1, 2, 3) if f"l_{i}" in given)
        if kind == "density":
            wanted = density.rho[0][:, 0, channel[0]]
        elif kind == "power-spectrum":
            rho = density.rho[given["l"]]
            products = rho[:, :, channel[0]] * rho[:, :, channel[1]]
            wanted = products.sum(1) * (-1) ** given["l"] / math.sqrt(2 * given["l"] + 1)
        else:
            block = triplets.blocks[path][:, :, :, channel[0], channel[1], channel[2]]
            wanted = block[triplets.mask] if kind == "triplets" else block.sum((1, 2))
        scale = np.abs(found.features).max()
        assert np.abs(found.features[:, number] - wanted.numpy()).max() <= 16 * EPS * scale
        assert columns.parity[number] == (-1) ** sum(path)


@pytest.mark.parametrize("kind", KINDS)
def test_a_tensor_map_holds_the_same_numbers_by_their_labels(kind: str, tmp_path) -> None:
    frames = [*mixed_frames(), crystal()]
    found = feature_arrays(frames, kind, MIXED, dtype=torch.float32)
    save_tensor_map(tmp_path / "features.mts", found)
    tensor = metatensor.load(tmp_path / "features.mts")
    rows = {}
    for key, block in tensor.items():
        assert key["o3_lambda"] == 0
        for sample, values in zip(block.samples, block.values, strict=True):
            atoms = frames[sample["system"]]
            assert atoms.numbers[sample["atom"]] == key["center_type"]
            row = rows.setdefault(tuple(sample), {})
            row |= zip(map(tuple, block.properties), values.tolist(), strict=True)
            assert block.values.dtype == np.float32
    assert len(rows) == len(found.features)
    columns = [tuple(values) for values in found.columns.values]
    wanted = found.features.astype(np.float64).tolist()
    # samples are in the order of rows within each environment
    got = [[row[column] for column in columns] for _, row in sorted(rows.items())]
    assert got == wanted


def test_without_metatensor_the_extra_is_named(monkeypatch, tmp_path) -> None:
    monkeypatch.setattr("symtrip.errors.find_spec", lambda _: None)
    found = feature_arrays(clusters(1), "density", SMALL)
    with pytest.raises(InputError, match=r"`metatensor` must be installed .*symtrip\[metatensor\]"):
        save_tensor_map(tmp_path / "features.mts", found)
    assert not any(tmp_path.iterdir())


def test_features_that_do_not_fit_are_refused_before_they_are_computed(monkeypatch) -> None:
    monkeypatch.setattr("symtrip.memory.available_memory", lambda _: 1 << 28)
    with pytest.raises(InputError, match=r"`frames` must leave room for its triplets features"):
        feature_arrays(clusters(1000), "triplets", SMALL)
