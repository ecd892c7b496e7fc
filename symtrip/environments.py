"""Atomic environments: the neighbours of each centre, padded to one shape and masked."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import TYPE_CHECKING, Literal

import torch
from torch import Tensor

from symtrip.errors import require
from symtrip.extxyz import read_extxyz
from symtrip.neighbors import (
    atomic_numbers,
    check_neighbors_apart,
    check_rows,
    chosen_centers,
    padded_neighbors,
)

if TYPE_CHECKING:
    import ase

__all__ = ["Environments"]

Isolated = Literal["raise", "keep"]


def _check_radius(radius: float) -> float:
    radius = float(radius)
    require(
        radius > 0 and radius != float("inf"),
        "radius",
        "be a finite distance > 0 Å",
        radius,
        "give the cutoff radius in Å, e.g. 2.0 for the B8 clusters",
    )
    return radius


def _check_float(name: str, dtype: object) -> None:
    require(
        dtype in (torch.float32, torch.float64),
        name,
        "be float32 or float64",
        repr(dtype),
        "convert it to torch.float64 or torch.float32",
    )


@dataclass(frozen=True, eq=False)
class Environments:
    """E atomic environments with at most N neighbours each.

    Made by the ``from_...`` constructors, which check their input; the neighbours of one
    environment are sorted by their index in the structure.

    Attributes:
        vectors: (E, N, 3) neighbour minus centre in Å, 0 where padded; carries gradients.
        species: (E, N) int64 atomic numbers of the neighbours, 0 where padded.
        mask: (E, N) bool, true for real neighbours.
        center_species: (E,) int64 atomic numbers of the centres.
        structure: (E,) int64 index of the structure each centre belongs to.
        center: (E,) int64 index of the centre within its structure.
        neighbor: (E, N) int64 index of the neighbour within its structure, -1 where padded.
        radius: cutoff radius in Å.
    """

    vectors: Tensor
    species: Tensor
    mask: Tensor
    center_species: Tensor
    structure: Tensor
    center: Tensor
    neighbor: Tensor
    radius: float

    def __len__(self) -> int:
        return self.vectors.shape[0]

    def __getitem__(self, index: slice | Tensor) -> Environments:
        """The environments selected by a slice, an index tensor or a boolean mask."""
        check_rows(index, "env")
        chosen: dict[str, Tensor] = {
            f.name: getattr(self, f.name)[index] for f in fields(self) if f.name != "radius"
        }
        return self._pass_on(Environments(**chosen, radius=self.radius))

    def split(self, size: int) -> Iterator[Environments]:
        """So many environments at a time, in order."""
        return (self[start : start + size] for start in range(0, len(self), size))

    def replace(self, **changes: Tensor | float) -> Environments:
        """A copy with some attributes replaced, e.g. ``vectors`` by rotated ones (unchecked)."""
        changed: Environments = replace(self, **changes)  # type: ignore[arg-type]
        return changed if {"species", "mask"} & set(changes) else self._pass_on(changed)

    @cached_property
    def neighbor_species(self) -> frozenset[int]:
        """Atomic numbers that neighbours may have.

        Found once, when the environments are made, and passed on to selections of them (which may
        hold fewer), so that an accelerator need not be waited for at every use.
        """
        return frozenset(torch.unique(self.species[self.mask]).tolist())

    def _pass_on(self, derived: Environments) -> Environments:
        derived.__dict__["neighbor_species"] = self.neighbor_species
        return derived

    def to(
        self,
        dtype: torch.dtype | torch.device | str | None = None,
        device: torch.device | str | None = None,
    ) -> Environments:
        """Move to another floating-point type or device.

        Args:
            dtype: float32 or float64; or a device, as in ``env.to("cuda")``.
            device: where all tensors go.

        Raises:
            InputError: another type.
        """
        if isinstance(dtype, str | torch.device):
            dtype, device = None, dtype
        moved: dict[str, Tensor] = {
            f.name: getattr(self, f.name).to(device=device)
            for f in fields(self)
            if f.name != "radius"
        }
        if dtype is not None:
            _check_float("dtype", dtype)
            moved["vectors"] = moved["vectors"].to(dtype)
        return self._pass_on(Environments(**moved, radius=self.radius))

    @classmethod
    def from_vectors(
        cls,
        vectors: Tensor,
        species: Tensor | Sequence[int] | int = 1,
        *,
        radius: float,
        mask: Tensor | None = None,
        center_species: Tensor | int = 1,
        isolated: Isolated = "raise",
    ) -> Environments:
        """Environments from neighbour vectors.

        Args:
            vectors: (E, N, 3) or (N, 3), neighbour minus centre in Å; float32 or float64.
            species: atomic numbers: one for all, (N,) or (E, N).
            radius: cutoff radius in Å; neighbours at or beyond it are masked out.
            mask: (E, N) bool, false for entries to ignore; default: all are real.
            center_species: atomic number of the centre(s).
            isolated: what to do with a centre without neighbours: ``"raise"`` an error or
                ``"keep"`` it.

        Returns:
            The environments; gradients flow to ``vectors``.

        Raises:
            InputError: wrong shape or type, NaN or infinite entries, a neighbour on top of its
                centre or of another neighbour, atomic numbers < 1, a radius <= 0, an isolated
                centre.
        """
        radius = _check_radius(radius)
        require(
            isinstance(vectors, Tensor) and vectors.ndim in (2, 3) and vectors.shape[-1] == 3,
            "vectors",
            "be a tensor of shape (E, N, 3) or (N, 3)",
            tuple(vectors.shape) if isinstance(vectors, Tensor) else type(vectors).__name__,
            "stack the vectors from centre to neighbours with torch.tensor",
        )
        _check_float("vectors", vectors.dtype)
        if vectors.ndim == 2:
            vectors = vectors[None]
        n_env, n_max = vectors.shape[:2]
        device = vectors.device
        given = torch.ones(n_env, n_max, dtype=torch.bool, device=device) if mask is None else mask
        require(
            given.shape == (n_env, n_max) and given.dtype == torch.bool and given.device == device,
            "mask",
            f"be a bool tensor of shape {(n_env, n_max)} on {device}",
            f"{given.dtype} {tuple(given.shape)} on {given.device}",
            "give one truth value per neighbour",
        )
        numbers = atomic_numbers("species", species, device)
        require(
            numbers.ndim == 0 or tuple(numbers.shape) in ((n_max,), (n_env, n_max)),
            "species",
            f"have shape (), ({n_max},) or ({n_env}, {n_max})",
            tuple(numbers.shape),
            "give one atomic number per neighbour",
        )
        numbers = numbers.expand(n_env, n_max)
        finite = torch.isfinite(vectors).all(dim=-1) | ~given
        require(
            bool(finite.all()),
            "vectors",
            "be finite",
            f"NaN or infinity in {int((~finite).sum())} neighbour(s)",
            "remove or repair these atoms",
        )
        require(
            bool((numbers[given] >= 1).all()),
            "species",
            "hold atomic numbers >= 1",
            int(numbers[given].min()) if bool(given.any()) else 0,
            "number other particle types from 1",
        )
        clean = torch.where(given[..., None], vectors, torch.zeros_like(vectors))
        distance = clean.detach().norm(dim=-1)
        inside = given & (distance < radius)
        coincident = inside & (distance == 0)
        require(
            not bool(coincident.any()),
            "vectors",
            "keep every neighbour apart from its centre",
            f"{int(coincident.sum())} neighbour(s) at distance 0",
            "leave the centre itself out of its neighbours",
        )
        check_neighbors_apart(clean.detach(), inside)
        centers = atomic_numbers("center_species", center_species, device)
        require(
            tuple(centers.shape) in ((), (1,), (n_env,)),
            "center_species",
            f"have shape () or ({n_env},)",
            tuple(centers.shape),
            "give one atomic number per centre",
        )
        order = torch.arange(n_env, device=device)
        env = cls(
            vectors=torch.where(inside[..., None], clean, torch.zeros_like(clean)),
            species=torch.where(inside, numbers, 0),
            mask=inside,
            center_species=centers.expand(n_env),
            structure=order,
            center=torch.zeros_like(order),
            neighbor=torch.where(inside, torch.arange(1, n_max + 1, device=device), -1),
            radius=radius,
        )
        return _check_isolated(env, isolated)

    @classmethod
    def from_positions(
        cls,
        positions: Tensor,
        numbers: Tensor | Sequence[int] | int,
        *,
        radius: float,
        centers: int | Sequence[int] | None = 0,
        isolated: Isolated = "raise",
    ) -> Environments:
        """Environments in clusters of equal size (open boundaries), without ase.

        Args:
            positions: (S, A, 3) or (A, 3) Å, float32 or float64.
            numbers: atomic numbers: one for all, (A,) or (S, A).
            radius: cutoff radius in Å.
            centers: index or indices of the centres in each structure; ``None``: all atoms.
            isolated: as in :meth:`from_vectors`.

        Returns:
            S x len(centers) environments, structure by structure; gradients flow to ``positions``.

        Raises:
            InputError: as :meth:`from_vectors`; a centre that does not exist.
        """
        require(
            isinstance(positions, Tensor) and positions.ndim in (2, 3) and positions.shape[-1] == 3,
            "positions",
            "be a tensor of shape (S, A, 3) or (A, 3)",
            tuple(positions.shape) if isinstance(positions, Tensor) else type(positions).__name__,
            "stack clusters of equal size, or use Environments.from_atoms for mixed sizes",
        )
        if positions.ndim == 2:
            positions = positions[None]
        n_struct, n_atoms = positions.shape[:2]
        device = positions.device
        chosen = chosen_centers(centers, n_atoms)
        z = atomic_numbers("numbers", numbers, device)
        require(
            z.ndim == 0 or tuple(z.shape) in ((n_atoms,), (n_struct, n_atoms)),
            "numbers",
            f"have shape (), ({n_atoms},) or ({n_struct}, {n_atoms})",
            tuple(z.shape),
            "give one atomic number per atom",
        )
        z = z.expand(n_struct, n_atoms)
        others = torch.tensor(
            [[a for a in range(n_atoms) if a != c] for c in chosen],
            device=device,
            dtype=torch.int64,
        ).reshape(len(chosen), n_atoms - 1)
        index = torch.tensor(chosen, device=device)
        vectors = positions[:, others] - positions[:, index][:, :, None]
        species = z[:, others]
        env = cls.from_vectors(
            vectors.flatten(0, 1),
            species.flatten(0, 1),
            radius=radius,
            center_species=z[:, index].flatten(),
            isolated=isolated,
        )
        neighbor = others.repeat(n_struct, 1)
        return env.replace(
            structure=torch.arange(n_struct, device=device).repeat_interleave(len(chosen)),
            center=index.repeat(n_struct),
            neighbor=torch.where(env.mask, neighbor, -1),
        )

    @classmethod
    def from_atoms(
        cls,
        frames: ase.Atoms | Sequence[ase.Atoms],
        *,
        radius: float,
        centers: int | Sequence[int] | None = None,
        dtype: torch.dtype = torch.float64,
        device: torch.device | str | None = None,
        isolated: Isolated = "raise",
    ) -> Environments:
        """Environments in ``ase.Atoms``, clusters or crystals, from vesin neighbour lists.

        Args:
            frames: one structure or several, of any sizes; ``pbc`` says where they are periodic.
            radius: cutoff radius in Å.
            centers: index or indices of the centres in every structure; ``None``: all atoms.
            dtype: float32 or float64.
            device: where the tensors go.
            isolated: as in :meth:`from_vectors`.

        Returns:
            The environments, structure by structure, centre by centre.

        Raises:
            InputError: as :meth:`from_positions`; no structures or an empty one; a periodic one
                whose cell is missing or flat.
        """
        radius = _check_radius(radius)
        _check_float("dtype", dtype)
        structures: list[ase.Atoms] = (
            list(frames) if isinstance(frames, Sequence) else [frames]  # Atoms is no Sequence
        )
        found = padded_neighbors(structures, radius, lambda count: chosen_centers(centers, count))
        index_of = torch.from_numpy(found.neighbor)
        env = cls.from_vectors(
            torch.from_numpy(found.vectors).to(dtype),
            torch.from_numpy(found.species),
            radius=radius,
            mask=index_of >= 0,
            center_species=torch.from_numpy(found.center_species),
            isolated="keep",
        ).replace(
            structure=torch.from_numpy(found.structure), center=torch.from_numpy(found.center)
        )
        env = env.replace(neighbor=torch.where(env.mask, index_of, -1))
        return _check_isolated(env, isolated).to(device=device)

    @classmethod
    def from_extxyz(
        cls,
        path: str | os.PathLike[str],
        *,
        radius: float,
        centers: int | Sequence[int] | None = None,
        dtype: torch.dtype = torch.float64,
        device: torch.device | str | None = None,
        isolated: Isolated = "raise",
    ) -> Environments:
        """Environments of all structures in an extended-XYZ file; arguments as :meth:`from_atoms`.

        Raises:
            InputError: the file is missing, empty, truncated or no extended XYZ.
        """
        frames = read_extxyz(path)
        return cls.from_atoms(
            frames, radius=radius, centers=centers, dtype=dtype, device=device, isolated=isolated
        )


def _check_isolated(env: Environments, isolated: Isolated) -> Environments:
    require(
        isolated in ("raise", "keep"),
        "isolated",
        'be "raise" or "keep"',
        repr(isolated),
        'write isolated="keep" to accept centres without neighbours',
    )
    empty = torch.nonzero(~env.mask.any(dim=1)).flatten().tolist() if isolated == "raise" else []
    where = ", ".join(
        f"atom {int(env.center[e])} of structure {int(env.structure[e])}" for e in empty[:3]
    )
    require(
        not empty,
        "radius",
        "give every centre a neighbour",
        f"{env.radius} Å with none around {where}",
        'raise `radius`, choose other `centers`, or pass isolated="keep"',
    )
    return env
