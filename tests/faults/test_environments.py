"""Bad structures, hyperparameters and files are refused with the rule, the value and the remedy."""

from __future__ import annotations

import inspect
import math
from dataclasses import fields
from pathlib import Path

import ase
import ase.io
import numpy as np
import pytest
import torch

from symtrip.correlations import DensityCorrelations
from symtrip.coupling import ClebschGordanProduct, real_clebsch_gordan
from symtrip.environments import Environments
from symtrip.errors import InputError
from symtrip.expansion import (
    GaussianDensity,
    Gto,
    Monomials,
    ShiftedCosine,
    SphericalExpansion,
    shifted_cosine,
)
from symtrip.neighbors import atomic_numbers, chosen_centers
from symtrip.triplets import TripletFeatures, triplet_paths

PAIR = torch.tensor([[1.0, 0.0, 0.0], [0.0, 1.2, 0.0]], dtype=torch.float64)


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_positions_must_be_finite(bad: float) -> None:
    vectors = PAIR.clone()
    vectors[1, 2] = bad
    with pytest.raises(InputError, match=r"`vectors` must be finite.*1 neighbour.*remove"):
        Environments.from_vectors(vectors, radius=2.0)
    positions = torch.cat([torch.zeros(1, 3).double(), vectors])
    with pytest.raises(InputError, match=r"must be finite"):
        Environments.from_positions(positions, 1, radius=2.0)
    with pytest.raises(InputError, match=r"`frames\[0\].positions` must be finite"):
        Environments.from_atoms(ase.Atoms("H3", positions.numpy()), radius=2.0)


def test_a_neighbour_may_not_sit_on_its_centre() -> None:
    vectors = torch.cat([PAIR, torch.zeros(1, 3).double()])
    with pytest.raises(InputError, match=r"apart from its centre.*distance 0.*leave the centre"):
        Environments.from_vectors(vectors, radius=2.0)


def test_two_neighbours_may_not_coincide() -> None:
    with pytest.raises(InputError, match=r"neighbours of one centre apart.*1 coincident pair"):
        Environments.from_vectors(torch.cat([PAIR, PAIR[:1]]), radius=2.0)
    # coordinates in common, two neighbours in all three of them, or so far out that none is there
    grid = torch.cartesian_prod(*[torch.tensor([-0.5, 0.0, 0.5, 9.0]).double()] * 3)
    grid = grid[grid.norm(dim=1) > 0][
        torch.randperm(63, generator=torch.Generator().manual_seed(0))
    ]
    assert int(Environments.from_vectors(grid, radius=2.0).mask.sum()) == 26
    far = torch.cat([grid, torch.full((2, 3), 9.0).double()])
    assert int(Environments.from_vectors(far, radius=2.0).mask.sum()) == 26
    for row in torch.nonzero(grid.norm(dim=1) < 2.0).flatten().tolist():
        with pytest.raises(InputError, match=r"1 coincident pair"):
            Environments.from_vectors(torch.cat([grid, grid[row : row + 1]]), radius=2.0)


def test_coincident_atoms_of_a_structure_are_refused() -> None:
    fine = ase.Atoms("B2", [[0, 0, 0], [1, 0, 0]])
    atoms = ase.Atoms("B3", [[0, 0, 0], [1, 0, 0], [1, 0, 0]])
    with pytest.raises(InputError, match=r"`frames\[1\]\.positions`.*atoms 1 and 2 in one place"):
        Environments.from_atoms([fine, atoms], radius=2.0, centers=0)
    with pytest.raises(InputError, match=r"atoms 1 and 2 in one place"):
        Environments.from_atoms(atoms, radius=2.0, centers=1)


@pytest.mark.parametrize(
    ("cell", "pbc"),
    [
        ([0, 0, 0], True),
        ([math.nan, 3, 3], True),
        ([[3, 0, 0], [0, 3, 0], [3, 3, 0]], True),
        ([[1, 1, 0], [1, 1 + 1e-9, 0], [0, 0, 3]], True),
        ([0, 3, 3], [True, True, False]),
    ],
)
def test_a_periodic_structure_needs_a_cell(cell: list[object], pbc: object) -> None:
    fine = ase.Atoms("B2", [[0, 0, 0], [1, 0, 0]])
    atoms = ase.Atoms("B2", [[0, 0, 0], [1, 0, 0]], cell=cell, pbc=pbc)
    with pytest.raises(InputError, match=r"`frames\[1\]\.cell` must have finite.*set pbc to False"):
        Environments.from_atoms([fine, atoms], radius=2.0)


