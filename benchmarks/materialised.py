"""Materialised triplet features against copying as many bytes."""

from __future__ import annotations

import torch
from clusters import b8
from figures import figure
from side_by_side import Bar, in_turn

from symtrip import SphericalExpansion, TripletFeatures

__all__ = ["MEASUREMENTS"]


def b8_triplets(quick: bool) -> list[Bar]:
    """Triplets of B8."""
    count = 50 if quick else 175  # 175 x 49 x 7344 doubles are 504 MB
    density = SphericalExpansion.b8()(b8(count))
    features = TripletFeatures(max_angular=3)
    source = torch.rand(count, 7, 7, 7344, dtype=torch.float64)
    target = torch.empty_like(source)
    with torch.no_grad():
        memory = features.workspace(density)
        seconds = in_turn(
            {
                "copy": lambda: target.copy_(source),
                "fill": lambda: target.fill_(1.0),
                "blocks": lambda: features(density, out=memory),
                "dense": lambda: features.dense(density, out=target),
            },
            rounds=3 if quick else 7,
        )
    copy = seconds["copy"]
    return [
        figure("copy_ / fill_, the same bytes", copy / seconds["fill"]),
        Bar("B8 triplets as blocks / copy_", seconds["blocks"] / copy, 2.0),
        Bar("B8 triplets, dense / copy_", seconds["dense"] / copy, 4.0),
    ]


MEASUREMENTS = (b8_triplets,)
