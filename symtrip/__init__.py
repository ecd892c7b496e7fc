"""Symmetry-adapted neighbour-triplet features of atomic environments, complete and fast."""

from __future__ import annotations

__version__ = "0.1.0"
