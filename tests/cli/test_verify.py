"""``symtrip verify``: exact values in, a verdict out."""

from __future__ import annotations

import io
import json
import os
import threading
from pathlib import Path

import pytest
import torch

from symtrip.cli.main import main
from symtrip.errors import InputError
from symtrip.verify import BUDGETS, GOLDEN, read_golden, verify

LINES = GOLDEN.read_text(encoding="utf-8").splitlines()
# the heading and a few cheap cases, with the right count at the end
SHORT = [*LINES[:6], json.dumps({"records": 5})]


def altered(**changes: object) -> str:
    """The first record with other entries."""
    return json.dumps({**json.loads(SHORT[1]), **changes})


def written(path: Path, lines: list[str]) -> str:
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return str(path)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_this_installation_passes(dtype: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", "--dtype", dtype]) == 0
    printed = capsys.readouterr().out
    assert printed.count(" ok ") == len(BUDGETS)
    assert "FAILED" not in printed


def test_the_shipped_file_covers_every_function_that_has_a_budget() -> None:
    assert {record["function"] for record in read_golden(LINES)} == set(BUDGETS)


def test_standard_input_is_read(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("\n".join(SHORT)))
    assert main(["verify", "-"]) == 0
    assert "shifted_cosine" in capsys.readouterr().out


def test_a_named_pipe_is_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pipe = tmp_path / "golden"
    os.mkfifo(pipe)
    writer = threading.Thread(target=written, args=(pipe, SHORT))
    writer.start()
    assert main(["verify", str(pipe)]) == 0
    writer.join()
    assert "shifted_cosine" in capsys.readouterr().out


def test_a_wrong_value_ends_with_code_one_and_names_the_case(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    record = json.loads(SHORT[1])
    record["results"][0]["values"][3] = "0.9999999"
    path = written(tmp_path / "golden.jsonl", [SHORT[0], json.dumps(record), *SHORT[2:]])
    assert main(["verify", path]) == 1
    printed = capsys.readouterr().out
    assert "FAILED" in printed
    assert "shifted_cosine fails at: radius 2.0, width 0.1" in printed


def test_the_worst_error_is_counted_in_eps_of_the_scale() -> None:
    eps = 2.0**-52
    record = json.loads(SHORT[1])
    record["arguments"]["r"] = [0.5, 1.0]
    # f_c = 1 well inside: pretend that 1 + 6 eps were exact
    values = ["1", "1.00000000000000133226762955018784850835800170898"]
    record["results"] = [{"block": 0, "step": 1, "scale": "2", "values": values}]
    (verdict,) = verify([SHORT[0], json.dumps(record), '{"records": 1}'])
    assert verdict.worst == pytest.approx(6 * eps / (2 * eps), rel=1e-12)
    assert verdict.ok


def test_a_nan_fails() -> None:
    record = json.loads(SHORT[1])
    record["arguments"]["r"][0] = float("nan")
    (verdict,) = verify([SHORT[0], json.dumps(record), '{"records": 1}'])
    assert verdict.worst == float("inf")
    assert not verdict.ok


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([], "must hold golden values, got an empty file"),
        (["not JSON"], "line 1` must be JSON, got 'not JSON'"),
        (['{"format": "other"}'], r"line 1` must be \('symtrip golden values', 1\)"),
        (["[1, 2]"], r"line 1` must be \('symtrip golden values', 1\), got \[1, 2\]"),
        (SHORT[:3], "must end with the number of its records, got a file cut short"),
        ([*SHORT[:2], SHORT[2][:100]], "line 3` must be JSON"),
        ([*SHORT[:3], '{"records": 7}'], "must count the 2 records before it, got 7"),
        ([*SHORT, SHORT[1]], "must not follow the end of the file"),
        ([SHORT[0], "3"], "must hold function, case, arguments and results, got 3"),
        (
            [SHORT[0], SHORT[1].replace("shifted_cosine", "sine")],
            "must name one of shifted_cosine, .* got sine",
        ),
        ([SHORT[0], SHORT[1].replace('"step":1,', "")], "must give block, step, scale, values"),
        ([SHORT[0], SHORT[1].replace('"1.0"', '"one"')], "must hold finite decimal numbers"),
        ([SHORT[0], SHORT[1].replace('"1.0"', '"nan"')], "must hold finite decimal numbers"),
        ([SHORT[0], SHORT[1].replace('"scale":"', '"scale":"-')], "numbers and a scale >= 0"),
        ([SHORT[0], SHORT[1].replace('"block":0', '"block":-1')], r"block >= 0 .* got \(-1, 1\)"),
        ([SHORT[0], SHORT[1].replace('"block":0', '"block":"a"')], "have block >= 0"),
        ([SHORT[0], SHORT[1].replace('"step":1', '"step":0')], r"step >= 1, got \(0, 0\)"),
        ([SHORT[0], SHORT[1].replace('"shifted_cosine"', "[]")], r"must name one of .* got \[\]"),
        ([SHORT[0], altered(arguments=3)], "must name its arguments, got 3"),
        ([SHORT[0], altered(results=3)], "must list its results, got 3"),
        ([SHORT[0], altered(results=[])], r"must list its results, got \[\]"),
        ([SHORT[0], '{"records": 0}'], "must hold at least one record, got a heading alone"),
    ],
)
def test_a_damaged_file_is_refused(lines: list[str], message: str) -> None:
    with pytest.raises(InputError, match=f"{message}.*; (write the file again|use the file that)"):
        read_golden(lines)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"radius":2.0,', "", "must have the arguments of shifted_cosine, got KeyError"),
        ('"r":[', '"r":["a",', "must have the arguments of shifted_cosine, got ValueError"),
        ('"block":0', '"block":5', "must number blocks below 1, got 5"),
        ('"values":["', '"values":["1.0","', "must list 60 values, got 61"),
        ('"width":0.1', '"width":7.0', "`width` must satisfy 0 < width <= radius"),
    ],
)
def test_arguments_that_do_not_fit_are_refused(old: str, new: str, message: str) -> None:
    assert old in SHORT[1]
    lines = [SHORT[0], SHORT[1].replace(old, new, 1), '{"records": 1}']
    with pytest.raises(InputError, match=message):
        verify(lines)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["nowhere.jsonl"], "`file` must name a file of exact values, or be -, got nowhere.jsonl"),
        (["--dtype", "float16"], "`--dtype` must be float32 or float64, got float16"),
        (["--device", "abacus"], "`--device` must be a device of this machine"),
    ],
)
def test_bad_words_end_with_code_two(
    words: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["verify", *words]) == 2
    assert message in capsys.readouterr().err


def test_a_binary_file_ends_with_code_two(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "golden.jsonl"
    path.write_bytes(b"\xff\xfe\x00")
    assert main(["verify", str(path)]) == 2
    assert "must be UTF-8 text" in capsys.readouterr().err


def test_half_precision_is_refused() -> None:
    with pytest.raises(InputError, match="`dtype` must be float32 or float64"):
        verify(LINES, dtype=torch.float16)
