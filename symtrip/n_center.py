"""Features of a centre, any number of tagged neighbours and a number of further ones."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from jaxtyping import Int64
from torch import Tensor, nn

from symtrip.coupling import clebsch_gordan_table
from symtrip.errors import integer, require
from symtrip.expansion.density import Density
from symtrip.memory import require_memory
from symtrip.neighbors import is_integral
from symtrip.precision import full_precision
from symtrip.tables import ConstantTable

__all__ = ["NCenterFeatures", "n_center_paths"]

Path = tuple[int, ...]


def n_center_paths(
    order: int, max_angular: int, *, o3_lambda: int = 0, max_intermediate: int | None = None
) -> list[Path]:
    """All paths (l1, l2, L2, l3, L3, ..., l_order, lambda) that couple ``order`` factors.

    Args:
        order: number of factors, tagged neighbours and densities together, >= 1.
        max_angular: largest l of a factor.
        o3_lambda: angular momentum of the result.
        max_intermediate: largest intermediate L; None: ``max_angular``.

    Returns:
        The paths in lexicographic order, the first l slowest; (lambda,) for one factor.

    Raises:
        InputError: a number out of range.
    """
    remedy = "count factors from 1, angular momenta from 0"
    order = integer("order", order, 1, remedy)
    max_angular = integer("max_angular", max_angular, 0, remedy)
    o3_lambda = integer("o3_lambda", o3_lambda, 0, remedy)
    limit = max_angular if max_intermediate is None else max_intermediate
    limit = integer("max_intermediate", limit, 0, remedy)

    def extended(path: Path, left: int) -> Iterator[Path]:
        if left == 0:
            if path[-1] == o3_lambda:
                yield path
            return
        for l in range(max_angular + 1):
            if not path:
                yield from extended((l,), left - 1)
                continue
            low, high = abs(path[-1] - l), path[-1] + l
            targets = range(low, min(high, limit) + 1) if left > 1 else (o3_lambda,)
            for big_l in targets:
                if low <= big_l <= high:
                    yield from extended((*path, l, big_l), left - 1)

    return list(extended((), order))


class NCenterFeatures(nn.Module):
    """[g_ij1 x ... x g_ijT x rho_i x ... x rho_i]^lambda of T tagged neighbours and nu densities.

    The factors are coupled from left to right. T = 2, nu = 1 and lambda = 0 are the triplet
    features with paths (l1, l2, L, L, 0), for which :class:`~symtrip.TripletFeatures` is faster;
    T = 0 are the density correlations. Summing over a tagged index demotes it to a neighbour of the
    density.

    Args:
        max_angular: largest l of the density.
        n_tagged: T, number of tagged neighbours, >= 0.
        nu: number of densities, >= 0; >= 1 without tagged neighbours.
        o3_lambda: angular momentum of the result.
        max_intermediate: largest intermediate L; None: ``max_angular``.

    Attributes:
        paths: those of :func:`n_center_paths`.

    Accuracy:
        <= 128 eps of the product of the factors' norms (tests/oracle/test_n_center.py).

    Source:
        Nigam et al., APL Mach. Learn. 2, 016110 (2024), Eqs. S6 and S7; Nigam, Willatt, Ceriotti,
        J. Chem. Phys. 156, 014115 (2022).
    """

    def __init__(
        self,
        *,
        max_angular: int,
        n_tagged: int,
        nu: int,
        o3_lambda: int = 0,
        max_intermediate: int | None = None,
    ) -> None:
        super().__init__()
        require(
            n_tagged >= 0 and nu >= 0 and n_tagged + nu >= 1,
            "n_tagged and nu",
            "be counts >= 0, not both 0",
            (n_tagged, nu),
            "tag a neighbour or raise nu",
        )
        self.max_angular, self.n_tagged, self.nu = max_angular, n_tagged, nu
        self.o3_lambda = o3_lambda
        self.paths = n_center_paths(
            n_tagged + nu, max_angular, o3_lambda=o3_lambda, max_intermediate=max_intermediate
        )
        steps = {
            (path[0] if i == 1 else path[i - 1], path[i], path[i + 1])
            for path in self.paths
            for i in range(1, len(path), 2)
        }
        self._tables = {step: ConstantTable(clebsch_gordan_table(*step)) for step in sorted(steps)}

    @staticmethod
    def parity(path: Path) -> int:
        """o3_sigma of a path: +1 if it changes under inversion like Y_lambda, else -1."""
        return -1 if (path[0] + sum(path[1::2]) + path[-1]) % 2 else 1

    @full_precision
    def forward(
        self, density: Density, tagged: Int64[Tensor, "tuples tagged"] | None = None
    ) -> dict[Path, Tensor]:
        """Features of tuples of neighbours.

        Args:
            density: expansion of E environments with the same ``max_angular``.
            tagged: (K, T) indices of neighbours, repetition allowed, the same for all environments;
                None: all N^T tuples, the last index fast.

        Returns:
            path -> (E, K, 2 lambda + 1, Q, ..., Q) with one axis per factor, the tagged ones first;
            0 for tuples with padding. Differentiable to the density.

        Raises:
            InputError: as :meth:`Density.check <symtrip.Density.check>`; an index outside
                0 .. N - 1; the result cannot fit into memory.
        """
        density.check(self.max_angular, type(self).__name__)
        n_env, n, _, q = density.g[0].shape
        if tagged is None:
            every = [torch.arange(n, device=density.mask.device)] * self.n_tagged
            tagged = (
                torch.cartesian_prod(*every).reshape(-1, self.n_tagged)
                if every
                else torch.zeros(1, 0, dtype=torch.int64, device=density.mask.device)
            )
        require(
            tagged.ndim == 2
            and is_integral(tagged)
            and tagged.shape[1] == self.n_tagged
            and (tagged.numel() == 0 or (int(tagged.min()) >= 0 and int(tagged.max()) < n)),
            "tagged",
            f"hold {self.n_tagged} integers 0 .. {n - 1} per row",
            f"{tagged.dtype} of shape {tuple(tagged.shape)}",
            "count neighbours from 0",
        )
        order = self.n_tagged + self.nu
        require_memory(
            "density",
            "N-centre features",
            len(tagged)
            * (2 * self.o3_lambda + 1)
            * len(self.paths)
            * q**order
            * density.rho[0].element_size(),
            n_env,
            density.mask.device,
            "pass {size} environments at a time",
        )
        factors = [[g[:, tagged[:, t]] for g in density.g] for t in range(self.n_tagged)]
        factors += [[rho[:, None] for rho in density.rho]] * self.nu
        # paths with a common beginning share its blocks; lexicographic order keeps one at a time
        blocks: dict[Path, Tensor] = {}
        result = {}
        for path in self.paths:
            blocks = {head: block for head, block in blocks.items() if path[: len(head)] == head}
            block = factors[0][path[0]]
            for i in range(1, len(path), 2):
                head = path[: i + 2]
                if head not in blocks:
                    l = path[0] if i == 1 else path[i - 1]
                    table = self._tables[l, path[i], path[i + 1]].like(block)
                    blocks[head] = _couple(table, block, factors[(i + 1) // 2][path[i]])
                block = blocks[head]
            shape = (n_env, len(tagged), 2 * self.o3_lambda + 1, *[q] * order)
            result[path] = block.expand(-1, len(tagged), -1, -1).reshape(shape)
        return result


def _couple(table: Tensor, left: Tensor, right: Tensor) -> Tensor:
    """(E, K, 2 l1 + 1, p) x (E, K, 2 l2 + 1, q) -> (E, K, 2 L + 1, p q); one K may be 1."""
    n_env, _, n_m1, p = left.shape
    q, n_m = right.shape[3], table.shape[2]
    k = right.shape[1] if left.shape[1] == 1 else left.shape[1]  # perhaps 0
    # the small right factor meets the table, so that one product makes all numbers of the result
    field = torch.einsum("abm,ekbq->ekmaq", table, right).expand(-1, k, -1, -1, -1)
    rows = left.transpose(2, 3)[:, :, None].expand(-1, k, n_m, -1, -1)
    product = torch.bmm(
        rows.reshape(n_env * k * n_m, p, n_m1), field.reshape(n_env * k * n_m, n_m1, q)
    )
    return product.view(n_env, k, n_m, p * q)
