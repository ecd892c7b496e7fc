"""Building blocks of the energy models; every weight is drawn from an explicit generator."""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from symtrip.errors import require

__all__ = ["EnergyHead", "RowGroupNorm", "linear"]


def linear(n_in: int, n_out: int, generator: torch.Generator | None = None) -> nn.Linear:
    """An ``nn.Linear`` with torch's usual initial distribution, drawn from ``generator``.

    Args:
        n_in: number of input columns, >= 1.
        n_out: number of output columns, >= 1.
        generator: source of the weights; ``None``: torch's default generator.
    """
    layer: nn.Linear = nn.utils.skip_init(nn.Linear, n_in, n_out)  # type: ignore[no-untyped-call]
    bound = 1.0 / math.sqrt(n_in)
    with torch.no_grad():
        layer.weight.uniform_(-bound, bound, generator=generator)
        layer.bias.uniform_(-bound, bound, generator=generator)
    return layer


class RowGroupNorm(nn.Module):
    """``nn.GroupNorm`` for rows without spatial axes: each group of columns is standardised.

    The same function as ``nn.GroupNorm(groups, channels)`` on an (M, channels) matrix, for any
    leading shape; it runs through the layer-norm kernel, which is faster there.

    Args:
        groups: number of groups, a divisor of ``channels``.
        channels: number of columns.
        eps: added to the variance; it keeps constant rows and their gradients finite.

    Accuracy:
        within 64 eps of ``nn.GroupNorm`` for rows of unit scale
        (tests/property/test_models_energy.py).

    Source:
        Wu & He, Group Normalization, ECCV 2018, Eqs. 1-6.
    """

    def __init__(self, groups: int, channels: int, eps: float = 1e-5) -> None:
        require(
            groups >= 1 and channels % groups == 0,
            "hidden",
            f"be a multiple of the {groups} normalisation groups",
            channels,
            f"take e.g. {max(1, channels // max(groups, 1)) * max(groups, 1)}",
        )
        super().__init__()
        self.groups = groups
        self.eps = eps
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Float[Tensor, "*rows channels"]) -> Float[Tensor, "*rows channels"]:
        """Standardise each group of each row, then scale and shift each column.

        Args:
            x: (..., channels).

        Returns:
            Like ``x``.
        """
        size = x.shape[-1] // self.groups
        groups = x.reshape(*x.shape[:-1], self.groups, size)
        grouped = functional.layer_norm(groups, (size,), eps=self.eps).flatten(-2)
        return torch.addcmul(self.bias, grouped, self.weight)


class EnergyHead(nn.Module):
    """From feature vectors to one number each: the network inside all energy models of the paper.

    Nonlinear: Linear(q, h), GroupNorm(4), SiLU, Linear(h, h), GroupNorm(4), SiLU, Linear(h, 1).
    Linear: Linear(q, h), Linear(h, 1), a linear model of low rank.

    Args:
        n_features: number of input columns q, >= 1.
        hidden: width h, >= 1; a multiple of 4 if ``nonlinear``.
        nonlinear: which of the two networks.
        generator: source of the initial weights; ``None``: torch's default generator.

    Raises:
        InputError: a size breaks its rule.

    Source:
        Nigam et al., APL Mach. Learn. 2, 016110 (2024), Table 1, models B, C, D; the layers are
        those of the archived scripts.
    """

    def __init__(
        self,
        n_features: int,
        hidden: int = 128,
        *,
        nonlinear: bool = True,
        generator: torch.Generator | None = None,
    ) -> None:
        require(
            n_features >= 1, "n_features", "be at least 1", n_features, "pass non-empty features"
        )
        require(hidden >= 1, "hidden", "be at least 1", hidden, "the paper's width is 128")
        super().__init__()
        self.first = linear(n_features, hidden, generator)
        if nonlinear:
            self.middle = nn.Sequential(
                RowGroupNorm(4, hidden),
                nn.SiLU(),
                linear(hidden, hidden, generator),
                RowGroupNorm(4, hidden),
                nn.SiLU(),
            )
        else:
            self.middle = nn.Sequential()
        self.last = linear(hidden, 1, generator)

    def after_first(self, hidden: Float[Tensor, "*rows hidden"]) -> Float[Tensor, " *rows"]:
        """The network behind its first linear layer.

        Args:
            hidden: (..., h), output of :attr:`first`.

        Returns:
            (...), one number for each row.
        """
        value: Tensor = self.last(self.middle(hidden))
        return value.squeeze(-1)

    def forward(self, x: Float[Tensor, "*rows features"]) -> Float[Tensor, " *rows"]:
        """Apply the network to each row.

        Args:
            x: (..., q).

        Returns:
            (...), one number for each row.
        """
        return self.after_first(self.first(x))
