"""Linear compression of triplet features and of invariants that keeps their symmetries exact."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from symtrip.errors import require
from symtrip.models.pairs import PairFeatures, unordered_pairs
from symtrip.pca import principal_components
from symtrip.triplets import Path, Triplets, triplet_paths

__all__ = ["InvariantCompression", "TripletCompression"]

Sections = tuple[int, int, int, int]


class TripletCompression(nn.Module):
    """Principal components of the triplet features, symmetry by symmetry, for unordered pairs.

    Swapping j and k and inverting the environment both act linearly on F_jk and split it into
    four sections: even symmetric, odd symmetric, even antisymmetric, odd antisymmetric. Each gets
    its own components, so both operations act on the compressed features as exact signs, and half
    of the rows (k < j) need not exist. The compression is a linear map without an offset: sums over
    pairs commute with it, zero stays zero, and nothing is whitened.

    Args:
        max_angular: largest l of the density.
        n_channels: Q of the density.
        sections: number of components in each of the four sections.

    Attributes:
        sections: the same.
        components: four matrices that act on F_jk + F_kj and F_jk - F_kj. As a map of F_jk
            (:meth:`dense_components`) their columns are orthogonal with one common norm, which
            :meth:`fit` chooses so that compressed features have a root mean square of 1.

    Accuracy:
        ``forward`` agrees with ``triplets.dense() @ dense_components()`` to 64 eps of the norm
        (tests/property/test_models_compression.py).

    Source:
        Swap rule and parity: Nigam et al., APL Mach. Learn. 2, 016110 (2024), Eq. 1; the paper
        rotates to all 7344 principal components instead.
    """

    def __init__(self, max_angular: int, n_channels: int, sections: Sequence[int]) -> None:
        super().__init__()
        require(
            len(sections) == 4 and all(k >= 0 for k in sections),
            "sections",
            "be four counts >= 0",
            tuple(sections),
            "give the numbers of even and odd, symmetric and antisymmetric components",
        )
        self.max_angular = max_angular
        self.n_channels = n_channels
        self.sections: Sections = (sections[0], sections[1], sections[2], sections[3])
        columns = [len(paths) * n_channels**3 for paths in _half_paths(max_angular)]
        for name, k, p in zip(_NAMES, self.sections, columns * 2, strict=True):
            self.register_buffer(name, torch.zeros(p, k, dtype=torch.float64))

    @property
    def components(self) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """The four matrices, in the order of ``sections``."""
        even_s, odd_s, even_a, odd_a = (self.get_buffer(name) for name in _NAMES)
        return even_s, odd_s, even_a, odd_a

    @property
    def n_features(self) -> int:
        """Number of compressed features of an ordered pair."""
        return sum(self.sections)

    @classmethod
    def fit(
        cls,
        triplets: Callable[[], Iterable[Triplets]],
        n_components: int = 512,
        *,
        generator: torch.Generator,
        passes: int = 2,
    ) -> TripletCompression:
        """Find the components that keep most of the variance of a sample, about zero.

        Args:
            triplets: starts a pass over the sample: yields its triplet features in chunks; it is
                called ``passes`` times and must yield the same features every time.
            n_components: components in all four sections together, >= 1.
            generator: source of the random start.
            passes: as in :func:`~symtrip.pca.principal_components`.

        Returns:
            The fitted compression; each section has as many components as rank among the
            ``n_components`` largest of all.

        Raises:
            InputError: a count is below 1, the sample is empty, or all of its features vanish.
        """
        l_max, n_channels, n_rows = 0, 0, 0

        def sections() -> Iterator[Sequence[Tensor]]:
            nonlocal l_max, n_channels, n_rows
            n_rows = 0
            for chunk in triplets():
                l_max, n_channels = _hyperparameters(chunk)
                n_rows += int(chunk.mask.sum())
                n_neighbors = chunk.mask.shape[1]
                n_apart = n_neighbors * (n_neighbors - 1) // 2
                parts = _sections(chunk)
                weighted = []
                for part, factor in zip(parts, _isometry(l_max, n_channels, parts[0]), strict=True):
                    # a pair with j < k stands for two ordered ones
                    part[:, :n_apart] *= math.sqrt(2.0)
                    weighted.append((part * factor).flatten(0, 1))
                yield weighted

        values, vectors = principal_components(
            sections, n_components, generator=generator, passes=passes
        )
        total = sum(float(value.sum()) for value in values)
        n_kept = sum(len(value) for value in values)
        _check_variance("triplets", total)
        scale = math.sqrt(n_rows * n_kept / total)
        compression = cls(l_max, n_channels, [vector.shape[1] for vector in vectors])
        factors = _isometry(l_max, n_channels, vectors[0])
        for target, vector, factor in zip(compression.components, vectors, factors, strict=True):
            target.copy_(vector * (scale * factor[:, None]))
        return compression.to(vectors[0].device)

    def forward(self, triplets: Triplets) -> PairFeatures:
        """Compress the features of all pairs.

        Args:
            triplets: features of E environments with the same ``max_angular`` and channels.

        Returns:
            Compressed features; dtype and device of ``triplets``, differentiable to them.

        Raises:
            InputError: the features have another ``max_angular`` or number of channels.
        """
        first = triplets.blocks[0, 0, 0]
        given = _hyperparameters(triplets)
        require(
            given == (self.max_angular, self.n_channels),
            "triplets",
            f"have max_angular = {self.max_angular} and {self.n_channels} channels",
            f"max_angular = {given[0]} and {given[1]} channels",
            "compute them with the hyperparameters that the compression was fitted to",
        )
        even_s, odd_s, even_a, odd_a = (
            part @ components.to(part)
            for part, components in zip(_sections(triplets), self.components, strict=True)
        )
        j, k = unordered_pairs(first.shape[1], first.device)
        return PairFeatures(
            symmetric=torch.cat([even_s, odd_s], dim=-1),
            antisymmetric=torch.cat([even_a, odd_a], dim=-1),
            mask=triplets.mask[:, j, k],
            n_even=(self.sections[0], self.sections[2]),
        )

    def dense_components(self) -> Float[Tensor, "features q"]:
        """The compression as one matrix on :meth:`symtrip.triplets.Triplets.dense`.

        Returns:
            (P, q) float64: ``triplets.dense() @ dense_components()`` are the ordered compressed
            features. Columns are orthogonal with one common norm.
        """
        q = self.n_channels
        paths = triplet_paths(self.max_angular)
        dense = torch.zeros(len(paths), q, q, q, self.n_features, dtype=torch.float64)
        start = 0
        for section, components in enumerate(self.components):
            parity, swap = (1, -1)[section % 2], (1, -1)[section // 2]
            stop = start + components.shape[1]
            for row, (l1, l2, big_l) in enumerate(_half_paths(self.max_angular)[section % 2]):
                block = components[row * q**3 : (row + 1) * q**3].cpu()
                block = block.reshape(q, q, q, -1)
                dense[paths.index((l1, l2, big_l)), ..., start:stop] += block
                dense[paths.index((l2, l1, big_l)), ..., start:stop] += (
                    parity * swap * block.transpose(0, 1)
                )
            start = stop
        return dense.flatten(0, 3)


class InvariantCompression(nn.Module):
    """Principal components of invariants of whole environments, even and odd ones apart.

    x -> (x - mean) @ components, where only even columns have a mean: odd ones are zero on average
    over an environment and its mirror image, so inversion acts as a sign on the odd components.

    Args:
        parity: (p,) of +1 and -1: sign under inversion of each invariant.
        n_even: number of even components.
        n_odd: number of odd components.

    Attributes:
        n_even: the same; the even components come first.
        n_features: number of all components.
    """

    def __init__(self, parity: Tensor, n_even: int, n_odd: int) -> None:
        super().__init__()
        self.n_even, self.n_features = n_even, n_even + n_odd
        self.parity: Tensor
        self.mean: Tensor
        self.components: Tensor
        p = len(parity)
        self.register_buffer("parity", parity.to(torch.int8))
        self.register_buffer("mean", torch.zeros(p, dtype=torch.float64))
        self.register_buffer("components", torch.zeros(p, self.n_features, dtype=torch.float64))

    @classmethod
    def fit(
        cls,
        invariants: Callable[[], Iterable[Tensor]],
        parity: Tensor,
        n_components: int = 512,
        *,
        generator: torch.Generator,
        passes: int = 2,
    ) -> InvariantCompression:
        """Find the components that keep most of the variance of a sample.

        Args:
            invariants: starts a pass over the sample: yields (E, p) chunks; it is called
                ``passes + 1`` times and must yield the same chunks every time.
            parity: (p,) of +1 and -1.
            n_components: even and odd components together, >= 1.
            generator: source of the random start.
            passes: as in :func:`~symtrip.pca.principal_components`.

        Returns:
            The fitted compression; compressed features have a root mean square of 1.

        Raises:
            InputError: a count is below 1, the sample is empty, or all of its rows are equal.
        """
        even = parity > 0
        n_rows, total = 0, torch.zeros(len(parity), dtype=torch.float64)
        for x in invariants():
            total = total.to(x.device) + x.to(torch.float64).sum(dim=0)
            n_rows += len(x)
        require(n_rows > 0, "invariants", "hold at least one environment", 0, "pass some")
        mean = torch.where(even.to(total.device), total / n_rows, 0.0)

        def sections() -> Iterator[Sequence[Tensor]]:
            for x in invariants():
                shifted = x - mean.to(x)
                yield shifted[:, even], shifted[:, ~even]

        values, vectors = principal_components(
            sections, n_components, generator=generator, passes=passes
        )
        n_even, n_odd = (vector.shape[1] for vector in vectors)
        variance = sum(float(value.sum()) for value in values)
        _check_variance("invariants", variance)
        scale = math.sqrt(n_rows * (n_even + n_odd) / variance)
        compression = cls(parity, n_even, n_odd).to(mean.device)
        compression.mean.copy_(mean)
        compression.components[even, :n_even] = (vectors[0] * scale).to(torch.float64)
        compression.components[~even, n_even:] = (vectors[1] * scale).to(torch.float64)
        return compression

    def forward(
        self, invariants: Float[Tensor, "environments p"]
    ) -> Float[Tensor, "environments q"]:
        """Compress invariants.

        Args:
            invariants: (E, p).

        Returns:
            (E, q): even components, then odd ones; dtype and device of the input.

        Raises:
            InputError: another number of columns.
        """
        require(
            invariants.shape[1] == len(self.mean),
            "invariants",
            f"have {len(self.mean)} columns",
            invariants.shape[1],
            "compute them with the hyperparameters that the compression was fitted to",
        )
        return (invariants - self.mean.to(invariants)) @ self.components.to(invariants)


_NAMES = ("even_symmetric", "odd_symmetric", "even_antisymmetric", "odd_antisymmetric")


def _check_variance(argument: str, variance: float) -> None:
    require(
        variance > 0,
        argument,
        "not all be the same: there is nothing to find components of",
        "no variance",
        "raise the cutoff radius, or look at more structures; positions are in Å",
    )


def _hyperparameters(triplets: Triplets) -> tuple[int, int]:
    """max_angular and the number of channels."""
    return max(l for l, _, _ in triplets.blocks), triplets.blocks[0, 0, 0].shape[3]


def _half_paths(max_angular: int) -> tuple[list[Path], list[Path]]:
    """Even and odd paths with l1 <= l2: the swap rule gives the others."""
    half = [path for path in triplet_paths(max_angular) if path[0] <= path[1]]
    return [p for p in half if sum(p) % 2 == 0], [p for p in half if sum(p) % 2 == 1]


def _sections(triplets: Triplets) -> list[Tensor]:
    """F_jk + F_kj (E, T, p), even and odd, then F_jk - F_kj (E, T', p).

    Columns: path slow, then n1 (of j), n2 (of k), n3 (of rho).
    """
    n = triplets.mask.shape[1]
    j, k = unordered_pairs(n, triplets.mask.device)
    apart = len(j) - n
    sums, differences = [], []
    for paths in _half_paths(_hyperparameters(triplets)[0]):
        # l = 0 alone has no odd paths
        parts = [triplets.blocks[path].flatten(3) for path in paths] or [
            triplets.blocks[0, 0, 0].flatten(3)[..., :0]
        ]
        ordered = torch.cat(parts, dim=-1).flatten(1, 2)
        upper, lower = ordered[:, j * n + k], ordered[:, k * n + j]
        sums.append(upper + lower)
        differences.append(upper[:, :apart] - lower[:, :apart])
    return sums + differences


def _isometry(max_angular: int, n_channels: int, like: Tensor) -> list[Tensor]:
    """Factors of the columns of the four sections that keep the norm of F."""
    factors = [
        torch.tensor(
            [0.5 if l1 == l2 else math.sqrt(0.5) for l1, l2, _ in paths],
            dtype=like.dtype,
            device=like.device,
        ).repeat_interleave(n_channels**3)
        for paths in _half_paths(max_angular)
    ]
    return factors * 2
