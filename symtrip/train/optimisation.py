"""The training loop: optimiser, one-cycle schedule, averaged weights, selection of the best."""

from __future__ import annotations

import copy
import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any, Generic, TypeVar

import torch
from torch import Tensor, nn
from torch.optim import AdamW, Muon, Optimizer
from torch.optim.lr_scheduler import OneCycleLR
from torch.optim.swa_utils import get_ema_multi_avg_fn

from symtrip.precision import fast_float32
from symtrip.train.checkpoint import put_tensors, take_tensors
from symtrip.train.config import OptimiserSettings
from symtrip.train.gradients import Gradients, gradients
from symtrip.train.seeds import generator_for

__all__ = ["Epoch", "Optimisation"]

Errors = TypeVar("Errors")

# bases of longer sides, the outputs of models A_rho, took almost half of a step's time
_LARGEST_PRECONDITIONED = 512


@dataclass(frozen=True)
class Epoch(Generic[Errors]):
    """What happened in one epoch.

    Attributes:
        number: counted from 1.
        loss: mean training loss.
        selection: errors of the averaged weights on what is kept aside.
        best: whether these are the best weights so far.
    """

    number: int
    loss: float
    selection: Errors
    best: bool


class Optimisation(ABC, Generic[Errors]):
    """One training run that can stop after any batch and continue as if it had not.

    After each epoch the averaged weights are judged on data kept aside, and the best ones are kept.

    Args:
        network: freshly initialised; it is trained in place.
        settings: the optimisation.
        count: number of items to fit.
        batch: items in a batch.
        seed: determines the order of the batches.
        device: of network and data.
        recorded: whether all batches of one size have tensors of the same shapes, so that a GPU may
            replay a recorded step.

    Attributes:
        step: number of batches done.
        n_steps: number of batches of the whole run.
        history: one record for each finished epoch.
    """

    def __init__(
        self,
        network: nn.Module,
        settings: OptimiserSettings,
        *,
        count: int,
        batch: int,
        seed: int,
        device: torch.device,
        recorded: bool,
    ) -> None:
        self.network, self.settings, self.seed = network, settings, seed
        self._count, self._batch, self._device = count, batch, device
        self.steps_per_epoch = math.ceil(count / batch)
        self.n_steps = settings.epochs * self.steps_per_epoch
        self.step = 0
        self.history: list[Epoch[Errors]] = []
        self._optimizers = _optimizers(network, settings)
        self._schedules = [
            OneCycleLR(
                optimizer,
                settings.learning_rate,
                total_steps=self.n_steps + 1,
                cycle_momentum=isinstance(optimizer, AdamW),
            )
            for optimizer in self._optimizers
        ]
        self._average = copy.deepcopy(network).requires_grad_(False)
        self._gradients: Gradients = gradients(
            network, lambda rows: self.loss(network, rows), device, recorded=recorded
        )
        self._best = {k: v.clone() for k, v in network.state_dict().items()}
        self._best_score = math.inf
        self._losses: list[Tensor] = []  # on the device: reading one waits for the batch
        self._order = torch.empty(0, dtype=torch.int64)

    @abstractmethod
    def loss(self, network: nn.Module, rows: Tensor) -> Tensor:
        """The loss of a batch of items, differentiable."""

    @abstractmethod
    def judge(self, network: nn.Module) -> tuple[float, Errors]:
        """Score (less is better) and errors on what is kept aside."""

    @abstractmethod
    def errors_from(self, values: dict[str, Any]) -> Errors:
        """Errors from what ``dataclasses.asdict`` made of them."""

    @property
    def finished(self) -> bool:
        """Whether all epochs are done."""
        return self.step >= self.n_steps

    def run(self, stop: Callable[[], bool] = lambda: False) -> Iterator[Epoch[Errors] | None]:
        """Train until the end or until ``stop`` says so.

        Args:
            stop: asked after every batch.

        Yields:
            After every batch: the record of the epoch that it finished, or ``None``. The state may
            be saved at each of these moments.
        """
        while not (self.finished or stop()):
            with fast_float32(self._device.type == "cpu"):
                record = self._advance()
            yield record

    def best_state(self) -> dict[str, Tensor]:
        """The selected weights."""
        return {name: value.clone() for name, value in self._best.items()}

    def _advance(self) -> Epoch[Errors] | None:
        epoch, position = divmod(self.step, self.steps_per_epoch)
        if position == 0 or len(self._order) == 0:
            generator = generator_for(self.seed, "order", epoch)
            self._order = torch.randperm(self._count, generator=generator).to(self._device)
        self._losses.append(self._gradients(self._order[position * self._batch :][: self._batch]))
        for optimizer, schedule in zip(self._optimizers, self._schedules, strict=True):
            optimizer.step()
            schedule.step()
        self._update_average()
        self.step += 1
        return self._end_epoch(epoch + 1) if position + 1 == self.steps_per_epoch else None

    def _update_average(self) -> None:
        """Exponential moving average whose memory grows with the run: a short one has none."""
        decay = min(self.settings.average_decay, (1 + self.step) / (10 + self.step))
        update = get_ema_multi_avg_fn(decay if self.step else 0.0)  # type: ignore[no-untyped-call]
        update(list(self._average.parameters()), list(self.network.parameters()), self.step)

    def _end_epoch(self, number: int) -> Epoch[Errors]:
        score, errors = self.judge(self._average)
        best = score < self._best_score
        if best:
            self._best_score = score
            self._best = {k: v.clone() for k, v in self._average.state_dict().items()}
        losses = self._known_losses()
        record = Epoch(number=number, loss=sum(losses) / len(losses), selection=errors, best=best)
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
        tensors = {f"energy.{k}": v for k, v in self.network.state_dict().items()}
        tensors |= {f"average.{k}": v for k, v in self._average.state_dict().items()}
        tensors |= {f"best.{k}": v for k, v in self._best.items()}
        optimizers = [optimizer.state_dict() for optimizer in self._optimizers]
        values = {
            "step": self.step,
            "best_score": self._best_score if math.isfinite(self._best_score) else None,
            "losses": self._known_losses(),
            "history": [asdict(epoch) for epoch in self.history],
            "optimizers": take_tensors(optimizers, "optimizer", tensors),
            "schedules": [schedule.state_dict() for schedule in self._schedules],
        }
        return {name: tensor.clone() for name, tensor in tensors.items()}, values

    def restore(self, tensors: dict[str, Tensor], values: dict[str, Any]) -> None:
        """Continue from what :meth:`state` returned, in a run built with the same arguments.

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

        self.network.load_state_dict(part("energy."))
        self._average.load_state_dict(part("average."))
        self._best = part("best.")
        optimizers = put_tensors(values["optimizers"], tensors)
        for number, optimizer in enumerate(self._optimizers):
            state = optimizers[number]
            state["state"] = {int(index): slots for index, slots in state["state"].items()}
            optimizer.load_state_dict(state)
            self._schedules[number].load_state_dict(values["schedules"][number])
        self.step = values["step"]
        self._best_score = math.inf if values["best_score"] is None else values["best_score"]
        like = next(self.network.parameters())
        self._losses = list(like.new_tensor(values["losses"]))
        self.history = [
            Epoch(**{**epoch, "selection": self.errors_from(epoch["selection"])})
            for epoch in values["history"]
        ]
        self._order = torch.empty(0, dtype=torch.int64)


def _optimizers(network: nn.Module, settings: OptimiserSettings) -> list[Optimizer]:
    matrices: list[nn.Parameter] = []
    others: list[nn.Parameter] = []
    for parameter in network.parameters():
        is_matrix = parameter.ndim == 2 and min(parameter.shape) > 1
        (matrices if is_matrix and settings.optimiser != "adamw" else others).append(parameter)
    optimizers = [_for_matrices(matrices, settings)] if matrices else []
    if others:
        rate, decay = settings.learning_rate, settings.weight_decay
        optimizers.append(AdamW(others, lr=rate, weight_decay=decay, fused=True))
    return optimizers


def _for_matrices(matrices: list[nn.Parameter], settings: OptimiserSettings) -> Optimizer:
    rate, decay = settings.learning_rate, settings.weight_decay
    if settings.optimiser == "soap":
        # imports a hundred other optimisers, in about a second
        from pytorch_optimizer import SOAP

        return SOAP(
            matrices, lr=rate, weight_decay=decay, max_precondition_dim=_LARGEST_PRECONDITIONED
        )
    # steps as large as those of AdamW, so that one learning rate serves both
    return Muon(matrices, lr=rate, weight_decay=decay, adjust_lr_fn="match_rms_adamw")
