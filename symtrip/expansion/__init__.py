"""Neighbour densities, their cutoff, radial bases and spherical harmonics."""

from symtrip.expansion.cutoff import ShiftedCosine, shifted_cosine
from symtrip.expansion.density import Density, SphericalExpansion
from symtrip.expansion.harmonics import real_spherical_harmonics, solid_harmonics
from symtrip.expansion.radial import (
    Basis,
    DeltaDensity,
    GaussianDensity,
    Gto,
    LaplacianEigenstates,
    Monomials,
)

__all__ = [
    "Basis",
    "DeltaDensity",
    "Density",
    "GaussianDensity",
    "Gto",
    "LaplacianEigenstates",
    "Monomials",
    "ShiftedCosine",
    "SphericalExpansion",
    "real_spherical_harmonics",
    "shifted_cosine",
    "solid_harmonics",
]
