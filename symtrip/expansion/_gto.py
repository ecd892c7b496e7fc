"""Overlap-Gaussian radial integrals of the GTO basis in extended precision."""

from __future__ import annotations

from decimal import Decimal
from functools import lru_cache

import numpy as np

from symtrip.expansion._doubledouble import DoubleDouble, decimal_context, from_exact

__all__ = ["gto_exponents", "gto_point_values", "gto_transform", "gto_values"]

PI = Decimal("3.14159265358979323846264338327950288419716939937510582097494459230781640628621")
Matrix = list[list[Decimal]]


def _gamma_half(twice: int) -> Decimal:
    """Gamma(twice / 2) for integers twice >= 1."""
    value = Decimal(1) if twice % 2 == 0 else PI.sqrt()
    for k in range(2 - twice % 2, twice, 2):
        value = value * k / 2
    return value


def _product(a: Matrix, b: Matrix) -> Matrix:
    columns = list(zip(*b, strict=True))
    return [
        [sum((x * y for x, y in zip(row, column, strict=True)), Decimal(0)) for column in columns]
        for row in a
    ]


def _inverse_root(s: Matrix) -> Matrix:
    """S^(-1/2) of a symmetric positive definite matrix by the coupled Newton-Schulz iteration."""
    n = len(s)
    trace = sum((s[i][i] for i in range(n)), Decimal(0))
    y: Matrix = [[x / trace for x in row] for row in s]
    z: Matrix = [[Decimal(int(i == j)) for j in range(n)] for i in range(n)]
    for _ in range(400):
        zy = _product(z, y)
        error = max(abs(zy[i][j] - int(i == j)) for i in range(n) for j in range(n))
        step = [[(3 * int(i == j) - zy[i][j]) / 2 for j in range(n)] for i in range(n)]
        y, z = _product(y, step), _product(step, z)
        if error < Decimal("1e-22"):  # the step just made squares it
            break
    root = trace.sqrt()
    return [[x / root for x in row] for row in z]


def gto_exponents(radius: float, n_radial: int) -> list[Decimal]:
    """d_n = 1/(2 sigma_n^2) with sigma_n = r_c max(sqrt n, 1) / n_radial, in 1/Å^2."""
    with decimal_context():
        base = Decimal(n_radial) / Decimal(radius)
        return [base * base / (2 * max(n, 1)) for n in range(n_radial)]


@lru_cache(maxsize=64)
def gto_transform(radius: float, n_radial: int) -> tuple[tuple[Decimal, ...], ...]:
    """T_nk = (S^(-1/2))_nk N_k to about 40 digits (THEORY: symmetric orthonormalisation)."""
    d = gto_exponents(radius, n_radial)
    with decimal_context():
        # N_k^2 = 2 (2 d_k)^(k + 3/2) / Gamma(k + 3/2)
        norm = [
            (2 * (2 * d[k]) ** (k + 1) * (2 * d[k]).sqrt() / _gamma_half(2 * k + 3)).sqrt()
            for k in range(n_radial)
        ]
        s = [
            [
                norm[a]
                * norm[b]
                * _gamma_half(3 + a + b)
                / (2 * ((d[a] + d[b]).sqrt() ** (3 + a + b)))
                for b in range(n_radial)
            ]
            for a in range(n_radial)
        ]
        inverse = _inverse_root(s)
        return tuple(
            tuple(inverse[n][k] * norm[k] for k in range(n_radial)) for n in range(n_radial)
        )


def _scaled_kummer(a2: np.ndarray, b2: np.ndarray, z: DoubleDouble) -> DoubleDouble:
    """exp(-z) 1F1(a; b; z), a = a2/2, b = b2/2 > 0, z >= 0, without overflow or cancellation.

    The Taylor series has positive terms; for z > 90 the asymptotic series (DLMF 13.7.1) is exact
    to its smallest term, exp(-z).

    Args:
        a2: (L, n) integers.
        b2: (L, n) integers.
        z: (n, M), increasing along M and of similar size for all n.

    Returns:
        (L, n, M).
    """
    n_small = int((z.hi <= 90.0).any(axis=0).sum())
    parts = [
        _kummer_taylor(a2, b2, z[:, :n_small]),
        _kummer_asymptotic(a2, b2, z[:, n_small:]),
    ]
    return DoubleDouble(
        np.concatenate([part.hi for part in parts], axis=-1),
        np.concatenate([part.lo for part in parts], axis=-1),
    )


