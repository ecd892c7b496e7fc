"""Completeness by reconstruction, exactly: the features of one tagged pair -> the environment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal

import sympy
from sympy import QQ

from symtrip_reference._checks import exact_number, refuse, require
from symtrip_reference.arithmetic import Number
from symtrip_reference.density import Environment, Expansion
from symtrip_reference.reconstruction.couplings import Form
from symtrip_reference.reconstruction.decoders import (
    points_by_matrix_pencil,
    points_by_power_sums,
    points_on_a_line,
    prony,
)
from symtrip_reference.reconstruction.features import PairFeatures, read_features
from symtrip_reference.reconstruction.matrices import hankel, rank
from symtrip_reference.reconstruction.moments import Moments, Point, moments, subtract_point
from symtrip_reference.reconstruction.roots import plain, rational
from symtrip_reference.reconstruction.tagged import (
    SCALAR,
    Features,
    frame_moments,
    frame_of_the_pair,
    gram_of_the_pair,
    tagged_features,
)

__all__ = ["Decoder", "Reconstruction", "decode", "decode_pair"]

Decoder = Literal["power-sums", "matrix-pencil"]


@dataclass(frozen=True)
class Reconstruction:
    """An environment recovered from the features of one tagged pair, up to rotation.

    Args:
        species: (N,) integers, j and k first.
        coordinates: (N, 3) along three orthogonal axes: r_k - (r_j.r_k / |r_j|^2) r_j, r_j x r_k,
            r_j; for a collinear pair only the last one counts.
        squared_lengths: (3,) of these axes, in Å^2 (Å^4 for the second one).
        weights: (N,) cutoff function at the atoms as decoded.
        decoder: which decoder was used.
    """

    species: tuple[int, ...]
    coordinates: tuple[tuple[Fraction, Fraction, Fraction], ...]
    squared_lengths: tuple[Fraction, Fraction, Fraction]
    weights: tuple[Fraction, ...]
    decoder: Decoder

    def vectors(self) -> list[tuple[sympy.Expr, sympy.Expr, sympy.Expr]]:
        """(N, 3) positions in Å, exact: j along +z, k in the half plane x >= 0, y = 0."""
        a, b, c = (sympy.sqrt(exact_number("length", s)) for s in self.squared_lengths)
        return [
            (exact_number("x", x) * a, exact_number("y", y) * b, exact_number("z", z) * c)
            for x, y, z in self.coordinates
        ]

    def environment(self) -> Environment:
        """As one environment."""
        return Environment(self.vectors(), self.species)


def decode_pair(
    features: Mapping[tuple[int, int, int], Sequence[Number]],
    expansion: Expansion,
    *,
    decoder: Decoder | Literal["auto"] = "auto",
) -> Reconstruction:
    """Recover an environment from nothing but the exact feature vector of one tagged pair.

    Args:
        features: ``triplet_features(...)[j, k]``: (l1, l2, L) -> list over (q1, q2, q3), exact
            numbers, of an environment with rational scalar products.
        expansion: the expansion they were computed with: Monomials and DeltaDensity.
        decoder: as in :func:`decode`.

    Returns:
        As :func:`decode`.

    Raises:
        InputError: another basis or density, an irrational cutoff function at j or k, or as
            :func:`decode`.

    Accuracy: exact.

    Source: as :func:`decode`.
    """
    return decode(read_features(features, expansion), decoder=decoder)


def decode(
    features: PairFeatures, *, decoder: Decoder | Literal["auto"] = "auto"
) -> Reconstruction:
    """Recover an environment, up to rotation, from the features of ONE of its tagged pairs.

    Args:
        features: of a pair that is not collinear, unless all neighbours are.
        decoder: ``"power-sums"`` needs weights 1 and, for each species, a degree of at least the
            number of its untagged atoms; ``"matrix-pencil"`` takes any weights and needs degree
            2d + 1 such that polynomials of degree d tell the atoms apart (2m - 1 for m collinear
            ones); ``"auto"`` takes power sums when all weights are 1.

    Returns:
        The neighbours with species and weights, handedness included.

    Raises:
        InputError: no environment with rational scalar products has these features, the degree is
            too low, or the pair is collinear and the environment is not.

    Accuracy: exact; that the result has the features given is checked for every one that is used.

    Source: Nigam et al., APL Mach. Learn. 2, 016110 (2024), section II.1 of the supplement, made
        constructive: theorems D2 and D3 of the proofs.
    """
    require(
        decoder in ("auto", "power-sums", "matrix-pencil"),
        "decoder",
        'be "auto", "power-sums" or "matrix-pencil"',
        repr(decoder),
        'write decoder="auto"',
    )
    some = next((f for f in features.channels.values() if f[SCALAR]), None)
    if some is None:
        refuse("features", "be those of a pair of atoms", "zeros", "choose two real neighbours")
    gram = gram_of_the_pair(some)
    collinear = gram[1] ** 2 == gram[0] * gram[2]
    form, j, k = _frame(gram, collinear=collinear)
    tagged = [(features.species[0], j, rational(features.weights[0]))]
    if j != k:
        tagged.append((features.species[1], k, rational(features.weights[1])))
    rest = {}
    for species, channels in features.channels.items():
        data = (
            _line_moments(channels, features.degree, gram[0])
            if collinear
            else frame_moments(channels, j, k, features.degree, form)
        )
        for own, point, weight in tagged:
            if own == species:
                data = subtract_point(data, point, weight)
        rest[species] = data
    masses = [data[0, 0, 0] for data in rest.values()]
    unit = all(m.denominator == 1 and m >= 0 for m in masses) and set(features.weights) == {1}
    chosen: Decoder = "power-sums" if unit else "matrix-pencil"
    if decoder != "auto":
        chosen = decoder
    atoms = list(tagged)
    for species, data in rest.items():
        found = _solve(data, features.degree, chosen, collinear=collinear)
        atoms += [(species, point, weight) for point, weight in found]
    return Reconstruction(
        tuple(s for s, _, _ in atoms),
        tuple((plain(x), plain(y), plain(z)) for _, (x, y, z), _ in atoms),
        (plain(form[0]), plain(form[1]), plain(form[2])),
        tuple(plain(w) for _, _, w in atoms),
        chosen,
    )


def _frame(gram: tuple[Any, Any, Any], *, collinear: bool) -> tuple[Form, Point, Point]:
    if not collinear:
        return frame_of_the_pair(gram)
    zero, one = QQ(0), QQ(1)
    return (one, one, gram[0]), (zero, zero, one), (zero, zero, gram[1] / gram[0])


def _line_moments(features: Features, degree: int, square: Any) -> Moments:
    """Moments of atoms t_i r_j: the features (L, 0, L) are those of j itself times t_i^L."""
    origin, axis = (QQ(0), QQ(0), QQ(0)), (QQ(0), QQ(0), QQ(1))
    data = moments([origin], [QQ(0)], degree)
    unit = tagged_features(axis, axis, [axis], [QQ(1)], degree)
    sums = {}
    for L in range(degree + 1):
        channel = ((L, 0, L), (0, 0, 0))
        (d, value), (e, one) = features[channel].single(), unit[channel].single()
        require(
            d == e or not value,
            "features",
            "be those of an environment with rational scalar products",
            f"a root of {d} in the path {channel[0]}",
            "choose rational positions",
        )
        sums[0, 0, L] = value / (one * square**L)
    if degree >= 2:
        everything = features[(0, 0, 0), (0, 0, 1)].single()[1]
        require(
            everything == sums[0, 0, 2] * square,
            "pair",
            "not be collinear unless all neighbours are",
            f"squared distances of {everything} Å^2, {sums[0, 0, 2] * square} Å^2 along it",
            "tag two neighbours that span a plane with the centre",
        )
    return {**data, **sums}


def _solve(
    data: Moments, degree: int, decoder: Decoder, *, collinear: bool
) -> list[tuple[Point, Any]]:
    """Untagged atoms of one species with their weights."""
    if not any(data.values()):
        return []
    if decoder == "power-sums":
        found = _unit_weights(data, degree, collinear=collinear)
    elif collinear:
        power = [data[0, 0, t] for t in range(degree + 1)]
        count = rank(hankel(power, (degree + 1) // 2))
        found = [((QQ(0), QQ(0), t), w) for t, w in prony(power, count).items()]
    else:
        found = list(points_by_matrix_pencil(data, (degree - 1) // 2).items())
    again = moments([x for x, _ in found], [w for _, w in found], degree)
    require(
        all(value == again[e] for e, value in data.items()),
        "features",
        f"have degrees L + 2 n that determine {len(found)} or more atoms of one species",
        f"degree {degree}",
        "raise n_radial and max_angular",
    )
    return found


def _unit_weights(data: Moments, degree: int, *, collinear: bool) -> list[tuple[Point, Any]]:
    count = data[0, 0, 0]
    require(
        count.denominator == 1 and count >= 0,
        "decoder",
        'be "matrix-pencil" when neighbours lie in the cutoff shell',
        f'"power-sums" and a total weight of {count}',
        "keep all neighbours within radius - width or change it",
    )
    require(
        count <= degree,
        "features",
        f"have degrees L + 2 n up to the number {count} of untagged atoms of one species",
        f"degree {degree}",
        "raise n_radial and max_angular",
    )
    if collinear:
        heights = points_on_a_line([data[0, 0, t] for t in range(degree + 1)], int(count))
        points = [(QQ(0), QQ(0), t) for t in heights.elements()]
    else:
        points = list(points_by_power_sums(data, int(count)).elements())
    return [(x, QQ(1)) for x in points]
