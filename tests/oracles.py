"""Errors of the fast path against the exact reference, in units of eps times a stated scale.

Shared by tests/oracle (which compare with the budgets) and benchmarks/accuracy.py (which writes the
largest error found into docs/accuracy.md). Exact values are guaranteed enclosures of 50 digits,
taken at the exact binary input that the fast path received.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from typing import Any

import symtrip_reference as reference
import torch
from strategies import Cloud, exact_environment, exact_numbers
from torch import Tensor

from symtrip.correlations import DensityCorrelations
from symtrip.coupling import ClebschGordanProduct, real_clebsch_gordan
from symtrip.degenerate import two_ring_pair
from symtrip.expansion import (
    DeltaDensity,
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
from symtrip.triplets import TripletFeatures

DIGITS = 50
DTYPES = (torch.float32, torch.float64)


def error_in_eps(
    got: Tensor, want: Iterable[Any], scale: float | Tensor, weight: float | Tensor = 1.0
) -> float:
    """Largest |got - want| weight / (eps scale), the difference taken beyond double precision."""
    exact = list(want)
    high = torch.tensor([float(x) for x in exact], dtype=torch.float64)
    low = torch.tensor(
        [float(x - h) for x, h in zip(exact, high.tolist(), strict=True)], dtype=torch.float64
    )
    assert got.numel() == len(exact)
    if not exact:
        return 0.0
    difference = (got.detach().to("cpu", torch.float64).flatten() - high) - low
    eps = torch.finfo(got.dtype).eps
    return float(
        (difference.abs() * weight / (eps * torch.as_tensor(scale, dtype=torch.float64))).max()
    )


def floats(values: Iterable[Any]) -> Tensor:
    """Exact values rounded to float64."""
    return torch.tensor([float(x) for x in values], dtype=torch.float64)


@dataclass(frozen=True)
class Hyperparameters:
    """The same expansion for both paths."""

    name: str
    basis: type[Gto] | type[Monomials] | type[LaplacianEigenstates]
    n_radial: int
    max_angular: int
    radius: float = 2.0
    width: float = 0.1
    smearing: float | None = 0.2
    species: tuple[int, ...] = (5,)

    @cache  # noqa: B019 - a few frozen instances, alive as long as the tests
    def fast(self) -> SphericalExpansion:
        """The torch module."""
        smearing = self.smearing
        return SphericalExpansion(
            cutoff=ShiftedCosine(radius=self.radius, width=self.width),
            density=DeltaDensity() if smearing is None else GaussianDensity(width=smearing),
            basis=self.basis(n_radial=self.n_radial, max_angular=self.max_angular),
            species=self.species,
        )

    def exact(self, *, cut: bool = True) -> reference.Expansion:
        """The reference's expansion; without ``cut`` f_c is 1 everywhere inside the radius."""
        radius, smearing = Fraction(self.radius), self.smearing
        cutoff = reference.ShiftedCosine(radius, Fraction(self.width))
        kind = {
            Gto: reference.Gto,
            LaplacianEigenstates: reference.LaplacianEigenstates,
            Monomials: reference.Monomials,
        }[self.basis]
        return reference.Expansion(
            cutoff if cut else reference.ShiftedCosine(2 * radius, radius),
            reference.DeltaDensity()
            if smearing is None
            else reference.GaussianDensity(Fraction(smearing)),
            kind(self.n_radial, self.max_angular, radius),
            self.species,
        )


B8 = Hyperparameters("b8", Gto, 6, 3)
SMALL = Hyperparameters("two species", Gto, 2, 2, species=(5, 6))
WIDE = Hyperparameters("4 A", Gto, 3, 3, radius=4.0, width=0.5, smearing=0.4)
LARGE = Hyperparameters("large basis", Gto, 10, 6, radius=3.0, width=0.3, smearing=0.25)
POINTS = Hyperparameters("delta, monomials", Monomials, 2, 3, smearing=None, width=0.5)
BLURRED = Hyperparameters("Gaussian, monomials", Monomials, 3, 2, smearing=0.3, width=2.0)
EXPANSIONS = (B8, SMALL, WIDE, LARGE, POINTS, BLURRED)
FURTHER = (
    Hyperparameters("delta, GTO", Gto, 6, 3, smearing=None),
    Hyperparameters("Laplacian", LaplacianEigenstates, 2, 1, smearing=0.25),
    Hyperparameters("delta, Laplacian", LaplacianEigenstates, 4, 3, smearing=None),
)
"""Further radial bases, tested with few examples in tests/oracle/test_radial_bases.py."""
PRODUCTS = (SMALL, Hyperparameters("l <= 3", Gto, 2, 3), POINTS)


