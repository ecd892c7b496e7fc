"""Theorem 1: the coupling coefficients are unitary and the features F_jk are rotation invariant.

Statement. (a) The complex coefficients of the exact package are the Clebsch-Gordan coefficients
in the Condon-Shortley phase: they obey the ladder relations, are orthonormal both ways, and <l1
l1 l2 L-l1 | L L> > 0. (b) The real harmonics are orthonormal, harmonic, and a unitary transform U
of functions that obey the ladder relations of Y_lm. (c) The real coefficients are the U-transform
of the complex ones: real for l1+l2+L even, purely imaginary for odd (minus the imaginary part is
kept, on every path), and form an orthogonal matrix. (d) For every path l <= 4 the feature F_jk, a
polynomial in the nine coordinates of r_j, r_k and a neighbour x, is annihilated by L_x, L_y and
L_z (sums over the three vectors of r x nabla), hence invariant under SO(3); under inversion it
takes the sign (-1)^(l1+l2+L).

What the machine checks. (a), (c): every coefficient with l1, l2 <= 4 (all L <= 8), exactly. (b):
all l <= 8 (ladder relations: l <= 4), as polynomials. (d): all 34 paths with l <= 3 and the 31
further ones with an l = 4, symbolically in nine coordinates.

What is assumed. On paper: a function annihilated by the three generators is constant on orbits of
the connected group SO(3); each L_a is a derivation with L_a |r|^2 = 0 (checked), so factors
f(|r_j|) f(|r_k|) f(|x|) and sums over neighbours x change nothing: the statement holds for every
radial basis, cutoff and density.

Literature. Racah, Phys. Rev. 62, 438 (1942); Varshalovich, Moskalev, Khersonskii, Quantum Theory
of Angular Momentum (1988), chapters 5 and 8; Nigam et al., APL Mach. Learn. 2, 016110 (2024), Eq.
1.
"""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from typing import Any

import pytest
from coupled import (
    complex_coefficient,
    paths,
    real_coefficient,
    real_terms,
    solid_harmonics,
    triplet_polynomial,
)
from sympy import QQ
from sympy.polys.rings import PolyElement, ring
from symtrip_reference.reconstruction.roots import RootSum, root

THEOREM = (
    "Clebsch-Gordan orthogonality and real-basis unitarity; L_x, L_y, L_z annihilate every F_jk, "
    "so F_jk is SO(3)-invariant with parity (-1)^(l1+l2+L)."
)
ASSUMES = "nothing beyond 'zero generators imply invariance' for the connected group SO(3)"

MAX_TAGGED = 4
PAIRS = [(l1, l2) for l1 in range(MAX_TAGGED + 1) for l2 in range(MAX_TAGGED + 1)]
ONE = RootSum.of(QQ(1))


def momenta(l1: int, l2: int) -> range:
    return range(abs(l1 - l2), l1 + l2 + 1)


def delta(equal: bool) -> RootSum:
    return ONE if equal else RootSum({})


def ladder(l: int, m: int, step: int) -> RootSum:
    """sqrt(l(l+1) - m(m+step)), what J_+ (step 1) or J_- (step -1) does to |l m>."""
    return root(Fraction(l * (l + 1) - m * (m + step)))


# (a) complex coefficients -----------------------------------------------------------------------


def bounded(l1: int, m1: int, l2: int, m2: int, L: int, M: int) -> RootSum:
    inside = abs(m1) <= l1 and abs(m2) <= l2 and abs(M) <= L
    return complex_coefficient(l1, m1, l2, m2, L, M) if inside else RootSum({})


@pytest.mark.parametrize(("l1", "l2"), PAIRS)
def test_complex_coefficients_obey_the_ladder_relations_and_the_phase_convention(
    l1: int, l2: int
) -> None:
    for L in momenta(l1, l2):
        highest = complex_coefficient(l1, l1, l2, L - l1, L, L)
        ((_, coefficient),) = highest.terms.items()
        assert coefficient > 0
        for M, m1, step in product(range(-L, L + 1), range(-l1, l1 + 1), (1, -1)):
            m2 = M + step - m1
            if abs(m2) > l2:
                continue
            left = ladder(L, M, step) * bounded(l1, m1, l2, m2, L, M + step)
            right = ladder(l1, m1 - step, step) * bounded(l1, m1 - step, l2, m2, L, M) + ladder(
                l2, m2 - step, step
            ) * bounded(l1, m1, l2, m2 - step, L, M)
            assert left == right


@pytest.mark.parametrize(("l1", "l2"), PAIRS)
def test_complex_coefficients_are_orthonormal_both_ways(l1: int, l2: int) -> None:
    for M in range(-l1 - l2, l1 + l2 + 1):
        columns = [L for L in momenta(l1, l2) if abs(M) <= L]
        rows = [(m1, M - m1) for m1 in range(-l1, l1 + 1) if abs(M - m1) <= l2]
        assert len(rows) == len(columns)
        matrix = [[complex_coefficient(l1, m1, l2, m2, L, M) for L in columns] for m1, m2 in rows]
        assert_orthogonal(matrix)


