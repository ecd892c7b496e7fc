"""Which order of contraction is the fastest."""

from __future__ import annotations

from collections.abc import Sequence

from symtrip.weighted.local_frame import LocalFrame
from symtrip.weighted.neighbor_first import NeighborFirst
from symtrip.weighted.order import Order, Path
from symtrip.weighted.weights_first import WeightsFirst

__all__ = ["Orders"]

# A multiplication by weights that meet rho alone waits for memory: it costs this many others.
# Measured for 6 channels, l <= 3 and 128 outputs: values take the same time at 13 to 16 neighbours,
# in local frames at 18 to 23; gradients at 20 to 40, in local frames at 30 to 41.
_PRICE_IN_VALUES, _PRICE_IN_GRADIENTS = 1.6, 2.6


class Orders:
    """All orders for the same paths.

    Args:
        paths: couplings that are summed over, with (l2, l1, L) for every (l1, l2, L).
        index: path -> its place in the weights.
        n_channels: Q.

    Attributes:
        neighbor_first: for few neighbours.
        weights_first: for many neighbours.
        local_frame: for few neighbours whose directions are known; None for l = 0 alone.
    """

    def __init__(self, paths: Sequence[Path], index: dict[Path, int], n_channels: int) -> None:
        self.neighbor_first = NeighborFirst(paths, index, n_channels)
        self.weights_first = WeightsFirst(paths, index, n_channels)
        turnable = any(max(path) > 0 for path in paths)
        self.local_frame = LocalFrame(paths, index, n_channels) if turnable else None
        self._n_channels = n_channels
        self._in_t = self._in_turned_t = self._in_matrix = self._used = 0
        for (a, b), lambdas in self.weights_first.lambdas.items():
            rows = (2 * a + 1) * (2 * b + 1)
            self._in_t += len(lambdas) * (2 * min(a, b) + 1)
            self._in_turned_t += sum(2 * min(a, b, c) + 1 - (a + b + c) % 2 for c in lambdas)
            self._in_matrix += len(lambdas) * rows
            self._used += rows

    def fastest(self, n_neighbors: int, *, directed: bool, gradients: bool) -> Order:
        """The one that needs least time, from the numbers of multiplications.

        Args:
            n_neighbors: N.
            directed: whether the directions of the neighbours are known.
            gradients: whether gradients are wanted; else values.
        """
        few = self.local_frame if directed and self.local_frame else self.neighbor_first
        in_t = self._in_t if few is self.neighbor_first else self._in_turned_t
        q = self._n_channels
        price = _PRICE_IN_GRADIENTS if gradients else _PRICE_IN_VALUES
        many = price * self._in_matrix * q + n_neighbors * self._used
        return few if n_neighbors * in_t * q <= many else self.weights_first
