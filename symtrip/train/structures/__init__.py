"""Training on energies and forces of any structures."""

from symtrip.train.structures.config import (
    FitConfig,
    FitSettings,
    RandomKernel,
    RandomSettings,
    StructureExpansion,
    load_fit,
)
from symtrip.train.structures.data import LabelledStructures, StructureBatch, read_labelled
from symtrip.train.structures.random import LinearFit, fit_terms, ridge
from symtrip.train.structures.run import FitResult, fit
from symtrip.train.structures.trainer import StructureErrors, StructureTrainer

__all__ = [
    "FitConfig",
    "FitResult",
    "FitSettings",
    "LabelledStructures",
    "LinearFit",
    "RandomKernel",
    "RandomSettings",
    "StructureBatch",
    "StructureErrors",
    "StructureExpansion",
    "StructureTrainer",
    "fit",
    "fit_terms",
    "load_fit",
    "read_labelled",
    "ridge",
]
