"""Build the wheel and use it outside of the source tree: are all modules and data files in it?"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = {"symtrip": ROOT / "symtrip", "symtrip_reference": ROOT / "reference/symtrip_reference"}

USE = """
import sys, symtrip, symtrip_reference
for package in (symtrip, symtrip_reference):
    assert package.__file__.startswith(sys.argv[1]), package.__file__
assert len(symtrip.B8Pairs.load()) == 4000
"""


def expected_files() -> set[str]:
    """Every file of the two packages that is not a by-product of running them."""
    return {
        f"{name}/{path.relative_to(folder).as_posix()}"
        for name, folder in PACKAGES.items()
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def main() -> int:
    """Exit code 0 when the wheel holds exactly the packages' files and works."""
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    with tempfile.TemporaryDirectory() as folder:
        wheels, site = Path(folder, "wheels"), Path(folder, "site")
        subprocess.run(
            [*pip, "wheel", "--no-deps", "--no-build-isolation", "-w", wheels, ROOT], check=True
        )
        (wheel,) = wheels.glob("*.whl")
        with zipfile.ZipFile(wheel) as archive:
            packed = {name for name in archive.namelist() if ".dist-info/" not in name}
        difference = packed ^ expected_files()
        if difference:
            print(f"missing from or unexpected in {wheel.name}: {sorted(difference)}")
            return 1
        subprocess.run([*pip, "install", "--no-deps", "--target", site, wheel], check=True)
        environment = {**os.environ, "PYTHONPATH": str(site)}
        subprocess.run(
            [sys.executable, "-c", USE, str(site)], cwd=folder, env=environment, check=True
        )
        print(f"{wheel.name}: {len(packed)} files, {wheel.stat().st_size / 1e6:.1f} MB, works")
    return 0


if __name__ == "__main__":
    sys.exit(main())
