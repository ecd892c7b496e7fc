"""Descriptors of other packages, with a cutoff and species that follow the structures."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np

from symtrip.audit.descriptor import CallableDescriptor, Descriptor, Scope, Target
from symtrip.errors import InputError

__all__ = ["ADAPTERS", "adapter"]

Function = Callable[..., object]


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
        return CallableDescriptor(make(module, scope), cutoff=scope.radius)

    try:
        release = version(package)
    except PackageNotFoundError:
        release = "(not installed as a package)"
    return Target(f"{package}:{name}", f"{name} of {package} {release}", build)


def _featomic(module: Any, scope: Scope, name: str, basis_extra: dict[str, Any]) -> Function:
    radius = scope.radius
    calculator = getattr(module, name)(
        cutoff={"radius": radius, "smoothing": {"type": "ShiftedCosine", "width": 0.1 * radius}},
        density={"type": "Gaussian", "width": 0.1 * radius},
        basis=basis_extra,
    )
    labels = import_module("metatensor").Labels
    numbers = np.array(scope.species, dtype=np.int32)
    names = ["neighbor_1_type", "neighbor_2_type"]
    pairs = np.array([(a, b) for a in numbers for b in numbers if a <= b], dtype=np.int32)
    if name == "SoapRadialSpectrum":
        names, pairs = ["neighbor_type"], numbers[:, None]

    def features(atoms: Any, centre: int) -> object:
        chosen = labels(["system", "atom"], np.array([[0, centre]], dtype=np.int32))
        computed = calculator.compute([atoms], selected_samples=chosen)
        block = computed.keys_to_properties(labels(names, pairs)).block(
            {"center_type": int(atoms.numbers[centre])}
        )
        return np.asarray(block.values)[0]

    return features


def _featomic_power_spectrum(module: Any, scope: Scope) -> Function:
    radial = {"type": "Gto", "max_radial": 5}
    return _featomic(
        module,
        scope,
        "SoapPowerSpectrum",
        {"type": "TensorProduct", "max_angular": 5, "radial": radial},
    )


def _featomic_radial_spectrum(module: Any, scope: Scope) -> Function:
    return _featomic(
        module, scope, "SoapRadialSpectrum", {"radial": {"type": "Gto", "max_radial": 7}}
    )


def _dscribe_soap(module: Any, scope: Scope) -> Function:
    return _dscribe(module, scope, "SOAP", {"n_max": 5, "l_max": 6, "sigma": 0.1 * scope.radius})


def _dscribe_acsf(module: Any, scope: Scope) -> Function:
    unit = scope.radius**-2
    radial = [[40 * unit, s * scope.radius] for s in np.linspace(0.1, 0.9, 8)]
    angular = [[unit, zeta, sign] for zeta in (1, 2, 4, 8) for sign in (1, -1)]
    return _dscribe(module, scope, "ACSF", {"g2_params": radial, "g4_params": angular})


def _dscribe(module: Any, scope: Scope, name: str, options: dict[str, Any]) -> Function:
    make = getattr(import_module(f"{module.__name__}.descriptors"), name)
    made: dict[bool, Any] = {}

    def features(atoms: Any, centre: int) -> object:
        periodic = bool(atoms.pbc.any())
        if periodic not in made:
            made[periodic] = make(
                species=list(scope.species), periodic=periodic, r_cut=scope.radius, **options
            )
        return made[periodic].create(atoms, centers=[centre])[0]

    return features


def _e3nn_invariants(scope: Scope, nu: int) -> Function:
    """Nu = 2 or 3 invariants of a density built and coupled by e3nn (both parities)."""
    import torch
    from ase.neighborlist import neighbor_list

    o3, math = import_module("e3nn.o3"), import_module("e3nn.math")
    max_angular, n_radial = 4, 2
    harmonics = o3.Irreps.spherical_harmonics(max_angular)
    channels = n_radial * len(scope.species)
    density = o3.Irreps([(channels, ir) for _, ir in harmonics])
    scalars = [o3.Irrep("0e"), o3.Irrep("0o")]
    everything = [o3.Irrep(l, p) for l in range(max_angular + 1) for p in (1, -1)]
    previous = torch.get_default_dtype()
    try:
        # e3nn makes its coefficients in the default type: converted later they keep 24 bits, and
        # noise of 1e-8 would hide what the descriptor can tell apart
        torch.set_default_dtype(torch.float64)
        products = []
        left = density
        for order in range(2, nu + 1):
            wanted = scalars if order == nu else everything
            products.append(o3.FullTensorProduct(left, density, filter_ir_out=wanted))
            left = products[-1].irreps_out
    finally:
        torch.set_default_dtype(previous)
    position = {z: index for index, z in enumerate(scope.species)}

    def features(atoms: Any, centre: int) -> object:
        first, second, vectors = neighbor_list("ijD", atoms, scope.radius)
        near = first == centre
        r = torch.from_numpy(vectors[near])
        y = o3.spherical_harmonics(harmonics, r, normalize=True, normalization="component")
        radial = math.soft_one_hot_linspace(
            r.norm(dim=1), 0.0, scope.radius, n_radial, basis="smooth_finite", cutoff=True
        )
        species = torch.zeros(len(r), len(position), dtype=torch.float64)
        species[range(len(r)), [position[z] for z in atoms.numbers[second[near]]]] = 1.0
        channel = (species[:, :, None] * radial[:, None, :]).flatten(1)
        blocks = [
            torch.einsum("nq,nm->qm", channel, y[:, l**2 : (l + 1) ** 2]).flatten()
            for l in range(max_angular + 1)
        ]
        rho = torch.cat(blocks)[None]
        out = rho
        for product in products:
            out = product(out, rho)
        return out[0].numpy()

    return features


ADAPTERS: dict[str, dict[str, Callable[[Any, Scope], Function]]] = {
    "featomic": {
        "SoapPowerSpectrum": _featomic_power_spectrum,
        "SoapRadialSpectrum": _featomic_radial_spectrum,
    },
    "dscribe": {"SOAP": _dscribe_soap, "ACSF": _dscribe_acsf},
    "e3nn": {
        "PowerSpectrum": lambda _, scope: _e3nn_invariants(scope, 2),
        "Bispectrum": lambda _, scope: _e3nn_invariants(scope, 3),
    },
}
"""Package -> name -> function that makes a descriptor for a scope."""
