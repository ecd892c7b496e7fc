"""Models A and C: from triplets to invariants through a latent vector, from vectors to energies."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor

from symtrip.data import B8Pairs
from symtrip.files import atomic_write, save_tensors
from symtrip.models import (
    InvariantEnergy,
    LatentDecoder,
    PairFeatures,
    TripletEncoder,
    TripletReconstruction,
    sum_over_pairs,
)
from symtrip.reproduce.fitting import Task, TripletInput, fit_network
from symtrip.reproduce.invariants import Invariants
from symtrip.reproduce.presets import ModelPlan
from symtrip.train import (
    LabelledPairs,
    PairErrors,
    joined,
    pair_errors,
    paired,
    predict,
    refit_last_layer,
)
from symtrip.train.seeds import generator_for

__all__ = [
    "fit_energy",
    "fit_reconstruction",
    "labelled_sets",
    "load_latent",
    "reconstruction",
    "whitening_factors",
    "write_errors",
]

_SETS = ("training", "validation")


def write_errors(
    folder: Path, errors: dict[str, PairErrors], limit: dict[str, PairErrors] | None = None
) -> None:
    """Write the errors of one run, set by set.

    Args:
        folder: gets ``errors.json``.
        errors: set -> errors.
        limit: those that a decoder whose last layer reads one hidden layer alone would not go
            below, written as "limit".
    """
    content: dict[str, Any] = {name: asdict(error) for name, error in errors.items()}
    if limit is not None:
        content["limit"] = {name: asdict(error) for name, error in limit.items()}
    with atomic_write(folder / "errors.json") as temporary:
        temporary.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def reconstruction(
    plan: ModelPlan, sections: Any, units: Tensor, seed: int
) -> TripletReconstruction:
    """The network of a model A^rho, with fresh weights.

    Args:
        plan: the row; names that end in ``_NL`` have the nonlinear encoder.
        sections: of the compressed triplet features.
        units: (K,) spread of the targets.
        seed: of the weights.
    """
    generator = generator_for(seed, "weights")
    latent = plan.latent
    encoder = TripletEncoder(
        sections,
        latent.size,
        latent.hidden,
        nonlinear=plan.model.endswith("_NL"),
        generator=generator,
    )
    decoder = LatentDecoder(
        latent.size, len(units), latent.hidden, skip=latent.skip, generator=generator
    )
    return TripletReconstruction(encoder, decoder, units)


def fit_reconstruction(
    folder: Path,
    plan: ModelPlan,
    triplets: TripletInput,
    targets: dict[str, Invariants],
    task: Task,
) -> None:
    """Train encoder and decoder, then solve for the last layer; no labels are needed.

    Args:
        folder: gets ``weights``, ``latent.safetensors`` (of all structures) and ``errors.json``,
            with what as many components of the targets as the decoder is wide miss, if there are
            more: about the least error of a decoder whose last layer reads only the layer below.
        plan: the row.
        triplets: input of training, validation and, if there are any, further pairs.
        targets: invariants of the same sets; further pairs are trained on as well.
        task: seed, settings, device.
    """
    known = targets["training"].values
    spread = known.flatten(0, 1).double().std(dim=0, correction=0)
    # columns without any variance need none of the network's
    units = spread.clamp(min=1e-6 * float(spread.max())).to(known)
    network = reconstruction(plan, triplets.sections, units, task.seed)
    features: PairFeatures | Tensor = triplets.features
    n_known = 2 * len(known)
    if not network.encoder.nonlinear:
        # what a linear encoder can do does not depend on the scale of its input, its training does
        network.encoder.pairs_per_environment = 1
        total = sum_over_pairs(triplets.features).double()
        mean, scale = _scaling(total[:n_known], plan.whitening)
        features = ((total - mean) * scale).to(torch.float32)

    def with_further_pairs(some: LabelledPairs) -> LabelledPairs:
        if "further" not in targets:
            return some
        more = targets["further"].values
        other = LabelledPairs(features[-2 * len(more) :], more)
        return joined(some, other.to(some.energies.device))

    fit_network(
        folder,
        network,
        LabelledPairs(features[:n_known], known),
        task,
        augment=with_further_pairs,
        finish=lambda fit, select: refit_last_layer(
            network, fit, select, task.settings.difference_weight
        ),
    )
    network.cpu()
    predicted = predict(network, features[: n_known + 2 * len(targets["validation"].values)])
    with torch.no_grad():
        pieces = [network.encoder(features[i : i + 256]) for i in range(0, len(features), 256)]
    save_tensors(folder / "latent.safetensors", {"latent": torch.cat(pieces)})

    parts = predicted[: len(known)], predicted[len(known) :]
    errors = {name: targets[name].errors(part) for name, part in zip(_SETS, parts, strict=True)}
    limit = None
    if plan.latent.hidden < known.shape[-1]:
        columns = targets["training"].largest(plan.latent.hidden)
        kept = {name: targets[name].only(columns) for name in _SETS}
        limit = {name: some.errors(some.values) for name, some in kept.items()}
    write_errors(folder, errors, limit)


def _scaling(rows: Tensor, whitening: float) -> tuple[Tensor, Tensor]:
    """Offset and factor of each column: see :class:`~symtrip.reproduce.ModelPlan`."""
    mean, spread = rows.mean(dim=0), rows.std(dim=0, correction=0)
    return mean, whitening_factors(spread, whitening) / float(spread.max())


def whitening_factors(spread: Tensor, whitening: float) -> Tensor:
    """Factor of each column, 1 for the one of the largest spread.

    Args:
        spread: (q,) standard deviations.
        whitening: as in :class:`~symtrip.reproduce.ModelPlan`.
    """
    return (spread / float(spread.max())).clamp(min=1e-6) ** -whitening


def labelled_sets(
    vectors: dict[str, Tensor], pairs: dict[str, B8Pairs]
) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Vectors and energies of the pairs that have labels.

    Args:
        vectors: set -> (P, 2, q).
        pairs: the same sets.
    """
    rows = {name: data.mask.all(dim=1) for name, data in pairs.items()}
    return (
        {name: vectors[name][mine] for name, mine in rows.items()},
        {name: pairs[name].energies[mine] for name, mine in rows.items()},
    )


