"""
A trained model on your structures
==================================

Models are files; they work on ``ase.Atoms`` directly and as an ASE calculator.
"""

# %%
# Two models of the B8 clusters: B_NL reads triplets, D_NL the power spectrum and the bispectrum.
# Both predict the energy of a cluster from the environment of atom 0.
from pathlib import Path

import ase
import matplotlib.pyplot as plt
import numpy as np
from ase.optimize import BFGS

from symtrip import B8Pairs
from symtrip.interop import ModelCalculator, predict
from symtrip.models import load_model

results = Path("../../results")
models = {
    "D_NL": load_model(results / "short/d_nl.safetensors"),
    "B_NL": load_model(results / "paper/b_nl.safetensors"),
}

# %%
# Fifty pairs that neither model was trained on. The members of a pair share their bispectrum, but
# not their energy.
pairs = B8Pairs.load().validation.labelled.subset(slice(50))
frames = [ase.Atoms("B8", positions=points) for points in pairs.positions.flatten(0, 1).numpy()]
plus, minus = pairs.energies.T.numpy()

figure, axes = plt.subplots(figsize=(5, 4), layout="constrained")
for name, model in models.items():
    energies = np.array([p.energy for p in predict(model, frames, forces=False)]).reshape(-1, 2)
    axes.plot(plus - minus, energies[:, 0] - energies[:, 1], "o", label=name)
axes.axline((0, 0), slope=1, color="0.7", zorder=0)
axes.set(xlabel="PBE: difference within a pair / eV", ylabel="model / eV")
axes.legend()
plt.show()

# %%
# The same model as a calculator, for all that ASE does with forces: here some steps downhill.
# Far from its training data, which are random clusters, no model is to be trusted.
atoms = frames[0]
atoms.calc = ModelCalculator(models["B_NL"])
print(f"before: {atoms.get_potential_energy():.3f} eV")
BFGS(atoms, logfile=None).run(fmax=0.5, steps=20)
print(f"after: {atoms.get_potential_energy():.3f} eV")
print("net force", np.linalg.norm(atoms.get_forces().sum(axis=0)))
