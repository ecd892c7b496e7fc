"""Checks of the audit other than separation, on descriptors whose answers are known."""

from __future__ import annotations

import json
import sys
import types
from dataclasses import replace

import numpy as np
import pytest
import torch
from ase.calculators.lj import LennardJones

from symtrip.audit import audit
from symtrip.audit.collisions import find_collisions
from symtrip.audit.collisions.ansatz import RingPair
from symtrip.audit.descriptor import CallableDescriptor, Scope
from symtrip.audit.descriptors import BUILTIN, builtin
from symtrip.audit.invariance import PROBE_NUMBERS, check_invariances, probe_clusters
from symtrip.audit.sensitivity import check_gradients, jacobian_at_merge, numerical_jacobian
from symtrip.audit.separation import Properties, verdict_on
from symtrip.audit.smoothness import check_smoothness
from symtrip.audit.structures import Structures, random_rotation
from symtrip.audit.targets import resolve
from symtrip.degenerate import family

SHARP = 5.0


def counts(atoms, centre):
    """Neighbours within 5 Å, by a hard cutoff."""
    d = np.linalg.norm(atoms.positions - atoms.positions[centre], axis=1)
    return [np.sum((d > 0) & (d < SHARP)) + 0.0, np.sum(np.exp(-d[d < SHARP]))]


def kinked(atoms, centre):
    """Continuous at 5 Å, with a kink."""
    d = np.linalg.norm(atoms.positions - atoms.positions[centre], axis=1)
    return [np.sum(np.clip(SHARP - d, 0, None)), np.sum(np.clip(SHARP - d, 0, None) ** 2)]


def smooth(atoms, centre):
    """Twice continuously differentiable at 5 Å."""
    d = np.linalg.norm(atoms.positions - atoms.positions[centre], axis=1)
    return [np.sum(np.clip(SHARP - d, 0, None) ** 3), np.sum(np.clip(SHARP - d, 0, None) ** 4)]


@pytest.mark.parametrize(
    ("descriptor", "continuous", "differentiable"),
    [(counts, False, False), (kinked, True, False), (smooth, True, True)],
)
def test_jumps_and_kinks_at_an_unknown_cutoff_are_found(descriptor, continuous, differentiable):
    outcome = check_smoothness(resolve(descriptor), seed=0)
    assert abs(outcome.cutoff - SHARP) <= 1e-3
    assert outcome.continuous is continuous
    assert outcome.differentiable is differentiable


def test_a_descriptor_without_cutoff_is_said_to_have_none():
    def endless(atoms, centre):
        d = np.linalg.norm(atoms.positions - atoms.positions[centre], axis=1)
        return [d.sum(), (d**2).sum()]

    outcome = check_smoothness(resolve(endless), seed=0)
    assert outcome.cutoff is None
    assert "no cutoff" in outcome.reason
    assert outcome.continuous


def test_the_jump_of_a_local_frame_inside_the_cutoff_is_found():
    outcome = check_smoothness(resolve("local-frame"), seed=0)
    assert outcome.inside > 0.1
    assert not outcome.continuous


# Small bases, where there is one: derivatives do not depend on its size.
SMALL = {
    "soap-power-spectrum": ":n_radial=2,max_angular=2",
    "bispectrum": ":n_radial=2,max_angular=2",
    "acdc": ":nu=3,n_radial=2,max_angular=2",
    "triplets": ":nonlinear,n_radial=2,max_angular=2,units=24",
}


@pytest.mark.parametrize("name", [name for name in BUILTIN if name != "local-frame"])
def test_built_in_descriptors_are_smooth_and_their_derivatives_right(name):
    target = resolve(name + SMALL.get(name, ""))
    outcome = check_smoothness(target, seed=0)
    assert outcome.inside < 1e-8
    assert outcome.cutoff is None or (outcome.c0 < 1e-8 and outcome.c1 < 1e-5)
    gradients = check_gradients(target, seed=0)
    # limited by the fourth-order differences, worst for sums over strongly curved units
    assert gradients.worst < 2e-6


