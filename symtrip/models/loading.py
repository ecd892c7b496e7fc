"""Any model file: its header says which class reads it."""

from __future__ import annotations

import os

import torch

from symtrip.errors import InputError
from symtrip.models.files import read_model_file
from symtrip.models.kernel_model import KernelModel
from symtrip.models.model import EnergyModel
from symtrip.models.random_features import RandomFeatureModel
from symtrip.models.structure_model import StructureModel

__all__ = ["AnyModel", "load_model"]

AnyModel = EnergyModel | KernelModel | RandomFeatureModel | StructureModel
"""What a model file may hold."""

_KINDS: tuple[type[AnyModel], ...] = (
    EnergyModel,
    KernelModel,
    RandomFeatureModel,
    StructureModel,
)


def load_model(path: str | os.PathLike[str], device: torch.device | str = "cpu") -> AnyModel:
    """Read a model of any kind.

    Args:
        path: a file that the ``save`` of one of these models or a command of symtrip wrote.
        device: where the weights go.

    Raises:
        InputError: the file is missing, damaged, or no symtrip model.

    Example:
        >>> from symtrip.models import load_model
        >>> model = load_model("results/paper/b_nl.safetensors")  # doctest: +SKIP
    """
    file = read_model_file(path, device)
    for kind in _KINDS:
        if file.format == kind.FORMAT:
            return kind.from_file(file).to(device)
    known = ", ".join(repr(kind.FORMAT) for kind in _KINDS)
    raise InputError(
        f"`path` must name a file in one of the formats {known}, got {file.format!r} in "
        f"{file.path}; write models with `symtrip train` or `save`."
    )
