"""The exact reference of symtrip: every quantity exactly or to any number of digits.

Scalar and slow on purpose; it shares no code with the fast path, which is checked against it.
"""

from __future__ import annotations

from symtrip_reference._checks import InputError, PrecisionError
from symtrip_reference.correlations import (
    clebsch_gordan_product,
    coupling_paths,
    density_correlations,
    flatten,
    path_parity,
)
from symtrip_reference.coupling import (
    complex_clebsch_gordan,
    real_clebsch_gordan,
    real_clebsch_gordan_table,
)
from symtrip_reference.cutoff import ShiftedCosine, shifted_cosine
from symtrip_reference.density import Density, Environment, Expansion, density_expansion
from symtrip_reference.evaluation import bounds, fraction
from symtrip_reference.families import TwoRingPair, two_ring_pair
from symtrip_reference.golden import golden_lines
from symtrip_reference.harmonics import (
    real_solid_harmonics,
    real_spherical_harmonics,
    solid_harmonic_polynomial,
)
from symtrip_reference.radial import (
    DeltaDensity,
    GaussianDensity,
    Gto,
    LaplacianEigenstates,
    Monomials,
    gto_overlap,
    gto_radial_integral,
    radial_integral,
)
from symtrip_reference.triplets import n_centre_features, triplet_features, triplet_paths
from symtrip_reference.wigner import complex_wigner_d, real_wigner_d, rotation_matrix

__all__ = [
    "DeltaDensity",
    "Density",
    "Environment",
    "Expansion",
    "GaussianDensity",
    "Gto",
    "InputError",
    "LaplacianEigenstates",
    "Monomials",
    "PrecisionError",
    "ShiftedCosine",
    "TwoRingPair",
    "bounds",
    "clebsch_gordan_product",
    "complex_clebsch_gordan",
    "complex_wigner_d",
    "coupling_paths",
    "density_correlations",
    "density_expansion",
    "flatten",
    "fraction",
    "golden_lines",
    "gto_overlap",
    "gto_radial_integral",
    "n_centre_features",
    "path_parity",
    "radial_integral",
    "real_clebsch_gordan",
    "real_clebsch_gordan_table",
    "real_solid_harmonics",
    "real_spherical_harmonics",
    "real_wigner_d",
    "rotation_matrix",
    "shifted_cosine",
    "solid_harmonic_polynomial",
    "triplet_features",
    "triplet_paths",
    "two_ring_pair",
]