def test_cell_vectors_without_periodicity_do_not_matter() -> None:
    positions = [[0, 0, 0], [1, 0, 0]]
    wire = ase.Atoms("B2", positions, cell=[3, 0, 0], pbc=[True, False, False])
    assert Environments.from_atoms(wire, radius=2.5).mask.sum() == 4
    cluster = ase.Atoms("B2", positions, cell=[math.nan, 0, 0])
    assert Environments.from_atoms(cluster, radius=2.5).mask.sum() == 2


def test_a_centre_without_neighbours_is_named_unless_kept() -> None:
    atoms = ase.Atoms("B3", [[0, 0, 0], [1, 0, 0], [9, 0, 0]])
    with pytest.raises(InputError, match=r"atom 2 of structure 0; raise `radius`.*isolated="):
        Environments.from_atoms(atoms, radius=2.0)
    kept = Environments.from_atoms(atoms, radius=2.0, isolated="keep")
    assert kept.mask.any(dim=1).tolist() == [True, True, False]


@pytest.mark.parametrize("radius", [0.0, -1.0, math.nan, math.inf])
def test_the_cutoff_radius_must_be_positive_and_finite(radius: float) -> None:
    with pytest.raises(InputError, match=r"`radius` must be a finite distance > 0 Å"):
        Environments.from_vectors(PAIR, radius=radius)
    with pytest.raises(InputError, match=r"`radius` must be a finite distance > 0 Å"):
        shifted_cosine(PAIR, radius=radius, width=0.1)


@pytest.mark.parametrize("width", [0.0, -0.1, 5.0, math.nan])
def test_the_smoothing_width_must_fit_in_the_radius(width: float) -> None:
    with pytest.raises(InputError, match=r"`width` must satisfy 0 < width <= radius = 4.0 Å"):
        ShiftedCosine(radius=4.0, width=width)


@pytest.mark.parametrize("width", [0.0, -0.2, math.nan, math.inf])
def test_the_density_must_have_a_positive_width(width: float) -> None:
    with pytest.raises(InputError, match=r"`width` must be a finite length > 0 Å"):
        GaussianDensity(width=width)


@pytest.mark.parametrize("basis", [Gto, Monomials])
def test_counts_may_not_be_negative(basis: type[Gto] | type[Monomials]) -> None:
    with pytest.raises(InputError, match=r"`n_radial` must be an integer >= 1, got 0"):
        basis(n_radial=0, max_angular=3)
    with pytest.raises(InputError, match=r"`max_angular` must be an integer >= 0, got -1"):
        basis(n_radial=6, max_angular=-1)


@pytest.mark.parametrize(("radius", "width"), [(2.0, 1e-300), (1e9, 0.2), (1e300, 1e-300)])
def test_a_density_too_narrow_for_the_radius_is_refused_at_once(
    radius: float, width: float
) -> None:
    with pytest.raises(InputError, match=r"`width` must be resolvable.*lower `radius`"):
        SphericalExpansion(
            cutoff=ShiftedCosine(radius=radius, width=0.1),
            density=GaussianDensity(width=width),
            basis=Gto(n_radial=2, max_angular=1),
            species=[5],
        )


def test_too_many_gtos_are_refused_before_they_become_singular() -> None:
    with pytest.raises(InputError, match=r"`n_radial` must be at most 20"):
        Gto(n_radial=21, max_angular=0)


@pytest.mark.parametrize("shape", [(2,), (2, 2), (1, 2, 3, 3)])
def test_vectors_must_have_three_coordinates(shape: tuple[int, ...]) -> None:
    with pytest.raises(InputError, match=r"`vectors` must be a tensor of shape \(E, N, 3\)"):
        Environments.from_vectors(torch.ones(shape), radius=2.0)


@pytest.mark.parametrize("dtype", [torch.int64, torch.float16, torch.complex64])
def test_only_single_and_double_precision_are_accepted(dtype: torch.dtype) -> None:
    with pytest.raises(InputError, match=r"`vectors` must be float32 or float64"):
        Environments.from_vectors(PAIR.to(dtype), radius=2.0)


