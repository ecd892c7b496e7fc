"""The 3-centre, 1-neighbour features: a density seen from a centre and two tagged neighbours."""

from symtrip.triplets.blocks import Path, Triplets, triplet_parity, triplet_paths
from symtrip.triplets.features import TripletFeatures

__all__ = ["Path", "TripletFeatures", "Triplets", "triplet_parity", "triplet_paths"]
