"""From a word on the command line, or an object, to something that can be audited."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from symtrip.audit.adapters import ADAPTERS, adapter
from symtrip.audit.descriptor import CallableDescriptor, Descriptor, Target
from symtrip.audit.descriptors import BUILTIN, builtin
from symtrip.errors import InputError, require

__all__ = ["known_targets", "resolve"]


def known_targets() -> str:
    """All kinds of targets, for messages."""
    peers = ", ".join(f"{package}:{name}" for package, names in ADAPTERS.items() for name in names)
    return (
        f"built-in descriptors {', '.join(BUILTIN)}; adapters {peers}; or module:callable and "
        "path/to/file.py:callable, a function of ase.Atoms (and a centre) or an ASE calculator "
        "factory"
    )


def resolve(target: object, *, cutoff: float | None = None) -> Target:
    """The target that a name stands for, or that wraps an object.

    Args:
        target: a built-in's name, an adapter's, ``module:callable``; or a function of
            ``ase.Atoms`` (and the index of a centre), an ASE calculator, a function without
            arguments that makes one of these.
        cutoff: cutoff radius in Å of a descriptor of one's own; default: its attribute ``cutoff``,
            else the smoothness check looks for it.

    Returns:
        The target.

    Raises:
        InputError: nothing is known by that name; the module or the callable cannot be loaded.
    """
    require(
        cutoff is None or 0 < cutoff < float("inf"),
        "cutoff",
        "be a finite distance > 0 Å",
        cutoff,
        "leave it out if you do not know it",
    )
    if not isinstance(target, str):
        return _wrapped(target, getattr(target, "__name__", type(target).__name__), cutoff)
    found = builtin(target)
    if found is not None:
        return found
    package, colon, rest = target.partition(":")
    if package in ADAPTERS and rest.partition(":")[0].partition(",")[0] in ADAPTERS[package]:
        return adapter(package, rest)
    if not colon:
        raise InputError(f"`TARGET` must be a known descriptor, got {target!r}; {known_targets()}.")
    return _wrapped(_load(target), target, cutoff)


def _load(target: str) -> object:
    module_name, _, attribute = target.rpartition(":")
    try:
        if module_name.endswith(".py"):
            module = _module_from_file(Path(module_name))
        else:
            if "" not in sys.path:
                # as `python -m` does: modules of the working directory can be named
                sys.path.insert(0, "")
            module = importlib.import_module(module_name)
        found: Any = module
        for part in attribute.split("."):
            found = getattr(found, part)
    except (Exception, SystemExit) as problem:  # a module may do anything when it is imported
        raise InputError(
            f"`TARGET` must name a descriptor, got {target!r} ({type(problem).__name__}: "
            f"{problem}); known: {known_targets()}."
        ) from problem
    return found


def _module_from_file(path: Path) -> Any:
    if not path.is_file():
        raise FileNotFoundError(f"no file {path}")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} is no Python module")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _wrapped(found: object, name: str, cutoff: float | None) -> Target:
    factory = None
    if inspect.isclass(found) or (callable(found) and _required_arguments(found) == 0):
        factory = found
        try:
            found = factory()
        except (Exception, SystemExit) as problem:
            raise InputError(
                f"`TARGET` must be a factory that works without arguments, got {name} "
                f"({type(problem).__name__}: {problem}); name a function without arguments that "
                "calls it with the right ones."
            ) from problem
    descriptor: Descriptor
    if _is_calculator(found):
        descriptor, summary = _EnergyDescriptor(found, factory), "energy of an ASE calculator"
    elif callable(found):
        radius = cutoff if cutoff is not None else _own_cutoff(found, name)
        gradient = getattr(found, "gradient", None)
        descriptor = CallableDescriptor(
            _with_centre(found),
            cutoff=radius,
            gradient=None if gradient is None else _with_centre(gradient),
        )
        lines = (inspect.getdoc(found) or "a descriptor of your own").splitlines()
        summary = lines[0] if lines else ""
    else:
        raise InputError(
            f"`TARGET` must be callable or an ASE calculator, got {name} of type "
            f"{type(found).__name__}; {known_targets()}."
        )
    return Target(name=name, summary=summary, build=lambda _: descriptor, adjustable=False)


def _own_cutoff(found: object, name: str) -> float | None:
    """The attribute ``cutoff`` of a descriptor of one's own."""
    radius: Any = getattr(found, "cutoff", None)
    if radius is None:
        return None
    try:
        value = float(radius)
    except (TypeError, ValueError):
        value = float("nan")
    require(
        0 < value < float("inf"),
        f"{name}.cutoff",
        "be a finite distance > 0 Å",
        repr(radius),
        "leave the attribute out if you do not know it",
    )
    return value


def _required_arguments(function: Callable[..., object]) -> int | None:
    """Positional arguments that must be given; None if that cannot be known."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return None
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    if any(p.kind is inspect.Parameter.VAR_POSITIONAL for p in parameters):
        return None
    return sum(p.kind in kinds and p.default is inspect.Parameter.empty for p in parameters)


def _with_centre(function: Callable[..., object]) -> Callable[..., object]:
    """``function`` called with (atoms, centre), or with atoms alone if it takes no more."""
    try:
        inspect.signature(function).bind(None, 0)
    except TypeError:
        return lambda atoms, _: function(atoms)
    except ValueError:
        return function
    return function


def _is_calculator(found: object) -> bool:
    return hasattr(found, "get_potential_energy") and hasattr(found, "get_forces")


class _EnergyDescriptor(CallableDescriptor):
    """The energy of an ASE calculator as a vector of one number; forces are its derivatives."""

    whole_structure = True

    def __init__(self, calculator: Any, factory: Callable[[], Any] | None) -> None:
        super().__init__(
            lambda atoms, _: np.atleast_1d(self._ask("get_potential_energy", atoms)),
            gradient=lambda atoms, _: -np.asarray(self._ask("get_forces", atoms))[None],
        )
        self.calculator, self.factory = calculator, factory

    def _ask(self, question: str, atoms: Any) -> Any:
        try:
            return getattr(self.calculator, question)(atoms)
        except Exception:
            # calculators keep half of a failed calculation: the next one starts afresh
            if self.factory is not None:
                self.calculator = self.factory()
            elif hasattr(self.calculator, "reset"):
                self.calculator.reset()
            raise