def test_species_must_be_given_for_every_neighbour() -> None:
    with pytest.raises(InputError, match=r"`species` must have shape"):
        Environments.from_vectors(PAIR, [5, 5, 5], radius=2.0)
    with pytest.raises(InputError, match=r"`species` must hold atomic numbers >= 1"):
        Environments.from_vectors(PAIR, [5, 0], radius=2.0)


def test_centres_must_exist() -> None:
    with pytest.raises(InputError, match=r"`centers` must hold indices 0 <= i < 2"):
        Environments.from_atoms(ase.Atoms("H2", [[0, 0, 0], [1, 0, 0]]), radius=2.0, centers=2)
    twice = ase.Atoms("H2", [[0, 0, 0], [1, 0, 0]])
    with pytest.raises(InputError, match=r"`centers` must name every atom once, got \[0, 0\]"):
        Environments.from_atoms(twice, radius=2.0, centers=[0, 0])


def test_centres_are_integers() -> None:
    choose = inspect.unwrap(chosen_centers)  # without the type checks of this test suite
    for wrong in (1.7, [0.0, 1.0], np.array([False, True]), True, [[0], [1]], [[0], [1, 2]], "all"):
        with pytest.raises(InputError, match=r"`centers` must be one integer or a list of them"):
            choose(wrong, 2)
    for right in (1, np.int64(1), (1,), np.array([1]), torch.tensor([1]), range(1, 2)):
        assert choose(right, 2) == [1]


@pytest.mark.parametrize("symbols", ["B", ["B", "N"], [[5], [5, 7]]])
def test_symbols_of_elements_are_no_atomic_numbers(symbols) -> None:
    check = inspect.unwrap(atomic_numbers)  # without the type checks of this test suite
    with pytest.raises(InputError, match=r"`species` must hold integers.*such as 5 for boron"):
        check("species", symbols, torch.device("cpu"))


@pytest.mark.parametrize("numbers", [torch.tensor(5.0), torch.tensor([5.0, 5.7]), True])
def test_atomic_numbers_are_integers(numbers) -> None:
    positions = torch.tensor([[[0.0, 0.0, 0.0], [1.0, 0.0, 0.0]]])
    with pytest.raises(InputError, match="`numbers` must hold integers"):
        Environments.from_positions(positions, numbers, radius=2.0)
    with pytest.raises(InputError, match="`species` must hold integers"):
        Environments.from_vectors(positions[:, 1:], torch.tensor([1.5]), radius=2.0)
    with pytest.raises(InputError, match="`center_species` must hold integers"):
        Environments.from_vectors(
            positions[:, 1:], 1, radius=2.0, center_species=torch.tensor([1.5])
        )


def test_no_structures_at_all_are_refused() -> None:
    with pytest.raises(InputError, match=r"`frames` must hold at least one structure"):
        Environments.from_atoms([], radius=2.0)
    with pytest.raises(InputError, match=r"`frames\[0\]` must hold at least one atom"):
        Environments.from_atoms(ase.Atoms(), radius=2.0)


def test_atoms_of_no_element_are_named() -> None:
    atoms = ase.Atoms("BX", positions=[[0, 0, 0], [0, 0, 1.0]])
    known = ase.Atoms("B2", positions=atoms.positions)
    with pytest.raises(InputError, match=r"`frames\[1\].numbers` must be .*got X for atom 1"):
        Environments.from_atoms([known, atoms], radius=2.0)


def test_types_by_name_are_refused() -> None:
    build = inspect.unwrap(Environments.from_atoms.__func__)  # without this suite's type checks
    atoms = ase.Atoms("B2", positions=[[0, 0, 0], [0, 0, 1.0]])
    with pytest.raises(InputError, match=r"`dtype` must be float32 or float64, got 'float32'"):
        build(Environments, atoms, radius=2.0, dtype="float32")


def test_unknown_species_are_named() -> None:
    env = Environments.from_vectors(PAIR, [5, 8], radius=2.0)
    with pytest.raises(InputError, match=r"`species` .*got \[8\] besides \[5\]; add them"):
        SphericalExpansion.b8()(env)


def test_the_radii_of_environment_and_expansion_must_agree() -> None:
    env = Environments.from_vectors(PAIR, 5, radius=3.0)
    with pytest.raises(InputError, match=r"`environments.radius` must equal the cutoff radius 2.0"):
        SphericalExpansion.b8()(env)


