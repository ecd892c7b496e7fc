"""The command that writes the golden values, and the file that is shipped."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import symtrip

SHIPPED = Path(symtrip.__file__).parent / "data" / "golden.jsonl"


def run(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "symtrip_reference", *words], capture_output=True, text=True
    )


def test_the_shipped_file_is_what_the_command_writes_today() -> None:
    done = run("golden", "--quiet")
    assert done.returncode == 0, done.stderr
    assert done.stdout == SHIPPED.read_text(encoding="utf-8")
    assert done.stderr == ""


def test_every_value_has_forty_digits_or_is_a_short_decimal() -> None:
    lines = SHIPPED.read_text(encoding="utf-8").splitlines()
    heading, *records = (json.loads(line) for line in lines[:-1])
    assert heading["digits"] == 40
    assert json.loads(lines[-1]) == {"records": len(records)}
    values = [v for r in records for result in r["results"] for v in result["values"]]
    digits = [len(v.split("e")[0].replace("-", "").replace(".", "").lstrip("0")) for v in values]
    assert max(digits) == 40
    # trailing zeros are not written, so that nothing lies between short decimals and 33 digits
    assert not any(24 < n < 33 for n in digits)
    assert sum(n >= 33 for n in digits) > 8000


def test_bad_digits_end_with_code_two_and_no_traceback() -> None:
    done = run("golden", "--digits", "3", "--quiet")
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("error: `digits` must be an integer >= 15 and <= 10000, got 3")
    assert "Traceback" not in done.stderr


def test_a_reader_that_leaves_early_causes_no_traceback() -> None:
    words = [sys.executable, "-m", "symtrip_reference", "golden", "--quiet"]
    with subprocess.Popen(
        words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as writer:
        assert writer.stdout is not None
        assert writer.stderr is not None
        assert json.loads(writer.stdout.readline())["format"] == "symtrip golden values"
        writer.stdout.close()
        assert "Traceback" not in writer.stderr.read()
    assert writer.returncode == 1
