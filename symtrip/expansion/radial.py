"""Neighbour densities and the radial bases they are expanded in."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from torch import nn

from symtrip.errors import integer, require
from symtrip.expansion._gto import gto_point_values, gto_values
from symtrip.expansion._laplacian import laplacian_gaussian_values, laplacian_point_values
from symtrip.expansion._piecewise import (
    PiecewiseOverPower,
    PiecewisePolynomials,
    PolynomialsInSquare,
)

__all__ = ["Basis", "DeltaDensity", "GaussianDensity", "Gto", "LaplacianEigenstates", "Monomials"]


@dataclass(frozen=True)
class GaussianDensity:
    """L2-normalised Gaussian (pi s^2)^(-3/4) exp(-|x|^2 / 2 s^2) on every neighbour.

    Attributes:
        width: s in Å, > 0.

    Raises:
        InputError: ``width`` is not finite and > 0.
    """

    width: float

    def __post_init__(self) -> None:
        require(
            math.isfinite(self.width) and self.width > 0,
            "width",
            "be a finite length > 0 Å",
            self.width,
            "use DeltaDensity() for points",
        )


@dataclass(frozen=True)
class DeltaDensity:
    """A point of unit mass on every neighbour."""


@runtime_checkable
class Basis(Protocol):
    """Radial basis times spherical harmonics up to ``max_angular``."""

    @property
    def n_radial(self) -> int:
        """Number of radial functions (a count)."""
        ...

    @property
    def max_angular(self) -> int:
        """Largest l, included."""
        ...

    def functions(self, radius: float, density: GaussianDensity | DeltaDensity) -> nn.Module:
        """Module from u = r^2 (M,) to I_nl(r)/r^l, (M, max_angular + 1, n_radial)."""
        ...


def _check_counts(basis: Gto | LaplacianEigenstates | Monomials) -> None:
    for name, least in (("n_radial", 1), ("max_angular", 0)):
        remedy = "n_radial is a count, max_angular the largest l (included)"
        # the dataclasses are frozen
        object.__setattr__(basis, name, integer(name, getattr(basis, name), least, remedy))


@dataclass(frozen=True)
class Gto:
    """Gaussian-type orbitals r^n exp(-r^2 / 2 sigma_n^2), symmetrically orthonormalised.

    sigma_n = radius max(sqrt n, 1) / n_radial, n = 0 .. n_radial - 1, the same for every l;
    integrals over all space.

    Attributes:
        n_radial: number of radial functions (a count), 1 <= n_radial <= 20.
        max_angular: largest l, included.

    Accuracy:
        I_nl <= 64 eps of its maximum over r (tests/oracle/test_radial.py); the transformation is
        computed with 40 digits and the radial functions with 32.

    Source:
        The basis of rascaline and featomic; Nigam et al., APL Mach. Learn. 2, 016110 (2024), SM
        IV.A.
    """

    n_radial: int
    max_angular: int

    def __post_init__(self) -> None:
        _check_counts(self)
        require(
            self.n_radial <= 20,
            "n_radial",
            "be at most 20 (the overlap of more GTOs is singular beyond 32 digits)",
            self.n_radial,
            "use Monomials or LaplacianEigenstates",
        )

    def functions(self, radius: float, density: GaussianDensity | DeltaDensity) -> nn.Module:
        """Radial integrals over r^l as piecewise polynomials; see :class:`Basis`."""
        if isinstance(density, DeltaDensity):
            return PiecewiseOverPower(
                lambda r: gto_point_values(r, radius=radius, n_radial=self.n_radial),
                max_angular=self.max_angular,
                radius=radius,
                spacing=0.5 * radius / self.n_radial,
            )
        return PiecewisePolynomials(
            lambda u: gto_values(
                u,
                radius=radius,
                n_radial=self.n_radial,
                max_angular=self.max_angular,
                width=density.width,
            ),
            radius=radius,
            spacing=0.3 * density.width,
        )


@dataclass(frozen=True)
class LaplacianEigenstates:
    """Spherical Bessel functions j_l(z_nl r / radius), orthonormal on the sphere of the cutoff.

    z_nl is zero number n + 1 of j_l; integrals over the sphere.

    Attributes:
        n_radial: number of radial functions (a count), the same for every l.
        max_angular: largest l, included.

    Accuracy:
        I_nl <= 64 eps of its maximum over r (tests/oracle/test_radial_bases.py); the tables are
        computed with more than 20 digits.

    Source:
        Bigi, Huguenin-Dumittan, Ceriotti, Manolopoulos, J. Chem. Phys. 157, 234101 (2022).
    """

    n_radial: int
    max_angular: int

    def __post_init__(self) -> None:
        _check_counts(self)

    def functions(self, radius: float, density: GaussianDensity | DeltaDensity) -> nn.Module:
        """Radial integrals over r^l as piecewise polynomials in r^2; see :class:`Basis`."""
        sizes = {"n_radial": self.n_radial, "max_angular": self.max_angular}
        shortest = radius / (self.n_radial + 0.5 * self.max_angular)  # half a wavelength
        if isinstance(density, DeltaDensity):
            return PiecewisePolynomials(
                lambda u: laplacian_point_values(u, radius=radius, **sizes),
                radius=radius,
                spacing=0.6 * shortest,
            )
        return PiecewisePolynomials(
            lambda u: laplacian_gaussian_values(u, radius=radius, width=density.width, **sizes),
            radius=radius,
            spacing=min(0.3 * density.width, 0.6 * shortest),
        )


@dataclass(frozen=True)
class Monomials:
    """Polynomials r^(l + 2k), k = 0 .. n_radial - 1: their moments are frame moments.

    With a Gaussian density the integral over all space is again a polynomial of the same degree.

    Attributes:
        n_radial: number of radial functions (a count).
        max_angular: largest l, included.

    Accuracy:
        <= 4 (k + l + 1) eps relative (tests/oracle/test_radial.py).

    Source:
        Heat-kernel form: convolution with the Gaussian is exp(s^2/2 Laplacian) on r^(l+2k) Y_lm.
    """

    n_radial: int
    max_angular: int

    def __post_init__(self) -> None:
        _check_counts(self)

    def functions(
        self,
        radius: float,  # noqa: ARG002 - polynomials have no range, other bases do
        density: GaussianDensity | DeltaDensity,
    ) -> nn.Module:
        """Polynomials in u = r^2; see :class:`Basis`."""
        table = np.zeros((self.n_radial, self.max_angular + 1, self.n_radial))
        mass, half_variance = 1.0, 0.0
        if isinstance(density, GaussianDensity):
            s2 = density.width**2
            mass, half_variance = (2.0 * math.sqrt(math.pi * s2)) ** 1.5, 0.5 * s2
        for l in range(self.max_angular + 1):
            for k in range(self.n_radial):
                coefficient = mass
                for power in range(k, -1, -1):
                    table[power, l, k] = coefficient
                    # Laplacian of r^(l + 2p) Y_lm is 2p (2p + 2l + 1) r^(l + 2p - 2) Y_lm
                    coefficient *= (
                        half_variance * 2 * power * (2 * power + 2 * l + 1) / (k - power + 1)
                    )
        return PolynomialsInSquare(table)