@pytest.mark.parametrize(
    ("name", "mirror"),
    [("soap-power-spectrum", True), ("bispectrum", False), ("triplets:o3", True), ("wmi", False)],
)
def test_invariances_are_recognised(name, mirror):
    outcome, properties, findings = check_invariances(resolve(name), seed=3)
    assert findings == []
    assert all(outcome[key].holds for key in ("rotation", "translation", "permutation"))
    assert max(outcome[key].worst for key in ("rotation", "translation")) < 1e-13
    assert outcome["inversion"].holds is mirror
    assert properties.missing == ()


def test_what_a_vector_describes_is_recognised():
    def total(atoms):
        return np.sort(atoms.get_all_distances().ravel())

    def atom_zero(atoms):
        return np.sort(np.linalg.norm(atoms.positions - atoms.positions[0], axis=1))

    _, of_structure, _ = check_invariances(resolve(total), seed=0)
    _, of_atom_zero, _ = check_invariances(resolve(atom_zero), seed=0)
    _, of_centre, _ = check_invariances(resolve(counts), seed=0)
    assert (of_structure.whole_structure, of_structure.fixed_center) == (True, False)
    assert (of_atom_zero.whole_structure, of_atom_zero.fixed_center) == (False, True)
    assert (of_centre.whole_structure, of_centre.fixed_center) == (False, False)


# Rank over rank allowed where the members of the family have merged (docs/theory, audit facts).
MERGES = {
    ("soap-power-spectrum", "nu2_PRL2020_fig1b_dojo_coords"): (8, 9),
    ("soap-power-spectrum", "nu2_CH4_like_equal_bonds"): (8, 9),
    ("bispectrum", "nu2_CH4_like_equal_bonds"): (9, 9),
    ("bispectrum", "nu3_paper_B8_family"): (17, 18),
    ("mtp", "nu3_paper_B8_family"): (17, 18),
    ("triplets:nonlinear", "nu3_paper_B8_family"): (18, 18),
    ("wmi", "nu3_paper_B8_family"): (18, 18),
}


@pytest.mark.parametrize(("name", "family_id"), MERGES)
def test_ranks_at_merge_points_are_those_of_theory(name, family_id):
    target = resolve(name)
    mirror = name in ("soap-power-spectrum", "mtp")
    properties = Properties(mirror=mirror, whole_structure=False)
    found = jacobian_at_merge(target, family(family_id), properties)
    assert (found.rank, found.allowed) == MERGES[name, family_id]
    # a lost direction is lost to rounding, the others are clearly there
    assert all(x < 1e-14 or x > 1e-8 for x in found.singular_values)


def test_ranks_are_compared_with_what_symmetry_allows():
    # the merged centrosymmetric sextet is symmetric under inversion and a mirror: 6 of 15 remain
    properties = Properties(mirror=True, whole_structure=False)
    found = jacobian_at_merge(resolve("gram"), family("dGNN_centrosymmetric_6"), properties)
    assert (found.rank, found.allowed) == (6, 6)


@pytest.mark.parametrize(
    ("differences", "noise", "missing", "verdict"),
    [
        ([1e-3, 1e-4], [1e-15, 1e-15], (), "separated"),
        ([1e-16, 0.0], [1e-15, 1e-15], (), "not separated"),
        ([1e-3, 1e-16], [1e-15, 1e-15], (), "numerically ambiguous"),
        ([5e-14, 5e-14], [1e-15, 1e-15], (), "numerically ambiguous"),
        ([1e-6, 1e-6], [1e-7, 1e-7], (), "not separated"),
        ([1e-9, 1e-9], [1e-7, 1e-7], ("rotation",), "numerically ambiguous"),
        ([0.0, 0.0], [0.0, 0.0], (), "not separated"),
    ],
)
def test_verdicts_are_relative_to_the_noise_floor(differences, noise, missing, verdict):
    outcome = verdict_on(differences, noise, missing)
    assert outcome.verdict == verdict
    deciding = min(differences) if verdict == "separated" else max(differences)
    assert outcome.relative_difference == deciding


