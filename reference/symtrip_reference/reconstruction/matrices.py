"""Rational matrices that the decoders share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sympy import QQ
from sympy.polys.matrices import DomainMatrix

__all__ = ["hankel", "rank", "solve"]


def hankel(sequence: Sequence[Any], size: int) -> list[list[Any]]:
    """(size, size) with s_(a + b) at (a, b).

    Args:
        sequence: s_0 .. s_(2 size - 2) at least.
        size: rows and columns.
    """
    return [[sequence[a + b] for b in range(size)] for a in range(size)]


def rank(matrix: list[list[Any]]) -> int:
    """Rank of a square matrix."""
    size = len(matrix)
    value: int = DomainMatrix(matrix, (size, size), QQ).rank()
    return value


def solve(matrix: list[list[Any]], right: Sequence[Any]) -> list[Any]:
    """Solution x of ``matrix`` x = ``right``, for an invertible square matrix."""
    size = len(right)
    if size == 0:  # sympy does not solve empty systems
        return []
    system = DomainMatrix(matrix, (size, size), QQ)
    solution: list[Any] = system.lu_solve(
        DomainMatrix([[x] for x in right], (size, 1), QQ)
    ).to_list_flat()
    return solution
