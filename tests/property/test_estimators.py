"""The scikit-learn transformer: what it computes, what it refuses, how it works in pipelines."""

from __future__ import annotations

import inspect
import pickle
from functools import lru_cache

import ase
import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.utils import estimator_checks

from symtrip.correlations import DensityCorrelations
from symtrip.data import B8Pairs
from symtrip.environments import Environments
from symtrip.errors import InputError
from symtrip.interop.estimators import StructureFeatures
from symtrip.models import ExpansionSettings
from symtrip.testing import assert_separates

EPS = np.finfo(np.float64).eps
SMALL = {
    "radius": 2.0,
    "cutoff_width": 0.5,
    "n_radial": 2,
    "max_angular": 2,
    "components": 12,
    "n_features": 20,
}
KINDS = ("triplets", "bispectrum", "power-spectrum", "density")


def clusters(n_pairs: int) -> list[ase.Atoms]:
    positions = B8Pairs.load().positions[20 : 20 + n_pairs].flatten(0, 1)
    return [ase.Atoms("B8", positions=points) for points in positions.numpy()]


def mixed() -> list[ase.Atoms]:
    frames = clusters(2)
    frames[0].numbers[[2, 5]] = 8
    frames[1].numbers[:] = 8
    frames[2] = frames[2][:5]
    frames.append(ase.Atoms("BO", [[0, 0, 0], [0, 0, 9.0]]))
    cell = np.array([[1.7, 0.1, 0], [0, 1.8, -0.1], [0.05, 0, 1.9]])
    frames.append(ase.Atoms("B2", [[0, 0, 0], [0.8, 0.9, 1.0]], cell=cell, pbc=True))
    return frames


# those of scikit-learn's checks that need no table of numbers; the others refuse lists of atoms
CHECKS = (
    estimator_checks.check_parameters_default_constructible,
    estimator_checks.check_no_attributes_set_in_init,
    estimator_checks.check_get_params_invariance,
    estimator_checks.check_set_params,
    estimator_checks.check_estimator_cloneable,
    estimator_checks.check_estimator_repr,
    estimator_checks.check_valid_tag_types,
    estimator_checks.check_mixin_order,
)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_scikit_learn_accepts_it(check) -> None:
    check("StructureFeatures", StructureFeatures())


def test_before_fit_transform_is_refused_as_usual() -> None:
    with pytest.raises(NotFittedError):
        StructureFeatures().transform(clusters(1))


@pytest.mark.parametrize("kind", ["bispectrum", "power-spectrum", "density"])
def test_invariants_are_sums_over_centres_by_element(kind: str) -> None:
    frames = mixed()
    found = StructureFeatures(kind, **SMALL).fit(frames).transform(frames)
    settings = ExpansionSettings(
        **{k: v for k, v in SMALL.items() if k not in ("components", "n_features")},
        smearing_width=0.3,
        species=(5, 8),
    )
    order = {"density": 1, "power-spectrum": 2, "bispectrum": 3}[kind]
    invariants = DensityCorrelations(max_angular=2, nu=order)
    for atoms, row in zip(frames, found.reshape(len(frames), 2, -1), strict=True):
        env = Environments.from_atoms([atoms], radius=2.0, isolated="keep")
        values = invariants(settings.build()(env)).numpy()
        for z, block in zip((5, 8), row, strict=True):
            assert block[0] == (atoms.numbers == z).sum()
            wanted = values[atoms.numbers == z].sum(axis=0)
            assert np.abs(block[1:] - wanted).max() <= 64 * EPS * np.abs(values).max()


@pytest.mark.parametrize("kind", KINDS)
def test_features_do_not_depend_on_orientation_order_or_company(kind: str) -> None:
    frames = mixed()
    features = StructureFeatures(kind, **SMALL).fit(frames)
    wanted = features.transform(frames)
    moved = [atoms.copy() for atoms in frames]
    for atoms in moved:
        atoms.rotate(40, (1, 2, 3), rotate_cell=True)
        atoms.positions += 0.3
    moved = [atoms[np.argsort(atoms.positions[:, 0])] for atoms in moved]
    scale = np.abs(wanted).max()
    # features lose digits to rotation: 60 eps measured
    assert np.abs(features.transform(moved) - wanted).max() <= 1024 * EPS * scale
    alone = np.concatenate([features.transform([atoms]) for atoms in frames])
    assert np.abs(alone - wanted).max() <= 64 * EPS * scale


@pytest.mark.parametrize("kind", KINDS)
def test_means_are_sums_over_the_number_of_centres(kind: str) -> None:
    frames = mixed()
    total = StructureFeatures(kind, **SMALL).fit(frames).transform(frames)
    mean = StructureFeatures(kind, pooling="mean", **SMALL).fit(frames).transform(frames)
    counts = np.array([len(atoms) for atoms in frames])
    assert np.abs(mean * counts[:, None] - total).max() <= 4 * EPS * np.abs(total).max()


def test_triplets_separate_what_the_bispectrum_does_not() -> None:
    frames = clusters(4)
    difference = {}
    for kind in KINDS:
        found = StructureFeatures(kind, centers=0, **SMALL).fit(frames).transform(frames)
        change = np.linalg.norm(found[0::2] - found[1::2], axis=1)
        difference[kind] = change / np.linalg.norm(found[0::2], axis=1)
    assert difference["triplets"].min() > 1e-7
    for kind in KINDS[1:]:
        assert difference[kind].max() <= 64 * EPS


