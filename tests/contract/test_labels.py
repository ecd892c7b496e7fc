"""Labels: right numbers, whole records, resumable, never mixed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import ase
import ase.io
import numpy as np
import pytest

from symtrip.cli.main import main
from symtrip.data import B8_REFERENCE_ENERGY_HARTREE, HARTREE_IN_EV, B8Pairs
from symtrip.errors import InputError
from symtrip.labels import (
    LabelSettings,
    LabelStore,
    compute_label,
    label_pairs,
    label_structures,
    shipped_deviations,
)

CHEAP = LabelSettings(functional="lda,vwn", basis="sto-3g", smearing=0.0, grid_level=0)


def hydrogen(length: float) -> ase.Atoms:
    return ase.Atoms("H2", [[0, 0, 0], [length, 0, 0]])


def test_forces_are_the_derivative_of_the_energy() -> None:
    numbers, step, length = np.array([1, 1]), 1e-3, 0.9
    settings = CHEAP.model_copy(update={"grid_level": 3, "smearing": 0.01, "conv_tol": 1e-12})
    energies = [
        compute_label(numbers, hydrogen(length + d).positions, settings).energy_ev
        for d in (-step, step)
    ]
    forces = compute_label(numbers, hydrogen(length).positions, settings).forces_ev
    assert forces is not None
    slope = -(energies[1] - energies[0]) / (2 * step)
    # PySCF's gradients leave out the derivative of the grid weights: measured 1e-4 eV/Å
    assert abs(forces[1, 0] - slope) <= 1e-3


def test_smearing_makes_the_energy_a_free_energy() -> None:
    label = compute_label(
        np.array([1, 1]),
        hydrogen(3.0).positions,
        CHEAP.model_copy(update={"smearing": 0.02, "gradients": False}),
    )
    assert label.energy < label.energy_total
    assert label.forces is None


def test_labels_are_written_as_extxyz_in_ev_with_their_settings(tmp_path: Path) -> None:
    frames = [hydrogen(0.8), hydrogen(0.9), hydrogen(0.8)]
    store = LabelStore(tmp_path / "store", CHEAP)
    seen: list[tuple[int, int]] = []
    with ThreadPoolExecutor(1) as executor:
        report = label_structures(
            frames, store, executor=executor, progress=lambda *x: seen.append(x)
        )
    assert (report.computed, report.reused, report.unconverged) == (2, 0, [])
    assert seen == [(0, 2), (1, 2), (2, 2)]  # equal structures are computed once
    written = ase.io.read(report.path, index=":")
    direct = compute_label(frames[1].numbers, frames[1].positions, CHEAP)
    assert written[0].get_potential_energy() == written[2].get_potential_energy()
    assert abs(written[1].get_potential_energy() - direct.energy_ev) <= 1e-7  # digits in the file
    assert np.abs(written[1].get_forces() - direct.forces_ev).max() <= 1e-7
    assert LabelSettings.model_validate_json(written[0].info["label_settings"]) == CHEAP
    again = label_structures(frames, LabelStore(tmp_path / "store", CHEAP))
    assert (again.computed, again.reused) == (0, 2)


def test_a_killed_job_continues_behind_its_last_whole_record(tmp_path: Path) -> None:
    frames = [hydrogen(0.6 + 0.05 * k) for k in range(8)]
    ase.io.write(tmp_path / "in.xyz", frames, format="extxyz")
    command = [sys.executable, "-m", "symtrip", "label", str(tmp_path / "in.xyz")]
    command += ["--out", str(tmp_path / "store"), "--processes", "1"]
    command += ["--functional", "lda,vwn", "--basis", "sto-3g", "--grid-level", "0"]
    records = tmp_path / "store" / "labels"
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as job:
        deadline = time.monotonic() + 120
        while not list(records.glob("[!.]*.json")):
            assert time.monotonic() < deadline, "no label within two minutes"
            time.sleep(0.02)
        job.send_signal(signal.SIGKILL)
    before = {path: path.read_bytes() for path in records.glob("[!.]*.json")}
    assert all(json.loads(content) for content in before.values())
    assert subprocess.run(command, capture_output=True, check=False).returncode == 0
    assert len(list(records.glob("[!.]*.json"))) == 8
    assert all(path.read_bytes() == content for path, content in before.items())
    assert len(ase.io.read(tmp_path / "store" / "labelled.extxyz", index=":")) == 8


def test_labels_of_other_settings_are_refused(tmp_path: Path) -> None:
    LabelStore(tmp_path, CHEAP)
    with pytest.raises(InputError, match=r"`out` .*basis = 'sto-3g'.*basis = '6-31g'.*never mixed"):
        LabelStore(tmp_path, CHEAP.model_copy(update={"basis": "6-31g"}))


def test_a_store_from_before_a_setting_existed_has_its_default(tmp_path: Path) -> None:
    LabelStore(tmp_path, CHEAP)
    record = tmp_path / "settings.json"
    stored = json.loads(record.read_text())
    del stored["initial_guess"]
    record.write_text(json.dumps(stored))
    LabelStore(tmp_path, CHEAP)
    with pytest.raises(InputError, match=r"initial_guess = 'huckel'.*never mixed"):
        LabelStore(tmp_path, CHEAP.model_copy(update={"initial_guess": "huckel"}))


def test_the_start_of_the_scf_is_a_setting_and_does_not_change_a_simple_energy() -> None:
    energies = [
        compute_label(
            np.array([1, 1]),
            hydrogen(0.8).positions,
            CHEAP.model_copy(update={"initial_guess": guess, "gradients": False}),
        ).energy
        for guess in ("minao", "huckel", "atom")
    ]
    assert max(energies) - min(energies) <= 10 * CHEAP.conv_tol


def test_only_labelled_pairs_can_be_recomputed() -> None:
    with pytest.raises(InputError, match=r"`pairs` must be numbers of labelled pairs.*\[4000\]"):
        shipped_deviations(pairs=[3518, 4000])
    with pytest.raises(InputError, match=r"`count` must be given"):
        shipped_deviations()


def test_unconverged_structures_are_reported_and_kept_apart(tmp_path: Path) -> None:
    store = LabelStore(tmp_path, CHEAP.model_copy(update={"max_cycle": 1}))
    with ThreadPoolExecutor(1) as executor:
        report = label_structures([hydrogen(1.7)], store, executor=executor)
    assert report.unconverged == [0]
    assert not (tmp_path / "labels").exists()
    assert len(list((tmp_path / "unconverged").iterdir())) == 1
    assert report.path.read_text() == ""


def test_an_odd_number_of_electrons_asks_for_the_spin(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"`spin` .*structure 1 has 3 electrons.*--spin 1"):
        label_structures([hydrogen(0.8), ase.Atoms("H3", np.eye(3))], LabelStore(tmp_path, CHEAP))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"functional": "nonsense"}, r"`functional` must be one that PySCF knows.*--functional"),
        ({"basis": "nonsense"}, r"`basis` must be one that PySCF has for H.*--basis"),
    ],
)
def test_a_method_that_pyscf_does_not_have_is_named(
    change: dict[str, str], message: str, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=message):
        label_structures([hydrogen(0.8)], LabelStore(tmp_path, CHEAP.model_copy(update=change)))


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (hydrogen(0.0), r"`structure 1 positions` must keep atoms at least 0\.1 Å apart"),
        (hydrogen(0.07), r"got 0\.07 Å.*convert the positions to Å"),
        (ase.Atoms("X2", [[0, 0, 0], [1, 0, 0]]), r"hold chemical elements, got 0"),
    ],
)
def test_structures_that_are_none_are_named(frame: ase.Atoms, message: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=message):
        label_structures([hydrogen(0.8), frame], LabelStore(tmp_path, CHEAP))


def test_a_refused_command_leaves_no_store_behind(tmp_path: Path, capsys) -> None:
    ase.io.write(tmp_path / "h2.xyz", hydrogen(0.8), format="extxyz")
    store = tmp_path / "store"
    words = ["label", os.fspath(tmp_path / "h2.xyz"), "--out", os.fspath(store)]
    for more in (["--basis", "nonsense"], ["--spin", "1"], ["--processes", "0"]):
        assert main([*words, *more]) == 2
        assert f"`{more[0]}`".replace("`--b", "`b").replace("`--s", "`s") in capsys.readouterr().err
    assert not store.exists()


def test_open_shells_are_computed_with_their_spin() -> None:
    settings = CHEAP.model_copy(update={"spin": 1, "gradients": False})
    label = compute_label(np.array([1]), np.zeros((1, 3)), settings)
    assert label.converged
    assert -0.6 < label.energy < -0.4  # one hydrogen atom: -0.5 Ha


def test_a_damaged_record_is_named(tmp_path: Path) -> None:
    store = LabelStore(tmp_path, CHEAP)
    (tmp_path / "labels").mkdir()
    (tmp_path / "labels" / "abc.json").write_text('{"energy_hartree": 1')
    with pytest.raises(InputError, match=r"abc.json` must hold JSON.*delete it"):
        store.get("abc")
    (tmp_path / "labels" / "abc.json").write_text('{"energy_hartree": 1}')
    with pytest.raises(InputError, match=r"abc.json` must hold a label"):
        store.get("abc")


def test_misspelt_settings_are_named() -> None:
    with pytest.raises(InputError, match=r"`grid_levle` .*the settings are functional, basis"):
        LabelSettings.checked(grid_levle=5)
    with pytest.raises(InputError, match=r"`grid_level` must be a valid label setting, got 11"):
        LabelSettings.checked(grid_level=11)


def test_missing_pyscf_names_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("symtrip.errors.find_spec", lambda _: None)
    with pytest.raises(InputError, match=r"`pyscf` must be installed.*symtrip\[dft\]"):
        label_structures([hydrogen(0.8)], LabelStore(tmp_path, CHEAP))


def test_the_command_line_reports_bad_input_without_a_traceback(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "symtrip", "label"]
    for words, message in (
        ([], "`structures` must name an extended-XYZ file"),
        ([os.fspath(tmp_path / "absent.xyz")], "`path` must name an existing file"),
    ):
        done = subprocess.run([*command, *words], capture_output=True, text=True, check=False)
        assert done.returncode == 2
        assert message in " ".join(done.stderr.split())
        assert "Traceback" not in done.stderr


def test_a_coarse_grid_for_the_density_changes_the_energy_in_second_order() -> None:
    numbers, positions = np.array([5, 5]), np.array([[0.0, 0, 0], [1.7, 0, 0]])
    fine = CHEAP.model_copy(update={"grid_level": 4, "gradients": False, "smearing": 0.01})
    coarse = fine.model_copy(update={"grid_level": 0})
    both = LabelSettings.checked(**(fine.model_dump() | {"scf_grid_level": 0}))
    want, first, found = (
        compute_label(numbers, positions, settings) for settings in (fine, coarse, both)
    )
    # measured: 7e-3, 5e-7 and 3e-5 Ha; only the free energy is stationary in the density
    assert abs(first.energy - want.energy) >= 1e-3
    assert abs(found.energy - want.energy) <= 2e-6
    assert abs(found.energy_total - want.energy_total) <= 1e-4


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"scf_grid_level": 6, "gradients": False},
            r"`scf_grid_level` must not be above `grid_level` = 5",
        ),
        ({"scf_grid_level": 1}, r"`scf_grid_level` must be left out.*--no-gradients"),
    ],
)
def test_a_finer_grid_for_the_density_and_forces_with_it_are_refused(
    settings: dict[str, int], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        LabelSettings.checked(**settings)


def test_labels_of_pairs_are_a_data_set(tmp_path: Path) -> None:
    settings = CHEAP.model_copy(update={"gradients": False, "smearing": 0.05})
    command = ["label", "--b8", "7:8", "--out", os.fspath(tmp_path), "--functional", "lda,vwn"]
    command += ["--basis", "sto-3g", "--smearing", "0.05", "--grid-level", "0", "--no-gradients"]
    assert main(command) == 0
    shipped, found = B8Pairs.load(), B8Pairs.load(tmp_path / "b8.npz")
    assert (found.parameters == shipped.parameters).all()
    assert found.labelled.index.tolist() == [7]
    positions = shipped.positions[7, 1].numpy()
    label = compute_label(shipped.numbers.numpy(), positions, settings)
    computed = float(found.energies[7, 1]) / HARTREE_IN_EV + B8_REFERENCE_ENERGY_HARTREE
    assert abs(computed - label.energy) <= 1e-9
    report, _ = label_pairs(7, 8, tmp_path, settings)
    assert (report.computed, report.reused) == (0, 2)


@pytest.mark.parametrize("text", ["5", "5:5", "7:3", "3999:4001", "-1:3", "a:b"])
def test_a_bad_range_of_pairs_leaves_no_store_behind(text: str, tmp_path: Path, capsys) -> None:
    assert main(["label", f"--b8={text}", "--out", os.fspath(tmp_path / "store")]) == 2
    assert "`b8` must be FIRST:LAST" in " ".join(capsys.readouterr().err.split())
    assert main(["label", "--b8=0:1", "--basis", "none", "--out", str(tmp_path / "store")]) == 2
    assert not (tmp_path / "store").exists()
