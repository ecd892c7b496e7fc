"""What is trained: the models of each preset."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, PositiveInt

from symtrip.models import FeatureSettings, ModelName, NetworkSettings, Settings
from symtrip.train import TrainingSettings

__all__ = ["PRESETS", "ModelPlan", "Preset", "PresetName"]

PresetName = Literal["quick", "paper", "best"]


class ModelPlan(Settings):
    """One row of the tables.

    Attributes:
        model: architecture; ``best`` is a B_NL with other settings.
        network: its width, and whether inversion symmetry is restored after the nonlinearity.
        training: the optimisation.
    """

    model: ModelName
    network: NetworkSettings = NetworkSettings()
    training: TrainingSettings = TrainingSettings()


class Preset(Settings):
    """A whole reproduction.

    Attributes:
        training_pairs: the first so many labelled training pairs; ``None``: all.
        seeds: one run of every model for each.
        features: compression, common to all models of a kind.
        models: row name -> plan.
    """

    training_pairs: int | None = Field(default=None, ge=4)
    seeds: PositiveInt = 3
    features: FeatureSettings = FeatureSettings()
    models: dict[str, ModelPlan]


def _rows(linear: int, triplets: int, invariants: int) -> dict[str, ModelPlan]:
    return {
        "B_L": ModelPlan(model="B_L", training=TrainingSettings(epochs=linear)),
        "B_NL": ModelPlan(model="B_NL", training=TrainingSettings(epochs=triplets)),
        "D_L": ModelPlan(model="D_L", training=TrainingSettings(epochs=invariants)),
        "D_NL": ModelPlan(model="D_NL", training=TrainingSettings(epochs=invariants)),
    }


def _best(epochs: int, hidden: int) -> ModelPlan:
    return ModelPlan(
        model="B_NL",
        network=NetworkSettings(hidden=hidden, inversion_symmetric=True),
        training=TrainingSettings(epochs=epochs),
    )


PRESETS: dict[PresetName, Preset] = {
    "quick": Preset(
        training_pairs=500,
        seeds=1,
        features=FeatureSettings(components=256, sample=100),
        models=_rows(15, 40, 500) | {"best": _best(25, 128)},
    ),
    "paper": Preset(models=_rows(80, 300, 300)),
    "best": Preset(features=FeatureSettings(components=1024), models={"best": _best(300, 256)}),
}
"""The presets by name."""
