"""Data that ship with symtrip; ``README.md`` in this folder says where each file comes from."""

from symtrip.data.b8 import (
    B8_REFERENCE_ENERGY_HARTREE,
    HARTREE_IN_EV,
    N_PAIRS,
    N_TRAINING_PAIRS,
    B8Pairs,
)

__all__ = ["B8_REFERENCE_ENERGY_HARTREE", "HARTREE_IN_EV", "N_PAIRS", "N_TRAINING_PAIRS", "B8Pairs"]
