"""A search for collisions on disk: statistics as JSON, pairs as extended XYZ with all digits."""

from __future__ import annotations

import json
import os
from collections import Counter
from dataclasses import asdict
from typing import Any

from symtrip.audit.collisions.search import Collision, Search
from symtrip.files import atomic_write

__all__ = ["statistics", "write_json", "write_pairs"]


def statistics(search: Search) -> dict[str, Any]:
    """Counts of a search, and every start.

    Args:
        search: the outcome.

    Returns:
        Plain data for JSON: ``starts``, ``collisions``, ``persistent`` (not resolved by a larger
        basis), ``in_each_twenty`` starts, ``by_kind`` and ``outcomes``.
    """
    tried = Counter(start.kind for start in search.starts)
    found = Counter(start.kind for start in search.starts if start.collision is not None)
    return {
        "target": search.target,
        "starts": len(search.starts),
        "collisions": len(search.collisions),
        "persistent": sum(bool(collision.persists) for collision in search.collisions),
        "in_each_twenty": [
            sum(start.collision is not None for start in search.starts[first : first + 20])
            for first in range(0, len(search.starts) - 19, 20)
        ],
        "by_kind": {kind: {"starts": tried[kind], "collisions": found[kind]} for kind in tried},
        "outcomes": [
            {
                "kind": start.kind,
                "n_neighbors": start.n_neighbors,
                "relative_difference": start.relative_difference,
                "orbit_distance": start.orbit_distance,
                "steps": start.steps,
                "collision": None if start.collision is None else _numbers(start.collision),
            }
            for start in search.starts
        ],
    }


def write_json(search: Search, path: str | os.PathLike[str]) -> None:
    """Write :func:`statistics`, whole or not at all."""
    with atomic_write(path) as temporary:
        text = json.dumps(statistics(search), indent=2, allow_nan=False)
        temporary.write_text(text + "\n", encoding="utf-8")


def write_pairs(search: Search, path: str | os.PathLike[str], symbol: str) -> None:
    """Write all collisions as extended XYZ, two structures each, the centre first.

    Args:
        search: the outcome.
        path: the file.
        symbol: chemical symbol of all atoms.
    """
    lines = []
    for number, collision in enumerate(search.collisions):
        for member, vectors in (("first", collision.first), ("second", collision.second)):
            lines.append(f"{len(vectors) + 1}\n")
            lines.append(
                f'pbc="F F F" Properties=species:S:1:pos:R:3 collision={number} member={member} '
                f"center=0\n"
            )
            rows = [[0.0, 0.0, 0.0], *vectors.tolist()]
            lines += [f"{symbol:2} {x!r} {y!r} {z!r}\n" for x, y, z in rows]
    with atomic_write(path) as temporary:
        temporary.write_text("".join(lines), encoding="utf-8")


def _numbers(collision: Collision) -> dict[str, Any]:
    return {
        "first": collision.first.tolist(),
        "second": collision.second.tolist(),
        "relative_difference": collision.relative_difference,
        "noise_floor": collision.noise_floor,
        "orbit_distance": collision.orbit_distance,
        "orbit_distance_bound": collision.orbit_distance_bound,
        "refined_difference": collision.refined_difference,
        "contact": asdict(collision.contact),
    }
