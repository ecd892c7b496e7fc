"""Neighbour lists of structures as padded arrays."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from symtrip.errors import InputError, require

if TYPE_CHECKING:
    import ase

__all__ = [
    "PaddedNeighbors",
    "atomic_numbers",
    "check_neighbors_apart",
    "check_rows",
    "chosen_centers",
    "padded_neighbors",
]


@dataclass(frozen=True, eq=False)
class PaddedNeighbors:
    """Neighbours of E centres, at most N each.

    Attributes:
        vectors: (E, N, 3) neighbour minus centre in Å, 0 where padded.
        species: (E, N) atomic numbers, 1 where padded.
        neighbor: (E, N) index of the neighbour in its structure, -1 where padded.
        structure: (E,) index of the structure.
        center: (E,) index of the centre in its structure.
        center_species: (E,) atomic number of the centre.
    """

    vectors: NDArray[np.float64]
    species: NDArray[np.int64]
    neighbor: NDArray[np.int64]
    structure: NDArray[np.int64]
    center: NDArray[np.int64]
    center_species: NDArray[np.int64]


def padded_neighbors(
    structures: Sequence[ase.Atoms], radius: float, centers: Callable[[int], Sequence[int]]
) -> PaddedNeighbors:
    """Find the neighbours within ``radius``, in clusters and crystals.

    Args:
        structures: of any sizes; ``pbc`` says where they are periodic.
        radius: in Å.
        centers: number of atoms -> indices of the centres.

    Returns:
        The neighbours, sorted by their index and then by their vector.

    Raises:
        InputError: no structures, one without atoms, an atom of no element, NaN or infinite
            positions, two atoms in one place, a periodic one whose cell is missing or flat.
    """
    require(
        len(structures) > 0, "frames", "hold at least one structure", 0, "pass a list of ase.Atoms"
    )
    rows: list[tuple[NDArray[Any], NDArray[Any], NDArray[Any]]] = []
    origins: list[tuple[int, int, int]] = []
    for s, atoms in enumerate(structures):
        first, second, vectors = _neighbor_list(s, atoms, radius)
        order = np.lexsort((*vectors.T, second, first))
        first, second, vectors = first[order], second[order], vectors[order]
        bounds = np.searchsorted(first, np.arange(len(atoms) + 1))
        for c in centers(len(atoms)):
            near = slice(bounds[c], bounds[c + 1])
            rows.append((vectors[near], atoms.numbers[second[near]], second[near]))
            origins.append((s, c, int(atoms.numbers[c])))
    n_max = max(len(row[0]) for row in rows)
    found = np.zeros((len(rows), n_max, 3))
    species = np.ones((len(rows), n_max), dtype=np.int64)
    neighbor = np.full((len(rows), n_max), -1, dtype=np.int64)
    for e, (vector, number, index) in enumerate(rows):
        found[e, : len(vector)] = vector
        species[e, : len(vector)] = number
        neighbor[e, : len(vector)] = index
    structure, center, center_species = np.array(origins, dtype=np.int64).T
    return PaddedNeighbors(found, species, neighbor, structure, center, center_species)


def _neighbor_list(
    s: int, atoms: ase.Atoms, radius: float
) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    from vesin import NeighborList

    position = np.asarray(atoms.positions, dtype=np.float64)
    require(len(position) > 0, f"frames[{s}]", "hold at least one atom", 0, "drop empty structures")
    unknown = np.flatnonzero(atoms.numbers < 1)
    require(
        len(unknown) == 0,
        f"frames[{s}].numbers",
        "be atomic numbers >= 1",
        f"{atoms.symbols[unknown[0]]} for atom {unknown[0]}" if len(unknown) else "",
        "name the element, or number other particle types from 1",
    )
    require(
        bool(np.isfinite(position).all()),
        f"frames[{s}].positions",
        "be finite",
        "NaN or infinity",
        "remove or repair these atoms",
    )
    periodic = atoms.pbc
    cell = np.asarray(atoms.cell.array, dtype=np.float64)
    lattice = cell[periodic]
    require(
        len(lattice) == 0 or (bool(np.isfinite(cell).all()) and not _is_flat(lattice)),
        f"frames[{s}].cell",
        "have finite, linearly independent vectors in the periodic directions",
        f"{lattice.tolist()} with pbc {periodic.tolist()}",
        "give the cell in Å, or set pbc to False for a cluster",
    )
    first, second, vectors = NeighborList(cutoff=radius, full_list=True).compute(
        points=position,
        box=cell,
        periodic=periodic if periodic.any() else False,
        quantities="ijD",
    )
    coincident = np.flatnonzero((vectors == 0.0).all(axis=1))
    require(
        len(coincident) == 0,
        f"frames[{s}].positions",
        "keep atoms apart",
        ", ".join(f"atoms {first[p]} and {second[p]} in one place" for p in coincident[:1]),
        "remove duplicated atoms, and give positions in Å",
    )
    return first, second, vectors


def _is_flat(lattice: NDArray[np.float64]) -> bool:
    """Whether vectors (n, 3) depend linearly on each other: vesin would end the process."""
    sizes = np.linalg.svd(lattice, compute_uv=False)
    return bool(sizes[-1] <= 1e-6 * sizes[0])


def check_neighbors_apart(vectors: Tensor, mask: Tensor) -> None:
    """Raise if two neighbours (E, N, 3) of one centre coincide."""
    padded = torch.where(mask[..., None], vectors, torch.inf)
    order = torch.arange(mask.shape[1], device=mask.device).expand(mask.shape)
    for column in padded.flip(-1).unbind(-1):  # sorted by x, then y, then z: equal ones adjoin
        order = order.gather(1, column.gather(1, order).argsort(dim=1, stable=True))
    ordered = padded.gather(1, order[..., None].expand_as(padded))
    same = (ordered[:, 1:] == ordered[:, :-1]).all(dim=-1) & mask.gather(1, order)[:, 1:]
    count = int(same.sum())
    require(
        count == 0,
        "vectors",
        "keep the neighbours of one centre apart",
        f"{count} coincident pair(s)",
        "remove duplicated atoms",
    )


def check_rows(index: object, name: str) -> None:
    """Raise unless ``name[index]`` selects environments: anything else would lose their axis."""
    require(
        isinstance(index, slice) or (isinstance(index, Tensor) and index.ndim == 1),
        "index",
        "be a slice or a tensor with one axis",
        repr(index),
        f"write {name}[3:4] for one",
    )


def chosen_centers(centers: int | Sequence[int] | None, n_atoms: int) -> list[int]:
    """Indices of the centres in a structure; None: all atoms."""
    if centers is None:
        return list(range(n_atoms))
    given = _as_tensor(centers, torch.device("cpu"))
    if given is None or given.ndim > 1 or not (is_integral(given) or given.numel() == 0):
        raise InputError(
            f"`centers` must be one integer or a list of them, got {centers!r}; give indices of "
            "atoms, not a mask, or None for all."
        )
    chosen: list[int] = given.flatten().tolist()
    require(
        len(chosen) > 0 and all(0 <= c < n_atoms for c in chosen),
        "centers",
        f"hold indices 0 <= i < {n_atoms}",
        chosen,
        "count atoms from 0, or pass None for all",
    )
    require(
        len(set(chosen)) == len(chosen),
        "centers",
        "name every atom once",
        chosen,
        "leave out the repetitions, which energies would count again",
    )
    return chosen


def atomic_numbers(name: str, value: Tensor | Sequence[int] | int, device: torch.device) -> Tensor:
    """What a user gave as ``name``, as int64; numbers with a fraction are refused."""
    numbers = _as_tensor(value, device)
    if numbers is None or not (is_integral(numbers) or numbers.numel() == 0):
        got = repr(value) if numbers is None else numbers.dtype
        raise InputError(
            f"`{name}` must hold integers, got {got}; give atomic numbers, such as 5 for boron."
        )
    return numbers.to(torch.int64)


def _as_tensor(value: Any, device: torch.device) -> Tensor | None:
    """The tensor that a user means; None for words and for lists of lists of different lengths."""
    try:
        return torch.as_tensor(value, device=device)
    except (TypeError, ValueError):
        return None


def is_integral(x: Tensor) -> bool:
    """Whether a tensor holds integers; truth values are none."""
    return not (x.is_floating_point() or x.is_complex() or x.dtype == torch.bool)
