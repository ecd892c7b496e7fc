"""Laplacian eigenstates of a sphere and their overlap with densities, in extended precision."""

from __future__ import annotations

from decimal import Decimal
from functools import lru_cache

import numpy as np

from symtrip.expansion._doubledouble import DoubleDouble, decimal_context, from_exact
from symtrip.expansion._gto import PI

__all__ = ["bessel_zeros", "laplacian_gaussian_values", "laplacian_point_values"]


def _sine_cosine(x: Decimal) -> tuple[Decimal, Decimal]:
    x = x % (2 * PI)
    square, term = x * x, x
    sine, cosine = x, Decimal(1)
    previous, k = Decimal(1), 1
    while abs(previous) > Decimal("1e-58") or abs(term) > Decimal("1e-58"):
        previous *= -square / ((2 * k - 1) * (2 * k))
        term *= -square / ((2 * k) * (2 * k + 1))
        cosine += previous
        sine += term
        k += 1
    return sine, cosine


def _bessel(max_order: int, x: Decimal) -> list[Decimal]:
    """j_l(x) / x^l for l = 0 .. max_order, x >= 0."""
    if x > max_order + 1:
        sine, cosine = _sine_cosine(x)
        values = [sine / x, (sine / x - cosine) / (x * x)]
        for l in range(1, max_order):
            values.append(((2 * l + 1) * values[l] - values[l - 1]) / (x * x))
        return values[: max_order + 1]
    top = []
    for l in (max_order, max_order + 1):
        term = Decimal(1)
        for odd in range(3, 2 * l + 2, 2):
            term /= odd
        total, k = term, 1
        while abs(term) > Decimal("1e-58") * abs(total):
            term *= -x * x / (2 * k * (2 * l + 2 * k + 1))
            total += term
            k += 1
        top.append(total)
    values = top[::-1]
    for l in range(max_order, 0, -1):
        values.append((2 * l + 1) * values[-1] - x * x * values[-2])
    return values[:0:-1]


@lru_cache(maxsize=64)
def bessel_zeros(n_zeros: int, max_angular: int) -> tuple[tuple[Decimal, ...], ...]:
    """The first positive zeros of the spherical Bessel functions j_0 .. j_max_angular.

    Returns:
        [l][n], about 50 digits; zeros of j_l lie between neighbouring zeros of j_(l-1).
    """
    with decimal_context():
        rows = [[(n + 1) * PI for n in range(n_zeros + max_angular)]]
        for l in range(1, max_angular + 1):
            rows.append(
                [
                    _zero_between(l, low, high)
                    for low, high in zip(rows[-1], rows[-1][1:], strict=False)
                ]
            )
        return tuple(tuple(row[:n_zeros]) for row in rows)


def _zero_between(l: int, low: Decimal, high: Decimal) -> Decimal:
    rising = _bessel(l, high)[l] > 0
    for _ in range(12):
        middle = (low + high) / 2
        if (_bessel(l, middle)[l] > 0) == rising:
            high = middle
        else:
            low = middle
    x = (low + high) / 2
    for _ in range(8):
        # (j_l / x^l)' = -x j_(l+1) / x^(l+1)
        values = _bessel(l + 1, x)
        step = values[l] / (x * values[l + 1])
        x += step
        if abs(step) < Decimal("1e-30"):
            return x
    return x


def _norms(radius: float, n_radial: int, max_angular: int) -> list[list[Decimal]]:
    """Normalisation times (z / radius)^l: the eigenstate is that times j_l(y) / y^l times r^l."""
    zeros = bessel_zeros(n_radial, max_angular)
    length = Decimal(radius)
    return [
        [
            (2 / length**3).sqrt()
            / abs(_bessel(l + 1, z)[l + 1] * z ** (l + 1))
            * (z / length) ** l
            for z in zeros[l]
        ]
        for l in range(max_angular + 1)
    ]


