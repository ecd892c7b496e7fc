"""Decks: how often every rotation class of k-tuples of neighbours occurs in an environment.

Two ordered tuples of atoms are related by a rotation if and only if species, Gram matrices and the
determinants of their triples agree; by an orthogonal matrix if and only if species and Gram
matrices agree. Equal decks of order nu mean equal invariants (lambda = 0) of all correlations up to
order nu, in any basis: these are sums over ordered tuples of functions of the class.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import combinations, permutations, product
from typing import Any

from geometry import Environment, det, dot

__all__ = ["Invariants", "count_embeddings", "ordered_deck", "subset_deck"]


class Invariants:
    """Dot products and determinants of an environment, as small integers.

    ``labels`` is shared by the environments that are compared, so that equal numbers get equal
    labels.
    """

    def __init__(self, environment: Environment, labels: dict[Any, int]) -> None:
        vectors = [v for _, v in environment]
        self.species = [s for s, _ in environment]
        self.size = len(vectors)
        self.dots = [[labels.setdefault(dot(u, v), len(labels)) for v in vectors] for u in vectors]
        self.dets = [
            [[labels.setdefault(det(u, v, w), len(labels)) for w in vectors] for v in vectors]
            for u in vectors
        ]

    def gram(self, indices: Sequence[int]) -> tuple[int, ...]:
        """Species and Gram matrix of an ordered tuple: its class under O(3)."""
        species = tuple(self.species[i] for i in indices)
        return species + tuple(
            self.dots[i][j] for n, i in enumerate(indices) for j in indices[: n + 1]
        )

    def chiral(self, indices: Sequence[int]) -> tuple[int, ...]:
        """Species, Gram matrix and determinants: the class under SO(3)."""
        return self.gram(indices) + tuple(
            self.dets[i][j][k] for i, j, k in combinations(indices, 3)
        )


def ordered_deck(x: Invariants, order: int, *, proper: bool) -> Counter[tuple[int, ...]]:
    """Classes of all ordered tuples, repetition allowed, under SO(3) (``proper``) or O(3)."""
    classify = x.chiral if proper else x.gram
    return Counter(classify(t) for t in product(range(x.size), repeat=order))


def subset_deck(x: Invariants, order: int, *, proper: bool) -> Counter[tuple[int, ...]]:
    """Classes of all subsets, each labelled by the smallest class of its orderings."""
    classify = x.chiral if proper else x.gram
    return Counter(
        min(classify(p) for p in permutations(subset))
        for subset in combinations(range(x.size), order)
    )


def count_embeddings(
    pattern: Invariants, tuple_: Sequence[int], target: Invariants, *, proper: bool
) -> int:
    """How many ordered tuples of ``target`` have the class of ``tuple_`` in ``pattern``."""
    return sum(1 for _ in embeddings(pattern, tuple_, target, proper=proper))


def embeddings(
    pattern: Invariants, tuple_: Sequence[int], target: Invariants, *, proper: bool
) -> Iterator[tuple[int, ...]]:
    """Those ordered tuples themselves, found atom by atom."""

    def extend(chosen: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
        n = len(chosen)
        if n == len(tuple_):
            yield chosen
            return
        i = tuple_[n]
        for candidate in range(target.size):
            if (
                target.species[candidate] == pattern.species[i]
                and target.dots[candidate][candidate] == pattern.dots[i][i]
                and all(
                    target.dots[candidate][c] == pattern.dots[i][t]
                    for c, t in zip(chosen, tuple_, strict=False)
                )
                and (not proper or _same_determinants(pattern, tuple_, target, chosen, candidate))
            ):
                yield from extend((*chosen, candidate))

    return extend(())


def _same_determinants(
    pattern: Invariants,
    tuple_: Sequence[int],
    target: Invariants,
    chosen: Sequence[int],
    candidate: int,
) -> bool:
    i = tuple_[len(chosen)]
    return all(
        target.dets[chosen[a]][chosen[b]][candidate] == pattern.dets[tuple_[a]][tuple_[b]][i]
        for a, b in combinations(range(len(chosen)), 2)
    )
