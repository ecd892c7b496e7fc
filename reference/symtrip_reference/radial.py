"""Radial bases and densities: the integrals I_nl(r) = <nlm| density at r> / Y_lm."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Any

import sympy

from symtrip_reference._checks import exact_number, natural_number, require
from symtrip_reference.arithmetic import Arithmetic, Number
from symtrip_reference.evaluation import evaluate

__all__ = [
    "DeltaDensity",
    "GaussianDensity",
    "Gto",
    "LaplacianEigenstates",
    "Monomials",
    "RadialBasis",
    "gto_overlap",
    "gto_radial_integral",
    "radial_integral",
]


@dataclass(frozen=True)
class GaussianDensity:
    """G_s(x) = (pi s^2)^(-3/4) exp(-|x|^2 / 2 s^2): L2-normalised, not of unit mass.

    Args:
        width: s in Å, an exact number > 0.
    """

    width: Any

    def __post_init__(self) -> None:
        width = exact_number("width", self.width)
        require(bool(width > 0), "width", "be > 0 Å", width, "or use DeltaDensity()")
        object.__setattr__(self, "width", width)


@dataclass(frozen=True)
class DeltaDensity:
    """A point of unit mass."""


Density = GaussianDensity | DeltaDensity


@dataclass(frozen=True)
class RadialBasis(ABC):
    """Radial functions R_nl, n = 0..n_radial-1, l = 0..max_angular.

    Args:
        n_radial: number of radial functions (a count), >= 1.
        max_angular: largest l, inclusive.
        radius: the length in Å that scales the basis, an exact number > 0.
    """

    n_radial: int
    max_angular: int
    radius: Any

    def __post_init__(self) -> None:
        object.__setattr__(self, "n_radial", natural_number("n_radial", self.n_radial, least=1))
        object.__setattr__(self, "max_angular", natural_number("max_angular", self.max_angular))
        radius = exact_number("radius", self.radius)
        require(bool(radius > 0), "radius", "be > 0 Å", radius, "pass a positive radius")
        object.__setattr__(self, "radius", radius)

    @abstractmethod
    def integral(self, a: Arithmetic, density: Density, l: int, r: Number) -> list[Number]:
        """I_nl(r) for n = 0..n_radial-1 in the arithmetic ``a``."""


@dataclass(frozen=True)
class Gto(RadialBasis):
    """Gaussian-type orbitals r^n exp(-r^2 / 2 sigma_n^2), Loewdin-orthonormal on [0, inf).

    sigma_n = radius max(sqrt n, 1) / n_radial; the same functions for every l.
    """

    def integral(self, a: Arithmetic, density: Density, l: int, r: Number) -> list[Number]:
        """Sum of the primitives' closed forms, weighted with S^(-1/2)."""
        primitive = [self._primitive(a, density, k, l, r) for k in range(self.n_radial)]
        return [a.dot(zip(row, primitive, strict=True)) for row in _gto_coefficients(a, self)]

    def _primitive(self, a: Arithmetic, density: Density, k: int, l: int, r: Number) -> Number:
        """The unnormalised r^k exp(-d r^2) integrated against the density."""
        d = 1 / (2 * a(self.sigma_squared(k)))
        if isinstance(density, DeltaDensity):
            return r**k * a.exp(-d * r * r)
        c = 1 / (2 * a(density.width) ** 2)
        return _gaussian_integral(a, density, c, d, k, l, r)

    def sigma_squared(self, n: int) -> Any:
        """sigma_n^2 in Å^2, exactly."""
        return self.radius**2 * sympy.Integer(max(n, 1)) / self.n_radial**2


@dataclass(frozen=True)
class Monomials(RadialBasis):
    """R_nl(r) = r^(l + 2n), not normalised; ``radius`` is not used by them.

    A delta density gives polynomials of the neighbour's coordinates; a Gaussian density gives their
    convolution over all space, again polynomials.
    """

    radius: Any = 1

    def integral(self, a: Arithmetic, density: Density, l: int, r: Number) -> list[Number]:
        """r^(l + 2n) itself, or its mean under the Gaussian times the Gaussian's mass."""
        if isinstance(density, DeltaDensity):
            return [r ** (l + 2 * n) for n in range(self.n_radial)]
        c = 1 / (2 * a(density.width) ** 2)
        return [
            _gaussian_integral(a, density, c, a(0), l + 2 * n, l, r) for n in range(self.n_radial)
        ]


