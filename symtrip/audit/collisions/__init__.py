"""Search for new pairs of environments that a descriptor cannot tell apart."""

from symtrip.audit.collisions.search import Collision, Search, Start, find_collisions

__all__ = ["Collision", "Search", "Start", "find_collisions"]
