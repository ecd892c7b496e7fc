"""The fast catalogue: agrees with the exact one, differentiable, samples what it promises."""

from __future__ import annotations

import ase.io
import hypothesis.strategies as st
import pytest
import sympy
import torch
from hypothesis import given
from symtrip_reference.catalogue import load_catalogue

from symtrip.degenerate import Family, b8_pair, families, family, write_pairs
from symtrip.degenerate.sampling import shortest_distance

IDS = [f.id for f in families()]
MERGING = [f.id for f in families() if f.merge is not None]
EXACT = load_catalogue()
EPS = {torch.float32: torch.finfo(torch.float32).eps, torch.float64: torch.finfo(torch.float64).eps}


def exact_positions(exact, center):
    rows = [[float(x) for x in point] for point in exact.points]
    return torch.tensor([[0.0, 0.0, 0.0]] * center + rows, dtype=torch.float64)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("name", IDS)
def test_positions_equal_the_exact_ones(name, dtype):
    chosen = family(name)
    exact_family = EXACT[name]
    for row in torch.stack([chosen.vector(), *chosen.sample(2)]).to(dtype):
        rationals = {
            p.name: sympy.Rational(value)
            for p, value in zip(chosen.parameters, row.tolist(), strict=True)
        }
        for member, exact in zip(chosen.members(row), exact_family.members(rationals), strict=True):
            want = exact_positions(exact, chosen.has_center)
            error = (member.positions.to(torch.float64) - want).abs().max()
            # 1.4 eps of the largest coordinate measured over 10 members of every family.
            assert error <= 4 * EPS[dtype] * want.abs().max()


@pytest.mark.parametrize("name", IDS)
def test_positions_have_finite_derivatives_everywhere_on_the_way_to_the_merge_point(name):
    chosen = family(name)
    rows = [chosen.vector(), *chosen.sample(3)]
    if chosen.merge is not None:
        rows.append(chosen.merge_path(1.0))
    parameters = torch.stack(rows).requires_grad_()
    plus, minus = chosen.members(parameters)
    tensors = [t for m in (plus, minus) for t in (m.positions, m.cell) if t is not None]
    generator = torch.Generator().manual_seed(0)
    weights = [torch.rand(t.shape, generator=generator, dtype=t.dtype) for t in tensors]
    sum((t * w).sum() for t, w in zip(tensors, weights, strict=True)).backward()
    assert torch.isfinite(parameters.grad).all()
    assert (parameters.grad != 0).any(dim=0).all()


@pytest.mark.parametrize("name", IDS)
def test_a_batch_gives_what_its_rows_give(name):
    chosen = family(name)
    rows = chosen.sample(6).reshape(2, 3, -1)
    batch = chosen.members(rows)
    for side in (0, 1):
        single = chosen.members(rows[1, 2])[side]
        assert torch.equal(batch[side].positions[1, 2], single.positions)
        assert (single.cell is None) == (batch[side].cell is None)
        assert single.cell is None or torch.equal(batch[side].cell[1, 2], single.cell)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_dtype_follows_the_parameters_or_the_argument(dtype):
    chosen = family("nu3_paper_B8_family")
    assert chosen.members(chosen.vector(dtype=dtype))[0].positions.dtype == dtype
    assert chosen.members(dtype=dtype)[0].positions.dtype == dtype
    assert chosen.merge_path(torch.tensor(0.5, dtype=dtype)).dtype == dtype


@pytest.mark.parametrize("name", IDS)
def test_random_members_obey_their_rule(name):
    chosen = family(name)
    rows = chosen.sample(40, torch.Generator().manual_seed(3))
    low, high = (torch.tensor(ends) for ends in zip(*chosen.ranges.values(), strict=True))
    assert rows.shape == (40, len(chosen.parameters))
    assert ((rows >= low) & (rows <= high)).all()
    default = min(shortest_distance(m).item() for m in chosen.members())
    for member in chosen.members(rows):
        assert shortest_distance(member).min() >= default / 2
    least = 0.1 * chosen.exceptional_value().abs()
    assert (chosen.exceptional_value(rows).abs() >= least).all()


