"""The commands audit, collide and reconstruct: exit codes, files, messages."""

from __future__ import annotations

import json
import re

import ase.io
import numpy as np
import pytest

from symtrip.cli.main import main
from symtrip.degenerate import family, write_pairs

SCALAR = '''
"""A descriptor in a file."""
import numpy as np

cutoff = 5.0

def moments(atoms, centre):
    """Sums of powers of the distances."""
    d = np.linalg.norm(atoms.positions - atoms.positions[centre], axis=1)
    return [(np.clip(5.0 - d, 0, None) ** k).sum() for k in (3, 4, 5, 6)]
'''


@pytest.fixture
def descriptor(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(SCALAR, encoding="utf-8")
    return f"{path}:moments"


def test_the_exit_code_tells_whether_all_families_are_separated(capsys):
    assert main(["audit", "distances", "--family", "nu1"]) == 0
    assert main(["audit", "distances", "--family", "nu1", "--family", "nu2"]) == 1
    shown = capsys.readouterr().out
    assert "not separated: nu2_PRL2020" in shown


def test_require_limits_the_families_that_decide(capsys):
    words = ["audit", "distances", "--family", "nu1", "--family", "nu2_CH4", "--members", "1"]
    assert main(words) == 1
    assert main([*words, "--require", "nu1"]) == 0
    assert main([*words, "--require", "nu1", "--require", "nu2"]) == 1
    capsys.readouterr()


def test_require_must_name_a_tested_family(capsys):
    assert main(["audit", "distances", "--family", "nu2", "--require", "nu3"]) == 2
    captured = capsys.readouterr()
    assert "`--require`" in captured.err
    assert "nu2_CH4_like_equal_bonds" in captured.err


def test_the_json_report_has_the_promised_keys(tmp_path, capsys):
    path = tmp_path / "report.json"
    words = ["audit", "wl1", "--family", "nu1", "--family", "dGNN", "--family", "FLAWED"]
    assert main([*words, "--json", str(path)]) == 1
    capsys.readouterr()
    report = json.loads(path.read_text(encoding="utf-8"))
    separation = report["separation"]
    assert separation["nu1_two_neighbours"]["verdict"] == "separated"
    assert separation["nu1_two_neighbours"]["relative_difference"] > 1e-3
    assert separation["dGNN_centrosymmetric_6"]["verdict"] == "not separated"
    assert separation["dGNN_centrosymmetric_6"]["relative_difference"] < 1e-14
    assert separation["FLAWED_dojo_4body_chiral"]["verdict"] == "skipped"
    assert separation["FLAWED_dojo_4body_chiral"]["relative_difference"] is None
    assert report["invariance"]["rotation"]["holds"] is True
    assert report["smoothness"]["continuous"] is True
    assert report["gradients"]["agree"] is True
    assert report["jacobian"]["dGNN_centrosymmetric_6"]["allowed"] == 6


def test_the_html_report_needs_nothing_from_outside(tmp_path, capsys):
    path = tmp_path / "report.html"
    assert main(["audit", "distances", "--family", "nu2_CH4", "--html", str(path)]) == 1
    capsys.readouterr()
    text = path.read_text(encoding="utf-8")
    assert re.findall(r'(?:src|href)="(?!data:)', text) == []
    assert text.count("data:image/png;base64,") == 3
    assert "nu2_CH4_like_equal_bonds" in text


def test_a_descriptor_in_a_file_is_audited(descriptor, capsys):
    assert main(["audit", descriptor, "--family", "planar4", "--cutoff", "5"]) == 0
    assert "Sums of powers of the distances." in capsys.readouterr().out


@pytest.mark.parametrize(
    "words",
    [
        ["audit", "soup"],
        ["audit", "no_such_module:thing"],
        ["audit", "distances", "--family", "nu9"],
        ["audit", "distances", "--members", "0"],
        ["audit", "distances", "--seed", "-1"],
        ["compare", "distances", "--seed", "-1"],
        ["collide", "distances", "--seed", "-1"],
        ["audit", "distances", "--element", "Xx"],
        ["collide", "soup"],
        ["collide", "distances", "--starts", "0"],
        ["collide", "distances", "--element", "Xx"],
        ["collide", "distances", "--group", "SO2"],
        ["collide", "distances", "--min-distance", "0"],
        ["reconstruct", "decode", "no_such_file.extxyz"],
        ["reconstruct", "sweep", "--out", "nowhere", "--starts", "0"],
    ],
)
def test_bad_words_are_one_line_and_exit_code_2(words, capsys):
    assert main(words) == 2
    captured = capsys.readouterr()
    assert captured.err.splitlines()[-1].startswith("symtrip: error: `")
    assert "Traceback" not in captured.err


def test_a_comparison_has_a_column_for_every_descriptor_and_a_row_for_every_family(
    tmp_path, capsys
):
    table, picture, data = (tmp_path / name for name in ("table.md", "map.png", "all.json"))
    words = ["compare", "distances", "wl1", "--family", "nu2", "--family", "planar4"]
    words += ["--members", "1", "--png", str(picture), "--json", str(data)]
    assert main([*words, "--markdown", str(table)]) == 0
    lines = table.read_text(encoding="utf-8").splitlines()
    assert any("`wl1` | distance-based graph convolution |" in line for line in lines)
    assert "| `nu2_CH4_like_equal_bonds` | ✗ | ✓ |" in lines
    assert "| `nu2_CH4_like_equal_bonds` | 9/9 | 9/9 |" in lines
    assert "| `planar4_trapezium_kite` | ✗ | ✓ |" in lines
    assert picture.read_bytes().startswith(b"\x89PNG")
    read = json.loads(data.read_text(encoding="utf-8"))
    assert [report["target"] for report in read] == ["distances", "wl1"]
    assert len(read[0]["separation"]) == 4
    assert main(["compare", "distances", "no-such"]) == 2
    assert "no-such" in capsys.readouterr().err


def test_collisions_are_written_with_all_digits(tmp_path, capsys):
    numbers, pairs = tmp_path / "found.json", tmp_path / "found.extxyz"
    words = ["collide", "acsf", "--starts", "2", "--json", str(numbers), "--xyz", str(pairs)]
    assert main(words) == 0
    assert "1 collisions in 2 starts" in capsys.readouterr().out
    statistics = json.loads(numbers.read_text(encoding="utf-8"))
    assert statistics["by_kind"]["glued"] == {"starts": 1, "collisions": 1}
    assert statistics["in_each_twenty"] == []
    found = statistics["outcomes"][1]["collision"]
    first, second = ase.io.read(pairs, index=":")
    assert np.array_equal(first.positions[1:], found["first"])
    assert np.array_equal(second.positions[1:], found["second"])


def test_a_descriptor_that_fails_in_a_search_is_exit_code_1(tmp_path, capsys):
    path = tmp_path / "broken.py"
    path.write_text("def f(atoms, centre):\n    raise ValueError('[no]')\n", encoding="utf-8")
    assert main(["collide", f"{path}:f", "--starts", "1"]) == 1
    assert "raised ValueError: [no]" in " ".join(capsys.readouterr().out.split())


def test_structures_in_a_file_are_decoded(tmp_path, capsys):
    path = tmp_path / "pair.extxyz"
    chosen = family("nu2_CH4_like_equal_bonds")
    write_pairs(chosen, chosen.vector()[None], path)
    assert main(["reconstruct", "decode", str(path)]) == 0
    rows = capsys.readouterr().out.splitlines()[1:]
    assert len(rows) == 2
    assert all(float(row.split()[-1]) < 1e-13 for row in rows)


def test_a_file_that_cannot_be_decoded_is_named(tmp_path, capsys):
    path = tmp_path / "one.extxyz"
    path.write_text("1\nProperties=species:S:1:pos:R:3\nH 0 0 0\n", encoding="utf-8")
    assert main(["reconstruct", "decode", str(path)]) == 2
    assert "`FILE`" in capsys.readouterr().err


def test_a_sweep_continues_where_it_was(tmp_path, capsys):
    words = ["reconstruct", "sweep", "--out", str(tmp_path), "--environments", "1", "--starts", "2"]
    words += ["--max-angular", "2"]
    assert main([*words, "--n-radial", "2"]) == 0
    first = json.loads((tmp_path / "sweep.json").read_text(encoding="utf-8"))
    assert main([*words, "--n-radial", "2", "--n-radial", "3"]) == 0
    both = json.loads((tmp_path / "sweep.json").read_text(encoding="utf-8"))
    assert both["cells"][0] == first["cells"][0]
    assert [cell["n_radial"] for cell in both["cells"]] == [2, 3]
    assert (tmp_path / "sweep.png").stat().st_size > 1000
    assert main([*words, "--n-radial", "2", "--seed", "1"]) == 2
    assert "settings" in capsys.readouterr().err
