"""The paper's two errors of what is predicted for pairs: energies, or many features at once."""

from __future__ import annotations

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from symtrip.errors import require

__all__ = ["PairErrors", "pair_errors", "pair_loss"]


@dataclass(frozen=True)
class PairErrors:
    """Errors of a set of pairs, relative to the spread of its targets; 0 is perfect.

    Attributes:
        mean: rms error of the pair means, over the standard deviation of all targets.
        diff: rms error of the differences within pairs, over their standard deviation; 1 for a
            model that cannot tell the members of a pair apart.
    """

    mean: float
    diff: float

    def __str__(self) -> str:
        return f"{self.mean:.4f} / {self.diff:.4f}"


def pair_errors(
    predicted: Float[Tensor, "pairs 2 *columns"], target: Float[Tensor, "pairs 2 *columns"]
) -> PairErrors:
    """Errors of the means and of the differences of pairs.

    Args:
        predicted: (pairs, 2) predictions for both members, or (pairs, 2, columns).
        target: what they should be, of the same shape, in the same unit; at least 2 pairs, no NaN.

    Returns:
        The errors. Standard deviations are those of the set itself (divisor n, not n - 1). Squares
        are summed over columns, deviations are from each column's mean, so that a rotation of the
        columns changes nothing.

    Raises:
        InputError: the shapes differ, there are fewer than 2 pairs, or a target is not finite.

    Source:
        Nigam et al., APL Mach. Learn. 2, 016110 (2024), Table 1.
    """
    require(
        predicted.shape == target.shape and target.shape[0] >= 2,
        "predicted",
        "have the shape of the targets, (pairs, 2, ...) with at least 2 pairs",
        f"{tuple(predicted.shape)} for targets {tuple(target.shape)}",
        "predict both members of every pair",
    )
    require(
        bool(target.isfinite().all()),
        "target",
        "be finite",
        f"{int((~target.isfinite()).sum())} NaN or infinite",
        "drop pairs without labels, e.g. with B8Pairs.labelled",
    )
    error, wanted = predicted.double() - target.double(), target.double()
    mean = error.mean(dim=1).square().mean().sqrt() / _spread(wanted.flatten(0, 1))
    difference = wanted[:, 0] - wanted[:, 1]
    diff = (error[:, 0] - error[:, 1]).square().mean().sqrt() / _spread(difference)
    return PairErrors(float(mean), float(diff))


def pair_loss(error: Float[Tensor, "pairs 2 *columns"], difference_weight: float) -> Tensor:
    """What is minimised, and what weights and settings are selected by.

    Args:
        error: of both members of each pair.
        difference_weight: of the mean square of differences within pairs; that of all errors has
            weight 1.
    """
    difference = error[:, 0] - error[:, 1]
    loss: Tensor = error.square().mean() + difference_weight * difference.square().mean()
    return loss


def _spread(rows: Tensor) -> Tensor:
    return rows.var(dim=0, correction=0).mean().sqrt()