def cutoff_error(r: float, radius: float, width: float, dtype: torch.dtype) -> float:
    """In eps radius / width."""
    distance = torch.tensor([r], dtype=dtype)
    (exact,) = exact_numbers(distance)
    want = reference.shifted_cosine(
        exact, radius=Fraction(radius), width=Fraction(width), digits=DIGITS, rigorous=True
    )
    got = shifted_cosine(distance, radius=radius, width=width)
    return error_in_eps(got, [want], radius / width)


def harmonics_error(vector: Sequence[float], max_angular: int, dtype: torch.dtype) -> float:
    """In (l + 1) eps of the norm over m, the largest over l."""
    tensor = torch.tensor(vector, dtype=torch.float64).to(dtype)
    want = reference.real_spherical_harmonics(
        exact_numbers(tensor), max_angular, digits=DIGITS, rigorous=True
    )
    got = real_spherical_harmonics(tensor, max_angular)
    return max(
        error_in_eps(block, exact, (l + 1) * math.sqrt((2 * l + 1) / (4 * math.pi)))
        for l, (block, exact) in enumerate(zip(got, want, strict=True))
    )


def solid_error(vector: Sequence[float], max_angular: int, dtype: torch.dtype) -> float:
    """r^l Y_lm in (l + 1) eps of the norm over m, the largest over l."""
    tensor = torch.tensor(vector, dtype=torch.float64).to(dtype)
    want = reference.real_solid_harmonics(
        exact_numbers(tensor), max_angular, digits=DIGITS, rigorous=True
    )
    got = solid_harmonics(tensor, max_angular)
    return max(
        error_in_eps(block, exact, (l + 1) * float(floats(exact).norm()))
        for l, (block, exact) in enumerate(zip(got, want, strict=True))
    )


def coupling_error(l1: int, l2: int, o3_lambda: int, dtype: torch.dtype) -> float:
    """In eps of the coefficient itself; zeros must be zeros."""
    table = reference.real_clebsch_gordan_table(l1, l2, o3_lambda, digits=DIGITS)
    want = [x for plane in table for row in plane for x in row]
    got = real_clebsch_gordan(l1, l2, o3_lambda, dtype=dtype)
    size = floats(want).abs()
    assert not bool((got.flatten() != 0)[size == 0].any())
    return error_in_eps(got, want, torch.where(size == 0, torch.ones_like(size), size))


def product_error(seed: int, max_angular: int, dtype: torch.dtype) -> float:
    """ClebschGordanProduct in eps of the product of the factors' norms; random blocks."""
    generator = torch.Generator().manual_seed(seed)
    degrees = range(max_angular + 1)
    first, second = (
        {
            (l, 1): torch.randn(1, 2 * l + 1, 2, generator=generator, dtype=torch.float64).to(dtype)
            for l in degrees
        }
        for _ in range(2)
    )
    got = ClebschGordanProduct(list(first), list(second), max_lambda=max_angular)(first, second)
    left, right = (
        [[exact_numbers(row) for row in block[0]] for block in side.values()]
        for side in (first, second)
    )
    want = reference.clebsch_gordan_product(left, right, max_angular, digits=DIGITS, rigorous=True)
    norms = [
        math.sqrt(sum(float(block.double().square().sum()) for block in side.values()))
        for side in (first, second)
    ]
    assert list(got) == list(want)
    return max(
        error_in_eps(got[key], [x for row in block for x in row], norms[0] * norms[1])
        for key, block in want.items()
    )


@cache
def radial_maximum(hyper: Hyperparameters, l: int) -> Tensor:
    """max over r of |I_nl(r)|, (n,), sampled at 41 distances."""
    basis, density = hyper.exact().basis, hyper.exact().density
    rows = [
        floats(
            reference.radial_integral(
                basis, density, l, Fraction(hyper.radius) * k / 40, digits=DIGITS, rigorous=True
            )
        )
        for k in range(41)
    ]
    return torch.stack(rows).abs().amax(dim=0)


def radial_error(r: float, hyper: Hyperparameters, dtype: torch.dtype) -> float:
    """In eps of the maximum over distances and n; ``r`` must have an exact square in ``dtype``."""
    u = torch.tensor([r * r], dtype=dtype)
    assert exact_numbers(u) == [Fraction(r) ** 2]
    expansion = hyper.exact()
    got = hyper.fast().radial(u)[0]
    worst = 0.0
    for l in range(hyper.max_angular + 1):
        want = reference.radial_integral(
            expansion.basis, expansion.density, l, Fraction(r), digits=DIGITS, rigorous=True
        )
        # the module returns I_nl(r) / r^l
        over_power = [reference.fraction(x) / Fraction(r) ** l for x in want]
        worst = max(worst, error_in_eps(got[l], over_power, radial_maximum(hyper, l), r**l))
    return worst


