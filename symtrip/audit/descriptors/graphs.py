"""Descriptors that see distances only: their multiset, message passing, spectra."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from symtrip.audit.descriptor import TorchDescriptor
from symtrip.audit.descriptors.cartesian import distances, shell_weights
from symtrip.audit.descriptors.mixing import RandomUnits, species_labels
from symtrip.audit.structures import Structures
from symtrip.environments import Environments
from symtrip.expansion import ShiftedCosine

__all__ = ["ColourRefinement", "DistanceMultiset", "OverlapMatrix", "Sprint"]

_ROUNDS, _COLOURS = 4, 32


class _Cluster(TorchDescriptor):
    """The centre and all neighbours within the cutoff, as one set of points."""

    def points(self, environments: Environments) -> tuple[Tensor, Tensor, Tensor]:
        """Positions (E, N + 1, 3) with the centre first, atomic numbers, which are real."""
        origin = torch.zeros_like(environments.vectors[:, :1])
        positions = torch.cat([origin, environments.vectors], dim=1)
        numbers = torch.cat([environments.center_species[:, None], environments.species], dim=1)
        real = torch.nn.functional.pad(environments.mask, (1, 0), value=True)
        return positions, numbers, real

    def pair_distances(self, positions: Tensor, real: Tensor) -> tuple[Tensor, Tensor]:
        """Distances (E, A, A), 1 where there is no pair, and the mask of pairs."""
        pairs = real[:, :, None] & real[:, None] & ~torch.eye(real.shape[1], dtype=torch.bool)
        return distances(positions[:, :, None] - positions[:, None], pairs), pairs


class DistanceMultiset(_Cluster):
    """All interatomic distances, sorted within each pair of species. One vector per cluster."""

    cluster_only = "the number of distances within a cutoff is not fixed in a crystal"
    whole_structure = True

    def __init__(self, radius: float, species: tuple[int, ...]) -> None:
        super().__init__(radius)
        self.species = species

    def forward(self, environments: Environments) -> Tensor:
        """See :class:`TorchDescriptor`."""
        positions, numbers, real = self.points(environments)
        r, pairs = self.pair_distances(positions, real)
        upper = torch.ones_like(pairs[0]).triu(1)
        columns = []
        for i, a in enumerate(self.species):
            for b in self.species[i:]:
                kind = (numbers[:, :, None] == a) & (numbers[:, None] == b)
                kind = (kind | kind.transpose(1, 2)) & pairs & upper
                # the composition is common to a batch, so every row has as many distances
                rows = [row[chosen].sort().values for row, chosen in zip(r, kind, strict=True)]
                columns.append(torch.stack(rows))
        return torch.cat(columns, dim=1)


class ColourRefinement(TorchDescriptor):
    """Message passing on distances: random analytic messages, summed, four rounds (1-WL).

    The colours of a graph neural network with invariant messages can never be finer than colour
    refinement's; with generic analytic messages they are as fine.

    Source:
        Pozdnyakov & Ceriotti, Mach. Learn.: Sci. Technol. 3, 045020 (2022).
    """

    def __init__(self, radius: float, species: tuple[int, ...]) -> None:
        del species
        super().__init__(radius)
        self.cutoff_function = ShiftedCosine(radius=radius, width=0.1 * radius)
        self.messages = [
            RandomUnits((2 if turn == 0 else _COLOURS) + 3, _COLOURS, seed=60 + turn, gain=5.0)
            for turn in range(_ROUNDS)
        ]
        self.updates = [
            RandomUnits((2 if turn == 0 else _COLOURS) + _COLOURS, _COLOURS, seed=70 + turn)
            for turn in range(_ROUNDS)
        ]

    def forward(self, environments: Environments) -> Tensor:
        """Colours of all atoms of the structures; every atom must be a centre, in order."""
        r = distances(environments.vectors, environments.mask) / self.radius
        weight = shell_weights(environments, self.cutoff_function)
        starts = torch.zeros(int(environments.structure[-1]) + 1, dtype=torch.int64)
        starts[environments.structure] = torch.arange(len(environments)) - environments.center
        sender = starts[environments.structure][:, None] + environments.neighbor.clamp(min=0)
        edge = torch.stack([torch.sin(3 * r), torch.cos(3 * r), r], dim=-1)
        colour = species_labels(environments.center_species)
        for message, update in zip(self.messages, self.updates, strict=True):
            sent = message(torch.cat([colour[sender], edge], dim=-1))
            heard = torch.einsum("ejf,ej->ef", sent, weight)
            colour = update(torch.cat([colour, heard], dim=-1))
        return colour

    def context(self, structures: Structures, centers: Sequence[int]) -> list[int]:
        """See :class:`TorchDescriptor`: colouring one atom takes the colours of all."""
        del centers
        return list(range(structures.n_atoms))


class Sprint(_Cluster):
    """Social permutation-invariant coordinates: sorted Perron vector of a contact matrix.

    One vector per cluster.

    Source:
        Pietrucci & Andreoni, PRL 107, 085504 (2011), Eqs. 1-3.
    """

    cluster_only = "the contact matrix of a crystal is infinite"
    whole_structure = True

    def __init__(self, radius: float, species: tuple[int, ...]) -> None:
        super().__init__(radius)
        self.species = species

    def forward(self, environments: Environments) -> Tensor:
        """See :class:`TorchDescriptor`."""
        positions, numbers, real = self.points(environments)
        r, pairs = self.pair_distances(positions, real)
        # the rational switching function (1 - x^6)/(1 - x^12) = 1/(1 + x^6), without its 0/0
        contact = pairs / (1 + (r / (0.35 * self.radius)) ** 6)
        values, vectors = torch.linalg.eigh(contact)
        social = vectors[..., -1].abs() * values[:, -1:] * real.sum(dim=1, keepdim=True) ** 0.5
        columns = []
        for a in self.species:
            chosen = (numbers == a) & real
            rows = [row[kept].sort().values for row, kept in zip(social, chosen, strict=True)]
            columns.append(torch.stack(rows))
        return torch.cat(columns, dim=1)


class OverlapMatrix(_Cluster):
    """Sorted eigenvalues of the overlap matrix of s and p Gaussians on the centre and neighbours.

    Neighbours fade out with the cutoff function; species have Gaussians of different widths.

    Source:
        Sadeghi et al., J. Chem. Phys. 139, 184118 (2013), Eqs. 11-14; Zhu et al., J. Chem. Phys.
        144, 034203 (2016).
    """

    def __init__(self, radius: float, species: tuple[int, ...], *, kept: int = 80) -> None:
        del species
        super().__init__(radius)
        self.kept = kept
        self.cutoff_function = ShiftedCosine(radius=radius, width=0.5 * radius)

    def forward(self, environments: Environments) -> Tensor:
        """See :class:`TorchDescriptor`."""
        positions, numbers, _ = self.points(environments)
        weight = shell_weights(environments, self.cutoff_function)
        amplitude = torch.nn.functional.pad(weight, (1, 0), value=1.0)
        # exponents in 1/Å^2; the widths follow the cutoff so that neighbours overlap
        alpha = (9.0 + 3.0 * species_labels(numbers)[..., 0]) / self.radius**2
        total = alpha[:, :, None] + alpha[:, None]
        reduced = alpha[:, :, None] * alpha[:, None] / total
        d = positions[:, :, None] - positions[:, None]
        ratio = 4 * alpha[:, :, None] * alpha[:, None] / total**2
        ss = ratio**0.75 * torch.exp(-reduced * d.square().sum(dim=-1))
        # <s|p_b> and <p_a|p_b> from derivatives of <s|s> with respect to the centres
        a_i, a_j = alpha[:, :, None, None], alpha[:, None, :, None]
        slope = 2 * reduced[..., None] * d * ss[..., None]
        sp = slope / a_j.sqrt()
        ps = -slope / a_i.sqrt()
        eye = torch.eye(3, dtype=d.dtype)
        curvature = 2 * eye * reduced[..., None, None] - 4 * (reduced**2)[..., None, None] * (
            d[..., :, None] * d[..., None, :]
        )
        pp = curvature * ss[..., None, None] / (a_i * a_j).sqrt()[..., None]
        top = torch.cat([ss[..., None, None], sp[..., None, :]], dim=-1)
        bottom = torch.cat([ps[..., :, None], pp], dim=-1)
        block = torch.cat([top, bottom], dim=-2)
        block = block * amplitude[:, :, None, None, None] * amplitude[:, None, :, None, None]
        n_env, n_all = amplitude.shape
        matrix = block.permute(0, 1, 3, 2, 4).reshape(n_env, 4 * n_all, 4 * n_all)
        spectrum = torch.linalg.eigvalsh(matrix).flip(1)[:, : self.kept]
        return torch.nn.functional.pad(spectrum, (0, self.kept - spectrum.shape[1]))
