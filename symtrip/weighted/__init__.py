"""Triple products times weights that all environments share, in two orders of contraction."""

from symtrip.weighted.neighbor_first import NeighborFirst
from symtrip.weighted.weights_first import WeightsFirst, prefers_weights_first

__all__ = ["NeighborFirst", "WeightsFirst", "prefers_weights_first"]
