"""Every claim of the catalogue, decided in exact arithmetic; no tolerance anywhere."""

from __future__ import annotations

import random
from itertools import product

import pytest
import sympy
from symtrip_reference import InputError
from symtrip_reference.catalogue import Structure, load_catalogue
from symtrip_reference.comparison import CrystalComparison, EnvironmentComparison, GraphComparison

CATALOGUE = load_catalogue()
IDS = list(CATALOGUE)
ENVIRONMENTS = [i for i in IDS if CATALOGUE[i].entry["kind"] in ("env", "both")]
CLUSTERS = [i for i in IDS if CATALOGUE[i].entry["kind"] != "periodic"]
CRYSTALS = [i for i in IDS if CATALOGUE[i].entry["kind"] == "periodic"]
MERGING = [i for i in IDS if CATALOGUE[i].entry["merge"] is not None]
# The families that circulate in the literature and in this catalogue's first edition.
KNOWN_IDS = [
    "nu1_two_neighbours",
    "nu2_PRL2020_fig1b_dojo_coords",
    "nu2_family_generic_decorated",
    "nu2_CH4_like_equal_bonds",
    "dGNN_centrosymmetric_6",
    "dGNN_gram_sign_generic_6",
    "nu3_paper_B8_family",
    "nu3_paper_family_decorated",
    "nu3_multi_axis_atoms",
    "nu3_five_atom_rings",
    "nu3_O3only_D2_disphenoid_7",
    "nu3_chirality_scalene_cap_4",
    "nu3_chirality_single_ring_6",
    "nu4_two_ring_Z12_13",
    "nu4_two_ring_two_axis_decorated_14",
    "planar4_trapezium_kite",
    "line_homometric_6",
    "PDD_5point",
    "platonic_icosahedron_6of12",
    "cube_plus_octahedron_6",
    "FLAWED_dojo_4body_nonchiral",
    "FLAWED_dojo_4body_chiral",
    "periodic_patterson_line_4",
    "periodic_minkowski_sum_9",
    "periodic_centrosymmetric_6",
]
# The fewest neighbours that tell the members apart are slow to compare for large environments;
# beyond the default member, only the equalities are checked again for those.
SLOW = ("nu4_two_ring_Z12_13", "nu4_two_ring_two_axis_decorated_14")


def random_parameters(family, seed):
    """Rational parameters within the ranges, where the exceptional function does not vanish."""
    draw = random.Random(seed)
    while True:
        parameters = {
            name: low + (high - low) * sympy.Rational(draw.randrange(1, 20), 20)
            if (high - low).is_Rational
            else low
            for name, (low, high) in family.ranges.items()
        }
        exceptional = family.exceptional_value(parameters)
        if family.in_domain(parameters) and (exceptional != 0 or is_control(family)):
            return parameters


def is_control(family):
    return family.entry["id"].startswith("FLAWED")


def bare(structure):
    return Structure(structure.species, structure.points)


def same_up_to_translation(plus, minus):
    """Whether a translation maps one crystal onto the other."""
    edges = [plus.cell[i][i] for i in range(3)]

    def home(points, shift):
        return sorted(
            tuple(sympy.Mod((p + s) / e, 1) for p, s, e in zip(point, shift, edges, strict=True))
            for point in points
        )

    origin = (0, 0, 0)
    return any(
        home(plus.points, [m - p for m, p in zip(target, plus.points[0], strict=True)])
        == home(minus.points, origin)
        for target in minus.points
    )


def test_the_ids_are_stable():
    assert IDS == KNOWN_IDS


@pytest.mark.parametrize("name", ENVIRONMENTS)
@pytest.mark.parametrize("proper", [True, False])
def test_correlations_agree_up_to_the_stated_order_and_differ_at_the_next(name, proper):
    family = CATALOGUE[name]
    comparison = EnvironmentComparison(*family.members())
    nu = family.entry["equal"]["nu_so3" if proper else "nu_o3"]
    if nu is None:
        assert comparison.congruent(proper=proper)
    else:
        assert comparison.same_correlations(nu, proper=proper)
        assert not comparison.same_correlations(nu + 1, proper=proper)


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_environments_are_congruent_just_as_stated(name):
    family = CATALOGUE[name]
    comparison = EnvironmentComparison(*family.members())
    stated = family.entry["equal"]["congruent"]
    assert comparison.congruent(proper=True) == (stated == "SO3")
    assert comparison.congruent(proper=False) == (stated is not None)


@pytest.mark.parametrize("name", IDS)
def test_distances_pointwise_distances_and_colours_agree_just_as_stated(name):
    family = CATALOGUE[name]
    comparison = GraphComparison(*family.members())
    stated = family.entry["equal"]
    assert comparison.same_distances() == stated["distances"]
    assert comparison.same_pointwise_distances() == stated["pdd"]
    assert comparison.same_colours() == stated["wl1"]


@pytest.mark.parametrize("name", CLUSTERS)
def test_clusters_are_congruent_just_as_stated(name):
    family = CATALOGUE[name]
    comparison = GraphComparison(*family.members())
    assert comparison.congruent() == (family.entry["equal"]["congruent"] is not None)


