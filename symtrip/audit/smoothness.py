"""Are the features continuous: where a neighbour crosses the cutoff, and inside it?"""

from __future__ import annotations

import numpy as np

from symtrip.audit.descriptor import Descriptor, Target
from symtrip.audit.invariance import PROBE_NUMBERS, probe_clusters, probe_scope
from symtrip.audit.report import Smoothness
from symtrip.audit.structures import Array, Structures

__all__ = ["check_smoothness"]

_SCAN = np.linspace(1.5, 12.0, 36)
_JUMP = 1e-3


def check_smoothness(target: Target, *, seed: int) -> Smoothness:
    """Move one atom out through the cutoff; find the cutoff first if it is not known.

    Args:
        target: what is audited.
        seed: seed of the cluster around it.

    Returns:
        Jumps of value and slope at the cutoff.

    Raises:
        DescriptorError: the descriptor misbehaved.
    """
    descriptor = target.build(probe_scope())
    inside = _largest_jump(descriptor, seed)
    if descriptor.whole_structure:
        return _untested(inside, "one vector describes the whole structure: there is no cutoff")
    ray = _Ray(descriptor, seed)
    cutoff = descriptor.cutoff or _find_cutoff(ray)
    if cutoff is None:
        return _untested(inside, f"no cutoff found below {_SCAN[-1]} Å")
    way = np.linspace(0.6, 1.0, 40) * cutoff
    values = ray(way)
    outside = ray(np.array([cutoff * (1 + 1e-6)]))[0]
    change = float(np.linalg.norm(values - outside, axis=1).max())
    if change == 0.0:
        return _untested(inside, "the atom that crosses the cutoff changes nothing")
    slopes = np.linalg.norm(np.diff(values, axis=0), axis=1) / np.diff(way)
    step = 1e-5 * cutoff
    near = ray(cutoff - step * np.array([1e-3, 1.0, 2.0]))
    c0 = float(np.linalg.norm(near[0] - outside)) / change
    # second-order one-sided difference; beyond the cutoff the slope is zero
    slope = (3 * near[0] - 4 * near[1] + near[2]) / (2 * step)
    c1 = float(np.linalg.norm(slope) / slopes.max())
    continuous = max(c0, inside) < _JUMP
    return Smoothness(cutoff, c0, c1, inside, continuous, continuous and c1 < 1e-2)


def _largest_jump(descriptor: Descriptor, seed: int) -> float:
    """Jump left after bisecting the steepest parts of straight ways between random clusters."""
    ends = probe_clusters(6, seed + 1).positions
    starts, moves = ends[::2], ends[1::2] - ends[::2]
    n_ways = len(starts)

    def features(t: Array) -> Array:
        """Along all ways at once: (T, ways) -> (T, ways, F)."""
        places = starts + t[..., None, None] * moves
        flat = Structures(places.reshape(-1, *starts.shape[1:]), PROBE_NUMBERS)
        return descriptor.evaluate(flat, [0])[:, 0].reshape(*t.shape, -1)

    grid = np.linspace(0.0, 1.0, 65)
    values = features(np.repeat(grid[:, None], n_ways, axis=1))
    change = np.linalg.norm(values - values[0], axis=-1).max(axis=0)
    steepest = np.linalg.norm(np.diff(values, axis=0), axis=-1).argmax(axis=0)
    low, high = grid[steepest], grid[steepest + 1]
    at_low, at_high = (values[steepest + end, np.arange(n_ways)] for end in range(2))
    for _ in range(30):
        middle = 0.5 * (low + high)
        at_middle = features(middle[None])[0]
        below = np.linalg.norm(at_middle - at_low, axis=-1)
        left = below > np.linalg.norm(at_high - at_middle, axis=-1)
        low, high = np.where(left, low, middle), np.where(left, middle, high)
        at_low = np.where(left[:, None], at_low, at_middle)
        at_high = np.where(left[:, None], at_middle, at_high)
    jumps = np.linalg.norm(at_high - at_low, axis=-1)
    return float(np.divide(jumps, change, out=np.zeros(n_ways), where=change > 0).max())


class _Ray:
    """Features of atom 0 against the distance of one more atom on a fixed ray."""

    def __init__(self, descriptor: Descriptor, seed: int) -> None:
        self.descriptor = descriptor
        self.cluster = probe_clusters(1, seed, scale=0.8).positions[0]
        # opposite to the mean of the others, so that the atom meets none of them on its way
        direction = -self.cluster[1:].mean(axis=0)
        self.direction = direction / np.linalg.norm(direction)

    def __call__(self, distances: Array) -> Array:
        """(D,) Å -> features (D, F)."""
        extra = distances[:, None, None] * self.direction
        cluster = np.broadcast_to(self.cluster, (len(distances), *self.cluster.shape))
        numbers = np.concatenate([PROBE_NUMBERS, [1]])
        structures = Structures(np.concatenate([cluster, extra], axis=1), numbers)
        return self.descriptor.evaluate(structures, [0])[:, 0]


def _find_cutoff(ray: _Ray) -> float | None:
    """The largest distance at which the atom still matters, by bisection."""
    values = ray(_SCAN)
    size = np.linalg.norm(values - values[-1], axis=1)
    matters = size > 1e-12 * np.linalg.norm(values[-1])
    if matters[-2] or not matters.any():
        return None
    last = int(np.flatnonzero(matters)[-1])
    low, high = float(_SCAN[last]), float(_SCAN[last + 1])
    floor = 1e-13 * float(np.linalg.norm(values[-1]))
    while high - low > 1e-9:
        middle = 0.5 * (low + high)
        if np.linalg.norm(ray(np.array([middle]))[0] - values[-1]) > floor:
            low = middle
        else:
            high = middle
    return high


def _untested(inside: float, reason: str) -> Smoothness:
    continuous = inside < _JUMP
    return Smoothness(None, None, None, inside, continuous, None, reason)
