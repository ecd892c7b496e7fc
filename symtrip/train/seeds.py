"""Independent random generators for the parts of a run, all from one seed."""

from __future__ import annotations

import numpy as np
import torch

__all__ = ["generator_for"]

_PURPOSES = ("split", "compression", "weights", "order")


def generator_for(seed: int, purpose: str, index: int = 0) -> torch.Generator:
    """A CPU generator that depends on nothing but its arguments.

    Args:
        seed: seed of the run, >= 0.
        purpose: one of "split", "compression", "weights", "order".
        index: e.g. the number of the epoch, >= 0.
    """
    words = np.random.SeedSequence((seed, _PURPOSES.index(purpose), index)).generate_state(2)
    return torch.Generator().manual_seed(int(words[0]) << 31 ^ int(words[1]))
