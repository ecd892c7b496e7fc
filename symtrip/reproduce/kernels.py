"""Stages of the kernel model: its fit to labelled pairs, and its labels for further pairs."""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor

from symtrip.data import B8Pairs
from symtrip.environments import Environments
from symtrip.files import save_tensors
from symtrip.models import (
    DirectTripletDescriptor,
    KernelModel,
    KernelSettings,
    KernelTerm,
    PairFeatures,
    PairRows,
    TripletDescriptor,
)
from symtrip.reproduce.fitting import Task
from symtrip.reproduce.vectors import write_errors
from symtrip.train import chunk_for, density_chunks, pair_errors, paired, regress_pairs
from symtrip.train.seeds import generator_for

__all__ = ["fit_kernel_model", "kernel_energies"]

_ROWS_A_FILE = 250
_STRUCTURES_AT_A_TIME = 50
_MODEL = "model.safetensors"


def fit_kernel_model(
    folder: Path,
    settings: KernelSettings,
    fitting: B8Pairs,
    validation: B8Pairs,
    task: Task,
) -> None:
    """Fit a kernel model to labelled pairs.

    Args:
        folder: gets ``model.safetensors`` and ``errors.json``; until they are there, a file for
            every 250 rows of a kernel matrix, from which an interrupted fit continues.
        settings: of the Gaussian process.
        fitting: labelled training pairs.
        validation: labelled validation pairs.
        task: title, seed (of the random start of the compression), device, report.
    """
    fitted = [_fit_term(settings, number, fitting, task) for number in range(len(settings.terms))]
    terms, rows = [term for term, _ in fitted], [known for _, known in fitted]
    _compute_blocks(folder, terms, rows, task)

    count = 2 * len(fitting)
    total = torch.zeros(count, count, dtype=torch.float64)
    for number, term in enumerate(terms):
        matrix = _assembled(folder, number, count)
        term.kernel.size.fill_(matrix.diagonal().mean())
        total += matrix / (float(term.kernel.size) * len(terms))
    found = regress_pairs(
        total.to(task.device), fitting.energies, settings.noise, settings.difference_noise
    )
    model = KernelModel(settings, terms, fitting.positions.flatten(0, 1), fitting.numbers)
    model.coefficients.copy_(found.coefficients)
    model.shift.fill_(found.shift)
    model.scale.fill_(found.scale)
    model.save(folder / _MODEL)

    known_energies = found.shift + found.scale * (total @ found.coefficients.to(total))
    predicted = kernel_energies(folder / _MODEL, validation, f"{task.title}: validation", task)
    write_errors(
        folder,
        {
            "training": pair_errors(paired(known_energies), fitting.energies),
            "validation": pair_errors(predicted, validation.energies),
            "left_out": pair_errors(found.left_out.cpu(), fitting.energies),
        },
    )
    for file in folder.glob("rows-*.safetensors"):
        file.unlink()


def kernel_energies(path: Path, pairs: B8Pairs, title: str, task: Task) -> Tensor:
    """Energies of pairs, (P, 2) eV, from a fitted model.

    Args:
        path: of the model.
        pairs: any pairs.
        title: shown with the progress.
        task: device and report.
    """
    model = KernelModel.load(path).to(task.device)
    radius = model.settings.terms[0].expansion.radius
    positions = pairs.positions.flatten(0, 1).to(task.device)
    pieces, done = [], 0
    with task.report.stage(title) as progress, torch.no_grad():
        for part in torch.split(positions, chunk_for(_STRUCTURES_AT_A_TIME, task.device)):
            environments = Environments.from_positions(
                part, pairs.numbers.to(task.device), radius=radius
            )
            pieces.append(model(environments).cpu())
            done += len(part)
            progress(done, len(positions))
    return paired(torch.cat(pieces))


def _fit_term(
    settings: KernelSettings, number: int, fitting: B8Pairs, task: Task
) -> tuple[KernelTerm, PairRows]:
    """One kernel and the training structures as it compares them."""
    chosen = settings.terms[number]
    positions = fitting.positions.flatten(0, 1).to(task.device)
    numbers = fitting.numbers.to(task.device)
    chunk = chunk_for(TripletDescriptor.chunk, task.device)
    count = min(settings.sample, len(positions))
    sample = positions[torch.linspace(0, len(positions) - 1, count).round().long()]
    expand = chosen.expansion.build()
    descriptor = TripletDescriptor.fit(
        lambda: density_chunks(expand, sample, numbers, chunk),
        chosen.expansion.max_angular,
        chosen.components,
        generator=generator_for(task.seed, "compression", number),
    )
    term = KernelTerm(chosen, descriptor.compression)
    direct = DirectTripletDescriptor(descriptor.compression)
    chunk = chunk_for(DirectTripletDescriptor.chunk, task.device)
    pieces, done = [], 0
    title = f"{task.title}: features of kernel {number + 1}"
    with task.report.stage(title) as progress, torch.no_grad():
        for density in density_chunks(expand, positions, numbers, chunk):
            pieces.append(direct(density))
            done += len(density)
            progress(done, len(positions))
    pairs = PairFeatures.cat(pieces)
    term.kernel.to(task.device).fit(pairs)
    return term, term.kernel.rows(pairs)


def _compute_blocks(
    folder: Path, terms: list[KernelTerm], rows: list[PairRows], task: Task
) -> None:
    """The upper triangles of all kernel matrices, in files of whole rows."""
    count = len(rows[0])
    # rows get shorter: progress counts numbers, not rows
    area, whole = 0, len(terms) * count * (count + 1) // 2
    with task.report.stage(f"{task.title}: kernels") as progress, torch.no_grad():
        for number, (term, known) in enumerate(zip(terms, rows, strict=True)):
            for start in range(0, count, _ROWS_A_FILE):
                file = folder / f"rows-{number}-{start:06d}.safetensors"
                part = known[start : start + _ROWS_A_FILE]
                if not file.exists():
                    values = term.kernel(part, known[start:])
                    save_tensors(file, {"values": values.cpu()})
                area += len(part) * (count - start) - len(part) * (len(part) - 1) // 2
                progress(area, whole)


def _assembled(folder: Path, number: int, count: int) -> Tensor:
    """The symmetric matrix of one kernel."""
    matrix = torch.empty(count, count, dtype=torch.float64)
    for start in range(0, count, _ROWS_A_FILE):
        values = load_file(folder / f"rows-{number}-{start:06d}.safetensors")["values"]
        matrix[start : start + len(values), start:] = values
        matrix[start:, start : start + len(values)] = values.T
    return matrix
