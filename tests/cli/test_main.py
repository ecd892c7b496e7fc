"""The entry point: exit codes, one-line errors, no tracebacks."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import types

import pytest
import torch

import symtrip
from symtrip.cli import main as entry
from symtrip.errors import require


@pytest.fixture
def command(monkeypatch):
    """Registers a subcommand ``probe`` that does what it is told."""

    def register(action):
        def probe() -> None:
            """Does what the test wants."""
            action()

        module = types.ModuleType("symtrip.cli.probe")
        module.probe = probe
        monkeypatch.setitem(sys.modules, "symtrip.cli.probe", module)
        monkeypatch.setitem(entry.COMMANDS, "probe", "Does what the test wants.")

    return register


def test_success_is_exit_code_0(command, capsys):
    command(lambda: print("done"))
    assert entry.main(["probe"]) == 0
    assert capsys.readouterr().out == "done\n"


def test_bad_input_is_one_line_on_stderr_and_exit_code_2(command, capsys):
    command(lambda: require(False, "radius", "be > 0 Å", -1.0, "raise it"))
    assert entry.main(["probe"]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == "symtrip: error: `radius` must be > 0 Å, got -1.0; raise it.\n"


def test_ctrl_c_is_one_line_and_exit_code_130(command, capsys):
    def interrupt():
        raise KeyboardInterrupt

    command(interrupt)
    assert entry.main(["probe"]) == 130
    assert capsys.readouterr().err.strip() == "symtrip: interrupted"


def test_a_full_disk_names_the_file_and_is_exit_code_1(command, capsys):
    def no_space():
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "runs/weights.safetensors")

    command(no_space)
    assert entry.main(["probe"]) == 1
    assert capsys.readouterr().err == (
        "symtrip: error: No space left on device: runs/weights.safetensors\n"
    )


@pytest.mark.parametrize(
    "problem",
    [
        MemoryError("Unable to allocate 500. GiB"),
        RuntimeError("[...] DefaultCPUAllocator: can't allocate memory: you tried to allocate ..."),
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 500.00 GiB."),
    ],
)
def test_too_little_memory_is_one_line_and_exit_code_1(problem, command, capsys):
    def allocate():
        raise problem

    command(allocate)
    assert entry.main(["probe"]) == 1
    assert capsys.readouterr().err == f"symtrip: error: not enough memory ({problem})\n"


def test_a_defect_of_the_program_keeps_its_traceback(command):
    def defect():
        raise ZeroDivisionError

    command(defect)
    with pytest.raises(ZeroDivisionError):
        entry.main(["probe"])


def test_an_unknown_option_is_exit_code_2(command, capsys):
    command(lambda: None)
    assert entry.main(["probe", "--no-such-option"]) == 2
    assert "No such option" in capsys.readouterr().err


def test_an_unknown_command_is_exit_code_2(capsys):
    assert entry.main(["no-such-command"]) == 2
    assert "No such command" in capsys.readouterr().err


def test_the_version_is_printed(capsys):
    assert entry.main(["--version"]) == 0
    assert capsys.readouterr().out == f"symtrip {symtrip.__version__}\n"


@pytest.mark.parametrize("name", entry.COMMANDS)
def test_the_help_of_a_command_starts_with_its_summary(name, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("TERMINAL_WIDTH", "200")
    assert entry.main([name, "--help"]) == 0
    assert entry.COMMANDS[name].rstrip(".") in capsys.readouterr().out


def test_the_list_of_commands_shows_every_one(capsys):
    assert entry.main(["--help"]) == 0
    shown = capsys.readouterr().out
    assert [name for name in entry.COMMANDS if name not in shown] == []


def test_a_closed_pipe_ends_the_program_without_a_traceback():
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "symtrip", "--help"],
            stdout=writer,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
        )
    finally:
        os.close(writer)
    assert "Traceback" not in done.stderr
    assert done.returncode in (0, 1)
