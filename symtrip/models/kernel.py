"""A kernel between environments: a Gaussian between their tagged pairs of neighbours, summed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from pydantic import Field, PositiveFloat, PositiveInt
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.checkpoint import checkpoint

from symtrip.errors import require
from symtrip.models.pairs import PairFeatures
from symtrip.models.settings import ExpansionSettings, Settings

__all__ = ["PairKernel", "PairKernelSettings", "PairRows"]

_BLOCK = {"cpu": (16, 16), "cuda": (64, 1024)}
"""Environments of either side at a time: the numbers in between fit a cache, or occupy a GPU."""


class PairKernelSettings(Settings):
    """One kernel between tagged pairs, and the features that it compares.

    Attributes:
        expansion: the density expansion.
        components: principal components of the triplet features.
        emphasis: every component is multiplied by this power of its root mean square.
        row_weight: a pair counts as the length of its features to this power.
        length: length scale of the Gaussian, for features of length 1.
    """

    expansion: ExpansionSettings = ExpansionSettings()
    components: PositiveInt = 64
    emphasis: float = Field(default=0.2, ge=-2, le=2)
    row_weight: float = Field(default=0.75, ge=0, le=4)
    length: PositiveFloat = 1.0


@dataclass(frozen=True, eq=False)
class PairRows:
    """Pairs j < k, or j <= k, of E environments as a kernel compares them.

    Attributes:
        parts: even symmetric, odd symmetric, even antisymmetric and odd antisymmetric columns, each
            (E, pairs, q); together a row has length 1.
        weight: (E, pairs), 0 for padding and for pairs without features.
    """

    parts: tuple[Tensor, Tensor, Tensor, Tensor]
    weight: Float[Tensor, "environments pairs"]

    def __len__(self) -> int:
        """Number of environments."""
        return len(self.weight)

    def __getitem__(self, rows: slice) -> PairRows:
        """Some of the environments."""
        first, second, third, fourth = (part[rows] for part in self.parts)
        return PairRows((first, second, third, fourth), self.weight[rows])

    def split(self, size: int) -> Iterator[PairRows]:
        """So many environments at a time, in order."""
        return (self[start : start + size] for start in range(0, len(self), size))


class PairKernel(nn.Module):
    """K(A, B) = sum over pairs of A and of B, over swaps and inversion, of a weighted Gaussian.

        K(A, B) = 1/s sum_{jk in A, j'k' in B} w w' sum_S exp(-|F - S F'|^2 / (4 length^2))

    F are the compressed features of pairs j < k (:meth:`rows` also gives those of j = k, if asked),
    multiplied by one factor for each component and divided by their length, w is a power of that
    length, S runs over the four diagonal matrices of signs that swaps of j' and k' and inversions
    of B give to F'. So K is invariant under rotations, inversion and the order of the neighbours,
    and positive semidefinite: it is the mean of a positive kernel over a group that acts by
    orthogonal matrices.

    Args:
        settings: of the kernel.
        sections: even symmetric, odd symmetric, even antisymmetric and odd antisymmetric columns,
            as in :class:`~symtrip.models.TripletCompression`.

    Attributes:
        factors: (q,) factor of each component.
        mean_square: mean squared length of the features multiplied by them.
        size: s; :func:`~symtrip.train.fit_kernels` makes the mean of K(A, A) over its set 1.

    Accuracy:
        <= 64 eps of K from a plain sum over all ordered pairs and both images
        (tests/oracle/test_kernel.py).

    Source:
        Sums of kernels over local parts: Bartok, Payne, Kondor, Csanyi, Phys. Rev. Lett. 104,
        136403 (2010); the parts here are the tagged pairs of Nigam et al., APL Mach. Learn. 2,
        016110 (2024), Eq. 2.
    """

    def __init__(self, settings: PairKernelSettings, sections: tuple[int, int, int, int]) -> None:
        super().__init__()
        self.settings, self.sections = settings, sections
        self.factors: Tensor
        self.mean_square: Tensor
        self.size: Tensor
        self.register_buffer("factors", torch.ones(sum(sections), dtype=torch.float64))
        self.register_buffer("mean_square", torch.ones((), dtype=torch.float64))
        self.register_buffer("size", torch.ones((), dtype=torch.float64))

    def fit(self, pairs: PairFeatures, *, same: bool = False) -> None:
        """Set the factors and the scale of lengths to a set of environments.

        Args:
            pairs: compressed features of E environments, at least one with a pair.
            same: as in :meth:`rows`.

        Raises:
            InputError: no environment has a pair.
        """
        parts, real = self._parts(pairs, same=same)
        count = int(real.sum())
        require(
            count > 0,
            "pairs",
            f"have an environment with {'a neighbour' if same else 'two neighbours'}",
            f"{len(pairs)} without",
            "use a larger cutoff radius",
        )
        squares = torch.cat([part.double().square().sum(dim=(0, 1)) for part in parts]) / count
        rms = squares.sqrt()
        floor = torch.finfo(torch.float64).eps * float(rms.max())
        self.factors.copy_((rms.clamp(min=floor) / rms.max()) ** self.settings.emphasis)
        self.mean_square.copy_((squares * self.factors.square()).sum())

    def rows(self, pairs: PairFeatures, *, same: bool = False) -> PairRows:
        """Features as :meth:`forward` compares them.

        Args:
            pairs: compressed features with this kernel's ``sections``.
            same: whether pairs j = k count as well, each like one with j < k. Without them an
                environment with a single neighbour has no rows.

        Returns:
            Rows of E environments; dtype and device of ``pairs``, differentiable to them.

        Raises:
            InputError: other sections.
        """
        parts, real = self._parts(pairs, same=same)
        factors = torch.split(self.factors, list(self.sections))
        scaled = [part * factor.to(part) for part, factor in zip(parts, factors, strict=True)]
        square = torch.stack([part.square().sum(dim=-1) for part in scaled]).sum(dim=0)
        real = real & (square > 0)
        length = torch.where(real, square, 1.0).sqrt()
        relative = length / self.mean_square.sqrt().to(length)
        weight = torch.where(real, relative**self.settings.row_weight, 0.0)
        first, second, third, fourth = (part / length[..., None] for part in scaled)
        return PairRows((first, second, third, fourth), weight)

    def forward(self, a: PairRows, b: PairRows) -> Float[Tensor, "a b"]:
        """The kernel between all environments of two sets.

        Args:
            a: rows of A environments.
            b: rows of B environments, of the same dtype and device.

        Returns:
            (A, B), differentiable to both; peak memory beyond it does not grow with A and B, not
            even where gradients are wanted.
        """
        scale = 0.5 / self.settings.length**2
        rows, columns = _BLOCK.get(a.weight.device.type, _BLOCK["cpu"])
        tensors = (*a.parts, a.weight, *b.parts, b.weight)
        differentiate = torch.is_grad_enabled() and any(x.requires_grad for x in tensors)
        lines = []
        for part in a.split(rows):
            line = [
                checkpoint(_sums, part, other, scale, use_reentrant=False)
                if differentiate
                else _sums(part, other, scale)
                for other in b.split(columns)
            ]
            lines.append(torch.cat(line, dim=1) if line else a.weight.new_zeros(len(part), 0))
        total = torch.cat(lines) if lines else a.weight.new_zeros(0, len(b))
        return total / self.size.to(total)

    def _parts(
        self, pairs: PairFeatures, *, same: bool
    ) -> tuple[list[Tensor], Bool[Tensor, "e pairs"]]:
        even_s, even_a = pairs.n_even
        n_apart, n_same = pairs.antisymmetric.shape[1], pairs.n_neighbors if same else 0
        count = n_apart + n_same
        symmetric = pairs.symmetric[:, :count]
        antisymmetric = functional.pad(pairs.antisymmetric, (0, 0, 0, n_same))
        parts = [
            symmetric[..., :even_s],
            symmetric[..., even_s:],
            antisymmetric[..., :even_a],
            antisymmetric[..., even_a:],
        ]
        given = tuple(part.shape[-1] for part in parts)
        require(
            given == self.sections,
            "pairs",
            f"have the sections {self.sections}",
            given,
            "compress them with the compression that the kernel was fitted to",
        )
        return parts, pairs.mask[:, :count]


def _sums(a: PairRows, b: PairRows, scale: float) -> Tensor:
    """Sums over rows and signs; with |F| = |F'| = 1 the exponent is (S F . F' - 1) * scale."""
    even, odd, swap, swap_odd = (
        (x.flatten(0, 1) * scale) @ y.flatten(0, 1).T for x, y in zip(a.parts, b.parts, strict=True)
    )
    # in place: the time goes into memory as much as into exponentials
    same, inverted = (even + odd).sub_(scale), even.sub_(odd).sub_(scale)
    swap, swap_inverted = swap + swap_odd, swap.sub_(swap_odd)
    total = (same + swap).exp_() + same.sub_(swap).exp_()
    total = total + (inverted + swap_inverted).exp_() + inverted.sub_(swap_inverted).exp_()
    by_b = torch.einsum("atbu,bu->atb", total.view(*a.weight.shape, *b.weight.shape), b.weight)
    return torch.einsum("atb,at->ab", by_b, a.weight)
