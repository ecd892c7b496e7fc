"""Points from their moments, in rational arithmetic: power sums, the matrix pencil, Prony."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from sympy import QQ
from sympy.polys.matrices import DomainMatrix
from sympy.polys.rings import PolyElement, ring

from symtrip_reference._checks import require
from symtrip_reference.reconstruction.matrices import hankel, solve
from symtrip_reference.reconstruction.moments import (
    Exponents,
    Moments,
    Point,
    exponents,
    monomial,
    power_sum,
)

__all__ = [
    "newton",
    "points_by_matrix_pencil",
    "points_by_power_sums",
    "points_on_a_line",
    "prony",
]

AXES: tuple[Exponents, ...] = ((1, 0, 0), (0, 1, 0), (0, 0, 1))


def newton(power: Sequence[Any], one: Any) -> list[Any]:
    """Elementary symmetric functions e_0 .. e_m from the power sums p_0 .. p_m.

    Args:
        power: numbers or polynomials; p_0 is not read.
        one: the 1 of their ring.

    Source: Newton's identities, t e_t = sum_s (-1)^(s-1) e_(t-s) p_s.
    """
    elementary = [one]
    for t in range(1, len(power)):
        value = sum(
            ((-1) ** (s - 1) * elementary[t - s] * power[s] for s in range(1, t + 1)), one * 0
        )
        elementary.append(value * QQ(1, t))
    return elementary


def points_by_power_sums(data: Moments, count: int) -> Counter[Point]:
    """Points of unit weight from their moments of degree <= ``count``; repetitions are allowed.

    The power sums p_t(v) = sum_i (v.x_i)^t give prod_i (1 + v.x_i), whose factorisation into linear
    forms is unique.

    Args:
        data: moments at least up to degree ``count``.
        count: number of points.

    Raises:
        InputError: the product has other factors over the rationals: weights that are not 1, or
            irrational coordinates.

    Source: theorem D2 of the proofs (proofs/certificates/test_6_d2_unit_weights.py).
    """
    R, *v = ring("u,v,w", QQ)
    elementary = newton([power_sum(data, v, t) for t in range(count + 1)], R(1))
    _, factors = sum(elementary, R(0)).factor_list()
    found: Counter[Point] = Counter()
    for factor, multiplicity in factors:
        constant = factor.get((0, 0, 0), QQ(0))
        _require_rational_points(bool(constant) and all(sum(e) <= 1 for e in factor), factor)
        x, y, z = (factor.get(e, QQ(0)) / constant for e in AXES)
        found[x, y, z] += multiplicity
    return found


def points_by_matrix_pencil(data: Moments, d: int) -> dict[Point, Any]:
    """Points and weights from moments of degree <= 2d + 1; their number is the rank.

    The matrices of the moments shifted by x, y and z, on the pivots of the plain one, commute, and
    their eigenvalues are the coordinates.

    Args:
        data: moments at least up to degree 2d + 1, of points that polynomials of degree <= d tell
            apart linearly.
        d: degree of the polynomials, >= 0.

    Returns:
        Point -> weight.

    Raises:
        InputError: the eigenvalues are not rational and distinct in any direction.

    Source: theorem D3 of the proofs (proofs/certificates/test_6_d3_full_rank.py).
    """
    basis = [e for degree in range(d + 1) for e in exponents(degree)]

    def matrix(shift: Exponents) -> DomainMatrix:
        rows = [[data[_add(_add(a, b), shift)] for b in basis] for a in basis]
        return DomainMatrix(rows, (len(basis), len(basis)), QQ)

    plain = matrix((0, 0, 0))
    rows = list(plain.rref()[1])
    m = len(rows)
    inverse = plain.extract(rows, rows).inv()
    shifts = [inverse * matrix(axis).extract(rows, rows) for axis in AXES]
    for t in range(m * (m - 1) + 1):
        combined = shifts[0] + QQ(t) * shifts[1] + QQ(t * t) * shifts[2]
        eigenvalues = _rational_roots(list(reversed(combined.charpoly())))
        if len(eigenvalues) == m:
            break
    else:
        _require_rational_points(False, "pencils without common eigenvectors")
    identity = DomainMatrix.eye(m, QQ)
    points: list[Point] = []
    for eigenvalue in eigenvalues:
        (vector,) = (combined - eigenvalue * identity).to_dense().nullspace().to_list()
        column = DomainMatrix([[x] for x in vector], (m, 1), QQ)
        pivot = next(i for i, x in enumerate(vector) if x)
        x, y, z = ((s * column).to_list()[pivot][0] / vector[pivot] for s in shifts)
        points.append((x, y, z))
    # H_I0 = sum_i w_i phi_I(x_i): m equations for the weights, invertible since V_I is.
    weights = solve(
        [[monomial(x, basis[r]) for x in points] for r in rows], [data[basis[r]] for r in rows]
    )
    return dict(zip(points, weights, strict=True))


def points_on_a_line(power: Sequence[Any], count: int) -> Counter[Any]:
    """Numbers t_i from their power sums of degree <= ``count``; repetitions are allowed.

    Args:
        power: sum_i t_i^d for d = 0, 1, ..., ``count`` at least.
        count: how many numbers.

    Raises:
        InputError: they are not rational.

    Source: Newton's identities.
    """
    elementary = newton(power[: count + 1], QQ(1))
    signed = [(-1) ** t * e for t, e in enumerate(elementary)]
    return _rational_roots(list(reversed(signed)))


def prony(power: Sequence[Any], count: int) -> dict[Any, Any]:
    """Numbers and weights from weighted power sums of degree <= 2 ``count`` - 1.

    Args:
        power: sum_i w_i t_i^d for d = 0, 1, ..., 2 ``count`` - 1 at least; distinct t_i, w_i != 0.
        count: how many numbers.

    Returns:
        t -> w.

    Raises:
        InputError: the numbers are not rational and distinct.

    Source: Prony, J. de l'Ecole Polytechnique 1(2), 24 (1795).
    """
    recurrence = solve(hankel(power, count), [-x for x in power[count : 2 * count]])
    roots = list(_rational_roots([*recurrence, QQ(1)]))
    _require_rational_points(len(roots) == count, "repeated numbers")
    weights = solve([[t**d for t in roots] for d in range(count)], list(power[:count]))
    return dict(zip(roots, weights, strict=True))


def _add(a: Exponents, b: Exponents) -> Exponents:
    return a[0] + b[0], a[1] + b[1], a[2] + b[2]


def _rational_roots(coefficients: Sequence[Any]) -> Counter[Any]:
    """Roots of sum_t c_t s^t with their multiplicities."""
    R, s = ring("s", QQ)
    _, factors = sum((c * s**t for t, c in enumerate(coefficients)), R(0)).factor_list()
    roots: Counter[Any] = Counter()
    for factor, multiplicity in factors:
        _require_rational_points(factor.degree() == 1, factor)
        roots[-factor.get((0,), QQ(0)) / factor[(1,)]] += multiplicity
    return roots


def _require_rational_points(ok: bool, found: PolyElement | str) -> None:
    require(
        ok,
        "features",
        "be those of atoms with rational coordinates, of weight 1 for power sums",
        found,
        'choose rational positions, or decoder="matrix-pencil" for atoms in the cutoff shell',
    )
