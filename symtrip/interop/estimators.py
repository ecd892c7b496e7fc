"""Features of structures as a scikit-learn transformer (extra ``sklearn``)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import ase
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from symtrip.correlations import DensityCorrelations
from symtrip.environments import Environments
from symtrip.errors import integer, require, require_package
from symtrip.interop.arrays import KINDS
from symtrip.memory import require_memory
from symtrip.models import ExpansionSettings, PairKernelSettings, RandomFeatures, validated

require_package("sklearn", "sklearn", "for transformers")

from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin  # noqa: E402
from sklearn.utils.validation import check_is_fitted  # noqa: E402

__all__ = ["StructureFeatures"]

_POOLINGS = ("sum", "mean")
_CHUNK_BYTES = 64 << 20


class StructureFeatures(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """One row of features for each structure, for scikit-learn's pipelines.

    Features of environments, summed over the centres of a structure, those of each element in
    columns of their own behind the number of its centres:

    * ``kind="triplets"``: :class:`~symtrip.models.PairFourierFeatures`, a nonlinear function of
      every tagged pair before the sum. A linear model on them separates structures that share
      their bispectrum, and approximates Gaussian-process regression with
      :class:`~symtrip.models.PairKernel`. Fitted to a sample of the environments;
    * ``kind="density"``, ``"power-spectrum"``, ``"bispectrum"``: correlations of 1, 2 and 3
      neighbours, the usual descriptions, for comparison. Nothing but the elements is fitted.

    Args:
        kind: which features.
        radius: cutoff radius in Å.
        cutoff_width: width in Å over which the cutoff goes to zero.
        smearing_width: width in Å of the Gaussian densities.
        n_radial: radial functions.
        max_angular: largest angular momentum, included.
        centers: indices of the centres in every structure; ``None``: all atoms.
        pooling: "sum" for extensive targets such as energies, "mean" for intensive ones.
        n_features: of triplets: length of the features of each element.
        components: of triplets: principal components of the features of pairs.
        length: of triplets: length scale of the Gaussian, for features of length 1.
        sample: of triplets: environments that the components are found in.
        random_state: of triplets: seed of the random frequencies.

    Attributes:
        elements_: atomic numbers of the centres, in the order of the columns.
        species_: atomic numbers of all atoms.

    Raises:
        InputError: from ``fit``: parameters out of range, ``X`` that holds no ``ase.Atoms``, no
            centre with a neighbour; from ``transform``: elements that were not in ``fit``.

    Accuracy:
        as the features; the sum over centres adds rounding
        (tests/property/test_estimators.py).

    Example:
        >>> from sklearn.linear_model import Ridge
        >>> from sklearn.pipeline import make_pipeline
        >>> from symtrip.data import B8Pairs
        >>> pairs = B8Pairs.load().train.labelled.subset(slice(20))
        >>> frames = [ase.Atoms("B8", x) for x in pairs.positions.flatten(0, 1).numpy()]
        >>> energies = pairs.energies.flatten().numpy()
        >>> features = StructureFeatures(radius=2.0, cutoff_width=0.1, centers=0, components=16)
        >>> model = make_pipeline(features, Ridge(1e-6)).fit(frames, energies)
        >>> model.predict(frames[:2]).shape
        (2,)
    """

    def __init__(
        self,
        kind: str = "triplets",
        *,
        radius: float = 4.0,
        cutoff_width: float = 1.0,
        smearing_width: float = 0.3,
        n_radial: int = 6,
        max_angular: int = 3,
        centers: int | Sequence[int] | None = None,
        pooling: str = "sum",
        n_features: int = 1000,
        components: int = 64,
        length: float = 1.0,
        sample: int = 200,
        random_state: int = 0,
    ) -> None:
        self.kind = kind
        self.radius = radius
        self.cutoff_width = cutoff_width
        self.smearing_width = smearing_width
        self.n_radial = n_radial
        self.max_angular = max_angular
        self.centers = centers
        self.pooling = pooling
        self.n_features = n_features
        self.components = components
        self.length = length
        self.sample = sample
        self.random_state = random_state

    def fit(self, X: Sequence[ase.Atoms], y: object = None) -> StructureFeatures:  # noqa: ARG002
        """Note the elements and, for triplets, fit the components.

        Args:
            X: structures, clusters or crystals of any sizes.
            y: not used.
        """
        for name, choices in (("kind", tuple(KINDS)), ("pooling", _POOLINGS)):
            value = getattr(self, name)
            known = value in choices
            require(known, name, f"be one of {', '.join(choices)}", repr(value), "choose one")
        environments = self._environments(X)
        self.elements_ = sorted(set(environments.center_species.tolist()))
        self.species_ = sorted({*self.elements_, *environments.neighbor_species})
        settings = validated(
            ExpansionSettings,
            {
                "radius": self.radius,
                "cutoff_width": self.cutoff_width,
                "smearing_width": self.smearing_width,
                "n_radial": self.n_radial,
                "max_angular": self.max_angular,
                "species": self.species_,
            },
            "the parameters",
        )
        self._describe = (
            self._fitted_to(environments, settings)
            if self.kind == "triplets"
            else _Invariants(settings, KINDS[self.kind])
        )
        self._n_features_out = len(self.elements_) * (1 + self._describe.n_features)
        return self

    def transform(self, X: Sequence[ase.Atoms]) -> NDArray[np.float64]:
        """Features of structures.

        Args:
            X: structures of the elements in ``fit``.

        Returns:
            (structures, columns) float64.
        """
        check_is_fitted(self)
        environments = self._environments(X)
        for what, found, known in (
            ("centres", set(environments.center_species.tolist()), self.elements_),
            ("neighbours", set(environments.neighbor_species), self.species_),
        ):
            unknown = sorted(found - set(known))
            require(
                not unknown,
                "X",
                f"have {what} of the elements {known} only, as in `fit`",
                unknown,
                "fit with structures that contain them",
            )
        width = self._n_features_out
        block = width // len(self.elements_)
        remedy = "transform at most {size} structures at a time"
        require_memory("X", "features", 8 * width, len(X), torch.device("cpu"), remedy)
        total = torch.zeros(len(X), len(self.elements_), block, dtype=torch.float64)
        elements = torch.tensor(self.elements_)
        with torch.no_grad():
            for part in environments.split(self._describe.chunk):
                values = self._describe(part)
                column = torch.searchsorted(elements, part.center_species.contiguous())
                rows = torch.cat([values.new_ones(len(part), 1), values], dim=1)
                total.view(-1, block).index_add_(0, part.structure * len(elements) + column, rows)
        if self.pooling == "mean":
            total /= total[..., :1].sum(dim=1, keepdim=True)
        pooled: NDArray[np.float64] = total.flatten(1).numpy()
        return pooled

    def _environments(self, frames: Any) -> Environments:
        good = len(frames) > 0 and all(isinstance(atoms, ase.Atoms) for atoms in frames)
        kinds = sorted({type(atoms).__name__ for atoms in frames})
        require(good, "X", "be a list of ase.Atoms", kinds or "none", "read structures with ase.io")
        return Environments.from_atoms(
            frames, radius=self.radius, centers=self.centers, isolated="keep"
        )

    def _fitted_to(self, environments: Environments, settings: ExpansionSettings) -> RandomFeatures:
        for name in ("n_features", "components", "sample"):
            integer(name, getattr(self, name), 1, "give a count")
        integer("random_state", self.random_state, 0, "give the seed itself")
        values = {"expansion": settings, "components": self.components, "length": self.length}
        return RandomFeatures.fit(
            validated(PairKernelSettings, values, "the parameters"),
            environments,
            self.n_features,
            sample=self.sample,
            generator=torch.Generator().manual_seed(self.random_state),
        )

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.no_validation = True
        return tags


class _Invariants(nn.Module):
    """From environments to correlations of one order."""

    def __init__(self, settings: ExpansionSettings, nu: int) -> None:
        super().__init__()
        self._expansion = settings.build()
        self._correlations = DensityCorrelations(max_angular=settings.max_angular, nu=nu)
        channels = settings.n_radial * len(settings.species)
        self.n_features = self._correlations.n_features(channels)
        self.chunk = max(1, _CHUNK_BYTES // (8 * self.n_features))

    def forward(self, environments: Environments) -> Tensor:
        found: Tensor = self._correlations(self._expansion(environments))
        return found
