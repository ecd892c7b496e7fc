"""The public functions, called with the arguments that a golden record lists."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor

from symtrip.correlations import DensityCorrelations, EquivariantCorrelations
from symtrip.coupling import ClebschGordanProduct, real_clebsch_gordan
from symtrip.degenerate import family, two_ring_pair
from symtrip.environments import Environments
from symtrip.expansion import (
    Basis,
    DeltaDensity,
    Density,
    GaussianDensity,
    Gto,
    LaplacianEigenstates,
    Monomials,
    ShiftedCosine,
    SphericalExpansion,
    real_spherical_harmonics,
    shifted_cosine,
    solid_harmonics,
)
from symtrip.n_center import NCenterFeatures
from symtrip.nice import Nice
from symtrip.triplet_linear import TripletLinear
from symtrip.triplets import TripletFeatures

__all__ = ["RUNNERS", "Arguments", "Runner"]

Arguments = dict[str, Any]

Runner = Callable[[Arguments, torch.dtype, torch.device], Sequence[Tensor]]


def _cutoff(a: Arguments, dtype: torch.dtype, device: torch.device) -> list[Tensor]:
    r = torch.tensor(a["r"], dtype=dtype, device=device)
    return [shifted_cosine(r, radius=a["radius"], width=a["width"])]


def _harmonics(a: Arguments, dtype: torch.dtype, device: torch.device) -> list[Tensor]:
    vectors = torch.tensor(a["vectors"], dtype=dtype, device=device)
    return real_spherical_harmonics(vectors, a["max_angular"])


def _solid(a: Arguments, dtype: torch.dtype, device: torch.device) -> list[Tensor]:
    vectors = torch.tensor(a["vectors"], dtype=dtype, device=device)
    return solid_harmonics(vectors, a["max_angular"])


def _coupling(a: Arguments, dtype: torch.dtype, device: torch.device) -> list[Tensor]:
    return [real_clebsch_gordan(a["l1"], a["l2"], a["o3_lambda"], dtype=dtype, device=device)]


def _product(a: Arguments, dtype: torch.dtype, device: torch.device) -> list[Tensor]:
    first, second = (
        {
            (l, 1): torch.tensor(block, dtype=dtype, device=device)[None]
            for l, block in enumerate(a[side])
        }
        for side in ("first", "second")
    )
    product = ClebschGordanProduct(list(first), list(second), max_lambda=a["max_lambda"])
    return list(product(first, second).values())


def _radial(a: Arguments, dtype: torch.dtype, device: torch.device) -> list[Tensor]:
    r = torch.tensor(a["r"], dtype=dtype, device=device)
    # the module returns I_nl(r) / r^l at r^2, which these distances have exactly
    over_power = _expansion(a["expansion"]).radial(r.square())
    return [
        over_power[:, l].to(torch.float64) * r[:, None].to(torch.float64) ** l
        for l in range(over_power.shape[1])
    ]


def _expanded(a: Arguments, dtype: torch.dtype, device: torch.device) -> Density:
    density: Density = _expansion(a["expansion"])(_environment(a, dtype, device))
    return density


def _density(a: Arguments, dtype: torch.dtype, device: torch.device) -> list[Tensor]:
    density = _expanded(a, dtype, device)
    return [block for pair in zip(density.rho, density.g, strict=True) for block in pair]


def _correlations(a: Arguments, dtype: torch.dtype, device: torch.device) -> list[Tensor]:
    density = _expanded(a, dtype, device)
    return [DensityCorrelations(max_angular=density.max_angular, nu=a["nu"])(density)]


def _equivariants(a: Arguments, dtype: torch.dtype, device: torch.device) -> list[Tensor]:
    density = _expanded(a, dtype, device)
    features = EquivariantCorrelations(
        max_angular=density.max_angular, nu=a["nu"], max_lambda=a["max_lambda"]
    )
    return list(features(density).values())


def _nice(a: Arguments, dtype: torch.dtype, device: torch.device) -> list[Tensor]:
    density = _expanded(a, dtype, device)
    return list(Nice(max_angular=density.max_angular, max_nu=a["max_nu"])(density).values())


def _triplets(a: Arguments, dtype: torch.dtype, device: torch.device) -> list[Tensor]:
    density = _expanded(a, dtype, device)
    dense = TripletFeatures(max_angular=density.max_angular)(density).dense()[0]
    return list(dense.flatten(0, 1))


def _reduced_triplets(a: Arguments, dtype: torch.dtype, device: torch.device) -> list[Tensor]:
    density = _expanded(a, dtype, device)
    triplets = TripletFeatures(max_angular=density.max_angular, symmetry="reduced")(density)
    return [*triplets.dense()[0], triplets.bispectrum()]


def _triplet_linear(a: Arguments, dtype: torch.dtype, device: torch.device) -> list[Tensor]:
    density = _expanded(a, dtype, device)
    weight, bias = (
        torch.tensor(a[name], dtype=dtype, device=device) for name in ("weight", "bias")
    )
    layer = TripletLinear(
        max_angular=density.max_angular,
        n_channels=density.rho[0].shape[-1],
        out_features=len(bias),
        dtype=dtype,
        device=device,
    )
    layer.load_state_dict({"weight": weight, "bias": bias})
    with torch.no_grad():
        outputs = (layer(density), *layer.even_and_odd(density))
    return [pair for y in outputs for pair in y[0].flatten(0, 1)]


def _n_center(a: Arguments, dtype: torch.dtype, device: torch.device) -> list[Tensor]:
    density = _expanded(a, dtype, device)
    tagged = torch.tensor(a["tagged"], dtype=torch.int64, device=device)
    features = NCenterFeatures(
        max_angular=density.max_angular,
        n_tagged=tagged.shape[1],
        nu=a["nu"],
        o3_lambda=a["o3_lambda"],
        max_intermediate=a["max_intermediate"],
    )
    by_path = [block[0].flatten(1) for block in features(density, tagged).values()]
    return list(torch.cat(by_path, dim=1))


def _two_rings(a: Arguments, dtype: torch.dtype, device: torch.device) -> list[Tensor]:
    r, z1, z2, psi, angles = (
        torch.tensor(a[name], dtype=dtype, device=device)
        for name in ("r", "z1", "z2", "psi", "angles")
    )
    return list(two_ring_pair(r, z1, z2, psi, angles))


def _family(a: Arguments, dtype: torch.dtype, device: torch.device) -> list[Tensor]:
    kind = family(a["id"])
    defaults = [parameter.default for parameter in kind.parameters]
    # parameters are rounded once, as the fast path would receive them
    members = kind.members(torch.tensor(defaults, dtype=dtype, device=device))
    cells = [member.cell for member in members if member.cell is not None]
    return [*(member.positions for member in members), *cells]


RUNNERS: dict[str, Runner] = {
    "shifted_cosine": _cutoff,
    "real_spherical_harmonics": _harmonics,
    "solid_harmonics": _solid,
    "real_clebsch_gordan": _coupling,
    "clebsch_gordan_product": _product,
    "radial_integral": _radial,
    "spherical_expansion": _density,
    "density_correlations": _correlations,
    "equivariant_correlations": _equivariants,
    "nice": _nice,
    "triplet_features": _triplets,
    "reduced_triplet_features": _reduced_triplets,
    "triplet_linear": _triplet_linear,
    "n_center_features": _n_center,
    "two_ring_pair": _two_rings,
    "degenerate_family": _family,
}

_BASES: dict[str, Callable[..., Basis]] = {
    "gto": Gto,
    "laplacian": LaplacianEigenstates,
    "monomials": Monomials,
}


def _expansion(description: Arguments) -> SphericalExpansion:
    return _expansion_of(json.dumps(description, sort_keys=True))


@lru_cache(maxsize=16)
def _expansion_of(description: str) -> SphericalExpansion:
    """Built once for all records that share it: its radial tables take a tenth of a second."""
    a = json.loads(description)
    basis = a["basis"]
    return SphericalExpansion(
        cutoff=ShiftedCosine(radius=a["radius"], width=a["width"]),
        density=DeltaDensity() if a["density"] is None else GaussianDensity(width=a["density"]),
        basis=_BASES[basis["kind"]](n_radial=basis["n_radial"], max_angular=basis["max_angular"]),
        species=a["species"],
    )


def _environment(a: Arguments, dtype: torch.dtype, device: torch.device) -> Environments:
    vectors = torch.tensor(a["vectors"], dtype=dtype, device=device)
    return Environments.from_vectors(vectors, a["species"], radius=a["expansion"]["radius"])
