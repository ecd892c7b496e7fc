"""The catalogue of families of pairs that incomplete descriptors cannot tell apart."""

from __future__ import annotations

import difflib
import json
from functools import lru_cache
from importlib.resources import files

from symtrip.degenerate.family import Family
from symtrip.errors import InputError

__all__ = ["families", "family"]


@lru_cache(maxsize=1)
def families() -> tuple[Family, ...]:
    """All families of the catalogue.

    Returns:
        The families, in the order: environments by the order nu they fool, clusters, controls
        (congruent pairs that circulate as counterexamples; ids ``FLAWED_...``), crystals.

    Example:
        >>> from symtrip.degenerate import families
        >>> [f.id for f in families() if f.equal.nu_so3 == 4]
        ['nu4_two_ring_Z12_13', 'nu4_two_ring_two_axis_decorated_14']
    """
    text = (files("symtrip") / "data" / "catalogue.json").read_text(encoding="utf-8")
    catalogue = json.loads(text)
    return tuple(
        Family.from_entry(entry, catalogue["atomic_numbers"]) for entry in catalogue["families"]
    )


def family(id: str) -> Family:  # noqa: A002
    """One family of the catalogue.

    Args:
        id: its identifier.

    Raises:
        InputError: there is no such family.

    Example:
        >>> from symtrip.degenerate import family
        >>> plus, minus = family("nu3_paper_B8_family").members()
        >>> plus.positions.shape
        torch.Size([8, 3])
    """
    known = {member.id: member for member in families()}
    if id not in known:
        near = difflib.get_close_matches(id, known, n=3, cutoff=0.3) or list(known)
        raise InputError(
            f"`id` must name a family of the catalogue, got {id!r}; did you mean "
            f"{', '.join(near)}? `symtrip pairs list` shows all."
        )
    return known[id]
