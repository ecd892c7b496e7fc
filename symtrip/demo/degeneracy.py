"""How far apart the members of degenerate pairs are in each description."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from symtrip.correlations import DensityCorrelations
from symtrip.coupling import ClebschGordanProduct
from symtrip.environments import Environments
from symtrip.errors import require
from symtrip.expansion import Density, SphericalExpansion
from symtrip.progress import Progress, silent
from symtrip.triplets import TripletFeatures

__all__ = ["Degeneracy", "fourth_order_difference", "pair_differences"]

_CHUNK = 8  # pairs: their triplet features are 5 MB, which stay in the cache


@dataclass(frozen=True)
class Degeneracy:
    """Relative differences |x(A+) - x(A-)| / |x(A+)| of one description over a set of pairs."""

    median: float
    maximum: float

    @classmethod
    def of(cls, differences: Tensor) -> Degeneracy:
        """Summary of (pairs,) relative differences."""
        return cls(float(differences.median()), float(differences.max()))


def fourth_order_difference(density: Density) -> Float[Tensor, " pairs"]:
    """Relative differences of all correlations of order 4, without forming any of them.

    With X_lambda the products of order 2, of both parities, X_lambda^T X_lambda / sqrt(2 lambda +
    1) are the invariants of order 4 in another coupling scheme; recoupling is orthogonal, so norms
    and distances are those of ``DensityCorrelations(nu=4)``. The norm of
    X^T X - Y^T Y needs only the triangular factor of [X; Y], without cancellation.

    Args:
        density: expansion of 2 P environments: the members of a pair follow each other.

    Returns:
        (P,) relative differences.

    Raises:
        InputError: an odd number of environments.
    """
    require(
        len(density) % 2 == 0,
        "density",
        "hold pairs: an even number of environments",
        len(density),
        "let the two members of each pair follow each other",
    )
    first = {(l, 1): rho for l, rho in enumerate(density.rho)}
    product = ClebschGordanProduct(list(first), list(first))
    difference = torch.zeros(len(density) // 2, dtype=density.rho[0].dtype)
    size = torch.zeros_like(difference)
    blocks = product(first, first)
    for lam in sorted({lam for lam, _ in blocks}):
        # even and odd blocks are coupled with each other too
        block = torch.cat([blocks[lam, s] for s in (1, -1) if (lam, s) in blocks], dim=2)
        members = block.reshape(-1, 2, 2 * lam + 1, block.shape[-1])
        plus, minus = members[:, 0], members[:, 1]
        both = torch.cat([plus, minus], dim=1).transpose(1, 2)
        factor = torch.linalg.qr(both, mode="r").R
        left, right = factor.split(2 * lam + 1, dim=2)
        unequal = left @ left.transpose(1, 2) - right @ right.transpose(1, 2)
        weight = 1 / (2 * lam + 1)
        difference += weight * unequal.square().sum(dim=(1, 2))
        size += weight * (plus @ plus.transpose(1, 2)).square().sum(dim=(1, 2))
    return (difference / size).sqrt()


def pair_differences(
    expansion: SphericalExpansion,
    positions: Float[Tensor, "pairs 2 atoms 3"],
    numbers: Tensor,
    *,
    progress: Progress = silent,
) -> dict[str, Float[Tensor, " pairs"]]:
    """Relative differences of the descriptions of the members of each pair, around atom 0.

    Args:
        expansion: the density expansion.
        positions: (P, 2, A, 3) in Å.
        numbers: (A,) atomic numbers.
        progress: called with the number of pairs done.

    Returns:
        nu1, nu2, nu3, nu4 and triplets_nonlinear (sum over j, k of F_jk cubed elementwise) ->
        (P,) differences relative to the norm.
    """
    l_max = expansion.basis.max_angular
    correlations = {nu: DensityCorrelations(max_angular=l_max, nu=nu) for nu in (1, 2, 3)}
    features = TripletFeatures(max_angular=l_max)

    def described(density: Density) -> Iterator[tuple[str, Tensor]]:
        for nu, module in correlations.items():
            yield f"nu{nu}", _relative(module(density))
        yield "nu4", fourth_order_difference(density)
        cubes = [
            block.pow(3).sum(dim=(1, 2)).flatten(1) for block in features(density).blocks.values()
        ]
        yield "triplets_nonlinear", _relative(torch.cat(cubes, dim=1))

    found: dict[str, list[Tensor]] = {}
    with torch.no_grad():
        for start in range(0, len(positions), _CHUNK):
            part = positions[start : start + _CHUNK].flatten(0, 1)
            environments = Environments.from_positions(
                part, numbers, radius=expansion.cutoff.radius
            )
            for name, value in described(expansion(environments)):
                found.setdefault(name, []).append(value)
            progress(min(start + _CHUNK, len(positions)), len(positions))
    return {name: torch.cat(values) for name, values in found.items()}


def _relative(features: Tensor) -> Tensor:
    plus, minus = features[0::2], features[1::2]
    norm = plus.norm(dim=1)
    relative: Tensor = (plus - minus).norm(dim=1) / torch.where(norm > 0, norm, math.inf)
    return relative