@pytest.mark.parametrize("name", [i for i in IDS if CATALOGUE[i].entry["kind"] == "both"])
def test_the_claims_of_clusters_hold_without_the_centre_too(name):
    comparison = GraphComparison(*map(bare, CATALOGUE[name].members()))
    assert comparison.same_distances()
    assert comparison.same_pointwise_distances()
    assert comparison.same_colours()
    assert not comparison.congruent()


@pytest.mark.parametrize("name", CRYSTALS)
def test_crystals_have_equal_distances_but_other_triangles(name):
    family = CATALOGUE[name]
    comparison = CrystalComparison(*family.members())
    stated = family.entry["equal"]
    assert comparison.same_patterson() == stated["patterson"]
    assert comparison.same_distances_within(sympy.Integer(30)) == stated["pdd"]
    assert not comparison.same_triangles_within(sympy.Integer(30))


@pytest.mark.parametrize(("name", "seed"), list(product(ENVIRONMENTS, range(2))))
def test_random_environments_of_a_family_keep_its_claims(name, seed):
    family = CATALOGUE[name]
    comparison = EnvironmentComparison(*family.members(random_parameters(family, seed)))
    stated = family.entry["equal"]
    for key, proper in (("nu_so3", True), ("nu_o3", False)):
        nu = stated[key]
        assert comparison.same_correlations(nu or 3, proper=proper)
        assert comparison.congruent(proper=proper) == (nu is None)
        assert nu is None or name in SLOW or not comparison.same_correlations(nu + 1, proper=proper)


@pytest.mark.parametrize(("name", "seed"), list(product(IDS, range(2))))
def test_random_structures_of_a_family_keep_its_claims(name, seed):
    family = CATALOGUE[name]
    plus, minus = family.members(random_parameters(family, seed))
    comparison = GraphComparison(plus, minus)
    stated = family.entry["equal"]
    assert comparison.same_distances() == stated["distances"]
    assert comparison.same_pointwise_distances() == stated["pdd"]
    assert comparison.same_colours() == stated["wl1"]
    if plus.cell is None:
        assert comparison.congruent() == (stated["congruent"] is not None)
    else:
        assert CrystalComparison(plus, minus).same_patterson() == stated["patterson"]


@pytest.mark.parametrize("name", MERGING)
def test_the_members_are_congruent_at_the_end_of_the_merge_path(name):
    family = CATALOGUE[name]
    plus, minus = family.members(family.merge_end)
    assert family.exceptional_value(family.merge_end) == 0
    if plus.cell is not None:
        assert same_up_to_translation(plus, minus)
    elif plus.center is None:
        assert GraphComparison(plus, minus).congruent()
    else:
        proper = family.entry["exceptional"]["group"] == "SO3"
        assert EnvironmentComparison(plus, minus).congruent(proper=proper)


@pytest.mark.parametrize("name", MERGING)
def test_no_two_atoms_meet_on_the_merge_path(name):
    family = CATALOGUE[name]
    start, end = family.defaults, family.merge_end
    for step in range(9):
        t = sympy.Rational(step, 8)
        there = {p: (1 - t) * start[p] + t * end[p] for p in start}
        for member in family.members(there):
            points = member.with_center().points
            assert len(set(points)) == len(points)


@pytest.mark.parametrize("name", [i for i in MERGING if CATALOGUE[i].entry["kind"] == "env"])
def test_the_claims_hold_along_the_merge_path(name):
    family = CATALOGUE[name]
    start, end = family.defaults, family.merge_end
    halfway = {p: (start[p] + end[p]) / 2 for p in start}
    comparison = EnvironmentComparison(*family.members(halfway))
    stated = family.entry["equal"]
    assert comparison.same_correlations(stated["nu_so3"], proper=True)
    assert not comparison.congruent(proper=True)


@pytest.mark.parametrize("name", [i for i in IDS if CATALOGUE[i].entry["exceptional"]["complete"]])
def test_complete_exceptional_sets_hold_no_default_member(name):
    family = CATALOGUE[name]
    assert (family.exceptional_value() == 0) == is_control(family)


def test_claims_in_words_and_as_data_agree():
    for family in CATALOGUE.values():
        claims, equal = " ".join(family.entry["claims"]), family.entry["equal"]
        assert ("PDD" in claims) <= equal["pdd"]
        assert ("distance multiset" in claims) <= equal["distances"]
        assert ("1-WL" in claims) <= equal["wl1"]
        assert ("Patterson" in claims) <= bool(equal["patterson"])
        for nu in (1, 2, 3, 4):
            if f"nu<={nu}" in claims:
                assert equal["nu_o3" if "parity-even" in claims else "nu_so3"] == nu


def test_symbols_stay_symbols():
    r = sympy.Symbol("r", positive=True)
    plus, _ = CATALOGUE["nu4_two_ring_Z12_13"].members({"r": r})
    assert plus.points[1] == (sympy.sqrt(3) * r / 2, r / 2, sympy.Rational(7, 10))


def test_an_unknown_parameter_is_refused():
    with pytest.raises(InputError, match=r"\['q'\]"):
        CATALOGUE["line_homometric_6"].members({"q": sympy.S.One})
