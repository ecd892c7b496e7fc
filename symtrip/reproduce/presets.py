"""What is trained: the models of each preset."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, NonNegativeInt, PositiveFloat, PositiveInt

from symtrip.models import (
    ExpansionSettings,
    FeatureSettings,
    KernelSettings,
    ModelName,
    NetworkSettings,
    PairKernelSettings,
    RandomFeatureSettings,
    Settings,
)
from symtrip.reproduce.invariants import InvariantSettings
from symtrip.train import TrainingSettings

__all__ = [
    "PRESETS",
    "LatentSettings",
    "ModelPlan",
    "Preset",
    "PresetName",
    "RidgeSettings",
    "RowName",
]

PresetName = Literal["quick", "paper", "best"]
RowName = (
    ModelName | Literal["A_rho_L", "A_rho_NL", "A_L", "A_NL", "C_L", "C_NL", "kernel", "random"]
)


class LatentSettings(Settings):
    """Encoder and decoder of models A.

    Attributes:
        size: length of the latent vector.
        hidden: width of both.
        skip: as in :class:`~symtrip.models.LatentDecoder`.
    """

    size: PositiveInt = 128
    hidden: PositiveInt = 512
    skip: bool = True


class RidgeSettings(Settings):
    """A linear model in closed form; every combination is tried on training pairs kept aside.

    Attributes:
        noise: as in :func:`~symtrip.train.regress_pairs`.
        difference_noise: the same for differences within pairs, as a part of ``noise``.
        whitening: as in :class:`ModelPlan`, which it replaces.
    """

    noise: tuple[PositiveFloat, ...] = Field(
        default=(1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1), min_length=1
    )
    difference_noise: tuple[PositiveFloat, ...] = Field(default=(1.0, 0.1, 0.01), min_length=1)
    whitening: tuple[Annotated[float, Field(ge=0, le=1)], ...] = Field(
        default=(0.0, 0.25, 0.5, 0.75), min_length=1
    )


class RandomRegressionSettings(Settings):
    """A linear model on random features; every noise is tried on training pairs left out.

    Attributes:
        features: the random features.
        noise: as in :func:`~symtrip.train.regress_pairs`.
        difference_noise: the same for differences within pairs, as a part of ``noise``.
    """

    features: RandomFeatureSettings = RandomFeatureSettings()
    noise: tuple[PositiveFloat, ...] = Field(default=(1e-10, 1e-9, 1e-8, 1e-7), min_length=1)
    difference_noise: tuple[PositiveFloat, ...] = Field(default=(1.0, 0.1, 0.01), min_length=1)


class ModelPlan(Settings):
    """One row of the tables.

    Attributes:
        model: architecture; ``best`` is a Gaussian process, "kernel", ``random`` a linear model on
            random features of its kernels.
        network: width of the energy network, and whether inversion symmetry is restored after the
            nonlinearity.
        latent: encoder and decoder (A_rho_L and A_rho_NL).
        whitening: exponent w of models A_rho_L, A_L, A_NL and C: columns of their input are divided
            by the w-th power of their standard deviations; 0 leaves their proportions, 1 makes all
            equal.
        training: the optimisation.
        kernel: the Gaussian process, for "kernel", to which nothing else applies.
        random: the linear model, for "random". Of ``training`` only ``difference_weight`` applies.
        ridge: for C_L: it is solved for, not trained. Of ``training`` only ``difference_weight``
            applies, to the selection.
    """

    model: RowName
    network: NetworkSettings = NetworkSettings()
    latent: LatentSettings = LatentSettings()
    whitening: float = Field(default=0.0, ge=0, le=1)
    training: TrainingSettings = TrainingSettings()
    kernel: KernelSettings = KernelSettings()
    random: RandomRegressionSettings = RandomRegressionSettings()
    ridge: RidgeSettings = RidgeSettings()


class FigureSettings(Settings):
    """What is trained for figures only.

    Attributes:
        latent_sizes: lengths of the latent vector (Fig. S4).
        latent_epochs: epochs of each.
        curve_pairs: numbers of training pairs of the learning curves; those beyond the labelled
            ones are left out.
        curve_epochs: epochs of B_NL at each.
    """

    latent_sizes: tuple[PositiveInt, ...] = (4, 8, 16, 32, 64, 128, 256, 512)
    latent_epochs: PositiveInt
    curve_pairs: tuple[PositiveInt, ...]
    curve_epochs: PositiveInt


class Preset(Settings):
    """A whole reproduction.

    Attributes:
        training_pairs: the first so many labelled training pairs; ``None``: all.
        seeds: one run of every model for each.
        features: compression of triplets and of nu <= 3, common to all models of a kind.
        invariants: density correlations of models A and C.
        teacher: a Gaussian process on the labelled training pairs, which labels further pairs.
        further_pairs: so many pairs that the paper's draw gives after its 4000 are trained on as
            well, by models B, C, D and A with the teacher's labels, by models A_rho with their own
            invariants.
        models: row name -> plan.
        figures: what is trained for figures; ``None``: only those of the models in the table.
    """

    training_pairs: int | None = Field(default=None, ge=4)
    seeds: PositiveInt = 3
    features: FeatureSettings = FeatureSettings()
    invariants: InvariantSettings = InvariantSettings()
    teacher: KernelSettings = KernelSettings()
    further_pairs: NonNegativeInt = 0
    models: dict[str, ModelPlan]
    figures: FigureSettings | None = None


def _rows(linear: int, triplets: int, invariants: int) -> dict[str, ModelPlan]:
    return {
        "B_L": ModelPlan(model="B_L", training=TrainingSettings(epochs=linear)),
        "B_NL": ModelPlan(model="B_NL", training=TrainingSettings(epochs=triplets)),
        "D_L": ModelPlan(model="D_L", training=TrainingSettings(epochs=invariants)),
        "D_NL": ModelPlan(model="D_NL", training=TrainingSettings(epochs=invariants)),
    }


def _latent_rows(
    linear: TrainingSettings, nonlinear: TrainingSettings, heads: int
) -> dict[str, ModelPlan]:
    """Models A. Differences within pairs are 1 % of the variance of the invariants.

    With a weight of 3 instead of 100 the encoder does not begin to separate pairs in 30 epochs of
    ``quick``.
    """
    return {
        "A_rho_L": ModelPlan(model="A_rho_L", whitening=0.75, training=linear),
        "A_L": ModelPlan(model="A_L", training=TrainingSettings(epochs=heads)),
        "A_rho_NL": ModelPlan(model="A_rho_NL", training=nonlinear),
        "A_NL": ModelPlan(model="A_NL", training=TrainingSettings(epochs=heads)),
    }


def _correlation_rows(nonlinear: int) -> dict[str, ModelPlan]:
    """Models C; whitening chosen on training pairs kept aside, of 0, 0.25, 0.5, 0.7 and 1."""
    return {
        "C_L": ModelPlan(model="C_L", training=TrainingSettings(difference_weight=3.0)),
        "C_NL": ModelPlan(
            model="C_NL",
            whitening=0.25,
            training=TrainingSettings(epochs=nonlinear, difference_weight=3.0),
        ),
    }


def _pair_kernel(
    n_radial: int, width: float, components: int, weight: float, length: float
) -> PairKernelSettings:
    expansion = ExpansionSettings(max_angular=4, n_radial=n_radial, smearing_width=width)
    return PairKernelSettings(
        expansion=expansion, components=components, row_weight=weight, length=length
    )


def _random(terms: tuple[PairKernelSettings, ...], n_features: int) -> ModelPlan:
    features = RandomFeatureSettings(terms=terms, n_features=n_features)
    return ModelPlan(model="random", random=RandomRegressionSettings(features=features))


# Chosen by the errors of training pairs left out, of 34 settings of one kernel and of sums of them
_TEACHER = KernelSettings(terms=(_pair_kernel(3, 0.4, 48, 1.0, 0.7),))
_BEST = KernelSettings(
    terms=(
        _pair_kernel(5, 0.35, 64, 0.75, 1.0),
        _pair_kernel(3, 0.4, 48, 1.0, 0.7),
        _pair_kernel(4, 0.3, 96, 1.0, 1.0),
    )
)

_QUICK_INVARIANTS = InvariantSettings(
    max_nu=4,
    kept={2: (12, 12, 20, 12, 8, 10, 11), 3: (40, 60, 60, 60, 40, 40, 60, 15)},
    sample=100,
    components=256,
    inputs=500,
)

PRESETS: dict[PresetName, Preset] = {
    "quick": Preset(
        training_pairs=500,
        seeds=1,
        features=FeatureSettings(components=256, sample=100),
        invariants=_QUICK_INVARIANTS,
        models=_latent_rows(
            TrainingSettings(
                epochs=200,
                optimiser="muon",
                batch_pairs=16,
                learning_rate=2e-3,
                difference_weight=0.0,
                weight_decay=0.0,
            ),
            TrainingSettings(
                epochs=30,
                optimiser="muon",
                learning_rate=2e-3,
                difference_weight=100.0,
                weight_decay=0.0,
            ),
            300,
        )
        | _rows(500, 40, 500)
        | _correlation_rows(300)
        | {
            "best": ModelPlan(model="kernel", kernel=_TEACHER),
            "random": _random(_BEST.terms, 2000),
        },
        figures=FigureSettings(
            latent_sizes=(4, 16, 64, 256),
            latent_epochs=10,
            curve_pairs=(125, 250, 500),
            curve_epochs=40,
        ),
    ),
    "paper": Preset(
        teacher=_TEACHER,
        further_pairs=4000,
        models=_latent_rows(
            TrainingSettings(
                epochs=200,
                optimiser="soap",
                difference_weight=0.0,
                weight_decay=0.0,
            ),
            TrainingSettings(
                epochs=72,
                optimiser="soap",
                batch_pairs=32,
                difference_weight=0.3,
                weight_decay=0.0,
            ),
            100,
        )
        | _rows(200, 200, 200)
        | _correlation_rows(60),
        figures=FigureSettings(
            latent_epochs=30,
            curve_pairs=(125, 250, 500, 1000, 2000, 3500),
            curve_epochs=80,
        ),
    ),
    "best": Preset(
        models={
            "best": ModelPlan(model="kernel", kernel=_BEST),
            "random": _random(_BEST.terms, 4000),
        }
    ),
}
"""The presets by name."""
