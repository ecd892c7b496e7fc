"""Symmetry-adapted neighbour-triplet features of atomic environments, complete and fast.

Public names load their module when they are first used: ``import symtrip`` itself is instant.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from symtrip.completeness import congruent, environment_distance, reconstruct
    from symtrip.correlations import DensityCorrelations, EquivariantCorrelations
    from symtrip.coupling import ClebschGordanProduct, real_clebsch_gordan
    from symtrip.data import B8Pairs
    from symtrip.degenerate import families, family, sample_b8_parameters, two_ring_pair
    from symtrip.environments import Environments
    from symtrip.errors import InputError
    from symtrip.expansion import (
        DeltaDensity,
        Density,
        GaussianDensity,
        Gto,
        LaplacianEigenstates,
        Monomials,
        ShiftedCosine,
        SphericalExpansion,
    )
    from symtrip.models import EnergyModel
    from symtrip.n_center import NCenterFeatures
    from symtrip.nice import Nice
    from symtrip.triplet_linear import TripletLinear
    from symtrip.triplets import TripletFeatures, Triplets

__all__ = [
    "B8Pairs",
    "ClebschGordanProduct",
    "DeltaDensity",
    "Density",
    "DensityCorrelations",
    "EnergyModel",
    "Environments",
    "EquivariantCorrelations",
    "GaussianDensity",
    "Gto",
    "InputError",
    "LaplacianEigenstates",
    "Monomials",
    "NCenterFeatures",
    "Nice",
    "ShiftedCosine",
    "SphericalExpansion",
    "TripletFeatures",
    "TripletLinear",
    "Triplets",
    "congruent",
    "environment_distance",
    "families",
    "family",
    "real_clebsch_gordan",
    "reconstruct",
    "sample_b8_parameters",
    "two_ring_pair",
]
__version__ = "0.1.0"

# Where each public name lives.
_HOME = {
    "B8Pairs": "data",
    "ClebschGordanProduct": "coupling",
    "DeltaDensity": "expansion",
    "Density": "expansion",
    "DensityCorrelations": "correlations",
    "EnergyModel": "models",
    "Environments": "environments",
    "EquivariantCorrelations": "correlations",
    "GaussianDensity": "expansion",
    "Gto": "expansion",
    "InputError": "errors",
    "LaplacianEigenstates": "expansion",
    "Monomials": "expansion",
    "NCenterFeatures": "n_center",
    "Nice": "nice",
    "ShiftedCosine": "expansion",
    "SphericalExpansion": "expansion",
    "TripletFeatures": "triplets",
    "TripletLinear": "triplet_linear",
    "Triplets": "triplets",
    "congruent": "completeness",
    "environment_distance": "completeness",
    "families": "degenerate",
    "family": "degenerate",
    "real_clebsch_gordan": "coupling",
    "reconstruct": "completeness",
    "sample_b8_parameters": "degenerate",
    "two_ring_pair": "degenerate",
}


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module 'symtrip' has no attribute {name!r}")
    value = getattr(import_module(f"symtrip.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
