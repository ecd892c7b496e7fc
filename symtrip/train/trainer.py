"""Training on pairs: energies and their differences; weights selected on training pairs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from symtrip.errors import require
from symtrip.models import InvariantEnergy, PairFeatures, TripletEnergy, TripletReconstruction
from symtrip.train.config import TrainingSettings
from symtrip.train.metrics import PairErrors, pair_errors, pair_loss
from symtrip.train.optimisation import Optimisation
from symtrip.train.seeds import generator_for

__all__ = ["LabelledPairs", "Trainer", "joined", "paired", "predict", "split_pairs"]

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

    def batch(self, rows: Tensor) -> LabelledPairs:
        """Some of the pairs, in the order in memory that training reads fastest."""
        if self.energies.device.type != "cpu" or not isinstance(self.features, PairFeatures):
            return self[rows]
        both = torch.stack([2 * rows, 2 * rows + 1], dim=1).flatten()
        return replace(self, features=self.features.gathered(both), energies=self.energies[rows])

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


def _evaluate(energy: nn.Module, features: PairFeatures | Tensor) -> Tensor:
    if isinstance(energy, TripletEnergy | TripletReconstruction) and isinstance(
        features, PairFeatures
    ):
        return energy.for_training(features)
    return energy(features)  # type: ignore[no-any-return]


def predict(
    energy: nn.Module, features: PairFeatures | Tensor
) -> Float[Tensor, "pairs 2 *columns"]:
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
            _evaluate(energy, features[start : start + _PREDICTION_CHUNK])
            for start in range(0, count, _PREDICTION_CHUNK)
        ]
    return paired(torch.cat(pieces))


class Trainer(Optimisation[PairErrors]):
    """A network trained on pairs.

    The loss of a batch of whole pairs is the mean squared error of the energies plus
    ``difference_weight`` times that of the differences within pairs, in units of the variance of
    the training energies. The averaged weights are judged by the same loss.

    Args:
        energy: the network, freshly initialised; it is trained in place.
        fit: pairs to fit.
        select: training pairs kept aside for the selection.
        settings: the optimisation.
        seed: determines the order of the batches.
    """

    def __init__(
        self,
        energy: Energy,
        fit: LabelledPairs,
        select: LabelledPairs,
        settings: TrainingSettings,
        seed: int,
    ) -> None:
        self._fit, self._select = fit, select
        self._difference_weight = settings.difference_weight
        self._spread = float(fit.energies.std(correction=0))
        energy.standardise(float(fit.energies.mean()), self._spread)
        super().__init__(
            energy,
            settings,
            count=len(fit),
            batch=settings.batch_pairs,
            seed=seed,
            device=fit.energies.device,
            recorded=True,
        )

    def loss(self, network: nn.Module, rows: Tensor) -> Tensor:
        """See :meth:`Optimisation.loss`."""
        batch = self._fit.batch(rows)
        return self._squared(paired(_evaluate(network, batch.features)) - batch.energies)

    def judge(self, network: nn.Module) -> tuple[float, PairErrors]:
        """See :meth:`Optimisation.judge`."""
        predicted = predict(network, self._select.features)
        score = float(self._squared(predicted - self._select.energies))
        return score, pair_errors(predicted, self._select.energies)

    def errors_from(self, values: dict[str, Any]) -> PairErrors:
        """See :meth:`Optimisation.errors_from`."""
        return PairErrors(**values)

    def _squared(self, error: Tensor) -> Tensor:
        return pair_loss(error / self._spread, self._difference_weight)
