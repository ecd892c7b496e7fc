"""``symtrip pairs``: what a user sees and what it writes."""

from __future__ import annotations

import ase.io
import matplotlib.image
import pytest
import torch

from symtrip.cli.main import main
from symtrip.degenerate import families, family


def test_the_list_names_every_family(capsys):
    assert main(["pairs", "list"]) == 0
    shown = capsys.readouterr().out
    assert [f.id for f in families() if f.id not in shown] == []


def test_the_list_can_be_restricted_to_a_kind(capsys):
    assert main(["pairs", "list", "--kind", "periodic"]) == 0
    shown = capsys.readouterr().out
    assert [f.id for f in families() if f.id in shown] == [
        f.id for f in families() if f.kind == "periodic"
    ]


@pytest.mark.parametrize("name", [f.id for f in families()])
def test_show_prints_claim_source_and_atoms(name, capsys):
    assert main(["pairs", "show", name]) == 0
    shown = capsys.readouterr().out
    chosen = family(name)
    assert chosen.title in shown
    assert chosen.claim in shown
    assert chosen.source[:40] in shown
    assert all(p.name in shown for p in chosen.parameters)


def test_parameters_can_be_set_as_numbers_and_as_formulas(capsys):
    words = ["pairs", "show", "nu3_paper_B8_family", "--set", "z2=7/4", "--set", "r=1.25e0"]
    assert main(words) == 0
    shown = capsys.readouterr().out
    assert "1.750000" in shown
    assert "1.250000" in shown


@pytest.mark.parametrize("name", ["nu3_paper_B8_family", "periodic_minkowski_sum_9", "PDD_5point"])
def test_the_picture_shows_two_members(name, tmp_path, capsys):
    path = tmp_path / "pictures" / "pair.png"
    assert main(["pairs", "show", name, "--png", str(path)]) == 0
    assert f"wrote {path}" in capsys.readouterr().out.replace("\n", "")
    image = matplotlib.image.imread(path)[..., :3]
    assert image.shape == (780, 1350, 3)
    left, right = (
        (half < 0.9).any(axis=-1)[150:640].sum() for half in (image[:, :675], image[:, 675:])
    )
    assert min(left, right) > 2000


def test_samples_are_written_whole_and_the_same_for_the_same_seed(tmp_path, capsys):
    path, again = tmp_path / "a.extxyz", tmp_path / "b.extxyz"
    for target in (path, again):
        words = ["--n", "4", "--seed", "11", "--out", str(target)]
        assert main(["pairs", "sample", "nu2_family_generic_decorated", *words]) == 0
    assert "wrote 4 pairs (8 frames)" in capsys.readouterr().out
    assert path.read_bytes() == again.read_bytes()
    frames = ase.io.read(path, index=":")
    rows = family("nu2_family_generic_decorated").sample(4, torch.Generator().manual_seed(11))
    assert [frame.info["ax"] for frame in frames[::2]] == rows[:, 0].tolist()


def test_the_centre_can_be_left_out(tmp_path):
    path = tmp_path / "a.extxyz"
    words = ["--n", "1", "--no-center", "--out", str(path)]
    assert main(["pairs", "sample", "dGNN_centrosymmetric_6", *words]) == 0
    assert [len(frame) for frame in ase.io.read(path, index=":")] == [6, 6]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["list", "--kind", "molecule"], "`--kind` must be one of"),
        (["show", "nu3_paper_B9_family"], "did you mean nu3_paper_B8_family"),
        (["show", "line_homometric_6", "--set", "u"], "be written NAME=VALUE"),
        (["show", "line_homometric_6", "--set", "w=1"], "name parameters of line_homometric_6"),
        (["show", "line_homometric_6", "--set", "u=exec('')"], "`formula` must"),
        (["show", "line_homometric_6", "--set", "u=nan"], "`parameters` must be finite"),
        (["show", "line_homometric_6", "--png", "pair.bmp"], "`--png` must end in .png"),
        (["sample", "line_homometric_6", "--n", "0", "--out", "a.xyz"], "`--n` must be at least 1"),
        (["sample", "line_homometric_6", "--seed", "-1", "--out", "a.xyz"], "`--seed` must lie in"),
        (["sample", "line_homometric_6", "--out", "a.json"], "`--out` must end in .extxyz"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(words, message, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["pairs", *words]) == 2
    captured = capsys.readouterr()
    assert captured.err.startswith("symtrip: error: ")
    assert message in captured.err
    assert captured.err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_an_output_folder_that_cannot_be_made_is_exit_code_1(tmp_path, capsys):
    (tmp_path / "file").write_text("")
    out = tmp_path / "file" / "a.extxyz"
    assert main(["pairs", "sample", "line_homometric_6", "--out", str(out)]) == 1
    assert "symtrip: error" in capsys.readouterr().err
