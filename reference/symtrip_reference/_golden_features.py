"""Golden values of the features: products of densities, with and without tagged neighbours."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from functools import partial
from itertools import product
from typing import Any

from symtrip_reference._golden_cases import N_CENTER, dyadic
from symtrip_reference._golden_records import (
    Announce,
    Record,
    Result,
    environments,
    expansion_of,
    norm,
    one_record,
    one_result,
    without_cutoff,
)
from symtrip_reference.arithmetic import Arithmetic, Number
from symtrip_reference.correlations import (
    Path,
    couple,
    coupling_paths,
    density_correlations,
    flatten,
    path_parity,
)
from symtrip_reference.coupling import triangle
from symtrip_reference.density import Block, Environment, Expansion, expand
from symtrip_reference.evaluation import evaluate
from symtrip_reference.triplets import (
    expand_triplets,
    n_centre_features,
    triplet_features,
    triplet_paths,
)

__all__ = ["feature_records"]

FEW, MANY = 60, 4000


def feature_records(digits: int, announce: Announce) -> Iterator[Record]:
    """One record for each feature and environment, feature by feature."""
    for maker in (
        _correlations,
        _equivariants,
        _iterations,
        _triplets,
        _unordered_triplets,
        _linear_layers,
        _n_center,
    ):
        yield from maker(digits, announce)


def _channels(expansion: Expansion) -> int:
    return len(expansion.species) * expansion.basis.n_radial


def _small(limit: int) -> Iterator[tuple[str, Record, Expansion, Environment]]:
    """The environments whose expansions have few channels: name, arguments, both exactly."""
    for name, description, environment, exact in environments():
        expansion = expansion_of(description)
        if _channels(expansion) <= limit:
            yield name, {"expansion": description, **environment}, expansion, exact


def _correlations(digits: int, announce: Announce) -> Iterator[Record]:
    for name, description, environment, exact in environments():
        expansion = expansion_of(description)
        max_angular = expansion.basis.max_angular
        channels = len(expansion.species) * expansion.basis.n_radial
        for nu in (1, 2, 3, 4):
            if channels**nu * len(coupling_paths(nu, max_angular)) > 4000:
                continue
            announce(f"density_correlations: nu = {nu}, {name}")
            paths = sorted(
                coupling_paths(nu, max_angular, max_intermediate=max_angular * max(1, nu - 2)),
                key=_fast_order,
            )
            values, uncut = (
                flatten(density_correlations(exact, e, nu, paths=paths, digits=digits))
                for e in (expansion, without_cutoff(expansion))
            )
            step = 1 + len(values) // 600
            arguments = {"nu": nu, "expansion": description, **environment}
            results = [one_result(0, values, digits, scale=norm(uncut), step=step)]
            yield one_record("density_correlations", f"nu = {nu}, {name}", arguments, results)


def _fast_order(path: tuple[int, ...]) -> tuple[int, ...]:
    """How DensityCorrelations sorts: from nu = 4 on, the last coupling slowest."""
    if len(path) < 7:
        return path
    l1, l2, L2, l3, L3, _, _ = path
    sigma2 = (-1) ** (l1 + l2 + L2)
    return L3, -sigma2 * (-1) ** (L2 + l3 + L3), L2, -sigma2, l3, l1, l2


def _equivariants(digits: int, announce: Announce) -> Iterator[Record]:
    """Blocks (lambda, sigma) as EquivariantCorrelations orders their properties."""
    for name, arguments, expansion, exact in _small(2):
        max_angular = expansion.basis.max_angular
        max_lambda = max(max_angular, 2)
        for nu in (1, 2, 3):
            announce(f"equivariant_correlations: nu = {nu}, {name}")
            degrees = range((max_angular if nu == 1 else max_lambda) + 1)
            all_values, all_uncut = (
                [
                    density_correlations(
                        exact,
                        e,
                        nu,
                        o3_lambda=o3_lambda,
                        max_intermediate=max_lambda,
                        digits=digits,
                    )
                    for o3_lambda in degrees
                ]
                for e in (expansion, without_cutoff(expansion))
            )
            # neighbours may cancel in one lambda, never in all
            size = norm([x for uncut in all_uncut for x in flatten(uncut)])
            results: list[Result] = []
            for o3_lambda, values in zip(degrees, all_values, strict=True):
                for sigma in (1, -1):
                    paths = [path for path in values if path_parity(path) == sigma]
                    if paths:
                        paths.sort(key=_order_of_blocks)
                        flat = [
                            x
                            for m in range(2 * o3_lambda + 1)
                            for path in paths
                            for x in values[path][m]
                        ]
                        step = 1 + len(flat) // FEW
                        block = len(results)
                        results.append(one_result(block, flat, digits, scale=size, step=step))
            case = {"nu": nu, "max_lambda": max_lambda, **arguments}
            yield one_record("equivariant_correlations", f"nu = {nu}, {name}", case, results)


def _order_of_blocks(path: Path) -> tuple[int, ...]:
    """Order 3: blocks of order 2 by lambda, sigma = +1 first; then l3; then l1 and l2."""
    if len(path) < 5:
        return path
    l1, l2, L, l3, _ = path
    return L, -path_parity((l1, l2, L)), l3, l1, l2


def _iterations(digits: int, announce: Announce) -> Iterator[Record]:
    """Scalars of every order of the NICE iteration, as Nice orders them."""
    max_nu = 4
    for name, arguments, expansion, exact in _small(2):
        announce(f"nice: {name}")
        values, uncut = (
            evaluate(partial(_iterated, exact, e, max_nu), digits=digits)
            for e in (expansion, without_cutoff(expansion))
        )
        results = [
            one_result(block, mine, digits, scale=norm(whole), step=1 + len(mine) // FEW)
            for block, (mine, whole) in enumerate(zip(values, uncut, strict=True))
        ]
        yield one_record(
            "nice", f"nu <= {max_nu}, {name}", {"max_nu": max_nu, **arguments}, results
        )


def _iterated(
    environment: Environment, expansion: Expansion, max_nu: int, a: Arithmetic
) -> list[list[Number]]:
    """Every order coupled with the density once more; the density's channel is the slow one."""
    rho = expand(a, environment, expansion).rho
    q, max_angular = _channels(expansion), expansion.basis.max_angular
    blocks: dict[tuple[int, int], Block] = {(l, 1): block for l, block in enumerate(rho)}
    scalars = [list(rho[0][0])]
    for nu in range(2, max_nu + 1):
        # what exceeds this can never couple back to a scalar
        limit = max_angular * (max_nu - nu)
        following: dict[tuple[int, int], Block] = {}
        for L, sigma in product(range(limit + 1), (1, -1)):
            pieces = []
            for (L1, sigma1), block in blocks.items():
                for l in range(max_angular + 1):
                    if triangle(L1, l, L) and sigma1 * (-1) ** (L1 + l + L) == sigma:
                        rows = couple(a, L1, block, l, rho[l], L)
                        pieces.append([[x for n in range(q) for x in row[n::q]] for row in rows])
            if pieces:
                following[L, sigma] = [
                    [x for piece in pieces for x in piece[m]] for m in range(2 * L + 1)
                ]
        blocks = following
        scalars.append([x for s in (1, -1) if (0, s) in blocks for x in blocks[0, s][0]])
    return scalars


