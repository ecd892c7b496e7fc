"""A whole training run on B8: features, training, results; resumable from its folder."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import torch
from torch import Tensor

from symtrip.data import B8Pairs
from symtrip.errors import require
from symtrip.files import atomic_write
from symtrip.models import EnergyModel, ModelSpec, build_energy
from symtrip.models.model import Descriptor
from symtrip.progress import Progress
from symtrip.train.checkpoint import checkpoint_in, load_checkpoint, save_checkpoint
from symtrip.train.config import TrainConfig
from symtrip.train.features import cluster_features, fit_to_clusters
from symtrip.train.interrupt import deferred_interrupt
from symtrip.train.metrics import PairErrors, pair_errors
from symtrip.train.optimisation import Epoch, Optimisation
from symtrip.train.seeds import generator_for
from symtrip.train.trainer import LabelledPairs, Trainer, joined, predict, split_pairs

__all__ = ["Report", "SetResult", "TrainResult", "optimise", "train"]


@runtime_checkable
class Report(Protocol):
    """Where a run tells how far it is."""

    def stage(self, title: str) -> AbstractContextManager[Progress]:
        """A progress bar for the block that it opens."""

    def epoch(self, record: Epoch[Any]) -> None:
        """An epoch is over."""

    def say(self, text: str) -> None:
        """A line for the user."""


@dataclass(frozen=True, eq=False)
class SetResult:
    """Predictions for one set of labelled pairs.

    Attributes:
        errors: mean and diff error.
        predicted: (pairs, 2) eV.
        target: (pairs, 2) eV.
        index: (pairs,) numbers of the pairs in the data set.
    """

    errors: PairErrors
    predicted: Tensor
    target: Tensor
    index: Tensor


@dataclass(frozen=True, eq=False)
class TrainResult:
    """What a run gives.

    Attributes:
        model: with the selected weights.
        training: on all labelled training pairs in use, those of the selection included.
        validation: on the labelled validation pairs.
        seconds: wall time of the stages.
        history: one record for each epoch.
    """

    model: EnergyModel
    training: SetResult
    validation: SetResult
    seconds: dict[str, float]
    history: list[Epoch[PairErrors]]


def train(
    config: TrainConfig,
    report: Report,
    *,
    pairs: B8Pairs | None = None,
    further: B8Pairs | None = None,
    resume: bool = False,
    device: torch.device | str = "cpu",
) -> TrainResult:
    """Train a model on B8 and leave everything in ``config.output``.

    The folder gets ``descriptor.safetensors`` (the compression), ``checkpoint.safetensors`` (the
    state of the training, replaced atomically), and at the end ``model.safetensors`` (an
    :class:`~symtrip.models.EnergyModel`) and ``results.json``. A run that was stopped in any way
    and resumed on the same machine with the same number of threads ends with the same weights, bit
    for bit, as one that was not.

    Args:
        config: the settings.
        report: told about the progress.
        pairs: the data; ``None``: those that ``config.data`` names.
        further: more pairs to fit, with energies from anywhere: weights are never selected on them.
        resume: continue from the folder's checkpoint, if there is one.
        device: where features are computed and the network is trained.

    Returns:
        The model and its errors.

    Raises:
        InputError: the folder holds a checkpoint and ``resume`` is false; the checkpoint is damaged
            or belongs to another configuration or to other pairs; too few labelled pairs; a further
            pair without energies.
        OSError: the folder cannot be written; known before the work starts.
        KeyboardInterrupt: after Ctrl-C or SIGTERM, once the checkpoint is written.
    """
    folder = Path(config.output)
    checkpoint = checkpoint_in(folder, resume=resume)
    seconds: dict[str, float] = {}
    data = pairs if pairs is not None else B8Pairs.load(config.data.file)
    fitting, validation = _labelled(config, data)
    identity = config.model_dump(mode="json", exclude={"output": True})
    identity["training"].pop("checkpoint_seconds")
    identity["pairs"] = [part.digest()[:12] for part in (fitting, validation)]
    if further is not None:
        require(
            bool(further.mask.all()),
            "further",
            "have the energies of all members",
            f"{int((~further.mask).sum())} without",
            "keep only `further.labelled`",
        )
        identity["further"] = further.digest()
    state = load_checkpoint(checkpoint, identity) if resume and checkpoint.exists() else None

    start = time.perf_counter()
    spec, descriptor = _descriptor(config, fitting, folder if state else None, torch.device(device))
    seconds["compression"] = time.perf_counter() - start
    model = EnergyModel(spec, descriptor, build_energy(spec, generator_for(config.seed, "weights")))
    model.to(device)
    if state is None:
        model.save(folder / "descriptor.safetensors", trained=False)

    start = time.perf_counter()
    with report.stage(f"{config.model}: features") as progress:
        every = _concatenated(fitting, validation, *([] if further is None else [further]))
        features = cluster_features(
            descriptor,
            model.expansion,
            every.positions.flatten(0, 1).to(device),
            every.numbers.to(device),
            progress=progress,
        )
    seconds["features"] = time.perf_counter() - start
    everything = LabelledPairs(features, every.energies.to(device, torch.float32))
    n_known, n_judged = len(fitting), len(fitting) + len(validation)
    rows_fit, rows_select = split_pairs(n_known, config.data.selection_fraction, config.seed)
    fit, select = everything[rows_fit], everything[rows_select]
    if further is not None:
        fit = joined(fit, everything[n_judged:])
    trainer = Trainer(model.energy, fit, select, config.training, config.seed)
    if state is not None:
        trainer.restore(*state)
        report.say(f"resuming {folder} after batch {trainer.step} of {trainer.n_steps}")
    start = time.perf_counter()
    optimise(
        trainer,
        config.model,
        report,
        lambda: save_checkpoint(checkpoint, *trainer.state(), identity),
    )
    seconds["training"] = time.perf_counter() - start

    model.energy.load_state_dict(trainer.best_state())
    predicted = predict(model.energy, features[: 2 * n_judged]).cpu()
    model.cpu()
    result = TrainResult(
        model=model,
        training=_result(fitting, predicted[:n_known]),
        validation=_result(validation, predicted[n_known:]),
        seconds=seconds,
        history=trainer.history,
    )
    model.save(folder / "model.safetensors")
    _write_results(folder / "results.json", config, result)
    return result


def _labelled(config: TrainConfig, data: B8Pairs) -> tuple[B8Pairs, B8Pairs]:
    fitting, validation = data.train.labelled, data.validation.labelled
    wanted = config.data.training_pairs
    require(
        wanted is None or wanted <= len(fitting),
        "data.training_pairs",
        f"be at most the {len(fitting)} labelled training pairs",
        wanted,
        "leave it out to use them all",
    )
    fitting = fitting.subset(slice(0, wanted))
    require(
        len(fitting) >= 4 and len(validation) >= 2,
        "data.file",
        "hold at least 4 labelled training pairs and 2 labelled validation pairs",
        f"{len(fitting)} and {len(validation)}",
        "label more pairs, or leave `data.file` out for the shipped ones",
    )
    return fitting, validation


def _concatenated(*sets: B8Pairs) -> B8Pairs:
    return B8Pairs(
        parameters=torch.cat([pairs.parameters for pairs in sets]),
        energies=torch.cat([pairs.energies for pairs in sets]),
        index=torch.cat([pairs.index for pairs in sets]),
    )


def _descriptor(
    config: TrainConfig, fitting: B8Pairs, stored: Path | None, device: torch.device
) -> tuple[ModelSpec, Descriptor]:
    """Fit the compression, or read the one that the interrupted run had fitted."""
    if stored is not None:
        before = EnergyModel.load(stored / "descriptor.safetensors", trained=False)
        return before.spec, before.descriptor
    positions = fitting.positions.flatten(0, 1)
    descriptor = fit_to_clusters(
        config.model,
        config.expansion,
        config.features,
        positions.to(device),
        fitting.numbers.to(device),
        generator_for(config.seed, "compression"),
    )
    spec = ModelSpec.describing(
        descriptor,
        model=config.model,
        expansion=config.expansion,
        network=config.network,
        pairs_per_environment=(positions.shape[1] - 1) ** 2,
    )
    return spec, descriptor


def optimise(
    trainer: Optimisation[Any], title: str, report: Report, save: Callable[[], None]
) -> None:
    """Train to the end, with a checkpoint now and then and before an interruption.

    Args:
        trainer: the run, fresh or restored.
        title: what is trained.
        report: told about the progress.
        save: writes the checkpoint.

    Raises:
        InputError: the training diverged: no epoch ended with finite errors.
        KeyboardInterrupt: after Ctrl-C or SIGTERM, once the checkpoint is written.
    """
    settings = trainer.settings
    saved = time.monotonic()
    with (
        deferred_interrupt() as interrupted,
        report.stage(f"{title}: training") as progress,
    ):
        progress(len(trainer.history), settings.epochs)
        for record in trainer.run(stop=interrupted):
            if record is not None:
                report.epoch(record)
                progress(record.number, settings.epochs)
            if time.monotonic() - saved >= settings.checkpoint_seconds:
                save()
                saved = time.monotonic()
        save()
    if not trainer.finished:
        report.say(
            f"stopped after batch {trainer.step} of {trainer.n_steps}; the state is kept: the same "
            "command (`symtrip train` and `symtrip fit`: with --resume) continues"
        )
        raise KeyboardInterrupt
    require(
        any(record.best for record in trainer.history),
        "training.learning_rate",
        "be small enough for the errors to stay finite",
        f"{settings.learning_rate} and no finite error in {len(trainer.history)} epochs",
        "lower it, and choose another `output` folder",
    )


def _result(pairs: B8Pairs, predicted: Tensor) -> SetResult:
    return SetResult(
        errors=pair_errors(predicted, pairs.energies),
        predicted=predicted.to(torch.float64),
        target=pairs.energies,
        index=pairs.index,
    )


def _write_results(path: Path, config: TrainConfig, result: TrainResult) -> None:
    content: dict[str, Any] = {
        "models": {
            config.model: {
                "validation": asdict(result.validation.errors),
                "training": asdict(result.training.errors),
            }
        },
        "pairs": {
            "training": len(result.training.index),
            "validation": len(result.validation.index),
        },
        "seconds": result.seconds,
        "config": config.model_dump(mode="json"),
    }
    with atomic_write(path) as temporary:
        temporary.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
