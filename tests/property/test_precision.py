"""How float32 matrices are multiplied: accurate in any case, fast where the CPU can."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from symtrip import precision
from symtrip.expansion import Density
from symtrip.precision import fast_float32, full_precision
from symtrip.triplet_linear import TripletLinear

CPU: Any = precision._ONEDNN.matmul
CUDA: Any = torch.backends.cuda.matmul
EPS = torch.finfo(torch.float32).eps


@pytest.fixture(autouse=True)
def settings_as_before() -> Iterator[None]:
    yield
    assert precision._ON_CPU._users == precision._ON_CUDA._users == 0
    CPU.fp32_precision = CUDA.fp32_precision = "none"


@pytest.fixture
def wants(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> str:
    """A processor where this is the fastest way."""
    chosen: str = request.param
    monkeypatch.setattr(precision, "_fastest_on_cpu", lambda: chosen)
    monkeypatch.setattr(precision, "_ON_CPU", precision._Setting(CPU, lambda: chosen))
    return chosen


@full_precision
def inside() -> tuple[str, str]:
    return CPU.fp32_precision, CUDA.fp32_precision


@given(st.integers(1, 300), st.integers(1, 300), st.integers(1, 300), st.integers(0, 2**31))
def test_fast_products_are_products_of_float32(m: int, n: int, k: int, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    a, b = (torch.randn(*shape, generator=generator) for shape in ((m, k), (k, n)))
    with fast_float32():
        got = a @ b
    bound = a.double().abs() @ b.double().abs()
    assert ((got - a.double() @ b.double()).abs() <= k * EPS * bound).all()


@pytest.mark.parametrize("wants", ["ieee"], indirect=True)
@pytest.mark.parametrize("allowed", ["high", "medium"])
def test_shorter_types_allowed_outside_are_not_used(wants: str, allowed: str) -> None:
    torch.set_float32_matmul_precision(allowed)
    before = CPU.fp32_precision, CUDA.fp32_precision
    assert inside() == (wants, "ieee")
    assert (CPU.fp32_precision, CUDA.fp32_precision) == before
    torch.set_float32_matmul_precision("highest")


@pytest.mark.parametrize("wants", ["bf16"], indirect=True)
def test_what_is_accurate_on_this_processor_stays_allowed(wants: str) -> None:
    CPU.fp32_precision = "bf16"
    assert inside()[0] == wants


@pytest.mark.usefixtures("wants")
@pytest.mark.parametrize("wants", ["ieee", "bf16"], indirect=True)
def test_settings_come_back_after_an_error() -> None:
    CPU.fp32_precision = "tf32"

    @full_precision
    def fails() -> None:
        raise ValueError

    with pytest.raises(ValueError), fast_float32():  # noqa: PT011 - any of them
        fails()
    assert CPU.fp32_precision == "tf32"


@pytest.mark.parametrize("wants", ["bf16"], indirect=True)
def test_settings_come_back_when_the_last_thread_leaves(wants: str) -> None:
    barrier = Barrier(4, timeout=60)

    def work(number: int) -> str:
        barrier.wait()
        with fast_float32():
            for _ in range(200 * number):
                with fast_float32():
                    pass
            return str(CPU.fp32_precision)

    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(work, range(4))) == {wants}
    assert CPU.fp32_precision == "none"


@pytest.mark.parametrize("wants", ["ieee"], indirect=True)
def test_threads_that_leave_earlier_allow_nothing_to_those_that_stay(wants: str) -> None:
    CPU.fp32_precision = "tf32"

    @full_precision
    def stays() -> str:
        first.__exit__(None, None, None)
        return str(CPU.fp32_precision)

    first = precision._ON_CPU.held()
    first.__enter__()
    assert stays() == wants
    assert CPU.fp32_precision == "tf32"


@pytest.mark.parametrize("wants", ["ieee"], indirect=True)
def test_nothing_is_set_where_nothing_is_gained(wants: str) -> None:
    with fast_float32():
        assert wants != CPU.fp32_precision


@pytest.mark.parametrize("wants", ["bf16"], indirect=True)
def test_small_work_is_left_alone(wants: str) -> None:
    with fast_float32(False):
        assert wants != CPU.fp32_precision


def test_other_processors_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(precision, "_is_amd", lambda: False)
    precision._tried.cache_clear()
    assert precision._fastest_on_cpu() == "ieee"
    precision._tried.cache_clear()


def test_processors_that_round_to_a_shorter_type_are_left_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    product = Tensor.__matmul__

    def rounded(a: Tensor, b: Tensor) -> Tensor:
        short = a.dtype == torch.float32 and CPU.fp32_precision == "bf16"
        return product(a.bfloat16(), b.bfloat16()).float() if short else product(a, b)

    monkeypatch.setattr(precision, "_is_amd", lambda: True)
    monkeypatch.setattr(Tensor, "__matmul__", rounded)
    precision._tried.cache_clear()
    assert precision._fastest_on_cpu() == "ieee"
    assert CPU.fp32_precision == "none"
    precision._tried.cache_clear()


def test_threads_that_try_settings_at_once_leave_none_behind(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    product, barrier = Tensor.__matmul__, Barrier(4, timeout=60)

    def slow(a: Tensor, b: Tensor) -> Tensor:
        time.sleep(0.02)
        return product(a, b)

    def work(_: int) -> None:
        barrier.wait()
        with fast_float32():
            pass

    monkeypatch.setattr(precision, "_is_amd", lambda: True)
    monkeypatch.setattr(Tensor, "__matmul__", slow)
    precision._tried.cache_clear()
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))
    precision._tried.cache_clear()
    assert CPU.fp32_precision == "none"


def test_the_layer_is_as_accurate_where_it_takes_fast_products() -> None:
    generator = torch.Generator().manual_seed(0)
    count, n, q, h, max_angular = 48, 7, 3, 100, 3
    g = [
        torch.randn(count, n, 2 * l + 1, q, generator=generator, dtype=torch.float64)
        for l in range(max_angular + 1)
    ]
    layer = TripletLinear(max_angular=max_angular, n_channels=q, out_features=h)
    layer.reset_parameters(generator)
    upstream = torch.randn(count, n, n, h, generator=generator, dtype=torch.float64)

    def derivatives(dtype: torch.dtype) -> list[Tensor]:
        blocks = tuple(x.to(dtype).requires_grad_() for x in g)
        mask = torch.ones(count, n, dtype=torch.bool)
        density = Density(tuple(x.sum(dim=1) for x in blocks), blocks, mask)
        layer.to(dtype)
        outputs = layer(density)
        leaves = [*blocks, layer.weight]
        first = torch.autograd.grad(outputs, leaves, upstream.to(dtype), create_graph=True)
        second = torch.autograd.grad(sum((x * x).sum() for x in first), leaves)
        return [x.detach().double() for x in (outputs, *first, *second)]

    want = derivatives(torch.float64)
    for got, exact in zip(derivatives(torch.float32), want, strict=True):
        assert (got - exact).norm() <= 16 * EPS * exact.norm()
