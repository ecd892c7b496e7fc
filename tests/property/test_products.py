"""Matrix products of NumPy and threads of Python."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from symtrip.products import SHORT_WORK, in_threads, multiply, shares


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    ("n_rows", "n_inner", "n_columns"),
    # an outer product, one call, rows in parts with and without a rest, a row above the limit
    [
        (6, 1, 5),
        (6, 3, 5),
        (10, 7, SHORT_WORK // 35),
        (11, 7, SHORT_WORK // 35),
        (2, 3, SHORT_WORK),
    ],
)
def test_products_in_parts_are_the_products(
    n_rows: int, n_inner: int, n_columns: int, dtype: type[np.floating]
) -> None:
    generator = np.random.default_rng(0)
    left = generator.standard_normal((2, n_rows, n_inner)).astype(dtype)
    right = generator.standard_normal((2, n_inner, n_columns)).astype(dtype)
    out = np.full((2, n_rows, n_columns), np.nan, dtype=dtype)
    multiply(left, right, out)
    # sums of at most seven products
    scale = np.abs(left) @ np.abs(right)
    assert np.all(np.abs(out - left @ right) <= 8 * np.finfo(dtype).eps * scale)


def test_products_are_broadcast_in_parts() -> None:
    generator = np.random.default_rng(0)
    left = generator.standard_normal((2, 1, 11, 7))
    right = generator.standard_normal((1, 3, 7, SHORT_WORK // 35))
    out = np.full((2, 3, 11, SHORT_WORK // 35), np.nan)
    multiply(left, right, out)
    scale = np.abs(left) @ np.abs(right)
    assert np.all(np.abs(out - left @ right) <= 8 * np.finfo(np.float64).eps * scale)


@given(st.integers(1, 9), st.integers(1, 20), st.integers(1, 20))
def test_every_row_of_every_environment_is_the_share_of_one_thread(
    threads: int, n_env: int, n_rows: int
) -> None:
    count = np.zeros((n_env, n_rows), dtype=int)
    parts = shares(threads, n_env, n_rows)
    for part in parts:
        count[part] += 1
        assert count[part].size
    assert (count == 1).all()
    assert len(parts) <= threads


@pytest.mark.parametrize("n", [1, 2])
def test_infinities_pass_through_without_a_warning(n: int) -> None:
    left, out = np.array([[[np.inf, 1.0]]]), np.empty((n, 1, 1, 1))
    in_threads(lambda i: multiply(left, np.zeros((1, 2, 1)), out[i]), n)
    assert np.isnan(out).all()


@pytest.mark.parametrize("n", [1, 2, 5])
def test_work_is_done_once_on_as_many_threads(n: int) -> None:
    done: list[int] = []
    names: set[str] = set()

    def work(i: int) -> None:
        done.append(i)
        names.add(threading.current_thread().name)

    before = threading.active_count()
    in_threads(work, n)
    assert sorted(done) == list(range(n))
    assert threading.main_thread().name in names
    assert threading.active_count() == before


@pytest.mark.parametrize("culprit", [0, 1])
@pytest.mark.parametrize("problem", [ValueError, KeyboardInterrupt])
def test_what_a_thread_raises_is_raised_after_all_have_ended(
    culprit: int, problem: type[BaseException]
) -> None:
    ended: list[int] = []

    def work(i: int) -> None:
        if i == culprit:
            raise problem
        ended.append(i)

    with pytest.raises(problem):
        in_threads(work, 2)
    assert ended == [1 - culprit]