@lru_cache
def fitted_to_random_clusters(numbers: tuple[int, ...]) -> StructureFeatures:
    rng = np.random.default_rng(0)
    frames = []
    for _ in range(40):
        inside = rng.normal(size=(7, 3))
        inside *= rng.uniform(0.8, 2.6, (7, 1)) / np.linalg.norm(inside, axis=1, keepdims=True)
        positions = np.concatenate([np.zeros((1, 3)), inside])
        frames.append(ase.Atoms(rng.choice(numbers, 8), positions=positions))
    basis = {"radius": 3.0, "cutoff_width": 0.3, "smearing_width": 0.4, "n_radial": 3}
    return StructureFeatures(**basis, components=32, n_features=100, centers=0).fit(frames)


def test_every_family_that_the_bispectrum_confuses_is_separated() -> None:
    def descriptor(atoms: ase.Atoms, center: int) -> np.ndarray:
        order = [center, *(i for i in range(len(atoms)) if i != center)]
        features = fitted_to_random_clusters(tuple(sorted(set(atoms.numbers.tolist()))))
        return features.transform([atoms[order]])[0]

    assert_separates(descriptor, "nu3", cutoff=3.0)


def test_equal_seeds_give_equal_features_and_the_sample_is_normalised() -> None:
    frames = clusters(3)
    features = StructureFeatures(**SMALL, centers=0).fit(frames)
    found = features.transform(frames)
    assert (clone(features).fit(frames).transform(frames) == found).all()
    other = clone(features).set_params(random_state=1).fit(frames).transform(frames)
    assert np.abs(other - found).max() > 0.01
    assert np.isclose(np.square(found[:, 1:]).sum(axis=1).mean(), 1.0, rtol=64 * EPS)


def test_it_works_in_pipelines_and_searches() -> None:
    frames = clusters(12)
    energies = B8Pairs.load().energies[20:32].flatten().numpy()
    model = make_pipeline(StructureFeatures(**SMALL, centers=0), Ridge(1e-8))
    search = GridSearchCV(model, {"structurefeatures__components": [4, 12]}, cv=3)
    search.fit(frames, energies)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    features = search.best_estimator_[0]
    names = features.get_feature_names_out()
    assert len(names) == features.transform(frames[:1]).shape[1] == 21
    again = pickle.loads(pickle.dumps(search.best_estimator_))  # noqa: S301
    assert (again.predict(frames) == search.predict(frames)).all()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ({"kind": "soap"}, "`kind` must be one of density"),
        ({"pooling": "max"}, "`pooling` must be one of sum, mean, got 'max'"),
        ({"n_features": 0}, "`n_features` must be an integer >= 1, got 0"),
        ({"sample": -2}, "`sample` must be an integer >= 1, got -2"),
        ({"random_state": -1}, "`random_state` must be an integer >= 0, got -1"),
        ({"length": 0.0}, "`length` must be valid in the parameters, got 0.0"),
        ({"n_radial": 30}, "`n_radial` must be valid in the parameters, got 30"),
        ({"radius": 0.5, "cutoff_width": 0.1}, "`radius` must give some centre a neighbour"),
    ],
)
def test_impossible_parameters_are_refused(words: dict[str, object], message: str) -> None:
    with pytest.raises(InputError) as caught:
        StructureFeatures(**{**SMALL, **words}).fit(clusters(1))
    assert message in str(caught.value)


def test_what_is_no_list_of_structures_is_refused() -> None:
    with pytest.raises(InputError, match=r"`X` must be a list of ase.Atoms, got none; read"):
        StructureFeatures(**SMALL).fit([])
    unchecked = inspect.unwrap(StructureFeatures.fit)  # the tests' type checker comes first
    for wrong in (np.zeros((3, 2)), [clusters(1)[0].positions]):
        with pytest.raises(InputError, match=r"`X` must be a list of ase.Atoms, got \['ndarray'\]"):
            unchecked(StructureFeatures(**SMALL), wrong)


@pytest.mark.parametrize("kind", KINDS)
def test_elements_that_were_not_in_fit_are_refused(kind: str) -> None:
    features = StructureFeatures(kind, centers=0, **SMALL).fit(clusters(1))
    atoms = clusters(1)[0]
    atoms.numbers[3] = 8
    with pytest.raises(InputError, match=r"`X` must have neighbours of the elements \[5\]"):
        features.transform([atoms])
    atoms.numbers[0] = 8
    with pytest.raises(InputError, match=r"`X` must have centres of the elements \[5\]"):
        features.transform([atoms])


def test_features_that_do_not_fit_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    frames = clusters(2)
    features = StructureFeatures(**SMALL).fit(frames)
    monkeypatch.setattr("symtrip.memory.available_memory", lambda _: 100)
    monkeypatch.setattr("symtrip.memory._NEVER_CHECKED", 0)
    with pytest.raises(InputError, match=r"`X` must leave room for its features"):
        features.transform(frames)


def test_the_default_dtype_does_not_matter() -> None:
    frames = clusters(2)
    wanted = StructureFeatures(**SMALL).fit(frames).transform(frames)
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        again = StructureFeatures(**SMALL).fit(frames).transform(frames)
    finally:
        torch.set_default_dtype(before)
    assert (again == wanted).all()
    assert wanted.dtype == np.float64
