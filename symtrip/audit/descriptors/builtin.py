"""Names of the built-in descriptors, and their options."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from symtrip.audit.descriptor import Descriptor, Scope, Target
from symtrip.audit.descriptors import cartesian, density, frames, graphs
from symtrip.errors import InputError, require

__all__ = ["BUILTIN", "Builtin", "builtin", "refined"]


@dataclass(frozen=True)
class Builtin:
    """One built-in descriptor.

    Attributes:
        summary: what it is.
        system: the descriptor system of the paper's text that it stands for.
        make: constructor (radius, species, **options).
        options: option names with the type of their value.
        choice: name of the option that a bare word sets, as in ``triplets:linear``.
    """

    summary: str
    system: str
    make: Callable[..., Descriptor]
    options: Mapping[str, type]
    choice: str = ""


_CHOICES = {"parity": ("both", "even"), "pooling": ("nonlinear", "linear", "o3")}
_BASIS = {"n_radial": int, "max_angular": int}
_LARGEST = {"n_radial": 16, "max_angular": 12}
"""A bispectrum with l <= 12 takes minutes; the families differ at l <= 4."""

BUILTIN: dict[str, Builtin] = {
    "distances": Builtin(
        "multiset of interatomic distances", "lists of distances", graphs.DistanceMultiset, {}
    ),
    "wl1": Builtin(
        "message passing on distances (1-WL colours)",
        "distance-based graph convolution",
        graphs.ColourRefinement,
        {},
    ),
    "sprint": Builtin("sorted Perron vector of a contact matrix", "SPRINT", graphs.Sprint, {}),
    "overlap-matrix": Builtin(
        "eigenvalues of the s, p overlap matrix", "overlap matrix", graphs.OverlapMatrix, {}
    ),
    "acsf": Builtin("symmetry functions G2 and G4", "ACSF", cartesian.SymmetryFunctions, {}),
    "soap-power-spectrum": Builtin(
        "density correlations, nu = 2", "SOAP power spectrum", density.PowerSpectrum, _BASIS
    ),
    "bispectrum": Builtin(
        "density correlations, nu = 3, both parities",
        "bispectrum",
        density.Bispectrum,
        {**_BASIS, "parity": str},
    ),
    "acdc": Builtin(
        "density correlations of all orders <= nu",
        "ACE, NICE, ACDC",
        density.Acdc,
        {"nu": int, **_BASIS},
    ),
    "mtp": Builtin(
        "contractions of <= nu moment tensors", "MTP moments", cartesian.MomentTensors, {"nu": int}
    ),
    "gram": Builtin(
        "Gram matrix up to permutation, pooled", "Gram matrices", frames.GramMatrix, {}
    ),
    "wmi": Builtin("coordinates in all pair frames, pooled", "WMI", frames.WeightedMatrices, {}),
    "local-frame": Builtin(
        "coordinates in the frame of the two nearest", "local frames", frames.LocalFrame, {}
    ),
    "triplets": Builtin(
        "3-centre, 1-neighbour features, pooled",
        "3-centre features",
        density.TripletPool,
        {"pooling": str, **_BASIS, "units": int},
        choice="pooling",
    ),
}
"""The built-in descriptors by name."""


def builtin(target: str) -> Target | None:
    """The built-in descriptor that ``target`` names, e.g. ``acdc:nu=4,max_angular=3``.

    Args:
        target: a name, optionally with ``:`` and options ``key=value`` joined by commas.

    Returns:
        The target, or None if no built-in has that name.

    Raises:
        InputError: an unknown option, or a value it cannot take.
    """
    name, _, tail = target.partition(":")
    if name not in BUILTIN:
        return None
    entry = BUILTIN[name]
    options: dict[str, Any] = {}
    for word in filter(None, tail.split(",")):
        key, equals, value = word.partition("=")
        if not equals and entry.choice:
            key, value = entry.choice, word
        known = ", ".join(entry.options) or "none"
        require(
            key in entry.options,
            "TARGET",
            f"give options of {name} ({known})",
            repr(word),
            f"write {name}" + (f":{next(iter(entry.options))}=VALUE" if entry.options else ""),
        )
        try:
            options[key] = entry.options[key](value)
        except ValueError as problem:
            raise InputError(
                f"`TARGET` must give {key} of {name} as {entry.options[key].__name__}, got "
                f"{value!r}; write e.g. {name}:{key}=3."
            ) from problem
    for key, choices in _CHOICES.items():
        require(
            options.get(key, choices[0]) in choices,
            "TARGET",
            f"choose {key} among {', '.join(choices)}",
            repr(options.get(key)),
            f"write e.g. {name}:{key}={choices[0]}",
        )

    for key, largest in _LARGEST.items():
        require(
            options.get(key, 0) <= largest,
            "TARGET",
            f"have {key} <= {largest}",
            options.get(key),
            f"write e.g. {name}:{key}={largest // 2}",
        )

    def build(scope: Scope) -> Descriptor:
        return entry.make(scope.radius, scope.species, **options)

    build(Scope(radius=2.0, species=(1,)))
    return Target(name=target, summary=entry.summary, build=build)


def refined(target: str) -> Target | None:
    """A built-in density descriptor with a larger basis.

    Args:
        target: name of any target.

    Returns:
        The same descriptor with eight radial functions and l <= 8; None if ``target`` is no
        built-in one with a basis.
    """
    name = target.partition(":")[0]
    if name not in BUILTIN or "max_angular" not in BUILTIN[name].options:
        return None
    kept = [
        word
        for word in target.partition(":")[2].split(",")
        if word and word.partition("=")[0] not in _BASIS
    ]
    return builtin(f"{name}:{','.join([*kept, 'n_radial=8', 'max_angular=8'])}")
