"""The 3-centre, 1-neighbour features: a density seen from a centre and two tagged neighbours."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from symtrip.coupling import real_clebsch_gordan
from symtrip.errors import require
from symtrip.expansion.density import Density
from symtrip.tables import ConstantTable

__all__ = ["TripletFeatures", "Triplets", "triplet_parity", "triplet_paths"]

Path = tuple[int, int, int]


def triplet_paths(max_angular: int) -> list[Path]:
    """All couplings (l1, l2, L) with l1, l2, L <= max_angular: l1 slow, then l2, L fast.

    Args:
        max_angular: largest l (included), >= 0.

    Returns:
        The paths; 34 of them for max_angular = 3.

    Raises:
        InputError: ``max_angular`` is not an integer >= 0.
    """
    require(
        isinstance(max_angular, int) and not isinstance(max_angular, bool) and max_angular >= 0,
        "max_angular",
        "be an integer >= 0",
        repr(max_angular),
        "give the largest l of the density",
    )
    return [
        (l1, l2, big_l)
        for l1 in range(max_angular + 1)
        for l2 in range(max_angular + 1)
        for big_l in range(abs(l1 - l2), min(l1 + l2, max_angular) + 1)
    ]


def triplet_parity(max_angular: int, n_channels: int) -> Tensor:
    """Sign under inversion of each dense triplet feature, (-1)^(l1 + l2 + L).

    Args:
        max_angular: largest l.
        n_channels: Q of the density.

    Returns:
        (P,) int8 of +1 and -1, in the order of :meth:`Triplets.dense`.
    """
    signs = [(-1) ** sum(path) for path in triplet_paths(max_angular)]
    return torch.tensor(signs, dtype=torch.int8).repeat_interleave(n_channels**3)


@dataclass(frozen=True, eq=False)
class Triplets:
    """Features F_jk of every ordered pair of tagged neighbours (j, k), j = k included.

    Attributes:
        blocks: (l1, l2, L) -> (E, N, N, Q, Q, Q): axes environment, j, k, channel of j, of k, of
        rho. mask: (E, N, N) bool, true for pairs of real neighbours; features are 0 elsewhere.
    """

    blocks: dict[Path, Tensor]
    mask: Tensor

    def dense(self) -> Tensor:
        """All features, (E, N, N, P): (l1, l2, L) slow, then n1 (of j), n2 (of k), n3 (of rho)."""
        return torch.cat([block.flatten(3) for block in self.blocks.values()], dim=-1)


class TripletFeatures(nn.Module):
    """F_jk[l1 l2 L; n1 n2 n3] = C(L,L,0) sum_M [(g_ij^l1 x g_ik^l2)^L_M]_{n1 n2} rho_i^L_{M n3}.

    Invariant under rotations; under inversion multiplied by :func:`triplet_parity`;
    F_jk[l1 n1, l2 n2, L, n3] = (-1)^(l1+l2+L) F_kj[l2 n2, l1 n1, L, n3]; the sum over j and k is
    the bispectrum.

    Args:
        max_angular: largest l of the density.

    Accuracy:
        <= 128 eps of the norm (tests/oracle/test_triplets.py).

    Source:
        Nigam et al., APL Mach. Learn. 2, 016110 (2024), Eq. 1.
    """

    def __init__(self, *, max_angular: int) -> None:
        super().__init__()
        self.max_angular = max_angular
        self.paths = triplet_paths(max_angular)
        self._tables = {
            (l1, l2, big_l): ConstantTable(
                real_clebsch_gordan(l1, l2, big_l).numpy()
                * ((-1) ** big_l / math.sqrt(2 * big_l + 1))
            )
            for l1, l2, big_l in self.paths
        }

    def forward(self, density: Density) -> Triplets:
        """Features of all tagged pairs.

        Args:
            density: expansion of E environments with the same ``max_angular``.

        Returns:
            The features; dtype and device of the density, differentiable to it.

        Raises:
            InputError: the density has another ``max_angular``.
        """
        require(
            density.max_angular == self.max_angular,
            "density",
            f"have max_angular = {self.max_angular}",
            density.max_angular,
            "build TripletFeatures with the max_angular of the expansion",
        )
        n_env, n_max, _, n_channels = density.g[0].shape
        blocks = {}
        for l1, l2, big_l in self.paths:
            table = self._tables[l1, l2, big_l].like(density.rho[0])
            # contracting the shared density first is cheapest; one batched product with g_k is left
            field = torch.einsum("abm,emr->eabr", table, density.rho[big_l])
            seen = torch.einsum("ejap,eabr->ejprb", density.g[l1], field)
            rows = seen.reshape(n_env, -1, 2 * l2 + 1)
            columns = density.g[l2].permute(0, 2, 1, 3).reshape(n_env, 2 * l2 + 1, -1)
            shape = (n_env, n_max, n_channels, n_channels, n_max, n_channels)
            blocks[l1, l2, big_l] = torch.bmm(rows, columns).view(shape).permute(0, 1, 4, 2, 5, 3)
        mask = density.mask[:, :, None] & density.mask[:, None, :]
        return Triplets(blocks=blocks, mask=mask)
