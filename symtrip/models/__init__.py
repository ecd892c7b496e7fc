"""Models of energies on compressed features, invariant after the nonlinearity."""

from symtrip.models.compression import InvariantCompression, TripletCompression
from symtrip.models.descriptors import (
    DirectTripletDescriptor,
    InvariantDescriptor,
    TripletDescriptor,
)
from symtrip.models.energy import InvariantEnergy, TripletEnergy
from symtrip.models.forces import atomic_forces, strain_derivatives, vector_gradient
from symtrip.models.fourier import PairFourierFeatures
from symtrip.models.fused import FusedTripletModel, LearnableTriplets, for_use
from symtrip.models.kernel import PairKernel, PairKernelSettings, PairRows
from symtrip.models.kernel_model import KernelModel, KernelSettings, KernelTerm
from symtrip.models.latent import (
    LatentDecoder,
    TripletEncoder,
    TripletReconstruction,
    sum_over_pairs,
)
from symtrip.models.layers import EnergyHead, RowGroupNorm
from symtrip.models.loading import AnyModel, load_model
from symtrip.models.model import EnergyModel, ModelSpec, build_energy, fit_descriptor
from symtrip.models.pairs import PairFeatures, unordered_pairs
from symtrip.models.random_features import (
    RandomFeatureModel,
    RandomFeatures,
    RandomFeatureSettings,
)
from symtrip.models.settings import (
    ExpansionSettings,
    FeatureSettings,
    ModelName,
    NetworkSettings,
    Settings,
    validated,
)
from symtrip.models.structure_model import StructureModel

__all__ = [
    "AnyModel",
    "DirectTripletDescriptor",
    "EnergyHead",
    "EnergyModel",
    "ExpansionSettings",
    "FeatureSettings",
    "FusedTripletModel",
    "InvariantCompression",
    "InvariantDescriptor",
    "InvariantEnergy",
    "KernelModel",
    "KernelSettings",
    "KernelTerm",
    "LatentDecoder",
    "LearnableTriplets",
    "ModelName",
    "ModelSpec",
    "NetworkSettings",
    "PairFeatures",
    "PairFourierFeatures",
    "PairKernel",
    "PairKernelSettings",
    "PairRows",
    "RandomFeatureModel",
    "RandomFeatureSettings",
    "RandomFeatures",
    "RowGroupNorm",
    "Settings",
    "StructureModel",
    "TripletCompression",
    "TripletDescriptor",
    "TripletEncoder",
    "TripletEnergy",
    "TripletReconstruction",
    "atomic_forces",
    "build_energy",
    "fit_descriptor",
    "for_use",
    "load_model",
    "strain_derivatives",
    "sum_over_pairs",
    "unordered_pairs",
    "validated",
    "vector_gradient",
]
