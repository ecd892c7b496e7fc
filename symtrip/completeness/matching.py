"""Assignments between equal-sized sets: the smallest worst cost and the smallest total cost."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

__all__ = ["Kind", "assign", "bottleneck_bound"]

Kind = Literal["bottleneck", "emd"]


def assign(cost: NDArray[np.float64], kind: Kind) -> tuple[NDArray[np.intp], float]:
    """The best one-to-one assignment of rows to columns.

    Args:
        cost: (n, n) costs >= 0; ``inf`` forbids an entry.
        kind: ``"bottleneck"`` minimises the largest cost used, ``"emd"`` the mean cost.

    Returns:
        The column of each row, and the largest (mean) cost used: ``inf`` when nothing is allowed,
        0 for n = 0.
    """
    from scipy.optimize import linear_sum_assignment

    if len(cost) == 0:
        return np.empty(0, dtype=np.intp), 0.0
    if kind == "bottleneck":
        threshold = _smallest_threshold(cost)
        # Among the assignments with this worst cost, the one with the smallest total is returned.
        cost = np.where(cost <= threshold, cost, np.inf)
    if not _has_perfect_matching(np.isfinite(cost)):
        return np.arange(len(cost)), float("inf")
    columns = linear_sum_assignment(cost)[1]
    used = cost[np.arange(len(cost)), columns]
    return columns, float(used.max() if kind == "bottleneck" else used.mean())


def bottleneck_bound(cost: NDArray[np.float64]) -> NDArray[np.float64]:
    """A lower bound of bottleneck costs: every row and every column must be used.

    Args:
        cost: (..., n, n).

    Returns:
        (...,); 0 for n = 0.
    """
    if cost.shape[-1] == 0:
        return np.zeros(cost.shape[:-2])
    rows = cost.min(axis=-1).max(axis=-1)
    return np.asarray(np.maximum(rows, cost.min(axis=-2).max(axis=-1)))


def _smallest_threshold(cost: NDArray[np.float64]) -> float:
    values = np.unique(cost[np.isfinite(cost) & (cost >= bottleneck_bound(cost))])
    if len(values) == 0 or not _has_perfect_matching(cost <= values[-1]):
        return float("inf")
    low, high = 0, len(values) - 1
    while low < high:
        middle = (low + high) // 2
        if _has_perfect_matching(cost <= values[middle]):
            high = middle
        else:
            low = middle + 1
    return float(values[low])


def _has_perfect_matching(allowed: NDArray[np.bool_]) -> bool:
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import maximum_bipartite_matching

    if not (allowed.any(axis=0).all() and allowed.any(axis=1).all()):
        return False
    return bool((maximum_bipartite_matching(csr_array(allowed), perm_type="column") >= 0).all())
