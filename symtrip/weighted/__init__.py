"""Triple products times weights that all environments share, in several orders of contraction."""

from symtrip.weighted.choice import Orders
from symtrip.weighted.order import Factors, Order

__all__ = ["Factors", "Order", "Orders"]
