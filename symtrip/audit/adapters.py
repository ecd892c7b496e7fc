"""Descriptors of other packages, with a cutoff and species that follow the structures.

Their objects take long to make and little to call, so each is made once: for one cutoff, to which
all structures are scaled, and asked about a whole batch at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from symtrip.audit.descriptor import (
    Descriptor,
    DescriptorError,
    Scope,
    Target,
    TorchDescriptor,
    checked,
)
from symtrip.audit.descriptors.cartesian import directions
from symtrip.audit.structures import Array, Structures
from symtrip.environments import Environments
from symtrip.errors import InputError

__all__ = ["ADAPTERS", "adapter"]

Function = Callable[[list[Any], Sequence[int]], object]

_RADIUS = 6.0
"""The cutoff in Å of all descriptors here."""


def adapter(package: str, name: str) -> Target:
    """Another package's descriptor.

    Args:
        package: a key of :data:`ADAPTERS`.
        name: the descriptor's name there.

    Returns:
        The target.

    Raises:
        InputError: the package is not installed.
    """
    try:
        module = import_module(package)
    except ImportError as problem:
        raise InputError(
            f"`TARGET` must name an installed package, got {package}:{name} ({problem}); "
            "install it, e.g. pip install 'symtrip[peers]' in a virtual environment of its own."
        ) from problem
    make = ADAPTERS[package][name]

    def build(scope: Scope) -> Descriptor:
        return make(module, scope)

    try:
        release = version(package)
    except PackageNotFoundError:
        release = "(not installed as a package)"
    return Target(f"{package}:{name}", f"{name} of {package} {release}", build)


class _Scaled(Descriptor):
    """A function of a list of ``ase.Atoms`` and centres, with the cutoff :data:`_RADIUS`.

    Args:
        function: returns (B, C, F) for B structures and C centres of each.
        radius: length in Å that is scaled to the cutoff.
    """

    def __init__(self, function: Function, radius: float) -> None:
        self.function, self.radius, self.cutoff = function, radius, radius

    def evaluate(self, structures: Structures, centers: Sequence[int]) -> Array:
        """See :meth:`Descriptor.evaluate`."""
        scaled = structures.scaled(_RADIUS / self.radius)
        frames = [scaled.atoms(b) for b in range(len(scaled))]
        try:
            features = np.asarray(self.function(frames, centers), dtype=np.float64)
        except Exception as problem:
            raise DescriptorError(f"raised {type(problem).__name__}: {problem}") from problem
        return checked(features.reshape(len(frames), len(centers), -1))


@lru_cache(maxsize=4)
def _featomic_calculator(module: Any, name: str) -> Any:
    radial = {"type": "Gto", "max_radial": 5}
    basis = {
        "SoapPowerSpectrum": {"type": "TensorProduct", "max_angular": 5, "radial": radial},
        "SoapRadialSpectrum": {"radial": {**radial, "max_radial": 7}},
    }
    return getattr(module, name)(
        cutoff={
            "radius": _RADIUS,
            "smoothing": {"type": "ShiftedCosine", "width": 0.1 * _RADIUS},
        },
        density={"type": "Gaussian", "width": 0.1 * _RADIUS},
        basis=basis[name],
    )


def _featomic(module: Any, scope: Scope, name: str) -> Descriptor:
    calculator = _featomic_calculator(module, name)
    labels = import_module("metatensor").Labels
    numbers = np.array(scope.species, dtype=np.int32)
    names = ["neighbor_1_type", "neighbor_2_type"]
    pairs = np.array([(a, b) for a in numbers for b in numbers if a <= b], dtype=np.int32)
    if name == "SoapRadialSpectrum":
        names, pairs = ["neighbor_type"], numbers[:, None]
    properties = labels(names, pairs)

    def features(frames: list[Any], centers: Sequence[int]) -> Array:
        asked = [(b, center) for b in range(len(frames)) for center in centers]
        chosen = labels(["system", "atom"], np.array(asked, dtype=np.int32))
        computed = calculator.compute(frames, selected_samples=chosen)
        # one block for every species of centres
        rows: dict[tuple[int, int], Array] = {}
        for block in computed.keys_to_properties(properties).blocks():
            for sample, values in zip(block.samples.values, block.values, strict=True):
                rows[int(sample[0]), int(sample[1])] = values
        return np.array([rows[key] for key in asked])

    return _Scaled(features, scope.radius)


def _dscribe_soap(module: Any, scope: Scope) -> Descriptor:
    return _dscribe(module, scope, "SOAP", {"n_max": 5, "l_max": 6, "sigma": 0.1 * _RADIUS})


def _dscribe_acsf(module: Any, scope: Scope) -> Descriptor:
    unit = _RADIUS**-2
    radial = [[40 * unit, s * _RADIUS] for s in np.linspace(0.1, 0.9, 8)]
    angular = [[unit, zeta, sign] for zeta in (1, 2, 4, 8) for sign in (1, -1)]
    return _dscribe(module, scope, "ACSF", {"g2_params": radial, "g4_params": angular})


def _dscribe(module: Any, scope: Scope, name: str, options: dict[str, Any]) -> Descriptor:
    make = getattr(import_module(f"{module.__name__}.descriptors"), name)
    made: dict[bool, Any] = {}

    def features(frames: list[Any], centers: Sequence[int]) -> object:
        periodic = bool(frames[0].pbc.any())
        if periodic not in made:
            made[periodic] = make(
                species=list(scope.species), periodic=periodic, r_cut=_RADIUS, **options
            )
        return np.array([made[periodic].create(atoms, centers=list(centers)) for atoms in frames])

    return _Scaled(features, scope.radius)


@lru_cache(maxsize=16)
def _e3nn_products(nu: int, channels: int, max_angular: int) -> tuple[nn.Module, ...]:
    """The products that take a density to its invariants of order nu, both parities."""
    o3 = import_module("e3nn.o3")
    density = o3.Irreps([(channels, ir) for _, ir in o3.Irreps.spherical_harmonics(max_angular)])
    scalars = [o3.Irrep("0e"), o3.Irrep("0o")]
    everything = [o3.Irrep(l, p) for l in range(max_angular + 1) for p in (1, -1)]
    previous = torch.get_default_dtype()
    try:
        # e3nn makes its coefficients in the default type: converted later they keep 24 bits, and
        # noise of 1e-8 would hide what the descriptor can tell apart
        torch.set_default_dtype(torch.float64)
        products = list[Any]()
        left = density
        for order in range(2, nu + 1):
            wanted = scalars if order == nu else everything
            products.append(o3.FullTensorProduct(left, density, filter_ir_out=wanted))
            left = products[-1].irreps_out
    finally:
        torch.set_default_dtype(previous)
    return tuple(products)


class _E3nnInvariants(TorchDescriptor):
    """Invariants of order nu of a density built and coupled by e3nn.

    Three Gaussians as wide as they are apart: with radial functions that do not overlap the odd
    invariants of few neighbours vanish, as they need three linearly independent densities.
    """

    n_radial, max_angular = 3, 3

    def __init__(self, scope: Scope, nu: int) -> None:
        super().__init__(scope.radius)
        self.species = torch.tensor(scope.species)
        self.products = _e3nn_products(nu, self.n_radial * len(scope.species), self.max_angular)

    def forward(self, environments: Environments) -> Tensor:
        """See :class:`TorchDescriptor`."""
        o3, math = import_module("e3nn.o3"), import_module("e3nn.math")
        r, unit = directions(environments)
        u = r / self.radius
        radial = math.soft_one_hot_linspace(
            u, 0.0, 1.0, self.n_radial, basis="gaussian", cutoff=False
        )
        # exp(-1/x) for x > 0: infinitely differentiable at the cutoff
        inside = math.soft_unit_step(10 * (1 - u)) * environments.mask
        one_hot = (environments.species[..., None] == self.species).to(r.dtype)
        channel = torch.einsum("en,ena,enq->enaq", inside, one_hot, radial).flatten(2)
        harmonics = o3.spherical_harmonics(
            list(range(self.max_angular + 1)), unit, normalize=False, normalization="component"
        )
        blocks = [
            torch.einsum("enq,enm->eqm", channel, harmonics[..., l**2 : (l + 1) ** 2]).flatten(1)
            for l in range(self.max_angular + 1)
        ]
        density = torch.cat(blocks, dim=1)
        features = density
        for product in self.products:
            features = product(features, density)
        return features


ADAPTERS: dict[str, dict[str, Callable[[Any, Scope], Descriptor]]] = {
    "featomic": {
        "SoapPowerSpectrum": lambda m, scope: _featomic(m, scope, "SoapPowerSpectrum"),
        "SoapRadialSpectrum": lambda m, scope: _featomic(m, scope, "SoapRadialSpectrum"),
    },
    "dscribe": {"SOAP": _dscribe_soap, "ACSF": _dscribe_acsf},
    "e3nn": {
        "PowerSpectrum": lambda _, scope: _E3nnInvariants(scope, 2),
        "Bispectrum": lambda _, scope: _E3nnInvariants(scope, 3),
    },
}
"""Package -> name -> function that makes a descriptor for a scope."""
