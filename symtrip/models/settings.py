"""Settings of models as they stand in configuration files and in the headers of model files."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Literal, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, Field, PositiveFloat, PositiveInt, ValidationError

from symtrip.errors import InputError
from symtrip.expansion import GaussianDensity, Gto, ShiftedCosine, SphericalExpansion

__all__ = [
    "ExpansionSettings",
    "FeatureSettings",
    "ModelName",
    "NetworkSettings",
    "Settings",
    "validated",
]

ModelName = Literal["B_L", "B_NL", "D_L", "D_NL"]
"""B: on triplets, D: on the invariants of order nu <= 3; L: linear, NL: nonlinear."""


class Settings(BaseModel):
    """Base of all settings: unknown keys are errors, values do not change after construction."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class ExpansionSettings(Settings):
    """Density expansion in GTOs; the defaults are the paper's for B8. Lengths in Å."""

    radius: PositiveFloat = 2.0
    cutoff_width: PositiveFloat = 0.1
    smearing_width: PositiveFloat = 0.2
    n_radial: int = Field(default=6, ge=1, le=20)  # more GTOs are singular
    max_angular: int = Field(default=3, ge=0, le=12)  # tables of couplings grow as its 6th power
    species: tuple[PositiveInt, ...] = (5,)

    def build(self) -> SphericalExpansion:
        """The expansion with these settings.

        Raises:
            InputError: the settings contradict each other.
        """
        return SphericalExpansion(
            cutoff=ShiftedCosine(radius=self.radius, width=self.cutoff_width),
            density=GaussianDensity(width=self.smearing_width),
            basis=Gto(n_radial=self.n_radial, max_angular=self.max_angular),
            species=self.species,
        )


class FeatureSettings(Settings):
    """Compression of the features.

    Attributes:
        components: principal components kept.
        sample: training structures that they are found in; ten times as many for models D, where a
            structure gives one row of invariants instead of one for each pair of neighbours.
    """

    components: int = Field(default=512, ge=1, le=10_000)  # the paper rotates to all 7344
    sample: PositiveInt = 200


class NetworkSettings(Settings):
    """The network.

    Attributes:
        hidden: its width. Behind each nonlinear layer four groups of hidden/4 numbers are
            standardised: of a single one nothing would be left, of two only which is the larger, so
            that energies would be steps and forces vanish between them.
        inversion_symmetric: whether invariance under inversion is built in.
        smooth_cutoff: whether pairs add nothing when one of them reaches the cutoff (models B;
            models D are like that anyway). The clusters of B8 lie inside as a whole.
    """

    hidden: int = Field(default=128, ge=12, le=16_384, multiple_of=4)
    inversion_symmetric: bool = False
    smooth_cutoff: bool = False


AnySettings = TypeVar("AnySettings", bound=Settings)


def validated(kind: type[AnySettings], values: Mapping[str, object], source: str) -> AnySettings:
    """Settings from plain values, with errors that a user of the file understands.

    Args:
        kind: the settings wanted.
        values: what the file holds.
        source: the file, for messages.

    Raises:
        InputError: the first key that is unknown (the closest known one is named), missing or has
            an impossible value.
    """
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        problems = error.errors(include_url=False)
        # a misspelt required key is also a missing one: the misspelling says more
        unknown = [problem for problem in problems if problem["type"] == "extra_forbidden"]
        problem = (unknown or problems)[0]
        if problem["type"] == "extra_forbidden":
            raise InputError(_unknown_key(kind, problem["loc"], source)) from None
        where = _key(kind, problem["loc"])
        if problem["type"] == "missing":
            raise InputError(f"`{where}` must be given in {source}, got nothing; add it.") from None
        # one for each kind of value that the key may have
        reasons = [p["msg"] for p in problems if _key(kind, p["loc"]) == where]
        shown = "; or ".join(reason[0].lower() + reason[1:] for reason in dict.fromkeys(reasons))
        raise InputError(
            f"`{where}` must be valid in {source}, got {problem['input']!r}; {shown}."
        ) from None


def _inner(kind: type[Settings] | None, part: int | str) -> type[Settings] | None:
    """The settings that a key holds, itself or in a list."""
    if kind is None or isinstance(part, int):
        return kind
    field = kind.model_fields.get(part)
    kinds = () if field is None else (field.annotation, *get_args(field.annotation))
    return next((k for k in kinds if isinstance(k, type) and issubclass(k, Settings)), None)


def _key(kind: type[Settings], location: tuple[int | str, ...]) -> str:
    """The key as it stands in the file: pydantic goes on with the kinds of value that it tried."""
    known: type[Settings] | None = kind
    found: list[str] = []
    for part in location:
        if known is None:
            break
        found.append(str(part))
        known = _inner(known, part)
    return ".".join(found)


def _unknown_key(kind: type[Settings], location: tuple[int | str, ...], source: str) -> str:
    known = kind
    for part in location[:-1]:
        known = _inner(known, part) or known
    keys = sorted(known.model_fields)
    close = difflib.get_close_matches(str(location[-1]), keys, n=1, cutoff=0.5)
    remedy = f"did you mean `{close[0]}`?" if close else "remove it."
    where = ".".join(str(part) for part in location)
    return (
        f"`{where}` must be one of the keys {', '.join(keys)} in {source}, "
        f"got {location[-1]!r}; {remedy}"
    )
