"""A whole training run on structures: baseline, compression, training, results; resumable."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from symtrip.environments import Environments
from symtrip.errors import require
from symtrip.expansion import Density, SphericalExpansion
from symtrip.files import atomic_write
from symtrip.models import (
    EnergyModel,
    ExpansionSettings,
    ModelSpec,
    RandomFeatureModel,
    StructureModel,
    TripletDescriptor,
    build_energy,
    fit_descriptor,
)
from symtrip.train.checkpoint import checkpoint_in, load_checkpoint, save_checkpoint
from symtrip.train.features import chunk_for
from symtrip.train.optimisation import Epoch
from symtrip.train.run import Report, optimise
from symtrip.train.seeds import generator_for
from symtrip.train.structures.config import FitConfig
from symtrip.train.structures.data import LabelledStructures, read_labelled
from symtrip.train.structures.pictures import draw_parity
from symtrip.train.structures.random import fit_random
from symtrip.train.structures.trainer import (
    Prediction,
    StructureErrors,
    StructureTrainer,
    predict_structures,
    structure_errors,
)

__all__ = ["FitResult", "fit"]

_DESCRIPTOR = "descriptor.safetensors"


@dataclass(frozen=True, eq=False)
class FitResult:
    """What a run gives.

    Attributes:
        model: with the selected weights.
        training: errors on the structures that were fitted.
        validation: errors on those that the weights were selected on.
        counts: number of structures of both.
        history: one record for each epoch; none of random features.
        seconds: wall time of the compression and the training.
    """

    model: StructureModel | RandomFeatureModel
    training: StructureErrors
    validation: StructureErrors
    counts: tuple[int, int]
    history: list[Epoch[StructureErrors]]
    seconds: float


def fit(
    config: FitConfig,
    report: Report,
    *,
    resume: bool = False,
    device: torch.device | str = "cpu",
) -> FitResult:
    """Train a model on structures and leave everything in ``config.output``.

    The folder gets ``descriptor.safetensors`` (compressions and atomic energies),
    ``checkpoint.safetensors`` (the state of the training, replaced atomically), and at the end
    ``model.safetensors`` (a :class:`~symtrip.models.StructureModel`), ``results.json`` and
    ``parity.png``. Random features leave only these, a
    :class:`~symtrip.models.RandomFeatureModel`. A run that was stopped in any way and resumed on
    the same machine with the same number of threads ends with the same weights, bit for bit, as one
    that was not.

    Args:
        config: the settings.
        report: told about the progress.
        resume: continue from the folder's checkpoint, if there is one.
        device: where to train.

    Returns:
        The model and its errors.

    Raises:
        InputError: as :func:`read_labelled`; fewer than two structures in a set, a name of forces
            other than the default that no structure has, centres of other elements in the
            validation set, a checkpoint in the folder although ``resume`` is false,
            or one that is damaged or belongs to another configuration or to other structures.
        OSError: the folder cannot be written; known before the work starts.
        KeyboardInterrupt: after Ctrl-C or SIGTERM, once the checkpoint is written.
    """
    folder, place = Path(config.output), torch.device(device)
    checkpoint = checkpoint_in(folder, resume=resume)
    training, validation = _read(config, report)
    started = time.perf_counter()
    if config.model == "random":
        fitted = _solve(config, report, training, validation, place)
    else:
        fitted = _train(config, report, training, validation, place, checkpoint)
    seconds = time.perf_counter() - started
    with report.stage("errors") as progress:
        predictions = []
        for number, part in enumerate(fitted.sets):
            progress(number, len(fitted.sets))
            predictions.append(fitted.predict(part))
        progress(len(fitted.sets), len(fitted.sets))
    errors = [structure_errors(*both) for both in zip(fitted.sets, predictions, strict=True)]
    model = fitted.model.cpu()
    counts = (len(training), len(validation))
    result = FitResult(model, errors[0], errors[1], counts, fitted.history, seconds)
    model.save(folder / "model.safetensors")
    _write_results(folder / "results.json", config, result)
    _draw(folder / "parity.png", fitted.sets, predictions)
    return result


class _Fitted(NamedTuple):
    """A model, training and validation structures as ``predict`` takes them, and the epochs."""

    model: StructureModel | RandomFeatureModel
    sets: list[LabelledStructures]
    predict: Callable[[LabelledStructures], Prediction]
    history: list[Epoch[StructureErrors]]


def _train(
    config: FitConfig,
    report: Report,
    training: LabelledStructures,
    validation: LabelledStructures,
    place: torch.device,
    checkpoint: Path,
) -> _Fitted:
    """Networks, from the checkpoint if there is one."""
    folder = checkpoint.parent
    identity = config.model_dump(mode="json", exclude={"output": True})
    identity["training"].pop("checkpoint_seconds")
    identity["contents"] = [part.digest()[:12] for part in (training, validation)]
    state = load_checkpoint(checkpoint, identity) if checkpoint.exists() else None
    if state is None:
        with report.stage("compression") as progress:
            model = _fresh_model(config, training, progress)
        model.save(folder / _DESCRIPTOR, trained=False)
    else:
        model = StructureModel.load(folder / _DESCRIPTOR, trained=False)
    dtype = getattr(torch, config.training.dtype)
    energies = {z: model.of(z) for z in model.elements}
    for one in energies.values():
        one.energy.to(dtype)
        one.to(place)
    sets = [_residual(part, model).to(dtype, place) for part in (training, validation)]
    trainer = StructureTrainer(energies, sets[0], sets[1], config.training, config.seed)
    if state is not None:
        trainer.restore(*state)
        report.say(f"resuming {folder} after batch {trainer.step} of {trainer.n_steps}")
    optimise(
        trainer,
        config.model,
        report,
        lambda: save_checkpoint(checkpoint, *trainer.state(), identity),
    )
    trainer.network.load_state_dict(trainer.best_state())
    predict = partial(trainer.predict, trainer.network)
    return _Fitted(model, sets, predict, trainer.history)


def _solve(
    config: FitConfig,
    report: Report,
    training: LabelledStructures,
    validation: LabelledStructures,
    place: torch.device,
) -> _Fitted:
    """Random features."""
    validation.check_elements(training.environments.center_species)
    model = fit_random(config, training, validation, report, place)
    if training.forces is not None:
        report.say("forces and stresses are compared with, not fitted to")
    sets = [part.to(torch.float64, place) for part in (training, validation)]
    size = config.training.batch_structures
    return _Fitted(model, sets, lambda part: predict_structures(model, part, size), [])


def _read(config: FitConfig, report: Report) -> tuple[LabelledStructures, LabelledStructures]:
    def read(path: str) -> LabelledStructures:
        return read_labelled(
            path,
            radius=config.expansion.radius,
            centers=None if config.centers == "all" else config.centers,
            energy=config.energy,
            forces=config.forces,
            stress=config.stress,
        )

    every = read(config.structures)
    files = {config.structures: every}
    if isinstance(config.validation, str):
        training, validation = every, read(config.validation)
        files[config.validation] = validation
    else:
        require(
            0 < config.validation < 1,
            "validation",
            "be a file or a part between 0 and 1",
            config.validation,
            "write e.g. 0.1",
        )
        order = torch.randperm(len(every), generator=generator_for(config.seed, "split"))
        kept = max(2, round(config.validation * len(every)))
        training, validation = (
            every.subset(rows.sort().values) for rows in (order[kept:], order[:kept])
        )
    for name, part in (("structures", training), ("validation", validation)):
        require(
            len(part) >= 2, name, "leave at least two structures", len(part), "label more of them"
        )
    require(
        bool(training.environments.mask.any()),
        "expansion.radius",
        "give some centre a neighbour",
        f"{config.expansion.radius} Å with none in {config.structures}",
        "raise it, or convert the positions to Å",
    )
    if training.forces is None or validation.forces is None:
        _say_why_without("forces", config.forces, files, report)
        training, validation = replace(training, forces=None), replace(validation, forces=None)
    if training.stresses is None or validation.stresses is None:
        _say_why_without("stress", config.stress, files, report)
        training, validation = replace(training, stresses=None), replace(validation, stresses=None)
    return training, validation


def _say_why_without(
    what: str, name: str, files: Mapping[str, LabelledStructures], report: Report
) -> None:
    """Fewer labels are fine where nothing else was meant; stresses are usual in crystals alone."""
    missing = [
        f"{part.without[what]} of {len(part)} structures of {path}"
        for path, part in files.items()
        if part.without[what]
    ]
    nowhere = all(part.without[what] == len(part) for part in files.values())
    require(
        not nowhere or name == FitConfig.model_fields[what].default,
        what,
        "name a label that some structure has",
        f"{name!r}, missing in {' and '.join(missing)}",
        f"correct the name, or leave it out to train without {what}",
    )
    if what == "forces" or not nowhere:
        report.say(f"training without {what}: no {name!r} in {' and '.join(missing)}")


def _fresh_model(config: FitConfig, training: LabelledStructures, progress: Any) -> StructureModel:
    """Atomic energies by least squares, compressions from a sample, networks from the seed."""
    if config.model == "random":
        raise AssertionError(config.model)
    found = training.environments
    elements = sorted(set(found.center_species.tolist()))
    species = config.expansion.species or tuple(sorted({*elements, *found.neighbor_species}))
    expansion = ExpansionSettings(**config.expansion.model_dump() | {"species": species})
    atomic = torch.linalg.lstsq(
        training.composition(elements), training.energies[:, None], driver="gelsd"
    ).solution[:, 0]
    models: dict[int, EnergyModel] = {}
    for number, z in enumerate(elements):
        progress(number, len(elements))
        mine = torch.nonzero(found.center_species == z).flatten()
        count = min(config.features.sample, len(mine))
        sample = found[mine[torch.linspace(0, len(mine) - 1, count).round().long()]]
        chunk = TripletDescriptor.chunk if config.model.startswith("B") else count
        densities = _chunks(expansion.build(), sample, chunk_for(chunk, sample.vectors.device))
        descriptor = fit_descriptor(
            config.model,
            densities,
            expansion,
            config.features.components,
            generator=generator_for(config.seed, "compression", z),
        )
        pairs = float(found.mask[mine].sum(dim=1).double().square().mean())
        spec = ModelSpec.describing(
            descriptor,
            model=config.model,
            expansion=expansion,
            network=config.network,
            pairs_per_environment=max(1, round(pairs)),
        )
        weights = generator_for(config.seed, "weights", z)
        models[z] = EnergyModel(spec, descriptor, build_energy(spec, weights))
    progress(len(elements), len(elements))
    centers = None if config.centers == "all" else tuple(config.centers)
    return StructureModel(models, dict(zip(elements, atomic.tolist(), strict=True)), centers)


def _chunks(
    expansion: SphericalExpansion, environments: Environments, size: int
) -> Callable[[], Iterator[Density]]:
    def densities() -> Iterator[Density]:
        return (expansion(part) for part in environments.split(size))

    return densities


def _residual(structures: LabelledStructures, model: StructureModel) -> LabelledStructures:
    """The energies that the atoms' own ones leave."""
    structures.check_elements(model.elements)
    counts = structures.composition(model.elements)
    return replace(structures, energies=structures.energies - counts @ model.atomic_energies)


