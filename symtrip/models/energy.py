"""Energy models of the paper: B on triplets of neighbours, D on invariants of the environment."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn import functional

from symtrip.errors import require
from symtrip.models.layers import EnergyHead
from symtrip.models.pairs import PairFeatures
from symtrip.models.pooling import can_be_pooled, number_of_rows, pooled_first_layer, pooled_pairs

__all__ = ["InvariantEnergy", "TripletEnergy"]


class _Energy(nn.Module):
    """Units of the output: energy = shift + scale * (what the network gives)."""

    shift: Tensor
    scale: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("shift", torch.zeros(()))
        self.register_buffer("scale", torch.ones(()))

    def standardise(self, mean: float, deviation: float) -> None:
        """Set the mean and the spread of the energies, both in eV, that the outputs aim at."""
        self.shift.fill_(mean)
        self.scale.fill_(deviation)


class TripletEnergy(_Energy):
    """Models B_L and B_NL: one network for each ordered pair of tagged neighbours, then the sum.

        energy = shift + scale / n * sum_jk phi(F_jk),  n = N_ordered

    where n is ``pairs_per_environment``, a constant that only sets the scale of the initial
    weights. Both orders of a pair come from one product with the first layer's weights, because
    F_kj differs from F_jk by signs. With ``inversion_symmetric``, phi(F_even, F_odd) becomes
    phi(F_even, F_odd) + phi(F_even, -F_odd) for each pair, after the nonlinearity: the energy is
    invariant under O(3), not only under SO(3), and cannot tell mirror images apart. With
    ``smooth_cutoff``, phi(F) becomes phi(F) - phi(0): features go to zero when a neighbour reaches
    the cutoff, so its pairs come and go without a jump in the energy or its derivatives.

    Args:
        sections: even symmetric, odd symmetric, even antisymmetric and odd antisymmetric columns,
            as in :class:`~symtrip.models.TripletCompression`.
        hidden: width of the network.
        nonlinear: True for B_NL, False for B_L (which cannot separate a degenerate pair).
        inversion_symmetric: see above.
        smooth_cutoff: see above; for structures whose atoms cross the cutoff.
        pairs_per_environment: n, >= 1; 49 for B8.
        generator: source of the initial weights; ``None``: torch's default generator.

    Raises:
        InputError: a size breaks its rule.

    Source:
        Nigam et al., APL Mach. Learn. 2, 016110 (2024), Eq. 2 and Table 1.
    """

    def __init__(
        self,
        sections: tuple[int, int, int, int],
        hidden: int = 128,
        *,
        nonlinear: bool = True,
        inversion_symmetric: bool = False,
        smooth_cutoff: bool = False,
        pairs_per_environment: int = 49,
        generator: torch.Generator | None = None,
    ) -> None:
        require(
            pairs_per_environment >= 1,
            "pairs_per_environment",
            "be at least 1",
            pairs_per_environment,
            "give the square of the usual number of neighbours",
        )
        super().__init__()
        self.sections = sections
        self.inversion_symmetric, self.smooth_cutoff = inversion_symmetric, smooth_cutoff
        self.pairs_per_environment = pairs_per_environment
        self.head = EnergyHead(sum(sections), hidden, nonlinear=nonlinear, generator=generator)

    def forward(self, pairs: PairFeatures) -> Float[Tensor, " environments"]:
        """Energies of E environments.

        Args:
            pairs: compressed features of E environments with this model's ``sections``.

        Returns:
            (E,) energies in eV relative to the zero of the training data.

        Raises:
            InputError: the features have other sections.
        """
        even_s, odd_s, even_a, odd_a = self._sections_of(pairs)
        first = self.head.first
        weights = torch.split(first.weight, [even_s + odd_s, even_a + odd_a], dim=1)
        symmetric = self._first_layer(pairs.symmetric, weights[0], first.bias, even_s)
        antisymmetric = self._first_layer(pairs.antisymmetric, weights[1], None, even_a)
        n_apart = pairs.antisymmetric.shape[1]
        rows = []
        for s, a in zip(symmetric, antisymmetric, strict=True):
            rows += [s[:, :n_apart] + a, s[:, :n_apart] - a, s[:, n_apart:]]
        mask = torch.cat([pairs.mask[:, :n_apart], pairs.mask], dim=1).repeat(1, len(symmetric))
        return self.after_first(torch.cat(rows, dim=1), mask)

    def after_first(
        self,
        hidden: Float[Tensor, "environments rows hidden"],
        mask: Bool[Tensor, "environments rows"],
    ) -> Float[Tensor, " environments"]:
        """The model behind the first linear layer of its network.

        Args:
            hidden: (E, R, h), the first layer's output for all ordered pairs and, if symmetrising,
                for those of the inverted environments.
            mask: (E, R) bool, true for pairs of real neighbours.

        Returns:
            (E,) energies in eV relative to the zero of the training data.
        """
        values = self.head.after_first(hidden)
        if self.smooth_cutoff:
            values = values - self.head.after_first(self.head.first.bias)
        total = torch.where(mask, values, 0.0).sum(dim=1)
        return self.shift + self.scale / self.pairs_per_environment * total

    def for_training(self, pairs: PairFeatures) -> Float[Tensor, " environments"]:
        """:meth:`forward` up to rounding, faster on a CPU and differentiable to the weights once.

        Where that form does not exist, :meth:`forward` itself: other devices, features that need
        gradients.

        Args:
            pairs: as for :meth:`forward`.

        Returns:
            (E,) energies in eV relative to the zero of the training data.

        Raises:
            InputError: the features have other sections.

        Accuracy:
            budgets of values and gradients in tests/property/test_models_pooling.py.
        """
        if not can_be_pooled(pairs):
            return self(pairs)  # type: ignore[no-any-return]
        self._sections_of(pairs)
        first, middle, inversion = self.head.first, self.head.middle, self.inversion_symmetric
        if len(middle):
            pooled = pooled_pairs(pairs, first, middle, inversion=inversion)
        else:
            pooled = pooled_first_layer(pairs, first, inversion=inversion)
        rows = number_of_rows(pairs, inversion=inversion)
        total = pooled @ self.head.last.weight[0] + self.head.last.bias * rows
        if self.smooth_cutoff:
            total = total - self.head.after_first(first.bias) * rows
        return self.shift + self.scale / self.pairs_per_environment * total

    def _sections_of(self, pairs: PairFeatures) -> tuple[int, int, int, int]:
        even_s, even_a = pairs.n_even
        odd_s, odd_a = pairs.symmetric.shape[2] - even_s, pairs.antisymmetric.shape[2] - even_a
        require(
            (even_s, odd_s, even_a, odd_a) == self.sections,
            "pairs",
            f"have the sections {self.sections}",
            (even_s, odd_s, even_a, odd_a),
            "compress them with the compression that the model was trained on",
        )
        return even_s, odd_s, even_a, odd_a

    def _first_layer(
        self, x: Tensor, weight: Tensor, bias: Tensor | None, n_even: int
    ) -> list[Tensor]:
        """Images of the features and, if symmetrising, of those of the inverted environments."""
        if not self.inversion_symmetric:
            return [functional.linear(x, weight, bias)]
        flat = x.flatten(0, 1)
        even = functional.linear(flat[:, :n_even], weight[:, :n_even], bias)
        odd = functional.linear(flat[:, n_even:], weight[:, n_even:])
        return [image.reshape(*x.shape[:2], len(weight)) for image in (even + odd, even - odd)]


class InvariantEnergy(_Energy):
    """Models D_L and D_NL: one network on the invariants of the whole environment.

        energy = shift + scale * phi(x)

    With ``inversion_symmetric``: phi(x_even, x_odd) + phi(x_even, -x_odd).

    Args:
        n_features: columns of x.
        n_even: how many of them, the first ones, do not change under inversion.
        hidden: width of the network.
        nonlinear: True for D_NL, False for D_L.
        inversion_symmetric: see above.
        generator: source of the initial weights; ``None``: torch's default generator.

    Raises:
        InputError: a size breaks its rule.

    Source:
        Nigam et al., APL Mach. Learn. 2, 016110 (2024), Table 1.
    """

    def __init__(
        self,
        n_features: int,
        n_even: int,
        hidden: int = 128,
        *,
        nonlinear: bool = True,
        inversion_symmetric: bool = False,
        generator: torch.Generator | None = None,
    ) -> None:
        require(
            0 <= n_even <= n_features,
            "n_even",
            f"lie in 0 .. n_features = {n_features}",
            n_even,
            "count the columns that inversion leaves alone",
        )
        super().__init__()
        self.n_even = n_even
        self.inversion_symmetric = inversion_symmetric
        self.head = EnergyHead(n_features, hidden, nonlinear=nonlinear, generator=generator)

    def forward(
        self, invariants: Float[Tensor, "environments q"]
    ) -> Float[Tensor, " environments"]:
        """Energies of E environments.

        Args:
            invariants: (E, q) compressed invariants, even columns first.

        Returns:
            (E,) energies in eV relative to the zero of the training data.

        Raises:
            InputError: another number of columns.
        """
        expected = self.head.first.in_features
        require(
            invariants.shape[1] == expected,
            "invariants",
            f"have {expected} columns",
            invariants.shape[1],
            "compress them with the compression that the model was trained on",
        )
        value: Tensor = self.head(invariants)
        if self.inversion_symmetric:
            even, odd = invariants[:, : self.n_even], invariants[:, self.n_even :]
            value = value + self.head(torch.cat([even, -odd], dim=1))
        return self.shift + self.scale * value
