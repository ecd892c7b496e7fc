"""Gaussian-process regression of energies on kernels between tagged pairs: the fitted model."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from typing import Any

import torch
from jaxtyping import Float, Int
from pydantic import Field, PositiveFloat, PositiveInt
from torch import Tensor, nn

from symtrip.environments import Environments
from symtrip.files import save_tensors
from symtrip.models.compression import TripletCompression
from symtrip.models.descriptors import DirectTripletDescriptor, TripletDescriptor
from symtrip.models.files import ModelFile
from symtrip.models.kernel import PairKernel, PairKernelSettings, PairRows
from symtrip.models.pairs import PairFeatures
from symtrip.models.settings import Settings, validated
from symtrip.models.terms import TermModel

__all__ = ["KernelModel", "KernelSettings", "KernelTerm"]


class KernelSettings(Settings):
    """A Gaussian process on pairs of degenerate environments.

    Attributes:
        terms: the kernel is their mean; all have the same cutoff radius and species.
        sample: environments that the components of the features are found in.
        noise: variance of the energies' noise in (E+ + E-) / sqrt 2, in units of their variance.
        difference_noise: the same of (E+ - E-) / sqrt 2.
    """

    terms: tuple[PairKernelSettings, ...] = Field(default=(PairKernelSettings(),), min_length=1)
    sample: PositiveInt = 200
    noise: PositiveFloat = 1e-9
    difference_noise: PositiveFloat = 1e-11


class KernelTerm(nn.Module):
    """From environments to rows, and the kernel between rows.

    Args:
        settings: of the kernel.
        compression: of the triplet features.

    Attributes:
        kernel: the kernel.
    """

    def __init__(self, settings: PairKernelSettings, compression: TripletCompression) -> None:
        super().__init__()
        self.expansion = settings.expansion.build()
        self.descriptor = TripletDescriptor(settings.expansion.max_angular, compression)
        self.kernel = PairKernel(settings, compression.sections)
        # kept from the module's tensors, for it is made of copies of them
        self._direct: dict[torch.device, DirectTripletDescriptor] = {}

    def _load_from_state_dict(self, *args: Any, **kwargs: Any) -> None:
        self._direct.clear()
        super()._load_from_state_dict(*args, **kwargs)

    def pairs(self, environments: Environments) -> PairFeatures:
        """Compressed features of environments."""
        device = environments.vectors.device
        if device not in self._direct:
            # made in inference mode it could not take part in gradients later
            with torch.inference_mode(False):
                self._direct = {device: DirectTripletDescriptor(self.descriptor.compression)}
        pairs: PairFeatures = self._direct[device](self.expansion(environments))
        return pairs

    def rows(self, environments: Environments) -> PairRows:
        """Environments as the kernel compares them."""
        return self.kernel.rows(self.pairs(environments))


class KernelModel(TermModel):
    """Energies of environments as a weighted sum of kernels with known environments.

        energy = shift + scale * sum_s c_s mean_t K_t(A, A_s)

    Args:
        settings: of the Gaussian process.
        terms: one for each of ``settings.terms``, fitted.
        support: (S, A, 3) in Å, clusters whose environment of atom 0 is known.
        numbers: (A,) their atomic numbers.

    Attributes:
        coefficients: (S,) c_s.
        shift: eV.
        scale: eV.

    Raises:
        InputError: the terms differ in cutoff radius or species, or in number from the settings.

    Accuracy:
        coefficients are large and of both signs: energies lose about five digits to cancellation,
        so environments must be float64; errors of 1e-8 eV remain.

    Example:
        >>> from symtrip.models import KernelModel
        >>> model = KernelModel.load("results/best/best.safetensors")  # doctest: +SKIP
    """

    FORMAT = "symtrip kernel model 1"

    def __init__(
        self,
        settings: KernelSettings,
        terms: Sequence[KernelTerm],
        support: Float[Tensor, "support atoms 3"],
        numbers: Int[Tensor, " atoms"],
    ) -> None:
        super().__init__(settings.terms, terms)
        self.settings = settings
        self._terms = tuple(terms)  # with their type
        self.support: Tensor
        self.numbers: Tensor
        self.coefficients: Tensor
        self.shift: Tensor
        self.scale: Tensor
        self.register_buffer("support", support)
        self.register_buffer("numbers", numbers)
        self.register_buffer("coefficients", torch.zeros(len(support), dtype=torch.float64))
        self.register_buffer("shift", torch.zeros((), dtype=torch.float64))
        self.register_buffer("scale", torch.ones((), dtype=torch.float64))
        self._known: list[PairRows] | None = None

    def _load_from_state_dict(self, *args: Any, **kwargs: Any) -> None:
        self._known = None
        super()._load_from_state_dict(*args, **kwargs)

    def forward(self, environments: Environments) -> Float[Tensor, " environments"]:
        """Energies in eV relative to the zero of the training data.

        Args:
            environments: E environments with this model's cutoff radius and species, float64.

        Returns:
            (E,) energies, differentiable to ``environments.vectors``.

        Raises:
            InputError: another radius or dtype, or a neighbour of unknown species.
        """
        self.check_double(environments)
        total = environments.vectors.new_zeros(len(environments))
        for term, known in zip(self._terms, self._support_rows(), strict=True):
            total = total + term.kernel(term.rows(environments), known) @ self.coefficients
        return self.shift + self.scale / len(self._terms) * total

    def _support_rows(self) -> list[PairRows]:
        """Rows of the known environments; computed when they are first needed."""
        if self._known is None or self._known[0].weight.device != self.support.device:
            known = []
            for term in self._terms:
                radius = term.kernel.settings.expansion.radius
                pieces = []
                with torch.inference_mode(False), torch.no_grad():
                    for part in torch.split(self.support, DirectTripletDescriptor.chunk):
                        environments = Environments.from_positions(
                            part, self.numbers, radius=radius
                        )
                        pieces.append(term.pairs(environments))
                    known.append(term.kernel.rows(PairFeatures.cat(pieces)))
            self._known = known
        return self._known

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return self.support.device

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the model to one safetensors file, atomically."""
        header = {
            "format": self.FORMAT,
            "settings": self.settings.model_dump_json(),
            "sections": self.sections_of([term.kernel for term in self._terms]),
        }
        save_tensors(path, self.state_dict(), header)

    @classmethod
    def from_file(cls, file: ModelFile) -> KernelModel:
        """See :meth:`StoredModel.from_file`."""

        def make() -> KernelModel:
            settings = validated(KernelSettings, json.loads(file.header["settings"]), file.path)
            compressions = cls.compressions_in(file, settings.terms)
            terms = [KernelTerm(*both) for both in zip(settings.terms, compressions, strict=True)]
            model = cls(settings, terms, file.tensors["support"], file.tensors["numbers"])
            model.load_state_dict(file.tensors)
            return model

        return file.build(cls.FORMAT, make, "write it with `KernelModel.save`")
