"""One order of contraction for TripletLinear, whatever the number of neighbours."""

from __future__ import annotations

import pytest

from symtrip.weighted import Order, Orders

ORDERS = {
    "neighbour first": "neighbor_first",
    "weights first": "weights_first",
    "local frame": "local_frame",
}


def use_only(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Contract in the order ``name`` of ORDERS; where it needs directions, if they are known."""

    def fastest(self: Orders, _: int, *, directed: bool, gradients: bool) -> Order:  # noqa: ARG001
        chosen: Order | None = getattr(self, ORDERS[name])
        if name == "local frame" and not directed:
            chosen = self.neighbor_first
        return chosen or self.neighbor_first

    monkeypatch.setattr(Orders, "fastest", fastest)
