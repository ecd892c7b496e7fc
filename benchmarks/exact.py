"""One B8 environment, fast path against the exact reference at 15 digits."""

from __future__ import annotations

import time
from fractions import Fraction

import symtrip_reference as reference
import torch
from clusters import b8
from figures import figure
from side_by_side import Bar, in_turn

from symtrip import SphericalExpansion, TripletFeatures

__all__ = ["MEASUREMENTS"]


def exact_expansion() -> reference.Expansion:
    """The paper's hyperparameters in exact numbers."""
    return reference.Expansion(
        reference.ShiftedCosine(Fraction(2), Fraction(1, 10)),
        reference.GaussianDensity(Fraction(1, 5)),
        reference.Gto(6, 3, Fraction(2)),
        (5,),
    )


def exact_against_fast(quick: bool) -> list[Bar]:  # noqa: ARG001 - both are as short as they can be
    """Exact reference."""
    env = b8(1)
    expansion = SphericalExpansion.b8()
    features = TripletFeatures(max_angular=3)
    with torch.no_grad():
        seconds = in_turn(
            {
                "density": lambda: expansion(env),
                "triplets": lambda: features.dense(expansion(env)),
            }
        )
    exact = reference.Environment(
        [tuple(Fraction(x) for x in v) for v in env.vectors[0].tolist()], [5] * 7
    )
    start = time.perf_counter()
    reference.density_expansion(exact, exact_expansion(), digits=15)
    middle = time.perf_counter()
    reference.triplet_features(exact, exact_expansion(), pairs=[(0, 1)], digits=15)
    end = time.perf_counter()
    return [
        figure(
            "exact reference, one tagged pair / fast path, all 49 pairs",
            (end - middle) / seconds["triplets"],
        ),
        figure("exact reference, density / fast path", (middle - start) / seconds["density"]),
    ]


MEASUREMENTS = (exact_against_fast,)
