"""Which transformations leave the features alone, and is the descriptor a function at all?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from symtrip.audit.descriptor import Descriptor, DescriptorError, Scope, Target
from symtrip.audit.report import Finding, Invariance
from symtrip.audit.separation import Properties
from symtrip.audit.structures import Array, Structures, random_cluster, random_rotation
from symtrip.degenerate import family

__all__ = ["PROBE_NUMBERS", "check_invariances", "probe_clusters", "probe_scope"]

PROBE_NUMBERS = np.array([6, 1, 1, 1, 8, 8], dtype=np.int64)
"""Atomic numbers of the random clusters that probe a descriptor; atom 0 is the centre."""

_OUTER = 2.4
_HOLDS = 1e-3


def probe_scope() -> Scope:
    """The scope of the random clusters."""
    return Scope(2.5 * _OUTER, (1, 6, 8))


def probe_clusters(count: int, seed: int, *, scale: float = 1.0) -> Structures:
    """Random clusters of one carbon, three hydrogens and two oxygens, 0.9 to 2.4 Å from atom 0.

    Args:
        count: how many.
        seed: seed of the generator.
        scale: factor on all lengths.
    """
    generator = np.random.default_rng(seed)
    positions = [
        random_cluster(generator, PROBE_NUMBERS, inner=0.9, outer=_OUTER, apart=0.8)
        for _ in range(count)
    ]
    return Structures(np.array(positions) * scale, PROBE_NUMBERS)


def check_invariances(
    target: Target, *, seed: int
) -> tuple[dict[str, Invariance], Properties, list[Finding]]:
    """Apply transformations to random clusters and to a B8 pair (whose ring atoms are equidistant).

    Args:
        target: what is audited.
        seed: seed of the generator.

    Returns:
        The outcome per transformation, what separation needs to know, and findings.

    Raises:
        DescriptorError: the descriptor fails on the random clusters.
    """
    descriptor = target.build(probe_scope())
    clusters = probe_clusters(6, seed)
    reference = descriptor.evaluate(clusters, [0])[:, 0]
    findings = []
    repeated = descriptor.evaluate(clusters, [0])[:, 0]
    scale = float(np.linalg.norm(reference, axis=-1).max())
    spread = float(np.linalg.norm(reference - reference.mean(axis=0), axis=-1).max())
    jitter = float(np.abs(repeated - reference).max())
    if jitter > 0.0:
        findings.append(
            Finding(
                "determinism",
                f"not deterministic: the same structure gives vectors {jitter:.1e} apart",
            )
        )
    if spread <= 1e-12 * scale or scale == 0.0:
        findings.append(
            Finding("positions", "ignores positions: all random structures get the same vector")
        )
    b8 = Structures.of_pair(family("nu3_paper_B8_family"), None)
    b8 = b8.with_positions(b8.positions[:1])
    samples = [
        _Sample(descriptor, clusters, reference, spread),
        *_with_spread(target, b8, findings),
    ]
    outcome = {
        name: _worst(change, samples, np.random.default_rng(seed), findings, name)
        for name, change in _TRANSFORMATIONS.items()
    }
    whole, fixed = _role_of_the_centre(descriptor, clusters)
    required = ("rotation", "translation", "permutation")
    missing = tuple(name for name in required if not outcome[name].holds)
    return outcome, Properties(outcome["inversion"].holds, whole, fixed, missing), findings


@dataclass(frozen=True, eq=False)
class _Sample:
    """Structures, their features before any transformation, and the size of a change."""

    descriptor: Descriptor
    structures: Structures
    features: Array
    spread: float


def _with_spread(target: Target, structures: Structures, findings: list[Finding]) -> list[_Sample]:
    """The structure with its descriptor and the size of a change, unless the descriptor fails."""
    radius = 1.25 * structures.extent()
    try:
        descriptor = target.build(Scope(radius, tuple(sorted(set(structures.numbers.tolist())))))
        moved = structures.positions * 1.05
        both = descriptor.evaluate(
            structures.with_positions(np.concatenate([structures.positions, moved])), [0]
        )[:, 0]
    except DescriptorError as problem:
        findings.append(Finding("invariance", f"on B8 clusters: {problem}"))
        return []
    return [_Sample(descriptor, structures, both[:1], float(np.linalg.norm(both[1] - both[0])))]


def _worst(
    change: Callable[[Structures, np.random.Generator], Structures],
    samples: list[_Sample],
    generator: np.random.Generator,
    findings: list[Finding],
    name: str,
) -> Invariance:
    worst, holds, note = 0.0, True, ""
    for sample in samples:
        before, structures = sample.features, sample.structures
        for _ in range(3):
            try:
                after = sample.descriptor.evaluate(change(structures, generator), [0])[:, 0]
            except DescriptorError as problem:
                findings.append(Finding(name, str(problem)))
                return Invariance(False, float("inf"), str(problem))
            if after.shape != before.shape:
                message = f"the length of the vector changes under {name}"
                findings.append(Finding(name, message))
                return Invariance(False, float("inf"), message)
            size = float(np.linalg.norm(before, axis=-1).max())
            violation = float(np.linalg.norm(after - before, axis=-1).max())
            if violation > _HOLDS * sample.spread:
                equidistant = len(structures) == 1
                note = "where neighbours are equally far" if holds and equidistant else note
                holds = False
            worst = max(worst, violation / size if size else 0.0)
    return Invariance(holds, worst, note)


def _role_of_the_centre(descriptor: Descriptor, clusters: Structures) -> tuple[bool, bool]:
    """Whether one vector describes the structure, and whether it is always that of atom 0.

    Judged in structures of like atoms: asking for another centre changes nothing in both cases, but
    exchanging atom 0 with another one does in the second.
    """
    if descriptor.whole_structure:
        return True, False
    alike = Structures(clusters.positions, np.full_like(clusters.numbers, 6))
    try:
        features = descriptor.evaluate(alike, [0, 1])
        swapped = descriptor.evaluate(alike.reordered(np.array([1, 0, 2, 3, 4, 5])), [0])
    except DescriptorError:
        return False, False
    size = 1e-6 * float(np.linalg.norm(features, axis=-1).max())
    if np.abs(features[:, 0] - features[:, 1]).max() > size:
        return False, False
    whole = bool(np.abs(features[:, 0] - swapped[:, 0]).max() <= size)
    return whole, not whole


def _permuted(structures: Structures, generator: np.random.Generator) -> Structures:
    order = np.concatenate([[0], 1 + generator.permutation(structures.n_atoms - 1)])
    return structures.reordered(order)


def _rotated(structures: Structures, generator: np.random.Generator) -> Structures:
    return structures.turned(random_rotation(generator))


def _translated(structures: Structures, generator: np.random.Generator) -> Structures:
    shift: Array = generator.uniform(-3.0, 3.0, size=3)
    return structures.translated(shift)


def _inverted(structures: Structures, generator: np.random.Generator) -> Structures:
    return structures.turned(-random_rotation(generator))


_TRANSFORMATIONS = {
    "rotation": _rotated,
    "translation": _translated,
    "permutation": _permuted,
    "inversion": _inverted,
}
