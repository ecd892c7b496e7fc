"""Training of energy models on pairs of B8 clusters, resumable at any point."""

from symtrip.train.checkpoint import load_checkpoint, save_checkpoint
from symtrip.train.config import DataSettings, TrainConfig, TrainingSettings, load_config
from symtrip.train.features import (
    chunk_for,
    cluster_features,
    density_chunks,
    fit_to_clusters,
)
from symtrip.train.last_layer import refit_last_layer
from symtrip.train.metrics import PairErrors, pair_errors, pair_loss
from symtrip.train.optimisation import Epoch, Optimisation
from symtrip.train.regression import (
    LinearPairRegression,
    PairMoments,
    PairRegression,
    regress_pairs,
)
from symtrip.train.run import Report, SetResult, TrainResult, optimise, train
from symtrip.train.trainer import (
    LabelledPairs,
    Trainer,
    joined,
    paired,
    predict,
    split_pairs,
)

__all__ = [
    "DataSettings",
    "Epoch",
    "LabelledPairs",
    "LinearPairRegression",
    "Optimisation",
    "PairErrors",
    "PairMoments",
    "PairRegression",
    "Report",
    "SetResult",
    "TrainConfig",
    "TrainResult",
    "Trainer",
    "TrainingSettings",
    "chunk_for",
    "cluster_features",
    "density_chunks",
    "fit_to_clusters",
    "joined",
    "load_checkpoint",
    "load_config",
    "optimise",
    "pair_errors",
    "pair_loss",
    "paired",
    "predict",
    "refit_last_layer",
    "regress_pairs",
    "save_checkpoint",
    "split_pairs",
    "train",
]