def load_latent(folder: Path) -> Tensor:
    """(P, 2, size) latent vectors that :func:`fit_reconstruction` left."""
    latent: Tensor = load_file(folder / "latent.safetensors")["latent"]
    return paired(latent)


def fit_energy(
    folder: Path,
    plan: ModelPlan,
    vectors: dict[str, Tensor],
    pairs: dict[str, B8Pairs],
    task: Task,
    *,
    n_even: int | None = None,
) -> None:
    """Train an energy network on vectors of whole environments.

    Args:
        folder: gets ``weights`` and ``errors.json``.
        plan: the row.
        vectors: "training", "validation" and, if there are any, "further" -> (P, 2, q).
        pairs: the same pairs, labelled or not; only labelled ones are used, further ones for the
            training, never for the selection of weights.
        task: seed, settings, device.
        n_even: columns, the first ones, that inversion leaves alone; it changes the signs of all
            others. If given, mirror images are trained on as well.
    """
    known, energies = labelled_sets(vectors, pairs)
    mean, scale = _scaling(known["training"].flatten(0, 1).double(), plan.whitening)
    if n_even is not None:
        mean[n_even:] = 0.0
    inputs = {
        name: ((x.double() - mean) * scale).to(torch.float32).flatten(0, 1)
        for name, x in known.items()
    }
    q = len(mean)
    network = InvariantEnergy(
        q,
        q,
        plan.network.hidden,
        nonlinear=True,
        generator=generator_for(task.seed, "weights"),
    )
    data = LabelledPairs(inputs["training"], energies["training"].to(torch.float32))

    def augment(some: LabelledPairs) -> LabelledPairs:
        if "further" in inputs:
            more = LabelledPairs(inputs["further"], energies["further"].to(torch.float32))
            some = joined(some, more.to(some.energies.device))
        if n_even is None or not isinstance(some.features, Tensor):
            return some
        mirrored = some.features.clone()
        mirrored[:, n_even:] *= -1.0
        return joined(some, LabelledPairs(mirrored, some.energies))

    fit_network(folder, network, data, task, augment=augment)
    network.cpu()
    write_errors(
        folder,
        {name: pair_errors(predict(network, inputs[name]), energies[name]) for name in _SETS},
    )
