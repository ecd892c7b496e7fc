"""The kernel between tagged pairs against a plain sum over pairs, and the regression on it."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
import torch
from torch import Tensor

from symtrip.data import B8Pairs
from symtrip.environments import Environments
from symtrip.errors import InputError
from symtrip.models import (
    ExpansionSettings,
    KernelModel,
    KernelSettings,
    KernelTerm,
    PairFeatures,
    PairKernel,
    PairKernelSettings,
    TripletDescriptor,
)
from symtrip.train import PairMoments, regress_pairs

EPS = torch.finfo(torch.float64).eps
SMALL = ExpansionSettings(n_radial=2, max_angular=2)
SETTINGS = (
    PairKernelSettings(expansion=SMALL, components=10, length=0.7),
    PairKernelSettings(expansion=SMALL, components=6, emphasis=-0.1, row_weight=1.0),
)
ROTATION = torch.linalg.qr(
    torch.randn(3, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
).Q


def environments(positions: Tensor) -> Environments:
    return Environments.from_positions(positions.reshape(-1, *positions.shape[-2:]), 5, radius=2.0)


def fitted(settings: PairKernelSettings, positions: Tensor) -> KernelTerm:
    expansion = settings.expansion
    density = expansion.build()(environments(positions))
    descriptor = TripletDescriptor.fit(
        lambda: [density],
        expansion.max_angular,
        settings.components,
        generator=torch.Generator().manual_seed(0),
    )
    term = KernelTerm(settings, descriptor.compression)
    term.kernel.fit(term.pairs(environments(positions)))
    return term


def model(pairs: B8Pairs, noise: float = 1e-8) -> KernelModel:
    settings = KernelSettings(terms=SETTINGS, noise=noise, difference_noise=1e-2 * noise)
    terms = [fitted(term, pairs.positions) for term in SETTINGS]
    support = pairs.positions.flatten(0, 1)
    rows = [term.rows(environments(support)) for term in terms]
    total = sum(term.kernel(x, x) for term, x in zip(terms, rows, strict=True)) / len(terms)
    found = regress_pairs(total, pairs.energies, settings.noise, settings.difference_noise)
    result = KernelModel(settings, terms, support, pairs.numbers)
    result.coefficients.copy_(found.coefficients)
    result.shift.fill_(found.shift)
    result.scale.fill_(found.scale)
    return result


@pytest.fixture(scope="module")
def pairs() -> B8Pairs:
    return B8Pairs.load().train.labelled.subset(slice(12))


def plain(term: KernelTerm, a: Tensor, b: Tensor) -> float:
    """All ordered pairs of B and of its mirror image, one by one."""
    kernel = term.kernel
    factors = kernel.factors.split(list(kernel.sections))
    # PairFeatures.ordered has symmetric columns first, even ones before odd ones: as sections
    factor = torch.cat(factors)
    total = 0.0
    left = term.pairs(environments(a)).ordered()[0] * factor
    for image in (b, -b):
        right = term.pairs(environments(image)).ordered()[0] * factor
        n = len(left)
        for j, k in itertools.combinations(range(n), 2):
            for m, o in itertools.permutations(range(n), 2):
                x, y = left[j, k], right[m, o]
                size = kernel.mean_square.sqrt()
                power = kernel.settings.row_weight
                weight = (x.norm() / size) ** power * (y.norm() / size) ** power
                distance = (x / x.norm() - y / y.norm()).square().sum()
                total += float(weight * torch.exp(-distance / (4.0 * kernel.settings.length**2)))
    return total / float(kernel.size)


@pytest.mark.parametrize("settings", SETTINGS)
def test_kernel_is_the_plain_sum_over_ordered_pairs_and_both_images(pairs, settings) -> None:
    positions = pairs.positions[:3]
    term = fitted(settings, positions)
    rows = term.rows(environments(positions[:, 0]))
    values = term.kernel(rows, rows)
    for i, j in itertools.product(range(3), repeat=2):
        wanted = plain(term, positions[i, 0], positions[j, 0])
        # 12 eps measured
        assert abs(float(values[i, j]) - wanted) <= 64 * EPS * wanted


@pytest.mark.parametrize("settings", SETTINGS)
def test_kernel_does_not_change_under_rotation_inversion_and_order_of_neighbours(
    pairs, settings
) -> None:
    positions = pairs.positions.flatten(0, 1)
    term = fitted(settings, positions)
    rows = term.rows(environments(positions))
    value = term.kernel(rows, rows)
    order = torch.tensor([0, 5, 3, 7, 1, 2, 6, 4])  # atom 0 is the centre
    for moved in (positions @ ROTATION.T, -positions, positions[:, order]):
        other = term.kernel(term.rows(environments(moved)), rows)
        # features lose digits to rotation: 150 eps measured
        assert (other - value).abs().max() <= 1024 * EPS * value.abs().max()


def test_kernel_is_positive_semidefinite_and_separates_the_members_of_a_pair(pairs) -> None:
    positions = pairs.positions.flatten(0, 1)
    term = fitted(SETTINGS[0], positions)
    rows = term.rows(environments(positions))
    value = term.kernel(rows, rows)
    assert torch.linalg.eigvalsh(value)[0] >= -64 * EPS * torch.linalg.norm(value)
    a, b = value[0::2, 0::2].diagonal(), value[1::2, 1::2].diagonal()
    distance = a + b - 2.0 * value[0::2, 1::2].diagonal()
    distinct = pairs.exceptional_distance() > 0.05
    assert distinct.sum() >= 8
    assert distance[distinct].min() > 1024 * EPS * a.max()


def test_blocks_and_padding_change_nothing_and_lonely_atoms_add_nothing(pairs) -> None:
    term = fitted(SETTINGS[0], pairs.positions)
    many = term.rows(environments(pairs.positions))
    value = term.kernel(many, many)  # 24 environments are three blocks
    lines = torch.cat([term.kernel(many[i : i + 1], many) for i in range(len(many))])
    assert (value - lines).abs().max() <= 64 * EPS * value.max()
    assert term.kernel(many, many[:0]).shape == (24, 0)
    assert term.kernel(many[:0], many).shape == (0, 24)

    apart = pairs.positions[0, 0].clone()
    apart[5:] += 9.0
    distant = torch.stack([apart, pairs.positions[0, 0]])
    padded, full = term.rows(environments(distant)), term.rows(environments(apart[:5]))
    difference = term.kernel(padded[:1], many) - term.kernel(full, many)
    assert difference.abs().max() <= 64 * EPS * value.max()
    alone = Environments.from_positions(
        torch.zeros(1, 1, 3, dtype=torch.float64), 5, radius=2.0, isolated="keep"
    )
    lonely = term.rows(alone)
    assert (term.kernel(lonely, many) == 0.0).all()


def test_single_precision_follows_its_input(pairs) -> None:
    term = fitted(SETTINGS[0], pairs.positions)
    double = term.pairs(environments(pairs.positions[:2]))
    single = double.to(dtype=torch.float32)
    rows = term.kernel.rows(single)
    value = term.kernel(rows, rows)
    assert value.dtype == torch.float32
    wanted = term.kernel(term.kernel.rows(double), term.kernel.rows(double))
    assert (value - wanted).abs().max() <= 64 * torch.finfo(torch.float32).eps * wanted.max()


def test_energies_of_the_model_follow_the_labels_and_forces_are_their_derivatives(pairs) -> None:
    found = model(pairs)
    value = found(environments(pairs.positions))
    assert (value - pairs.energies.flatten()).abs().max() <= 1e-4
    points = B8Pairs.load().validation.positions[:1, 0].clone().requires_grad_()
    (gradient,) = torch.autograd.grad(found(environments(points)).sum(), points)
    direction = torch.randn(
        points.shape, dtype=torch.float64, generator=torch.Generator().manual_seed(2)
    )
    step = 1e-3  # with smaller ones the rounding of the energies, 1e-9, decides
    with torch.no_grad():
        ends = [found(environments(points + s * step * direction)) for s in (-2, -1, 1, 2)]
    slope = float((ends[0] - 8 * ends[1] + 8 * ends[2] - ends[3]).sum() / (12 * step))
    assert abs(slope - float((gradient * direction).sum())) <= 1e-6 * float(gradient.norm())


def test_left_out_energies_are_those_of_separate_fits() -> None:
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(14, 20, dtype=torch.float64, generator=generator)
    kernel = x @ x.T / 20
    energies = torch.randn(7, 2, dtype=torch.float64, generator=generator)
    found = regress_pairs(kernel, energies, 1e-2, 1e-3)
    shift, scale = energies.mean(), energies.std(correction=0)
    y = ((energies - shift) / scale).flatten()
    # noise of members: (E+ + E-) / sqrt 2 and (E+ - E-) / sqrt 2 are independent
    rows = [[1e-2 + 1e-3, 1e-2 - 1e-3], [1e-2 - 1e-3, 1e-2 + 1e-3]]
    block = 0.5 * torch.tensor(rows, dtype=torch.float64)
    noisy = kernel + torch.block_diag(*[block] * 7)
    wanted = torch.linalg.solve(noisy, y)
    assert (found.coefficients - wanted).abs().max() <= 1e-10 * wanted.abs().max()
    for pair in range(7):
        out = torch.tensor([2 * pair, 2 * pair + 1])
        rest = torch.tensor([i for i in range(14) if i // 2 != pair])
        predicted = kernel[out][:, rest] @ torch.linalg.solve(noisy[rest][:, rest], y[rest])
        assert (found.left_out[pair] - (shift + scale * predicted)).abs().max() <= 1e-8


@pytest.mark.parametrize("q", [5, 40])
@pytest.mark.parametrize("noises", [(1e-2, 1e-3), (1e-3, 1e-2)])
def test_a_linear_regression_is_that_of_its_kernel(q: int, noises: tuple[float, float]) -> None:
    generator = torch.Generator().manual_seed(q)
    x = 3.0 + torch.randn(7, 2, q, dtype=torch.float64, generator=generator)
    energies = torch.randn(7, 2, dtype=torch.float64, generator=generator)
    factors = torch.linspace(0.5, 2.0, q, dtype=torch.float64)
    other = torch.randn(3, q, dtype=torch.float64, generator=generator)
    got = PairMoments(x, energies).solve(*noises, factors)
    center = x.flatten(0, 1).mean(dim=0)
    rows, more = (x.flatten(0, 1) - center) * factors, (other - center) * factors
    size = rows.square().sum(dim=1).mean()
    found = regress_pairs(rows @ rows.T / size, energies, *noises)
    want = found.shift + found.scale * (more @ rows.T / size) @ found.coefficients
    assert (got(other) - want).abs().max() <= 1e-9 * energies.std()


def test_bad_moments_are_refused() -> None:
    x = torch.ones(3, 2, 4, dtype=torch.float64)
    x[..., 0] = torch.arange(6.0).view(3, 2)
    with pytest.raises(InputError, match="energies"):
        PairMoments(x, torch.zeros(2, 2))
    with pytest.raises(InputError, match="noise"):
        PairMoments(x, torch.arange(6.0).view(3, 2)).solve(-1.0, -1.0)


def test_bad_kernels_are_refused() -> None:
    with pytest.raises(InputError, match="kernel"):
        regress_pairs(torch.eye(3, dtype=torch.float64), torch.zeros(2, 2), 1.0, 1.0)
    broken = -torch.eye(4, dtype=torch.float64)
    with pytest.raises(InputError, match="noise"):
        regress_pairs(broken, torch.arange(4.0).double().view(2, 2), 1e-9, 1e-9)
    with pytest.raises(InputError, match="sections"):
        PairKernel(SETTINGS[0], (1, 1, 1, 1)).rows(
            PairFeatures(
                symmetric=torch.zeros(1, 1, 2),
                antisymmetric=torch.zeros(1, 0, 3),
                mask=torch.ones(1, 1, dtype=torch.bool),
                n_even=(1, 1),
            )
        )


def test_a_saved_model_is_the_same_and_damaged_files_are_refused(pairs, tmp_path: Path) -> None:
    found = model(pairs)
    path = tmp_path / "kernel.safetensors"
    found.save(path)
    points = environments(B8Pairs.load().validation.positions[:2])
    again = KernelModel.load(path)
    assert torch.equal(again(points), found(points))
    with pytest.raises(InputError, match=r"float64"):
        again(points.to(dtype=torch.float32))
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(InputError, match="intact"):
        KernelModel.load(path)
    with pytest.raises(InputError, match="existing"):
        KernelModel.load(tmp_path / "no.safetensors")
    with pytest.raises(InputError, match="format"):
        KernelModel.load(Path(__file__).parents[2] / "results/short/d_nl.safetensors")


def test_gradients_exist_after_a_first_use_in_inference_mode(pairs) -> None:
    used, fresh = model(pairs), model(pairs)
    used.load_state_dict(used.state_dict())  # forgets what was computed before
    positions = B8Pairs.load().validation.positions[:1].clone().requires_grad_()
    with torch.inference_mode():
        used(environments(positions.detach()))
    got, want = (
        torch.autograd.grad(made(environments(positions)).sum(), positions)[0]
        for made in (used, fresh)
    )
    assert torch.equal(got, want)


def test_a_model_that_was_used_takes_other_tensors(pairs) -> None:
    used, fresh = model(pairs), model(pairs)
    points = environments(B8Pairs.load().validation.positions[:2])
    before = used(points)
    others = {name: value * 1.25 for name, value in used.state_dict().items()}
    others |= {"numbers": used.numbers, "support": used.support.flip(0)}
    used.load_state_dict(others)
    fresh.load_state_dict(others)
    assert torch.equal(used(points), fresh(points))
    assert not torch.equal(used(points), before)


def test_terms_share_one_cutoff() -> None:
    other = SETTINGS[1].model_copy(update={"expansion": ExpansionSettings(radius=3.0)})
    with pytest.raises(InputError, match="cutoff"):
        KernelModel(
            KernelSettings(terms=(SETTINGS[0], other)),
            [],
            torch.zeros(1, 2, 3),
            torch.zeros(2, dtype=torch.int64),
        )
