"""Features of structures as numpy arrays, for files and for other packages' models."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from symtrip.correlations import DensityCorrelations
from symtrip.environments import Environments
from symtrip.errors import require
from symtrip.expansion import Density
from symtrip.files import atomic_write
from symtrip.memory import require_memory
from symtrip.models import ExpansionSettings
from symtrip.progress import Progress, silent
from symtrip.triplets import TripletFeatures, triplet_paths

if TYPE_CHECKING:
    import ase

__all__ = ["KINDS", "Columns", "FeatureArrays", "feature_arrays"]

KINDS = {"density": 1, "power-spectrum": 2, "bispectrum": 3, "triplets": 0}
"""Name -> correlation order of the invariants; 0: one row of features per pair of neighbours."""

_CHUNK = 64 << 20
_CHANNEL_NAMES: tuple[Callable[[int], str], ...] = ("neighbor_{}_type".format, "n_{}".format)


class Columns(NamedTuple):
    """What each column of features is.

    Attributes:
        names: of the numbers that tell columns apart, in the vocabulary of metatensor and featomic:
            ``l`` or ``l_1``, ..., ``neighbor_1_type`` (an atomic number), ``n_1``, ... Of triplets
            1 belongs to the tagged neighbour j, 2 to k and 3 to the density.
        values: (F, len(names)) int32.
        parity: (F,) int8, +1 or -1: the sign that inversion of the environment gives.
    """

    names: tuple[str, ...]
    values: NDArray[np.int32]
    parity: NDArray[np.int8]


@dataclass(frozen=True, eq=False)
class FeatureArrays:
    """Features of environments, and which atoms they belong to.

    Attributes:
        features: (R, F) one row for each environment or, of triplets, for each ordered pair of its
            neighbours (j, k), j = k included.
        structure: (R,) index of the structure.
        center: (R,) index of the centre within its structure.
        center_type: (R,) its atomic number.
        neighbors: (R, 2) indices of j and k within the structure, or None. In a crystal an index
            may stand for several images.
        settings: of the density expansion.
        kind: a key of :data:`KINDS`.
        isolated: number of centres without a neighbour within the radius; they have no triplets.
    """

    features: NDArray[np.float32] | NDArray[np.float64]
    structure: NDArray[np.int64]
    center: NDArray[np.int64]
    center_type: NDArray[np.int64]
    neighbors: NDArray[np.int64] | None
    settings: ExpansionSettings
    kind: str
    isolated: int = 0

    @property
    def columns(self) -> Columns:
        """What each column of ``features`` is."""
        settings, order = self.settings, KINDS[self.kind] or 3
        angular: dict[int, tuple[list[str], list[tuple[int, ...]]]] = {
            1: ([], [()]),
            2: (["l"], [(l,) for l in range(settings.max_angular + 1)]),
            3: (["l_1", "l_2", "l_3"], list(triplet_paths(settings.max_angular))),
        }
        names, keys = angular[order]
        names = names + [f(i) for i in range(1, order + 1) for f in _CHANNEL_NAMES]
        channels = list(product(*[settings.species, range(settings.n_radial)] * order))
        values = [(*key, *channel) for key in keys for channel in channels]
        signs = [(-1) ** sum(key) if order == 3 else 1 for key in keys]
        parity = np.repeat(np.array(signs, dtype=np.int8), len(channels))
        return Columns(tuple(names), np.array(values, dtype=np.int32), parity)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write an npz file without pickled objects, atomically.

        Its arrays are those of the attributes, ``columns``, ``column_names`` and ``parity`` those
        of :attr:`columns`; ``settings`` and ``kind`` are texts.

        Raises:
            OSError: the file cannot be written.
        """
        columns = self.columns
        arrays: dict[str, NDArray[Any]] = {
            "features": self.features,
            "structure": self.structure,
            "center": self.center,
            "center_type": self.center_type,
            "columns": columns.values,
            "column_names": np.array(columns.names),
            "parity": columns.parity,
            "settings": np.array(self.settings.model_dump_json()),
            "kind": np.array(self.kind),
        }
        if self.neighbors is not None:
            arrays["neighbors"] = self.neighbors
        with atomic_write(path) as temporary, temporary.open("wb") as file:
            np.savez(file, allow_pickle=False, **arrays)


