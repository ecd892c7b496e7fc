"""Theorem 0: the frame of one non-collinear tagged pair determines the environment.

Statement. Let X and Y be finite sets of atoms (a position in R^3 without the origin, a species).
For a tagged pair (j, k) call

    |r_j|^2, r_j.r_k, |r_k|^2  and the multiset of (species, x.r_j, x.r_k, x.(r_j x r_k)), x in X,

its data. (a) If a non-collinear pair of X and a pair of Y have equal data, there is exactly one
rotation that maps the first pair to the second, and it maps X to Y. (b) If all pairs of X are
collinear, X lies on one line through the centre, and the data of any one pair, which then hold
its signed distances, fix it up to a rotation. (c) The data are the sharp-density limit of the
features F_jk. (d) Sums over the pairs of functions of F_jk separate the multisets {F_jk}, so that
such sums separate environments up to rotation and relabelling.

What the machine checks. (a) The reconstruction x = sum of data times frame vectors, the Gram
matrix of (r_j, r_k, r_j x r_k) as a function of the pair's Gram matrix, and the rotation built
from the two frames, as polynomial identities in symbolic coordinates; then whole rational
environments, coplanar ones included, compared with rotated and permuted copies. (b) The collinear
reconstruction, likewise symbolic. (c) The features (1,0,1), (0,1,1), (1,1,1) and (1,1,0) of the
exact package are non-zero multiples of x.r_j, x.r_k, x.(r_j x r_k) and r_j.r_k. (d) The
elementary symmetric functions of N vectors as polynomials in their power sums (Newton), for N <=
4, symbolically; the product of linear forms that they make up factors uniquely.

What is assumed. For (d) with general continuous psi instead of polynomials: that sums of
continuous functions over a multiset approximate every continuous function of multisets (Zaheer et
al., Deep Sets, NeurIPS 2017, Theorem 9, as used by the paper; Wagstaff et al., ICML 2019, for its
proof).

Literature. Nigam, Pozdnyakov, Huguenin-Dumittan, Ceriotti, APL Mach. Learn. 2, 016110 (2024),
supplementary section II; Kurlin, arXiv:2207.08502 and Widdowson, Kurlin, CVPR 2023, 1275
(complete invariants from frames of tagged points). The Coq companion is proofs/coq.
"""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from itertools import permutations
from typing import Any

import pytest
import sympy
from coupled import triplet_polynomial
from geometry import Environment, Vector, cross, dot, matrix_vector, rational_rotation, subtract
from sympy import QQ
from sympy.polys.rings import ring

THEOREM = (
    "Equal data in the frame of one non-collinear tagged pair imply congruence by one rotation; "
    "collinear environments are fixed by signed distances; pair sums of psi separate."
)
ASSUMES = "Zaheer et al. 2017 (deep sets) for continuous psi; nothing for polynomial psi"

J = sympy.symbols("j_x j_y j_z", real=True)
K = sympy.symbols("k_x k_y k_z", real=True)
X = sympy.symbols("x y z", real=True)

ENVIRONMENTS = {
    "generic": [(1, 2, 3), (-2, 1, 1), (0, 3, -1), (2, -2, 1), (-1, -1, -4)],
    "coplanar": [(1, 2, 0), (-2, 1, 0), (3, 3, 0), (2, -2, 0)],
    "collinear but for one": [(1, 1, 1), (2, 2, 2), (-3, -3, -3), (0, 1, 2)],
    "equal norms": [(1, 2, 2), (2, 1, 2), (-2, 2, 1), (3, 0, 0), (0, 0, -3)],
    "an atom and its antipode": [(1, 2, 2), (-1, -2, -2), (2, 0, 1)],
}


def data(environment: Environment, j: Vector, k: Vector) -> tuple[tuple[Any, ...], Counter[Any]]:
    """Gram matrix of the tagged pair and the multiset of atoms in its frame."""
    normal = cross(j, k)
    atoms = Counter((s, dot(x, j), dot(x, k), dot(x, normal)) for s, x in environment)
    return (dot(j, j), dot(j, k), dot(k, k)), atoms


def test_an_atom_is_its_data_times_the_frame() -> None:
    normal = cross(J, K)
    jj, jk, kk = dot(J, J), dot(J, K), dot(K, K)
    xj, xk, xn = dot(X, J), dot(X, K), dot(X, normal)
    area = dot(normal, normal)
    for component in range(3):
        rebuilt = (
            (xj * kk - xk * jk) * J[component]
            + (xk * jj - xj * jk) * K[component]
            + xn * normal[component]
        )
        assert sympy.expand(area * X[component] - rebuilt) == 0