def _triplets(digits: int, announce: Announce) -> Iterator[Record]:
    for name, description, environment, exact in environments():
        announce(f"triplet_features: {name}")
        expansion = expansion_of(description)
        count = len(exact)
        pairs = sorted({(0, count - 1), (count // 2, 0), (count - 1, count - 1)})
        features, uncut = (
            triplet_features(exact, e, pairs=pairs, digits=digits)
            for e in (expansion, without_cutoff(expansion))
        )
        results = []
        for j, k in pairs:
            values = [x for block in features[j, k].values() for x in block]
            size = norm([x for block in uncut[j, k].values() for x in block])
            step = 1 + len(values) // 250
            results.append(one_result(j * count + k, values, digits, scale=size, step=step))
        arguments = {"expansion": description, **environment}
        yield one_record("triplet_features", name, arguments, results)


def _unordered_triplets(digits: int, announce: Announce) -> Iterator[Record]:
    """Pairs j <= k, k slow, those with j < k times sqrt(2); last the sum over all ordered pairs."""
    for name, arguments, expansion, exact in _small(4):
        announce(f"reduced_triplet_features: {name}")
        pairs = [(j, k) for k in range(len(exact)) for j in range(k + 1)]
        values, uncut = (
            evaluate(partial(_weighted_pairs, exact, e, pairs), digits=digits)
            for e in (expansion, without_cutoff(expansion))
        )
        sums, uncut_sums = (
            flatten(
                density_correlations(
                    exact, e, 3, paths=[(*p, p[2], 0) for p in _paths(e)], digits=digits
                )
            )
            for e in (expansion, without_cutoff(expansion))
        )
        results = [
            one_result(block, mine, digits, scale=norm(whole), step=1 + len(mine) // FEW)
            for block, (mine, whole) in enumerate(
                zip([*values, sums], [*uncut, uncut_sums], strict=True)
            )
        ]
        yield one_record("reduced_triplet_features", name, arguments, results)


def _paths(expansion: Expansion) -> list[tuple[int, int, int]]:
    return triplet_paths(expansion.basis.max_angular)


def _weighted_pairs(
    exact: Environment, expansion: Expansion, pairs: list[tuple[int, int]], a: Arithmetic
) -> list[list[Number]]:
    features = expand_triplets(a, exact, expansion, pairs, _paths(expansion))
    root = a.sqrt(a(2))
    return [
        [x if j == k else root * x for block in features[j, k].values() for x in block]
        for j, k in pairs
    ]


def _linear_layers(digits: int, announce: Announce) -> Iterator[Record]:
    """F_jk W + b for all pairs, then its parts that are even and odd under inversion."""
    outputs = 2
    for name, arguments, expansion, exact in _small(2):
        announce(f"triplet_linear: {name}")
        paths = _paths(expansion)
        inputs = len(paths) * _channels(expansion) ** 3
        weight = [[dyadic(outputs * i + o) for o in range(outputs)] for i in range(inputs)]
        bias = [dyadic(7000 + o) for o in range(outputs)]
        pairs = [(j, k) for j in range(len(exact)) for k in range(len(exact))]

        values = evaluate(partial(_layer, exact, expansion, weight, bias, pairs), digits=digits)
        uncut = triplet_features(exact, without_cutoff(expansion), digits=digits)
        largest = norm([x for row in [*weight, bias] for x in row])
        sizes = [
            norm([1, *(x for b in uncut[pair].values() for x in b)]) * largest for pair in pairs
        ]
        results = [
            one_result(block, mine, digits, scale=sizes[block % len(pairs)])
            for block, mine in enumerate(values)
        ]
        case = {"weight": weight, "bias": bias, **arguments}
        yield one_record("triplet_linear", name, case, results)


def _layer(
    exact: Environment,
    expansion: Expansion,
    weight: list[list[float]],
    bias: list[float],
    pairs: list[tuple[int, int]],
    a: Arithmetic,
) -> list[list[Number]]:
    """F W + b of every pair, then the same from even features alone, then F W from odd ones."""
    features = expand_triplets(a, exact, expansion, pairs, _paths(expansion))
    columns = [[a(Fraction(x)) for x in column] for column in zip(*weight, strict=True)]
    even: list[list[Number]] = []
    odd: list[list[Number]] = []
    for pair in pairs:
        for part, parity, shift in ((even, 0, bias), (odd, 1, [0.0] * len(bias))):
            vector = [
                x if sum(path) % 2 == parity else a(0)
                for path, block in features[pair].items()
                for x in block
            ]
            part.append(
                [
                    a.dot(zip(vector, column, strict=True)) + a(Fraction(b))
                    for column, b in zip(columns, shift, strict=True)
                ]
            )
    both = [[x + y for x, y in zip(*two, strict=True)] for two in zip(even, odd, strict=True)]
    return both + even + odd


def _n_center(digits: int, announce: Announce) -> Iterator[Record]:
    """All paths in one block for each tuple of tagged neighbours."""
    for name, arguments, expansion, exact in _small(4):
        for n_tagged, nu, o3_lambda, max_intermediate in N_CENTER:
            order, max_angular = n_tagged + nu, expansion.basis.max_angular
            paths = coupling_paths(
                order, max_angular, o3_lambda=o3_lambda, max_intermediate=max_intermediate
            )
            if not paths or len(paths) * _channels(expansion) ** order > MANY:
                continue
            case = f"{n_tagged} tagged, nu = {nu}, lambda = {o3_lambda}, {name}"
            announce(f"n_center_features: {case}")
            count = len(exact)
            # both orders of two neighbours where there are two, and a repetition
            tuples = sorted(
                {tuple((i + shift) % count for i in range(n_tagged)) for shift in (0, count // 2)}
            )
            results = []
            for block, tagged in enumerate(tuples):
                values, *uncut = (
                    flatten(
                        n_centre_features(
                            exact,
                            e,
                            tagged,
                            nu,
                            o3_lambda=degree,
                            max_intermediate=max_intermediate,
                            digits=digits,
                        )
                    )
                    for e, degree in (
                        (expansion, o3_lambda),
                        *((without_cutoff(expansion), degree) for degree in range(o3_lambda + 1)),
                    )
                )
                step, size = 1 + len(values) // FEW, norm([x for part in uncut for x in part])
                results.append(one_result(block, values, digits, scale=size, step=step))
            numbers: dict[str, Any] = {
                "tagged": [list(tagged) for tagged in tuples],
                "nu": nu,
                "o3_lambda": o3_lambda,
                "max_intermediate": max_intermediate,
            }
            yield one_record("n_center_features", case, {**numbers, **arguments}, results)
