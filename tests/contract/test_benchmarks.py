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


def test_a_group_that_does_not_fit_into_memory_is_a_reason(script, monkeypatch, bars_of):
    def too_large(_quick):
        raise InputError("`density` must leave room")

    monkeypatch.setattr(script("harness"), "measurements", lambda _group: [too_large])
    bars = bars_of("nice", "training")
    reasons = {bar["reason"] for bar in bars.values() if bar["group"] in ("nice", "training")}
    assert reasons == {"`density` must leave room"}


def test_a_result_that_cannot_be_written_is_refused_at_once(script, capsys, tmp_path):
    (tmp_path / "file").touch()
    assert script("run").main(["--json", str(tmp_path / "file" / "bench.json")]) == 2
    assert capsys.readouterr().err.startswith("error: `--json` must name a file")


def test_a_group_after_peers_is_a_group(script, capsys, monkeypatch, tmp_path):
    monkeypatch.setattr(script("run"), "PEERS_PYTHON", tmp_path / "none")
    assert script("run").main(["--peers", "nice"]) == 2
    assert f"{tmp_path / 'none'}" in capsys.readouterr().err


def test_threads_beyond_the_cores_are_refused(script, capsys):
    assert script("run").main(["--threads", "0"]) == 2
    assert "number of cores" in capsys.readouterr().err


def test_work_of_other_programs_is_noticed(script):
    cores = script("harness").Neighbors().cores()
    assert cores is None or cores >= 0


def test_merging_keeps_other_groups_and_their_runs(script, monkeypatch, tmp_path):
    figures, curve = script("figures"), script("side_by_side").Curve
    file = tmp_path / "bench.json"
    values = {
        "training": figures.figure("training epoch / its five GEMMs, float64", 1.25),
        "nice": figures.figure("NICE step nu = 4: peak memory / whole intermediate", 0.25),
    }
    drawn = curve("scaling", "N", "density", "N", [1.0, 2.0], "ms", [1.0, 2.0])

    def measurements(group):
        return [lambda _quick: [values[group], *([drawn] if group == "nice" else [])]]

    monkeypatch.setattr(script("harness"), "measurements", measurements)
    monkeypatch.setattr(script("run"), "RESULTS", tmp_path)
    for group in ("nice", "training"):
        assert script("run").main([group, "--merge", "--json", str(file)]) == 0
    content = json.loads(file.read_text())
    kept = {bar["name"]: bar["value"] for bar in content["bars"] if bar["value"] is not None}
    assert kept == {bar.name: bar.value for bar in values.values()}
    assert [run["groups"] for run in content["runs"]] == [["nice"], ["training"]]
    assert [c["label"] for c in content["curves"]] == ["density"]


def test_merging_with_another_file_is_refused(script, capsys, tmp_path):
    (tmp_path / "bench.json").write_text("[]")
    assert script("run").main(["--merge", "--json", str(tmp_path / "bench.json")]) == 2
    assert "name another file" in capsys.readouterr().err
