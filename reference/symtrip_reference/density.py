"""Atomic environments and the expansion of their neighbour density."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from symtrip_reference._checks import InputError, exact_vector, natural_number, require
from symtrip_reference.arithmetic import Arithmetic, Number
from symtrip_reference.cutoff import ShiftedCosine
from symtrip_reference.evaluation import evaluate
from symtrip_reference.harmonics import harmonics
from symtrip_reference.radial import DeltaDensity, GaussianDensity, Gto, RadialBasis

__all__ = ["Density", "Environment", "Expansion", "density_expansion", "expand"]

Block = list[list[Number]]
"""One spherical tensor: ``block[m + l][q]``."""


@dataclass(frozen=True)
class Environment:
    """The neighbours of one centre.

    Args:
        vectors: positions relative to the centre in Å, triples of exact numbers, none of them zero.
        species: one integer per neighbour; all 1 when left out.
    """

    vectors: tuple[Any, ...]
    species: tuple[int, ...]

    def __init__(self, vectors: Sequence[Any], species: Sequence[int] | None = None) -> None:
        require(
            hasattr(vectors, "__iter__"),
            "vectors",
            "be a list of triples of exact numbers",
            repr(vectors),
            "pass [] for no neighbours",
        )
        exact = tuple(exact_vector(f"vectors[{j}]", v) for j, v in enumerate(vectors))
        for j, vector in enumerate(exact):
            require(
                any(c.is_zero is not True for c in vector),
                f"vectors[{j}]",
                "not be the zero vector",
                "(0, 0, 0)",
                "a neighbour cannot sit on its centre",
            )
        labels = [1] * len(exact) if species is None else list(species)
        require(
            len(labels) == len(exact),
            "species",
            f"hold one integer for each of the {len(exact)} neighbours",
            labels,
            "pass as many species as vectors",
        )
        object.__setattr__(self, "vectors", exact)
        object.__setattr__(
            self, "species", tuple(natural_number("species", s, least=1) for s in labels)
        )

    def __len__(self) -> int:
        return len(self.vectors)


@dataclass(frozen=True)
class Expansion:
    """How a density is expanded: cutoff, density, radial basis, species of the neighbours.

    Args:
        cutoff: the cutoff function.
        density: Gaussian or delta.
        basis: radial basis and largest l.
        species: the neighbour species, sorted; one block of n_radial channels for each.
    """

    cutoff: ShiftedCosine
    density: GaussianDensity | DeltaDensity
    basis: RadialBasis
    species: tuple[int, ...] = (1,)

    def __post_init__(self) -> None:
        species = tuple(natural_number("species", s, least=1) for s in self.species)
        require(
            len(species) > 0 and list(species) == sorted(set(species)),
            "species",
            "be sorted, distinct and not empty",
            species,
            "write tuple(sorted(set(species)))",
        )
        object.__setattr__(self, "species", species)

    @classmethod
    def b8(cls) -> Expansion:
        """The paper's values for B8."""
        from fractions import Fraction

        radius = Fraction(2)
        return cls(
            ShiftedCosine(radius, Fraction(1, 10)),
            GaussianDensity(Fraction(1, 5)),
            Gto(6, 3, radius),
            species=(5,),
        )


@dataclass(frozen=True)
class Density:
    """Expansion coefficients of one environment.

    Args:
        rho: ``rho[l][m + l][q]``, q = species slow, n fast.
        g: ``g[l][j][m + l][q]``, neighbour by neighbour; they sum to ``rho``.
    """

    rho: list[Block]
    g: list[list[Block]]

    @property
    def max_angular(self) -> int:
        """Largest l, inclusive."""
        return len(self.rho) - 1

    @property
    def neighbors(self) -> int:
        """Number of neighbours."""
        return len(self.g[0])


def density_expansion(
    environment: Environment,
    expansion: Expansion,
    *,
    digits: int | None = None,
    rigorous: bool = False,
) -> Density:
    """Expansion of the neighbour density (rho) and of every neighbour by itself (g).

    g_ij[n l m] = f_c(r_ij) I_nl(r_ij) Y_lm(r_ij / |r_ij|);
    rho_i[a n l m] = sum of g_ij[n l m] over the neighbours j of species a.

    Args:
        environment: the neighbours of one centre.
        expansion: cutoff, density, basis, species.
        digits: None for exact sympy numbers where they exist, otherwise the digits wanted (>= 15).
        rigorous: guaranteed enclosures (python-flint), with ``digits``.

    Returns:
        rho and g.

    Raises:
        InputError: a neighbour's species is not among ``expansion.species``.

    Accuracy: exact, or ``digits`` digits of the largest number.

    Source: Nigam et al., APL Mach. Learn. 2, 016110 (2024), Eqs. S3 and S4.
    """
    return evaluate(lambda a: expand(a, environment, expansion), digits=digits, rigorous=rigorous)


def expand(a: Arithmetic, environment: Environment, expansion: Expansion) -> Density:
    """Rho and g in the arithmetic ``a``."""
    by_neighbor = [
        _expand_neighbor(a, vector, species, expansion)
        for vector, species in zip(environment.vectors, environment.species, strict=True)
    ]
    channels = len(expansion.species) * expansion.basis.n_radial
    degrees = range(expansion.basis.max_angular + 1)
    g = [[blocks[l] for blocks in by_neighbor] for l in degrees]
    rho = [
        [
            [sum((block[m][q] for block in g[l]), start=a(0)) for q in range(channels)]
            for m in range(2 * l + 1)
        ]
        for l in degrees
    ]
    return Density(rho, g)


def _expand_neighbor(
    a: Arithmetic, vector: Sequence[Any], species: int, expansion: Expansion
) -> list[Block]:
    if species not in expansion.species:
        raise InputError(
            f"`species` must be among {expansion.species}, got {species}; add it to the expansion."
        )
    basis = expansion.basis
    r, parts = _directions_and_radials(a, tuple(vector), basis, expansion.density)
    weight = expansion.cutoff.value(a, r)
    before = expansion.species.index(species) * basis.n_radial
    after = (len(expansion.species) - 1) * basis.n_radial - before
    return [
        [
            [a(0)] * before + [weight * value * component for value in radial] + [a(0)] * after
            for component in harmonic
        ]
        for harmonic, radial in parts
    ]


@lru_cache(maxsize=1024)
def _directions_and_radials(
    a: Arithmetic,
    vector: tuple[Any, ...],
    basis: RadialBasis,
    density: GaussianDensity | DeltaDensity,
) -> tuple[Number, list[tuple[list[Number], list[Number]]]]:
    """The distance and, for each l, Y_lm and I_nl: what does not depend on the cutoff."""
    x, y, z = (a(c) for c in vector)
    r = a.sqrt(a.dot([(x, x), (y, y), (z, z)]))
    directions = harmonics(a, vector, basis.max_angular)
    return r, [(y_l, basis.integral(a, density, l, r)) for l, y_l in enumerate(directions)]
