"""All orders of contraction give the same numbers, far beyond the l of other tests."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from symtrip.expansion.harmonics import solid_harmonics
from symtrip.triplets import triplet_paths
from symtrip.weighted import Factors, Order, Orders
from symtrip.weighted.rotations import generators

N_ENV, N, Q, H = 2, 3, 2, 3
CASES = [(0, "all"), (1, "odd"), (3, "even"), (3, "odd"), (6, "all")]


def orders_of(max_angular: int, parity: str) -> tuple[Orders, Tensor]:
    every = triplet_paths(max_angular)
    paths = [p for p in every if parity == "all" or (sum(p) % 2 == 1) == (parity == "odd")]
    generator = torch.Generator().manual_seed(max_angular)
    weight = torch.randn(len(every) * Q**3, H, generator=generator, dtype=torch.float64)
    return Orders(paths, {path: i for i, path in enumerate(every)}, Q), weight


def factors_of(max_angular: int) -> Factors:
    """Two environments; one neighbour at a pole, one padded."""
    generator = torch.Generator().manual_seed(1)

    def random(*shape: int) -> Tensor:
        return torch.randn(N_ENV, N, *shape, generator=generator, dtype=torch.float64)

    directions = random(3)
    directions[0, 0] = torch.tensor([0.0, 0.0, -1.0])
    directions /= directions.norm(dim=2, keepdim=True)
    harmonics = solid_harmonics(directions.flatten(0, 1), max_angular)
    g = [y.view(N_ENV, N, -1, 1) * random(1, Q) for y in harmonics]
    for x in g:
        x[1, 2] = 0.0
    directions[1, 2] = 0.0
    return Factors([x.sum(dim=1) for x in g], g, directions)


def results(order: Order, factors: Factors, weight: Tensor) -> list[tuple[Tensor, float]]:
    """Values and derivatives to all that positions and weights can change, and their scales."""
    arranged = order.arranged(weight)
    out = weight.new_empty(N_ENV, N, N, H)
    order.values(factors, arranged, out)
    sums = {key: torch.zeros_like(x) for key, x in arranged.items()}
    rho, g = order.gradients(factors, arranged, out, sums, blocks=True)
    found = [(x, float(x.norm())) for x in (out, order.collect(sums, weight), *rho)]
    turned, scale = weight.new_zeros(3, N_ENV, N), 0.0
    for l, (x, given) in enumerate(zip(g, factors.g, strict=True)):
        size = float(x.norm() * given.norm())
        found.append(((x * given).sum(dim=2), size))
        moved = torch.einsum("aij,eknj->aekni", torch.tensor(generators(l)), given.mT)
        turned += (moved * x.mT).sum(dim=(3, 4))
        scale += (l + 1) * size
    return [*found, (turned, scale)]


@pytest.mark.parametrize(("max_angular", "parity"), CASES)
@pytest.mark.parametrize("name", ["weights_first", "local_frame"])
def test_orders_agree(name: str, max_angular: int, parity: str) -> None:
    orders, weight = orders_of(max_angular, parity)
    factors = factors_of(max_angular)
    other: Order | None = getattr(orders, name)
    if other is None:
        assert max_angular == 0
        return
    eps = torch.finfo(torch.float64).eps
    expected = results(orders.neighbor_first, factors, weight)
    for (got, _), (want, scale) in zip(results(other, factors, weight), expected, strict=True):
        # measured 18 eps, of three factors whose sum nearly vanishes
        assert (got - want).norm() <= 64 * eps * scale


@pytest.mark.parametrize("gradients", [False, True])
def test_frames_are_used_where_directions_are_known_until_weights_go_first(gradients: bool) -> None:
    paths = triplet_paths(3)
    orders = Orders(paths, {path: i for i, path in enumerate(paths)}, 6)

    def fastest(n: int, directed: bool) -> Order:
        return orders.fastest(n, directed=directed, gradients=gradients)

    assert fastest(7, True) is orders.local_frame
    assert fastest(7, False) is orders.neighbor_first
    assert fastest(60, True) is fastest(60, False) is orders.weights_first


def test_without_directions_the_local_frame_is_refused() -> None:
    orders, weight = orders_of(1, "all")
    assert orders.local_frame is not None
    factors = factors_of(1)._replace(directions=None)
    out = weight.new_empty(N_ENV, N, N, H)
    with pytest.raises(ValueError, match="directions"):
        orders.local_frame.values(factors, orders.local_frame.arranged(weight), out)
