"""The stages: each model and seed trained in a folder of its own, then the tables."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from symtrip.data import B8Pairs
from symtrip.files import atomic_write
from symtrip.reproduce.cache import data_digest, replaced, stage_key
from symtrip.reproduce.presets import Preset
from symtrip.reproduce.tables import markdown_table, summary
from symtrip.train import DataSettings, Report, TrainConfig, train

__all__ = ["reproduce"]


def reproduce(
    preset: Preset, out: str | os.PathLike[str], report: Report, *, pairs: B8Pairs | None = None
) -> dict[str, Any]:
    """Train every model of a preset for every seed and write the tables.

    Each run lives in ``out/cache`` under a digest of its settings and data. What is finished is not
    computed again, what was interrupted continues from its checkpoint, and what was computed with
    other settings or data is computed anew.

    Args:
        preset: what to train.
        out: folder of ``results.json`` (the models that ran), ``tables.md`` and ``cache``.
        report: told about the progress.
        pairs: the data; ``None``: those that ship with symtrip.

    Returns:
        The content of ``results.json``.

    Raises:
        InputError: too few labelled pairs.
        OSError: the disk is full or ``out`` cannot be written; finished stages stay usable.
        KeyboardInterrupt: after Ctrl-C, once the checkpoint of the present model is written.
    """
    data = pairs if pairs is not None else B8Pairs.load()
    folder = Path(out)
    digest = data_digest(data)
    models: dict[str, Any] = {}
    counts: dict[str, int] = {}
    for name in preset.models:
        runs = []
        for seed in range(preset.seeds):
            content = _run(preset, name, seed, folder / "cache", digest, data, report)
            runs.append(content["models"][preset.models[name].model])
            counts = content["pairs"]
        models[name] = summary(runs) | {"seeds": preset.seeds}
    content = {"models": models, "pairs": counts, "preset": preset.model_dump(mode="json")}
    with atomic_write(folder / "results.json") as temporary:
        temporary.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    text = (
        "## Table 1: validation\n\n"
        + markdown_table(models, "validation")
        + "\n## Table S2: training\n\n"
        + markdown_table(models, "training")
    )
    with atomic_write(folder / "tables.md") as temporary:
        temporary.write_text(text, encoding="utf-8")
    return content


def _run(
    preset: Preset,
    name: str,
    seed: int,
    cache: Path,
    digest: str,
    data: B8Pairs,
    report: Report,
) -> dict[str, Any]:
    plan = preset.models[name]
    settings = TrainConfig(
        model=plan.model,
        seed=seed,
        data=DataSettings(training_pairs=preset.training_pairs),
        features=preset.features,
        network=plan.network,
        training=plan.training,
    )
    inputs = settings.model_dump(mode="json", exclude={"output": True})
    key = stage_key(f"{name}-seed{seed}", data=digest, settings=inputs)
    place = cache / key
    finished = place / "results.json"
    if finished.exists():
        report.say(f"{name}, seed {seed}: cached")
    else:
        if replaced(cache, key):
            report.say(f"{name}, seed {seed}: settings, data or version changed, computed anew")
        config = settings.model_copy(update={"output": str(place)})
        train(config, report, pairs=data, resume=True)
    content: dict[str, Any] = json.loads(finished.read_text(encoding="utf-8"))
    return content
