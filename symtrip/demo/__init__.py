"""The demonstration on the paper's data: `symtrip demo`."""

from symtrip.demo.degeneracy import Degeneracy, fourth_order_difference, pair_differences
from symtrip.demo.run import run_demo

__all__ = ["Degeneracy", "fourth_order_difference", "pair_differences", "run_demo"]
