"""The fused first layer against exact features times its weights."""

from __future__ import annotations

from fractions import Fraction

import pytest
import symtrip_reference as reference
import torch
from contraction_orders import ORDERS, use_only
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from oracles import DIGITS, DTYPES, SMALL, error_in_eps, floats
from strategies import NEVER_EMPTY, clouds, exact_environment

from symtrip.triplet_linear import TripletLinear
from symtrip.verify import BUDGETS


@pytest.fixture(params=ORDERS, autouse=True)
def _order(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """All orders of contraction, whatever the number of neighbours."""
    use_only(request.param, monkeypatch)


@pytest.mark.parametrize("dtype", DTYPES)
@given(data=st.data())
@settings(max_examples=4, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_outputs_are_within_their_budget(dtype: torch.dtype, data: st.DataObject) -> None:
    cloud = data.draw(clouds(max_neighbors=3, species=SMALL.species, kinds=NEVER_EMPTY))
    environments = cloud.environments(dtype, padding=1)
    layer = TripletLinear(
        max_angular=SMALL.max_angular,
        n_channels=SMALL.fast().n_channels,
        out_features=3,
        bias=False,
        dtype=dtype,
    )
    layer.reset_parameters(torch.Generator().manual_seed(len(cloud)))
    with torch.no_grad():
        got = layer(SMALL.fast()(environments))[0]
    real = torch.nonzero(environments.mask[0]).flatten().tolist()
    padded = torch.nonzero(~environments.mask[0]).flatten()
    assert not bool(got[padded].any())
    assert not bool(got[:, padded].any())
    exact, uncut = (
        reference.triplet_features(
            exact_environment(environments), SMALL.exact(cut=cut), digits=DIGITS, rigorous=True
        )
        for cut in (True, False)
    )
    weight = layer.weight.detach().double()
    columns = [[Fraction(x) for x in column] for column in weight.T.tolist()]
    for (j, k), blocks in exact.items():
        values = [reference.fraction(x) for block in blocks.values() for x in block]
        want = [sum(x * w for x, w in zip(values, column, strict=True)) for column in columns]
        norm = float(floats(x for block in uncut[j, k].values() for x in block).norm())
        # measured 1 eps of |F| |W|
        scale = norm * weight.norm(dim=0)
        assert error_in_eps(got[real[j], real[k]], want, scale) <= BUDGETS["triplet_features"].eps
