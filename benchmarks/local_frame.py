"""The orders of contraction of the fused layer over l_max.

Each order works on as many environments as TripletLinear gives it at once, its weights arranged
before. With k on the z axis, couplings of k are sums over nothing, and the products with the
weights have 2 min(l1, l2, L) + 1 rows for a path (less one where l1 + l2 + L is odd) in place of
2 min(l1, l2) + 1: from 1.39 times fewer multiplications at l <= 3 to 1.30 times fewer at l <= 10.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from layer import CHANNELS, HIDDEN, random_density
from side_by_side import Bar, Curve, in_turn

from symtrip.contraction import chunk_length
from symtrip.expansion import Density
from symtrip.triplets import triplet_paths
from symtrip.weighted import Factors, Order, Orders

__all__ = ["MEASUREMENTS"]

MAX_ANGULAR = (3, 4, 6, 8, 10)
NEIGHBORS = (7, 15, 30)
REPORTED = 15  # neighbours in the table; all of them are in the picture
LARGEST = 100  # environments at once
WHATS = ("forward", "gradients")
Works = dict[str, Callable[[], object]]


def factors_of(density: Density) -> Factors:
    return Factors(density.rho, density.g, density.directions)


def works_of(name: str, order: Order, n: int, max_angular: int, weight: torch.Tensor) -> Works:
    """Values and gradients of one chunk, and the number of its environments in the names."""
    per_environment = order.numbers_per_environment(n, HIDDEN) * weight.element_size()
    count = min(LARGEST, chunk_length(per_environment, weight.device))
    density = random_density(count, n, weight.dtype, grad=False, max_angular=max_angular)
    factors, arranged = factors_of(density), order.arranged(weight)
    sums = {key: torch.zeros_like(x) for key, x in arranged.items()}
    out = weight.new_empty(count, n, n, HIDDEN)
    grad = torch.randn_like(out)
    return {
        f"{name}, forward, {count}": lambda: order.values(factors, arranged, out),
        f"{name}, gradients, {count}": lambda: order.gradients(
            factors, arranged, grad, sums, blocks=True
        ),
    }


def same_outputs(orders: dict[str, Order], n: int, max_angular: int, weight: torch.Tensor) -> None:
    """All orders agree, in eps of the largest output."""
    density = random_density(1, n, weight.dtype, grad=False, max_angular=max_angular)
    outputs = []
    for order in orders.values():
        outputs.append(weight.new_empty(1, n, n, HIDDEN))
        order.values(factors_of(density), order.arranged(weight), outputs[-1])
    eps = torch.finfo(weight.dtype).eps
    for other in outputs[1:]:
        # measured 12 eps at l <= 10
        assert (other - outputs[0]).abs().max() <= 128 * eps * outputs[0].abs().max()


def over_max_angular(quick: bool) -> list[Bar | Curve]:
    """Time of the other orders over that of the local frame."""
    results: list[Bar | Curve] = []
    chosen = MAX_ANGULAR[:2] if quick else MAX_ANGULAR
    curves: dict[tuple[int, str, str], list[float]] = {}
    for max_angular in chosen:
        paths = triplet_paths(max_angular)
        index = {path: i for i, path in enumerate(paths)}
        made = Orders(paths, index, CHANNELS)
        assert made.local_frame is not None
        orders: dict[str, Order] = {
            "local frame": made.local_frame,
            "neighbour first": made.neighbor_first,
            "weights first": made.weights_first,
        }
        weight = torch.randn(len(paths) * CHANNELS**3, HIDDEN, dtype=torch.float64)
        same_outputs(orders, NEIGHBORS[0], max_angular, weight)
        for n in NEIGHBORS[:2] if quick else NEIGHBORS:
            works: Works = {}
            for name, order in orders.items():
                works |= works_of(name, order, n, max_angular, weight)
            seconds = in_turn(works, rounds=2 if quick else 3)
            each: dict[tuple[str, str], float] = {}
            for title, value in seconds.items():
                name, what, count = title.split(", ")
                each[name, what] = value / int(count)
            for what in WHATS:
                for name in orders:
                    value = each[name, what] / each["local frame", what]
                    curves.setdefault((n, what, name), []).append(value)
                    if name != "local frame" and n == REPORTED:
                        title = f"{name} / local frame, {what}, l_max = {max_angular}, N = {n}"
                        results.append(Bar(title, value))
    for (n, what, name), values in curves.items():
        results.append(
            Curve(
                picture="local_frame",
                panel=f"N = {n}, {what}",
                label=name,
                x_label="l_max",
                x=[float(l) for l in chosen],
                y_label="time / time in the local frame",
                y=values,
            )
        )
    return results


MEASUREMENTS = (over_max_angular,)