def assert_orthogonal(matrix: list[list[RootSum]]) -> None:
    """The rows are orthonormal, and so are the columns."""
    for vectors in (matrix, list(zip(*matrix, strict=True))):
        for i, u in enumerate(vectors):
            for k, v in enumerate(vectors[: i + 1]):
                inner = RootSum.total(a * b for a, b in zip(u, v, strict=True) if a and b)
                assert inner == delta(i == k)


# (b) real harmonics -----------------------------------------------------------------------------


def double_factorial(n: int) -> int:
    return 1 if n <= 0 else n * double_factorial(n - 2)


def sphere_mean(polynomial: PolyElement) -> Any:
    """Mean over the unit sphere: of x^a y^b z^c it is (a-1)!! (b-1)!! (c-1)!! / (a+b+c+1)!!."""
    total = QQ(0)
    for (a, b, c), coefficient in polynomial.terms():
        if a % 2 == b % 2 == c % 2 == 0:
            numerator = double_factorial(a - 1) * double_factorial(b - 1) * double_factorial(c - 1)
            total += coefficient * QQ(numerator, double_factorial(a + b + c + 1))
    return total


def test_real_harmonics_are_orthonormal_and_harmonic() -> None:
    _, *xyz = ring("x,y,z", QQ)
    harmonics = [(l, h) for l in range(9) for h in solid_harmonics(l, xyz)]
    for i, (l, h) in enumerate(harmonics):
        d, polynomial = h.single()
        assert not sum((polynomial.diff(t).diff(t) for t in xyz), xyz[0].ring(0))
        for k, (n, g) in enumerate(harmonics[: i + 1]):
            if n == l:
                e, other = g.single()
                mean = root(Fraction(d)) * root(Fraction(e))
                # The factor sqrt(4 pi) of each harmonic turns the integral into the mean.
                assert mean.scaled(sphere_mean(polynomial * other)) == delta(i == k)


def test_harmonics_of_different_degree_are_orthogonal() -> None:
    # L^2 is symmetric on the sphere and l(l+1) differ; that Y_lm is an eigenfunction is the ladder
    # test below plus harmonicity above. Checked directly as well, for l <= 5.
    _, *xyz = ring("x,y,z", QQ)
    harmonics = [(l, h.single()[1]) for l in range(6) for h in solid_harmonics(l, xyz)]
    for (l, p), (n, q) in product(harmonics, repeat=2):
        if l != n:
            assert sphere_mean(p * q) == 0


def rotate_gradient(polynomial: PolyElement, xyz: list[PolyElement], axis: int) -> PolyElement:
    """(r x nabla)_axis: i times the angular momentum operator."""
    b, c = xyz[(axis + 1) % 3], xyz[(axis + 2) % 3]
    return b * polynomial.diff(c) - c * polynomial.diff(b)


Complex = tuple[RootSum, RootSum]


def transform(m: int) -> dict[int, Complex]:
    """Row m of U in Y_real = U Y_complex, entries as (real part, imaginary part).

    Y_m real = (Y_-m + (-1)^m Y_m)/sqrt 2 for m > 0, i (Y_m - (-1)^m Y_-m)/sqrt 2 for m < 0: with
    the Condon-Shortley phase these are sqrt 2 times Re and Im of Y_|m| without that phase.
    """
    half, zero = root(Fraction(1, 2)), RootSum({})
    sign = QQ((-1) ** abs(m))
    if m == 0:
        return {0: (ONE, zero)}
    if m > 0:
        return {m: (half.scaled(sign), zero), -m: (half, zero)}
    return {m: (zero, half), -m: (zero, half.scaled(-sign))}


def times(a: Complex, b: Complex) -> Complex:
    return a[0] * b[0] - a[1] * b[1], a[0] * b[1] + a[1] * b[0]


def conjugate(a: Complex) -> Complex:
    return a[0], -a[1]


def test_the_real_basis_transform_is_unitary() -> None:
    for l in range(9):
        rows = [transform(m) for m in range(-l, l + 1)]
        for i, u in enumerate(rows):
            for k, v in enumerate(rows):
                parts = [times(u[m], conjugate(v[m])) for m in u if m in v]
                assert RootSum.total(p[0] for p in parts) == delta(i == k)
                assert not RootSum.total(p[1] for p in parts)


