"""The training loop: AdamW, one-cycle schedule, averaged weights, selection on training pairs."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.optim.lr_scheduler import OneCycleLR
from torch.optim.swa_utils import get_ema_multi_avg_fn

from symtrip.errors import require
from symtrip.models import InvariantEnergy, PairFeatures, TripletEnergy, TripletReconstruction
from symtrip.train.config import TrainingSettings
from symtrip.train.gradients import gradients
from symtrip.train.metrics import PairErrors, pair_errors
from symtrip.train.seeds import generator_for

__all__ = ["Epoch", "LabelledPairs", "Trainer", "joined", "paired", "predict", "split_pairs"]

Energy = TripletEnergy | InvariantEnergy | TripletReconstruction

_PREDICTION_CHUNK = 256


@dataclass(frozen=True, eq=False)
class LabelledPairs:
    """Features and energies of whole pairs.

    Attributes:
        features: those of 2P environments: pair 0 plus, pair 0 minus, pair 1 plus, ...
        energies: (P, 2) in eV, without NaN; or other targets, (P, 2, columns).
    """

    features: PairFeatures | Tensor
    energies: Float[Tensor, "pairs 2 *columns"]

    def __len__(self) -> int:
        """Number of pairs P."""
        return len(self.energies)

    def __getitem__(self, rows: Tensor | slice) -> LabelledPairs:
        """Some of the pairs."""
        every = torch.arange(len(self), device=self.energies.device)
        chosen = every[rows.to(every.device) if isinstance(rows, Tensor) else rows]
        both = torch.stack([2 * chosen, 2 * chosen + 1], dim=1).flatten()
        return replace(self, features=self.features[both], energies=self.energies[chosen])

    def to(self, device: torch.device) -> LabelledPairs:
        """The same pairs on a device."""
        return LabelledPairs(self.features.to(device=device), self.energies.to(device))


def joined(first: LabelledPairs, second: LabelledPairs) -> LabelledPairs:
    """The pairs of both, one after the other.

    Args:
        first: pairs.
        second: pairs with the same kind of features, on the same device.
    """
    a, b = first.features, second.features
    features: PairFeatures | Tensor
    if isinstance(a, PairFeatures) and isinstance(b, PairFeatures):
        features = PairFeatures.cat([a, b])
    elif isinstance(a, Tensor) and isinstance(b, Tensor):
        features = torch.cat([a, b])
    else:
        raise TypeError(f"features of kinds {type(a).__name__} and {type(b).__name__}")
    return LabelledPairs(features, torch.cat([first.energies, second.energies]))


@dataclass(frozen=True)
class Epoch:
    """What happened in one epoch.

    Attributes:
        number: counted from 1.
        loss: mean training loss, in units of the variance of the training energies.
        selection: errors of the averaged weights on the pairs kept aside.
        best: whether these are the best weights so far.
    """

    number: int
    loss: float
    selection: PairErrors
    best: bool


def split_pairs(n_pairs: int, fraction: float, seed: int) -> tuple[Tensor, Tensor]:
    """Split training pairs into those to fit and those to select on.

    Args:
        n_pairs: number of pairs, >= 4.
        fraction: part kept for the selection; at least 2 pairs on either side.
        seed: seed of the run.

    Returns:
        Row numbers to fit and to select on, each ascending.

    Raises:
        InputError: there are fewer than 4 pairs.
    """
    require(n_pairs >= 4, "training_pairs", "be at least 4", n_pairs, "use more labelled pairs")
    order = torch.randperm(n_pairs, generator=generator_for(seed, "split"))
    n_select = min(max(2, round(fraction * n_pairs)), n_pairs - 2)
    return order[n_select:].sort().values, order[:n_select].sort().values


def paired(rows: Tensor) -> Tensor:
    """(2 P, ...) rows, members of a pair next to each other, as (P, 2, ...)."""
    return rows.reshape(-1, 2, *rows.shape[1:])


def predict(energy: Energy, features: PairFeatures | Tensor) -> Float[Tensor, "pairs 2 *columns"]:
    """Energies of whole pairs, without gradients and in chunks.

    Args:
        energy: the network.
        features: those of 2P environments, members of a pair next to each other.

    Returns:
        (P, 2) in eV, or (P, 2, columns) for a network with as many outputs.
    """
    count = len(features)
    with torch.no_grad():
        pieces = [
            energy(features[start : start + _PREDICTION_CHUNK])
            for start in range(0, count, _PREDICTION_CHUNK)
        ]
    return paired(torch.cat(pieces))


class Trainer:
    """One training run that can stop after any batch and continue as if it had not.

    The loss of a batch of whole pairs is the mean squared error of the energies plus
    ``difference_weight`` times that of the differences within pairs, in units of the variance of
    the training energies. After each epoch the averaged weights are judged by the same loss on the
    pairs kept aside, and the best ones are kept.

    Args:
        energy: the network, freshly initialised; it is trained in place.
        fit: pairs to fit.
        select: training pairs kept aside for the selection.
        settings: the optimisation.
        seed: determines the order of the batches.

    Attributes:
        step: number of batches done.
        n_steps: number of batches of the whole run.
        history: one record for each finished epoch.
    """

    def __init__(
        self,
        energy: Energy,
        fit: LabelledPairs,
        select: LabelledPairs,
        settings: TrainingSettings,
        seed: int,
    ) -> None:
        self.energy, self.settings, self.seed = energy, settings, seed
        self._fit, self._select = fit, select
        self._spread = float(fit.energies.std(correction=0))
        energy.standardise(float(fit.energies.mean()), self._spread)
        self.steps_per_epoch = math.ceil(len(fit) / settings.batch_pairs)
        self.n_steps = settings.epochs * self.steps_per_epoch
        self.step = 0
        self.history: list[Epoch] = []
        self._optimizer = torch.optim.AdamW(
            energy.parameters(),
            lr=settings.learning_rate,
            weight_decay=settings.weight_decay,
            fused=True,
        )
        self._schedule = OneCycleLR(
            self._optimizer, settings.learning_rate, total_steps=self.n_steps + 1
        )
        self._average = copy.deepcopy(energy).requires_grad_(False)
        self._gradients = gradients(
            self._optimizer,
            lambda rows: self._loss(energy, fit[rows]),
            fit.energies.device,
        )
        self._best = {k: v.clone() for k, v in energy.state_dict().items()}
        self._best_score = math.inf
        self._losses: list[Tensor] = []  # on the device: reading one waits for the batch
        self._order = torch.empty(0, dtype=torch.int64)

    @property
    def finished(self) -> bool:
        """Whether all epochs are done."""
        return self.step >= self.n_steps

    def run(self, stop: Callable[[], bool] = lambda: False) -> Iterator[Epoch | None]:
        """Train until the end or until ``stop`` says so.

        Args:
            stop: asked after every batch.

        Yields:
            After every batch: the record of the epoch that it finished, or ``None``. The state may
            be saved at each of these moments.
        """
        while not (self.finished or stop()):
            yield self._advance()

    def best_state(self) -> dict[str, Tensor]:
        """The selected weights."""
        return {name: value.clone() for name, value in self._best.items()}

    def _advance(self) -> Epoch | None:
        epoch, position = divmod(self.step, self.steps_per_epoch)
        if position == 0 or len(self._order) == 0:
            generator = generator_for(self.seed, "order", epoch)
            order = torch.randperm(len(self._fit), generator=generator)
            self._order = order.to(self._fit.energies.device)
        size = self.settings.batch_pairs
        self._losses.append(self._gradients(self._order[position * size :][:size]))
        self._optimizer.step()
        self._schedule.step()
        self._update_average()
        self.step += 1
        return self._end_epoch(epoch + 1) if position + 1 == self.steps_per_epoch else None

    def _update_average(self) -> None:
        """Exponential moving average whose memory grows with the run: a short one has none."""
        decay = min(self.settings.average_decay, (1 + self.step) / (10 + self.step))
        update = get_ema_multi_avg_fn(decay if self.step else 0.0)  # type: ignore[no-untyped-call]
        update(list(self._average.parameters()), list(self.energy.parameters()), self.step)

    def _loss(self, energy: Energy, batch: LabelledPairs) -> Tensor:
        predicted = paired(energy(batch.features))
        error = (predicted - batch.energies) / self._spread
        difference = error[:, 0] - error[:, 1]
        weight = self.settings.difference_weight
        loss: Tensor = error.square().mean() + weight * difference.square().mean()
        return loss

    def _end_epoch(self, number: int) -> Epoch:
        predicted = predict(self._average, self._select.features)
        error = (predicted - self._select.energies) / self._spread
        difference = (error[:, 0] - error[:, 1]).square().mean()
        score = float(error.square().mean() + self.settings.difference_weight * difference)
        best = score < self._best_score
        if best:
            self._best_score = score
            self._best = {k: v.clone() for k, v in self._average.state_dict().items()}
        losses = self._known_losses()
        record = Epoch(
            number=number,
            loss=sum(losses) / len(losses),
            selection=pair_errors(predicted, self._select.energies),
            best=best,
        )
        self._losses = []
        self.history.append(record)
        return record

    def _known_losses(self) -> list[float]:
        losses: list[float] = torch.stack(self._losses).tolist() if self._losses else []
        return losses

    def state(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """Everything that the rest of the run depends on.

        Returns:
            Tensors by name, and values that JSON can hold.
        """
        tensors = {f"energy.{k}": v for k, v in self.energy.state_dict().items()}
        tensors |= {f"average.{k}": v for k, v in self._average.state_dict().items()}
        tensors |= {f"best.{k}": v for k, v in self._best.items()}
        optimizer = self._optimizer.state_dict()
        for index, slots in optimizer["state"].items():
            tensors |= {f"optimizer.{index}.{k}": v for k, v in slots.items()}
        values = {
            "step": self.step,
            "best_score": self._best_score if math.isfinite(self._best_score) else None,
            "losses": self._known_losses(),
            "history": [asdict(epoch) for epoch in self.history],
            "groups": optimizer["param_groups"],
            "schedule": self._schedule.state_dict(),
        }
        return {name: tensor.clone() for name, tensor in tensors.items()}, values

    def restore(self, tensors: dict[str, Tensor], values: dict[str, Any]) -> None:
        """Continue from what :meth:`state` returned, in a trainer built with the same arguments.

        Args:
            tensors: the tensors.
            values: the other values, perhaps after a detour through JSON.
        """

        def part(prefix: str) -> dict[str, Tensor]:
            return {
                name.removeprefix(prefix): tensor
                for name, tensor in tensors.items()
                if name.startswith(prefix)
            }

        self.energy.load_state_dict(part("energy."))
        self._average.load_state_dict(part("average."))
        self._best = part("best.")
        slots: dict[int, dict[str, Tensor]] = {}
        for name, tensor in part("optimizer.").items():
            index, key = name.split(".", 1)
            slots.setdefault(int(index), {})[key] = tensor
        self._optimizer.load_state_dict({"state": slots, "param_groups": values["groups"]})
        self._schedule.load_state_dict(values["schedule"])
        self.step = values["step"]
        self._best_score = math.inf if values["best_score"] is None else values["best_score"]
        self._losses = list(self._fit.energies.new_tensor(values["losses"]))
        self.history = [
            Epoch(**{**epoch, "selection": PairErrors(**epoch["selection"])})
            for epoch in values["history"]
        ]
        self._order = torch.empty(0, dtype=torch.int64)