def test_the_gram_matrix_of_the_pair_fixes_the_frame_up_to_one_rotation() -> None:
    # With B = [r_j, r_k, r_j x r_k] and G = B^T B, two frames with the same G are related by
    # R = B' B^-1 = B' G^-1 B^T: R^T R = B G^-1 G G^-1 B^T = B G^-1 B^T = 1, det R = det B'/det B
    # = 1.
    frame = sympy.Matrix([J, K, cross(J, K)]).T
    jj, jk, kk = sympy.symbols("jj jk kk", real=True)
    gram = sympy.Matrix([[jj, jk, 0], [jk, kk, 0], [0, 0, jj * kk - jk**2]])
    values = {jj: dot(J, J), jk: dot(J, K), kk: dot(K, K)}
    concrete = gram.subs(values)
    assert (frame.T * frame - concrete).expand().is_zero_matrix
    assert sympy.expand(frame.det() - concrete[2, 2]) == 0
    # |r_j x r_k|^4 G^-1 = adj G, so that no division is needed.
    assert (gram * gram.adjugate() - gram[2, 2] ** 2 * sympy.eye(3)).expand().is_zero_matrix
    projector = frame * concrete.adjugate() * frame.T - concrete[2, 2] ** 2 * sympy.eye(3)
    assert projector.expand().is_zero_matrix


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_the_data_of_every_non_collinear_pair_rebuild_a_rotated_and_permuted_copy(
    name: str,
) -> None:
    environment = [(i % 2, tuple(map(Fraction, x))) for i, x in enumerate(ENVIRONMENTS[name])]
    rotation = rational_rotation(1, 2, -1, 3)
    copy = [(s, matrix_vector(rotation, x)) for s, x in reversed(environment)]
    matched = 0
    for (_, j), (_, k) in permutations(environment, 2):
        if not any(cross(j, k)):
            continue
        j_copy, k_copy = matrix_vector(rotation, j), matrix_vector(rotation, k)
        gram, atoms = data(environment, j, k)
        assert (gram, atoms) == data(copy, j_copy, k_copy)
        # Rebuild every atom of the copy from the data and the copy's frame alone.
        normal, area = cross(j_copy, k_copy), gram[0] * gram[2] - gram[1] ** 2
        rebuilt: Counter[Any] = Counter()
        for (species, xj, xk, xn), count in atoms.items():
            a, b = xj * gram[2] - xk * gram[1], xk * gram[0] - xj * gram[1]
            position = tuple(
                (a * u + b * v + xn * w) / area
                for u, v, w in zip(j_copy, k_copy, normal, strict=True)
            )
            rebuilt[species, position] += count
        assert rebuilt == Counter(copy)
        matched += 1
    assert matched > 0


def test_a_collinear_pair_alone_does_not_see_azimuths() -> None:
    # Two atoms on an axis, two beside it: turned by 90 degrees about the axis or not.
    axis = [(0, (0, 0, 1)), (1, (0, 0, -2))]
    plus = [*axis, (2, (1, 0, 1)), (2, (2, 0, 3))]
    minus = [*axis, (2, (1, 0, 1)), (2, (0, 2, 3))]
    assert data(plus, axis[0][1], axis[1][1]) == data(minus, axis[0][1], axis[1][1])
    assert data(plus, plus[0][1], plus[2][1]) != data(minus, minus[0][1], minus[2][1])


def test_an_atom_on_the_line_of_a_tagged_atom_is_its_signed_distance() -> None:
    # |r_j|^2 x - (x.r_j) r_j = r_j x (x x r_j), which vanishes for x on the line of r_j.
    left = [dot(J, J) * x - dot(X, J) * j for x, j in zip(X, J, strict=True)]
    right = cross(J, cross(X, J))
    assert all(sympy.expand(d) == 0 for d in subtract(left, right))


def test_two_collinear_environments_with_equal_signed_distances_are_congruent() -> None:
    line = [(0, (1, 2, 2)), (1, (-2, -4, -4)), (0, (3, 6, 6))]
    environment = [(s, tuple(map(Fraction, x))) for s, x in line]
    rotation = rational_rotation(2, 1, 0, -1)
    copy = [(s, matrix_vector(rotation, x)) for s, x in environment]
    for (_, j), (_, j_copy) in zip(environment, copy, strict=True):
        atoms = Counter((s, dot(x, j)) for s, x in environment)
        assert atoms == Counter((s, dot(x, j_copy)) for s, x in copy)
        rebuilt = {(s, tuple(t * c / dot(j, j) for c in j_copy)) for s, t in atoms}
        assert rebuilt == set(copy)


def test_the_first_features_are_the_data_of_the_pair() -> None:
    _, *g = ring("j:3,k:3,x:3", QQ)
    j, k, x = g[:3], g[3:6], g[6:]
    expected = {
        (1, 0, 1): dot(x, j),
        (0, 1, 1): dot(x, k),
        (1, 1, 1): dot(x, cross(j, k)),
        (1, 1, 0): dot(j, k),
    }
    for path, polynomial in expected.items():
        _, value = triplet_polynomial(*path, j, k, x).single()
        factor = value[polynomial.leading_expv()] / polynomial.LC
        assert factor != 0
        assert value == polynomial * factor


@pytest.mark.parametrize("n", [1, 2, 3, 4])
def test_power_sums_of_vectors_give_the_product_of_linear_forms(n: int) -> None:
    # n vectors F_i in R^2, a direction v and a scalar s: e_t from p_t by Newton's identities
    # t e_t = sum_u (-1)^(u-1) e_(t-u) p_u, and prod_i (s + v.F_i) = sum_t e_t s^(n-t).
    R, *g = ring(f"v:2,s,f:{2 * n}", QQ)
    v, s, f = g[:2], g[2], g[3:]
    forms = [v[0] * f[2 * i] + v[1] * f[2 * i + 1] for i in range(n)]
    power = [sum((form**t for form in forms), R(0)) for t in range(n + 1)]
    elementary = [R(1)]
    for t in range(1, n + 1):
        newton = sum(
            ((-1) ** (u - 1) * elementary[t - u] * power[u] for u in range(1, t + 1)), R(0)
        )
        elementary.append(newton * QQ(1, t))
    product = R(1)
    for form in forms:
        product *= s + form
    assert product == sum((e * s ** (n - t) for t, e in enumerate(elementary)), R(0))
    _, factors = product.factor_list()
    assert Counter({factor.monic(): count for factor, count in factors}) == Counter(
        (s + form).monic() for form in forms
    )
