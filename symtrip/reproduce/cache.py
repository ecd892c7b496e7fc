"""Names of cached stages: a digest of everything that their content depends on."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from symtrip import __version__
from symtrip.data import B8Pairs

__all__ = ["data_digest", "replaced", "stage_key"]


def data_digest(pairs: B8Pairs) -> str:
    """Digest of parameters and energies, NaN included."""
    digest = hashlib.sha256()
    for tensor in (pairs.index, pairs.parameters, pairs.energies):
        digest.update(tensor.cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()


def stage_key(stage: str, **inputs: Any) -> str:
    """Folder name of a stage.

    Args:
        stage: its name.
        inputs: everything that determines its content, as JSON can hold it.

    Returns:
        ``stage-`` and 16 hexadecimal digits; they change with the inputs and symtrip's version.
    """
    text = json.dumps({"version": __version__, **inputs}, sort_keys=True)
    return f"{stage}-{hashlib.sha256(text.encode()).hexdigest()[:16]}"


def replaced(cache: Path, key: str) -> bool:
    """Whether the cache holds this stage, but only with other inputs."""
    stage = key.rpartition("-")[0]
    others = [p for p in cache.glob(f"{stage}-*") if p.name.rpartition("-")[0] == stage]
    return bool(others) and all(p.name != key for p in others)
