"""Which built-in descriptor tells which family apart: theory, written down, then matched."""

from __future__ import annotations

import pytest

from symtrip.audit.comparison import STANDARD
from symtrip.audit.descriptors import BUILTIN
from symtrip.audit.invariance import check_invariances
from symtrip.audit.separation import separate
from symtrip.audit.targets import resolve
from symtrip.degenerate import families

# Correlation order and parity of the descriptors of bounded body order. A descriptor of order nu
# with all parities agrees on a pair iff nu <= nu_so3; a parity-even one iff nu <= nu_o3.
BODY_ORDERED = {
    "acsf": (2, "even"),
    "soap-power-spectrum": (2, "even"),
    "bispectrum": (3, "both"),
    "bispectrum:parity=even": (3, "even"),
    "triplets:linear": (3, "both"),  # the sum over pairs is the bispectrum
    "acdc:nu=4": (4, "both"),
    "mtp": (3, "even"),
}
# Complete up to SO(3) or O(3): they fail for congruent pairs only.
COMPLETE = {"triplets:nonlinear": "both", "wmi": "both", "gram": "even", "triplets:o3": "even"}
# Functions of the distance graph: 1-WL colours decide. The Perron vector of a matrix of functions
# of distances is determined by the stable colouring (equitable partition).
COLOURS = ("wl1", "sprint")
# No theorem; the spectrum of the s, p overlap matrix is known to separate all of these.
EMPIRICALLY_COMPLETE = ("overlap-matrix",)


def expected(target, family):
    """The verdict that theory demands, or None where it demands none."""
    equal = family.equal
    even = target in (*COLOURS, "distances", *EMPIRICALLY_COMPLETE) or "even" in (
        BODY_ORDERED.get(target, ("", ""))[1],
        COMPLETE.get(target, ""),
    )
    if equal.congruent == "SO3" or (equal.congruent == "O3" and even):
        return "skipped"
    if family.kind == "periodic" and target in ("distances", "sprint"):
        return "skipped"
    if target == "distances":
        return "not separated" if equal.distances else "separated"
    if target in COLOURS:
        return "not separated" if equal.wl1 else "separated"
    if target in COMPLETE or target in EMPIRICALLY_COMPLETE:
        return "separated"
    nu, _ = BODY_ORDERED[target]
    fooled_up_to = equal.nu_o3 if even else equal.nu_so3
    if fooled_up_to is not None:
        return "not separated" if nu <= fooled_up_to else "separated"
    # without a centre: the environments of the atoms have different correlations of order 2
    return "separated"


@pytest.mark.parametrize(
    "target", [*BODY_ORDERED, *COMPLETE, *COLOURS, "distances", *EMPIRICALLY_COMPLETE]
)
def test_verdicts_on_all_families_are_those_of_theory(target):
    subject = resolve(target)
    _, properties, findings = check_invariances(subject, seed=0)
    assert findings == []
    got = {f.id: separate(subject, f, properties, members=1, seed=0).verdict for f in families()}
    assert got == {f.id: expected(target, f) for f in families()}


def test_order_five_tells_the_order_four_families_apart():
    subject = resolve("acdc:nu=5")
    _, properties, _ = check_invariances(subject, seed=0)
    fooled = [f for f in families() if f.equal.nu_so3 == 4]
    assert len(fooled) == 2
    for family in fooled:
        outcome = separate(subject, family, properties, members=1, seed=0)
        assert outcome.verdict == "separated"


def test_local_frames_fail_where_neighbours_are_equally_far():
    subject = resolve("local-frame")
    _, properties, _ = check_invariances(subject, seed=0)
    for family in families():
        if family.id.startswith(("nu3_paper", "nu4", "nu3_five")):
            outcome = separate(subject, family, properties, members=1, seed=0)
            assert outcome.verdict == "numerically ambiguous"
            assert "permutation" in outcome.reason


def test_every_built_in_descriptor_has_an_expected_row_and_one_in_the_comparison():
    rows = {*BODY_ORDERED, *COMPLETE, *COLOURS, "distances", *EMPIRICALLY_COMPLETE, "local-frame"}
    assert {row.partition(":")[0] for row in rows} == set(BUILTIN)
    assert rows <= set(STANDARD)


def test_every_descriptor_system_that_the_paper_names_is_stood_for():
    systems = " ".join(entry.system for entry in BUILTIN.values())
    for name in ("ACSF", "SOAP", "bispectrum", "ACE", "NICE", "ACDC", "MTP", "distance", "Gram"):
        assert name in systems
    for name in ("WMI", "SPRINT", "overlap matrix", "local frames", "3-centre features"):
        assert name in systems
