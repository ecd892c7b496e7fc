"""What `./run proofs` refuses: unfinished Coq files, unexpected axioms, a missing Coq."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

PROOFS = Path(__file__).resolve().parents[2] / "proofs"


@pytest.fixture
def checker(monkeypatch):
    monkeypatch.syspath_prepend(str(PROOFS))
    return importlib.import_module("check_coq")


FINISHED = "(** * A heading *)\nTheorem t : True.\nProof. exact I. Qed.\nPrint Assumptions t.\n"


def test_a_finished_file_yields_its_theorems_and_its_heading(checker):
    assert checker.theorems_of("File", FINISHED) == ["t"]
    assert checker.title_of(FINISHED) == "A heading"


@pytest.mark.parametrize(
    "sentence",
    ["Admitted.", "Proof. admit. Qed.", "Axiom a : False.", "Parameter p : nat.", "Abort."],
)
def test_an_unfinished_file_is_refused(checker, sentence):
    with pytest.raises(checker.ProofError, match="every statement must be proved"):
        checker.theorems_of("File", FINISHED + sentence)


def test_words_in_comments_are_no_defects(checker):
    text = "(* Admitted (* nested Axiom *) admit *)\n" + FINISHED
    assert checker.theorems_of("File", text) == ["t"]


def test_a_hypothesis_outside_of_sections_is_refused(checker):
    inside = "Section S.\nHypothesis classic : False.\nEnd S.\n"
    assert checker.theorems_of("File", inside + FINISHED) == ["t"]
    with pytest.raises(checker.ProofError, match="outside of a section"):
        checker.theorems_of("File", "Hypothesis classic : False.\n" + FINISHED)


def test_every_theorem_must_print_its_assumptions(checker):
    with pytest.raises(checker.ProofError, match="`Print Assumptions` for u"):
        checker.theorems_of("File", FINISHED + "Corollary u : True.\nProof. exact I. Qed.\n")


def test_axioms_are_read_with_their_full_names(checker):
    output = (
        "Axioms:\nClassicalDedekindReals.sig_not_dec : forall P : Prop, {~ ~ P} + {~ P}\n"
        "classic : forall P : Prop, P \\/ ~ P\nmine\n  : False\nClosed under the global context\n"
    )
    first, second = checker.parse_assumptions(output)
    assert first == (
        "Coq.Logic.Classical_Prop.classic",
        "Coq.Reals.ClassicalDedekindReals.sig_not_dec",
        "mine",
    )
    assert second == ()


def test_files_are_compiled_after_those_that_they_need(checker):
    needs = {"C": {"A", "B"}, "B": {"A"}, "A": set(), "D": set()}
    assert checker.in_order({"C"}, needs) == ["A", "B", "C"]


def test_a_missing_coq_is_named_with_its_package(checker, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(checker.ProofError, match="apt-get install coq libcoq-mathcomp-algebra"):
        checker.call(tmp_path, "coqc", "--version")


def test_every_coq_file_of_the_project_is_a_finished_proof(checker):
    for name in sorted(checker.names()):
        text = (checker.SOURCES / f"{name}.v").read_text(encoding="utf-8")
        checker.theorems_of(name, text)
        assert checker.title_of(text), name
