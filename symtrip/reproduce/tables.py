"""Errors beside the paper's, as data and as text."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

import numpy as np

from symtrip.train import PairErrors

__all__ = ["markdown_table", "paper_errors", "summary"]

_SETS = ("validation", "training")


def paper_errors() -> dict[str, dict[str, PairErrors]]:
    """Tables 1 and S2 of the paper: model -> "validation" or "training" -> errors.

    Source:
        Nigam et al., APL Mach. Learn. 2, 016110 (2024).
    """
    table = json.loads((files("symtrip") / "data" / "paper_table.json").read_text("utf-8"))
    return {
        name: {"validation": PairErrors(*row[:2]), "training": PairErrors(*row[2:])}
        for name, row in table["rows"].items()
    }


def summary(runs: list[dict[str, Any]]) -> dict[str, Any]:
    """Mean over seeds of both errors on both sets, and their spread (largest minus smallest).

    Args:
        runs: for each seed: set -> "mean" or "diff" -> error; "limit", if there is one, is the
            same for all seeds.
    """
    result: dict[str, Any] = {"spread": {}}
    for part in _SETS:
        values = {e: [run[part][e] for run in runs] for e in ("mean", "diff")}
        result[part] = {e: float(np.mean(v)) for e, v in values.items()}
        result["spread"][part] = {e: float(np.ptp(v)) for e, v in values.items()}
    return result | ({"limit": runs[0]["limit"]} if "limit" in runs[0] else {})


def markdown_table(models: dict[str, Any], part: str) -> str:
    """One table, rows as in ``models``; a dash where the paper has no such model.

    Args:
        models: as in ``results.json``.
        part: "validation" (Table 1) or "training" (Table S2).
    """
    paper = paper_errors()
    lines = ["| model | mean | diff | mean, paper | diff, paper |", "|---|---|---|---|---|"]
    for name, model in models.items():
        got = model[part]
        known = paper.get(name)
        theirs = (
            f"{known[part].mean:.4f} | {known[part].diff:.4f}" if known is not None else "- | -"
        )
        lines.append(f"| {name} | {got['mean']:.4f} | {got['diff']:.4f} | {theirs} |")
    return "\n".join(lines) + "\n"
