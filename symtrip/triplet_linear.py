"""A linear layer on the triplet features that never builds them."""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn

from symtrip.errors import integer, require
from symtrip.expansion.density import Density
from symtrip.memory import keep_freed_memory, require_memory
from symtrip.precision import full_precision
from symtrip.triplets import triplet_paths
from symtrip.weighted_sum import WeightedSum

__all__ = ["TripletLinear"]


class TripletLinear(nn.Module):
    """y_jk = F_jk W + b for all ordered pairs of neighbours, without the features F_jk.

    For few neighbours, F_jk = g_j . T_k with T_k = (g_k x rho): the weights are applied to T_k,
    which has no index j, and the result meets g_j last; where the density knows the directions of
    the neighbours, this happens with k on the z axis, where couplings are shorter. For many, the
    weights meet rho, which has no index at all, then g_k, then g_j. The numbers of multiplications
    decide (at some 25 neighbours for 6 channels and l <= 3). A batch needs memory for its input and
    its output alone: first and second derivatives recompute what lies between, chunk by chunk.

    Args:
        max_angular: largest l of the density.
        n_channels: Q of the density.
        out_features: number of outputs per pair.
        bias: whether b exists.
        dtype: of the weights.
        device: of the weights.

    Attributes:
        weight: (P, out_features), rows in the order of :meth:`symtrip.Triplets.dense`.
        bias: (out_features,) or None.

    Accuracy:
        <= 128 eps of the sum of |F| |W| (tests/oracle/test_triplet_linear.py).

    Source:
        Nigam et al., APL Mach. Learn. 2, 016110 (2024), Eq. 1 for the features.
    """

    def __init__(
        self,
        *,
        max_angular: int,
        n_channels: int,
        out_features: int,
        bias: bool = True,
        dtype: torch.dtype = torch.float64,
        device: torch.device | str | None = None,
    ) -> None:
        super().__init__()
        keep_freed_memory()
        max_angular = integer("max_angular", max_angular, 0, "give the largest l of the density")
        n_channels = integer("n_channels", n_channels, 1, "give a count")
        out_features = integer("out_features", out_features, 1, "give a count")
        paths = triplet_paths(max_angular)
        require(
            dtype in (torch.float32, torch.float64),
            "dtype",
            "be float32 or float64",
            dtype,
            "other types are not accurate enough for the features",
        )
        self.max_angular, self.n_channels, self.out_features = max_angular, n_channels, out_features
        self._every = WeightedSum(paths, paths, n_channels)
        even = [path for path in paths if sum(path) % 2 == 0]
        odd = [path for path in paths if sum(path) % 2 == 1]
        self._even = WeightedSum(even, paths, n_channels)
        self._odd = WeightedSum(odd, paths, n_channels) if odd else None
        n_features = len(paths) * n_channels**3
        self.weight = nn.Parameter(
            torch.empty(n_features, out_features, dtype=dtype, device=device)
        )
        self.bias = (
            nn.Parameter(torch.empty(out_features, dtype=dtype, device=device)) if bias else None
        )
        self.reset_parameters()

    def reset_parameters(self, generator: torch.Generator | None = None) -> None:
        """Uniform weights and bias in +-1/sqrt(P), as ``nn.Linear``.

        Args:
            generator: source of randomness.
        """
        bound = 1.0 / math.sqrt(self.weight.shape[0])
        with torch.no_grad():
            for parameter in self.parameters():
                parameter.uniform_(-bound, bound, generator=generator)

    @classmethod
    def from_linear(cls, linear: nn.Linear, *, max_angular: int, n_channels: int) -> TripletLinear:
        """The same map as ``linear`` on dense features, with copied weights.

        Args:
            linear: layer on :meth:`symtrip.Triplets.dense`.
            max_angular: largest l of the density.
            n_channels: Q of the density.

        Raises:
            InputError: the layer has another number of inputs.
        """
        layer = cls(
            max_angular=max_angular,
            n_channels=n_channels,
            out_features=linear.out_features,
            bias=linear.bias is not None,
            dtype=linear.weight.dtype,
            device=linear.weight.device,
        )
        require(
            linear.in_features == layer.weight.shape[0],
            "linear",
            f"have {layer.weight.shape[0]} inputs",
            linear.in_features,
            "use the max_angular and n_channels of the features it was made for",
        )
        with torch.no_grad():
            layer.weight.copy_(linear.weight.T)
            if layer.bias is not None:
                layer.bias.copy_(linear.bias)
        return layer

    def to_linear(self) -> nn.Linear:
        """The same map as a layer on dense features, with copied weights."""
        linear = nn.Linear(
            self.weight.shape[0],
            self.out_features,
            bias=self.bias is not None,
            dtype=self.weight.dtype,
            device=self.weight.device,
        )
        with torch.no_grad():
            linear.weight.copy_(self.weight.T)
            if self.bias is not None:
                linear.bias.copy_(self.bias)
        return linear

    @full_precision
    def forward(self, density: Density) -> Float[Tensor, "environments j k outputs"]:
        """Apply the layer to all ordered pairs.

        Args:
            density: expansion of E environments with N neighbours, in the type of the weights.

        Returns:
            (E, N, N, out_features); the bias alone where a neighbour is padding. Differentiable
            twice to the density and to the weights. Where directions are known, first gradients
            with respect to g have only the part along changes of distances and directions, which
            gives those with respect to positions; ``create_graph=True`` gives the others too.
            ``torch.func.grad`` works; forward derivatives and ``torch.vmap`` are refused.

        Raises:
            InputError: the density has another max_angular, channels, dtype or device, or does not
                fit together; the result cannot fit into memory.
        """
        self._check(density)
        y = self._every.apply(density, self.weight)
        return y if self.bias is None else y.add_(self.bias)

    @full_precision
    def even_and_odd(self, density: Density) -> tuple[Tensor, Tensor]:
        """The layer's output split into what inversion keeps and what it changes the sign of.

        Args:
            density: as in :meth:`forward`.

        Returns:
            (E, N, N, out_features) each; their sum is :meth:`forward` and their difference
            :meth:`forward` of the inverted environments. The bias belongs to the first. Together
            they take as long as :meth:`forward`.

        Raises:
            InputError: as :meth:`forward`.
        """
        self._check(density)
        even = self._even.apply(density, self.weight)
        odd = torch.zeros_like(even) if self._odd is None else self._odd.apply(density, self.weight)
        return (even if self.bias is None else even.add_(self.bias)), odd

    def _check(self, density: Density) -> None:
        density.check(self.max_angular, type(self).__name__)
        rho, weight = density.rho[0], self.weight
        require(
            rho.shape[-1] == self.n_channels,
            "density",
            f"have {self.n_channels} channels",
            rho.shape[-1],
            "build TripletLinear with the n_channels of the expansion",
        )
        require(
            rho.dtype == weight.dtype and rho.device == weight.device,
            "density",
            f"be {weight.dtype} on {weight.device} like the weights",
            f"{rho.dtype} on {rho.device}",
            "convert the environments or the layer with .to()",
        )
        n_env, n = density.mask.shape
        require_memory(
            "density",
            "outputs",
            n**2 * self.out_features * weight.element_size(),
            n_env,
            weight.device,
            "pass {size} environments at a time",
        )