@dataclass(frozen=True)
class LaplacianEigenstates(RadialBasis):
    """Spherical Bessel functions j_l(z_nl r / radius), orthonormal on [0, radius].

    z_nl is the (n+1)-th positive zero of j_l.
    """

    def integral(self, a: Arithmetic, density: Density, l: int, r: Number) -> list[Number]:
        """N_nl j_l(z_nl r / radius), or its integral against the Gaussian over the sphere."""
        return [self._integral(a, density, n, l, r) for n in range(self.n_radial)]

    def _integral(self, a: Arithmetic, density: Density, n: int, l: int, r: Number) -> Number:
        zero = _bessel_zero(a, l, n + 1)
        radius = a(self.radius)
        norm = a.sqrt(2 / radius**3) / abs(_spherical_bessel(a, l + 1, zero, sign=-1))
        if isinstance(density, DeltaDensity):
            inside = a.clamp(radius - r) != 0
            return norm * _spherical_bessel(a, l, zero * r / radius, sign=-1) if inside else a(0)
        width = a(density.width)
        mass = 4 * a.pi / a.sqrt(a.sqrt(a.pi * width**2)) ** 3

        def integrand(x: Number) -> Number:
            return (
                x
                * x
                * _spherical_bessel(a, l, zero * x / radius, sign=-1)
                * a.exp(-(x * x + r * r) / (2 * width**2))
                * _spherical_bessel(a, l, x * r / width**2, sign=1)
            )

        return norm * mass * a.integrate(integrand, [a(0), radius])


def radial_integral(
    basis: RadialBasis,
    density: Density,
    l: int,
    r: Any,
    *,
    digits: int | None = None,
    rigorous: bool = False,
) -> list[Number]:
    """I_nl(r) of one basis and density, n = 0..n_radial-1.

    Args:
        basis: :class:`Gto`, :class:`LaplacianEigenstates` or :class:`Monomials`.
        density: :class:`GaussianDensity` or :class:`DeltaDensity`.
        l: degree, an integer in 0..max_angular.
        r: distance in Å, an exact number >= 0.
        digits: None for exact sympy numbers where they are algebraic (up to exp and pi), otherwise
            the decimal digits wanted (>= 15).
        rigorous: guaranteed enclosures (python-flint), with ``digits``.

    Returns:
        The n_radial values, Å^(-3/2) for normalised functions of a delta, dimensionless for those
        of a Gaussian.

    Raises:
        InputError: a float, ``l`` or ``r`` out of range, or no exact value exists.

    Accuracy: exact, or ``digits`` digits of the largest value.

    Source: Bigi et al., J. Chem. Phys. 157, 234101 (2022) for the Laplacian eigenstates; the closed
    form for Gaussians is Gradshteyn & Ryzhik 6.631.1.
    """
    l = natural_number("l", l)
    require(l <= basis.max_angular, "l", f"be <= max_angular = {basis.max_angular}", l, "raise it")
    distance = exact_number("r", r)
    require(bool(distance >= 0), "r", "be >= 0 Å", distance, "pass a distance")
    return evaluate(
        lambda a: basis.integral(a, density, l, a(distance)), digits=digits, rigorous=rigorous
    )


def gto_radial_integral(
    r: Any,
    l: int,
    *,
    n_radial: int,
    radius: Any,
    width: Any,
    digits: int | None = None,
    rigorous: bool = False,
) -> list[Number]:
    """I_nl(r) of the Loewdin-orthonormal GTO basis for a Gaussian density of width ``width``.

    Args:
        r: distance in Å, an exact number >= 0.
        l: degree, an integer >= 0.
        n_radial: number of radial functions, >= 1.
        radius: cutoff radius in Å, which scales the basis.
        width: width s of the Gaussian density in Å.
        digits: None for an exact sympy number if there is one, otherwise the digits wanted (>= 15).
        rigorous: guaranteed enclosures (python-flint), with ``digits``.

    Returns:
        ``n_radial`` numbers, dimensionless.

    Raises:
        InputError: a float instead of an exact number, or a number out of range.

    Accuracy: ``digits`` digits of the largest value.

    Source: as :func:`radial_integral`.
    """
    basis = Gto(n_radial, natural_number("l", l), radius)
    return radial_integral(basis, GaussianDensity(width), l, r, digits=digits, rigorous=rigorous)


