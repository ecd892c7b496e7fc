"""Features as metatensor ``TensorMap``, for featomic, metatrain and other users of it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from symtrip.errors import require_package
from symtrip.files import atomic_write
from symtrip.interop.arrays import FeatureArrays

if TYPE_CHECKING:
    from metatensor import TensorMap

__all__ = ["check_metatensor", "save_tensor_map", "tensor_map"]


def check_metatensor() -> None:
    """Raise now what the functions of this module would raise for want of metatensor.

    Raises:
        InputError: metatensor is not installed.
    """
    require_package("metatensor", "metatensor", "to write metatensor files")


def tensor_map(arrays: FeatureArrays) -> TensorMap:
    """Features with all their labels, in metatensor's and featomic's vocabulary.

    Args:
        arrays: from :func:`symtrip.interop.feature_arrays`.

    Returns:
        A block for each element of the centres and for each sign under inversion that columns have;
        keys ``o3_lambda`` (0: invariants), ``o3_sigma`` and ``center_type``. Properties are
        :attr:`FeatureArrays.columns`. Samples are ``system`` and ``atom`` and, of triplets,
        ``pair``, ``neighbor_1_atom`` and ``neighbor_2_atom``: ``pair`` counts the ordered pairs of
        a centre, for in a crystal several of them may join images of the same atoms. The values
        are the numbers of ``arrays.features``, copied.

    Raises:
        InputError: metatensor is not installed.

    Example:
        >>> import ase
        >>> from symtrip.interop import feature_arrays, tensor_map
        >>> from symtrip.models import ExpansionSettings
        >>> frame = ase.Atoms("B3", positions=[[0, 0, 0], [0, 0, 1.1], [1, 0, 0]])
        >>> settings = ExpansionSettings(radius=2.0, n_radial=2, max_angular=1)
        >>> block = tensor_map(feature_arrays([frame], "power-spectrum", settings)).block()
        >>> block.samples.names, block.values.shape
        (['system', 'atom'], (3, 8))
        >>> block.properties[3]
        LabelsEntry(l=0, neighbor_1_type=5, n_1=1, neighbor_2_type=5, n_2=1)
    """
    check_metatensor()
    from metatensor import Labels, TensorBlock, TensorMap

    names, samples = ["system", "atom"], [arrays.structure, arrays.center]
    if arrays.neighbors is not None:
        names += ["pair", "neighbor_1_atom", "neighbor_2_atom"]
        samples += [_counted(arrays), arrays.neighbors[:, 0], arrays.neighbors[:, 1]]
    rows = np.stack(samples, axis=1).astype(np.int32)
    columns = arrays.columns
    keys, blocks = [], []
    for sigma in (1, -1):
        chosen = columns.parity == sigma
        if not chosen.any():
            continue
        properties = Labels(list(columns.names), columns.values[chosen])
        for element in np.unique(arrays.center_type):
            mine = arrays.center_type == element
            keys.append((0, sigma, element))
            blocks.append(
                TensorBlock(
                    values=np.ascontiguousarray(arrays.features[np.ix_(mine, chosen)]),
                    samples=Labels(names, rows[mine]),
                    components=[],
                    properties=properties,
                )
            )
    key_values = np.array(keys, dtype=np.int32).reshape(-1, 3)
    return TensorMap(Labels(["o3_lambda", "o3_sigma", "center_type"], key_values), blocks)


def save_tensor_map(path: str | os.PathLike[str], arrays: FeatureArrays) -> None:
    """Write :func:`tensor_map` to a file that ``metatensor.load`` reads, atomically.

    Args:
        path: the file, by convention ``*.mts``.
        arrays: the features.

    Raises:
        InputError: metatensor is not installed.
        OSError: the file cannot be written.
    """
    content = tensor_map(arrays)
    from metatensor import save

    with atomic_write(path) as temporary, temporary.open("wb") as file:
        save(file, content)


def _counted(arrays: FeatureArrays) -> NDArray[np.int64]:
    """Number of each row among those of its environment."""
    first = np.ones(len(arrays.center), dtype=bool)
    first[1:] = (np.diff(arrays.structure) != 0) | (np.diff(arrays.center) != 0)
    starts = np.nonzero(first)[0]
    lengths = np.diff(np.append(starts, len(first)))
    return np.arange(len(first)) - np.repeat(starts, lengths)
