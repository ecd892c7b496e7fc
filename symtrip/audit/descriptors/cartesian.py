"""Descriptors of bounded body order in Cartesian form: symmetry functions and moment tensors."""

from __future__ import annotations

import itertools
import math

import torch
from torch import Tensor

from symtrip.audit.descriptor import TorchDescriptor
from symtrip.audit.descriptors.mixing import species_labels
from symtrip.environments import Environments
from symtrip.errors import require
from symtrip.expansion import ShiftedCosine

__all__ = ["MomentTensors", "SymmetryFunctions", "directions", "distances", "shell_weights"]


def distances(vectors: Tensor, mask: Tensor) -> Tensor:
    """|r_j| with finite derivatives, 1 where padded."""
    square = torch.where(mask, vectors.square().sum(dim=-1), torch.ones_like(vectors[..., 0]))
    return square.sqrt()


def directions(environments: Environments) -> tuple[Tensor, Tensor]:
    """Distances (E, N) and unit vectors (E, N, 3) of the neighbours."""
    r = distances(environments.vectors, environments.mask)
    return r, environments.vectors / r[..., None]


def shell_weights(environments: Environments, cutoff: ShiftedCosine) -> Tensor:
    """f_c(r_j) (E, N), 0 where padded."""
    r = distances(environments.vectors, environments.mask)
    return cutoff(r) * environments.mask


class SymmetryFunctions(TorchDescriptor):
    """Behler-Parrinello symmetry functions G2 and G4, per species and pair of species.

    Source:
        Behler & Parrinello, PRL 98, 146401 (2007); Behler, J. Chem. Phys. 134, 074106 (2011),
        Eqs. 6 and 8.
    """

    def __init__(self, radius: float, species: tuple[int, ...]) -> None:
        super().__init__(radius)
        self.species = species
        self.cutoff_function = ShiftedCosine(radius=radius, width=radius)
        self.centers = torch.linspace(0.1, 0.9, 8, dtype=torch.float64)
        self.angular = list(itertools.product((1.0, 4.0), (1.0, -1.0), (1.0, 2.0, 4.0, 8.0)))

    def forward(self, environments: Environments) -> Tensor:
        """See :class:`TorchDescriptor`."""
        r, unit = directions(environments)
        weight = shell_weights(environments, self.cutoff_function)
        one_hot = (environments.species[..., None] == torch.tensor(self.species)).to(r.dtype)
        u = r / self.radius
        radial = torch.exp(-40.0 * (u[..., None] - self.centers) ** 2) * weight[..., None]
        features = [torch.einsum("enf,ena->eaf", radial, one_hot).flatten(1)]
        cosine = torch.einsum("ejx,ekx->ejk", unit, unit)
        between = environments.vectors[:, :, None] - environments.vectors[:, None]
        apart = ~torch.eye(r.shape[1], dtype=torch.bool)
        both = environments.mask[:, :, None] & environments.mask[:, None] & apart
        r_jk = distances(between, both)
        pair = weight[:, :, None] * weight[:, None] * self.cutoff_function(r_jk) * both
        squares = u[:, :, None] ** 2 + u[:, None] ** 2 + (r_jk / self.radius) ** 2
        for eta, sign, zeta in self.angular:
            value = 2 ** (1 - zeta) * (1 + sign * cosine).clamp(min=0.0) ** zeta
            value = value * torch.exp(-eta * squares) * pair
            by_species = torch.einsum("ejk,eja,ekb->eab", value, one_hot, one_hot)
            features.append(by_species.flatten(1))
        return torch.cat(features, dim=1)


class MomentTensors(TorchDescriptor):
    """Scalars made of up to nu moment tensors M_{mu,k} = sum_j f_mu(r_j) r_j x ... x r_j.

    A full contraction of nu of them is a sum over nu neighbours of radial factors times powers of
    their scalar products, and is computed as such. Parity-even by construction.

    Source:
        Shapeev, Multiscale Model. Simul. 14, 1153 (2016), Eqs. 3.1-3.4.
    """

    def __init__(self, radius: float, species: tuple[int, ...], *, nu: int = 3) -> None:
        del species
        require(1 <= nu <= 4, "nu", "be an integer in 1..4", nu, "write e.g. mtp:nu=3")
        super().__init__(radius)
        self.nu = nu
        self.cutoff_function = ShiftedCosine(radius=radius, width=0.5 * radius)

    def forward(self, environments: Environments) -> Tensor:
        """See :class:`TorchDescriptor`."""
        weight = shell_weights(environments, self.cutoff_function)
        x = environments.vectors / self.radius
        square = x.square().sum(dim=-1)
        labels = species_labels(environments.species)
        mu = torch.stack(
            [weight, weight * square, weight * labels[..., 0], weight * square * labels[..., 1]],
            dim=-1,
        )
        gram = torch.einsum("ejx,ekx->ejk", x, x)
        powers = [torch.ones_like(gram), *(gram**p for p in range(1, 5))]
        features = [mu.sum(dim=1)]
        if self.nu >= 2:
            features += [
                torch.einsum("eja,ejk,ekb->eab", mu, power, mu).flatten(1) for power in powers
            ]
        if self.nu >= 3:
            for p, q, s in itertools.combinations_with_replacement(range(4), 3):
                if q > 0:
                    features.append(self._three(mu, powers[p], powers[q], powers[s]))
        if self.nu >= 4:
            features += [
                self._four(mu[..., :2], powers, exponents)
                for exponents in itertools.product(range(2), repeat=6)
                if sum(exponents) >= 3
            ]
        return torch.cat(features, dim=1) / math.sqrt(len(features))

    @staticmethod
    def _three(mu: Tensor, p: Tensor, q: Tensor, s: Tensor) -> Tensor:
        # (j k)^p (j l)^q (k l)^s, contracted over l first
        left = torch.einsum("ejl,ekl,elc->ejkc", q, s, mu)
        return torch.einsum("eja,ekb,ejk,ejkc->eabc", mu, mu, p, left).flatten(1)

    @staticmethod
    def _four(mu: Tensor, powers: list[Tensor], exponents: tuple[int, ...]) -> Tensor:
        jk, jl, jm, kl, km, lm = (powers[e] for e in exponents)
        inner = torch.einsum("ejm,ekm,elm,emd->ejkld", jm, km, lm, mu)
        return torch.einsum(
            "eja,ekb,elc,ejk,ejl,ekl,ejkld->eabcd", mu, mu, mu, jk, jl, kl, inner
        ).flatten(1)
