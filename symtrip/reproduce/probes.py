"""What the figures need beside the tables: how features respond to displacements of atoms."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from jaxtyping import Float
from torch import Tensor

from symtrip.correlations import DensityCorrelations
from symtrip.data import B8Pairs
from symtrip.degenerate import b8_pair
from symtrip.models import (
    ExpansionSettings,
    TripletCompression,
    TripletDescriptor,
    TripletReconstruction,
)
from symtrip.nice import Nice
from symtrip.train import density_chunks
from symtrip.train.seeds import generator_for

__all__ = [
    "Describe",
    "describers",
    "distances_of_distorted_pairs",
    "separations",
    "smallest_singular_values",
]

Describe = Callable[[Tensor], Tensor]
"""Positions (S, A, 3) in Å to features (S, p)."""

_CHUNK = 50
_STEP = 2e-3  # Å; the error of the fourth-order differences is about (step / 0.2 Å)^4


def describers(
    expansion: ExpansionSettings,
    numbers: Tensor,
    nice: Nice,
    latent: tuple[TripletCompression, TripletReconstruction] | None,
) -> dict[str, Describe]:
    """The descriptions that Fig. 3a compares, in double precision.

    Args:
        expansion: the density expansion.
        numbers: (A,) atomic numbers.
        nice: fitted; its last order is described.
        latent: compression and trained network of a model A^rho_NL, if there is one.

    Returns:
        "bispectrum" (nu = 3), "nu = ..." and, with ``latent``, "latent".
    """
    expand = expansion.build()
    correlations = DensityCorrelations(max_angular=expansion.max_angular, nu=3)

    def described(by: Callable[..., Tensor]) -> Describe:
        def describe(positions: Tensor) -> Tensor:
            with torch.no_grad():
                chunks = density_chunks(expand, positions, numbers, _CHUNK)
                return torch.cat([by(density) for density in chunks])

        return describe

    found = {
        "bispectrum": described(correlations),
        f"nu = {nice.max_nu}": described(lambda density: nice(density)[nice.max_nu]),
    }
    if latent is not None:
        compression, network = latent
        descriptor = TripletDescriptor(expansion.max_angular, compression)
        encoder = network.encoder.double()
        found["latent"] = described(lambda density: encoder(descriptor(density)))
    return found


def separations(
    expansion: ExpansionSettings, nice: Nice, pairs: B8Pairs
) -> dict[str, Float[Tensor, " pairs"]]:
    """Relative differences |x+ - x-| / |x+| of the invariants that inversion leaves alone.

    Args:
        expansion: the density expansion.
        nice: fitted.
        pairs: P pairs.

    Returns:
        "1", "2", ... (nu) -> (P,).
    """
    parities = nice.parities(expansion.n_radial * len(expansion.species))
    found: dict[str, list[Tensor]] = {str(nu): [] for nu in parities}
    positions = pairs.positions.flatten(0, 1)
    with torch.no_grad():
        for density in density_chunks(expansion.build(), positions, pairs.numbers, _CHUNK):
            for nu, x in nice(density).items():
                even = x[:, parities[nu].to(x.device) > 0]
                difference = (even[0::2] - even[1::2]).norm(dim=1)
                found[str(nu)].append(difference / even[0::2].norm(dim=1))
    return {nu: torch.cat(pieces) for nu, pieces in found.items()}


def distances_of_distorted_pairs(
    describe: Mapping[str, Describe],
    pairs: B8Pairs,
    sigmas: list[float],
) -> dict[str, Float[Tensor, "sigmas pairs"]]:
    """Distances between the features of the members of degenerate pairs with noise (Fig. 3a).

    All atoms of both members are displaced independently by Gaussian noise. Features are divided by
    the root mean square length of all undistorted members'.

    Args:
        describe: name -> description.
        pairs: P pairs.
        sigmas: standard deviations of each coordinate in Å.

    Returns:
        name -> (len(sigmas), P).
    """
    positions = pairs.positions
    noise = torch.randn(
        len(sigmas),
        *positions.shape,
        dtype=positions.dtype,
        generator=generator_for(0, "order"),
    )
    moved = (
        positions + torch.tensor(sigmas, dtype=positions.dtype)[:, None, None, None, None] * noise
    )
    moved = moved - moved[..., :1, :]
    result = {}
    for name, features in describe.items():
        size = features(positions.flatten(0, 1)).square().sum(dim=1).mean().sqrt()
        values = features(moved.flatten(0, 2)).reshape(len(sigmas), len(pairs), 2, -1) / size
        result[name] = (values[:, :, 0] - values[:, :, 1]).norm(dim=-1)
    return result


def smallest_singular_values(
    describe: Mapping[str, Describe], offsets: list[float]
) -> dict[str, Float[Tensor, " offsets"]]:
    """Least sensitivity of features along a path of B8 clusters through a merge point.

    The ring angles are phi +- t about an isosceles ring, t = 0, where both members of the pair are
    congruent: a description that cannot tell them apart elsewhere has a vanishing derivative there.

    Args:
        describe: name -> description.
        offsets: values of t in rad.

    Returns:
        name -> (len(offsets),) smallest singular value of the derivatives with respect to the
        positions of the neighbours, rotations apart, over the largest one.
    """
    t = torch.tensor(offsets, dtype=torch.float64)
    constant = torch.ones_like(t)
    # r, z1, z2 (Å), psi, phi1, phi2 (rad): all distances to the centre are in 1.5 ... 1.8 Å
    parameters = torch.stack(
        [1.45 * constant, 0.7 * constant, 1.65 * constant, 1.1 * constant, 1.9 + t, 1.9 - t], dim=1
    )
    clusters = b8_pair(parameters)[0]
    n_atoms = clusters.shape[1]
    unit = torch.eye(3 * n_atoms, dtype=torch.float64)[3:].reshape(-1, n_atoms, 3) * _STEP
    result: dict[str, list[float]] = {name: [] for name in describe}
    for cluster in clusters:
        moved = torch.cat([cluster + c * unit for c in (-2.0, -1.0, 1.0, 2.0)])
        for name, features in describe.items():
            far_below, below, above, far_above = features(moved).chunk(4)
            slope = (8 * (above - below) - (far_above - far_below)) / (12 * _STEP)
            values = torch.linalg.svdvals(slope)
            # the three smallest ones are rotations about the central atom
            result[name].append(float(values[-4] / values[0]))
    return {name: torch.tensor(values) for name, values in result.items()}
