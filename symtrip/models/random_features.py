"""Energies that are linear in random features of tagged pairs: solved for, not trained."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence

import torch
from jaxtyping import Float
from pydantic import Field, PositiveInt
from torch import Tensor, nn

from symtrip.environments import Environments
from symtrip.errors import require
from symtrip.expansion import Density
from symtrip.files import save_tensors
from symtrip.models.compression import TripletCompression
from symtrip.models.descriptors import DirectTripletDescriptor, TripletDescriptor
from symtrip.models.files import ModelFile
from symtrip.models.fourier import PairFourierFeatures
from symtrip.models.kernel import PairKernelSettings
from symtrip.models.kernel_model import KernelTerm
from symtrip.models.settings import Settings, validated
from symtrip.models.terms import TermModel

__all__ = ["RandomFeatureModel", "RandomFeatureSettings", "RandomFeatures"]


class RandomFeatureSettings(Settings):
    """Random features of environments.

    Attributes:
        terms: kernels that the features stand for; those of all terms are joined. All have the same
            cutoff radius and species.
        n_features: length of the features of each term.
        sample: environments that the components of each term are found in.
    """

    terms: tuple[PairKernelSettings, ...] = Field(default=(PairKernelSettings(),), min_length=1)
    n_features: PositiveInt = 2000
    sample: PositiveInt = 200


class RandomFeatures(nn.Module):
    """From environments to :class:`PairFourierFeatures`, pairs j = k included.

    Args:
        settings: of the kernel that they stand for.
        compression: of the triplet features.
        n_features: length of the features.
        generator: source of the frequencies.

    Attributes:
        chunk: environments to describe at a time.
    """

    chunk = DirectTripletDescriptor.chunk

    def __init__(
        self,
        settings: PairKernelSettings,
        compression: TripletCompression,
        n_features: int,
        *,
        generator: torch.Generator,
    ) -> None:
        super().__init__()
        self.term = KernelTerm(settings, compression)
        self.fourier = PairFourierFeatures(self.term.kernel, n_features, generator=generator)

    @property
    def n_features(self) -> int:
        """Length of the features."""
        return self.fourier.n_features

    @classmethod
    def fit(
        cls,
        settings: PairKernelSettings,
        environments: Environments,
        n_features: int,
        *,
        sample: int,
        generator: torch.Generator,
    ) -> RandomFeatures:
        """Find the components in a sample and scale the features to a mean square of 1 there.

        Args:
            settings: of the kernel.
            environments: evenly spaced ones of those with neighbours are the sample.
            n_features: length of the features.
            sample: how many.
            generator: source of the random start of the components and of the frequencies.

        Raises:
            InputError: no environment has a neighbour.
        """
        inhabited = torch.nonzero(environments.mask.any(dim=1)).flatten()
        require(
            len(inhabited) > 0,
            "radius",
            "give some centre a neighbour",
            f"{environments.radius} Å with none",
            "raise it, or convert the positions to Å",
        )
        count = min(sample, len(inhabited))
        rows = torch.linspace(0, len(inhabited) - 1, count).round().long()
        chosen = environments[inhabited[rows.to(inhabited.device)]]
        expansion = settings.expansion.build()

        def densities() -> Iterator[Density]:
            return (expansion(part) for part in chosen.split(TripletDescriptor.chunk))

        descriptor = TripletDescriptor.fit(
            densities, settings.expansion.max_angular, settings.components, generator=generator
        )
        features = cls(settings, descriptor.compression, n_features, generator=generator)
        features.to(chosen.vectors.device)
        with torch.no_grad():
            kernel = features.term.kernel
            kernel.fit(features.term.pairs(chosen), same=True)
            kernel.size *= features(chosen).square().sum(dim=1).mean()
        return features

    def forward(self, environments: Environments) -> Float[Tensor, "environments features"]:
        """Features of E environments; dtype and device of theirs, differentiable to them."""
        rows = self.term.kernel.rows(self.term.pairs(environments), same=True)
        found: Tensor = self.fourier(rows)
        return found


class RandomFeatureModel(TermModel):
    """Energies of environments, linear in random features of their tagged pairs.

        energy(A) = e_z + c_z . (phi_1(A), phi_2(A), ...),  z the element of the centre of A

    The coefficients are those of a ridge regression, in closed form: ``symtrip fit`` with
    ``model = "random"``. It approximates Gaussian-process regression with the kernels of the terms,
    and predictions do not become dearer with the number of training structures.

    Args:
        settings: of the features.
        terms: one for each of ``settings.terms``, fitted.
        elements: atomic numbers of the centres.
        centers: the centres that it was fitted to: indices of atoms, or None for all.

    Attributes:
        atomic_energies: (elements,) e_z in eV.
        coefficients: (elements, features) c_z in eV.

    Raises:
        InputError: the terms differ in cutoff radius or species, or in number from the settings.

    Accuracy:
        coefficients are large and of both signs: energies lose digits to cancellation, so
        environments must be float64.

    Example:
        >>> from symtrip.models import load_model
        >>> model = load_model("runs/mine/model.safetensors")  # doctest: +SKIP
    """

    FORMAT = "symtrip random feature model 1"

    def __init__(
        self,
        settings: RandomFeatureSettings,
        terms: Sequence[RandomFeatures],
        elements: Sequence[int],
        centers: tuple[int, ...] | None = None,
    ) -> None:
        super().__init__(settings.terms, terms)
        self.settings, self.centers = settings, centers
        self.elements = tuple(elements)
        self._terms = tuple(terms)  # with their type
        width = sum(term.n_features for term in terms)
        self.atomic_energies: Tensor
        self.coefficients: Tensor
        self.register_buffer("atomic_energies", torch.zeros(len(elements), dtype=torch.float64))
        self.register_buffer("coefficients", torch.zeros(len(elements), width, dtype=torch.float64))

    def features(self, environments: Environments) -> Float[Tensor, "environments features"]:
        """Features of all terms, joined."""
        return torch.cat([term(environments) for term in self._terms], dim=1)

    def element_rows(self, environments: Environments) -> Tensor:
        """(E,) places of the centres' elements in :attr:`elements`.

        Raises:
            InputError: the centre is of another element.
        """
        known = torch.tensor(self.elements, device=environments.center_species.device)
        match = environments.center_species[:, None] == known
        unknown = environments.center_species[~match.any(dim=1)]
        require(
            not len(unknown),
            "environments",
            f"have centres of the elements {list(self.elements)}",
            sorted(set(unknown.tolist())),
            "fit a model to structures with these elements",
        )
        return match.long().argmax(dim=1)

    def forward(self, environments: Environments) -> Float[Tensor, " environments"]:
        """Energies in eV.

        Args:
            environments: E environments with this model's cutoff radius and species, float64.

        Returns:
            (E,) energies, differentiable to ``environments.vectors``.

        Raises:
            InputError: another radius or dtype, or a centre or neighbour of unknown species.
        """
        self.check_double(environments)
        pieces = [environments.vectors.new_zeros(0)]
        for part in environments.split(RandomFeatures.chunk):
            chosen = self.element_rows(part)
            found = (self.features(part) * self.coefficients[chosen]).sum(dim=1)
            pieces.append(found + self.atomic_energies[chosen])
        return torch.cat(pieces)

    @property
    def device(self) -> torch.device:
        """Where the coefficients are."""
        return self.coefficients.device

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the model to one safetensors file, atomically."""
        header = {
            "format": self.FORMAT,
            "settings": self.settings.model_dump_json(),
            "sections": self.sections_of([term.fourier.kernel for term in self._terms]),
            "elements": json.dumps(self.elements),
            "centers": json.dumps(self.centers),
        }
        save_tensors(path, self.state_dict(), header)

    @classmethod
    def from_file(cls, file: ModelFile) -> RandomFeatureModel:
        """See :meth:`StoredModel.from_file`."""

        def make() -> RandomFeatureModel:
            settings = validated(
                RandomFeatureSettings, json.loads(file.header["settings"]), file.path
            )
            generator = torch.Generator().manual_seed(0)  # the file has the frequencies
            terms = [
                RandomFeatures(*both, settings.n_features, generator=generator)
                for both in zip(
                    settings.terms, cls.compressions_in(file, settings.terms), strict=True
                )
            ]
            centers = json.loads(file.header["centers"])
            model = cls(
                settings,
                terms,
                json.loads(file.header["elements"]),
                None if centers is None else tuple(centers),
            )
            model.load_state_dict(file.tensors)
            return model

        return file.build(cls.FORMAT, make, "write it with `RandomFeatureModel.save`")
