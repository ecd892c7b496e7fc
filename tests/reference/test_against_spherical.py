"""Complex couplings and Wigner matrices against the package ``spherical``, slow to import."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from symtrip_reference import complex_clebsch_gordan, complex_wigner_d

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # numba's, while it compiles
    import quaternionic
    import spherical

EPS = 2.0**-52
MAX_ANGULAR = 6


@pytest.fixture(scope="module")
def calculator() -> Any:
    return spherical.Wigner(MAX_ANGULAR)


@pytest.mark.parametrize("l", range(0, MAX_ANGULAR + 1, 2))
@pytest.mark.parametrize("q", [(1, 2, -3, 4), (1, 0, 1, 0), (0, 1, 1, 0), (2, 1, 1, -1)])
def test_complex_wigner_matrices_agree(calculator: Any, q: tuple[int, ...], l: int) -> None:
    unit = quaternionic.array(np.array(q, dtype=float)).normalized
    values = calculator.D(unit)
    got = complex_wigner_d(l, q).evalf(20)
    for m in range(-l, l + 1):
        for n in range(-l, l + 1):
            # spherical rotates the other way round: its matrix is the complex conjugate
            want = np.conj(values[calculator.Dindex(l, m, n)])
            # measured 3 eps
            assert abs(complex(got[m + l, n + l]) - want) <= 32 * EPS


@pytest.mark.parametrize("path", [(1, 1, 1), (2, 1, 3), (3, 3, 4), (6, 4, 5), (10, 9, 10)])
def test_complex_clebsch_gordan_coefficients_agree(path: tuple[int, int, int]) -> None:
    l1, l2, L = path
    for m1 in range(-l1, l1 + 1, max(1, l1 // 2)):
        for m2 in range(-l2, l2 + 1):
            if abs(m1 + m2) <= L:
                got = float(complex_clebsch_gordan(l1, m1, l2, m2, L, m1 + m2))
                want = spherical.clebsch_gordan(l1, m1, l2, m2, L, m1 + m2)
                # measured 12 eps
                assert abs(got - want) <= 64 * EPS
