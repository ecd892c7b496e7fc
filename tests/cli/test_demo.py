"""The demonstration on a few pairs: every file it promises, in the documented form."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from symtrip.data import B8Pairs
from symtrip.demo import run_demo
from symtrip.demo.run import EPOCHS

# one worker runs the demonstration for all of these tests
pytestmark = pytest.mark.xdist_group("demo")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    whole = B8Pairs.load().labelled
    few = whole.subset(torch.cat([torch.arange(16), torch.arange(len(whole) - 6, len(whole))]))
    path = tmp_path_factory.mktemp("demo") / "report"
    run_demo(path, pairs=few, epochs=dict.fromkeys(EPOCHS, 2))
    return path


def test_a_folder_that_cannot_be_written_is_refused_before_the_work(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(NotADirectoryError):
        run_demo(tmp_path / "file", pairs=B8Pairs.load().subset(slice(0, 0)))


def test_the_results_have_the_documented_keys(folder: Path) -> None:
    results = json.loads((folder / "results.json").read_text())
    for model in ("D_NL", "B_NL"):
        for part in ("validation", "training"):
            assert set(results["models"][model][part]) == {"mean", "diff"}
    assert list(results["degeneracy"]) == ["nu1", "nu2", "nu3", "nu4", "triplets_nonlinear"]
    for value in results["degeneracy"].values():
        assert set(value) == {"median_relative_difference", "max_relative_difference"}


def test_pairs_agree_up_to_order_3_only(folder: Path) -> None:
    found = json.loads((folder / "results.json").read_text())["degeneracy"]
    for name in ("nu1", "nu2", "nu3"):
        assert found[name]["max_relative_difference"] <= 64 * torch.finfo(torch.float64).eps
    for name in ("nu4", "triplets_nonlinear"):
        assert found[name]["median_relative_difference"] >= 1e-4


def test_a_model_on_the_bispectrum_has_a_diff_error_of_one(folder: Path) -> None:
    models = json.loads((folder / "results.json").read_text())["models"]
    # the diff error is sqrt(1 + (mean / spread)^2) of 6 differences, whose mean is not 0
    assert 1.0 <= models["D_NL"]["validation"]["diff"] <= 1.6


def test_the_pictures_are_png_files(folder: Path) -> None:
    for name in ("parity.png", "pair.png"):
        assert (folder / name).read_bytes().startswith(b"\x89PNG\r\n")


def test_the_report_is_one_self_contained_page(folder: Path) -> None:
    page = (folder / "report.html").read_text()
    assert page.count("data:image/png;base64,") == 2
    assert 'src="http' not in page
    assert "B_NL, validation" in page
