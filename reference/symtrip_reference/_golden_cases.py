"""The inputs of the golden values: floats of few bits, so that float32 holds them exactly."""

from __future__ import annotations

from itertools import product
from typing import Any

__all__ = [
    "COUPLINGS",
    "CUTOFFS",
    "DIRECTIONS",
    "ENVIRONMENTS",
    "EXPANSIONS",
    "N_CENTER",
    "TWO_RINGS",
    "dyadic",
]


def dyadic(i: int) -> float:
    """A number in [-1, 1) with 12 bits, scattered by multiplicative hashing (Knuth, TAOCP 6.4)."""
    return ((i + 1) * 2654435761 % 2**32 >> 20) / 2**11 - 1.0


def _scattered(seed: int, count: int) -> list[tuple[float, float, float]]:
    return [
        (dyadic(seed + 3 * j), dyadic(seed + 3 * j + 1), dyadic(seed + 3 * j + 2))
        for j in range(count)
    ]


CUTOFFS = ((2.0, 0.1), (2.0, 2.0), (3.5, 0.75))

DIRECTIONS: dict[str, tuple[float, float, float]] = {
    "pole +z": (0.0, 0.0, 1.5),
    "pole -z": (0.0, 0.0, -0.25),
    "along x": (1.0, 0.0, 0.0),
    "along -y": (0.0, -2.0, 0.0),
    "near a pole": (2.0**-10, -(2.0**-11), 1.0),
    "in the plane z = 0": (0.75, -0.5, 0.0),
    "diagonal": (1.0, 1.0, 1.0),
    **{f"scattered {i}": vector for i, vector in enumerate(_scattered(40, 4))},
}

COUPLINGS = (
    *((l1, l2, L) for l1, l2, L in product(range(4), repeat=3) if abs(l1 - l2) <= L <= l1 + l2),
    (2, 2, 5),
    (4, 3, 5),
    (5, 5, 4),
    (6, 4, 8),
    (6, 6, 6),
)

EXPANSIONS: dict[str, dict[str, Any]] = {
    "B8 values of the paper": {
        "radius": 2.0,
        "width": 0.1,
        "density": 0.2,
        "basis": {"kind": "gto", "n_radial": 6, "max_angular": 3},
        "species": [5],
    },
    "GTO, two species": {
        "radius": 3.0,
        "width": 0.5,
        "density": 0.375,
        "basis": {"kind": "gto", "n_radial": 2, "max_angular": 2},
        "species": [1, 8],
    },
    "monomials of a delta density": {
        "radius": 2.0,
        "width": 0.25,
        "density": None,
        "basis": {"kind": "monomials", "n_radial": 2, "max_angular": 2},
        "species": [5],
    },
    "monomials of a Gaussian density": {
        "radius": 2.0,
        "width": 2.0,
        "density": 0.25,
        "basis": {"kind": "monomials", "n_radial": 2, "max_angular": 2},
        "species": [5],
    },
    "GTO of a delta density": {
        "radius": 2.0,
        "width": 0.5,
        "density": None,
        "basis": {"kind": "gto", "n_radial": 2, "max_angular": 1},
        "species": [5],
    },
    "Laplacian eigenstates": {
        "radius": 2.0,
        "width": 0.5,
        "density": 0.25,
        "basis": {"kind": "laplacian", "n_radial": 2, "max_angular": 1},
        "species": [5],
    },
    "Laplacian eigenstates of a delta density": {
        "radius": 2.0,
        "width": 0.5,
        "density": None,
        "basis": {"kind": "laplacian", "n_radial": 2, "max_angular": 2},
        "species": [5],
    },
}

_GENERIC = _scattered(7, 4)
_SHELL = [(1.9375, 0.25, 0.125), (-1.25, 1.25, 0.875), (0.5, 0.0, -1.0)]
_LINE = [(0.5, -0.25, 0.75), (1.0, -0.5, 1.5), (-0.75, 0.375, -1.125)]
_POLES = [(0.0, 0.0, 1.0), (0.0, 0.0, -1.5), (0.75, 0.0, 0.0)]
_PLANE = [(1.0, 0.5, 0.0), (-0.75, 1.0, 0.0), (0.25, -1.5, 0.0)]
_B8 = [
    (1.25, 0.0, 0.625),
    (-1.0, 0.75, 0.625),
    (-0.5, -1.125, 0.625),
    (0.25, 1.25, -0.625),
    (-1.25, -0.25, -0.625),
    (1.0, -0.75, -0.625),
    (0.0, 0.0, 1.75),
]

Case = tuple[str, list[tuple[float, float, float]], list[int]]
ENVIRONMENTS: dict[str, Case] = {
    "eight atoms": ("B8 values of the paper", _B8, [5] * 7),
    "cutoff shell": ("B8 values of the paper", _SHELL, [5] * 3),
    "generic": ("GTO, two species", _GENERIC, [1, 8, 8, 1]),
    "collinear": ("GTO, two species", _LINE, [8, 1, 8]),
    "poles": ("monomials of a delta density", _POLES, [5] * 3),
    "one neighbour": ("monomials of a delta density", _GENERIC[:1], [5]),
    "coplanar": ("monomials of a Gaussian density", _PLANE, [5] * 3),
    "two neighbours": ("GTO of a delta density", _GENERIC[:2], [5] * 2),
    "two opposite neighbours": ("Laplacian eigenstates", _LINE[1:], [5] * 2),
    "three neighbours": ("Laplacian eigenstates of a delta density", _GENERIC[1:], [5] * 3),
}

# tagged neighbours, densities, lambda, largest intermediate L (null: that of the density)
N_CENTER: tuple[tuple[int, int, int, int | None], ...] = (
    (0, 2, 1, None),
    (1, 0, 1, None),
    (1, 1, 2, None),
    (1, 2, 0, None),
    (2, 0, 1, None),
    (2, 1, 0, None),
    (2, 1, 1, 3),
    (3, 0, 0, None),
    (3, 1, 0, 1),
)

TWO_RINGS: tuple[tuple[float, float, float, float, tuple[float, ...]], ...] = (
    (1.375, 0.5625, 1.75, 2.25, (0.0, 2.625, 4.5)),
    (1.5, 0.5, 1.625, 0.75, (0.125, 1.0)),
    (1.0, 0.25, 2.0, 0.5, (0.0, 0.5, 1.5, 2.125, 2.625, 4.25)),
)
