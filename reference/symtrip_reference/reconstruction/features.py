"""The exact features of one tagged pair: computed directly, or read from triplet features."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import sympy
from sympy import QQ

from symtrip_reference._checks import exact_number, natural_number, refuse, require
from symtrip_reference._number_systems import Exact
from symtrip_reference.arithmetic import Number
from symtrip_reference.density import Environment, Expansion
from symtrip_reference.radial import DeltaDensity, Monomials
from symtrip_reference.reconstruction.couplings import real_coefficient
from symtrip_reference.reconstruction.moments import Point
from symtrip_reference.reconstruction.roots import RootSum, plain, rational, root_of
from symtrip_reference.reconstruction.tagged import (
    SCALAR,
    Features,
    gram_of_the_pair,
    tagged_features,
    used_channels,
)

__all__ = ["PairFeatures", "pair_features", "read_features"]


@dataclass(frozen=True)
class PairFeatures:
    """The features of one tagged pair as sums of square roots.

    Args:
        species: those of j and of k.
        weights: cutoff function at j and at k, by which the channels have been divided.
        degree: largest L + 2 n3 that is complete.
        channels: species of the density -> channel -> value.
    """

    species: tuple[int, int]
    weights: tuple[Fraction, Fraction]
    degree: int
    channels: Mapping[int, Features]


def pair_features(
    environment: Environment,
    pair: tuple[int, int],
    degree: int,
    *,
    weights: Sequence[Any] | None = None,
) -> PairFeatures:
    """Features of one tagged pair of a rational environment: monomials and a delta density.

    They equal those of :func:`symtrip_reference.triplet_features` but for constants, and cost a
    thousandth.

    Args:
        environment: at least one neighbour, rational positions in Å.
        pair: the tagged neighbours (j, k), counted from 0; j = k is allowed.
        degree: largest L + 2 n3, >= 1.
        weights: rational cutoff factors of the neighbours, not zero; all 1 when left out.

    Raises:
        InputError: irrational positions or weights, a pair outside the environment.

    Accuracy: exact.

    Source: Nigam et al., APL Mach. Learn. 2, 016110 (2024), Eq. 1.
    """
    degree = natural_number("degree", degree, least=1)
    count = len(environment)
    for index in pair:
        natural_number("pair", index)
        require(
            index < count,
            "pair",
            f"hold indices of the {count} neighbours, 0..{count - 1}",
            pair,
            "count neighbours from 0",
        )
    points = [_rational_point(f"vectors[{i}]", v) for i, v in enumerate(environment.vectors)]
    chosen = [1] * count if weights is None else list(weights)
    require(
        len(chosen) == count, "weights", f"be {count} numbers", chosen, "give one per neighbour"
    )
    exact = [_rational(f"weights[{i}]", w) for i, w in enumerate(chosen)]
    j, k = pair
    channels = {}
    for species in sorted(set(environment.species)):
        own = [i for i, s in enumerate(environment.species) if s == species]
        channels[species] = tagged_features(
            points[j], points[k], [points[i] for i in own], [exact[i] for i in own], degree
        )
    return PairFeatures(
        (environment.species[j], environment.species[k]),
        (plain(exact[j]), plain(exact[k])),
        degree,
        channels,
    )


def read_features(
    features: Mapping[tuple[int, int, int], Sequence[Number]], expansion: Expansion
) -> PairFeatures:
    """Triplet features as sums of square roots, per species.

    Args:
        features: (l1, l2, L) -> list over (q1, q2, q3) of one tagged pair, exact numbers.
        expansion: the expansion they were computed with.

    Raises:
        InputError: another basis or density, floats, an irrational cutoff function at j or k.
    """
    basis = expansion.basis
    require(
        isinstance(basis, Monomials) and isinstance(expansion.density, DeltaDensity),
        "expansion",
        "use Monomials and DeltaDensity to be decoded exactly",
        f"{type(basis).__name__} and {type(expansion.density).__name__}",
        "change them, or decode in floating point with symtrip.completeness",
    )
    require(
        basis.n_radial >= 2 and basis.max_angular >= 1,
        "expansion",
        "have n_radial >= 2 and max_angular >= 1 (they carry the Gram matrix of the pair)",
        f"n_radial={basis.n_radial}, max_angular={basis.max_angular}",
        "raise them",
    )
    degree = min(basis.max_angular, 2 * basis.n_radial - 1)
    size, labels = basis.n_radial, expansion.species

    def value(path: tuple[int, int, int], n: Sequence[int], species: Sequence[int]) -> RootSum:
        require(path in features, "features", f"hold the path {path}", "none", "compute all paths")
        q = [labels.index(s) * size + m for s, m in zip(species, n, strict=True)]
        channels = size * len(labels)
        number = features[path][(q[0] * channels + q[1]) * channels + q[2]]
        if number == 0:
            return RootSum({})
        closing = real_coefficient(path[2], 0, path[2], 0, 0, 0)  # +-1 / sqrt(2L + 1)
        scaled = _root_of(number * sympy.sqrt(4 * sympy.pi) ** 3)
        return (scaled * closing).scaled(QQ(2 * path[2] + 1))

    pairs = [(a, b) for a in labels for b in labels]
    carried = [
        pair for pair in pairs if any(value((0, 0, 0), (0, 0, 0), (*pair, c)) for c in labels)
    ]
    require(
        len(carried) == 1,
        "features",
        "belong to one pair of atoms",
        f"the tagged species {carried}",
        "pass triplet_features(...)[j, k]",
    )
    ((first, second),) = carried
    raw = {
        c: {(path, n): value(path, n, (first, second, c)) for path, n in used_channels(degree)}
        for c in labels
    }
    some = next(f for f in raw.values() if f[SCALAR])
    jj, _, kk = gram_of_the_pair(some)
    weights = [
        _rational(
            "cutoff",
            expansion.cutoff.value(Exact(), sympy.sqrt(exact_number("square", plain(square)))),
        )
        for square in (jj, kk)
    ]
    channels = {
        c: {key: v.scaled(1 / (weights[0] * weights[1])) for key, v in f.items()}
        for c, f in raw.items()
    }
    return PairFeatures((first, second), (plain(weights[0]), plain(weights[1])), degree, channels)


def _root_of(number: Number) -> RootSum:
    try:
        return root_of(sympy.expand(number))
    except TypeError:
        refuse(
            "features",
            "be rational multiples of square roots, divided by (4 pi)^(3/2)",
            number,
            "compute them exactly (digits=None) at rational positions",
        )


def _rational(argument: str, value: Any) -> Any:
    number = exact_number(argument, value)
    require(bool(number.is_Rational), argument, "be rational", number, "choose a fraction")
    return rational(number)


def _rational_point(argument: str, vector: Sequence[Any]) -> Point:
    x, y, z = (_rational(argument, c) for c in vector)
    return x, y, z
