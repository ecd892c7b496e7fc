"""Errors of features beyond the plain ones: equivariants, N centres, NICE, layers, families.

As in tests/oracles.py, exact values are enclosures at the numbers that the fast path received.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import sympy
import symtrip_reference as reference
import torch
from oracles import DIGITS, Hyperparameters, error_in_eps, floats
from strategies import Cloud, exact_environment
from symtrip_reference.catalogue import load_catalogue
from torch import Tensor

from symtrip.correlations import EquivariantCorrelations
from symtrip.degenerate import family
from symtrip.n_center import NCenterFeatures
from symtrip.nice import Nice
from symtrip.triplet_linear import TripletLinear
from symtrip.triplets import TripletFeatures

__all__ = [
    "equivariant_error",
    "family_error",
    "layer_error",
    "n_center_error",
    "nice_error",
    "reduced_triplet_error",
]

Path = tuple[int, ...]


def n_center_error(
    cloud: Cloud,
    hyper: Hyperparameters,
    tagged: Sequence[int],
    nu: int,
    o3_lambda: int,
    max_intermediate: int | None,
    dtype: torch.dtype,
) -> float:
    """In eps of the norm over all paths to 0 ... lambda, without f_c; indices modulo neighbours."""
    environments = cloud.environments(dtype, padding=1)
    exact = exact_environment(environments)
    if not len(exact):
        return 0.0
    tagged = [j % len(exact) for j in tagged]
    module = NCenterFeatures(
        max_angular=hyper.max_angular,
        n_tagged=len(tagged),
        nu=nu,
        o3_lambda=o3_lambda,
        max_intermediate=max_intermediate,
    )
    positions = environments.mask[0].nonzero()[:, 0]  # the exact side has no padding
    index = positions[torch.tensor(tagged, dtype=torch.int64)].reshape(1, len(tagged))
    got = module(hyper.fast()(environments), index)
    want, *uncut = (
        reference.n_centre_features(
            exact,
            hyper.exact(cut=cut),
            tagged,
            nu,
            o3_lambda=degree,
            max_intermediate=max_intermediate,
            digits=DIGITS,
            rigorous=True,
        )
        for cut, degree in ((True, o3_lambda), *((False, x) for x in range(o3_lambda + 1)))
    )
    assert list(got) == list(want)
    if not want:
        return 0.0
    flat = torch.cat([block.flatten() for block in got.values()])
    # neighbours may cancel in one lambda > 0, never in the scalars as well
    norm = float(floats(x for part in uncut for x in reference.flatten(part)).norm())
    return error_in_eps(flat, reference.flatten(want), norm)


def equivariant_error(cloud: Cloud, hyper: Hyperparameters, nu: int, dtype: torch.dtype) -> float:
    """nu <= 3, in eps of the norm over all lambda, f_c left out of the norm."""
    environments = cloud.environments(dtype)
    exact = exact_environment(environments)
    max_lambda = hyper.max_angular
    module = EquivariantCorrelations(max_angular=max_lambda, nu=nu, max_lambda=max_lambda)
    got = module(hyper.fast()(environments))
    if not len(exact):
        assert not any(bool(block.any()) for block in got.values())
        return 0.0
    want, uncut = (
        [
            reference.density_correlations(
                exact, hyper.exact(cut=cut), nu, o3_lambda=x, digits=DIGITS, rigorous=True
            )
            for x in range(max_lambda + 1)
        ]
        for cut in (True, False)
    )
    # neighbours may cancel in one lambda > 0, never in the scalars as well
    norm = float(floats(x for part in uncut for x in reference.flatten(part)).norm())
    worst = 0.0
    for o3_lambda, blocks in enumerate(want):
        for sigma in (1, -1):
            mine = [path for path in blocks if reference.path_parity(path) == sigma]
            mine.sort(key=_order_of_blocks)
            if not mine:
                assert (o3_lambda, sigma) not in got
                continue
            values = [x for m in range(2 * o3_lambda + 1) for path in mine for x in blocks[path][m]]
            worst = max(worst, error_in_eps(got[o3_lambda, sigma], values, norm))
    return worst


def _order_of_blocks(path: Path) -> tuple[int, ...]:
    """Order 3: blocks of order 2 by lambda, sigma = +1 first; then l3; then l1 and l2."""
    if len(path) < 5:
        return path
    l1, l2, L, l3, _ = path
    return L, -reference.path_parity((l1, l2, L)), l3, l1, l2


def nice_error(cloud: Cloud, hyper: Hyperparameters, max_nu: int, dtype: torch.dtype) -> float:
    """Uncontracted invariants of all orders <= 4, in eps of the norm of each, f_c left out."""
    environments = cloud.environments(dtype)
    exact = exact_environment(environments)
    got = Nice(max_angular=hyper.max_angular, max_nu=max_nu)(hyper.fast()(environments))
    if not len(exact):
        assert not any(bool(block.any()) for block in got.values())
        return 0.0
    q = hyper.fast().n_channels
    worst = 0.0
    for nu, invariants in got.items():
        limit = hyper.max_angular * max(1, max_nu - 2)
        paths = reference.coupling_paths(nu, hyper.max_angular, max_intermediate=limit)
        # what could not return to a scalar at a later order was never made
        paths = [
            path
            for path in paths
            if all(
                big_l <= hyper.max_angular * (max_nu - order)
                for order, big_l in enumerate(path[2::2], start=2)
            )
        ]
        want, uncut = (
            reference.density_correlations(
                exact, hyper.exact(cut=cut), nu, paths=paths, digits=DIGITS, rigorous=True
            )
            for cut in (True, False)
        )
        norm = float(floats(reference.flatten(uncut)).norm())
        values = [want[path][0][i] for path, i in _nice_order(nu, paths, q)]
        worst = max(worst, error_in_eps(invariants, values, norm))
    return worst


def _nice_order(nu: int, paths: list[Path], q: int) -> list[tuple[Path, int]]:
    """(path, channel of the reference) of every scalar of order nu, in the order of Nice."""
    prefixes = sorted({path[: 2 * order - 1] for path in paths for order in range(1, nu + 1)})
    blocks: dict[tuple[int, int], list[tuple[Path, int]]] = {
        (path[0], 1): [(path, channel) for channel in range(q)]
        for path in prefixes
        if len(path) == 1
    }
    for order in range(2, nu + 1):
        known = {path for path in prefixes if len(path) == 2 * order - 1}
        following: dict[tuple[int, int], list[tuple[Path, int]]] = {}
        # the target's lambda and sigma sort the blocks; before, old block slow and l fast
        for key, properties in sorted(blocks.items(), key=lambda item: (item[0][0], -item[0][1])):
            steps = sorted({path[-2:] for path in known if path[:-2] in {p for p, _ in properties}})
            for l, big_l in steps:
                target = (big_l, key[1] * (-1) ** (key[0] + l + big_l))
                following.setdefault(target, []).extend(
                    ((*path, l, big_l), channel * q + n)
                    for n in range(q)
                    for path, channel in properties
                )
        blocks = following
    return [x for sigma in (1, -1) for x in blocks.get((0, sigma), [])]


def reduced_triplet_error(cloud: Cloud, hyper: Hyperparameters, dtype: torch.dtype) -> float:
    """Pairs j <= k in eps of their own norm, their sum in eps of its own, f_c left out."""
    environments = cloud.environments(dtype)
    exact = exact_environment(environments)
    got = TripletFeatures(max_angular=hyper.max_angular, symmetry="reduced")(
        hyper.fast()(environments)
    )
    if not len(exact):
        return 0.0
    n = len(exact)
    pairs = [(j, k) for k in range(n) for j in range(k + 1)]
    # rounding to float32 may mask neighbours anywhere; row k (k + 1) / 2 + j holds the pair j <= k
    real = environments.mask[0].nonzero().flatten().tolist()
    rows = [real[k] * (real[k] + 1) // 2 + real[j] for j, k in pairs]
    want, uncut = (
        reference.triplet_features(
            exact, hyper.exact(cut=cut), pairs=pairs, digits=DIGITS, rigorous=True
        )
        for cut in (True, False)
    )
    worst = 0.0
    for row, (j, k) in zip(got.dense()[0][rows], pairs, strict=True):
        weight = 1.0 if j == k else 2.0**0.5
        values = [x if j == k else (2 * x * x).sqrt() * _sign(x) for x in _flat(want[j, k])]
        norm = weight * float(floats(_flat(uncut[j, k])).norm())
        worst = max(worst, error_in_eps(row, values, norm))
    sums, uncut_sums = (
        reference.flatten(
            reference.density_correlations(
                exact, hyper.exact(cut=cut), 3, digits=DIGITS, rigorous=True
            )
        )
        for cut in (True, False)
    )
    return max(worst, error_in_eps(got.bispectrum(), sums, float(floats(uncut_sums).norm())))


def _sign(x: object) -> int:
    return -1 if float(x) < 0 else 1  # type: ignore[arg-type]


def _flat(blocks: dict[tuple[int, int, int], list[object]]) -> list[object]:
    return [x for block in blocks.values() for x in block]


def layer_error(cloud: Cloud, hyper: Hyperparameters, seed: int, dtype: torch.dtype) -> float:
    """TripletLinear, whole and split by parity, in eps of |F_jk| |W|, f_c left out of |F_jk|."""
    environments = cloud.environments(dtype, padding=1)
    exact = exact_environment(environments)
    layer = TripletLinear(
        max_angular=hyper.max_angular,
        n_channels=hyper.fast().n_channels,
        out_features=3,
        bias=False,
        dtype=dtype,
    )
    layer.reset_parameters(torch.Generator().manual_seed(seed))
    density = hyper.fast()(environments)
    with torch.no_grad():
        whole, (even, odd) = layer(density)[0], layer.even_and_odd(density)
    outputs = (whole, even[0], odd[0])
    padded = ~environments.mask[0]
    assert not any(bool(y[padded].any()) or bool(y[:, padded].any()) for y in outputs)
    if not len(exact):
        return 0.0
    want, uncut = (
        reference.triplet_features(exact, hyper.exact(cut=cut), digits=DIGITS, rigorous=True)
        for cut in (True, False)
    )
    weight = layer.weight.detach().double()
    columns = [[Fraction(x) for x in column] for column in weight.T.tolist()]
    real = torch.nonzero(environments.mask[0]).flatten().tolist()
    worst = 0.0
    for (j, k), blocks in want.items():
        scale = float(floats(_flat(uncut[j, k])).norm()) * weight.norm(dim=0)
        odd_path = [sum(path) % 2 for path, block in blocks.items() for _ in block]
        values = [reference.fraction(x) for x in _flat(blocks)]
        for y, parities in zip(outputs, ((0, 1), (0,), (1,)), strict=True):
            exact_y = [
                sum(
                    (
                        x * w
                        for x, w, p in zip(values, column, odd_path, strict=True)
                        if p in parities
                    ),
                    Fraction(0),
                )
                for column in columns
            ]
            worst = max(worst, error_in_eps(y[real[j], real[k]], exact_y, scale))
    return worst


def family_error(name: str, seed: int, dtype: torch.dtype) -> float:
    """A random member of a family of the catalogue, in eps of its largest coordinate."""
    fast = family(name)
    generator = torch.Generator().manual_seed(seed)
    parameters: Tensor = fast.sample(1, generator)[0].to(dtype)
    values = dict(
        zip((p.name for p in fast.parameters), map(Fraction, parameters.tolist()), strict=True)
    )
    members = [
        member.with_center()
        for member in load_catalogue()[name].members(
            {key: sympy.Rational(x.numerator, x.denominator) for key, x in values.items()}
        )
    ]
    worst = 0.0
    for got, want in zip(fast.members(parameters), members, strict=True):
        for block, rows in ((got.positions, want.points), (got.cell, want.cell)):
            if block is not None and rows is not None:
                exact = [x.evalf(DIGITS) for row in rows for x in row]
                scale = float(floats(exact).abs().max())
                worst = max(worst, error_in_eps(block, exact, scale))
    return worst