def feature_arrays(
    frames: Sequence[ase.Atoms],
    kind: str,
    settings: ExpansionSettings,
    *,
    centers: int | Sequence[int] | None = None,
    dtype: torch.dtype = torch.float64,
    device: torch.device | str = "cpu",
    progress: Progress = silent,
) -> FeatureArrays:
    """Features of all environments of some structures.

    Args:
        frames: the structures, clusters or crystals of any sizes.
        kind: ``density``, ``power-spectrum``, ``bispectrum`` (sums over neighbours; orders 1 to 3
            of :class:`symtrip.DensityCorrelations`) or ``triplets``.
        settings: of the density expansion, species of neighbours included.
        centers: indices of the centres in every structure; ``None``: all atoms.
        dtype: float32 or float64.
        device: where to compute.
        progress: called with the number of environments done and of all.

    Returns:
        The arrays. Columns are in the order of :meth:`symtrip.DensityCorrelations.forward` and
        :meth:`symtrip.Triplets.dense`.

    Raises:
        InputError: an unknown kind, as :meth:`symtrip.Environments.from_atoms`, a neighbour whose
            species is not in the settings, or features that do not fit into the memory.

    Example:
        >>> import ase
        >>> from symtrip.models import ExpansionSettings
        >>> frame = ase.Atoms("B3", positions=[[0, 0, 0], [0, 0, 1.1], [1, 0, 0]])
        >>> settings = ExpansionSettings(radius=2.0, n_radial=2, max_angular=1)
        >>> feature_arrays([frame], "bispectrum", settings).features.shape
        (3, 40)
        >>> feature_arrays([frame], "triplets", settings, centers=0).features.shape
        (4, 40)
    """
    require(
        kind in KINDS, "kind", f"be one of {', '.join(KINDS)}", repr(kind), "choose one of them"
    )
    environments = Environments.from_atoms(
        frames,
        radius=settings.radius,
        centers=centers,
        dtype=dtype,
        device=device,
        isolated="keep",
    )
    expansion = settings.build()
    compute, width = _calculator(kind, settings)
    mask = environments.mask
    # the rows that are kept: all environments, or all pairs of real neighbours
    rows = mask.new_ones(len(mask))
    if kind == "triplets":
        rows = mask[:, :, None] & mask[:, None, :]
    n_rows = int(rows.sum())
    row_size = width * torch.finfo(dtype).bits // 8
    require_memory(
        "frames",
        f"{kind} features",
        row_size,
        n_rows,
        torch.device("cpu"),
        "compute at most {size} rows at a time",
    )
    features = torch.empty(n_rows, width, dtype=dtype)
    step = max(1, _CHUNK // (row_size * max(math.prod(rows.shape[1:]), 1)))
    done = 0
    progress(0, len(environments))
    with torch.no_grad():
        for start in range(0, len(environments), step):
            part = environments[start : start + step]
            found = compute(expansion(part))[rows[start : start + step]]
            features[done : done + len(found)] = found.cpu()
            done += len(found)
            progress(start + len(part), len(environments))
    index, *tagged = (x.cpu() for x in torch.nonzero(rows, as_tuple=True))
    neighbors = None
    if tagged:
        known = environments.neighbor.cpu()
        neighbors = torch.stack([known[index, j] for j in tagged], dim=1).numpy()
    return FeatureArrays(
        features.numpy(),
        environments.structure.cpu()[index].numpy(),
        environments.center.cpu()[index].numpy(),
        environments.center_species.cpu()[index].numpy(),
        neighbors,
        settings,
        kind,
        int((~mask.any(dim=1)).sum()),
    )


def _calculator(kind: str, settings: ExpansionSettings) -> tuple[Callable[[Density], Tensor], int]:
    """A function from densities to features, and the number of columns."""
    channels = settings.n_radial * len(settings.species)
    if kind == "triplets":
        triplets = TripletFeatures(max_angular=settings.max_angular)
        n_columns = len(triplet_paths(settings.max_angular)) * channels**3
        return triplets.dense, n_columns
    invariants = DensityCorrelations(max_angular=settings.max_angular, nu=KINDS[kind])
    return invariants, invariants.n_features(channels)
