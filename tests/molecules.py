"""Molecules for tests."""

from __future__ import annotations

import numpy as np


def scattered(rng: np.random.Generator, count: int, least: float) -> np.ndarray:
    """(count, 3) positions in a cube of 2.6 Å, no two of them closer than ``least`` Å."""
    while True:
        positions = 2.6 * rng.random((count, 3))
        distances = np.linalg.norm(positions[:, None] - positions[None], axis=-1)
        if (distances + 9 * np.eye(count)).min() > least:
            return positions