@given(st.integers(0, 20), st.integers(0, 2**63 - 1))
def test_equal_seeds_give_equal_members_and_longer_samples_start_alike(n, seed):
    chosen = family("nu2_family_generic_decorated")
    longer = chosen.sample(21, torch.Generator().manual_seed(seed))
    assert torch.equal(chosen.sample(n, torch.Generator().manual_seed(seed)), longer[:n])


def test_sampling_leaves_the_global_generator_alone():
    before = torch.get_rng_state()
    family("nu1_two_neighbours").sample(3)
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("name", MERGING)
def test_the_merge_path_leads_from_the_default_pair_to_the_exceptional_set(name):
    chosen = family(name)
    path = chosen.merge_path(torch.tensor([0.0, 0.5, 1.0], dtype=torch.float64))
    assert torch.equal(path[0], chosen.vector())
    values = chosen.exceptional_value(path).abs()
    assert values[1] > 0
    # The end is rational; its formula rounds once or twice.
    assert values[2] <= 16 * EPS[torch.float64] * values[0]


def test_without_its_centre_a_cluster_of_both_kinds_has_one_atom_less():
    chosen = family("dGNN_centrosymmetric_6")
    assert chosen.kind == "both"
    with_center, without = chosen.members()[0], chosen.members(center=False)[0]
    assert torch.equal(with_center.positions[1:], without.positions)
    assert torch.equal(with_center.numbers[1:], without.numbers)


def test_the_papers_family_is_the_b8_family():
    chosen = family("nu3_paper_B8_family")
    r, z1, z2, tpsi, t2, t3 = chosen.vector({"t3": 7 / 3}).tolist()
    psi, second, third = (2 * torch.tensor(t, dtype=torch.float64).atan() for t in (tpsi, t2, t3))
    parameters = torch.stack(
        [*torch.tensor([r, z1, z2], dtype=torch.float64), psi, second, third - second]
    )
    for member, want in zip(
        chosen.members(chosen.vector({"t3": 7 / 3})), b8_pair(parameters), strict=True
    ):
        # Angles are at most pi, so cos and sin of an arctangent lose 2 eps; 1.5 eps measured.
        assert (member.positions - want).abs().max() <= 8 * EPS[torch.float64]


@pytest.mark.parametrize("name", IDS)
def test_atoms_objects_hold_the_members(name):
    chosen = family(name)
    for atoms, member in zip(chosen.to_atoms(), chosen.members(), strict=True):
        assert (torch.from_numpy(atoms.positions) == member.positions).all()
        assert atoms.numbers.tolist() == member.numbers.tolist()
        assert atoms.pbc.all() == (chosen.kind == "periodic")
        assert ("center" in atoms.info) == chosen.has_center


@pytest.mark.parametrize("name", ["nu4_two_ring_Z12_13", "periodic_minkowski_sum_9", "PDD_5point"])
def test_written_pairs_are_read_back_bit_for_bit(name, tmp_path):
    chosen = family(name)
    rows = chosen.sample(3)
    write_pairs(chosen, rows, tmp_path / "pairs.extxyz")
    frames = ase.io.read(tmp_path / "pairs.extxyz", index=":")
    assert len(frames) == 6
    for number, frame in enumerate(frames):
        member = chosen.members(rows[number // 2])[number % 2]
        assert (torch.from_numpy(frame.positions) == member.positions).all()
        assert frame.numbers.tolist() == member.numbers.tolist()
        assert frame.info["member"] == ("plus", "minus")[number % 2]
        assert frame.info["pair"] == number // 2
        assert frame.pbc.all() == (member.cell is not None)
        assert member.cell is None or (torch.from_numpy(frame.cell[:]) == member.cell).all()
        assert [frame.info[p.name] for p in chosen.parameters] == rows[number // 2].tolist()


def test_families_are_read_only_once():
    assert families() is families()
    assert all(isinstance(f, Family) for f in families())
