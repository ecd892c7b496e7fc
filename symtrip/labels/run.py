"""Labelling of many structures: in parallel, resumable, one thread a process."""

from __future__ import annotations

import multiprocessing
import multiprocessing.connection
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ProcessPoolExecutor, wait
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from symtrip.errors import require, require_package
from symtrip.extxyz import labelled, write_extxyz
from symtrip.labels.compute import Label, check_electrons, check_method, compute_label
from symtrip.labels.settings import LabelSettings
from symtrip.labels.store import LabelStore, structure_key
from symtrip.progress import silent

if TYPE_CHECKING:
    import ase

__all__ = ["LabelReport", "check_structures", "label_structures"]


_CLOSEST = 0.1  # Å: no two nuclei are nearer in any molecule


@dataclass
class LabelReport:
    """What a labelling run did.

    Attributes:
        computed: number of structures computed by this run.
        reused: number found in the store.
        unconverged: indices of the structures whose SCF did not converge.
        path: extended-XYZ file with all converged structures, energies in eV and forces in eV/Å.
    """

    computed: int = 0
    reused: int = 0
    unconverged: list[int] = field(default_factory=list)
    path: Path = Path()


def _start_worker() -> None:
    """Keep a worker to one thread, and end it when the labelling process is killed."""
    # read when PySCF loads its libraries, which is later
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[variable] = "1"
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent.sentinel,), daemon=True).start()


def _end_with(sentinel: int) -> None:
    multiprocessing.connection.wait([sentinel])
    os._exit(1)


@contextmanager
def process_pool(processes: int) -> Iterator[Executor]:
    """Worker processes of one thread each; an interrupted block ends them in mid-work."""
    others = set(multiprocessing.active_children())
    # spawned, not forked: they inherit neither threads nor locks of this process
    pool = ProcessPoolExecutor(
        max_workers=processes,
        mp_context=multiprocessing.get_context("spawn"),
        initializer=_start_worker,
    )
    try:
        yield pool
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        for worker in set(multiprocessing.active_children()) - others:
            worker.terminate()
        raise
    pool.shutdown()


def check_structures(frames: Sequence[ase.Atoms], settings: LabelSettings) -> None:
    """Refuse what cannot be labelled, before a store is made for it.

    Args:
        frames: open-boundary structures.
        settings: of their labels.

    Raises:
        InputError: as :func:`label_structures`.
    """
    require_package("pyscf", "dft", "to compute labels")
    require(len(frames) > 0, "frames", "hold at least one structure", 0, "pass some ase.Atoms")
    for i, atoms in enumerate(frames):
        where = f"structure {i}"
        require(len(atoms) > 0, where, "hold at least one atom", 0, "drop empty structures")
        require(
            bool(np.isfinite(atoms.positions).all()),
            f"{where} positions",
            "be finite",
            "NaN or infinity",
            "remove or repair these atoms",
        )
        require(
            not atoms.pbc.any(),
            f"{where} pbc",
            "be open in all directions",
            atoms.pbc.tolist(),
            "labels are computed for clusters; set pbc to False",
        )
        distances = atoms.get_all_distances()[np.triu_indices(len(atoms), k=1)]
        require(
            not len(distances) or bool(distances.min() >= _CLOSEST),
            f"{where} positions",
            f"keep atoms at least {_CLOSEST} Å apart",
            f"{min(distances, default=0.0):.3g} Å",
            "remove duplicated atoms, or convert the positions to Å",
        )
        check_electrons(atoms.numbers, settings, where)
    check_method(sorted({int(z) for atoms in frames for z in atoms.numbers}), settings)


def label_structures(
    frames: Sequence[ase.Atoms],
    store: LabelStore,
    *,
    processes: int = 1,
    executor: Executor | None = None,
    progress: Callable[[int, int], None] = silent,
) -> LabelReport:
    """Label structures that are not in the store yet and write all to one extended-XYZ file.

    Args:
        frames: open-boundary structures.
        store: where labels go as soon as each is computed.
        processes: number of worker processes, one thread each.
        executor: any other ``concurrent.futures.Executor``, e.g. of a cluster, used instead of
            processes and left running.
        progress: called with (done, total) after every structure.

    Returns:
        The report; ``<store>/labelled.extxyz`` holds the converged structures.

    Raises:
        InputError: bad structures, PySCF missing, a functional or basis that it does not have, an
            electron count that does not fit the spin.
        KeyboardInterrupt: labels finished until then are in the store; run again to continue.
    """
    require(processes >= 1, "processes", "be an integer >= 1", processes, "use one per core")
    check_structures(frames, store.settings)
    keys = [structure_key(atoms.numbers, atoms.positions) for atoms in frames]
    labels = {key: store.get(key) for key in keys}
    wanted = {
        key: (atoms.numbers, atoms.positions)
        for key, atoms in zip(keys, frames, strict=True)
        if labels[key] is None
    }
    report = LabelReport(computed=len(wanted), reused=len(set(keys)) - len(wanted))
    if wanted:
        with (
            nullcontext(executor) if executor else process_pool(min(processes, len(wanted))) as pool
        ):
            labels.update(_compute(pool, wanted, store, progress))
    finished = {key: label for key, label in labels.items() if label is not None}
    report.unconverged = [i for i, key in enumerate(keys) if not finished[key].converged]
    report.path = store.folder / "labelled.extxyz"
    _write(frames, [finished[key] for key in keys], store.settings, report.path)
    return report


def _compute(
    pool: Executor,
    wanted: dict[str, tuple[NDArray[np.int64], NDArray[np.float64]]],
    store: LabelStore,
    progress: Callable[[int, int], None],
) -> dict[str, Label]:
    waiting: dict[Future[Label], str] = {
        pool.submit(compute_label, numbers, positions, store.settings): key
        for key, (numbers, positions) in wanted.items()
    }
    done: dict[str, Label] = {}
    progress(0, len(wanted))
    while waiting:
        for future in wait(waiting, return_when=FIRST_COMPLETED).done:
            key = waiting.pop(future)
            done[key] = future.result()
            store.put(key, done[key])
            progress(len(done), len(wanted))
    return done


def _write(
    frames: Sequence[ase.Atoms], labels: Sequence[Label], settings: LabelSettings, path: Path
) -> None:
    converged = []
    for atoms, label in zip(frames, labels, strict=True):
        if label.converged:
            converged.append(labelled(atoms, label.energy_ev, forces=label.forces_ev))
            converged[-1].info["label_settings"] = settings.model_dump_json()
    write_extxyz(path, converged)
