"""A reproduction from the data to tables and figures."""

from __future__ import annotations

import json
import os
from collections.abc import Collection
from pathlib import Path
from typing import Any, Literal

import torch

from symtrip.data import B8Pairs
from symtrip.errors import require
from symtrip.files import atomic_write, check_writable
from symtrip.reproduce.drawing import draw_figures
from symtrip.reproduce.pipeline import Pipeline, errors_of
from symtrip.reproduce.presets import Preset
from symtrip.reproduce.tables import markdown_table, summary
from symtrip.train import PairErrors, Report

__all__ = ["Figures", "reproduce"]

Figures = Literal["all", "table", "none"]


def reproduce(
    preset: Preset,
    out: str | os.PathLike[str],
    report: Report,
    *,
    pairs: B8Pairs | None = None,
    device: torch.device | str = "cpu",
    only: Collection[str] | None = None,
    seeds: int | None = None,
    figures: Figures = "all",
) -> dict[str, Any]:
    """Train the models of a preset for every seed and write tables and figures.

    Each stage lives in ``out/cache`` under a digest of its settings and data. What is finished is
    not computed again, what was interrupted continues from what is there, and what was computed
    with other settings or data is computed anew.

    Args:
        preset: what to train.
        out: folder of ``results.json`` (the models that ran), ``tables.md``, ``figures.json``, the
            figures and ``cache``.
        report: told about the progress.
        pairs: the data; ``None``: those that ship with symtrip.
        device: where NICE and the networks run.
        only: rows to train; the others appear in the tables as far as they are in the cache.
        seeds: train fewer seeds than the preset has.
        figures: "all", "table" (those of the models in the table only; the others need many more
            models) or "none".

    Returns:
        The content of ``results.json``.

    Raises:
        InputError: too few labelled pairs, or an unknown row.
        OSError: ``out`` cannot be written, known before the work starts, or the disk is full;
            finished stages stay usable.
        KeyboardInterrupt: after Ctrl-C, once the checkpoint of the present model is written.
    """
    unknown = sorted(set(only or ()) - set(preset.models))
    require(
        not unknown, "only", f"name rows of {', '.join(preset.models)}", unknown, "choose from them"
    )
    data = pairs if pairs is not None else B8Pairs.load()
    folder = Path(out)
    check_writable(folder / "results.json")
    pipeline = Pipeline(preset, folder / "cache", data, report, torch.device(device))
    models: dict[str, Any] = {}
    for name, plan in preset.models.items():
        runs = []
        for seed in range(preset.seeds):
            wanted = (only is None or name in only) and seed < (seeds or preset.seeds)
            place = pipeline.train(name, seed) if wanted else pipeline.finished(name, seed)
            if place is not None:
                runs.append(errors_of(place, plan))
        if runs:
            models[name] = summary(runs) | {"seeds": len(runs)}
    content = {
        "models": models,
        "pairs": {
            "training": len(pipeline.labelled_fitting),
            "validation": len(data.validation.labelled),
        },
        "preset": preset.model_dump(mode="json"),
    }
    with atomic_write(folder / "results.json") as temporary:
        temporary.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    _write_tables(folder / "tables.md", preset, models)
    if figures != "none":
        draw_figures(pipeline, folder, train_more=figures == "all")
    return content


def _write_tables(path: Path, preset: Preset, models: dict[str, Any]) -> None:
    text = (
        "## Table 1: validation\n\n"
        + markdown_table(models, "validation")
        + "\n## Table S2: training\n\n"
        + markdown_table(models, "training")
    )
    for name, model in models.items():
        if "limit" in model:
            limit = PairErrors(**model["limit"]["validation"])
            width = preset.models[name].latent.hidden
            alone = f"a last layer that reads {width} numbers alone misses at least {limit}"
            text += f"\n{name}: {alone}.\n"
    missing = [name for name in preset.models if name not in models]
    if missing:
        text += f"\nNot trained here: {', '.join(missing)}.\n"
    fewer = [f"{n} ({m['seeds']})" for n, m in models.items() if m["seeds"] < preset.seeds]
    if fewer:
        text += f"\nFewer than {preset.seeds} seeds: {', '.join(fewer)}.\n"
    with atomic_write(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
