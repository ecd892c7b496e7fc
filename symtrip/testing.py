"""Assertions for the test suites of packages with descriptors."""

from __future__ import annotations

from collections.abc import Sequence

from symtrip.audit.descriptor import DescriptorError
from symtrip.audit.invariance import check_invariances
from symtrip.audit.runner import chosen_families
from symtrip.audit.separation import separate
from symtrip.audit.targets import resolve

__all__ = ["assert_separates"]


def assert_separates(
    descriptor: object,
    families: str | Sequence[str] = (),
    *,
    cutoff: float | None = None,
    members: int = 1,
    seed: int = 0,
) -> None:
    """Fail unless a descriptor tells the members of degenerate pairs apart.

    Args:
        descriptor: a function of ``ase.Atoms`` (and the index of a centre), an ASE calculator, or a
            name as for ``symtrip audit``.
        families: ids of families or beginnings of ids, e.g. ``"nu2"``; empty means all.
        cutoff: cutoff radius in Å of the descriptor: structures are shrunk to fit inside.
        members: pairs per family: the default one and random ones.
        seed: seed of the random pairs.

    Raises:
        AssertionError: a family is not separated, or the descriptor failed; the message lists them.
        InputError: unknown names.

    Example:
        >>> from symtrip.testing import assert_separates
        >>> assert_separates("bispectrum", "nu2")
        >>> assert_separates("bispectrum", "nu3_paper_B8_family")
        Traceback (most recent call last):
            ...
        AssertionError: bispectrum does not separate:
          nu3_paper_B8_family: not separated (difference ..., noise ...)
    """
    words = [families] if isinstance(families, str) else list(families)
    chosen = chosen_families(words)
    target = resolve(descriptor, cutoff=cutoff)
    problems = []
    try:
        _, properties, _ = check_invariances(target, seed=seed)
        for family in chosen:
            outcome = separate(target, family, properties, members=members, seed=seed)
            if outcome.verdict in ("not separated", "numerically ambiguous"):
                numbers = (
                    f"difference {outcome.relative_difference:.1e}, noise {outcome.noise_floor:.1e}"
                )
                problems.append(f"  {family.id}: {outcome.verdict} ({numbers})")
    except DescriptorError as problem:
        problems.append(f"  it failed: {problem}")
    if problems:
        raise AssertionError("\n".join([f"{target.name} does not separate:", *problems]))
