"""Constant tables that follow the inputs' type and device without ever losing digits."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

__all__ = ["ConstantTable"]


class ConstantTable:
    """A float64 master array and its copies in the types and on the devices asked for.

    Buffers of a module are converted in place by ``module.float()`` and keep only 24 bits after
    ``module.double()``; a table is not, so a module gives full accuracy for whatever inputs it
    gets.

    Args:
        master: the values in float64 (or integers, which keep their type).
    """

    def __init__(self, master: NDArray[np.float64] | NDArray[np.int64]) -> None:
        self.master = master
        self._copies: dict[tuple[torch.dtype, torch.device], Tensor] = {}

    def like(self, tensor: Tensor) -> Tensor:
        """The table in the dtype and on the device of ``tensor``."""
        key = (tensor.dtype, tensor.device)
        if key not in self._copies:
            # a copy made in inference mode could not take part in gradients later
            with torch.inference_mode(False):
                copy = torch.tensor(self.master, device=tensor.device)
                self._copies[key] = copy.to(tensor.dtype) if copy.is_floating_point() else copy
        return self._copies[key]
