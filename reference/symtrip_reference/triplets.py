"""The features of a centre, two tagged neighbours and one more: F_jk, and their generalisation."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

from symtrip_reference._checks import natural_number, require
from symtrip_reference.arithmetic import Arithmetic, Number
from symtrip_reference.correlations import (
    Path,
    checked_paths,
    couple,
    couple_along,
    coupling_paths,
)
from symtrip_reference.coupling import triangle
from symtrip_reference.density import Block, Environment, Expansion, expand
from symtrip_reference.evaluation import evaluate

__all__ = ["n_centre_features", "triplet_features", "triplet_paths"]


def triplet_paths(max_angular: int) -> list[tuple[int, int, int]]:
    """The paths (l1, l2, L), all <= max_angular, that obey the triangle rule; l1 slow, L fast.

    Args:
        max_angular: largest l, inclusive, an integer >= 0.

    Returns:
        34 paths for max_angular = 3.

    Raises:
        InputError: ``max_angular`` is no integer >= 0.

    Accuracy: exact.

    Source: Nigam et al., APL Mach. Learn. 2, 016110 (2024), Eq. 1.
    """
    degrees = range(natural_number("max_angular", max_angular) + 1)
    return [(l1, l2, L) for l1, l2, L in product(degrees, repeat=3) if triangle(l1, l2, L)]


def triplet_features(
    environment: Environment,
    expansion: Expansion,
    *,
    pairs: Sequence[tuple[int, int]] | None = None,
    paths: Sequence[tuple[int, int, int]] | None = None,
    digits: int | None = None,
    rigorous: bool = False,
) -> dict[tuple[int, int], dict[tuple[int, int, int], list[Number]]]:
    """F_jk[l1 l2 L; q1 q2 q3] = C(L,L,0) sum_M [(g_ij^l1 x g_ik^l2)^L_M]_{q1 q2} rho_i^L_{M q3}.

    C(L,L,0) = (-1)^L / sqrt(2L + 1): the sum over j and k (j = k included) is the bispectrum.

    Args:
        environment: the neighbours of one centre.
        expansion: cutoff, density, basis, species.
        pairs: the tagged pairs (j, k) wanted, counted from 0; all N^2 when left out.
        paths: the paths (l1, l2, L) wanted; all of :func:`triplet_paths` when left out.
        digits: None for exact sympy numbers where they exist, otherwise the digits wanted (>= 15).
        rigorous: guaranteed enclosures (python-flint), with ``digits``.

    Returns:
        ``result[j, k][l1, l2, L]``: a list over (q1, q2, q3); q1 (of j) slow, q3 (of rho) fast.

    Raises:
        InputError: a pair outside the environment, a path that violates the triangle rule.

    Accuracy: exact, or ``digits`` digits of the largest number.

    Source: Nigam et al., APL Mach. Learn. 2, 016110 (2024), Eq. 1.
    """
    count = len(environment)
    every = ((j, k) for j in range(count) for k in range(count))
    chosen_pairs = list(every if pairs is None else pairs)
    for pair in chosen_pairs:
        _check_tagged(pair, count)
    chosen = triplet_paths(expansion.basis.max_angular) if paths is None else list(paths)
    checked_paths([(l1, l2, L, L, 0) for l1, l2, L in chosen], 3, expansion.basis.max_angular, 0)

    return evaluate(
        lambda a: expand_triplets(a, environment, expansion, chosen_pairs, chosen),
        digits=digits,
        rigorous=rigorous,
    )


def expand_triplets(
    a: Arithmetic,
    environment: Environment,
    expansion: Expansion,
    pairs: Sequence[tuple[int, int]],
    paths: Sequence[tuple[int, int, int]],
) -> dict[tuple[int, int], dict[tuple[int, int, int], list[Number]]]:
    """F_jk in the arithmetic ``a``."""
    density = expand(a, environment, expansion)
    return {
        (j, k): {
            (l1, l2, L): _triplet(
                a, couple(a, l1, density.g[l1][j], l2, density.g[l2][k], L), density.rho[L], L
            )
            for l1, l2, L in paths
        }
        for j, k in pairs
    }


def _triplet(a: Arithmetic, tagged: Block, rho: Block, L: int) -> list[Number]:
    """(tagged^L x rho^L)^0."""
    (invariant,) = couple(a, L, tagged, L, rho, 0)
    return invariant


def n_centre_features(
    environment: Environment,
    expansion: Expansion,
    tagged: Sequence[int],
    nu: int,
    *,
    o3_lambda: int = 0,
    paths: Sequence[Path] | None = None,
    max_intermediate: int | None = None,
    digits: int | None = None,
    rigorous: bool = False,
) -> dict[Path, Block]:
    """Features of a centre, any number of tagged neighbours and ``nu`` further ones.

    The factors g_ij1, ..., g_ijT, rho_i, ..., rho_i (nu times) are coupled from left to right. Two
    tagged neighbours, nu = 1 and lambda = 0 give F_jk with path (l1, l2, L, L, 0); no tagged one
    gives the density correlations; summing over a tagged index demotes it to a neighbour.

    Args:
        environment: the neighbours of one centre.
        expansion: cutoff, density, basis, species.
        tagged: indices of the tagged neighbours, repetition allowed.
        nu: number of densities, >= 0; with no tagged neighbour >= 1.
        o3_lambda: angular momentum of the result.
        paths: the paths wanted; all of :func:`coupling_paths` when left out.
        max_intermediate: largest intermediate L; ``max_angular`` when left out.
        digits: None for exact sympy numbers where they exist, otherwise the digits wanted (>= 15).
        rigorous: guaranteed enclosures (python-flint), with ``digits``.

    Returns:
        ``result[path][M + lambda][q]``; q runs over the factors' channels, the first slowest.

    Raises:
        InputError: a tagged index outside the environment, a path that violates a triangle rule.

    Accuracy: exact, or ``digits`` digits of the largest number.

    Source: Nigam et al., APL Mach. Learn. 2, 016110 (2024), Eqs. S6 and S7; Nigam, Pozdnyakov,
    Fraux, Ceriotti, J. Chem. Phys. 156, 204115 (2022).
    """
    nu = natural_number("nu", nu)
    _check_tagged(tagged, len(environment))
    order = len(tagged) + nu
    require(order > 0, "nu", "be >= 1 without tagged neighbours", nu, "raise it or tag one")
    max_angular = expansion.basis.max_angular
    chosen = (
        coupling_paths(order, max_angular, o3_lambda=o3_lambda, max_intermediate=max_intermediate)
        if paths is None
        else checked_paths(paths, order, max_angular, o3_lambda)
    )

    def formula(a: Arithmetic) -> dict[Path, Block]:
        density = expand(a, environment, expansion)
        factors = [[g[j] for g in density.g] for j in tagged] + [density.rho] * nu
        return {path: couple_along(a, factors, path) for path in chosen}

    return evaluate(formula, digits=digits, rigorous=rigorous)


def _check_tagged(tagged: Sequence[int], count: int) -> None:
    for j in tagged:
        natural_number("tagged", j)
        require(
            j < count,
            "tagged",
            f"hold indices of the {count} neighbours, 0..{count - 1}",
            j,
            "count neighbours from 0",
        )