def gto_overlap(basis: Gto, *, digits: int | None = None) -> list[list[Number]]:
    """Overlap S_ab of the normalised GTO primitives on [0, inf).

    Args:
        basis: the GTO basis.
        digits: None for exact sympy numbers, otherwise the decimal digits wanted (>= 15).

    Returns:
        Nested lists (n_radial, n_radial), dimensionless, with ones on the diagonal.

    Raises:
        InputError: ``digits`` < 15.

    Accuracy: exact, or ``digits`` digits.

    Source: elementary (a Gamma function for every entry).
    """
    return evaluate(lambda a: _gto_overlap(a, basis), digits=digits)


def _gaussian_integral(
    a: Arithmetic, density: GaussianDensity, c: Number, d: Number, k: int, l: int, r: Number
) -> Number:
    """<x^k exp(-d x^2) Y_lm | Gaussian density at r> / Y_lm, over all space, c = 1 / 2 s^2.

    Kummer's transformation has been applied, so that nothing overflows and the series ends where
    (k - l) / 2 is an integer >= 0.
    """
    mass = (a.sqrt(a.pi) / a.sqrt(a.sqrt(a.pi * a(density.width) ** 2))) ** 3
    gammas = a.gamma_half(k + l + 3) / a.gamma_half(2 * l + 3)
    decay = a.exp(-c * d * r * r / (c + d))
    series = a.hyp1f1(Fraction(l - k, 2), Fraction(2 * l + 3, 2), -((c * r) ** 2) / (c + d))
    return mass * gammas * decay * (c * r) ** l * a.sqrt(1 / (c + d)) ** (k + l + 3) * series


def _gto_norms(a: Arithmetic, basis: Gto) -> list[Number]:
    """N_n = sqrt(2 / (sigma_n^(2n+3) Gamma(n + 3/2)))."""
    return [
        a.sqrt(2 / (a.sqrt(a(basis.sigma_squared(n))) ** (2 * n + 3) * a.gamma_half(2 * n + 3)))
        for n in range(basis.n_radial)
    ]


def _gto_overlap(a: Arithmetic, basis: Gto) -> list[list[Number]]:
    norms = _gto_norms(a, basis)
    halves = [1 / (2 * a(basis.sigma_squared(n))) for n in range(basis.n_radial)]
    indices = range(basis.n_radial)
    return [
        [
            norms[i]
            * norms[j]
            * a.gamma_half(3 + i + j)
            / (2 * a.sqrt(halves[i] + halves[j]) ** (3 + i + j))
            for j in indices
        ]
        for i in indices
    ]


@lru_cache(maxsize=256)
def _gto_coefficients(a: Arithmetic, basis: Gto) -> list[list[Number]]:
    """T_nk = (S^(-1/2))_nk N_k: the orthonormal functions in terms of the bare primitives."""
    norms = _gto_norms(a, basis)
    inverse_root = a.inverse_square_root(_gto_overlap(a, basis))
    return [[x * norm for x, norm in zip(row, norms, strict=True)] for row in inverse_root]


@lru_cache(maxsize=4096)
def _bessel_zero(a: Arithmetic, l: int, n: int) -> Number:
    return a.spherical_bessel_zero(l, n)


def _spherical_bessel(a: Arithmetic, l: int, x: Number, *, sign: int) -> Number:
    """j_l(x) for sign -1, modified i_l(x) for sign +1: x^l/(2l+1)!! 0F1(; l+3/2; sign x^2/4)."""
    double_factorial = 1
    for odd in range(1, 2 * l + 2, 2):
        double_factorial *= odd
    return x**l * a.hyp0f1(Fraction(2 * l + 3, 2), sign * x * x / 4) / double_factorial
