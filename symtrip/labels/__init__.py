"""Energies and forces of structures from density-functional theory (PySCF, extra ``dft``)."""

from symtrip.labels.check import (
    LabelDeviation,
    relax_planar_b8,
    shipped_deviations,
)
from symtrip.labels.compute import Label, compute_label
from symtrip.labels.pairs import label_pairs
from symtrip.labels.run import LabelReport, check_structures, label_structures
from symtrip.labels.settings import LabelSettings
from symtrip.labels.store import LabelStore

__all__ = [
    "Label",
    "LabelDeviation",
    "LabelReport",
    "LabelSettings",
    "LabelStore",
    "check_structures",
    "compute_label",
    "label_pairs",
    "label_structures",
    "relax_planar_b8",
    "shipped_deviations",
]
