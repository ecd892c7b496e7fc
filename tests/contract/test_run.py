"""The script ./run: installs once, redoes what was interrupted, passes arguments on."""

from __future__ import annotations

import importlib.machinery
import importlib.util
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def load(clone, monkeypatch):
    """The script in the folder ``clone``, with every command recorded instead of run."""
    loader = importlib.machinery.SourceFileLoader("run_script", str(clone / "run"))
    specification = importlib.util.spec_from_loader("run_script", loader)
    module = importlib.util.module_from_spec(specification)
    loader.exec_module(module)
    module.calls = []

    def pretend(command, **_options):
        module.calls.append("venv" if "venv" in command else command[-1])
        if "venv" in command:
            python = Path(command[-1], "bin", "python")
            python.parent.mkdir(parents=True)
            python.touch()

    def become(_program, words):
        module.calls.append(words)
        raise SystemExit

    monkeypatch.setattr(module.subprocess, "run", pretend)
    monkeypatch.setattr(module.os, "execv", become)
    return module


@pytest.fixture
def script(tmp_path, monkeypatch):
    """The script of a fresh clone."""
    clone = tmp_path / "a clone"
    (clone / "constraints").mkdir(parents=True)
    shutil.copy(ROOT / "run", clone)
    shutil.copy(ROOT / "pyproject.toml", clone)
    shutil.copy(ROOT / "constraints" / "cpu.txt", clone / "constraints")
    return load(clone, monkeypatch)


@pytest.fixture
def environment(script):
    """The environment of most jobs of that clone."""
    return script.environment_of("test")


def test_the_first_call_makes_an_environment_and_installs(script, environment):
    environment.prepare(["test"])
    assert script.calls == ["venv", "editables", ".[test]"]


def test_the_second_call_installs_nothing(script, environment):
    environment.prepare(["test"])
    script.calls.clear()
    environment.prepare(["test"])
    assert script.calls == []


def test_a_job_that_needs_less_installs_nothing(script, environment):
    environment.prepare(["test"])
    script.calls.clear()
    environment.prepare([])
    assert script.calls == []


def test_a_job_that_needs_more_keeps_what_is_there(script, environment):
    environment.prepare(["test"])
    script.calls.clear()
    environment.prepare(["docs"])
    assert script.calls == ["editables", ".[docs,test]"]


def test_changed_requirements_are_installed(script, environment):
    environment.prepare(["test"])
    script.calls.clear()
    (script.ROOT / script.CONSTRAINTS).write_text("torch==2.14.0\n")
    environment.prepare([])
    assert script.calls == ["editables", ".[test]"]


def test_an_interrupted_installation_starts_afresh(script, environment, monkeypatch):
    def interrupted(*_arguments):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(script.Environment, "pip_install", interrupted)
        with pytest.raises(KeyboardInterrupt):
            environment.prepare([])
    script.calls.clear()
    environment.prepare([])
    assert script.calls == ["venv", "editables", "."]


def test_a_failed_installation_keeps_the_environment_that_worked(script, environment, monkeypatch):
    def offline(*_arguments):
        raise subprocess.CalledProcessError(1, ["pip"])

    environment.prepare([])
    script.calls.clear()
    with monkeypatch.context() as patch:
        patch.setattr(script.Environment, "pip_install", offline)
        with pytest.raises(subprocess.CalledProcessError):
            environment.prepare(["test"])
    environment.prepare([])
    assert script.calls == []


def test_a_moved_clone_gets_a_new_environment(script, environment, monkeypatch, tmp_path):
    environment.prepare([])
    moved = load(script.ROOT.rename(tmp_path / "moved"), monkeypatch)
    moved.environment_of("test").prepare([])
    assert moved.calls == ["venv", "editables", "."]


def test_an_old_python_is_told_what_to_do(script, monkeypatch, capsys):
    monkeypatch.setattr(script.sys, "version_info", (3, 10, 4))
    assert script.main(["test"]) == 2
    assert "must be 3.11 or newer, got 3.10" in capsys.readouterr().err


def test_an_unknown_job_names_the_known_ones(script, capsys):
    assert script.main(["tets"]) == 2
    assert "demo, symtrip, peers, python" in capsys.readouterr().err


def test_every_job_is_explained(script, capsys):
    assert script.main(["--help"]) == 0
    explained = capsys.readouterr().out
    assert [job for job in script.EXTRAS if f"\n  {job} " not in explained] == []


def test_arguments_reach_the_job(script):
    with pytest.raises(SystemExit):
        script.main(["demo", "--out", "a folder"])
    assert script.calls[-1] == [
        str(script.ROOT / ".venv/bin/python"),
        "-m",
        "symtrip",
        "demo",
        "--out",
        "a folder",
    ]


def test_labels_get_pyscf(script):
    with pytest.raises(SystemExit):
        script.main(["symtrip", "label", "clusters.xyz"])
    assert script.calls[:3] == ["venv", "editables", ".[dft]"]


def test_metatensor_files_get_metatensor(script):
    with pytest.raises(SystemExit):
        script.main(["symtrip", "features", "clusters.xyz", "--out", "clusters.mts"])
    assert script.calls[:3] == ["venv", "editables", ".[metatensor]"]


def test_other_packages_have_an_environment_of_their_own(script):
    with pytest.raises(SystemExit):
        script.main(["peers", "audit", "dscribe:SOAP"])
    assert script.calls == [
        "venv",
        "editables",
        ".[peers]",
        [str(script.ROOT / ".peers-venv/bin/python"), "-m", "symtrip", "audit", "dscribe:SOAP"],
    ]