def test_a_calculator_is_audited_by_its_energy_and_its_forces():
    report = audit(lambda: LennardJones(rc=6.0, smooth=True), family_ids=("nu1", "nu2_CH4"))
    assert report.findings == ()
    assert report.gradients.provided
    assert report.gradients.agree
    assert report.separation["nu1_two_neighbours"].verdict == "separated"
    # equal multisets of distances, equal pair energies
    assert report.separation["nu2_CH4_like_equal_bonds"].verdict == "not separated"
    assert report.effective_dimension.n_features == 1


def test_a_callable_may_have_a_cutoff_and_a_gradient():
    class Inverse:
        """Sum of inverse distances."""

        cutoff = 4.0

        def __call__(self, atoms, centre):
            r = np.delete(atoms.positions, centre, axis=0) - atoms.positions[centre]
            return [(1 / np.linalg.norm(r, axis=1)).sum()]

        def gradient(self, atoms, centre):
            r = atoms.positions - atoms.positions[centre]
            d = np.linalg.norm(r, axis=1)
            d[centre] = np.inf
            slope = -r / d[:, None] ** 3
            slope[centre] = -slope.sum(axis=0)
            return slope[None]

    assert check_gradients(resolve(Inverse()), seed=0).worst < 1e-7
    assert resolve(Inverse).build(Scope(9.0, (1,))).cutoff == 4.0
    assert resolve(Inverse, cutoff=3.0).build(Scope(9.0, (1,))).cutoff == 3.0


def test_a_wrong_gradient_is_noticed():
    class Wrong:
        """Distances with the sign of their derivative wrong."""

        def __call__(self, atoms, centre):
            return [np.linalg.norm(atoms.positions - atoms.positions[centre], axis=1).sum()]

        def gradient(self, atoms, centre):
            r = atoms.positions - atoms.positions[centre]
            d = np.maximum(np.linalg.norm(r, axis=1, keepdims=True), 1e-9)
            return (-r / d)[None]

    assert check_gradients(resolve(Wrong()), seed=0).agree is False


def test_finite_differences_are_of_fourth_order():
    descriptor = CallableDescriptor(lambda atoms, _: [np.sin(atoms.positions).sum()])
    one = probe_clusters(1, 0)
    exact = np.cos(one.positions[0])
    for step, budget in ((0.1, 5e-6), (0.05, 5e-6 / 14)):
        got = numerical_jacobian(descriptor, one, 0, step=step)[0]
        assert np.abs(got - exact).max() <= budget


def test_the_overlap_matrix_is_that_of_normalised_orbitals():
    # one neighbour infinitely near: s and p of both atoms coincide, so four eigenvalues are 2
    target = builtin("overlap-matrix")
    descriptor = target.build(Scope(6.0, (1,)))
    near = Structures(np.array([[[0, 0, 0], [1e-7, 0, 0]]]), np.array([1, 1]))
    spectrum = descriptor.evaluate(near, [0])[0, 0]
    assert np.abs(spectrum[:4] - 2).max() <= 1e-9
    assert np.abs(spectrum[4:]).max() <= 1e-9


def test_colours_of_all_atoms_are_those_of_one_pass():
    descriptor = resolve("wl1").build(Scope(9.0, (1, 6, 8)))
    clusters = probe_clusters(2, 1)
    together = descriptor.evaluate(clusters, range(6))
    assert np.array_equal(together[:, [3]], descriptor.evaluate(clusters, [3]))
    assert together.shape[:2] == (2, 6)