def _kummer_taylor(a2: np.ndarray, b2: np.ndarray, z: DoubleDouble) -> DoubleDouble:
    a, b = a2[..., None].astype(float), b2[..., None].astype(float)
    shape = (*a2.shape, z.hi.shape[-1])
    ratio = DoubleDouble.of(np.ones_like(a))  # (a)_n / (b)_n
    power = DoubleDouble.of(np.ones_like(z.hi))  # z^n / n!
    total = DoubleDouble.of(np.ones(shape))
    n = 0
    while True:
        ratio = ratio * DoubleDouble.of(a + 2 * n) / DoubleDouble.of(b + 2 * n)
        power = power * (z / DoubleDouble.of(n + 1.0))
        term = ratio * power
        total = total + term
        n += 1
        if n % 8 == 0 and np.all(term.hi <= 1e-34 * total.hi):
            return total * (-z).exp()


def _kummer_asymptotic(a2: np.ndarray, b2: np.ndarray, z: DoubleDouble) -> DoubleDouble:
    a, b = a2[..., None].astype(float), b2[..., None].astype(float)
    ratio = DoubleDouble.of(np.ones_like(a))  # (b - a)_n (1 - a)_n / n!
    power = DoubleDouble.of(np.ones_like(z.hi))  # z^-n
    inverse = power / z
    total = DoubleDouble.of(np.ones((*a2.shape, z.hi.shape[-1])))
    for n in range(90):
        factor = DoubleDouble.of((b - a + 2 * n) * (2 - a + 2 * n) / 4)
        ratio = ratio * factor / DoubleDouble.of(np.full_like(a, n + 1.0))
        power = power * inverse
        total = total + ratio * power
    with decimal_context():
        gammas = from_exact(
            [
                [_gamma_half(int(j)) / _gamma_half(int(i)) for i, j in zip(*row, strict=True)]
                for row in zip(a2, b2, strict=True)
            ]
        )
    root = z.sqrt()
    powers = np.unique(a2 - b2)
    scales = {power: root.power(int(power)) for power in powers}
    hi, lo = np.empty(total.hi.shape), np.empty(total.hi.shape)
    for l, n in np.ndindex(*a2.shape):
        scaled = total[l, n] * scales[a2[l, n] - b2[l, n]][n] * gammas[l, n]
        hi[l, n], lo[l, n] = scaled.hi, scaled.lo
    return DoubleDouble(hi, lo)


def gto_values(
    u: DoubleDouble, *, radius: float, n_radial: int, max_angular: int, width: float
) -> DoubleDouble:
    """I_nl(r) / r^l at u = r^2 for a Gaussian density of width s.

    Args:
        u: (M,) increasing squared distances in Å^2.
        radius: cutoff radius in Å, which sets the widths of the GTOs.
        n_radial: number of radial functions.
        max_angular: largest l.
        width: s in Å.

    Returns:
        (max_angular + 1, n_radial, M).
    """
    t = from_exact([list(row) for row in gto_transform(radius, n_radial)])
    d = gto_exponents(radius, n_radial)
    with decimal_context():
        s = Decimal(width)
        c = 1 / (2 * s * s)
        amplitude = (PI * s * s) ** -1 * (PI * s * s).sqrt().sqrt() * PI * PI.sqrt()
        prefactor = [
            [
                amplitude
                * c**l
                / (c + d[k]).sqrt() ** (k + l + 3)
                * _gamma_half(k + l + 3)
                / _gamma_half(2 * l + 3)
                for k in range(n_radial)
            ]
            for l in range(max_angular + 1)
        ]
        z_scale = from_exact([c * c / (c + dk) for dk in d])
        decay = from_exact([-c * dk / (c + dk) for dk in d])
    ls, ks = np.indices((max_angular + 1, n_radial))
    kummer = _scaled_kummer(ks + ls + 3, 2 * ls + 3, z_scale[:, None] * u)
    j = kummer * (decay[:, None] * u).exp()
    j = j * from_exact(prefactor)[:, :, None]
    total = t[:, 0][:, None] * j[:, :1]
    for k in range(1, n_radial):
        total = total + t[:, k][:, None] * j[:, k : k + 1]
    return total


def gto_point_values(r: DoubleDouble, *, radius: float, n_radial: int) -> DoubleDouble:
    """R_n(r), the coefficients of a point at distance r (M,) in Å; (1, n_radial, M)."""
    t = from_exact([list(row) for row in gto_transform(radius, n_radial)])
    with decimal_context():
        d = from_exact([-dk for dk in gto_exponents(radius, n_radial)])
    primitives = (d[:, None] * (r * r)).exp()
    total = DoubleDouble.of(np.zeros((n_radial, len(r.hi))))
    for k in range(n_radial):
        total = total + t[:, k][:, None] * (primitives[k] * r.power(k))
    return total[None]
