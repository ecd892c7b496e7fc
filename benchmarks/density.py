"""Density expansion of B8: error, derivatives, construction."""

from __future__ import annotations

import subprocess
import sys
import time
from fractions import Fraction

import mpmath
import symtrip_reference as reference
import torch
from clusters import b8
from exact import exact_expansion
from figures import figure
from side_by_side import Bar, in_turn

from symtrip import B8Pairs, Environments, SphericalExpansion
from symtrip.verify import BUDGETS

__all__ = ["MEASUREMENTS"]


def accuracy(quick: bool) -> list[Bar]:
    """Largest error against 30 digits, and derivatives against differences."""
    count = 1 if quick else 3
    env = b8(count)
    density = SphericalExpansion.b8()(env)
    worst = 0.0
    for i in range(count):
        exact = reference.Environment(
            [tuple(Fraction(x) for x in v) for v in env.vectors[i].tolist()], [5] * 7
        )
        want = reference.density_expansion(exact, exact_expansion(), digits=30)
        for l in range(4):
            scale = max(abs(x) for block in want.g[l] for row in block for x in row)
            for m in range(2 * l + 1):
                for n in range(6):
                    difference = mpmath.mpf(density.rho[l][i, m, n].item()) - want.rho[l][m][n]
                    worst = max(worst, float(abs(difference) / scale))
    eps = torch.finfo(torch.float64).eps
    return [
        figure(
            "density: largest error / budget", worst / (BUDGETS["spherical_expansion"].eps * eps)
        ),
        figure("density: derivatives against central differences, relative", _derivatives()),
    ]


def _derivatives() -> float:
    """Largest deviation of d(random sum)/d(positions) from fourth-order differences."""
    positions = B8Pairs.load().positions.flatten(0, 1)[:4]
    expansion = SphericalExpansion.b8()
    weights = [torch.randn(2 * l + 1, 6, dtype=torch.float64) for l in range(4)]

    def total(points: torch.Tensor) -> torch.Tensor:
        density = expansion(Environments.from_positions(points, 5, radius=2.0))
        return sum((r * w).sum() for r, w in zip(density.rho, weights, strict=True))

    moved = positions.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(total(moved), moved)
    step, worst = 1e-3, 0.0
    for atom in range(1, 8):
        for axis in range(3):
            shift = torch.zeros_like(positions)
            shift[0, atom, axis] = step
            near, far = (
                (total(positions + k * shift) - total(positions - k * shift)).item() for k in (1, 2)
            )
            slope = (8 * near - far) / (12 * step)
            worst = max(worst, abs(slope - gradient[0, atom, axis].item()))
    return worst / gradient[0].abs().max().item()


def construction(quick: bool) -> list[Bar]:
    """Making an expansion, and what a fresh process imports for it."""
    start = time.perf_counter()
    SphericalExpansion.b8()
    seconds = time.perf_counter() - start
    program = (
        "import sys, torch, symtrip\n"
        "env = symtrip.Environments.from_vectors(torch.rand(1, 3, 3) + 0.3, 5, radius=2.0)\n"
        "symtrip.SphericalExpansion.b8()(env)\n"
        "print(sum(name.split('.')[0] == 'scipy' for name in sys.modules))"
    )
    output = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    ).stdout
    env = b8(100)
    expansion = SphericalExpansion.b8()
    with torch.no_grad():
        each = in_turn({"expand": lambda: expansion(env)}, rounds=5 if quick else 30)["expand"]
    return [
        figure("density: construction in seconds", seconds),
        figure("density: scipy modules imported at run time", float(output)),
        Bar("density: ms a B8 environment, batch 100", each * 10),
    ]


MEASUREMENTS = (construction, accuracy)
