"""Features and trained models for other programs: on ``ase.Atoms``, one or many."""

from symtrip.interop.arrays import KINDS, Columns, FeatureArrays, feature_arrays
from symtrip.interop.calculator import ModelCalculator
from symtrip.interop.prediction import LabelErrors, Prediction, label_errors, predict, with_results
from symtrip.interop.tensor_map import check_metatensor, save_tensor_map, tensor_map

__all__ = [
    "KINDS",
    "Columns",
    "FeatureArrays",
    "LabelErrors",
    "ModelCalculator",
    "Prediction",
    "check_metatensor",
    "feature_arrays",
    "label_errors",
    "predict",
    "save_tensor_map",
    "tensor_map",
    "with_results",
]
