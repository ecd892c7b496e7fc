"""Density correlations: iterated Clebsch-Gordan products of the density with itself.

A *path* (l1, l2, L2, l3, L3, ...) says how nu densities are coupled: l1 with l2 to L2, that with l3
to L3, and so on; the last L is lambda (for nu = 1 the path is (l1,) and lambda = l1). Its parity is
sigma = (-1)^(l1 + l2 + ... + l_nu + lambda).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from symtrip_reference._checks import natural_number, require
from symtrip_reference.arithmetic import Arithmetic, Number
from symtrip_reference.coupling import coupling_terms, triangle
from symtrip_reference.density import Block, Environment, Expansion, expand
from symtrip_reference.evaluation import evaluate

__all__ = [
    "clebsch_gordan_product",
    "couple",
    "coupling_paths",
    "density_correlations",
    "path_parity",
]

Path = tuple[int, ...]


def coupling_paths(
    nu: int, max_angular: int, *, o3_lambda: int = 0, max_intermediate: int | None = None
) -> list[Path]:
    """All paths that couple ``nu`` factors with l <= max_angular to ``o3_lambda``.

    Args:
        nu: number of factors, >= 1.
        max_angular: largest l of a factor, inclusive.
        o3_lambda: final angular momentum.
        max_intermediate: largest intermediate L; ``max_angular`` when left out.

    Returns:
        Paths (l1, l2, L2, ..., l_nu, lambda) in lexicographic order, the first l slowest. For
        nu = 3, lambda = 0 they are the paths (l1, l2, L, L, 0) of the bispectrum.

    Raises:
        InputError: a count that is no integer in its range.

    Accuracy: exact.

    Source: Nigam et al., APL Mach. Learn. 2, 016110 (2024), Eq. S5.
    """
    nu = natural_number("nu", nu, least=1)
    max_angular = natural_number("max_angular", max_angular)
    o3_lambda = natural_number("o3_lambda", o3_lambda)
    limit = (
        max_angular
        if max_intermediate is None
        else natural_number("max_intermediate", max_intermediate)
    )
    return list(_extend((), nu, max_angular, o3_lambda, limit))


def _extend(path: Path, left: int, max_angular: int, o3_lambda: int, limit: int) -> Iterator[Path]:
    if left == 0:
        if path[-1] == o3_lambda:
            yield path
        return
    for l in range(max_angular + 1):
        if not path:
            yield from _extend((l,), left - 1, max_angular, o3_lambda, limit)
            continue
        targets = [o3_lambda] if left == 1 else range(limit + 1)
        for L in targets:
            if triangle(path[-1], l, L):
                yield from _extend((*path, l, L), left - 1, max_angular, o3_lambda, limit)


def path_parity(path: Path) -> int:
    """Sigma = (-1)^(sum of the factors' l + lambda), +1 or -1."""
    factors = sum(path[:1]) + sum(path[1::2])
    return -1 if (factors + path[-1]) % 2 else 1


def couple(a: Arithmetic, l1: int, left: Block, l2: int, right: Block, L: int) -> Block:
    """(left x right)^L: ``block[M + L][(q1, q2)]`` with q1 slow, for all products of channels."""
    block = []
    for terms in coupling_terms(a, l1, l2, L):
        # the coefficient goes to the factor with fewer channels
        if len(left[0]) <= len(right[0]):
            lefts = [[c * x for x in left[m1]] for m1, _, c in terms]
            rights = [right[m2] for _, m2, _ in terms]
        else:
            lefts = [left[m1] for m1, _, _ in terms]
            rights = [[c * y for y in right[m2]] for _, m2, c in terms]
        block.append(a.multiply(lefts, rights))
    return block


def clebsch_gordan_product(
    first: Sequence[Sequence[Sequence[Any]]],
    second: Sequence[Sequence[Sequence[Any]]],
    max_lambda: int,
    *,
    digits: int | None = None,
    rigorous: bool = False,
) -> dict[tuple[int, int], Block]:
    """Tensor product of two sets of spherical tensors, coupled to irreducible ones.

    Args:
        first: ``first[l][m + l][q]``, exact numbers, proper tensors (parity (-1)^l).
        second: the same for the second factor.
        max_lambda: largest angular momentum of the product.
        digits: None for exact sympy numbers, otherwise the decimal digits wanted (>= 15).
        rigorous: guaranteed enclosures (python-flint), with ``digits``.

    Returns:
        ``result[lambda, sigma][M + lambda][q]``, sorted by lambda, sigma = +1 first; q runs over
        the paths (l1 slow, l2 fast) and in each over (q1, q2).

    Raises:
        InputError: a float among the numbers, or ``max_lambda`` is no integer >= 0.

    Accuracy: exact, or ``digits`` digits of the largest number.

    Source: Nigam, Pozdnyakov, Ceriotti, J. Chem. Phys. 153, 121101 (2020), Eq. 9.
    """
    max_lambda = natural_number("max_lambda", max_lambda)

    def formula(a: Arithmetic) -> dict[tuple[int, int], Block]:
        left, right = (
            [[[a(x) for x in row] for row in block] for block in side] for side in (first, second)
        )
        product: dict[tuple[int, int], Block] = {}
        for L in range(max_lambda + 1):
            for sigma in (1, -1):
                couplings = [
                    couple(a, l1, left[l1], l2, right[l2], L)
                    for l1 in range(len(left))
                    for l2 in range(len(right))
                    if triangle(l1, l2, L) and (-1) ** (l1 + l2 + L) == sigma
                ]
                if couplings:
                    product[L, sigma] = [
                        [x for block in couplings for x in block[M]] for M in range(2 * L + 1)
                    ]
        return product

    return evaluate(formula, digits=digits, rigorous=rigorous)


def couple_along(a: Arithmetic, factors: Sequence[Sequence[Block]], path: Path) -> Block:
    """The product of ``factors`` (each ``[l][m + l][q]``) along ``path``, first channel slowest."""
    block = factors[0][path[0]]
    current = path[0]
    for factor, (l, L) in zip(factors[1:], zip(path[1::2], path[2::2], strict=True), strict=True):
        block = couple(a, current, block, l, factor[l], L)
        current = L
    return block


def density_correlations(
    environment: Environment,
    expansion: Expansion,
    nu: int,
    *,
    o3_lambda: int = 0,
    paths: Sequence[Path] | None = None,
    max_intermediate: int | None = None,
    digits: int | None = None,
    rigorous: bool = False,
) -> dict[Path, Block]:
    """Density correlations of order ``nu``.

    Args:
        environment: the neighbours of one centre.
        expansion: cutoff, density, basis, species.
        nu: correlation order, >= 1 (the body order is nu + 1).
        o3_lambda: angular momentum of the result; 0 for invariants.
        paths: the paths wanted; all of :func:`coupling_paths` when left out.
        max_intermediate: largest intermediate L; ``max_angular`` when left out.
        digits: None for exact sympy numbers where they exist, otherwise the digits wanted (>= 15).
        rigorous: guaranteed enclosures (python-flint), with ``digits``.

    Returns:
        ``result[path][M + lambda][q]``; q runs over (q1, ..., q_nu), the first slowest.

    Raises:
        InputError: a path that couples to another lambda or violates a triangle rule.

    Accuracy: exact, or ``digits`` digits of the largest number.

    Source: Nigam et al., APL Mach. Learn. 2, 016110 (2024), Eq. S5; Nigam, Pozdnyakov, Ceriotti,
    J. Chem. Phys. 153, 121101 (2020).
    """
    chosen = coupling_paths(
        nu, expansion.basis.max_angular, o3_lambda=o3_lambda, max_intermediate=max_intermediate
    )
    if paths is not None:
        chosen = checked_paths(paths, nu, expansion.basis.max_angular, o3_lambda)

    def formula(a: Arithmetic) -> dict[Path, Block]:
        rho = expand(a, environment, expansion).rho
        return {path: couple_along(a, [rho] * nu, path) for path in chosen}

    return evaluate(formula, digits=digits, rigorous=rigorous)


def checked_paths(paths: Sequence[Path], nu: int, max_angular: int, o3_lambda: int) -> list[Path]:
    """The paths as tuples; each must couple ``nu`` factors to ``o3_lambda``."""
    checked = []
    for path in paths:
        p = tuple(path)
        steps = zip(p[:1] + p[2::2], p[1::2], p[2::2], strict=False)
        require(
            len(p) == 2 * nu - 1
            and all(0 <= l <= max_angular for l in p[:1] + p[1::2])
            and all(triangle(*step) for step in steps)
            and p[-1] == o3_lambda,
            "paths",
            f"hold paths (l1, l2, L2, ..., l{nu}, {o3_lambda}) that obey the triangle rule with "
            f"l <= {max_angular}",
            p,
            "take them from coupling_paths(nu, max_angular, o3_lambda=...)",
        )
        checked.append(p)
    return checked


def flatten(blocks: dict[Path, Block]) -> list[Number]:
    """All numbers of a result in order: path slow, then M, then channels."""
    return [x for block in blocks.values() for row in block for x in row]
