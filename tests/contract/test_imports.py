"""What importing symtrip loads, and who may import whom."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

import symtrip

ROOT = Path(__file__).parents[2]

MODULES = sorted(
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    for path in (ROOT / "symtrip").rglob("*.py")
    if path.name != "__main__.py"
)

HEAVY = ("pyscf", "spherical", "scipy", "ase.io", "matplotlib")


def loaded_after(statement: str) -> set[str]:
    """The modules of a fresh interpreter after the statement."""
    code = f"import json, sys\n{statement}\nprint(json.dumps(sorted(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120
    )
    return set(json.loads(done.stdout.splitlines()[-1]))


def heavy(modules: set[str]) -> set[str]:
    return {name for name in modules if name.startswith(HEAVY)}


def test_importing_symtrip_loads_nothing_heavy():
    assert heavy(loaded_after("import symtrip")) == set()


def test_importing_symtrip_does_not_load_torch():
    assert "torch" not in loaded_after("import symtrip")


def test_importing_every_public_name_loads_nothing_heavy():
    assert heavy(loaded_after("from symtrip import *")) == set()


def test_the_command_line_without_a_job_does_not_load_torch():
    modules = loaded_after("from symtrip.cli.main import main; main(['--help'])")
    assert "torch" not in modules
    assert heavy(modules) == set()


def test_no_module_of_the_package_loads_pyscf_spherical_or_scipy_by_itself():
    # the one that is made of scikit-learn, which is made of scipy
    modules = set(MODULES) - {"symtrip.interop.estimators"}
    everything = loaded_after("; ".join(f"import {name}" for name in sorted(modules)))
    assert {
        name for name in everything if name.startswith(("pyscf", "spherical", "scipy"))
    } == set()


def test_every_public_name_has_a_home():
    assert set(symtrip._HOME) == set(symtrip.__all__)


@pytest.mark.parametrize("name", symtrip.__all__)
def test_public_names_are_documented(name):
    assert getattr(symtrip, name).__doc__


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no_such_name"):
        symtrip.no_such_name  # noqa: B018


def test_import_rules_hold():
    done = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout
