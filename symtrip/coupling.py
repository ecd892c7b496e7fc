"""Clebsch-Gordan coefficients of real spherical harmonics and the products built on them."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from fractions import Fraction
from functools import cache

import numpy as np
import torch
from torch import Tensor, nn

from symtrip.errors import integer, require
from symtrip.precision import full_precision
from symtrip.tables import ConstantTable

__all__ = [
    "ClebschGordanProduct",
    "clebsch_gordan_table",
    "coupling_paths",
    "real_clebsch_gordan",
]

Key = tuple[int, int]


def _angular(name: str, value: int) -> int:
    return integer(name, value, 0, "write the angular momentum quantum number itself")


def _racah(l1: int, m1: int, l2: int, m2: int, big_l: int) -> tuple[Fraction, Fraction]:
    """(t, q) with the complex coefficient of M = m1 + m2 equal to t sqrt(q), exactly (Racah)."""
    big_m = m1 + m2
    f = math.factorial
    low = max(0, l2 - big_l - m1, l1 - big_l + m2)
    high = min(l1 + l2 - big_l, l1 - m1, l2 + m2)
    total = sum(
        (
            Fraction(
                (-1) ** k,
                f(k)
                * f(l1 + l2 - big_l - k)
                * f(l1 - m1 - k)
                * f(l2 + m2 - k)
                * f(big_l - l2 + m1 + k)
                * f(big_l - l1 - m2 + k),
            )
            for k in range(low, high + 1)
        ),
        Fraction(0),
    )
    square = Fraction(
        (2 * big_l + 1)
        * f(big_l + l1 - l2)
        * f(big_l - l1 + l2)
        * f(l1 + l2 - big_l)
        * f(big_l + big_m)
        * f(big_l - big_m)
        * f(l1 - m1)
        * f(l1 + m1)
        * f(l2 - m2)
        * f(l2 + m2),
        f(l1 + l2 + big_l + 1),
    )
    return total, square


def _to_real(m: int) -> tuple[tuple[int, complex], ...]:
    """Y_real[m] = sum over (mu, factor) of factor * Y_complex[mu], times 1/sqrt(2) unless m = 0.

    Y_complex carries the Condon-Shortley phase, Y_real does not.
    """
    if m == 0:
        return ((0, 1 + 0j),)
    sign = -1 if m % 2 else 1
    if m > 0:
        return ((m, sign + 0j), (-m, 1 + 0j))
    return ((-m, -1j * sign), (m, 1j))


def _sum_of_roots(terms: list[tuple[Fraction, Fraction]]) -> float:
    """Sum of t sqrt(q) over ``terms`` = (t, q), rounded once.

    Terms that share their square-free radicand are merged as rationals, so sums that vanish do so
    exactly.
    """
    merged: dict[int, Fraction] = {}
    for factor, square in terms:
        radicand, outside = _square_free(square)
        merged[radicand] = merged.get(radicand, Fraction(0)) + factor * outside
    scale = 1 << 200
    total = sum(
        (factor * math.isqrt(radicand * scale * scale) for radicand, factor in merged.items()),
        Fraction(0),
    )
    return float(total / scale)


def _square_free(q: Fraction) -> tuple[int, Fraction]:
    """(k, f) with sqrt(q) = f sqrt(k), k square-free; quick because q holds only small primes."""
    n = q.numerator * q.denominator
    radicand, outside, p = 1, 1, 2
    while p * p <= n:
        while n % (p * p) == 0:
            n //= p * p
            outside *= p
        if n % p == 0:
            n //= p
            radicand *= p
        p += 1
    return radicand * n, Fraction(outside, q.denominator)


@cache
def clebsch_gordan_table(l1: int, l2: int, big_l: int) -> np.ndarray:
    """The coefficients of :func:`real_clebsch_gordan`, unchecked, in read-only memory.

    NumPy knows nothing of PyTorch's modes, default device and transformations, so tables can be
    made under any of them.
    """
    table = np.zeros((2 * l1 + 1, 2 * l2 + 1, 2 * big_l + 1))
    if abs(l1 - l2) <= big_l <= l1 + l2:
        _fill(table, l1, l2, big_l)
    table.flags.writeable = False
    return table


def _fill(table: np.ndarray, l1: int, l2: int, big_l: int) -> None:
    """Write what the triangle rule allows, each rounded once to float64."""
    odd = (l1 + l2 + big_l) % 2 == 1
    known = {
        (mu1, mu2): _racah(l1, mu1, l2, mu2, big_l)
        for mu1 in range(-l1, l1 + 1)
        for mu2 in range(-l2, l2 + 1)
        if abs(mu1 + mu2) <= big_l
    }
    for m1 in range(-l1, l1 + 1):
        for m2 in range(-l2, l2 + 1):
            # only these M are coupled: every complex order is plus or minus the real one
            sizes = {abs(m1) + abs(m2), abs(abs(m1) - abs(m2))}
            for big_m in {sign * size for size in sizes for sign in (1, -1) if size <= big_l}:
                # each m != 0 brings a factor 1/sqrt(2), kept under the square root
                halves = Fraction(1, 2 ** sum(m != 0 for m in (m1, m2, big_m)))
                terms: list[tuple[Fraction, Fraction]] = []
                for (mu1, u1), (mu2, u2) in itertools.product(_to_real(m1), _to_real(m2)):
                    for mu, u in _to_real(big_m):
                        # the coupled vector is sum C x y, so inputs carry conj(U)
                        phase = complex(u1).conjugate() * complex(u2).conjugate() * u
                        part = int(-phase.imag if odd else phase.real)
                        if mu1 + mu2 == mu and part and known[mu1, mu2][0]:
                            factor, square = known[mu1, mu2]
                            terms.append((part * factor, square * halves))
                if terms:
                    table[m1 + l1, m2 + l2, big_m + big_l] = _sum_of_roots(terms)


def real_clebsch_gordan(
    l1: int,
    l2: int,
    o3_lambda: int,
    *,
    dtype: torch.dtype = torch.float64,
    device: torch.device | str | None = None,
) -> Tensor:
    """Clebsch-Gordan coefficients in the basis of real spherical harmonics.

    The complex coefficients are transformed with Y_real = U Y_complex (Y_complex with the
    Condon-Shortley phase, Y_real without). The result is real for even l1 + l2 + L; for odd sums it
    is purely imaginary and *minus its imaginary part* is taken, with the same sign on all odd
    paths.

    Args:
        l1: angular momentum of the first factor, >= 0.
        l2: angular momentum of the second factor, >= 0.
        o3_lambda: angular momentum L of the product, >= 0.
        dtype: float32 or float64.
        device: where the table goes.

    Returns:
        Tensor (2 l1 + 1, 2 l2 + 1, 2 L + 1), m from -l to l; all zeros when (l1, l2, L) violate the
        triangle rule.

    Raises:
        InputError: a negative or non-integer angular momentum.

    Accuracy:
        One rounding of the exact algebraic value (<= 2 eps, tests/oracle/test_coupling.py).

    Source:
        Racah's formula, e.g. Varshalovich, Moskalev, Khersonskii (1988), section 8.2.
    """
    l1, l2, o3_lambda = _angular("l1", l1), _angular("l2", l2), _angular("o3_lambda", o3_lambda)
    return torch.tensor(clebsch_gordan_table(l1, l2, o3_lambda), dtype=dtype, device=device)


def coupling_paths(
    first: list[Key], second: list[Key], max_lambda: int
) -> list[tuple[Key, Key, Key]]:
    """All allowed couplings of two sets of equivariant blocks.

    Args:
        first: keys (o3_lambda, o3_sigma) of the first factor.
        second: keys of the second factor.
        max_lambda: largest angular momentum kept.

    Returns:
        Triples (key1, key2, key) with key = (L, sigma1 sigma2 (-1)^(l1 + l2 + L)), in the order of
        ``first``, then ``second``, then L.
    """
    return [
        ((l1, s1), (l2, s2), (big_l, s1 * s2 * (-1) ** (l1 + l2 + big_l)))
        for l1, s1 in first
        for l2, s2 in second
        for big_l in range(abs(l1 - l2), min(l1 + l2, max_lambda) + 1)
    ]


class ClebschGordanProduct(nn.Module):
    """Tensor product of two sets of equivariant blocks, coupled back to irreducible ones.

    Args:
        first: keys (o3_lambda, o3_sigma) of the blocks of the first factor.
        second: keys of the blocks of the second factor.
        max_lambda: largest angular momentum of the product; ``None`` keeps all.

    Attributes:
        paths: the couplings in the order in which their properties are concatenated.

    Accuracy:
        <= 16 eps of the product of the factors' norms (tests/oracle/test_coupling.py).

    Source:
        Nigam, Pozdnyakov, Ceriotti, J. Chem. Phys. 153, 121101 (2020), Eq. 9 (NICE iteration).
    """

    def __init__(
        self, first: list[Key], second: list[Key], *, max_lambda: int | None = None
    ) -> None:
        super().__init__()
        for name, keys in (("first", first), ("second", second)):
            require(
                len(keys) > 0 and all(lam >= 0 and sigma in (-1, 1) for lam, sigma in keys),
                name,
                "be a non-empty list of (o3_lambda >= 0, o3_sigma = ±1)",
                keys,
                "pass the keys of the blocks, e.g. [(0, 1), (1, 1)]",
            )
        if max_lambda is None:
            max_lambda = max(lam for lam, _ in first) + max(lam for lam, _ in second)
        max_lambda = _angular("max_lambda", max_lambda)
        self.paths = coupling_paths(list(first), list(second), max_lambda)
        self._tables = {
            (a[0], b[0], c[0]): ConstantTable(clebsch_gordan_table(a[0], b[0], c[0]))
            for a, b, c in self.paths
        }

    def table(self, l1: int, l2: int, o3_lambda: int, like: Tensor) -> Tensor:
        """Coefficients of one coupling in the dtype and on the device of ``like``."""
        return self._tables[l1, l2, o3_lambda].like(like)

    @full_precision
    def forward(
        self, first: Mapping[Key, Tensor], second: Mapping[Key, Tensor]
    ) -> dict[Key, Tensor]:
        """Couple two dictionaries of blocks.

        Args:
            first: (o3_lambda, o3_sigma) -> tensor (E, 2 lambda + 1, q1).
            second: the same for the second factor, (E, 2 lambda + 1, q2).

        Returns:
            (o3_lambda, o3_sigma) -> tensor (E, 2 lambda + 1, sum over paths of q1 q2), the property
            of the first factor slow, that of the second fast; keys sorted by lambda, sigma = +1
            first.
        """
        pieces: dict[Key, list[Tensor]] = {}
        for key1, key2, key in self.paths:
            a, b = first[key1], second[key2]
            table = self.table(key1[0], key2[0], key[0], a)
            half = torch.einsum("eap,abm->epbm", a, table)
            product = torch.einsum("epbm,ebq->empq", half, b)
            pieces.setdefault(key, []).append(product.flatten(-2))
        ordered = sorted(pieces, key=lambda key: (key[0], -key[1]))
        return {key: torch.cat(pieces[key], dim=-1) for key in ordered}
