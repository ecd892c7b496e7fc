"""Makes this folder's helper modules and, in a bare checkout, the exact package importable."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path

HERE = Path(__file__).resolve().parent

sys.path.insert(0, str(HERE))
if find_spec("symtrip_reference") is None:
    sys.path.insert(0, str(HERE.parents[1] / "reference"))
