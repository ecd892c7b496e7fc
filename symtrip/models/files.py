"""Model files: one safetensors file whose header says which model it is."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar, TypeVar

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from symtrip.errors import InputError, require

__all__ = ["ModelFile", "StoredModel", "read_model_file"]

Model = TypeVar("Model")
Stored = TypeVar("Stored", bound="StoredModel")


@dataclass(frozen=True, eq=False)
class ModelFile:
    """What a model file holds.

    Attributes:
        path: the file.
        header: its metadata; ``format`` names the kind of model.
        tensors: name -> weights.
    """

    path: str
    header: dict[str, str]
    tensors: dict[str, Tensor]

    @property
    def format(self) -> str | None:
        """The kind of model, or None in a file that is no model."""
        return self.header.get("format")

    def build(self, wanted: str, make: Callable[[], Model], remedy: str) -> Model:
        """Build the model, or say what is wrong with the file.

        Args:
            wanted: the format that ``make`` reads.
            make: reads header and tensors.
            remedy: what to do about a file in another format.

        Raises:
            InputError: another format, or a file that ``make`` stumbles over.
        """
        require(
            self.format == wanted,
            "path",
            f"name a file in the format {wanted!r}",
            f"{self.format!r} in {self.path}",
            remedy,
        )
        try:
            return make()
        except InputError:
            raise
        except (KeyError, ValueError, TypeError, RuntimeError) as error:
            reason = str(error).splitlines()[0]
            raise InputError(
                f"`path` must name an intact model, got {self.path} "
                f"({type(error).__name__}: {reason}); train the model again or restore the file."
            ) from None


def read_model_file(path: str | os.PathLike[str], device: torch.device | str = "cpu") -> ModelFile:
    """Read header and tensors.

    Args:
        path: the file.
        device: where the tensors go.

    Raises:
        InputError: the file is missing or no intact safetensors file.
    """
    name = os.fspath(path)
    require(Path(path).is_file(), "path", "name an existing file", name, "check its spelling")
    try:
        with safe_open(path, framework="pt", device=str(device)) as file:
            header = file.metadata() or {}
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
    except SafetensorError as error:
        raise InputError(
            f"`path` must name an intact safetensors file, got {name} ({error}); "
            "train the model again or restore the file."
        ) from None
    return ModelFile(name, header, tensors)


class StoredModel(nn.Module):
    """A model with files of its own.

    Attributes:
        FORMAT: what the header of its files says.
        centers: indices of the atoms whose environments' energies are added up; None for all. The
            models for B8 are for atom 0: its environment is the whole cluster.
    """

    FORMAT: ClassVar[str]
    centers: tuple[int, ...] | None = (0,)

    @classmethod
    def format_of(cls, *, trained: bool) -> str:
        """What the header says: more than ``FORMAT`` while the network is not trained yet."""
        return cls.FORMAT if trained else f"{cls.FORMAT}, without a trained network"

    @classmethod
    def load(
        cls: type[Stored],
        path: str | os.PathLike[str],
        device: torch.device | str = "cpu",
        *,
        trained: bool = True,
    ) -> Stored:
        """Read a model that ``save`` wrote.

        Args:
            path: the file.
            device: where the weights go.
            trained: as it was saved.

        Raises:
            InputError: the file is missing, damaged, or holds no such model.
        """
        file = read_model_file(path, device)
        if not trained and file.format == cls.format_of(trained=False):
            file = replace(file, header=file.header | {"format": cls.FORMAT})
        return cls.from_file(file).to(device)

    @classmethod
    def from_file(cls: type[Stored], file: ModelFile) -> Stored:
        """The model in a file that was read.

        Raises:
            InputError: the file holds another kind of model or is damaged.
        """
        raise NotImplementedError
