"""The paper's tables from the data: cached stages, resumable at any point."""

from symtrip.reproduce.cache import stage_key
from symtrip.reproduce.presets import PRESETS, ModelPlan, Preset
from symtrip.reproduce.run import reproduce
from symtrip.reproduce.tables import markdown_table, paper_errors

__all__ = [
    "PRESETS",
    "ModelPlan",
    "Preset",
    "markdown_table",
    "paper_errors",
    "reproduce",
    "stage_key",
]
