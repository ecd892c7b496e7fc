"""What two structures share, decided exactly: correlations, distances, graphs, congruence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterator, Sequence
from functools import cached_property
from itertools import combinations, permutations, product
from typing import Any

import sympy

from symtrip_reference._checks import require
from symtrip_reference.catalogue import Structure, Vector

__all__ = ["CrystalComparison", "EnvironmentComparison", "GraphComparison", "normal_form"]

Labels = list[list[int]]


def normal_form(expression: Any) -> sympy.Expr:
    """A sum of rationals times square roots of distinct square-free integers: unique.

    Args:
        expression: a number built from rationals and square roots of rationals.

    Raises:
        InputError: the number is not of this kind (a nested root, for instance).
    """
    out = sympy.expand(expression)
    roots = out.atoms(sympy.Pow)
    require(
        not out.free_symbols and all(p.base.is_Integer and p.exp == sympy.S.Half for p in roots),
        "expression",
        "be a sum of rational multiples of square roots of integers",
        out,
        "choose parameters for which the coordinates are such sums",
    )
    return out


def _dot(a: Vector, b: Vector) -> sympy.Expr:
    return normal_form(a[0] * b[0] + a[1] * b[1] + a[2] * b[2])


def _orientation(a: Vector, b: Vector, c: Vector) -> int:
    """Sign of the determinant of three vectors."""
    volume = normal_form(
        a[0] * (b[1] * c[2] - b[2] * c[1])
        + a[1] * (b[2] * c[0] - b[0] * c[2])
        + a[2] * (b[0] * c[1] - b[1] * c[0])
    )
    return 0 if volume == 0 else 1 if volume.is_positive else -1


class EnvironmentComparison:
    """Compares two environments: species and positions of neighbours around a common centre.

    Args:
        plus: the first environment.
        minus: the second one, with the same number of neighbours.
    """

    def __init__(self, plus: Structure, minus: Structure) -> None:
        numbers: dict[Hashable, int] = {}
        self._grams = [self._gram(member, numbers) for member in (plus, minus)]
        self._members = (plus, minus)

    @staticmethod
    def _gram(member: Structure, numbers: dict[Hashable, int]) -> Labels:
        """Inner products of all pairs as numbers that stand for their exact values."""
        size = len(member.points)
        gram = [[0] * size for _ in range(size)]
        for i, j in product(range(size), repeat=2):
            if i <= j:
                species = member.species[i] if i == j else ""
                value = (_dot(member.points[i], member.points[j]), species)
                gram[i][j] = gram[j][i] = numbers.setdefault(value, len(numbers))
        return gram

    @cached_property
    def _orientations(self) -> list[dict[tuple[int, ...], int]]:
        """Sign of the determinant of every ordered triple of neighbours."""
        tables: list[dict[tuple[int, ...], int]] = [{}, {}]
        for table, member in zip(tables, self._members, strict=True):
            for a, b, c in combinations(range(len(member.points)), 3):
                sign = _orientation(member.points[a], member.points[b], member.points[c])
                table.update(dict.fromkeys([(a, b, c), (b, c, a), (c, a, b)], sign))
                table.update(dict.fromkeys([(b, a, c), (a, c, b), (c, b, a)], -sign))
        return tables

    def same_correlations(self, nu: int, *, proper: bool) -> bool:
        """Whether all invariant density correlations of orders 1 .. ``nu`` agree.

        They agree exactly when, for every k <= nu, both environments have the same k-subsets of
        neighbours up to rotations about the centre (neighbours that repeat add nothing).

        Args:
            nu: correlation order, the number of neighbours in one term.
            proper: True: invariants of SO(3), those that change sign under inversion included;
                False: invariants of O(3), so subsets are compared up to improper rotations too.
        """
        sizes = range(1, min(nu, len(self._grams[0])) + 1)
        return all(self._same_subsets(size, proper=proper) for size in sizes)

    def _same_subsets(self, size: int, *, proper: bool) -> bool:
        # The cheap invariant often shows a difference and spares the orders of large subsets.
        coarse = [Counter(self._coarse_keys(side, size)) for side in (0, 1)]
        if coarse[0] != coarse[1]:
            return False
        fine = [Counter(self._keys(side, size, proper=proper)) for side in (0, 1)]
        return fine[0] == fine[1]

    def _coarse_keys(self, side: int, size: int) -> Iterator[Hashable]:
        """An invariant of each subset: the sorted rows of its Gram matrix."""
        gram = self._grams[side]
        for subset in combinations(range(len(gram)), size):
            rows = ((gram[i][i], sorted(gram[i][j] for j in subset if j != i)) for i in subset)
            yield tuple(sorted((norm, *others) for norm, others in rows))

    def _keys(self, side: int, size: int, *, proper: bool) -> Iterator[Hashable]:
        """The complete invariant of each subset: its least description over all orders."""
        gram = self._grams[side]
        orientations = self._orientations[side] if proper else {}
        for subset in combinations(range(len(gram)), size):
            yield min(
                (
                    tuple(gram[i][j] for n, i in enumerate(order) for j in order[n:]),
                    tuple(orientations[t] for t in combinations(order, 3)) if proper else (),
                )
                for order in permutations(subset)
            )

    def congruent(self, *, proper: bool) -> bool:
        """Whether a rotation about the centre maps one environment onto the other.

        Args:
            proper: False allows improper rotations too.
        """
        return any(
            not proper or self._same_orientation(images)
            for images in _isomorphisms(self._grams[0], self._grams[1])
        )

    def _same_orientation(self, images: Sequence[int]) -> bool:
        plus, minus = self._orientations
        triples = combinations(range(len(images)), 3)
        return all(plus[a, b, c] == minus[images[a], images[b], images[c]] for a, b, c in triples)


class GraphComparison:
    """Compares two structures as complete graphs whose edges carry exact squared distances.

    A crystal's edge carries the multiset of the distances from one atom to all periodic images of
    the other.

    Args:
        plus: the first structure; a centre counts as an atom.
        minus: the second one, with the same number of atoms.
    """

    def __init__(self, plus: Structure, minus: Structure) -> None:
        members = [plus.with_center(), minus.with_center()]
        numbers: dict[Hashable, int] = {}
        self._species = [member.species for member in members]
        self._edges = [self._labels(member, numbers) for member in members]
        self._periodic = plus.cell is not None

    @staticmethod
    def _labels(member: Structure, numbers: dict[Hashable, int]) -> Labels:
        size = len(member.points)
        edges = [[0] * size for _ in range(size)]
        for i, j in product(range(size), repeat=2):
            if i <= j:
                a, b = member.points[i], member.points[j]
                step = (a[0] - b[0], a[1] - b[1], a[2] - b[2])
                value = _dot(step, step) if member.cell is None else _folded(step, member.cell)
                edges[i][j] = edges[j][i] = numbers.setdefault(value, len(numbers))
        return edges

    def same_distances(self) -> bool:
        """Whether the multisets of distances, with the species of both ends, agree."""
        bags = []
        for species, edges in zip(self._species, self._edges, strict=True):
            pairs = combinations(range(len(species)), 2)
            bags.append(Counter((*sorted((species[i], species[j])), edges[i][j]) for i, j in pairs))
        return bags[0] == bags[1]

    def same_pointwise_distances(self) -> bool:
        """Whether the pointwise distance distributions (PDD, all neighbours) agree.

        Source:
            Widdowson & Kurlin, CVPR 2023, arXiv:2303.15385; with species added.
        """
        bags = []
        for species, edges in zip(self._species, self._edges, strict=True):
            rows = (
                (kind, tuple(sorted(zip(species, row, strict=True))))
                for kind, row in zip(species, edges, strict=True)
            )
            bags.append(Counter(rows))
        return bags[0] == bags[1]

    def same_colours(self) -> bool:
        """Whether Weisfeiler-Leman colour refinement on the distance graphs gives equal colours.

        If so, it does at every cutoff too: the stable colouring stays equitable when edges are
        dropped by their length, and refinement starts no finer.
        """
        kinds = sorted({*self._species[0], *self._species[1]})
        colours = [[kinds.index(kind) for kind in species] for species in self._species]
        count = 0
        while count < len({*colours[0], *colours[1]}):
            count = len({*colours[0], *colours[1]})
            numbers: dict[Hashable, int] = {}
            colours = [
                [
                    numbers.setdefault(
                        (old[i], tuple(sorted((old[j], e) for j, e in enumerate(row) if j != i))),
                        len(numbers),
                    )
                    for i, row in enumerate(edges)
                ]
                for old, edges in zip(colours, self._edges, strict=True)
            ]
        return Counter(colours[0]) == Counter(colours[1])

    def congruent(self) -> bool:
        """Whether an isometry of space maps one cluster onto the other.

        Raises:
            InputError: the structures are crystals.
        """
        require(not self._periodic, "plus", "be a cluster", "a crystal", "use CrystalComparison")
        graphs = []
        for species, edges in zip(self._species, self._edges, strict=True):
            kinds = sorted({*self._species[0], *self._species[1]})
            graphs.append(
                [
                    [-1 - kinds.index(species[i]) if i == j else e for j, e in enumerate(row)]
                    for i, row in enumerate(edges)
                ]
            )
        return any(True for _ in _isomorphisms(graphs[0], graphs[1]))


class CrystalComparison:
    """Compares two crystals with the same orthogonal cell.

    Args:
        plus: the first crystal, with rational coordinates.
        minus: the second one.
    """

    def __init__(self, plus: Structure, minus: Structure) -> None:
        self._members = (plus, minus)

    def same_patterson(self) -> bool:
        """Whether the interatomic vectors modulo the lattice agree as multisets.

        Equal Patterson functions mean equal diffraction intensities and equal distances.
        """
        bags = []
        for member in self._members:
            pairs = product(range(len(member.points)), repeat=2)
            bags.append(
                Counter(
                    (
                        member.species[i],
                        member.species[j],
                        _fractions(member.points[i], member.points[j], _edges(member)),
                    )
                    for i, j in pairs
                )
            )
        return bags[0] == bags[1]

    def same_distances_within(self, squared_radius: sympy.Expr) -> bool:
        """Whether the atoms of both crystals have the same lists of distances to neighbours.

        Args:
            squared_radius: neighbours up to this squared distance from an atom count, Å^2.
        """
        bags = [
            Counter(
                tuple(sorted(_dot(a, a) for a in near)) for near in _neighbours(m, squared_radius)
            )
            for m in self._members
        ]
        return bags[0] == bags[1]

    def same_triangles_within(self, squared_radius: sympy.Expr) -> bool:
        """Whether the atoms of both crystals see the same triangles.

        An isometry keeps them, so a difference proves that the crystals are not congruent.

        Args:
            squared_radius: neighbours up to this squared distance from an atom count, Å^2.
        """
        bags = [
            Counter(
                tuple(
                    sorted(
                        (*sorted((_dot(a, a), _dot(b, b))), _dot(a, b))
                        for a, b in combinations(near, 2)
                    )
                )
                for near in _neighbours(m, squared_radius)
            )
            for m in self._members
        ]
        return bags[0] == bags[1]


def _neighbours(member: Structure, squared_radius: sympy.Expr) -> Iterator[list[Vector]]:
    """Vectors from each atom to the atoms and periodic images around it."""
    edges = _edges(member)
    reach = [int(sympy.ceiling(sympy.sqrt(squared_radius) / edge)) + 1 for edge in edges]
    for center in member.points:
        near: list[Vector] = []
        for point in member.points:
            for shift in product(*(range(-n, n + 1) for n in reach)):
                x, y, z = (
                    p - c + n * edge
                    for p, c, n, edge in zip(point, center, shift, edges, strict=True)
                )
                if 0 < _dot((x, y, z), (x, y, z)) <= squared_radius:
                    near.append((x, y, z))
        yield near


def _edges(member: Structure) -> list[sympy.Expr]:
    """Edge lengths of an orthogonal cell along x, y, z."""
    cell = member.cell or ()
    require(
        len(cell) == 3 and all(cell[i][j] == 0 for i, j in permutations(range(3), 2)),
        "cell",
        "be orthogonal, with its edges along x, y, z",
        cell,
        "compare crystals with such cells",
    )
    return [cell[i][i] for i in range(3)]


def _fractions(a: Vector, b: Vector, edges: Sequence[sympy.Expr]) -> Vector:
    x, y, z = (sympy.Mod((p - q) / e, 1) for p, q, e in zip(a, b, edges, strict=True))
    return x, y, z


def _folded(step: Vector, cell: Sequence[Vector]) -> Vector:
    """A vector modulo an orthogonal lattice and its three mirrors, which keep all distances."""
    edges = [cell[i][i] for i in range(3)]
    origin = (sympy.S.Zero, sympy.S.Zero, sympy.S.Zero)
    x, y, z = (min(f, 1 - f) for f in _fractions(step, origin, edges))
    return x, y, z


def _isomorphisms(left: Labels, right: Labels) -> Iterator[tuple[int, ...]]:
    """All renumberings of the rows and columns of ``left`` that give ``right``."""
    size = len(left)

    def extend(images: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
        n = len(images)
        if n == size:
            yield images
            return
        for image in range(size):
            matches = image not in images and right[image][image] == left[n][n]
            if matches and all(right[image][images[m]] == left[n][m] for m in range(n)):
                yield from extend((*images, image))

    return extend(())
