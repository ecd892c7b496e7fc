"""Configuration of a training run: a TOML file in, checked settings out."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Literal, TypeVar

from pydantic import Field, NonNegativeFloat, NonNegativeInt, PositiveFloat, PositiveInt

from symtrip.errors import InputError
from symtrip.models import (
    ExpansionSettings,
    FeatureSettings,
    ModelName,
    NetworkSettings,
    Settings,
    validated,
)

__all__ = [
    "DataSettings",
    "OptimiserSettings",
    "TrainConfig",
    "TrainingSettings",
    "load_config",
    "read_config",
]

Config = TypeVar("Config", bound=Settings)


class DataSettings(Settings):
    """Which pairs of B8 to use.

    Attributes:
        file: what :meth:`symtrip.data.B8Pairs.load` reads; ``None``: the shipped labels.
        training_pairs: use only the first so many labelled training pairs; ``None``: all.
        selection_fraction: part of the training pairs that is kept aside to choose the weights; the
            validation pairs are never used for it.
    """

    file: str | None = None
    training_pairs: int | None = Field(default=None, ge=4)
    selection_fraction: float = Field(default=0.1, gt=0, lt=1)


class OptimiserSettings(Settings):
    """What every training run has in common.

    Attributes:
        epochs: passes over the training data.
        optimiser: AdamW for all parameters, or Muon or SOAP for matrices and AdamW for the others.
            Muon makes each step of a matrix orthogonal (by Newton-Schulz iteration in bfloat16);
            SOAP takes Adam's steps in the eigenbases of Shampoo's preconditioner, for sides of a
            matrix of up to 512. Both need fewer epochs, SOAP the fewest; the steps cost more than
            AdamW's, for small batches as much as the gradients.
        learning_rate: peak of the one-cycle schedule.
        weight_decay: of all parameters.
        average_decay: of the exponential moving average of the weights, per batch.
        checkpoint_seconds: time between two checkpoints.
    """

    epochs: PositiveInt = 80
    optimiser: Literal["adamw", "muon", "soap"] = "adamw"
    learning_rate: PositiveFloat = 3e-3
    weight_decay: NonNegativeFloat = 0.01
    average_decay: float = Field(default=0.998, ge=0, lt=1)
    checkpoint_seconds: NonNegativeFloat = 30.0


class TrainingSettings(OptimiserSettings):
    """The optimisation on pairs.

    Attributes:
        batch_pairs: whole pairs in a batch.
        difference_weight: weight of the squared error of the difference within a pair; the squared
            error of each energy has weight 1.
    """

    batch_pairs: PositiveInt = 64
    difference_weight: NonNegativeFloat = 10.0


class TrainConfig(Settings):
    """A training run; every table and key but ``model`` may be left out.

    Attributes:
        model: B_L, B_NL, D_L or D_NL.
        output: folder of the checkpoint and the results.
        seed: of the random start of the compression, the initial weights, the split and the order
            of the batches.
        data: which pairs.
        expansion: the density expansion.
        features: the compression.
        network: the network.
        training: the optimisation.
    """

    model: ModelName
    output: str = "runs/b8"
    seed: NonNegativeInt = 0
    data: DataSettings = DataSettings()
    expansion: ExpansionSettings = ExpansionSettings()
    features: FeatureSettings = FeatureSettings()
    network: NetworkSettings = NetworkSettings()
    training: TrainingSettings = TrainingSettings()


def load_config(path: str | os.PathLike[str]) -> TrainConfig:
    """Read the configuration of a training run on B8.

    Args:
        path: a TOML file.

    Raises:
        InputError: see :func:`read_config`.
    """
    return read_config(TrainConfig, path)


def read_config(kind: type[Config], path: str | os.PathLike[str]) -> Config:
    """Read settings from a TOML file.

    Args:
        kind: the settings wanted.
        path: the file.

    Raises:
        InputError: the file is missing or no TOML, a key is misspelt, missing or has an impossible
            value; the message names the key and, for a misspelt one, the closest.
    """
    name = os.fspath(path)
    try:
        values = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(
            f"`config` must name an existing TOML file, got {name}; check its spelling."
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise InputError(
            f"`config` must name a readable TOML file, got {name} ({error}); repair it."
        ) from None
    return validated(kind, values, name)
