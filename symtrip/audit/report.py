"""What an audit found, as data."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from symtrip.errors import require
from symtrip.files import atomic_write

__all__ = [
    "AuditReport",
    "Dimension",
    "Finding",
    "Gradients",
    "Invariance",
    "Jacobian",
    "Separation",
    "Smoothness",
    "Verdict",
]

Verdict = Literal["separated", "not separated", "numerically ambiguous", "skipped"]


@dataclass(frozen=True)
class Separation:
    """Whether a descriptor tells the two members of a family's pairs apart.

    Attributes:
        verdict: "separated": every pair differs by more than 100 times the noise floor;
            "not separated": no pair differs by more than 10 times it; else "numerically ambiguous",
            also when the descriptor lacks an invariance, so that its noise hides everything;
            "skipped": not applicable, see ``reason``.
        relative_difference: |f+ - f-| / max(|f+|, |f-|) of the pair that decides: the smallest for
            "separated", the largest otherwise, each the smallest over copies; None if skipped.
        noise_floor: the largest relative difference between congruent copies of one structure.
        differences: relative difference of every pair tried, the default pair first.
        reason: why it was skipped or is ambiguous.
        failed: the descriptor failed on this family, which was skipped for that.
    """

    verdict: Verdict
    relative_difference: float | None
    noise_floor: float | None
    differences: tuple[float, ...] = ()
    reason: str = ""
    failed: bool = False


@dataclass(frozen=True)
class Invariance:
    """Whether features stay the same under one transformation.

    Attributes:
        holds: the worst violation is below a thousandth of what a change of geometry does.
        worst: largest relative change.
        note: where it fails.
    """

    holds: bool
    worst: float
    note: str = ""


@dataclass(frozen=True)
class Smoothness:
    """What happens when a neighbour crosses the cutoff, and on the way inside it.

    Attributes:
        cutoff: cutoff radius in Å, found or given; None if there is none within reach.
        c0: jump of the features at the cutoff over the change that the neighbour makes altogether.
        c1: jump of the slope at the cutoff over the largest slope.
        inside: largest jump found on a straight way between two clusters, over the whole change.
        continuous: ``c0`` and ``inside`` < 1e-3.
        differentiable: also ``c1`` < 1e-2.
        reason: why the cutoff was not tested.
    """

    cutoff: float | None
    c0: float | None
    c1: float | None
    inside: float | None
    continuous: bool | None
    differentiable: bool | None
    reason: str = ""


@dataclass(frozen=True)
class Gradients:
    """Analytic derivatives against finite differences.

    Attributes:
        provided: whether the descriptor has analytic derivatives.
        worst: largest deviation over the largest derivative; None if not provided.
        agree: ``worst`` < 1e-6.
    """

    provided: bool
    worst: float | None
    agree: bool | None


@dataclass(frozen=True)
class Jacobian:
    """Sensitivity of the features where the members of a family merge.

    Attributes:
        rank: number of displacements that the features see to first order.
        allowed: number that the symmetry of the structure allows any invariant to see.
        singular_values: of the Jacobian on the allowed displacements, over the largest, falling.
        note: what is at the merge point.
    """

    rank: int
    allowed: int
    singular_values: tuple[float, ...]
    note: str = ""


@dataclass(frozen=True)
class Dimension:
    """How many numbers the features really are.

    Attributes:
        n_features: length of the vector.
        components: principal components that hold all but 1e-6 of the variance of random
            environments.
        participation: (sum of variances)^2 / sum of squared variances.
        rank: rank of the Jacobian at a random environment.
        allowed: 3N - 3, the number of degrees of freedom there.
    """

    n_features: int
    components: int
    participation: float
    rank: int
    allowed: int


@dataclass(frozen=True)
class Finding:
    """Misbehaviour of a descriptor.

    Attributes:
        check: the check that came upon it.
        message: what happened.
    """

    check: str
    message: str


@dataclass(frozen=True)
class AuditReport:
    """The outcome of one audit.

    Attributes:
        target: what was audited.
        summary: what it is.
        separation: by family id, in the order of the catalogue.
        invariance: by transformation.
        smoothness: at the cutoff.
        gradients: analytic against numerical derivatives.
        jacobian: at the merge point of each family that has one, by family id.
        effective_dimension: of the feature vectors; None if the descriptor failed.
        findings: misbehaviour.
        seconds: wall time.
    """

    target: str
    summary: str
    separation: dict[str, Separation]
    invariance: dict[str, Invariance]
    smoothness: Smoothness
    gradients: Gradients
    jacobian: dict[str, Jacobian]
    effective_dimension: Dimension | None
    findings: tuple[Finding, ...]
    seconds: float = field(compare=False)

    def failures(self, require_ids: Sequence[str] = ()) -> list[str]:
        """Families that were not shown to be separated, limited by ``require_ids``.

        Args:
            require_ids: family ids or beginnings of ids, e.g. "nu3"; empty means all families.

        Returns:
            Ids with the verdict "not separated" or "numerically ambiguous", and those on which the
            descriptor failed.

        Raises:
            InputError: a beginning that no family has.
        """
        for word in require_ids:
            require(
                any(name.startswith(word) for name in self.separation),
                "--require",
                "be a family id or the beginning of one",
                repr(word),
                f"families: {', '.join(self.separation)}",
            )
        bad = ("not separated", "numerically ambiguous")
        return [
            name
            for name, outcome in self.separation.items()
            if (outcome.verdict in bad or outcome.failed)
            and (not require_ids or any(name.startswith(word) for word in require_ids))
        ]

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON; numbers that are not finite become None."""
        from symtrip import __version__

        cleaned = _finite(asdict(self))
        assert isinstance(cleaned, dict)  # noqa: S101 - narrows the type
        return {"symtrip": __version__, **cleaned}

    def write_json(self, path: str | os.PathLike[str]) -> None:
        """Write the report, whole or not at all."""
        with atomic_write(path) as temporary:
            text = json.dumps(self.to_dict(), indent=2, ensure_ascii=False, allow_nan=False)
            temporary.write_text(text + "\n", encoding="utf-8")


def _finite(value: object) -> object:
    if isinstance(value, dict):
        return {key: _finite(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(entry) for entry in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
