"""Labels of the B8 pairs, as a file that :class:`symtrip.data.B8Pairs` loads."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

import ase
import numpy as np

from symtrip.data import N_PAIRS, B8Pairs
from symtrip.errors import require
from symtrip.files import atomic_write
from symtrip.labels.run import LabelReport, check_structures, label_structures
from symtrip.labels.settings import LabelSettings
from symtrip.labels.store import LabelStore, structure_key
from symtrip.progress import silent

__all__ = ["label_pairs", "pair_range"]

_FILE = "b8.npz"


def pair_range(text: str) -> tuple[int, int]:
    """First pair, and last plus one, of ``FIRST:LAST``.

    Raises:
        InputError: another form, or a range without pairs or beyond the data set.
    """
    parts = re.fullmatch(r"(\d+):(\d+)", text)
    first, last = map(int, parts.groups()) if parts else (0, 0)
    _check_range(first, last, text)
    return first, last


def _check_range(first: int, last: int, given: str) -> None:
    require(
        0 <= first < last <= N_PAIRS,
        "b8",
        f"be FIRST:LAST with 0 <= FIRST < LAST <= {N_PAIRS}",
        given,
        "give e.g. 0:10 for pairs 0 to 9",
    )


def label_pairs(
    first: int,
    last: int,
    folder: str | os.PathLike[str],
    settings: LabelSettings,
    *,
    processes: int = 1,
    progress: Callable[[int, int], None] = silent,
) -> tuple[LabelReport, Path]:
    """Label both members of some pairs of the B8 data set.

    Args:
        first: number of the first pair, 0 ... 3999.
        last: number of the last pair plus one.
        folder: of the store, where labels go as soon as each is computed.
        settings: of the labels.
        processes: number of worker processes, one thread each.
        progress: called with (done, total) after every structure.

    Returns:
        The report, and the path of ``<folder>/b8.npz``: ``parameters`` of all 4000 pairs,
        ``energy_ha`` and ``energy_total_ha`` (4000, 2) with the converged labels of these pairs and
        NaN elsewhere, whatever labels ship with symtrip: those may have other settings.

    Raises:
        InputError: a range without pairs or beyond the data set, or as :func:`label_structures` and
            :class:`LabelStore`.
        KeyboardInterrupt: labels finished until then are in the store; run again to continue.
    """
    _check_range(first, last, f"{first}:{last}")
    pairs = B8Pairs.load()
    chosen = pairs.subset(slice(first, last))
    numbers = chosen.numbers.numpy()
    frames = [ase.Atoms(numbers, positions) for positions in chosen.positions.flatten(0, 1).numpy()]
    check_structures(frames, settings)
    store = LabelStore(folder, settings)
    report = label_structures(frames, store, processes=processes, progress=progress)
    energies = np.full((2, 2 * N_PAIRS), np.nan)
    for row, atoms in enumerate(frames, start=2 * first):
        label = store.get(structure_key(atoms.numbers, atoms.positions))
        if label is not None and label.converged:
            energies[:, row] = label.energy, label.energy_total
    free, total = energies.reshape(2, N_PAIRS, 2)
    path = store.folder / _FILE
    with atomic_write(path) as temporary, temporary.open("wb") as file:
        np.savez_compressed(
            file, parameters=pairs.parameters.numpy(), energy_ha=free, energy_total_ha=total
        )
    return report, path
