"""What the audit needs of a descriptor, and the two ways to get it: torch code or any callable."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from symtrip.audit.structures import Array, Structures
from symtrip.environments import Environments
from symtrip.errors import require

__all__ = [
    "CallableDescriptor",
    "Descriptor",
    "DescriptorError",
    "Scope",
    "Target",
    "TorchDescriptor",
    "checked",
    "monatomic",
]


_PAIRS_AT_ONCE = 4000
_OUTPUTS = 64


class DescriptorError(Exception):
    """A descriptor misbehaved: it raised, or returned something that is no feature vector."""


@dataclass(frozen=True)
class Scope:
    """What a descriptor is going to be applied to.

    Attributes:
        radius: a cutoff in Å, with a margin for smoothing, that covers the structures.
        species: atomic numbers that occur, sorted.
    """

    radius: float
    species: tuple[int, ...]


class Descriptor(ABC):
    """Feature vectors of atoms in structures.

    Attributes:
        cutoff: cutoff radius in Å where it is known.
        cluster_only: why it cannot be applied to crystals; empty if it can.
        whole_structure: one vector describes the whole structure; the centre does not matter.
    """

    cutoff: float | None = None
    cluster_only: str = ""
    whole_structure: bool = False

    @abstractmethod
    def evaluate(self, structures: Structures, centers: Sequence[int]) -> Array:
        """Features of some atoms.

        Args:
            structures: B structures.
            centers: C atoms of each.

        Returns:
            (B, C, F) float64, finite.

        Raises:
            DescriptorError: the descriptor misbehaved.
        """

    def outputs(self, features: Array) -> Array:
        """The numbers that :meth:`jacobian` differentiates: (..., F) -> (..., F')."""
        return features

    def jacobian(self, structures: Structures, center: int) -> Array | None:
        """Analytic derivatives of one structure's :meth:`outputs`, if the descriptor has any.

        Args:
            structures: one structure.
            center: the atom described.

        Returns:
            (F', A, 3) per Å, or None.

        Raises:
            DescriptorError: the descriptor misbehaved.
        """
        del structures, center
        return None


@dataclass(frozen=True)
class Target:
    """Something that can be audited.

    Attributes:
        name: as the user wrote it.
        summary: what it is, in one line.
        build: makes the descriptor for a scope.
        adjustable: whether its cutoff follows the scope.
    """

    name: str
    summary: str
    build: Callable[[Scope], Descriptor] = field(repr=False)
    adjustable: bool = True


def monatomic(target: Target, number: int) -> Target:
    """The target with all atoms replaced by one element.

    Args:
        target: any target.
        number: atomic number.

    Returns:
        A target that shows its descriptors this element only.

    Raises:
        InputError: ``number`` outside 1..118.
    """
    require(1 <= number <= 118, "element", "be an atomic number in 1..118", number, "e.g. 29")

    def build(scope: Scope) -> Descriptor:
        return _Monatomic(target.build(Scope(scope.radius, (number,))), number)

    return replace(target, build=build)


class _Monatomic(Descriptor):
    def __init__(self, descriptor: Descriptor, number: int) -> None:
        self.descriptor, self.number = descriptor, number
        self.cutoff, self.cluster_only = descriptor.cutoff, descriptor.cluster_only
        self.whole_structure = descriptor.whole_structure

    def _alike(self, structures: Structures) -> Structures:
        return replace(structures, numbers=np.full_like(structures.numbers, self.number))

    def evaluate(self, structures: Structures, centers: Sequence[int]) -> Array:
        return self.descriptor.evaluate(self._alike(structures), centers)

    def outputs(self, features: Array) -> Array:
        return self.descriptor.outputs(features)

    def jacobian(self, structures: Structures, center: int) -> Array | None:
        return self.descriptor.jacobian(self._alike(structures), center)


class TorchDescriptor(Descriptor):
    """A differentiable descriptor of environments.

    Args:
        radius: cutoff radius in Å.

    Attributes:
        copies: number of structures to differentiate at once: few where one keeps a core busy.
    """

    copies = _OUTPUTS

    def __init__(self, radius: float) -> None:
        self.cutoff = radius
        self.radius = radius

    @abstractmethod
    def forward(self, environments: Environments) -> Tensor:
        """Features (E, F) of E environments, differentiable to their vectors."""

    def context(self, structures: Structures, centers: Sequence[int]) -> list[int]:
        """The atoms whose environments ``forward`` needs to describe ``centers``, in order."""
        del structures
        return list(centers)

    def evaluate(self, structures: Structures, centers: Sequence[int]) -> Array:
        """See :meth:`Descriptor.evaluate`."""
        context = self.context(structures, centers)
        picked = [context.index(center) for center in centers]
        step = self._structures_at_once(structures, context)
        pieces = []
        for start in range(0, len(structures), step):
            part = structures.with_positions(structures.positions[start : start + step])
            with torch.no_grad():
                features = self.forward(self._environments(part, context))
            pieces.append(features.numpy().reshape(len(part), len(context), -1)[:, picked])
        # crystals differ in the number of neighbours, not in the number of features
        return checked(np.concatenate(pieces))

    def jacobian(self, structures: Structures, center: int) -> Array | None:
        """See :meth:`Descriptor.jacobian`."""
        if structures.cell is not None:
            return None
        context = self.context(structures, [center])
        chosen = context.index(center)
        # one backward pass serves as many outputs as there are copies of the structure
        copies = min(self.copies, self._structures_at_once(structures, context))
        positions = torch.from_numpy(np.repeat(structures.positions, copies, axis=0))
        positions.requires_grad_(True)
        environments = Environments.from_positions(
            positions,
            structures.numbers.tolist(),
            radius=self.radius,
            centers=context,
            isolated="keep",
        )
        features = self.forward(environments)[chosen :: len(context)]
        mixing, rows = _mixing(features.shape[1]).T, []
        for weights in torch.tensor_split(mixing, list(range(copies, len(mixing), copies))):
            outputs = features[: len(weights)] * weights
            slopes = torch.autograd.grad(outputs.sum(), positions, retain_graph=True)[0]
            rows.append(slopes[: len(weights)])
        return checked(torch.cat(rows).numpy())

    def outputs(self, features: Array) -> Array:
        """Random combinations of the features: their Jacobian has the same rank, generically."""
        mixed: Array = features @ _mixing(features.shape[-1]).numpy()
        return mixed

    def _structures_at_once(self, structures: Structures, context: list[int]) -> int:
        return max(1, _PAIRS_AT_ONCE // (len(context) * structures.n_atoms**2))

    def _environments(self, structures: Structures, centers: Sequence[int]) -> Environments:
        if structures.cell is None:
            return Environments.from_positions(
                torch.from_numpy(structures.positions),
                structures.numbers.tolist(),
                radius=self.radius,
                centers=list(centers),
                isolated="keep",
            )
        frames = [structures.atoms(b) for b in range(len(structures))]
        return Environments.from_atoms(
            frames, radius=self.radius, centers=list(centers), isolated="keep"
        )


@lru_cache(maxsize=64)
def _mixing(n_features: int) -> Tensor:
    """(F, F') with F' <= 64: enough outputs for the 3N - 3 directions of 22 neighbours."""
    if n_features <= _OUTPUTS:
        return torch.eye(n_features, dtype=torch.float64)
    generator = torch.Generator().manual_seed(20)
    mixing = torch.randn(n_features, _OUTPUTS, generator=generator, dtype=torch.float64)
    return mixing * (1 / math.sqrt(_OUTPUTS))


class CallableDescriptor(Descriptor):
    """Any function of one structure and a centre.

    Args:
        function: takes an ``ase.Atoms`` and the index of an atom, returns numbers.
        cutoff: its cutoff radius in Å, if known.
        gradient: likewise, returns derivatives (F, A, 3); optional.
    """

    def __init__(
        self,
        function: Callable[..., object],
        *,
        cutoff: float | None = None,
        gradient: Callable[..., object] | None = None,
    ) -> None:
        self.function, self.cutoff, self.gradient = function, cutoff, gradient

    def evaluate(self, structures: Structures, centers: Sequence[int]) -> Array:
        """See :meth:`Descriptor.evaluate`."""
        rows = [
            self._vector(self.function, structures, b, center).ravel()
            for b in range(len(structures))
            for center in centers
        ]
        if len({len(row) for row in rows}) > 1:
            raise DescriptorError(
                "the length of the vector changes between structures of one composition"
            )
        return np.array(rows).reshape(len(structures), len(centers), -1)

    def jacobian(self, structures: Structures, center: int) -> Array | None:
        """See :meth:`Descriptor.jacobian`."""
        if self.gradient is None:
            return None
        value = self._vector(self.gradient, structures, 0, center)
        if value.shape[-2:] != (structures.n_atoms, 3):
            raise DescriptorError(
                f"the gradient has shape {value.shape}, not (features, {structures.n_atoms}, 3)"
            )
        return value.reshape(-1, structures.n_atoms, 3)

    def _vector(
        self, function: Callable[..., object], structures: Structures, index: int, center: int
    ) -> Array:
        try:
            found = function(structures.atoms(index), center)
            if isinstance(found, Tensor):
                found = found.detach().cpu()
            value = np.asarray(found, dtype=np.float64)
        except (Exception, SystemExit) as problem:
            raise DescriptorError(f"raised {type(problem).__name__}: {problem}") from problem
        if value.size == 0:
            raise DescriptorError("returned an empty vector")
        return checked(value)


def checked(features: NDArray[np.float64]) -> Array:
    """The features, if all of them are finite.

    Raises:
        DescriptorError: some are not.
    """
    bad = int((~np.isfinite(features)).sum())
    if bad:
        raise DescriptorError(f"returned NaN or infinity in {bad} of {features.size} entries")
    return features
