"""Features and trained models for other programs: on ``ase.Atoms``, one or many."""

from symtrip.interop.arrays import KINDS, FeatureArrays, feature_arrays
from symtrip.interop.calculator import ModelCalculator
from symtrip.interop.prediction import LabelErrors, Prediction, label_errors, predict, with_results

__all__ = [
    "KINDS",
    "FeatureArrays",
    "LabelErrors",
    "ModelCalculator",
    "Prediction",
    "feature_arrays",
    "label_errors",
    "predict",
    "with_results",
]
