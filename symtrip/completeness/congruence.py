"""Are two environments equal up to rotation and permutation? Decided in polynomial time.

The farthest neighbour j of ``a`` and the one farthest from its axis, k, define a frame. If some
rotation and permutation bring every atom of ``a`` within eps of ``b``, then the frame of *their*
images in ``b`` brings every atom within 13 eps (:data:`FRAME_FACTOR`): trying all pairs of ``b``
finds every congruence, and the best frame bounds the unknown optimum from below.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from symtrip.completeness.clouds import Array, Cloud, as_cloud, frame
from symtrip.completeness.matching import assign, bottleneck_bound
from symtrip.environments import Environments
from symtrip.errors import require

__all__ = [
    "FRAME_FACTOR",
    "HANDEDNESS",
    "Congruence",
    "Group",
    "candidate_alignments",
    "check_group",
    "congruent",
]

Group = Literal["O3", "SO3"]

FRAME_FACTOR = 13.0
"""Deviation of the best frame alignment over the smallest possible one, at most.

With |r_j| = R the farthest neighbour and p the largest distance from its axis: e1 turns by at
most 2 eps/R, the part of r_k across it moves by at most 3 eps, so e2 turns by at most 6 eps/p and
e3 by at most 2 eps/R + 6 eps/p. An atom at (x, y, z) in the frame, |x| <= R, y^2 + z^2 <= p^2,
moves by at most 2 eps + sqrt(6^2 + 8^2) eps, on top of its own eps.
"""

HANDEDNESS: dict[str, tuple[float, ...]] = {"O3": (1.0, -1.0), "SO3": (1.0,)}
"""Determinants of the matrices of each group."""

_CHUNK = 256
_REFINED = 8


@dataclass(frozen=True, eq=False)
class Congruence:
    """Outcome of :func:`congruent`.

    Attributes:
        congruent: whether an alignment with deviations <= ``tolerance`` was found.
        residual: largest deviation |T r_i - r'_perm(i)| of the best alignment found, in Å;
            ``inf`` when the compositions differ.
        lower_bound: no alignment does better than this, in Å. A negative verdict is proved when it
            exceeds ``tolerance``.
        transformation: (3, 3) orthogonal matrix T of that alignment.
        permutation: (N,) neighbour ``permutation[i]`` of ``b`` is the image of neighbour i of ``a``
            (counted without padding).
        tolerance: the tolerance asked for, in Å.
    """

    congruent: bool
    residual: float
    lower_bound: float
    transformation: Array
    permutation: NDArray[np.intp]
    tolerance: float

    @property
    def verdict(self) -> Literal["congruent", "distinct", "undecided"]:
        """``"undecided"`` when neither an alignment was found nor its absence is proved.

        That takes a smallest deviation between ``tolerance`` and 13 times it: ask with another one.
        """
        if self.congruent:
            return "congruent"
        return "distinct" if self.lower_bound > self.tolerance else "undecided"

    def __bool__(self) -> bool:
        return self.congruent


def check_group(group: str) -> None:
    """Raise InputError unless ``group`` is "O3" or "SO3"."""
    require(
        group in ("O3", "SO3"),
        "group",
        'be "O3" or "SO3"',
        repr(group),
        'write "O3" to let mirror images count as equal, "SO3" to tell them apart',
    )


def congruent(
    a: Environments, b: Environments, *, group: Group = "O3", tolerance: float = 1e-8
) -> Congruence:
    """Compare two environments up to rotation about the centre and permutation of like atoms.

    Args:
        a: one environment.
        b: one environment.
        group: ``"O3"``: rotations and inversion; ``"SO3"``: proper rotations, mirror images differ.
        tolerance: largest deviation of an atom in Å that still counts as equal.

    Returns:
        The verdict with the best alignment found. Species of the centre and of the neighbours must
        agree. Collinear, coplanar and empty environments need no special treatment.

    Raises:
        InputError: several environments, an unknown group, a tolerance that is not positive.

    Accuracy:
        Float64 arithmetic. The residual of congruent environments is at most a few eps times the
        distance of the farthest neighbour; ``lower_bound`` is at least ``residual`` of the best
        frame / 13. Time O(N^2) alignments of O(N^2.5) each.

    Source:
        Frames of tagged pairs: Nigam et al., APL Mach. Learn. 2, 016110 (2024), section II of the
        supplement, after Kurlin, arXiv:2207.08502. The factor 13: derived at ``FRAME_FACTOR``.
    """
    check_group(group)
    require(
        np.isfinite(tolerance) and tolerance > 0,
        "tolerance",
        "be a finite distance > 0 Å",
        tolerance,
        "write e.g. tolerance=1e-8",
    )
    first, second = as_cloud(a, "a"), as_cloud(b, "b")
    size = len(first)
    if not first.has_composition_of(second):
        nothing = np.arange(size, dtype=np.intp)
        return Congruence(False, float("inf"), float("inf"), np.eye(3), nothing, tolerance)
    searches = [_Search(first, second, handed) for handed in HANDEDNESS[group]]
    best = min(searches, key=lambda search: search.residual)
    return Congruence(
        best.residual <= tolerance,
        best.residual,
        min(search.lower_bound for search in searches),
        best.rotation,
        best.permutation,
        tolerance,
    )


def candidate_alignments(a: Cloud, b: Cloud, handed: float) -> Iterator[tuple[float, Array]]:
    """Alignments of the frame of one pair of ``a`` with the frames of all pairs of ``b``.

    Args:
        a: an environment.
        b: one of the same composition.
        handed: 1 for proper rotations, -1 for improper ones.

    Yields:
        (bound, rotations): up to 256 orthogonal matrices (c, 3, 3); these and all later ones belong
        to pairs whose distances alone prove a deviation >= ``bound`` Å. Bounds do not decrease.
    """
    if len(a) == 0:
        yield 0.0, handed * np.eye(3)[None]
        return
    j, k = widest_pair(a)
    pairs = [
        (u, v)
        for u in np.flatnonzero(b.species == a.species[j])
        for v in ([u] if j == k else np.flatnonzero(b.species == a.species[k]))
        if (u == v) == (j == k)
    ]
    u, v = np.array(pairs).T
    length = np.linalg.norm
    r, s = a.vectors, b.vectors
    bound = np.maximum.reduce(
        [
            np.abs(length(s[u], axis=1) - length(r[j])),
            np.abs(length(s[v], axis=1) - length(r[k])),
            np.abs(length(s[u] - s[v], axis=1) - length(r[j] - r[k])) / 2,
        ]
    )
    order = np.argsort(bound, kind="stable")
    source = frame(r[j], r[k]) * np.array([[1.0], [1.0], [handed]])
    for start in range(0, len(order), _CHUNK):
        chosen = order[start : start + _CHUNK]
        target = frame(s[u[chosen]], s[v[chosen]])
        yield float(bound[chosen[0]]), np.einsum("cai,aj->cij", target, source)


def widest_pair(a: Cloud) -> tuple[int, int]:
    """The farthest neighbour and the one farthest from its axis; twice the first if collinear."""
    j = int(np.linalg.norm(a.vectors, axis=1).argmax())
    axis = a.vectors[j] / np.linalg.norm(a.vectors[j])
    across = np.linalg.norm(np.cross(a.vectors, axis), axis=1)
    k = int(across.argmax())
    collinear = across[k] <= 8 * np.finfo(np.float64).eps * a.extent
    return j, j if collinear else k


class _Search:
    """The best alignment of one handedness, and what is proved about all others."""

    def __init__(self, a: Cloud, b: Cloud, handed: float) -> None:
        self.a, self.b = a, b
        self.forbidden = np.where(a.species[:, None] == b.species[None, :], 0.0, np.inf)
        self.residual = float("inf")
        self.lower_bound = float("inf")
        self.rotation = np.eye(3)
        self.permutation = np.arange(len(a), dtype=np.intp)
        self.promising: list[tuple[float, Array, NDArray[np.intp]]] = []
        for bound, rotations in candidate_alignments(a, b, handed):
            if bound >= self.residual:
                break
            self.update(rotations, bound)
        self.refine()
        self.lower_bound = min(self.lower_bound, self.residual)

    def costs(self, rotations: Array) -> Array:
        moved = np.einsum("cij,nj->cni", rotations, self.a.vectors)
        apart = moved[:, :, None, :] - self.b.vectors[None, None, :, :]
        return np.asarray(np.linalg.norm(apart, axis=-1) + self.forbidden)

    def update(self, rotations: Array, pair_bound: float) -> None:
        costs = self.costs(rotations)
        bounds = bottleneck_bound(costs)
        for c in np.argsort(bounds, kind="stable"):
            if bounds[c] / FRAME_FACTOR >= self.residual:
                self.lower_bound = min(self.lower_bound, bounds[c] / FRAME_FACTOR)
                break
            permutation, worst = assign(costs[c], "bottleneck")
            self.lower_bound = min(self.lower_bound, max(pair_bound, worst / FRAME_FACTOR))
            self.keep(worst, rotations[c], permutation)
            fitted = _kabsch(self.a.vectors, self.b.vectors[permutation], rotations[c])
            self.keep(self.deviation(fitted, permutation), fitted, permutation)

    def deviation(self, rotation: Array, permutation: NDArray[np.intp]) -> float:
        apart = self.a.vectors @ rotation.T - self.b.vectors[permutation]
        return float(np.linalg.norm(apart, axis=1).max(initial=0.0))

    def keep(self, worst: float, rotation: Array, permutation: NDArray[np.intp]) -> None:
        self.promising.append((worst, rotation, permutation))
        self.promising.sort(key=lambda entry: entry[0])
        del self.promising[_REFINED:]
        self.residual, self.rotation, self.permutation = self.promising[0]

    def refine(self) -> None:
        """Lower the largest deviation: Lawson's reweighted fits, and new assignments in between."""
        for _, start, matched in list(self.promising):
            rotation, permutation, previous = start, matched, float("inf")
            while True:
                rotation, worst = self.smallest_maximum(rotation, permutation)
                self.keep(worst, rotation, permutation)
                if worst >= previous * (1 - 1e-6):
                    break
                previous = worst
                permutation = assign(self.costs(rotation[None])[0], "bottleneck")[0]

    def smallest_maximum(
        self, rotation: Array, permutation: NDArray[np.intp]
    ) -> tuple[Array, float]:
        target = self.b.vectors[permutation]
        best, worst = rotation, self.deviation(rotation, permutation)
        weights = np.ones(len(self.a))
        for _ in range(40):
            rotation = _kabsch(self.a.vectors, target, rotation, weights)
            apart = np.linalg.norm(self.a.vectors @ rotation.T - target, axis=1)
            if apart.max(initial=0.0) < worst:
                best, worst = rotation, float(apart.max())
            weights = weights * apart
            if weights.sum() <= 0.0:
                break
            weights = weights / weights.sum()
        return best, worst


def _kabsch(source: Array, target: Array, like: Array, weights: Array | None = None) -> Array:
    """The least-squares alignment of ``source`` with ``target``, proper or improper as ``like``."""
    weighted = source if weights is None else source * weights[:, None]
    u, _, vt = np.linalg.svd(target.T @ weighted)
    handed = np.sign(np.linalg.det(like)) * np.sign(np.linalg.det(u @ vt))
    fitted: Array = u @ np.diag([1.0, 1.0, handed]) @ vt
    return fitted
