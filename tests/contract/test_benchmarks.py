"""The benchmarks' harness: a record for every figure, whatever can be measured."""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path

import pytest

from symtrip.errors import InputError

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture
def script(monkeypatch):
    """Imports scripts of the folder, which import each other as when they are run."""
    before = set(sys.modules)
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    yield importlib.import_module
    for name in set(sys.modules) - before:
        origin = getattr(sys.modules[name], "__file__", None)
        if origin and Path(origin).parent == BENCHMARKS:
            del sys.modules[name]


@pytest.fixture
def bars_of(script, monkeypatch, tmp_path):
    """Runs groups when only one figure can be measured, at once; name -> its record."""

    def instant(_quick):
        """Instant."""
        return [script("figures").figure("training epoch / its five GEMMs, float64", 1.25)]

    def measurements(group):
        return [instant] if group == "training" else []

    def run(*groups):
        result = tmp_path / "bench.json"
        assert script("run").main([*groups, "--json", str(result)]) == 0
        return {bar["name"]: bar for bar in json.loads(result.read_text())["bars"]}

    monkeypatch.setattr(script("harness"), "measurements", measurements)
    return run


def test_every_figure_has_a_record(bars_of, script):
    assert set(bars_of()) == set(script("figures").FIGURES)


def test_a_measured_figure_is_judged(bars_of):
    bar = bars_of("training")["training epoch / its five GEMMs, float64"]
    assert (bar["value"], bar["bar"], bar["ok"]) == (1.25, "<= 1.6", True)


def test_what_cannot_be_measured_has_a_reason(bars_of):
    missing = [bar for bar in bars_of().values() if bar["value"] is None]
    assert missing
    assert [bar for bar in missing if bar["ok"] is not None or not bar["reason"]] == []


def test_without_peers_the_reason_is_the_command_that_compares(bars_of):
    assert "./run bench --peers" in bars_of()["invariants nu <= 3 / e3nn, batch 100"]["reason"]


def test_recorded_gpu_results_are_merged_with_their_device(script, tmp_path):
    name = "GPU: training epoch in seconds"
    recorded = {"machine": {"device": "Some GPU"}, "bars": [{"name": name, "value": 0.09}]}
    (tmp_path / "gpu.json").write_text(json.dumps(recorded))
    collected = script("harness").collect([], ["gpu"], [tmp_path / "gpu.json"])
    merged = {bar.name: bar for _, bar in collected}
    assert (merged[name].ok, merged[name].device) == (True, "Some GPU")


def test_a_damaged_record_is_named(script, tmp_path):
    (tmp_path / "gpu.json").write_text("{")
    with pytest.raises(InputError, match=r"gpu\.json"):
        script("harness").collect([], ["gpu"], [tmp_path / "gpu.json"])


def test_an_unknown_group_names_the_known_ones(script, capsys):
    assert script("run").main(["layers"]) == 2
    assert "materialised, layer" in capsys.readouterr().err


def test_missing_peers_are_refused_with_the_remedy(script, capsys, tmp_path):
    assert script("run").main(["--peers", str(tmp_path / "python")]) == 2
    assert "./run bench --peers makes it" in capsys.readouterr().err