def _write_results(path: Path, config: FitConfig, result: FitResult) -> None:
    content = {
        "training": asdict(result.training) | {"structures": result.counts[0]},
        "validation": asdict(result.validation) | {"structures": result.counts[1]},
        "units": {"energy": "eV per centre", "forces": "eV/Å", "stress": "eV/Å^3"},
        "seconds": result.seconds,
        "config": config.model_dump(mode="json"),
    }
    with atomic_write(path) as temporary:
        temporary.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def _draw(
    path: Path, sets: Sequence[LabelledStructures], predictions: Sequence[Prediction]
) -> None:
    names = ("training", "validation")

    def pairs(values: Sequence[Tensor | None], found: Sequence[Tensor | None]) -> Any:
        return {
            name: (x.flatten().cpu(), y.flatten().cpu())
            for name, x, y in zip(names, values, found, strict=True)
            if x is not None and y is not None
        }

    energies = pairs(
        [part.energies / part.n_centers for part in sets],
        [p.energies / part.n_centers for p, part in zip(predictions, sets, strict=True)],
    )
    forces = pairs([part.forces for part in sets], [p.forces for p in predictions])
    stresses = pairs([part.stresses for part in sets], [p.stresses for p in predictions])
    draw_parity(path, energies, forces, stresses)
