"""Values of featomic 0.6.7 (exact radial integrals), kept in tests/golden/data.

featomic computes the radial integrals from the closed form in float64 and loses the condition
number of the GTO overlap (7e-14 here, measured against 40 digits), so agreement is asked to 1e-13
absolute.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from symtrip.correlations import DensityCorrelations
from symtrip.coupling import real_clebsch_gordan
from symtrip.environments import Environments
from symtrip.expansion import (
    Density,
    GaussianDensity,
    Gto,
    ShiftedCosine,
    SphericalExpansion,
    shifted_cosine,
)
from symtrip.triplets import TripletFeatures, triplet_paths

DATA = Path(__file__).parent / "data"
ABSOLUTE = 1e-13
EPS = torch.finfo(torch.float64).eps


def load(name: str) -> dict[str, NDArray[np.float64]]:
    with np.load(DATA / name, allow_pickle=False) as archive:
        return dict(archive)


@pytest.fixture(scope="module")
def frames() -> dict[str, NDArray[np.float64]]:
    return load("b8_frames.npz")


@pytest.fixture(scope="module")
def density(frames: dict[str, NDArray[np.float64]]) -> Density:
    positions = torch.tensor(frames["positions"])
    return SphericalExpansion.b8()(Environments.from_positions(positions, 5, radius=2.0))


@pytest.mark.parametrize("l", range(4))
def test_b8_density_coefficients_agree(
    l: int, density: Density, frames: dict[str, NDArray[np.float64]]
) -> None:
    assert np.abs(density.rho[l].numpy() - frames[f"rho_exact_l{l}"]).max() <= ABSOLUTE
    assert np.abs(density.g[l].numpy() - frames[f"g_exact_l{l}"][:, 1:]).max() <= ABSOLUTE


@pytest.mark.parametrize("l", range(4))
def test_b8_density_gradients_agree(l: int, frames: dict[str, NDArray[np.float64]]) -> None:
    expansion = SphericalExpansion.b8()
    frame = torch.tensor(frames["positions"][0])
    want = frames[f"drho_dpos_frame0_l{l}"]

    def coefficients(position: torch.Tensor) -> torch.Tensor:
        return expansion(Environments.from_positions(position, 5, radius=2.0)).rho[l][0]

    jacobian = torch.autograd.functional.jacobian(coefficients, frame)  # (2l+1, 6, atom, xyz)
    got = jacobian.permute(2, 3, 0, 1).numpy()
    assert (
        np.abs(got - want).max() <= 10 * ABSOLUTE
    )  # derivatives are about 1/s^2 = 25 times larger


def test_radial_integrals_agree(frames: dict[str, NDArray[np.float64]]) -> None:
    r = torch.tensor(frames["radial_r"])
    functions = Gto(n_radial=6, max_angular=3).functions(2.0, GaussianDensity(width=0.2))
    got = functions(r.square()) * r[:, None, None] ** torch.arange(4)[None, :, None]
    assert np.abs(got.numpy().transpose(1, 0, 2) - frames["radial_I_lrn"]).max() <= ABSOLUTE


def test_cutoff_function_agrees(frames: dict[str, NDArray[np.float64]]) -> None:
    got = shifted_cosine(torch.tensor(frames["cutoff_r"]), radius=2.0, width=0.1).numpy()
    assert np.abs(got - frames["cutoff_f"]).max() <= 8 * EPS * 2.0 / 0.1


def test_coupling_tables_agree_including_the_sign_of_odd_paths(
    frames: dict[str, NDArray[np.float64]],
) -> None:
    for name in (key for key in frames if key.startswith("cg_")):
        l1, l2, big_l = (int(digit) for digit in name[3:])
        got = real_clebsch_gordan(l1, l2, big_l).numpy()
        assert np.abs(got - frames[name]).max() <= 2 * EPS, name


def test_power_spectrum_agrees(density: Density, frames: dict[str, NDArray[np.float64]]) -> None:
    got = DensityCorrelations(max_angular=3, nu=2)(density).numpy()
    assert np.abs(got - frames["soap_nu2_values"]).max() <= ABSOLUTE


def test_bispectrum_agrees(density: Density, frames: dict[str, NDArray[np.float64]]) -> None:
    got = DensityCorrelations(max_angular=3, nu=3)(density).numpy()
    assert np.abs(got - frames["bispectrum"].reshape(8, -1)).max() <= ABSOLUTE


def test_triplet_features_agree_in_order_and_value(density: Density) -> None:
    golden = load("triplets_frame0.npz")
    assert [tuple(path) for path in golden["triples"].tolist()] == triplet_paths(3)
    got = TripletFeatures(max_angular=3)(density[:1]).dense()[0].numpy()
    assert got.shape == (7, 7, 7344)
    # index 0 of the file is the centre itself, whose features vanish
    assert np.abs(got - golden["features"][0, 1:, 1:]).max() <= ABSOLUTE
    assert not golden["features"][0, 0].any()


@pytest.mark.parametrize("l", range(4))
def test_three_species_in_the_cutoff_shell_at_poles_and_near_the_centre(l: int) -> None:
    probe = load("probe.npz")
    vectors = torch.tensor(probe["positions"][1:] - probe["positions"][0])
    species = torch.tensor(probe["types"][1:])
    expansion = SphericalExpansion(
        cutoff=ShiftedCosine(radius=2.0, width=0.1),
        density=GaussianDensity(width=0.2),
        basis=Gto(n_radial=6, max_angular=3),
        species=(5, 6, 7),
    )
    got = expansion(Environments.from_vectors(vectors, species, radius=2.0, center_species=5))
    want = np.concatenate([probe[f"paper_rho_l{l}_nb{a}"] for a in (5, 6, 7)], axis=1)
    assert np.abs(got.rho[l][0].numpy() - want).max() <= ABSOLUTE
    by_pair = got.g[l][0].unflatten(-1, (3, 6)).sum(dim=2).numpy()
    present = probe[f"paper_g_l{l}_present"][1:]
    assert np.array_equal(present, got.mask[0].numpy())
    assert np.abs(by_pair[present] - probe[f"paper_g_l{l}"][1:][present]).max() <= ABSOLUTE
