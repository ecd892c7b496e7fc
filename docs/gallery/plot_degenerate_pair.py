"""
Two environments that the bispectrum confuses
=============================================

A pair of B8 clusters, the correlations that cannot tell its members apart, and the triplet features
that do.
"""

# %%
# The data set holds 4000 pairs of clusters. Their members differ by where one atom sits: above the
# two rings or below. Atom 0, in the middle, is the centre of the environment.
import matplotlib.pyplot as plt
import torch

from symtrip import (
    B8Pairs,
    DensityCorrelations,
    Environments,
    SphericalExpansion,
    TripletFeatures,
)

pair = B8Pairs.load().positions[0]
figure = plt.figure(figsize=(8, 4))
for number, (name, atoms) in enumerate(zip("+-", pair, strict=True)):
    axes = figure.add_subplot(1, 2, number + 1, projection="3d")
    for atom in atoms[1:]:
        axes.plot(*torch.stack([atoms[0], atom]).T, color="0.8")
    axes.scatter(*atoms.T, s=120, c=["k", *6 * ["tab:blue"], "tab:red"], depthshade=False)
    axes.set(title=f"$A^{name}$", xlabel="x (Å)", ylabel="y (Å)", zlabel="z (Å)")
    axes.set_aspect("equal")
plt.show()

# %%
# Both environments are expanded in radial functions and spherical harmonics, with the settings of
# the paper.
environments = Environments.from_positions(pair, 5, radius=2.0)
density = SphericalExpansion.b8()(environments)

# %%
# Now compare the members by every descriptor: the norm of the difference over the norm.


def difference(features):
    """Relative difference of the two rows."""
    return float((features[0] - features[1]).norm() / features[0].norm())


triplets = TripletFeatures(max_angular=3)(density).dense()
descriptors = {
    "density": DensityCorrelations(max_angular=3, nu=1)(density),
    "power spectrum": DensityCorrelations(max_angular=3, nu=2)(density),
    "bispectrum": DensityCorrelations(max_angular=3, nu=3)(density),
    "triplets, summed": triplets.sum(dim=(1, 2)),
    "triplets, cubed, then summed": triplets.pow(3).sum(dim=(1, 2)),
}
for name, features in descriptors.items():
    print(f"{name:30s} {features.shape[1]:5d} features   difference {difference(features):.1e}")

# %%
# The sum of the triplet features is the bispectrum, number by number: only a nonlinear function
# *before* the sum makes use of the tagged neighbours.
print(float((descriptors["triplets, summed"] - descriptors["bispectrum"]).abs().max()))
