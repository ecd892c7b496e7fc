"""The 4000 degenerate pairs of B8 clusters with their PBE energies."""

from __future__ import annotations

import os
import struct
import zipfile
import zlib
from dataclasses import dataclass, replace
from importlib.resources import as_file, files
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from numpy.typing import NDArray
from torch import Tensor

from symtrip.degenerate import (
    b8_arguments,
    b8_pair,
    distance_to_exceptional_set,
    sample_b8_parameters,
    two_ring_numbers,
)
from symtrip.digest import digest_of
from symtrip.errors import InputError, require

__all__ = ["B8_REFERENCE_ENERGY_HARTREE", "HARTREE_IN_EV", "N_PAIRS", "N_TRAINING_PAIRS", "B8Pairs"]

HARTREE_IN_EV = 27.211386245981
"""eV per hartree, CODATA 2022 (https://physics.nist.gov/cgi-bin/cuu/Value?hrev)."""

B8_REFERENCE_ENERGY_HARTREE = -198.27291671238572
"""E0: PBE/cc-pVDZ free energy of the relaxed planar B8 cluster, the zero of all B8 energies."""

N_PAIRS = 4000
"""Pairs in the data set."""

N_TRAINING_PAIRS = 3500
"""Pairs 0 .. 3499 of the data set are for training, the others for validation."""

_FILE = "b8_pbe_ccpvdz.npz"
# What numpy and zipfile raise for files that are absent, cut, altered, encrypted or something else.
_UNREADABLE = (
    OSError,
    EOFError,
    KeyError,
    ValueError,
    SyntaxError,
    RuntimeError,
    struct.error,
    zipfile.BadZipFile,
    zlib.error,
)


