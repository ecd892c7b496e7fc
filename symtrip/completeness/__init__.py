"""Completeness: equality of environments decided, and environments rebuilt from features."""

from symtrip.completeness.congruence import Congruence, congruent
from symtrip.completeness.couplings import basis_paths, coupling_condition, coupling_matrix
from symtrip.completeness.fit import FitReport, fit_positions
from symtrip.completeness.metric import environment_distance
from symtrip.completeness.moments import FrameMoments, frame_moments
from symtrip.completeness.reconstruct import Reconstruction, decode_pair, pair_features, reconstruct
from symtrip.completeness.symmetry import Stabiliser, stabiliser

__all__ = [
    "Congruence",
    "FitReport",
    "FrameMoments",
    "Reconstruction",
    "Stabiliser",
    "basis_paths",
    "congruent",
    "coupling_condition",
    "coupling_matrix",
    "decode_pair",
    "environment_distance",
    "fit_positions",
    "frame_moments",
    "pair_features",
    "reconstruct",
    "stabiliser",
]
