"""Descriptors that misbehave, and words that name nothing: findings and errors, never crashes."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch

from symtrip.audit import DescriptorError, audit
from symtrip.audit.collisions import find_collisions
from symtrip.audit.runner import chosen_families
from symtrip.audit.separation import Properties, separate
from symtrip.audit.targets import resolve
from symtrip.cli.main import main
from symtrip.errors import InputError
from symtrip.testing import assert_separates

FEW = ("nu1", "planar4")


def lengths(atoms, centre):
    """Sorted distances from the centre: a well-behaved descriptor that knows little."""
    return np.sort(np.linalg.norm(atoms.positions - atoms.positions[centre], axis=1))


def messages(report):
    return [finding.message for finding in report.findings]


def test_a_callable_that_raises_is_a_finding():
    def broken(atoms, centre):
        raise KeyError(f"no atom like {centre} of {len(atoms) // 100}")

    report = audit(broken, family_ids=("nu1",))
    assert messages(report) == ["raised KeyError: 'no atom like 0 of 0'"]
    assert {entry.verdict for entry in report.separation.values()} == {"skipped"}
    assert report.failures() == ["nu1_two_neighbours"]


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_callable_that_returns_nan_or_infinity_is_a_finding(bad):
    report = audit(lambda _atoms, _centre: [1.0, bad], family_ids=FEW)
    assert messages(report) == ["returned NaN or infinity in 1 of 2 entries"]


def test_a_callable_that_changes_its_length_is_a_finding():
    calls = itertools.count()
    report = audit(lambda _atoms, _centre: np.ones(1 + next(calls) % 3), family_ids=FEW)
    assert "the length of the vector changes between structures of one composition" in messages(
        report
    )


def test_a_callable_that_is_not_deterministic_is_a_finding_and_sets_the_noise_floor():
    generator = np.random.default_rng(0)

    def noisy(atoms, centre):
        return lengths(atoms, centre) + 1e-5 * generator.normal(size=len(atoms))

    report = audit(noisy, family_ids=FEW)
    assert any(message.startswith("not deterministic") for message in messages(report))
    assert report.separation["nu1_two_neighbours"].noise_floor > 1e-6
    assert report.separation["nu1_two_neighbours"].verdict == "not separated"
    assert report.separation["planar4_trapezium_kite"].verdict == "separated"


def test_a_callable_that_ignores_positions_is_a_finding():
    report = audit(lambda _atoms, _centre: [1.0, 2.0], family_ids=FEW)
    assert any(message.startswith("ignores positions") for message in messages(report))
    assert report.failures() == ["nu1_two_neighbours", "planar4_trapezium_kite"]


@pytest.mark.parametrize("value", ["text", [], None, {"a": 1}])
def test_a_callable_that_returns_no_vector_is_a_finding(value):
    report = audit(lambda _atoms, _centre: value, family_ids=("nu1",))
    assert len(report.findings) >= 1
    assert report.separation["nu1_two_neighbours"].failed


@pytest.mark.parametrize("rows", [1, 3])
def test_a_gradient_of_other_features_is_a_finding(rows):
    def describe(atoms, centre):
        return np.exp(-lengths(atoms, centre))[-2:]

    describe.gradient = lambda atoms, _centre: np.zeros((rows, len(atoms), 3))
    report = audit(describe, family_ids=("nu1",), members=1)
    assert messages(report) == [f"the gradient is that of {rows} features, there are 2"]
    assert not report.gradients.provided


def test_a_callable_that_leaves_the_program_is_a_finding():
    def leaving(_atoms, _centre):
        raise SystemExit(3)

    assert messages(audit(leaving, family_ids=("nu1",))) == ["raised SystemExit: 3"]


def test_a_callable_may_return_a_tensor_with_a_history():
    def tensor(atoms, centre):
        return torch.tensor(lengths(atoms, centre), requires_grad=True)

    report = audit(tensor, family_ids=("planar4",), members=1)
    assert report.findings == ()


@pytest.mark.parametrize("statement", ["1 / 0", "raise SystemExit(5)", "def f(:", "import no_such"])
def test_a_module_that_fails_when_it_is_imported_is_bad_input(tmp_path, statement):
    path = tmp_path / "broken.py"
    path.write_text(statement + "\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"TARGET.*broken\.py:f"):
        resolve(f"{path}:f")


@pytest.mark.parametrize("cutoff", ["five", -2.0, float("nan")])
def test_an_impossible_cutoff_of_ones_own_is_refused(cutoff):
    def describe(atoms, centre):
        return lengths(atoms, centre)

    describe.cutoff = cutoff
    with pytest.raises(InputError, match=r"describe\.cutoff"):
        resolve(describe)


def test_a_descriptor_that_ignores_positions_collides_at_once():
    search = find_collisions(resolve(lambda _atoms, _centre: [1.0, 2.0]), starts=1)
    assert search.starts[0].steps == 0
    assert search.collisions[0].contact.directions == 0


def test_a_descriptor_that_is_zero_or_counts_ends_a_search_in_good_order():
    with pytest.raises(DescriptorError, match="zero"):
        find_collisions(resolve(lambda _atoms, _centre: [0.0]), starts=1)

    def count(atoms, _centre):
        return [1.0 + (atoms.positions[:, 2] > 0.1).sum()]

    assert find_collisions(resolve(count), starts=1).collisions == []


def test_a_callable_that_spoils_its_atoms_spoils_nothing():
    def greedy(atoms, centre):
        value = lengths(atoms, centre)
        atoms.positions[:] = 0.0
        return value

    assert audit(greedy, family_ids=FEW).findings == ()


def test_a_descriptor_that_is_not_invariant_is_numerically_ambiguous():
    report = audit(lambda atoms: atoms.positions.ravel(), family_ids=("nu1", "planar4"))
    assert not report.invariance["rotation"].holds
    assert not report.invariance["permutation"].holds
    entry = report.separation["nu1_two_neighbours"]
    assert entry.verdict == "numerically ambiguous"
    assert "rotation" in entry.reason
    # it describes atom 0 whatever is asked for, so clusters without a centre are beyond it
    assert report.separation["planar4_trapezium_kite"].verdict == "skipped"


def test_a_verdict_is_no_accident_of_one_orientation():
    def upright(atoms, centre):
        # on which side of the centre the last neighbour is: nothing but the orientation
        return [float(atoms.positions[-1, 2] > atoms.positions[centre, 2]), 1.0]

    subject = resolve(upright)
    missing = Properties(mirror=False, whole_structure=False, missing=("rotation",))
    for entry, seed in itertools.product(chosen_families(["nu2", "nu3"]), range(4)):
        outcome = separate(subject, entry, missing, members=1, seed=seed)
        assert outcome.verdict == "numerically ambiguous"


def test_crystals_are_skipped_for_cluster_only_descriptors_with_the_reason():
    report = audit("sprint", family_ids=("periodic",))
    for entry in report.separation.values():
        assert entry.verdict == "skipped"
        assert (
            entry.reason == "cluster-only descriptor: the contact matrix of a crystal is infinite"
        )
    assert report.failures() == []


def test_congruent_controls_are_never_judged():
    report = audit(lengths, family_ids=("FLAWED",))
    assert {entry.verdict for entry in report.separation.values()} == {"skipped"}
    assert all("proper rotation" in entry.reason for entry in report.separation.values())


def test_an_unknown_target_lists_the_known_ones():
    with pytest.raises(InputError) as caught:
        resolve("soup")
    for word in ("'soup'", "soap-power-spectrum", "triplets", "featomic:", "module:callable"):
        assert word in str(caught.value)


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("numpy:no_such_thing", "AttributeError"),
        ("no_such_module:thing", "ModuleNotFoundError"),
        ("no/such/file.py:thing", "no file"),
        ("math:pi", "callable or an ASE calculator"),
        ("bispectrum:lmax=3", "n_radial, max_angular, parity"),
        ("acdc:nu=four", "as int"),
        ("acdc:nu=0", "1..8"),
        ("triplets:cubic", "nonlinear, linear, o3"),
        ("bispectrum:parity=odd", "both"),
        ("bispectrum:max_angular=40", "max_angular <= 12, got 40"),
        ("mtp:nu=9", "1..4"),
        ("triplets:units=0", "units"),
    ],
)
def test_targets_that_name_nothing_say_what_to_write(target, message):
    with pytest.raises(InputError, match=message):
        resolve(target)


def test_reports_that_cannot_be_written_are_refused_before_the_audit(tmp_path, capsys):
    words = ["audit", "bispectrum", "--json", str(tmp_path)]
    assert main(words) == 1
    shown = capsys.readouterr()
    assert "Is a directory" in shown.err
    assert shown.out == ""


def test_a_package_that_is_not_installed_says_so(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "featomic", None)
    with pytest.raises(InputError, match=r"featomic:SoapPowerSpectrum.*symtrip\[peers\]"):
        resolve("featomic:SoapPowerSpectrum")


@pytest.mark.parametrize(
    "option", [{"members": 0}, {"seed": -1}, {"cutoff": -1.0}, {"element": 200}]
)
def test_impossible_options_are_refused(option):
    with pytest.raises(InputError, match=next(iter(option))):
        audit(lengths, family_ids=("nu1",), **option)


def test_an_unknown_family_lists_the_known_ones():
    with pytest.raises(InputError, match="nu3_paper_B8_family"):
        audit(lengths, family_ids=("nu9",))


def test_a_failing_calculator_starts_afresh_on_the_next_structure():
    class Fragile:
        """Knows hydrogen only, and is broken for good once it has failed."""

        def __init__(self):
            self.broken = False

        def get_potential_energy(self, atoms):
            if self.broken or set(atoms.numbers) != {1}:
                self.broken = True
                raise NotImplementedError("hydrogen only")
            return float(np.sort(atoms.get_all_distances().ravel()) @ np.arange(len(atoms) ** 2))

        def get_forces(self, atoms):
            raise NotImplementedError("no forces")

    report = audit(Fragile, family_ids=("nu2_family_generic", "planar4"))
    assert report.separation["nu2_family_generic_decorated"].failed
    assert report.separation["planar4_trapezium_kite"].verdict == "not separated"
    renamed = audit(Fragile, family_ids=("nu2_family_generic",), element=1)
    assert renamed.separation["nu2_family_generic_decorated"].verdict == "not separated"


def test_assert_separates_names_what_is_not_separated():
    with pytest.raises(AssertionError, match="nu1_two_neighbours: not separated"):
        assert_separates(lengths, "nu1")
    with pytest.raises(AssertionError, match="it failed: raised"):
        assert_separates(lambda _atoms, _centre: 1 / 0, "nu1")
    with pytest.raises(InputError, match="families"):
        assert_separates(lengths, "nu9")


def test_assert_separates_passes_where_the_descriptor_is_sharp_enough():
    assert_separates(lengths, ["planar4", "line"])
    assert_separates("bispectrum:n_radial=2,max_angular=2", "nu2_CH4", members=2)
