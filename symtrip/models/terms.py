"""What models of several kernels between tagged pairs have in common."""

from __future__ import annotations

import json
from collections.abc import Sequence

import torch
from torch import nn

from symtrip.environments import Environments
from symtrip.errors import require
from symtrip.models.compression import TripletCompression
from symtrip.models.files import ModelFile, StoredModel
from symtrip.models.kernel import PairKernel, PairKernelSettings

__all__ = ["TermModel"]


class TermModel(StoredModel):
    """A model of terms that describe the same environments, each with a kernel of its own.

    Args:
        kernels: settings of each term's kernel.
        terms: one for each of them.

    Attributes:
        radius: cutoff radius in Å.
        species: atomic numbers of the neighbours that it knows.

    Raises:
        InputError: the kernels differ in cutoff radius or species, or in number from the terms.
    """

    def __init__(self, kernels: Sequence[PairKernelSettings], terms: Sequence[nn.Module]) -> None:
        super().__init__()
        scopes = [(kernel.expansion.radius, kernel.expansion.species) for kernel in kernels]
        require(
            len(set(scopes)) == 1,
            "settings.terms",
            "have one cutoff radius and one set of species",
            scopes,
            "give all expansions the same",
        )
        require(
            len(terms) == len(kernels),
            "terms",
            f"be {len(kernels)}, as in the settings",
            len(terms),
            "give one for each",
        )
        self.radius, self.species = scopes[0]
        self.terms = nn.ModuleList(terms)

    @staticmethod
    def check_double(environments: Environments) -> None:
        """Raise unless environments have the digits that large coefficients cost.

        Raises:
            InputError: they are not float64.
        """
        dtype = environments.vectors.dtype
        remedy = "convert them with .to(dtype=torch.float64)"
        require(dtype == torch.float64, "environments", "be torch.float64", dtype, remedy)

    @staticmethod
    def sections_of(kernels: Sequence[PairKernel]) -> str:
        """The entry "sections" of a file's header."""
        return json.dumps([list(kernel.sections) for kernel in kernels])

    @staticmethod
    def compressions_in(
        file: ModelFile, kernels: Sequence[PairKernelSettings]
    ) -> list[TripletCompression]:
        """Compressions of the sizes that a file's header names, yet to be loaded."""
        found = []
        sizes = json.loads(file.header["sections"])
        for kernel, sections in zip(kernels, sizes, strict=True):
            expansion = kernel.expansion
            channels = expansion.n_radial * len(expansion.species)
            found.append(TripletCompression(expansion.max_angular, channels, sections))
        return found
