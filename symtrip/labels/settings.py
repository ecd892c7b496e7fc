"""What defines a label: everything that changes its number."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

from symtrip.errors import InputError, require

__all__ = ["LabelSettings"]


class LabelSettings(BaseModel):
    """Settings of one label; the defaults are the paper's.

    Attributes:
        functional: exchange-correlation functional in PySCF's notation.
        basis: orbital basis in PySCF's notation.
        smearing: width of the Fermi-Dirac smearing in Ha; 0 for none.
        grid_level: PySCF's integration-grid level, 0 ... 9, of the energy.
        charge: total charge.
        spin: number of unpaired electrons (0: restricted Kohn-Sham).
        gradients: whether forces are computed too.
        max_cycle: largest number of SCF cycles.
        conv_tol: convergence threshold of the energy in Ha.
        initial_guess: density that the SCF starts from: "minao" (projected atomic orbitals),
            "huckel" or "atom" (superposed atoms). Another one that ends at another energy reveals a
            second solution.
        scf_grid_level: level of a coarser grid that the density is converged on; the energy is then
            evaluated once on ``grid_level``. Without forces only. For B8 level 1 takes a quarter of
            the time and changes free energies, which are stationary in the density, by less than
            1e-7 Ha; energies without -TS are not, and change by 3e-6 Ha. ``None``: ``grid_level``.

    Source:
        Nigam et al., APL Mach. Learn. 2, 016110 (2024), SM IV, and the archived scripts.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    functional: str = "pbe"
    basis: str = "cc-pvdz"
    smearing: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.01
    grid_level: Annotated[int, Field(ge=0, le=9)] = 5
    charge: int = 0
    spin: Annotated[int, Field(ge=0)] = 0
    gradients: bool = True
    max_cycle: Annotated[int, Field(ge=1)] = 100
    conv_tol: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 1e-9
    initial_guess: Literal["minao", "huckel", "atom"] = "minao"
    scf_grid_level: Annotated[int, Field(ge=0)] | None = None

    @model_validator(mode="after")
    def _coarser_and_without_forces(self) -> LabelSettings:
        level = self.scf_grid_level
        if level is not None:
            require(
                level <= self.grid_level,
                "scf_grid_level",
                f"not be above `grid_level` = {self.grid_level}",
                level,
                "leave it out to converge on the grid of the energy",
            )
            require(
                not self.gradients,
                "scf_grid_level",
                "be left out where forces are computed",
                level,
                "turn them off: gradients=False, `--no-gradients`",
            )
        return self

    @classmethod
    def checked(cls, **values: object) -> LabelSettings:
        """Settings from untrusted values.

        Raises:
            InputError: an unknown setting or one outside its range.
        """
        try:
            return cls.model_validate(values)
        except ValidationError as problem:
            first = problem.errors()[0]
            if isinstance(rule := first.get("ctx", {}).get("error"), InputError):
                raise rule from None
            name = ".".join(str(part) for part in first["loc"])
            raise InputError(
                f"`{name}` must be a valid label setting, got {first['input']!r} ({first['msg']}); "
                f"the settings are {', '.join(cls.model_fields)}."
            ) from problem
