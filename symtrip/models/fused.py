"""A triplet model for use: compression and first layer in one matrix, applied without features."""

from __future__ import annotations

import copy

import torch
from jaxtyping import Float
from torch import Tensor, nn

from symtrip.environments import Environments
from symtrip.errors import InputError
from symtrip.expansion import Density
from symtrip.models.descriptors import TripletDescriptor
from symtrip.models.energy import TripletEnergy
from symtrip.models.model import EnergyModel
from symtrip.triplet_linear import TripletLinear

__all__ = ["FusedTripletModel", "LearnableTriplets", "for_use"]


class FusedTripletModel(nn.Module):
    """Energies of a model B_L, B_NL or `best` without its 7344 features a pair.

    The compression and the first layer of the network are both linear. Their product is one
    :class:`~symtrip.TripletLinear`, which reads the density and writes the hidden units. Energies
    and forces are those of the model up to rounding, for less time and memory; the weights are
    copies and training them is not meant.

    Args:
        model: a trained model on triplets.
        dtype: of the layer, and so of the environments that it takes. The rest of the network keeps
            the dtype of its weights.

    Raises:
        InputError: the model reads invariants, not triplets.

    Accuracy:
        From the model itself 2.5 eps of the energies and 22 eps of the norm of the forces, in
        float64 with 20 components and 16 hidden units (``tests/property/test_models_fused.py``).

    Example:
        >>> from symtrip.models import EnergyModel, FusedTripletModel
        >>> model = EnergyModel.load("runs/b8/model.safetensors")  # doctest: +SKIP
        >>> energies = FusedTripletModel(model)(environments)  # doctest: +SKIP
    """

    def __init__(self, model: EnergyModel, *, dtype: torch.dtype = torch.float64) -> None:
        super().__init__()
        compression, energy = _on_triplets(model).compression, model.energy
        if not isinstance(energy, TripletEnergy):
            raise TypeError(f"{type(energy).__name__} behind triplets")
        first = energy.head.first
        device = first.weight.device
        joint = compression.dense_components().to(device) @ first.weight.detach().double().T
        self.expansion = copy.deepcopy(model.expansion)
        self.energy = copy.deepcopy(energy)
        self.layer = _layer(model, dtype)
        with torch.no_grad():
            self.layer.weight.copy_(joint)
            if self.layer.bias is not None:
                self.layer.bias.copy_(first.bias)
        self.requires_grad_(False)

    def forward(self, environments: Environments) -> Float[Tensor, " environments"]:
        """Energies in eV, as :meth:`EnergyModel.forward`.

        Args:
            environments: E environments with the model's cutoff radius and species, in ``dtype``.

        Returns:
            (E,) energies; dtype and device of ``environments.vectors``, differentiable to them.

        Raises:
            InputError: another radius, dtype or device, or a neighbour of unknown species.
        """
        density = self.expansion(environments)
        return _behind(self.layer, self.energy, density, environments)


class LearnableTriplets:
    """From environments and a network to energies, differentiable to both, twice.

    As :class:`FusedTripletModel`, but the matrix is made anew from the network's weights in every
    call, so that they can be trained, on forces as well. Nothing else is trained.

    Args:
        model: a model on triplets; its expansion and compression are used.
        dtype: of the environments, and of the networks that are passed.
    """

    def __init__(self, model: EnergyModel, dtype: torch.dtype) -> None:
        compression = _on_triplets(model).compression
        self.expansion = model.expansion
        self.components = compression.dense_components().to(model.device, dtype)
        self.layer = _layer(model, dtype)
        # from now on plain attributes, that every call sets
        del self.layer.weight, self.layer.bias

    def __call__(self, energy: nn.Module, environments: Environments) -> Tensor:
        """Energies (E,) in eV of a :class:`TripletEnergy` with the model's sections."""
        if not isinstance(energy, TripletEnergy):
            raise TypeError(f"{type(energy).__name__} does not read triplets")
        first = energy.head.first
        self.layer.weight = self.components @ first.weight.T  # type: ignore[assignment]
        self.layer.bias = first.bias
        return _behind(self.layer, energy, self.expansion(environments), environments)


def for_use(model: EnergyModel, dtype: torch.dtype = torch.float64) -> nn.Module:
    """The fastest form of a model that is not trained any more.

    Args:
        model: a trained model.
        dtype: of the environments.

    Returns:
        The fused form of a model on triplets, any other model itself.
    """
    if isinstance(model.descriptor, TripletDescriptor):
        return FusedTripletModel(model, dtype=dtype)
    return model


def _on_triplets(model: EnergyModel) -> TripletDescriptor:
    if not isinstance(model.descriptor, TripletDescriptor):
        raise InputError(
            f"`model` must read triplets, as B_L and B_NL do, got {model.spec.model}; call it "
            "itself, it has no triplet features to leave out."
        )
    return model.descriptor


def _layer(model: EnergyModel, dtype: torch.dtype) -> TripletLinear:
    """The layer that takes the place of compression and first layer, its weights yet to be set."""
    compression = _on_triplets(model).compression
    return TripletLinear(
        max_angular=compression.max_angular,
        n_channels=compression.n_channels,
        out_features=model.energy.head.first.out_features,
        dtype=dtype,
        device=model.device,
    )


def _behind(
    layer: TripletLinear, energy: TripletEnergy, density: Density, environments: Environments
) -> Tensor:
    """The energies from the first layer's outputs."""
    real = environments.mask[:, :, None] & environments.mask[:, None, :]
    if energy.inversion_symmetric:
        even, odd = layer.even_and_odd(density)
        hidden, real = torch.cat([even + odd, even - odd], dim=1), real.repeat(1, 2, 1)
    else:
        hidden = layer(density)
    dtype = energy.head.first.weight.dtype
    energies = energy.after_first(hidden.flatten(1, 2).to(dtype), real.flatten(1))
    return energies.to(environments.vectors)
