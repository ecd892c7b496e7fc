"""Trainer states on disk: one safetensors file with a JSON header, replaced atomically."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from torch import Tensor

from symtrip.errors import InputError, require
from symtrip.files import check_writable, save_tensors

__all__ = ["checkpoint_in", "load_checkpoint", "put_tensors", "save_checkpoint", "take_tensors"]

_FORMAT = "symtrip training checkpoint 2"
_TENSOR = "tensor: "


def checkpoint_in(folder: Path, *, resume: bool) -> Path:
    """Path of the checkpoint of a run.

    Args:
        folder: output folder of the run.
        resume: whether the run may continue from what is there.

    Raises:
        InputError: there is a checkpoint although the run is not resumed.
        OSError: the folder cannot be written.
    """
    path = folder / "checkpoint.safetensors"
    require(
        resume or not path.exists(),
        "output",
        "be a folder without a checkpoint unless the run is resumed",
        folder,
        "pass --resume, choose another folder, or delete this one",
    )
    check_writable(path)
    return path


def save_checkpoint(
    path: str | os.PathLike[str],
    tensors: dict[str, Tensor],
    values: dict[str, Any],
    config: dict[str, Any],
) -> None:
    """Write a state of a :class:`~symtrip.train.Trainer`; the file is always a whole one.

    Args:
        path: the file to create or replace.
        tensors: tensors of the state.
        values: other values of the state, as JSON can hold them.
        config: the configuration of the run.
    """
    header = {"format": _FORMAT, "state": json.dumps(values), "config": json.dumps(config)}
    save_tensors(path, tensors, header)


def load_checkpoint(
    path: str | os.PathLike[str], config: dict[str, Any]
) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Read a state back.

    Args:
        path: the file.
        config: the configuration of this run; it must be that of the checkpoint.

    Returns:
        Tensors and other values.

    Raises:
        InputError: the file is damaged or no checkpoint, or belongs to another configuration (the
            first setting that differs is named).
    """
    name = os.fspath(path)
    try:
        with safe_open(path, framework="pt") as file:
            header = file.metadata() or {}
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
    except SafetensorError as error:
        raise InputError(
            f"`checkpoint` must be an intact safetensors file, got {name} ({error}); delete it and "
            "train from the beginning."
        ) from None
    require(
        header.get("format") == _FORMAT,
        "checkpoint",
        f"be in the format {_FORMAT!r}",
        f"{header.get('format')!r} in {name}",
        "choose another `output` folder",
    )
    stored = json.loads(header["config"])
    changed = _first_difference(stored, config)
    require(
        changed is None,
        "config",
        f"be the one that {Path(name).parent} was trained with",
        changed,
        "undo the change, or choose another `output` folder",
    )
    return tensors, json.loads(header["state"])


def take_tensors(value: Any, name: str, tensors: dict[str, Tensor]) -> Any:
    """Move the tensors of a nested state into a flat dictionary.

    Args:
        value: tensors and what JSON can hold, in dictionaries, lists and tuples.
        name: of the value; what is inside is called ``name.key``, ``name.0`` and so on.
        tensors: gets the tensors.

    Returns:
        The value with names in place of tensors, as JSON can hold it.
    """
    if isinstance(value, Tensor):
        tensors[name] = value
        return _TENSOR + name
    if isinstance(value, dict):
        return {str(k): take_tensors(v, f"{name}.{k}", tensors) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [take_tensors(v, f"{name}.{i}", tensors) for i, v in enumerate(value)]
    return value


def put_tensors(value: Any, tensors: dict[str, Tensor]) -> Any:
    """Undo :func:`take_tensors`; dictionaries have strings as keys, and tuples are lists.

    Args:
        value: what it returned.
        tensors: what it filled.
    """
    if isinstance(value, str) and value.startswith(_TENSOR):
        return tensors[value.removeprefix(_TENSOR)]
    if isinstance(value, dict):
        return {k: put_tensors(v, tensors) for k, v in value.items()}
    if isinstance(value, list):
        return [put_tensors(v, tensors) for v in value]
    return value


def _first_difference(old: dict[str, Any], new: dict[str, Any], where: str = "") -> str | None:
    for key in sorted({*old, *new}):
        a, b = old.get(key), new.get(key)
        if isinstance(a, dict) and isinstance(b, dict):
            inner = _first_difference(a, b, f"{where}{key}.")
            if inner:
                return inner
        elif a != b:
            return f"{where}{key} = {b!r} instead of {a!r}"
    return None