def _eigenstates(r: DoubleDouble, radius: float, n_radial: int, max_angular: int) -> DoubleDouble:
    """R_nl(r) / r^l, (L, n, M)."""
    zeros = bessel_zeros(n_radial, max_angular)
    norms = _norms(radius, n_radial, max_angular)
    with decimal_context():
        wave_numbers = from_exact([[z / Decimal(radius) for z in row] for row in zeros])
    rows = [
        from_exact(norms[l])[:, None] * _bessel_array(l, wave_numbers[l][:, None] * r)
        for l in range(max_angular + 1)
    ]
    return DoubleDouble(np.stack([row.hi for row in rows]), np.stack([row.lo for row in rows]))


def _bessel_array(l: int, y: DoubleDouble) -> DoubleDouble:
    """j_l(y) / y^l, to about 1e-30 of its envelope."""
    hi, lo = np.empty(y.hi.shape), np.empty(y.hi.shape)
    small = y.hi <= l + 2.0
    if small.any():
        part = _ascending(l, y[small], sign=-1)
        hi[small], lo[small] = part.hi, part.lo
    if not small.all():
        part = _upward(l, y[~small])
        hi[~small], lo[~small] = part.hi, part.lo
    return DoubleDouble(hi, lo)


def _upward(l: int, y: DoubleDouble) -> DoubleDouble:
    """Upward recurrence from sine and cosine, stable for y > l."""
    with decimal_context():
        circle = from_exact(2 * PI)
    turns = DoubleDouble.of(np.rint(y.hi / float(circle.hi)))
    angle = y - turns * circle
    one = DoubleDouble.of(np.ones_like(y.hi))
    sine, cosine, term = DoubleDouble.of(np.zeros_like(y.hi)), one, one
    for k in range(1, 44):
        term = term * angle / DoubleDouble.of(float(k))
        signed = term if k % 4 in (0, 1) else -term
        if k % 2:
            sine = sine + signed
        else:
            cosine = cosine + signed
    square = y * y
    values = [sine / y, (sine / y - cosine) / square]
    for order in range(1, l):
        step = DoubleDouble.of(2.0 * order + 1.0) * values[order] - values[order - 1]
        values.append(step / square)
    return values[l]


def laplacian_point_values(
    u: DoubleDouble, *, radius: float, n_radial: int, max_angular: int
) -> DoubleDouble:
    """R_nl(r) / r^l at u = r^2 (M,), the coefficients of a point, (L, n, M)."""
    return _eigenstates(u.sqrt(), radius, n_radial, max_angular)


def laplacian_gaussian_values(
    u: DoubleDouble, *, radius: float, n_radial: int, max_angular: int, width: float
) -> DoubleDouble:
    """I_nl(r) / r^l at u = r^2 for a Gaussian density, by Gauss-Legendre quadrature.

    Args:
        u: (M,) squared distances in Å^2.
        radius: radius of the sphere in Å.
        n_radial: number of eigenstates for each l.
        max_angular: largest l.
        width: s of the density in Å.

    Returns:
        (max_angular + 1, n_radial, M).
    """
    # the integrand varies over s and over radius / z
    largest = float(bessel_zeros(n_radial, max_angular)[-1][-1])
    nodes, weights = _gauss_legendre(int(np.ceil(6.0 * radius / width + 0.6 * largest)) + 30)
    with decimal_context():
        length, s2 = Decimal(radius), Decimal(width) ** 2
        x = [(1 + node) * length / 2 for node in nodes]
        mass = 4 * PI / ((PI * s2).sqrt() * (PI * s2).sqrt().sqrt())
        scale = [weight * length / 2 * mass for weight in weights]
        # x^2 of the volume element, x^l of the eigenstate and (x / s^2)^l of the density
        powers = from_exact(
            [
                [w * y**2 * (y * y / s2) ** l for w, y in zip(scale, x, strict=True)]
                for l in range(max_angular + 1)
            ]
        )
        per_s2 = from_exact(1 / s2)
        half = from_exact(-1 / (2 * s2))
        x_exact = from_exact(x)
    shape = (max_angular + 1, n_radial, len(u.hi))
    weighted = _eigenstates(x_exact, radius, n_radial, max_angular) * powers[:, None]
    r = u.sqrt()
    x_column = x_exact[:, None]
    difference = x_column - r
    envelope = (half * difference * difference).exp()
    kernel = _scaled_modified_bessel(max_angular, x_column * r * per_s2)
    total = DoubleDouble.of(np.zeros(shape))
    for i in range(len(x)):
        row = (
            DoubleDouble(np.stack([p.hi[i] for p in kernel]), np.stack([p.lo[i] for p in kernel]))
            * envelope[i]
        )
        total = total + weighted[:, :, i][..., None] * row[:, None]
    return total


