"""Energy models: the paper's layers, their symmetries and what they cannot see."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import Tensor, nn

from symtrip.data import B8Pairs
from symtrip.environments import Environments
from symtrip.errors import InputError
from symtrip.models import (
    EnergyHead,
    EnergyModel,
    ExpansionSettings,
    InvariantEnergy,
    ModelSpec,
    NetworkSettings,
    PairFeatures,
    RowGroupNorm,
    TripletEnergy,
    build_energy,
    fit_descriptor,
)

EPS = torch.finfo(torch.float64).eps
SMALL = ExpansionSettings(n_radial=3, max_angular=2)


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def random_pairs(n: int = 3, environments: int = 4) -> PairFeatures:
    total, apart = n * (n + 1) // 2, n * (n - 1) // 2
    draw = generator(7)
    return PairFeatures(
        symmetric=torch.randn(environments, total, 6, dtype=torch.float64, generator=draw),
        antisymmetric=torch.randn(environments, apart, 4, dtype=torch.float64, generator=draw),
        mask=torch.ones(environments, total, dtype=torch.bool),
        n_even=(4, 2),
    )


def triplet_energy(**options: bool) -> TripletEnergy:
    return TripletEnergy((4, 2, 2, 2), 8, generator=generator(), **options).double()


@pytest.fixture(scope="module", params=["B_L", "B_NL", "D_L", "D_NL"])
def model(request: pytest.FixtureRequest) -> EnergyModel:
    name = request.param
    expansion = SMALL.build()
    positions = B8Pairs.load().positions[:10].flatten(0, 1)
    density = expansion(Environments.from_positions(positions, 5, radius=2.0))
    descriptor = fit_descriptor(name, lambda: [density], SMALL, 20, generator=generator())
    spec = ModelSpec.describing(
        descriptor,
        model=name,
        expansion=SMALL,
        network=NetworkSettings(hidden=16),
        pairs_per_environment=49,
    )
    return EnergyModel(spec, descriptor, build_energy(spec, generator(1)).double())


def energies(model: EnergyModel, positions: Tensor) -> Tensor:
    return model(Environments.from_positions(positions, 5, radius=2.0)).detach()


def test_row_group_norm_is_group_norm() -> None:
    ours, theirs = RowGroupNorm(4, 16).double(), nn.GroupNorm(4, 16).double()
    x = torch.randn(9, 16, dtype=torch.float64, generator=generator())
    assert (ours(x) - theirs(x)).abs().max() <= 64 * EPS


def test_the_head_has_the_archived_layers() -> None:
    shapes = [tuple(p.shape) for p in EnergyHead(512, 128).parameters()]
    hidden = [(128, 512), (128,), (128,), (128,), (128, 128), (128,), (128,), (128,)]
    assert shapes == [*hidden, (1, 128), (1,)]
    linear = [tuple(p.shape) for p in EnergyHead(512, 128, nonlinear=False).parameters()]
    assert linear == [(128, 512), (128,), (1, 128), (1,)]


def test_the_sum_runs_over_all_ordered_pairs() -> None:
    pairs, energy = random_pairs(), triplet_energy()
    every = energy.head(pairs.ordered())
    want = every.sum(dim=(1, 2)) / energy.pairs_per_environment
    assert (energy(pairs) - want).abs().max() <= 64 * EPS * every.abs().sum(dim=(1, 2)).max()


def test_padded_pairs_do_not_count_and_leave_finite_gradients() -> None:
    pairs, energy = random_pairs(), triplet_energy()
    padded = PairFeatures(
        symmetric=torch.where(pairs.mask[:, :, None], pairs.symmetric, 0.0),
        antisymmetric=pairs.antisymmetric,
        mask=torch.zeros_like(pairs.mask),
        n_even=pairs.n_even,
    )
    value = energy(padded)
    assert torch.equal(value, torch.zeros_like(value))
    value.sum().backward()
    assert all(p.grad is None or p.grad.isfinite().all() for p in energy.parameters())


@pytest.mark.parametrize("symmetric", [False, True])
def test_only_symmetrised_models_ignore_inversion(symmetric: bool) -> None:
    pairs, energy = random_pairs(), triplet_energy(inversion_symmetric=symmetric)
    difference = (energy(pairs) - energy(pairs.inverted())).abs().max()
    if symmetric:
        assert difference <= 64 * EPS * energy(pairs).abs().max()
    else:
        assert difference >= 1e-3
    invariants = torch.randn(5, 6, dtype=torch.float64, generator=generator(3))
    head = InvariantEnergy(6, 4, 8, inversion_symmetric=symmetric, generator=generator()).double()
    flipped = torch.cat([invariants[:, :4], -invariants[:, 4:]], dim=1)
    difference = (head(invariants) - head(flipped)).abs().max()
    assert difference <= 64 * EPS if symmetric else difference >= 1e-3


def test_only_the_nonlinear_triplet_model_separates_pairs(model: EnergyModel) -> None:
    values = energies(model, B8Pairs.load().positions[10:20].flatten(0, 1))
    apart = (values[0::2] - values[1::2]).abs()
    spread = values.std()
    if model.spec.model == "B_NL":
        assert apart.median() >= 1e-6 * spread
    else:
        # compressed features of unit size carry eps per column; the spread of an untrained
        # network's outputs is some 1e-2 of that size
        assert apart.max() <= 1e4 * EPS * values.abs().max()


def test_energies_are_invariant_under_rotation_and_permutation(model: EnergyModel) -> None:
    positions = B8Pairs.load().positions[12].clone()
    c, s = 0.6, 0.8
    turn = torch.tensor([[c, -s, 0], [s * c, c * c, -s], [s * s, c * s, c]], dtype=torch.float64)
    want = energies(model, positions)
    for moved in (positions @ turn.T, positions[:, [0, 3, 2, 1, 7, 5, 6, 4]]):
        assert (energies(model, moved) - want).abs().max() <= 1e4 * EPS * want.abs().max()


def test_forces_are_finite_and_match_finite_differences(model: EnergyModel) -> None:
    positions = B8Pairs.load().positions[13, 0].clone().requires_grad_()
    energy = model(Environments.from_positions(positions, 5, radius=2.0)).sum()
    (gradient,) = torch.autograd.grad(energy, positions)
    assert gradient.isfinite().all()
    step = 1e-5
    for atom, axis in ((0, 0), (4, 2), (7, 1)):
        moved = positions.detach().clone()
        values = []
        for sign in (1, -1):
            moved[atom, axis] += sign * step
            values.append(energies(model, moved).sum())
            moved[atom, axis] -= sign * step
        slope = (values[0] - values[1]) / (2 * step)
        # central differences: h^2 f'''/6 with f''' ~ (1/s)^3 f, and eps f / h
        assert abs(slope - gradient[atom, axis]) <= 1e-6 * gradient.abs().max() + 1e-10


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_model_survives_its_file(model: EnergyModel, dtype: torch.dtype, tmp_path) -> None:
    positions = B8Pairs.load().positions[14]
    saved = copy.deepcopy(model).to(dtype)
    saved.save(tmp_path / "model.safetensors")
    loaded = EnergyModel.load(tmp_path / "model.safetensors")
    assert torch.equal(energies(loaded, positions), energies(saved, positions))


def test_damaged_and_foreign_model_files_are_named(tmp_path) -> None:
    with pytest.raises(InputError, match=r"`path` must name an existing file"):
        EnergyModel.load(tmp_path / "absent.safetensors")
    (tmp_path / "broken.safetensors").write_bytes(b"\x08\x00\x00")
    with pytest.raises(InputError, match=r"`path` must name an intact safetensors file"):
        EnergyModel.load(tmp_path / "broken.safetensors")


def test_widths_that_the_groups_do_not_divide_are_refused() -> None:
    with pytest.raises(InputError, match=r"`hidden` must be a multiple of the 4"):
        EnergyHead(6, 10)