def test_the_power_spectrum_of_the_audit_is_that_of_the_package():
    from symtrip.correlations import DensityCorrelations
    from symtrip.environments import Environments
    from symtrip.expansion import GaussianDensity, Gto, ShiftedCosine, SphericalExpansion

    clusters = probe_clusters(1, 2)
    options = "soap-power-spectrum:n_radial=2,max_angular=2"
    got = builtin(options).build(Scope(2.0, (1, 6, 8))).evaluate(clusters, [0])[0, 0]
    expansion = SphericalExpansion(
        cutoff=ShiftedCosine(radius=2.0, width=0.2),
        density=GaussianDensity(width=0.2),
        basis=Gto(n_radial=2, max_angular=2),
        species=(1, 6, 8),
    )
    environment = Environments.from_positions(
        torch.from_numpy(clusters.positions), PROBE_NUMBERS.tolist(), radius=2.0
    )
    want = DensityCorrelations(max_angular=2, nu=2)(expansion(environment))[0].numpy()
    assert np.abs(got - want).max() <= 16 * np.finfo(np.float64).eps * np.abs(want).max()


def test_adapters_scale_structures_of_any_size_to_the_cutoff_of_the_other_package(monkeypatch):
    made = []

    class Soap:
        def __init__(self, **options):
            made.append(options)

        def create(self, atoms, centers):
            d = np.linalg.norm(atoms.positions - atoms.positions[centers, None], axis=-1)
            return np.stack([np.exp(-d).sum(axis=1), np.exp(-2 * d).sum(axis=1)], axis=1)

    package = types.ModuleType("dscribe")
    package.descriptors = types.ModuleType("dscribe.descriptors")
    package.descriptors.SOAP = Soap
    monkeypatch.setitem(sys.modules, "dscribe", package)
    monkeypatch.setitem(sys.modules, "dscribe.descriptors", package.descriptors)
    target = resolve("dscribe:SOAP")
    clusters = probe_clusters(2, 0).turned(random_rotation(np.random.default_rng(0)))
    features = target.build(Scope(6.0, (1, 6, 8))).evaluate(clusters, [0, 3])
    assert features.shape == (2, 2, 2)
    halved = target.build(Scope(3.0, (1, 6, 8))).evaluate(clusters.scaled(0.5), [3])
    assert np.array_equal(halved[:, 0], features[:, 1])
    assert [options["r_cut"] for options in made] == [6.0, 6.0]
    assert made[0]["species"] == [1, 6, 8]
    assert made[0]["periodic"] is False


def test_the_search_takes_a_disturbed_ring_to_a_pair_of_the_paper():
    # start 6 is of the kind "ring"; no built-in's name, so that no very large basis is made
    ansatz = RingPair(7)
    begun = ansatz.build(ansatz.start(np.random.default_rng([0, 6]))[None])[0]
    target = replace(resolve("bispectrum"), name="unnamed")
    (found,) = find_collisions(target, first=6, starts=1).collisions
    assert np.linalg.norm(found.first - begun[0], axis=1).max() > 0.1
    assert found.orbit_distance > 0.05
    # a ring of three atoms, its image under a rotoreflection, an atom on the axis: the B8 family
    axis = found.first[6] / np.linalg.norm(found.first[6])
    heights = found.first[:6] @ axis
    rings = np.linalg.norm(found.first[:6] - heights[:, None] * axis, axis=1)
    assert np.ptp(rings) < 1e-6
    assert np.ptp(np.abs(heights)) < 1e-6


def test_reports_survive_json():
    report = audit("distances", family_ids=("nu1", "planar4"))
    read = json.loads(json.dumps(report.to_dict(), allow_nan=False))
    assert read["separation"]["planar4_trapezium_kite"]["verdict"] == "not separated"
    assert set(read) >= {
        "target",
        "separation",
        "invariance",
        "smoothness",
        "gradients",
        "jacobian",
    }