@dataclass(frozen=True, eq=False)
class B8Pairs:
    """Pairs of B8 clusters (A+, A-) that no correlation of order nu <= 3 around atom 0 separates.

    Each row is one pair: the two members always stay together. :meth:`load` gives the paper's 4000
    pairs in their original order; ``.train`` and ``.validation`` are the paper's split.

    Attributes:
        parameters: (pairs, 6) r, z1, z2 in Å and psi, phi1, phi2 in rad.
        energies: (pairs, 2) free energy of A+ and A- in eV relative to E0 =
            :data:`B8_REFERENCE_ENERGY_HARTREE`. NaN where no label exists: use :attr:`mask` or
            :attr:`labelled`; labels are never imputed.
        index: (pairs,) number of the pair in the data set, 0 .. 3999.

    Example:
        >>> from symtrip.data import B8Pairs
        >>> pairs = B8Pairs.load()
        >>> pairs.positions.shape
        torch.Size([4000, 2, 8, 3])
        >>> len(pairs.train), len(pairs.validation)
        (3500, 500)
        >>> bool(pairs.validation.labelled.mask.all())
        True
    """

    parameters: Tensor
    energies: Tensor
    index: Tensor

    def __post_init__(self) -> None:
        count = len(self.parameters)
        for name, tensor, shape in (
            ("parameters", self.parameters, (count, 6)),
            ("energies", self.energies, (count, 2)),
            ("index", self.index, (count,)),
        ):
            require(
                tuple(tensor.shape) == shape,
                name,
                f"have shape {shape}",
                tuple(tensor.shape),
                "give one row for each pair",
            )

    @classmethod
    def load(
        cls,
        path: str | os.PathLike[str] | None = None,
        *,
        dtype: torch.dtype = torch.float64,
        device: torch.device | str | None = None,
    ) -> B8Pairs:
        """Read the data set.

        Args:
            path: an ``.npz`` file with ``parameters`` (pairs, 6) and ``energy_ha`` (pairs, 2, NaN
                where missing); None means the file that ships with symtrip.
            dtype: dtype of parameters, energies and positions.
            device: device of all tensors.

        Returns:
            All pairs of the file, in its order.

        Raises:
            InputError: the file is missing, damaged, or does not hold these arrays.

        Accuracy:
            the conversion to eV is done in float64 after E0 is subtracted; the labels' own accuracy
            is in ``symtrip/data/README.md``.
        """
        if path is None:
            with as_file(files("symtrip") / "data" / _FILE) as shipped:
                parameters, hartree = _read(shipped)
        else:
            parameters, hartree = _read(Path(path))
        energies = (hartree - B8_REFERENCE_ENERGY_HARTREE) * HARTREE_IN_EV
        return cls(
            parameters=torch.from_numpy(parameters).to(dtype=dtype, device=device),
            energies=torch.from_numpy(energies).to(dtype=dtype, device=device),
            index=torch.arange(len(parameters), device=device),
        )

    @classmethod
    def further(cls, count: int) -> B8Pairs:
        """Pairs without labels that the paper's draw gives after its 4000.

        Args:
            count: number of pairs, >= 0.

        Returns:
            Pairs 4000, 4001, ..., float64; all energies are NaN.

        Raises:
            InputError: ``count`` < 0.
        """
        require(count >= 0, "count", "be at least 0", count, "give the number of pairs wanted")
        drawn = sample_b8_parameters(N_PAIRS + count)[N_PAIRS:]
        return cls(
            parameters=torch.from_numpy(drawn),
            energies=torch.full((count, 2), torch.nan, dtype=torch.float64),
            index=torch.arange(N_PAIRS, N_PAIRS + count),
        )

    def digest(self) -> str:
        """64 hexadecimal digits that change with any number in these pairs."""
        return digest_of((self.index, self.parameters, self.energies))

    def __len__(self) -> int:
        """Number of pairs."""
        return len(self.parameters)

    @property
    def positions(self) -> Float[Tensor, "pairs 2 8 3"]:
        """Positions in Å of A+ and A-, regenerated from the parameters; atom 0 is the centre."""
        return torch.stack(b8_pair(self.parameters), dim=1)

    @property
    def numbers(self) -> Int[Tensor, " 8"]:
        """Atomic numbers of the eight atoms: all boron."""
        return two_ring_numbers(3).to(self.parameters.device)

    @property
    def mask(self) -> Bool[Tensor, "pairs 2"]:
        """True where a label exists."""
        return ~torch.isnan(self.energies)

    @property
    def train(self) -> B8Pairs:
        """Those of these pairs that are in the paper's training set (pairs 0 .. 3499)."""
        return self.subset(self.index < N_TRAINING_PAIRS)

    @property
    def validation(self) -> B8Pairs:
        """Those of these pairs that are in the paper's validation set (pairs 3500 .. 3999)."""
        return self.subset(self.index >= N_TRAINING_PAIRS)

    @property
    def labelled(self) -> B8Pairs:
        """Those of these pairs whose two labels both exist."""
        return self.subset(self.mask.all(dim=1))

    def exceptional_distance(self, group: str = "O3") -> Float[Tensor, " pairs"]:
        """How far (Å) each pair is from one whose members are congruent; errors depend on it.

        Args:
            group: "O3" or "SO3", see :func:`symtrip.degenerate.distance_to_exceptional_set`.

        Raises:
            InputError: another group.
        """
        return distance_to_exceptional_set(*b8_arguments(self.parameters), group=group)

    def subset(self, rows: Tensor | slice | list[int]) -> B8Pairs:
        """Some of the pairs, whole.

        Args:
            rows: a slice, a list or int64 tensor of row numbers, or a bool tensor (pairs,).

        Returns:
            The chosen pairs, in the order asked for.

        Raises:
            InputError: a row number is out of range, or a bool tensor has the wrong length.
        """
        if not isinstance(rows, slice):
            rows = torch.as_tensor(rows, device=self.index.device)
            if rows.dtype == torch.bool:
                require(
                    rows.shape == self.index.shape,
                    "rows",
                    f"have shape ({len(self)},) when it is a mask",
                    tuple(rows.shape),
                    "compute it from tensors of this same set of pairs",
                )
            else:
                rows = rows.to(torch.int64)
                require(
                    rows.ndim == 1 and bool(((rows >= -len(self)) & (rows < len(self))).all()),
                    "rows",
                    f"be a list of row numbers below {len(self)}",
                    rows.tolist(),
                    "rows count within this set; `index` holds the numbers in the data set",
                )
        return replace(
            self,
            parameters=self.parameters[rows],
            energies=self.energies[rows],
            index=self.index[rows],
        )

    def to(
        self, *, dtype: torch.dtype | None = None, device: torch.device | str | None = None
    ) -> B8Pairs:
        """The same pairs with another dtype or on another device.

        Args:
            dtype: dtype of parameters and energies; None keeps it.
            device: device of all tensors; None keeps it.
        """
        return B8Pairs(
            parameters=self.parameters.to(dtype=dtype, device=device),
            energies=self.energies.to(dtype=dtype, device=device),
            index=self.index.to(device=device),
        )


def _read(path: Path) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    remedy = "reinstall symtrip, or give the path of an intact .npz file"
    try:
        # numpy leaves a file of its own open when the archive is damaged.
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            # Reading an array stops before the checksum of its file in the archive is reached.
            if (damaged := archive.zip.testzip()) is not None:
                raise ValueError(f"{damaged} is damaged")
            parameters, energies = archive["parameters"], archive["energy_ha"]
    except _UNREADABLE as error:
        raise InputError(
            f"`path` must be a readable .npz file with the arrays parameters and energy_ha, "
            f"got {path} ({type(error).__name__}: {error}); {remedy}."
        ) from error
    for name, array, columns in (("parameters", parameters, 6), ("energy_ha", energies, 2)):
        require(
            array.dtype == np.float64 and array.shape == (len(parameters), columns),
            "path",
            f"hold {name} as float64 of shape (pairs, {columns})",
            f"{array.dtype} {array.shape} in {path}",
            remedy,
        )
    require(
        bool(np.isfinite(parameters).all()), "path", "hold finite parameters", path.name, remedy
    )
    return parameters, energies