@pytest.mark.parametrize("species", [(), (5, 5), (0,)])
def test_the_species_list_must_be_a_set_of_atomic_numbers(species: tuple[int, ...]) -> None:
    with pytest.raises(InputError, match=r"`species` must hold distinct atomic numbers >= 1"):
        SphericalExpansion(
            cutoff=ShiftedCosine(radius=2.0, width=0.1),
            density=GaussianDensity(width=0.2),
            basis=Gto(n_radial=1, max_angular=0),
            species=species,
        )


def test_angular_momenta_may_not_be_negative() -> None:
    with pytest.raises(InputError, match=r"`l2` must be an integer >= 0, got -1"):
        real_clebsch_gordan(1, -1, 0)
    with pytest.raises(InputError, match=r"`max_angular` must be an integer >= 0"):
        triplet_paths(-1)
    with pytest.raises(InputError, match=r"`first` must be a non-empty list"):
        ClebschGordanProduct([], [(0, 1)])


@pytest.mark.parametrize("nu", [0, -1])
def test_the_correlation_order_starts_at_one(nu: int) -> None:
    with pytest.raises(InputError, match=r"`nu` must be an integer >= 1"):
        DensityCorrelations(max_angular=3, nu=nu)


@pytest.mark.parametrize("value", [True, -1])
def test_limits_of_angular_momenta_are_integers(value: int) -> None:
    with pytest.raises(InputError, match=r"`max_angular` must be an integer >= 0, got"):
        DensityCorrelations(max_angular=value, nu=2)
    with pytest.raises(InputError, match=r"`max_lambda` must be an integer >= 0, got"):
        DensityCorrelations(max_angular=1, nu=2, max_lambda=value)


def test_feature_modules_refuse_a_density_of_another_size() -> None:
    density = SphericalExpansion.b8()(Environments.from_vectors(PAIR, 5, radius=2.0))
    for module in (TripletFeatures(max_angular=2), DensityCorrelations(max_angular=2, nu=2)):
        with pytest.raises(InputError, match=r"`density` must have max_angular = 2, got 3"):
            module(density)


@pytest.mark.parametrize("arguments", [("meta",), (torch.device("meta"),), (None, "meta")])
def test_environments_move_as_a_whole_however_the_device_is_named(
    arguments: tuple[torch.device | str | None, ...],
) -> None:
    env = Environments.from_vectors(PAIR, 5, radius=2.0).to(*arguments)
    moved = [getattr(env, f.name) for f in fields(env) if f.name != "radius"]
    assert {x.device.type for x in moved} == {"meta"}


def test_masks_and_species_of_centres_must_fit() -> None:
    for mask in (
        torch.ones(1, 2),
        torch.ones(1, 2, dtype=torch.bool, device="meta"),
    ):
        with pytest.raises(
            InputError, match=r"`mask` must be a bool tensor of shape \(1, 2\) on cpu"
        ):
            Environments.from_vectors(PAIR, 5, radius=2.0, mask=mask)
    with pytest.raises(InputError, match=r"`center_species` must have shape \(\) or \(1,\)"):
        Environments.from_vectors(PAIR, 5, radius=2.0, center_species=torch.tensor([1, 2]))


def test_a_missing_extxyz_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"`path` must name an existing file"):
        Environments.from_extxyz(tmp_path / "absent.xyz", radius=2.0)


@pytest.mark.parametrize(
    "content", ["", "3\nProperties=species:S:1:pos:R:3\nB 0 0 0\n", "nonsense"]
)
def test_an_unreadable_extxyz_file_is_named(content: str, tmp_path: Path) -> None:
    path = tmp_path / "broken.xyz"
    path.write_text(content)
    with pytest.raises(InputError, match=r"`path` must .*broken.xyz"):
        Environments.from_extxyz(path, radius=2.0)


def test_extxyz_and_atoms_give_the_same_environments(tmp_path: Path) -> None:
    atoms = ase.Atoms("B3", [[0, 0, 0], [1.1, 0, 0], [0, 1.3, 0.2]])
    ase.io.write(tmp_path / "good.xyz", atoms, format="extxyz")
    read = Environments.from_extxyz(tmp_path / "good.xyz", radius=2.0)
    want = Environments.from_atoms(atoms, radius=2.0)
    assert torch.equal(read.neighbor, want.neighbor)
    assert (read.vectors - want.vectors).abs().max() <= 1e-8  # extxyz keeps eight decimals
