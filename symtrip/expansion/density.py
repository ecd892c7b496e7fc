"""Expansion of the neighbour density in radial functions and spherical harmonics."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from symtrip.derivatives import differentiated
from symtrip.environments import Environments
from symtrip.errors import InputError, require
from symtrip.expansion.cutoff import ShiftedCosine
from symtrip.expansion.harmonics import harmonic_rows
from symtrip.expansion.radial import Basis, DeltaDensity, GaussianDensity, Gto
from symtrip.neighbors import atomic_numbers, check_rows
from symtrip.precision import full_precision
from symtrip.tables import ConstantTable

__all__ = ["Density", "SphericalExpansion"]


@dataclass(frozen=True, eq=False)
class Density:
    """Expansion coefficients of E environments; Q = n_species * n_radial, species slow, n fast.

    Attributes:
        rho: per l, (E, 2l+1, Q): the neighbour density of each environment.
        g: per l, (E, N, 2l+1, Q): each neighbour on its own, in the columns of its species, 0 where
            padded; rho is the sum over neighbours.
        mask: (E, N) bool, true for real neighbours.
        directions: (E, N, 3), constant vectors of any length; each g is a function of the radial
            index alone times the harmonics of its direction. None: not known.
    """

    rho: tuple[Tensor, ...]
    g: tuple[Tensor, ...]
    mask: Tensor
    directions: Tensor | None = None

    @property
    def max_angular(self) -> int:
        """Largest l."""
        return len(self.rho) - 1

    @property
    def differentiated(self) -> bool:
        """Whether features of this density must be differentiable to it."""
        return differentiated((*self.rho, *self.g))

    def check(self, max_angular: int, user: str) -> None:
        """Raise unless everything fits together and to what uses it.

        Args:
            max_angular: the largest l that is needed.
            user: name of the class that needs it.

        Raises:
            InputError: another ``max_angular``; blocks of different types, devices, numbers of
                environments, neighbours or channels.
        """
        require(
            self.max_angular == max_angular,
            "density",
            f"have max_angular = {max_angular}",
            self.max_angular,
            f"build {user} with the max_angular of the expansion",
        )
        kinds = {(part.dtype, part.device) for part in (*self.rho, *self.g)}
        require(
            len(kinds) == 1,
            "density",
            "have one dtype and one device",
            sorted(f"{dtype} on {device}" for dtype, device in kinds),
            "convert the environments with .to() before expanding them",
        )
        dtype = self.rho[0].dtype
        require(
            dtype in (torch.float32, torch.float64),
            "density",
            "be float32 or float64",
            dtype,
            "convert the environments with .to() before expanding them",
        )
        n_env, n = self.mask.shape if self.mask.ndim == 2 else (0, 0)
        q = self.rho[0].shape[-1]
        fits = len(self.g) == len(self.rho) and all(
            rho.shape == (n_env, 2 * l + 1, q) and g.shape == (n_env, n, 2 * l + 1, q)
            for l, (rho, g) in enumerate(zip(self.rho, self.g, strict=True))
        )
        require(
            fits and self.mask.ndim == 2,
            "density",
            "hold for each l rho of shape (E, 2l+1, Q) and g of shape (E, N, 2l+1, Q), and a mask "
            "of shape (E, N)",
            f"{[tuple(x.shape) for x in self.rho]}, {[tuple(x.shape) for x in self.g]} and "
            f"{tuple(self.mask.shape)}",
            "take it from SphericalExpansion; select environments with slices or index tensors",
        )

    def __len__(self) -> int:
        return self.mask.shape[0]

    def __getitem__(self, index: slice | Tensor) -> Density:
        """The environments selected by a slice or an index tensor."""
        check_rows(index, "density")
        return Density(
            rho=tuple(r[index] for r in self.rho),
            g=tuple(x[index] for x in self.g),
            mask=self.mask[index],
            directions=None if self.directions is None else self.directions[index],
        )


class SphericalExpansion(nn.Module):
    """rho_i[a n l m] and g_ij[n l m] of THEORY: density smeared, cut off and expanded.

    Args:
        cutoff: cutoff function; its radius is that of the environments.
        density: :class:`GaussianDensity` or :class:`DeltaDensity`.
        basis: :class:`Gto`, :class:`Monomials` or another :class:`Basis`.
        species: atomic numbers that neighbours may have; sorted, they are the slow index of Q.

    Raises:
        InputError: no species, or one twice; impossible hyperparameters.

    Accuracy:
        rho and g <= 64 eps of the largest coefficient (tests/oracle/test_density.py).

    Source:
        Nigam et al., APL Mach. Learn. 2, 016110 (2024), SM I; Bartók, Kondor, Csányi, PRB 87,
        184115 (2013).
    """

    def __init__(
        self,
        *,
        cutoff: ShiftedCosine,
        density: GaussianDensity | DeltaDensity,
        basis: Basis,
        species: Sequence[int],
    ) -> None:
        super().__init__()
        self.cutoff, self.density, self.basis = cutoff, density, basis
        numbers = atomic_numbers("species", list(species), torch.device("cpu"))
        self.species = tuple(sorted(numbers.tolist()))
        require(
            len(self.species) > 0
            and self.species[0] >= 1
            and len(set(self.species)) == len(self.species),
            "species",
            "hold distinct atomic numbers >= 1",
            tuple(species),
            "list every species that neighbours may have once",
        )
        self.radial = basis.functions(cutoff.radius, density)
        degrees = np.arange(basis.max_angular + 1)
        self._l_of_component = ConstantTable(np.repeat(degrees, 2 * degrees + 1))
        self._known = ConstantTable(np.array(self.species, dtype=np.int64))

    @classmethod
    def b8(cls) -> SphericalExpansion:
        """The paper's expansion of B8: GTO, cutoff 2.0 Å, s = 0.2 Å, 6 radial functions, l <= 3."""
        return cls(
            cutoff=ShiftedCosine(radius=2.0, width=0.1),
            density=GaussianDensity(width=0.2),
            basis=Gto(n_radial=6, max_angular=3),
            species=(5,),
        )

    @property
    def n_channels(self) -> int:
        """Q, the number of (species, n) channels."""
        return len(self.species) * self.basis.n_radial

    @full_precision
    def forward(self, environments: Environments) -> Density:
        """Expand a batch of environments.

        Args:
            environments: E environments whose radius equals the cutoff's.

        Returns:
            The coefficients; dtype and device of ``environments.vectors``, differentiable to them.

        Raises:
            InputError: another radius, or a neighbour of unknown species.
        """
        require(
            environments.radius == self.cutoff.radius,
            "environments.radius",
            f"equal the cutoff radius {self.cutoff.radius} Å",
            environments.radius,
            "build the environments with the radius of the cutoff",
        )
        mask = environments.mask
        channel = self._channels(environments)
        vectors = environments.vectors
        n_env, n_max = mask.shape
        points = vectors.reshape(-1, 3).t().contiguous()  # the long axis last, for speed
        u = points.square().sum(dim=0)
        weight = self.cutoff.of_square(u) * mask.reshape(-1)
        harmonics = torch.cat(harmonic_rows(points, self.basis.max_angular))
        l_of_component = self._l_of_component.like(points)
        block = self.radial(u).index_select(1, l_of_component)  # (E N, components, n)
        block = block * (harmonics * weight).t().unsqueeze(2)
        if channel is not None:
            block = (channel[:, None, :, None] * block[:, :, None, :]).flatten(-2)
        block = block.view(n_env, n_max, len(l_of_component), self.n_channels)
        sizes = [2 * l + 1 for l in range(self.basis.max_angular + 1)]
        return Density(
            rho=block.sum(dim=1).split_with_sizes(sizes, dim=1),
            g=block.split_with_sizes(sizes, dim=2),
            mask=mask,
            directions=vectors.detach(),
        )

    def _channels(self, environments: Environments) -> Tensor | None:
        """One-hot species of the neighbours (E N, n_species); None for a single species."""
        numbers = environments.species
        if not environments.neighbor_species <= set(self.species):
            # selections of environments may hold fewer species than the whole set did
            strangers = sorted(set(numbers[environments.mask].tolist()) - set(self.species))
            if strangers:
                raise InputError(
                    f"`species` must hold every neighbour's atomic number, got {strangers} besides "
                    f"{list(self.species)}; add them to `species` of SphericalExpansion."
                )
        if len(self.species) == 1:
            return None
        one_hot = numbers[..., None] == self._known.like(numbers)
        return one_hot.reshape(-1, len(self.species)).to(environments.vectors.dtype)
