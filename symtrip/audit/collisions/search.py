"""Minimise the difference of features while the structures stay apart.

A start (X, Y) is improved by Levenberg-Marquardt steps on

    (phi(X) - phi(Y)) sqrt(1 + (d_0 / d)^2),   d = |xi(X) - xi(Y)|,

phi the descriptor, xi a complete smooth invariant (pooled Gram matrices): the second factor keeps
the search away from congruent pairs, for which both differences vanish together.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch

from symtrip.audit.collisions.ansatz import ANSATZES, LIMIT, Ansatz
from symtrip.audit.collisions.contact import Contact, contact_of
from symtrip.audit.descriptor import Descriptor, DescriptorError, Scope, Target
from symtrip.audit.descriptors.builtin import refined
from symtrip.audit.descriptors.frames import GramMatrix
from symtrip.audit.structures import Array, Structures, random_rotation
from symtrip.completeness.congruence import Congruence, Group, congruent
from symtrip.environments import Environments
from symtrip.errors import require
from symtrip.progress import Progress, silent

__all__ = ["Collision", "Search", "Start", "find_collisions"]

_RADIUS = 3.0
_STEPS, _STEP = 120, 1e-4
_EPS = float(np.finfo(np.float64).eps)


@dataclass(frozen=True, eq=False)
class Collision:
    """Two different environments with the same features.

    Attributes:
        first: (N, 3) neighbours of the centre in Å.
        second: (N, 3) neighbours of the other environment.
        relative_difference: |phi - phi'| / |phi|.
        noise_floor: largest relative difference between congruent copies of the two.
        orbit_distance: largest deviation of an atom in the best alignment found, in Å.
        orbit_distance_bound: no rotation, inversion and permutation does better, in Å.
        refined_difference: relative difference for the same kind of descriptor with a larger basis;
            None if there is no such thing.
        contact: how the two sheets of the descriptor's image meet there.
    """

    first: Array
    second: Array
    relative_difference: float
    noise_floor: float
    orbit_distance: float
    orbit_distance_bound: float
    refined_difference: float | None
    contact: Contact

    @property
    def persists(self) -> bool | None:
        """Whether a larger basis does not resolve it."""
        if self.refined_difference is None:
            return None
        return self.refined_difference < 1e-9


@dataclass(frozen=True, eq=False)
class Start:
    """Outcome of one random start.

    Attributes:
        kind: name of the ansatz.
        n_neighbors: number of neighbours.
        relative_difference: of the features where the search ended.
        orbit_distance: of the environments there, in Å.
        steps: accepted steps.
        collision: the collision if it is one.
    """

    kind: str
    n_neighbors: int
    relative_difference: float
    orbit_distance: float
    steps: int
    collision: Collision | None


@dataclass(frozen=True, eq=False)
class Search:
    """Outcome of a search.

    Attributes:
        target: what was searched.
        starts: outcome of every start.
    """

    target: str
    starts: tuple[Start, ...]

    @property
    def collisions(self) -> list[Collision]:
        """The collisions found."""
        return [start.collision for start in self.starts if start.collision is not None]


def find_collisions(
    target: Target,
    *,
    starts: int = 20,
    first: int = 0,
    seed: int = 0,
    element: int = 5,
    group: Group = "O3",
    min_distance: float = 0.05,
    progress: Progress = silent,
) -> Search:
    """Search for pairs of environments that a descriptor cannot tell apart.

    Args:
        target: the descriptor; with a fixed cutoff that must exceed 2.6 Å.
        starts: number of random starts; the kinds of starts take turns.
        first: index of the first start, to go on with a search or to repeat one of its starts.
        seed: seed of the starts; start i of a longer search is start i of a shorter one.
        element: atomic number of all atoms.
        group: "O3": mirror images count as equal; "SO3": they count as a collision.
        min_distance: orbit distance in Å below which a pair does not count.
        progress: called with (done, total).

    Returns:
        Every start with what became of it.

    Raises:
        InputError: ``starts`` < 1, ``seed`` < 0, a distance <= 0, a cutoff that is too small.
        DescriptorError: the descriptor misbehaved.
    """
    require(starts >= 1, "starts", "be at least 1", starts, "each takes a few seconds")
    require(
        min_distance > 0, "min_distance", "be > 0 Å", min_distance, "0.05 is a visible difference"
    )
    require(seed >= 0, "seed", "be >= 0", seed, "choose another seed")
    descriptor = target.build(Scope(_RADIUS, (element,)))
    require(
        descriptor.cutoff is None or descriptor.cutoff > LIMIT,
        "cutoff",
        f"exceed {LIMIT} Å, where the neighbours are",
        descriptor.cutoff,
        "search with a larger cutoff",
    )
    outcomes = []
    progress(0, starts)
    for index in range(first, first + starts):
        kind, n_neighbors = ANSATZES[index % len(ANSATZES)]
        ansatz = kind(n_neighbors)
        run = _Run(target, descriptor, ansatz, element, group, min_distance)
        outcomes.append(run.search(np.random.default_rng([seed, index])))
        progress(len(outcomes), starts)
    return Search(target.name, tuple(outcomes))


class _Run:
    """One start."""

    def __init__(
        self,
        target: Target,
        descriptor: Descriptor,
        ansatz: Ansatz,
        element: int,
        group: Group,
        min_distance: float,
    ) -> None:
        self.target, self.descriptor, self.ansatz = target, descriptor, ansatz
        self.group, self.min_distance = group, min_distance
        self.numbers = np.full(ansatz.n_neighbors + 1, element, dtype=np.int64)
        self.separator = GramMatrix(_RADIUS, (element,))

    def structures(self, vectors: Array) -> Structures:
        """(P, N, 3) neighbours -> structures with the centre at the origin."""
        return Structures(
            np.concatenate([np.zeros((len(vectors), 1, 3)), vectors], axis=1), self.numbers
        )

    def differences(self, descriptor: Descriptor, parameters: Array) -> Array:
        """phi(X) - phi(Y) for parameters (P, m)."""
        pairs = self.ansatz.build(parameters)
        flat = self.structures(pairs.reshape(-1, *pairs.shape[2:]))
        features = descriptor.evaluate(flat, [0])[:, 0].reshape(len(parameters), 2, -1)
        return np.asarray(features[:, 0] - features[:, 1])

    def search(self, generator: np.random.Generator) -> Start:
        parameters = self.ansatz.start(generator)
        others = np.array([self.ansatz.start(generator) for _ in range(16)])
        typical = float(np.median(np.linalg.norm(self.differences(self.separator, others), axis=1)))
        parameters, steps = self._descend(parameters, typical)
        first, second = self.ansatz.build(parameters[None])[0]
        features = self.descriptor.evaluate(self.structures(np.stack([first, second])), [0])[:, 0]
        size = float(np.linalg.norm(features, axis=-1).max())
        if size == 0.0:
            raise DescriptorError("returned zero for both environments")
        relative = float(np.linalg.norm(features[0] - features[1])) / size
        match = self._aligned(first, second)
        collision = None
        if match.residual > self.min_distance and relative < 1e-8:
            collision = self._collision(first, second, relative, match, generator)
        return Start(
            self.ansatz.name, self.ansatz.n_neighbors, relative, match.residual, steps, collision
        )

    def _descend(self, parameters: Array, typical: float) -> tuple[Array, int]:
        state = _State(self, parameters, typical)
        damping, history = 1e-2, [state.cost]
        for _ in range(_STEPS):
            if state.cost <= (4 * _EPS * state.size) ** 2:
                break
            slope = state.jacobian()
            normal, gradient = slope.T @ slope, slope.T @ state.residual
            if np.trace(normal) == 0.0:
                break
            scale = np.diag(np.diag(normal)) + 1e-14 * np.trace(normal) * np.eye(len(normal))
            improved = None
            for _ in range(12):
                moved = state.parameters - np.linalg.solve(normal + damping * scale, gradient)
                if self.ansatz.inside(moved) and self.ansatz.closest(moved) > 0.1:
                    candidate = _State(self, moved, typical)
                    if candidate.cost < state.cost:
                        improved = candidate
                        break
                damping *= 4
            if improved is None:
                break
            state, damping = improved, max(damping / 5, 1e-12)
            history.append(state.cost)
            if len(history) > 25 and history[-1] > 0.9 * history[-15]:
                break
        return state.parameters, len(history) - 1

    def _collision(
        self,
        first: Array,
        second: Array,
        relative: float,
        match: Congruence,
        generator: np.random.Generator,
    ) -> Collision | None:
        both = self.structures(np.stack([first, second]))
        original = self.descriptor.evaluate(both, [0])[:, 0]
        size = float(np.linalg.norm(original, axis=-1).max())
        noise = 4 * _EPS
        for _ in range(3):
            order = np.concatenate([[0], 1 + generator.permutation(len(first))])
            copy = both.reordered(order).turned(random_rotation(generator))
            change = self.descriptor.evaluate(copy, [0])[:, 0] - original
            noise = max(noise, float(np.linalg.norm(change, axis=-1).max()) / size)
        if relative > 10 * noise:
            return None
        better = refined(self.target.name)
        difference = None
        if better is not None:
            sharper = better.build(Scope(_RADIUS, (int(self.numbers[0]),)))
            values = sharper.evaluate(both, [0])[:, 0]
            difference = float(np.linalg.norm(values[0] - values[1]) / np.linalg.norm(values[0]))
        contact = contact_of(self.descriptor, both, self.group)
        return Collision(
            first,
            second,
            relative,
            noise,
            match.residual,
            match.lower_bound,
            difference,
            contact,
        )

    def _aligned(self, first: Array, second: Array) -> Congruence:
        a, b = (
            Environments.from_vectors(torch.from_numpy(vectors), 1, radius=2 * LIMIT)
            for vectors in (first, second)
        )
        return congruent(a, b, group=self.group, tolerance=1e-6)


class _State:
    """Residual and cost at one set of parameters."""

    def __init__(self, run: _Run, parameters: Array, typical: float) -> None:
        self.run, self.parameters, self.typical = run, parameters, typical
        self.difference = run.differences(run.descriptor, parameters[None])[0]
        self.apart = run.differences(run.separator, parameters[None])[0]
        self.distance = max(float(np.linalg.norm(self.apart)), 1e-100)
        self.factor = float(np.sqrt(1 + (typical / self.distance) ** 2))
        self.residual = self.difference * self.factor
        self.cost = float(self.residual @ self.residual)

    @property
    def size(self) -> float:
        """Norm of the features times the factor: what the residual is compared with."""
        pair = self.run.ansatz.build(self.parameters[None])[0]
        features = self.run.descriptor.evaluate(self.run.structures(pair[:1]), [0])
        return float(np.linalg.norm(features)) * self.factor

    def jacobian(self) -> Array:
        """Derivative of the residual with respect to the parameters, by central differences."""
        slope = self._slope(lambda p: self.run.differences(self.run.descriptor, p))
        other = self._slope(lambda p: self.run.differences(self.run.separator, p))
        pull = (self.apart @ other) * self.typical**2 / self.distance**4 / self.factor
        return np.asarray(slope * self.factor - np.outer(self.difference, pull))

    def _slope(self, function: Callable[[Array], Array]) -> Array:
        unit = _STEP * np.eye(len(self.parameters))
        values = function(np.concatenate([self.parameters + unit, self.parameters - unit]))
        half = len(self.parameters)
        return np.asarray((values[:half] - values[half:]).T / (2 * _STEP))
