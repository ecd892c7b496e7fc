"""Features and trained models for other programs: on ``ase.Atoms``, one or many."""

from symtrip.interop.arrays import KINDS, FeatureArrays, feature_arrays
from symtrip.interop.calculator import ModelCalculator
from symtrip.interop.prediction import Prediction, predict, with_results

__all__ = [
    "KINDS",
    "FeatureArrays",
    "ModelCalculator",
    "Prediction",
    "feature_arrays",
    "predict",
    "with_results",
]
