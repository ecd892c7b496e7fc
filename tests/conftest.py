"""Settings shared by all tests."""

from __future__ import annotations

import os
from pathlib import Path

import torch
from hypothesis import HealthCheck, settings

torch.set_num_threads(1)

# processes that compile into one cache at once can leave it broken: calls then end in a crash
_WORKER = os.environ.get("PYTEST_XDIST_WORKER", "alone")
_CACHE = Path(__file__).parent.parent / ".pytest_cache" / "numba" / _WORKER
os.environ["NUMBA_CACHE_DIR"] = str(_CACHE)

_COMMON = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}
settings.register_profile("dev", max_examples=10, **_COMMON)
settings.register_profile("ci", max_examples=25, derandomize=True, print_blob=True, **_COMMON)
settings.register_profile("nightly", max_examples=5000, **_COMMON)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci" if os.environ.get("CI") else "dev"))
