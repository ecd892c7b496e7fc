"""One label from one structure."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symtrip.data import HARTREE_IN_EV
from symtrip.errors import InputError, require, require_package
from symtrip.labels.settings import LabelSettings

__all__ = ["BOHR_IN_ANGSTROM", "Label", "check_electrons", "check_method", "compute_label"]

BOHR_IN_ANGSTROM = 0.529177210544
"""Å per bohr, CODATA 2022 (https://physics.nist.gov/cgi-bin/cuu/Value?bohrrada0)."""


@dataclass(frozen=True, eq=False)
class Label:
    """Energies and forces of one structure.

    Attributes:
        energy: free energy in Ha (with smearing: including -TS), the quantity forces derive from.
        energy_total: energy without the -TS term in Ha.
        forces: (A, 3) in Ha/bohr, or None where not asked for.
        converged: whether the SCF converged; the numbers of an unconverged one mean little.
    """

    energy: float
    energy_total: float
    forces: NDArray[np.float64] | None
    converged: bool

    @property
    def energy_ev(self) -> float:
        """Free energy in eV."""
        return self.energy * HARTREE_IN_EV

    @property
    def forces_ev(self) -> NDArray[np.float64] | None:
        """Forces in eV/Å."""
        if self.forces is None:
            return None
        return self.forces * (HARTREE_IN_EV / BOHR_IN_ANGSTROM)


def check_electrons(numbers: NDArray[np.int64], settings: LabelSettings, where: str) -> None:
    """Refuse electron counts that the spin cannot hold.

    Args:
        numbers: (A,) atomic numbers.
        settings: charge and spin.
        where: name of the structure in the message.

    Raises:
        InputError: the number of electrons minus the unpaired ones is odd or negative.
    """
    electrons = int(numbers.sum()) - settings.charge
    require(
        electrons >= settings.spin and (electrons - settings.spin) % 2 == 0,
        "spin",
        f"leave an even number of paired electrons ({where} has {electrons} electrons)",
        settings.spin,
        "give the number of unpaired electrons, e.g. `--spin 1` for an odd count, or set `charge`",
    )


def check_method(elements: Iterable[int], settings: LabelSettings) -> None:
    """Refuse functionals and bases that PySCF does not have.

    Args:
        elements: atomic numbers.
        settings: functional and basis.

    Raises:
        InputError: an unknown functional or basis, or a basis without one of the elements.
    """
    from pyscf import gto
    from pyscf.data.elements import ELEMENTS
    from pyscf.dft import libxc

    try:
        libxc.parse_xc(settings.functional)
    except (KeyError, ValueError) as problem:
        raise InputError(
            f"`functional` must be one that PySCF knows, got {settings.functional!r} "
            f"({problem.args[0]}); write e.g. --functional pbe."
        ) from problem
    for z in elements:
        require(
            1 <= z < len(ELEMENTS), "structures", "hold chemical elements", z, "drop dummy atoms"
        )
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # about a package that might have the basis
                gto.basis.load(settings.basis, ELEMENTS[z])
        except (KeyError, RuntimeError) as problem:
            raise InputError(
                f"`basis` must be one that PySCF has for {ELEMENTS[z]}, got {settings.basis!r}; "
                "write e.g. --basis cc-pvdz."
            ) from problem


def compute_label(
    numbers: NDArray[np.int64], positions: NDArray[np.float64], settings: LabelSettings
) -> Label:
    """Run the SCF (and gradients) of one open-boundary structure.

    Args:
        numbers: (A,) atomic numbers.
        positions: (A, 3) in Å.
        settings: what to compute.

    Returns:
        The label; check :attr:`Label.converged`.

    Raises:
        InputError: PySCF is missing, or the electron count does not fit the spin.

    Accuracy:
        Energies reproduce the shipped B8 labels to 3e-7 Ha (`symtrip label --check 5`), also with
        the density of a coarse grid (`symtrip label --check 5 --scf-grid-level 1`).
    """
    require_package("pyscf", "dft", "to compute labels")
    check_electrons(numbers, settings, "the structure")
    from pyscf import dft, gto, scf

    molecule = gto.M(
        atom=[(int(z), tuple(r)) for z, r in zip(numbers, positions.tolist(), strict=True)],
        basis=settings.basis,
        charge=settings.charge,
        spin=settings.spin,
        unit="Angstrom",
        verbose=0,
    )
    mean_field: Any = (dft.UKS if settings.spin else dft.RKS)(molecule)
    mean_field.xc = settings.functional
    coarse = settings.scf_grid_level
    mean_field.grids.level = settings.grid_level if coarse is None else coarse
    mean_field.init_guess = settings.initial_guess
    mean_field.max_cycle = settings.max_cycle
    mean_field.conv_tol = settings.conv_tol
    mean_field.diis_space = 12  # for B8 a quarter fewer cycles than PySCF's 8
    if settings.smearing > 0:
        mean_field = scf.addons.smearing_(mean_field, sigma=settings.smearing, method="fermi")
    mean_field.kernel()
    if coarse is not None:
        mean_field.grids.reset()
        mean_field.grids.level = settings.grid_level
        # with smearing this sets e_free as well
        mean_field.e_tot = mean_field.energy_tot(mean_field.make_rdm1())
    total = float(mean_field.e_tot)
    free = float(mean_field.e_free) if settings.smearing > 0 else total
    forces = None
    if settings.gradients and mean_field.converged:
        forces = -np.asarray(mean_field.nuc_grad_method().kernel(), dtype=np.float64)
    return Label(free, total, forces, bool(mean_field.converged))