def density_error(cloud: Cloud, hyper: Hyperparameters, dtype: torch.dtype) -> float:
    """rho and g in eps of the largest coefficient that the neighbours have without f_c."""
    environments = cloud.environments(dtype, padding=1)
    exact = exact_environment(environments)
    got = hyper.fast()(environments)
    if not len(exact):
        assert all(not bool(block.any()) for block in got.rho)
        return 0.0
    want = reference.density_expansion(exact, hyper.exact(), digits=DIGITS, rigorous=True)
    uncut = reference.density_expansion(exact, hyper.exact(cut=False), digits=DIGITS, rigorous=True)
    worst = 0.0
    for l in range(hyper.max_angular + 1):
        scale = max(abs(float(x)) for block in uncut.g[l] for row in block for x in row)
        real = got.g[l][0][environments.mask[0]]
        flat = [x for block in want.g[l] for row in block for x in row]
        worst = max(worst, error_in_eps(real, flat, scale))
        rho = [x for row in want.rho[l] for x in row]
        worst = max(worst, error_in_eps(got.rho[l][0], rho, scale))
        assert not bool(got.g[l][0][~environments.mask[0]].any())
    return worst


def correlation_error(cloud: Cloud, hyper: Hyperparameters, nu: int, dtype: torch.dtype) -> float:
    """In eps of the norm of all features of this order, f_c left out of the norm."""
    environments = cloud.environments(dtype)
    exact = exact_environment(environments)
    got = DensityCorrelations(max_angular=hyper.max_angular, nu=nu)(hyper.fast()(environments))[0]
    if not len(exact):
        assert not bool(got.any())
        return 0.0
    paths = fast_order(nu, hyper.max_angular)
    want, uncut = (
        reference.flatten(
            reference.density_correlations(
                exact, hyper.exact(cut=cut), nu, paths=paths, digits=DIGITS, rigorous=True
            )
        )
        for cut in (True, False)
    )
    return error_in_eps(got, want, float(floats(uncut).norm()))


@cache
def fast_order(nu: int, max_angular: int) -> list[tuple[int, ...]]:
    """The reference's paths in the order of DensityCorrelations, nu <= 4."""
    paths = reference.coupling_paths(nu, max_angular, max_intermediate=max_angular * max(1, nu - 2))
    if nu < 4:
        return paths

    def key(path: tuple[int, ...]) -> tuple[int, ...]:
        l1, l2, L2, l3, L3, _, _ = path
        sigma2 = (-1) ** (l1 + l2 + L2)
        sigma3 = sigma2 * (-1) ** (L2 + l3 + L3)
        return L3, -sigma3, L2, -sigma2, l3, l1, l2

    return sorted(paths, key=key)


def triplet_error(cloud: Cloud, hyper: Hyperparameters, dtype: torch.dtype) -> float:
    """Every F_jk in eps of its own norm, f_c left out of the norm; the largest over pairs."""
    environments = cloud.environments(dtype, padding=1)
    exact = exact_environment(environments)
    got = TripletFeatures(max_angular=hyper.max_angular)(hyper.fast()(environments))
    dense, mask = got.dense()[0], got.mask[0]
    assert not bool(dense[~mask].any())
    if not len(exact):
        return 0.0
    want, uncut = (
        reference.triplet_features(exact, hyper.exact(cut=cut), digits=DIGITS, rigorous=True)
        for cut in (True, False)
    )
    real = torch.nonzero(environments.mask[0]).flatten().tolist()
    worst = 0.0
    for (j, k), blocks in want.items():
        values = [x for block in blocks.values() for x in block]
        norm = float(floats(x for block in uncut[j, k].values() for x in block).norm())
        worst = max(worst, error_in_eps(dense[real[j], real[k]], values, norm))
    return worst


def two_ring_error(
    parameters: tuple[float, float, float, float, tuple[float, ...]], dtype: torch.dtype
) -> float:
    """In eps (r + |z1| + |z2|)."""
    r, z1, z2, psi, angles = (
        torch.tensor(value, dtype=torch.float64).to(dtype) for value in parameters
    )
    numbers = exact_numbers(torch.stack([r, z1, z2, psi]))
    pair = reference.two_ring_pair(*numbers, exact_numbers(angles))
    scale = float(r + z1.abs() + z2.abs())
    worst = 0.0
    for got, member in zip(
        two_ring_pair(r, z1, z2, psi, angles), (pair.plus, pair.minus), strict=True
    ):
        want = [x.evalf(DIGITS) for vector in member.vectors for x in vector]
        worst = max(worst, error_in_eps(got[1:], want, scale))
    return worst
