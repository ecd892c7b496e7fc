"""Unordered sets made into vectors: Gram matrices, weighted-matrix invariants, local frames."""

from __future__ import annotations

import torch
from torch import Tensor

from symtrip.audit.descriptor import TorchDescriptor
from symtrip.audit.descriptors.cartesian import shell_weights
from symtrip.audit.descriptors.mixing import RandomUnits, species_labels
from symtrip.environments import Environments
from symtrip.expansion import ShiftedCosine

__all__ = ["GramMatrix", "LocalFrame", "WeightedMatrices"]

_INNER, _OUTER = 12, 96


class _Sets(TorchDescriptor):
    def __init__(self, radius: float, species: tuple[int, ...]) -> None:
        del species
        super().__init__(radius)
        self.cutoff_function = ShiftedCosine(radius=radius, width=0.1 * radius)

    def parts(self, environments: Environments) -> tuple[Tensor, Tensor, Tensor]:
        """Vectors over the radius (E, N, 3), weights (E, N), species labels (E, N, 2)."""
        weight = shell_weights(environments, self.cutoff_function)
        return environments.vectors / self.radius, weight, species_labels(environments.species)


class GramMatrix(_Sets):
    """The Gram matrix up to simultaneous permutation of rows and columns.

    Every ordered triple (j, k, l), repetitions included, sees its own 3 x 3 Gram matrix and the
    unordered set of all triples (r_i . r_j, r_i . r_k, r_i . r_l): complete up to O(3), because
    three vectors that are not coplanar (or span the environment) fix the rest.

    Source:
        Nigam et al., APL Mach. Learn. 2, 016110 (2024), Eq. S13 and the text below it.
    """

    def __init__(self, radius: float, species: tuple[int, ...]) -> None:
        super().__init__(radius, species)
        self.inner = RandomUnits(3 + 2, _INNER, seed=31)
        self.outer = RandomUnits(6 + 6 + _INNER, _OUTER, seed=32)

    def forward(self, environments: Environments) -> Tensor:
        """See :class:`TorchDescriptor`."""
        x, weight, label = self.parts(environments)
        n_max = x.shape[1]
        total = x.new_zeros(len(environments), _OUTER)
        gram = torch.einsum("ejx,ekx->ejk", x, x)
        shape = (len(environments), n_max, n_max)
        own = torch.diagonal(gram, dim1=1, dim2=2)
        for j in range(n_max):
            rows = torch.stack(
                [
                    gram[:, j, None, None, :].expand(*shape, n_max),
                    gram[:, :, None, :].expand(*shape, n_max),
                    gram[:, None, :, :].expand(*shape, n_max),
                ],
                dim=-1,
            )
            labels = label[:, None, None].expand(*shape, n_max, 2)
            seen = torch.einsum(
                "eklic,ei->eklc", self.inner(torch.cat([rows, labels], dim=-1)), weight
            )
            pair = [
                own[:, j, None, None].expand(shape),
                own[:, :, None].expand(shape),
                own[:, None, :].expand(shape),
                gram[:, j, :, None].expand(shape),
                gram[:, j, None, :].expand(shape),
                gram,
            ]
            tags = [
                label[:, j, None, None].expand(*shape, 2),
                label[:, :, None].expand(*shape, 2),
                label[:, None].expand(*shape, 2),
            ]
            value = self.outer(torch.cat([torch.stack(pair, dim=-1), *tags, seen], dim=-1))
            total = total + torch.einsum("eklf,ek,el,e->ef", value, weight, weight, weight[:, j])
        return total


class WeightedMatrices(_Sets):
    """Coordinates in the frames of all ordered pairs, as unordered sets of unordered sets.

    Pair (j, k) sees its Gram matrix and the set of (r_i . r_j, r_i . r_k, r_i . (r_j x r_k)), frame
    coordinates times lengths that vanish where the frame does: complete up to SO(3), smooth.

    Source:
        Kurlin, arXiv:2207.08502; Nigam et al., APL Mach. Learn. 2, 016110 (2024), section III.1 of
        the supplement.
    """

    def __init__(self, radius: float, species: tuple[int, ...]) -> None:
        super().__init__(radius, species)
        self.inner = RandomUnits(3 + 2, 2 * _INNER, seed=41)
        self.outer = RandomUnits(3 + 4 + 2 * _INNER, _OUTER, seed=42)

    def forward(self, environments: Environments) -> Tensor:
        """See :class:`TorchDescriptor`."""
        x, weight, label = self.parts(environments)
        n_env, n_max = weight.shape
        gram = torch.einsum("ejx,ekx->ejk", x, x)
        normal = torch.linalg.cross(x[:, :, None].expand(-1, -1, n_max, -1), x[:, None])
        volume = torch.einsum("ejkx,eix->ejki", normal, x)
        shape = (n_env, n_max, n_max)
        rows = torch.stack(
            [gram[:, :, None].expand_as(volume), gram[:, None].expand_as(volume), volume], dim=-1
        )
        labels = label[:, None, None].expand(*shape, n_max, 2)
        inner = self.inner(torch.cat([rows, labels], dim=-1))
        seen = torch.einsum("ejkic,ei->ejkc", inner, weight)
        own = torch.diagonal(gram, dim1=1, dim2=2)
        pair = torch.stack(
            [own[:, :, None].expand(shape), own[:, None].expand(shape), gram], dim=-1
        )
        tags = torch.cat(
            [label[:, :, None].expand(*shape, 2), label[:, None].expand(*shape, 2)], dim=-1
        )
        value = self.outer(torch.cat([pair, tags, seen], dim=-1))
        return torch.einsum("ejkf,ej,ek->ef", value, weight, weight)


class LocalFrame(_Sets):
    """Coordinates of all neighbours in the frame of the two nearest ones.

    Complete where the two nearest neighbours are unique and not collinear with the centre;
    discontinuous where that changes.

    Source:
        Zhang et al., PRL 120, 143001 (2018).
    """

    def __init__(self, radius: float, species: tuple[int, ...]) -> None:
        super().__init__(radius, species)
        self.units = RandomUnits(3 + 2, _OUTER, seed=51, gain=6.0)

    def forward(self, environments: Environments) -> Tensor:
        """See :class:`TorchDescriptor`."""
        x, weight, label = self.parts(environments)
        if x.shape[1] < 2:
            x = torch.nn.functional.pad(x, (0, 0, 0, 2 - x.shape[1]))
            weight = torch.nn.functional.pad(weight, (0, 2 - weight.shape[1]))
            label = torch.nn.functional.pad(label, (0, 0, 0, 2 - label.shape[1]))
        far = torch.where(weight > 0, x.square().sum(dim=-1), torch.full_like(weight, 9.0))
        nearest = far.detach().argsort(dim=1, stable=True)[:, :2]
        picked = torch.gather(x, 1, nearest[..., None].expand(-1, -1, 3))
        e1 = torch.nn.functional.normalize(picked[:, 0], dim=-1)
        across = picked[:, 1] - (picked[:, 1] * e1).sum(dim=-1, keepdim=True) * e1
        e2 = torch.nn.functional.normalize(across, dim=-1, eps=1e-9)
        axes = torch.stack([e1, e2, torch.linalg.cross(e1, e2)], dim=1)
        coordinates = torch.einsum("eax,ejx->eja", axes, x)
        value = self.units(torch.cat([coordinates, label], dim=-1))
        return torch.einsum("ejf,ej->ef", value, weight)
