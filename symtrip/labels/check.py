"""Recomputation of shipped numbers: a sample of the B8 labels, and their zero of energy."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from concurrent.futures import as_completed
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch

from symtrip.data import B8_REFERENCE_ENERGY_HARTREE, HARTREE_IN_EV, B8Pairs
from symtrip.errors import InputError, require, require_package
from symtrip.labels.compute import BOHR_IN_ANGSTROM, compute_label
from symtrip.labels.run import process_pool
from symtrip.labels.settings import LabelSettings
from symtrip.progress import silent

__all__ = ["LabelDeviation", "relax_planar_b8", "shipped_deviations"]

BORON = 5


@dataclass(frozen=True)
class LabelDeviation:
    """One shipped label and its recomputation.

    Attributes:
        pair: number of the pair in the data set.
        member: ``"+"`` or ``"-"``.
        shipped: free energy in Ha as shipped.
        computed: free energy in Ha as recomputed.
        converged: whether the recomputation converged.
    """

    pair: int
    member: str
    shipped: float
    computed: float
    converged: bool

    @property
    def deviation(self) -> float:
        """|computed - shipped| in Ha."""
        return abs(self.computed - self.shipped)


def shipped_deviations(
    count: int | None = None,
    *,
    seed: int = 0,
    pairs: Sequence[int] = (),
    initial_guess: Literal["minao", "huckel", "atom"] = "minao",
    scf_grid_level: int | None = None,
    processes: int = 1,
    progress: Callable[[int, int], None] = silent,
) -> list[LabelDeviation]:
    """Recompute some of the shipped B8 labels with PySCF.

    Args:
        count: size of a random sample, 1 ... the number of shipped labels.
        seed: of the sample.
        pairs: numbers of pairs instead, both members of each.
        initial_guess: as in :class:`LabelSettings`.
        scf_grid_level: as in :class:`LabelSettings`.
        processes: worker processes of one thread each.
        progress: called with (done, total).

    Returns:
        One record a structure, in the order of the data set.

    Raises:
        InputError: PySCF is missing, ``count`` is out of range, or a pair has no labels.
    """
    require_package("pyscf", "dft", "to compute labels")
    data = B8Pairs.load()
    rows = torch.nonzero(data.mask)
    if pairs:
        unlabelled = [n for n in pairs if not (0 <= n < len(data) and bool(data.mask[n].all()))]
        require(
            not unlabelled,
            "pairs",
            f"be numbers of labelled pairs, 0 .. {len(data) - 1}",
            unlabelled,
            "leave them out",
        )
        rows = torch.tensor([[pair, member] for pair in pairs for member in (0, 1)])
        count = len(rows)
    if count is None:
        raise InputError("`count` must be given where no `pairs` are, got None; give e.g. 5.")
    require(
        1 <= count <= len(rows),
        "check",
        f"be a number of labels between 1 and {len(rows)}",
        count,
        "a label takes about half a minute on one core",
    )
    chosen = np.sort(np.random.default_rng(seed).choice(len(rows), count, replace=False))
    settings = LabelSettings.checked(
        gradients=False, initial_guess=initial_guess, scf_grid_level=scf_grid_level
    )
    numbers = np.full(8, BORON)
    positions = data.positions
    found = []
    with process_pool(min(processes, count)) as pool:
        waiting = {}
        for row in chosen.tolist():
            pair, member = rows[row].tolist()
            future = pool.submit(compute_label, numbers, positions[pair, member].numpy(), settings)
            waiting[future] = (pair, member)
        progress(0, count)
        for future in as_completed(waiting):
            pair, member = waiting[future]
            label = future.result()
            shipped = float(data.energies[pair, member]) / HARTREE_IN_EV
            found.append(
                LabelDeviation(
                    pair=pair,
                    member="+-"[member],
                    shipped=shipped + B8_REFERENCE_ENERGY_HARTREE,
                    computed=label.energy,
                    converged=label.converged,
                )
            )
            progress(len(found), count)
    return sorted(found, key=lambda record: (record.pair, record.member))


def relax_planar_b8(
    *,
    tolerance: float = 1e-4,
    progress: Callable[[int, float], None] = silent,
) -> tuple[float, np.ndarray]:
    """Relax the planar B8 cluster, a centred heptagon, whose energy E0 is the zero of all labels.

    Steepest descent with the Barzilai-Borwein step length, from a regular heptagon of 1.75 Å; the
    symmetry of the start is kept by the forces.

    Args:
        tolerance: largest force component at the end in Ha/bohr.
        progress: called with the step and the free energy in Ha.

    Returns:
        Free energy in Ha and positions (8, 3) in Å.

    Raises:
        InputError: PySCF is missing.
        RuntimeError: an SCF did not converge, or 40 steps did not suffice.
    """
    require_package("pyscf", "dft", "to compute labels")
    angles = 2 * math.pi / 7 * np.arange(7)
    ring = 1.75 * np.stack([np.cos(angles), np.sin(angles), np.zeros(7)], axis=1)
    positions = np.concatenate([np.zeros((1, 3)), ring]) / BOHR_IN_ANGSTROM
    settings = LabelSettings(gradients=True)
    step, previous = 1.0, None
    for iteration in range(40):
        label = compute_label(np.full(8, BORON), positions * BOHR_IN_ANGSTROM, settings)
        if label.forces is None:
            raise RuntimeError(f"the SCF of step {iteration} did not converge")
        progress(iteration, label.energy)
        if np.abs(label.forces).max() <= tolerance:
            return label.energy, positions * BOHR_IN_ANGSTROM
        if previous is not None:
            moved, changed = positions - previous[0], label.forces - previous[1]
            step = float(np.sum(moved * moved) / abs(np.sum(moved * changed)))
        previous = (positions, label.forces)
        positions = positions + np.clip(step * label.forces, -0.2, 0.2)
    raise RuntimeError("the relaxation did not reach the force tolerance in 40 steps")