@pytest.mark.parametrize("l", range(5))
def test_the_transformed_harmonics_obey_the_ladder_relations(l: int) -> None:
    # Y_complex = U^dagger Y_real; L_z and L_+ = L_x + i L_y with L = -i r x nabla.
    R, *xyz = ring("x,y,z", QQ)
    real = solid_harmonics(l, xyz)
    rows = {m: transform(m) for m in range(-l, l + 1)}
    zero = RootSum({})

    def complex_harmonic(m: int) -> Complex:
        parts = [
            times(conjugate(row[m]), (real[k + l], zero)) for k, row in rows.items() if m in row
        ]
        return RootSum.total(p[0] for p in parts), RootSum.total(p[1] for p in parts)

    def generator(f: RootSum, axis: int) -> RootSum:
        return RootSum({d: rotate_gradient(R(c), xyz, axis) for d, c in f.terms.items()})

    for m in range(-l, l + 1):
        re, im = complex_harmonic(m)
        # L_z Y = -i (r x nabla)_z Y = m Y
        assert generator(im, 2) == re.scaled(QQ(m))
        assert -generator(re, 2) == im.scaled(QQ(m))
        for step in (1, -1):
            # (L_x + i step L_y) Y = (-i G_x + step G_y) Y
            got = (
                generator(im, 0) + generator(re, 1).scaled(QQ(step)),
                -generator(re, 0) + generator(im, 1).scaled(QQ(step)),
            )
            if abs(m + step) > l:
                assert not got[0]
                assert not got[1]
            else:
                want = complex_harmonic(m + step)
                factor = ladder(l, m, step)
                assert got[0] == factor * want[0]
                assert got[1] == factor * want[1]


# (c) real coefficients --------------------------------------------------------------------------


@pytest.mark.parametrize(("l1", "l2"), PAIRS)
def test_real_coefficients_are_the_transformed_complex_ones(l1: int, l2: int) -> None:
    for L in momenta(l1, l2):
        odd = (l1 + l2 + L) % 2
        for m1, m2, M in product(range(-l1, l1 + 1), range(-l2, l2 + 1), range(-L, L + 1)):
            re, im = [], []
            for n1, u1 in transform(m1).items():
                for n2, u2 in transform(m2).items():
                    u = transform(M).get(n1 + n2)
                    if u is None:
                        continue
                    phase = times(u, times(conjugate(u1), conjugate(u2)))
                    c = complex_coefficient(l1, n1, l2, n2, L, n1 + n2)
                    re.append(phase[0] * c)
                    im.append(phase[1] * c)
            kept, dropped = (-RootSum.total(im), re) if odd else (RootSum.total(re), im)
            assert not RootSum.total(dropped)
            assert real_coefficient(l1, m1, l2, m2, L, M) == kept


@pytest.mark.parametrize(("l1", "l2"), PAIRS)
def test_real_coefficients_form_an_orthogonal_matrix(l1: int, l2: int) -> None:
    columns: dict[tuple[int, int], dict[tuple[int, int], RootSum]] = {}
    rows: dict[tuple[int, int], dict[tuple[int, int], RootSum]] = {}
    for L in momenta(l1, l2):
        for m1, m2, M, c in real_terms(l1, l2, L):
            columns.setdefault((L, M), {})[m1, m2] = c
            rows.setdefault((m1, m2), {})[L, M] = c
    assert len(rows) == len(columns) == (2 * l1 + 1) * (2 * l2 + 1)
    for vectors in (list(columns.values()), list(rows.values())):
        for i, u in enumerate(vectors):
            for k, v in enumerate(vectors[: i + 1]):
                assert RootSum.total(c * v[key] for key, c in u.items() if key in v) == delta(
                    i == k
                )


# (d) features -----------------------------------------------------------------------------------


def annihilated(polynomial: PolyElement, vectors: list[list[PolyElement]]) -> bool:
    zero = polynomial.ring(0)
    return all(
        sum((rotate_gradient(polynomial, v, axis) for v in vectors), zero) == zero
        for axis in range(3)
    )


def test_generators_annihilate_squared_lengths() -> None:
    _, *g = ring("j:3,k:3,x:3", QQ)
    vectors = [g[:3], g[3:6], g[6:]]
    for v in vectors:
        assert annihilated(v[0] ** 2 + v[1] ** 2 + v[2] ** 2, vectors)


@pytest.mark.parametrize("path", list(paths(4)), ids=str)
def test_angular_momentum_annihilates_the_feature(path: tuple[int, int, int]) -> None:
    _, *g = ring("j:3,k:3,x:3", QQ)
    vectors = [g[:3], g[3:6], g[6:]]
    feature = triplet_polynomial(*path, *vectors)
    assert feature
    for polynomial in feature.terms.values():
        assert annihilated(polynomial, vectors)
        # Under inversion a monomial of degree d takes the sign (-1)^d.
        assert all(sum(exponents) % 2 == sum(path) % 2 for exponents in polynomial)


@pytest.mark.parametrize(("max_angular", "count", "odd"), [(3, 34, 11), (4, 65, 23)])
def test_the_paths_are_as_many_as_stated(max_angular: int, count: int, odd: int) -> None:
    parities = [sum(path) % 2 for path in paths(max_angular)]
    assert (len(parities), sum(parities)) == (count, odd)
