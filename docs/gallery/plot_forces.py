"""
Gradients of an invariant
=========================

Everything is differentiable, so that forces and sensitivities come from autograd.
"""

# %%
# A water molecule seen from its oxygen atom, and a scalar made from nonlinear triplet features.
import torch

from symtrip import (
    Environments,
    GaussianDensity,
    Gto,
    ShiftedCosine,
    SphericalExpansion,
    TripletFeatures,
)

positions = torch.tensor(
    [[0.0, 0.0, 0.0], [0.757, 0.586, 0.0], [-0.757, 0.586, 0.0]],
    dtype=torch.float64,
    requires_grad=True,
)
expansion = SphericalExpansion(
    cutoff=ShiftedCosine(radius=3.0, width=0.5),
    density=GaussianDensity(width=0.3),
    basis=Gto(n_radial=4, max_angular=2),
    species=(1, 8),
)
features = TripletFeatures(max_angular=2)


def invariant(points):
    """Sum over the pairs of neighbours of a nonlinear function of their features."""
    environments = Environments.from_positions(points, (8, 1, 1), radius=3.0)
    return torch.tanh(features(expansion(environments)).dense()).square().sum()


(gradient,) = torch.autograd.grad(invariant(positions), positions)
print(gradient)

# %%
# An invariant exerts no net force and no net torque.
print("net force", gradient.sum(dim=0).norm().item())
print("net torque", torch.linalg.cross(positions.detach(), gradient).sum(dim=0).norm().item())

# %%
# Finite differences agree to the accuracy that they have.
step = torch.zeros_like(positions)
step[1, 0] = 1e-5
with torch.no_grad():
    slope = (invariant(positions + step) - invariant(positions - step)) / 2e-5
print(gradient[1, 0].item(), slope.item())
