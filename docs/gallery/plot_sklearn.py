"""
Complete features in scikit-learn
=================================

:class:`~symtrip.interop.estimators.StructureFeatures` turns structures into rows of numbers for
pipelines, searches over parameters and any regression of scikit-learn
(``pip install "symtrip[sklearn]"``).
"""

# %%
# 200 pairs of B8 clusters to learn from and 100 others. The members of a pair share their
# bispectrum, but not their energy.
import ase
import matplotlib.pyplot as plt
import numpy as np
from sklearn.linear_model import RidgeCV
from sklearn.pipeline import make_pipeline

from symtrip import B8Pairs
from symtrip.interop.estimators import StructureFeatures


def structures(pairs):
    """Clusters, members of a pair next to each other, and their energies in eV."""
    frames = [ase.Atoms("B8", positions=points) for points in pairs.positions.flatten(0, 1).numpy()]
    return frames, pairs.energies.flatten().numpy()


data = B8Pairs.load()
frames, energies = structures(data.train.labelled.subset(slice(200)))
unseen, wanted = structures(data.validation.labelled.subset(slice(100)))

# %%
# The same linear regression on two descriptions of the environment of atom 0: the bispectrum, and
# random nonlinear functions of tagged pairs of neighbours, summed over the pairs. With
# ``centers=None``, the default, the environments of all atoms are described and added up.
expansion = {"radius": 2.0, "cutoff_width": 0.1, "smearing_width": 0.4, "n_radial": 3}
figure, axes = plt.subplots(1, 2, figsize=(8, 4), sharex=True, sharey=True, layout="constrained")
for axis, kind in zip(axes, ("bispectrum", "triplets"), strict=True):
    model = make_pipeline(
        StructureFeatures(kind, centers=0, n_features=2000, **expansion),
        RidgeCV(np.logspace(-10, 0, 11)),
    )
    predicted = model.fit(frames, energies).predict(unseen)
    error = np.sqrt(np.mean((predicted - wanted) ** 2))
    differences = [np.subtract(*x.reshape(-1, 2).T) for x in (wanted, predicted)]
    missed = np.sqrt(np.mean((differences[1] - differences[0]) ** 2))
    print(f"{kind}: error {error:.2f} eV, of the differences within pairs {missed:.2f} eV")
    axis.plot(*differences, "o", ms=4)
    axis.axline((0, 0), slope=1, color="0.7", zorder=0)
    axis.set(title=kind, xlabel="PBE: difference within a pair / eV")
axes[0].set_ylabel("regression / eV")
plt.show()

# %%
# In a notebook, `chemiscope <https://chemiscope.org>`_ shows the map of a data set beside its
# structures: ``chemiscope.explore`` takes ``lambda frames, _: plane.transform(frames)`` as its
# featurizer, where ``plane`` is a fitted pipeline of these features and scikit-learn's ``PCA(2)``.
