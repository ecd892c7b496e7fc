"""Hypothesis strategies shared by all tests: environments, rotations, members of degenerate pairs.

The geometry is drawn in float64 and rounded to the type under test before anything is computed, so
the exact reference sees the very numbers that the fast path receives (:func:`exact_environment`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

import hypothesis.strategies as st
import symtrip_reference as reference
import torch
from hypothesis.strategies import DrawFn
from torch import Tensor

from symtrip.environments import Environments

__all__ = [
    "KINDS",
    "NEVER_EMPTY",
    "Cloud",
    "clouds",
    "exact_environment",
    "exact_numbers",
    "rotations",
    "two_ring_parameters",
]

Vector = tuple[float, float, float]

KINDS = (
    "generic",
    "collinear",
    "coplanar",
    "poles",
    "coincident directions",
    "equal norms",
    "near the centre",
    "cutoff shell",
    "two rings",
    "single",
    "empty",
)
"""The configurations that :func:`clouds` draws from; all but the first are degenerate somehow."""

NEVER_EMPTY = tuple(kind for kind in KINDS if kind != "empty")


@dataclass(frozen=True)
class Cloud:
    """Neighbours of one centre; ``kind`` says how they were drawn."""

    kind: str
    vectors: tuple[Vector, ...]
    species: tuple[int, ...]
    radius: float

    def __len__(self) -> int:
        return len(self.vectors)

    def tensor(self, dtype: torch.dtype = torch.float64) -> Tensor:
        """Vectors (N, 3) in Å."""
        return torch.tensor(self.vectors, dtype=torch.float64).reshape(-1, 3).to(dtype)

    def environments(self, dtype: torch.dtype = torch.float64, *, padding: int = 0) -> Environments:
        """One environment with ``padding`` masked neighbours (at least 1 if there is no other)."""
        padding = max(padding, 1 if not self.vectors else 0)
        zeros = torch.zeros(padding, 3, dtype=dtype)
        mask = torch.tensor([True] * len(self) + [False] * padding)
        return Environments.from_vectors(
            torch.cat([self.tensor(dtype), zeros])[None],
            (*self.species, *[1] * padding),
            mask=mask[None],
            radius=self.radius,
            center_species=5,
            isolated="keep",
        )


@st.composite
def clouds(
    draw: DrawFn,
    *,
    max_neighbors: int = 6,
    radius: float = 2.0,
    width: float = 0.1,
    closest: float = 0.05,
    species: tuple[int, ...] = (5,),
    kinds: tuple[str, ...] = KINDS,
) -> Cloud:
    """Neighbour clouds of every kind in ``kinds``.

    Args:
        draw: hypothesis' own.
        max_neighbors: largest number of neighbours.
        radius: cutoff radius in Å; all neighbours lie inside.
        width: width of the cutoff shell in Å.
        closest: smallest distance from the centre in Å, "near the centre" excepted (1e-4 Å).
        species: the neighbours' species are drawn from these.
        kinds: see :data:`KINDS`.
    """
    kind = draw(st.sampled_from(kinds))
    count = {"single": 1, "empty": 0}.get(kind)
    if count is None:
        count = draw(st.integers(min(2, max_neighbors), max_neighbors))
    # the product of a length and a unit vector stays inside after rounding
    low, high = closest, radius * (1 - 2.0**-49)
    if kind == "near the centre":
        low, high = 1e-4, 0.2 * radius
    if kind == "cutoff shell":
        low = max(closest, radius - 1.5 * width)
    lengths = [draw(st.floats(low, high)) for _ in range(count)]
    if kind == "equal norms":
        lengths = lengths[:1] * count
    if kind == "two rings":
        vectors = _two_rings(draw(two_ring_parameters(radius=radius)))[: max(count, 3)]
    else:
        directions = _directions(draw, kind, count)
        vectors = [(r * x, r * y, r * z) for r, (x, y, z) in zip(lengths, directions, strict=True)]
    # neighbours must stay apart from each other after rounding to float32
    distinct = list({_in_float32(v): v for v in vectors if 0 < math.hypot(*v) < radius}.values())
    labels = tuple(draw(st.sampled_from(species)) for _ in distinct)
    return Cloud(kind, tuple(distinct), labels, radius)


@st.composite
def two_ring_parameters(
    draw: DrawFn, *, max_ring: int = 3, radius: float = 2.0
) -> tuple[float, float, float, float, tuple[float, ...]]:
    """(r, z1, z2, psi, ring angles) of a degenerate pair whose atoms lie inside ``radius``."""
    r = draw(st.floats(0.3, 0.7)) * radius
    z1 = draw(st.floats(0.1, 0.6)) * radius
    z2 = draw(st.floats(0.3, 0.9)) * radius
    psi = draw(st.floats(0.0, math.pi))
    angles = draw(
        st.lists(st.floats(0.0, 2 * math.pi, exclude_max=True), min_size=2, max_size=max_ring)
    )
    return r, z1, z2, psi, tuple(angles)


@st.composite
def rotations(draw: DrawFn, *, improper: bool = False) -> Tensor:
    """Rotation matrices (3, 3) in float64, orthogonal to 4 eps; also improper ones if asked.

    Half turns, quarter turns and the identity come up often.
    """
    component = st.integers(-4, 4) | st.floats(-1.0, 1.0).filter(lambda x: x == 0 or abs(x) > 1e-3)
    w, x, y, z = draw(st.tuples(component, component, component, component).filter(any))
    matrix = torch.tensor(
        [
            [w * w + x * x - y * y - z * z, 2 * (x * y - w * z), 2 * (x * z + w * y)],
            [2 * (x * y + w * z), w * w - x * x + y * y - z * z, 2 * (y * z - w * x)],
            [2 * (x * z - w * y), 2 * (y * z + w * x), w * w - x * x - y * y + z * z],
        ],
        dtype=torch.float64,
    ) / (w * w + x * x + y * y + z * z)
    return -matrix if improper and draw(st.booleans()) else matrix


def exact_numbers(values: Tensor) -> list[Fraction]:
    """The exact values of the floats in a one-dimensional tensor."""
    return [Fraction(x) for x in values.detach().to("cpu", torch.float64).tolist()]


def exact_environment(environments: Environments, index: int = 0) -> reference.Environment:
    """The real neighbours of one environment as the exact numbers that the tensors hold."""
    mask = environments.mask[index]
    vectors = environments.vectors[index][mask]
    return reference.Environment(
        [tuple(exact_numbers(v)) for v in vectors], environments.species[index][mask].tolist()
    )


def _directions(draw: DrawFn, kind: str, count: int) -> list[Vector]:
    """Unit vectors; their coordinates use all bits, or are exact where the kind needs it."""
    if kind == "poles":
        return [(0.0, 0.0, draw(st.sampled_from((1.0, -1.0)))) for _ in range(count)]
    if kind in ("collinear", "coincident directions"):
        axis = draw(_unit_vectors())
        sign = st.sampled_from((1.0, -1.0) if kind == "collinear" else (1.0,))
        signs = [draw(sign) for _ in range(count)]
        return [(s * axis[0], s * axis[1], s * axis[2]) for s in signs]
    directions = [draw(_unit_vectors()) for _ in range(count)]
    if kind == "coplanar":
        directions = [
            (x / math.hypot(x, y), y / math.hypot(x, y), 0.0) if (x or y) else (1.0, 0.0, 0.0)
            for x, y, _ in directions
        ]
    return directions


@st.composite
def _unit_vectors(draw: DrawFn) -> Vector:
    component = st.integers(-1000, 1000) | st.sampled_from((-1, 0, 1))
    x, y, z = draw(st.tuples(component, component, component).filter(any))
    norm = math.sqrt(x * x + y * y + z * z)
    return x / norm, y / norm, z / norm


def _two_rings(parameters: tuple[float, float, float, float, tuple[float, ...]]) -> list[Vector]:
    """The member A+ without its centre: apex first, then ring U and ring L in turn."""
    r, z1, z2, psi, angles = parameters
    vectors: list[Vector] = [(0.0, 0.0, z2)]
    for angle in angles:
        vectors.append((r * math.cos(angle), r * math.sin(angle), z1))
        vectors.append((r * math.cos(angle + psi), r * math.sin(angle + psi), -z1))
    return vectors


def _in_float32(vector: Vector) -> tuple[float, ...]:
    return tuple(torch.tensor(vector, dtype=torch.float64).float().tolist())
