"""Cached stages: folders named by a digest of everything that their content depends on."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from symtrip import __version__
from symtrip.files import atomic_write
from symtrip.train import Report

__all__ = ["Stages", "stage_key"]


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


class Stages:
    """The stages of one cache.

    Args:
        cache: folder with a folder for each stage.
        report: told what is cached and what is computed anew.
    """

    def __init__(self, cache: Path, report: Report) -> None:
        self.cache, self.report = cache, report

    def run(
        self,
        stage: str,
        inputs: dict[str, Any],
        compute: Callable[[Path], None],
        *,
        marker: str = "finished.json",
    ) -> Path:
        """Compute a stage unless it is there.

        Args:
            stage: its name, for people and as the beginning of the folder's name.
            inputs: as in :func:`stage_key`.
            compute: fills the folder; called again, it may continue from what an interrupted call
                has left there.
            marker: file that says that the stage is complete; ``compute`` may write it itself.

        Returns:
            The folder, complete.

        Raises:
            OSError: it cannot be written; stages that are finished stay usable.
        """
        key = stage_key(stage, **inputs)
        place = self.cache / key
        if (place / marker).exists():
            self.report.say(f"{stage}: cached")
            return place
        others = [p for p in self.cache.glob(f"{stage}-*") if p.name.rpartition("-")[0] == stage]
        if others and not place.exists():
            self.report.say(f"{stage}: settings, data or version changed, computed anew")
        place.mkdir(parents=True, exist_ok=True)
        compute(place)
        if (place / marker).exists():
            return place
        with atomic_write(place / marker) as temporary:
            temporary.write_text(json.dumps(inputs, sort_keys=True) + "\n", encoding="utf-8")
        return place
