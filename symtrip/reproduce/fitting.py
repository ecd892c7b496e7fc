"""Training of one network on features that are there, resumable from its folder."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor

from symtrip.data import B8Pairs
from symtrip.files import save_tensors
from symtrip.models import (
    ExpansionSettings,
    FeatureSettings,
    InvariantEnergy,
    PairFeatures,
    TripletDescriptor,
    TripletEnergy,
    TripletReconstruction,
)
from symtrip.train import (
    LabelledPairs,
    Report,
    Trainer,
    TrainingSettings,
    chunk_for,
    density_chunks,
    load_checkpoint,
    optimise,
    save_checkpoint,
    split_pairs,
)
from symtrip.train.seeds import generator_for

__all__ = [
    "SELECTION_FRACTION",
    "Task",
    "TripletInput",
    "compute_triplets",
    "fit_network",
    "load_triplets",
    "load_weights",
]

SELECTION_FRACTION = 0.1
"""Part of the training pairs that weights or settings are selected on."""
_WEIGHTS = "weights.safetensors"

Network = TripletEnergy | InvariantEnergy | TripletReconstruction


@dataclass(frozen=True)
class Task:
    """What one training run is called and shown on.

    Attributes:
        title: row and seed.
        seed: of weights, split and batches.
        settings: the optimisation.
        device: where to train.
        report: told about the progress.
    """

    title: str
    seed: int
    settings: TrainingSettings
    device: torch.device
    report: Report


def fit_network(
    folder: Path,
    network: Network,
    data: LabelledPairs,
    task: Task,
    *,
    augment: Callable[[LabelledPairs], LabelledPairs] = lambda data: data,
    finish: Callable[[LabelledPairs, LabelledPairs], None] = lambda *_: None,
) -> None:
    """Train a network on nine tenths of the pairs and select its weights on the others.

    Args:
        folder: gets a checkpoint, from which an interrupted run continues, and ``weights``.
        network: freshly initialised from the seed; at the end it has the selected weights.
        data: training pairs.
        task: what to do.
        augment: makes more of the pairs to fit; those that weights are selected on stay.
        finish: given the pairs fitted and those kept aside, changes the selected weights in place.

    Raises:
        KeyboardInterrupt: after Ctrl-C or SIGTERM, once the checkpoint is written.
    """
    network.to(task.device)
    rows_fit, rows_select = split_pairs(len(data), SELECTION_FRACTION, task.seed)
    data = data.to(task.device)
    fit, select = augment(data[rows_fit]), data[rows_select]
    trainer = Trainer(network, fit, select, task.settings, task.seed)
    checkpoint = folder / "checkpoint.safetensors"
    identity: dict[str, Any] = {"title": task.title, "training": task.settings.model_dump()}
    if checkpoint.exists():
        trainer.restore(*load_checkpoint(checkpoint, identity))
        task.report.say(f"{task.title}: resuming after batch {trainer.step} of {trainer.n_steps}")
    optimise(
        trainer,
        task.title,
        task.report,
        lambda: save_checkpoint(checkpoint, *trainer.state(), identity),
    )
    network.load_state_dict(trainer.best_state())
    finish(fit, select)
    save_tensors(folder / _WEIGHTS, network.state_dict())
    checkpoint.unlink()


def load_weights(folder: Path, network: Network) -> None:
    """Give a network the weights that :func:`fit_network` left in a folder."""
    network.load_state_dict(load_file(folder / _WEIGHTS))


@dataclass(frozen=True, eq=False)
class TripletInput:
    """Compressed triplet features of all pairs, and what made them.

    Attributes:
        features: of 2 P structures: training, validation, then further pairs.
        sections: of the compression.
    """

    features: PairFeatures
    sections: tuple[int, int, int, int]


def compute_triplets(
    folder: Path,
    expansion: ExpansionSettings,
    features: FeatureSettings,
    fitting: B8Pairs,
    others: Sequence[B8Pairs],
    report: Report,
    device: torch.device,
) -> None:
    """Compressed triplet features of all structures, in float32, training pairs first.

    Args:
        folder: gets ``triplets.safetensors``.
        expansion: the density expansion.
        features: the compression, fitted to the training pairs.
        fitting: training pairs.
        others: pairs that are only described.
        report: told about the progress.
        device: where to compute.
    """
    every = fitting.positions.flatten(0, 1).to(device)
    numbers = fitting.numbers.to(device)
    chunk = chunk_for(TripletDescriptor.chunk, device)
    count = min(features.sample, len(every))
    sample = every[torch.linspace(0, len(every) - 1, count).round().long()]
    expand = expansion.build()
    descriptor = TripletDescriptor.fit(
        lambda: density_chunks(expand, sample, numbers, chunk),
        expansion.max_angular,
        features.components,
        generator=generator_for(0, "compression"),
    )
    positions = torch.cat([every, *(pairs.positions.flatten(0, 1).to(device) for pairs in others)])
    pieces, done = [], 0
    with report.stage("triplets") as progress, torch.no_grad():
        for density in density_chunks(expand, positions, numbers, chunk):
            pieces.append(descriptor(density).to(dtype=torch.float32))
            done += len(density)
            progress(done, len(positions))
    values = PairFeatures.cat(pieces)
    save_tensors(
        folder / "triplets.safetensors",
        {
            "symmetric": values.symmetric,
            "antisymmetric": values.antisymmetric,
            "mask": values.mask,
            "sections": torch.tensor(descriptor.compression.sections),
            **{f"compression.{k}": v for k, v in descriptor.compression.state_dict().items()},
        },
    )


def load_triplets(folder: Path) -> TripletInput:
    """Read what :func:`compute_triplets` wrote."""
    tensors: dict[str, Tensor] = load_file(folder / "triplets.safetensors")
    even_s, odd_s, even_a, odd_a = tensors["sections"].tolist()
    pairs = PairFeatures(
        symmetric=tensors["symmetric"],
        antisymmetric=tensors["antisymmetric"],
        mask=tensors["mask"],
        n_even=(even_s, even_a),
    )
    return TripletInput(pairs, (even_s, odd_s, even_a, odd_a))