def _scaled_modified_bessel(max_order: int, y: DoubleDouble) -> list[DoubleDouble]:
    """exp(-y) i_l(y) / y^l for l = 0 .. max_order; y >= 0 of any shape."""
    small = y.hi <= 24.0 + max_order
    top = []
    for l in (max_order, max_order + 1):
        hi, lo = np.empty(y.hi.shape), np.empty(y.hi.shape)
        if small.any():
            part = _ascending(l, y[small], sign=1) * (-y[small]).exp()
            hi[small], lo[small] = part.hi, part.lo
        if not small.all():
            part = _modified_closed(l, y[~small])
            hi[~small], lo[~small] = part.hi, part.lo
        top.append(DoubleDouble(hi, lo))
    values = top[::-1]
    square = y * y
    for l in range(max_order, 0, -1):
        # downward recurrence: all terms are positive
        values.append(DoubleDouble.of(2.0 * l + 1.0) * values[-1] + square * values[-2])
    return values[:0:-1]


def _ascending(l: int, y: DoubleDouble, *, sign: int) -> DoubleDouble:
    """0F1(; l + 3/2; sign y^2/4) / (2l + 1)!!: j_l / y^l for sign -1, i_l / y^l for sign +1."""
    square = y * y * DoubleDouble.of(0.5 * sign)
    first = from_exact(_inverse_double_factorial(l))
    term = DoubleDouble(np.full(y.hi.shape, first.hi), np.full(y.hi.shape, first.lo))
    total, k = term, 1
    while True:
        term = term * (square / DoubleDouble.of(float(k * (2 * l + 2 * k + 1))))
        total = total + term
        if k % 8 == 0 and np.all(np.abs(term.hi) <= 1e-34 * float(first.hi)):
            return total
        k += 1


def _modified_closed(l: int, y: DoubleDouble) -> DoubleDouble:
    """The finite sum in 1/y; exp(-2 y) < 1e-20 of it is kept too."""
    inverse = DoubleDouble.of(np.ones_like(y.hi)) / y
    grow = DoubleDouble.of(np.zeros_like(y.hi))
    decay, power, coefficient = grow, DoubleDouble.of(np.full_like(y.hi, 0.5)), 1.0
    for k in range(l + 1):
        term = power * DoubleDouble.of(coefficient)
        grow = grow + (term if k % 2 == 0 else -term)
        decay = decay + term
        power = power * inverse
        # (l + k)! / (k! (l - k)! 2^k), an integer or a half-integer that float64 holds
        coefficient *= (l + k + 1) * (l - k) / (2 * (k + 1))
    tail = decay * (DoubleDouble.of(-2.0) * y).exp()
    return (grow - tail if l % 2 == 0 else grow + tail) * inverse.power(l + 1)


def _inverse_double_factorial(l: int) -> Decimal:
    with decimal_context():
        value = Decimal(1)
        for odd in range(3, 2 * l + 2, 2):
            value /= odd
        return value


@lru_cache(maxsize=8)
def _gauss_legendre(n: int) -> tuple[list[Decimal], list[Decimal]]:
    """Nodes and weights on [-1, 1], about 50 digits."""
    guesses, _ = np.polynomial.legendre.leggauss(n)
    nodes, weights = [], []
    with decimal_context():
        for guess in guesses.tolist():
            x = Decimal(guess)
            for _ in range(3):
                below, value = Decimal(1), x
                for k in range(1, n):
                    below, value = value, ((2 * k + 1) * x * value - k * below) / (k + 1)
                slope = n * (x * value - below) / (x * x - 1)
                x -= value / slope
            nodes.append(x)
            weights.append(2 / ((1 - x * x) * slope * slope))
    return nodes, weights
