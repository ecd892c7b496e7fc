"""Does the descriptor tell the members of each family's pairs apart?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from symtrip.audit.descriptor import Descriptor, DescriptorError, Scope, Target
from symtrip.audit.report import Separation, Verdict
from symtrip.audit.structures import Array, Structures, random_rotation
from symtrip.completeness.matching import assign
from symtrip.degenerate import Family

__all__ = ["Properties", "scope_of", "separate", "verdict_on"]

# Copies of each pair. A descriptor that lacks an invariance may happen to give two copies the same
# vector, e.g. where neighbours are equally far: eight of them all the same by chance is unlikely.
_COPIES, _MANY_COPIES = 2, 8
_EPS = float(np.finfo(np.float64).eps)


@dataclass(frozen=True)
class Properties:
    """What the invariance checks found out, as far as separation needs it.

    Attributes:
        mirror: the descriptor is invariant under inversion.
        whole_structure: one vector for the whole structure, whatever the centre.
        fixed_center: always describes atom 0, whatever centre is asked for.
        missing: invariances that fail; empty for a proper descriptor.
    """

    mirror: bool
    whole_structure: bool
    fixed_center: bool = False
    missing: tuple[str, ...] = ()


def scope_of(structures: Structures) -> Scope:
    """A cutoff that covers the structures with a margin for smoothing, and their species.

    In a crystal: a sphere that holds about 16 neighbours.
    """
    species = tuple(sorted(set(structures.numbers.tolist())))
    if structures.cell is None:
        return Scope(1.25 * structures.extent(), species)
    volume = abs(float(np.linalg.det(structures.cell)))
    return Scope((16 * volume / structures.n_atoms * 3 / (4 * np.pi)) ** (1 / 3), species)


def separate(
    target: Target, family: Family, properties: Properties, *, members: int, seed: int
) -> Separation:
    """The verdict on one family.

    Args:
        target: what is audited.
        family: the family.
        properties: what is known about the descriptor.
        members: number of pairs: the default one and random ones.
        seed: seed of the random pairs and copies.

    Returns:
        The verdict with its numbers.

    Raises:
        DescriptorError: the descriptor misbehaved on this family.
    """
    congruent = family.equal.congruent
    if congruent == "SO3":
        return _skipped("control: a proper rotation maps one member onto the other")
    if congruent == "O3" and properties.mirror:
        return _skipped("mirror images, and the descriptor is invariant under inversion")
    if not family.has_center and properties.fixed_center:
        return _skipped("no centre, and the descriptor describes atom 0 only")
    generator = np.random.default_rng(seed)
    if family.kind == "periodic":
        # every atom of a crystal is described: one random crystal says as much as two clusters
        members = min(members, 2)
    parameters: list[Tensor | None] = [None]
    if members > 1:
        parameters += family.sample(members - 1, torch.Generator().manual_seed(seed))
    differences, noise = [], []
    for values in parameters:
        pair = Structures.of_pair(family, values)
        descriptor = target.build(scope_of(pair))
        if pair.cell is not None and descriptor.cluster_only:
            return _skipped(f"cluster-only descriptor: {descriptor.cluster_only}")
        pair = fitted(pair, target, descriptor)
        one_vector = family.has_center or properties.whole_structure
        centers = [0] if one_vector else list(range(pair.n_atoms))
        copies = _MANY_COPIES if properties.missing else _COPIES
        difference, floor = _compare(descriptor, pair, centers, generator, copies)
        differences.append(difference)
        noise.append(floor)
    return verdict_on(differences, noise, properties.missing)


def fitted(pair: Structures, target: Target, descriptor: Descriptor) -> Structures:
    """The pair, shrunk into the cutoff of a descriptor whose cutoff is fixed."""
    if target.adjustable or descriptor.cutoff is None or pair.cell is not None:
        return pair
    scale = min(1.0, 0.8 * descriptor.cutoff / pair.extent())
    return pair.with_positions(pair.positions * scale)


def verdict_on(
    differences: list[float], noise: list[float], missing: tuple[str, ...] = ()
) -> Separation:
    """Judge relative differences against the noise of congruent copies.

    Args:
        differences: relative difference of each pair.
        noise: largest relative difference between congruent copies of each pair's members.
        missing: invariances that the descriptor lacks.

    Returns:
        The verdict.
    """
    floor = max(*noise, 4 * _EPS)
    low, high = min(differences), max(differences)
    verdict: Verdict
    reason = ""
    if low > 100 * floor:
        verdict, deciding = "separated", low
    elif high <= 10 * floor and not missing:
        verdict, deciding = "not separated", high
    else:
        verdict, deciding = "numerically ambiguous", high
        reason = "some pairs differ, others do not" if low <= 10 * floor else "close to the noise"
        if missing:
            reason = f"not invariant under {', '.join(missing)}"
    return Separation(verdict, deciding, floor, tuple(differences), reason)


def _compare(
    descriptor: Descriptor,
    pair: Structures,
    centers: list[int],
    generator: np.random.Generator,
    copies: int,
) -> tuple[float, float]:
    """Relative difference of a pair, and the largest one between congruent copies.

    The difference is the smallest one between the first member and a copy of the second, so that it
    does not depend on how the catalogue happens to orient and order the members.
    """
    versions = [pair]
    for _ in range(copies):
        order = _like_atoms_shuffled(pair, generator, keep_first=len(centers) == 1)
        shift = generator.uniform(-1.0, 1.0, size=3)
        versions.append(pair.reordered(order).translated(shift).turned(random_rotation(generator)))
    original, *others = _evaluate(descriptor, versions, centers)
    scale = float(np.linalg.norm(original, axis=-1).max())
    if scale == 0.0:
        raise DescriptorError("returned zero for every member of the family")
    species = pair.numbers[centers]
    differences, noise = [_distance(original[0], original[1], species)], 0.0
    for features in others:
        differences.append(_distance(original[0], features[1], species))
        noise = max(noise, *(_distance(original[i], features[i], species) for i in range(2)))
    return min(differences) / scale, noise / scale


def _evaluate(
    descriptor: Descriptor, versions: list[Structures], centers: list[int]
) -> list[Array]:
    """Features of all versions of one pair: of clusters in one batch, as like atoms were shuffled.

    Crystals differ in their cells.
    """
    if versions[0].cell is None:
        stacked = np.concatenate([version.positions for version in versions])
        together = descriptor.evaluate(versions[0].with_positions(stacked), centers)
        return np.split(together, len(versions))
    features = [descriptor.evaluate(version, centers) for version in versions]
    if len({part.shape for part in features}) > 1:
        raise DescriptorError(
            "the length of the vector changes between structures of one composition"
        )
    return features


def _distance(first: Array, second: Array, species: NDArray[np.int64]) -> float:
    """Distance of two multisets of vectors (C, F): the bottleneck over like atoms."""
    if len(first) == 1:
        return float(np.linalg.norm(first[0] - second[0]))
    cost = np.linalg.norm(first[:, None] - second[None], axis=-1)
    cost = np.where(species[:, None] == species[None, :], cost, np.inf)
    return assign(cost, "bottleneck")[1]


def _like_atoms_shuffled(
    structures: Structures, generator: np.random.Generator, *, keep_first: bool
) -> NDArray[np.intp]:
    order = np.arange(structures.n_atoms)
    for number in np.unique(structures.numbers):
        like = np.flatnonzero(structures.numbers == number)
        like = like[like > 0] if keep_first else like
        order[like] = generator.permutation(like)
    return order


def _skipped(reason: str) -> Separation:
    return Separation("skipped", None, None, reason=reason)
