"""Families of structures that incomplete descriptors cannot tell apart."""

from symtrip.degenerate.b8 import (
    B8_PARAMETERS,
    accept_b8,
    b8_arguments,
    b8_jacobian,
    b8_pair,
    sample_b8_parameters,
)
from symtrip.degenerate.catalogue import families, family
from symtrip.degenerate.exceptional import distance_to_exceptional_set, exceptional_distances
from symtrip.degenerate.family import Family
from symtrip.degenerate.records import Equalities, Kind, Member, Parameter
from symtrip.degenerate.two_ring import (
    Z12_RING,
    two_ring_jacobian,
    two_ring_numbers,
    two_ring_pair,
    z12_angles,
)
from symtrip.degenerate.writing import write_pairs

__all__ = [
    "B8_PARAMETERS",
    "Z12_RING",
    "Equalities",
    "Family",
    "Kind",
    "Member",
    "Parameter",
    "accept_b8",
    "b8_arguments",
    "b8_jacobian",
    "b8_pair",
    "distance_to_exceptional_set",
    "exceptional_distances",
    "families",
    "family",
    "sample_b8_parameters",
    "two_ring_jacobian",
    "two_ring_numbers",
    "two_ring_pair",
    "write_pairs",
    "z12_angles",
]
