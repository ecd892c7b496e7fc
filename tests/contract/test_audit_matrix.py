"""Which built-in descriptor tells which family apart: theory, written down, then matched."""

from __future__ import annotations

import itertools
from collections import Counter

import numpy as np
import pytest
from ase.neighborlist import neighbor_list

from symtrip.audit.comparison import STANDARD
from symtrip.audit.descriptors import BUILTIN
from symtrip.audit.invariance import check_invariances
from symtrip.audit.separation import scope_of, separate
from symtrip.audit.structures import Structures
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
    "acdc:nu=5": (5, "both"),
    "mtp": (3, "even"),
}
# Complete up to SO(3) or O(3): they fail for congruent pairs only.
COMPLETE = {"triplets:nonlinear": "both", "wmi": "both", "gram": "even", "triplets:o3": "even"}
# Functions of the distance graph: 1-WL colours decide. The Perron vector of a matrix of functions
# of distances is determined by the stable colouring (equitable partition).
COLOURS = ("wl1", "sprint")
# No theorem; the spectrum of the s, p overlap matrix is known to separate all of these.
EMPIRICALLY_COMPLETE = ("overlap-matrix",)


def coordinates_in_frames(vectors, numbers):
    """What a frame of the two nearest neighbours may see: one multiset for every choice of the two.

    A multiset is a sorted tuple of rounded coordinates with atomic numbers. Collinear neighbours
    make no second axis: what is then left is one coordinate.
    """
    r = np.linalg.norm(vectors, axis=1)
    second = np.sort(r)[1]
    seen = set()
    for j, k in itertools.permutations(np.flatnonzero(r < second + 1e-9), 2):
        if r[j] > r[k] + 1e-9:
            continue
        axis = vectors[j] / r[j]
        across = vectors[k] - (vectors[k] @ axis) * axis
        axes = [axis]
        if np.linalg.norm(across) > 1e-6:
            across /= np.linalg.norm(across)
            axes += [across, np.cross(axis, across)]
        inside = np.rint(vectors @ np.array(axes).T * 123456.789).astype(int)
        seen.add(tuple(sorted((*x, z) for x, z in zip(inside.tolist(), numbers, strict=True))))
    return frozenset(seen)


def environments_of(family, pair, member):
    """Vectors and atomic numbers of the neighbours, of the centre or of every atom."""
    atoms, radius = pair.atoms(member), scope_of(pair).radius
    first, second, vectors = neighbor_list("ijD", atoms, radius)
    for center in [0] if family.has_center else range(len(atoms)):
        near = first == center
        yield vectors[near], atoms.numbers[second[near]].tolist()


def expected_of_local_frames(family):
    """Separated where every frame is unique up to symmetry: then the coordinates say it all."""
    pair = Structures.of_pair(family, None)
    seen = []
    for member in range(2):
        environments = environments_of(family, pair, member)
        seen.append([coordinates_in_frames(*environment) for environment in environments])
    unique = all(len(choices) == 1 for choices in itertools.chain(*seen))
    differ = Counter(seen[0]) != Counter(seen[1])
    return "separated" if unique and differ else "numerically ambiguous"


def expected(target, family):
    """The verdict that theory demands."""
    equal = family.equal
    even = target in (*COLOURS, "distances", *EMPIRICALLY_COMPLETE) or "even" in (
        BODY_ORDERED.get(target, ("", ""))[1],
        COMPLETE.get(target, ""),
    )
    if equal.congruent == "SO3" or (equal.congruent == "O3" and even):
        return "skipped"
    if family.kind == "periodic" and target in ("distances", "sprint"):
        return "skipped"
    if target == "local-frame":
        return expected_of_local_frames(family)
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


ROWS = (*BODY_ORDERED, *COMPLETE, *COLOURS, "distances", *EMPIRICALLY_COMPLETE, "local-frame")


@pytest.mark.parametrize("target", ROWS)
def test_verdicts_on_all_families_are_those_of_theory(target):
    subject = resolve(target)
    _, properties, findings = check_invariances(subject, seed=0)
    assert findings == []
    got = {f.id: separate(subject, f, properties, members=1, seed=0).verdict for f in families()}
    assert got == {f.id: expected(target, f) for f in families()}


def test_the_expected_matrix_has_a_row_for_every_descriptor_of_the_comparison():
    assert sorted(ROWS) == sorted(STANDARD)
    assert {row.partition(":")[0] for row in ROWS} == set(BUILTIN)


def test_order_five_is_expected_to_tell_apart_what_order_four_cannot():
    fooled = [f for f in families() if f.equal.nu_so3 == 4]
    assert len(fooled) == 2
    assert [expected("acdc:nu=4", f) for f in fooled] == ["not separated"] * 2
    assert [expected("acdc:nu=5", f) for f in fooled] == ["separated"] * 2


def test_every_descriptor_system_that_the_paper_names_is_stood_for():
    systems = " ".join(entry.system for entry in BUILTIN.values())
    for name in ("ACSF", "SOAP", "bispectrum", "ACE", "NICE", "ACDC", "MTP", "distance", "Gram"):
        assert name in systems
    for name in ("WMI", "SPRINT", "overlap matrix", "local frames", "3-centre features"):
        assert name in systems
