"""The audit: all checks of one descriptor, one after the other, none of which can crash it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeVar

from symtrip.audit.descriptor import DescriptorError, Target, monatomic
from symtrip.audit.invariance import check_invariances
from symtrip.audit.report import (
    AuditReport,
    Finding,
    Gradients,
    Invariance,
    Separation,
    Smoothness,
)
from symtrip.audit.sensitivity import check_gradients, dimension, jacobian_at_merge
from symtrip.audit.separation import Properties, separate
from symtrip.audit.smoothness import check_smoothness
from symtrip.audit.targets import resolve
from symtrip.degenerate import Family, families
from symtrip.errors import require

__all__ = ["audit", "chosen_families"]

T = TypeVar("T")
Progress = Callable[[str], None]


def chosen_families(words: Sequence[str] = ()) -> list[Family]:
    """Families whose id begins with one of ``words``; all without words.

    Raises:
        InputError: a word that begins no id.
    """
    for word in words:
        require(
            any(family.id.startswith(word) for family in families()),
            "families",
            "be family ids or beginnings of ids",
            repr(word),
            f"the catalogue holds {', '.join(family.id for family in families())}",
        )
    return [
        family
        for family in families()
        if not words or any(family.id.startswith(word) for word in words)
    ]


def audit(
    target: object,
    *,
    family_ids: Sequence[str] = (),
    cutoff: float | None = None,
    element: int | None = None,
    members: int = 3,
    seed: int = 0,
    progress: Progress = lambda _: None,
) -> AuditReport:
    """Check what a descriptor is invariant to, and what it can tell apart.

    Args:
        target: a name as on the command line, or an object; see
            :func:`symtrip.audit.targets.resolve`.
        family_ids: families to be separated: ids or beginnings of ids; empty means all.
        cutoff: cutoff radius in Å of a descriptor of one's own.
        element: atomic number that replaces all others, for descriptors and calculators that know
            few elements; the families stay degenerate.
        members: pairs per family: the default one and random ones.
        seed: seed of everything random.
        progress: called with the name of every step before it starts.

    Returns:
        The report. Misbehaviour of the descriptor (exceptions, NaN, changing lengths, randomness)
        is in its findings.

    Raises:
        InputError: an unknown target or family, ``members`` < 1, ``seed`` < 0.
    """
    require(members >= 1, "members", "be at least 1", members, "one means the default pair only")
    require(seed >= 0, "seed", "be >= 0", seed, "choose another seed")
    started = time.perf_counter()
    chosen = chosen_families(family_ids)
    subject = target if isinstance(target, Target) else resolve(target, cutoff=cutoff)
    if element is not None:
        subject = monatomic(subject, element)
    run = _Run(progress)
    invariance, properties = run.invariances(subject, seed)
    separation = {
        family.id: run.separation(subject, family, properties, members, seed) for family in chosen
    }
    smoothness = run.attempt(
        "smoothness",
        lambda: check_smoothness(subject, seed=seed),
        Smoothness(None, None, None, None, None, None, "the descriptor failed"),
    )
    gradients = run.attempt(
        "gradients",
        lambda: check_gradients(subject, seed=seed),
        Gradients(False, None, None),
    )
    jacobians = {
        family.id: run.attempt(
            f"jacobian {family.id}", partial(jacobian_at_merge, subject, family, properties), None
        )
        for family in chosen
    }
    return AuditReport(
        target=subject.name,
        summary=subject.summary,
        separation=separation,
        invariance=invariance,
        smoothness=smoothness,
        gradients=gradients,
        jacobian={name: entry for name, entry in jacobians.items() if entry is not None},
        effective_dimension=run.attempt(
            "effective dimension", lambda: dimension(subject, seed=seed), None
        ),
        findings=tuple(run.findings),
        seconds=time.perf_counter() - started,
    )


class _Run:
    """Collects findings; after a descriptor has failed in some way the others are still tried."""

    def __init__(self, progress: Progress) -> None:
        self.progress = progress
        self.findings: list[Finding] = []

    def attempt(self, check: str, action: Callable[[], T], otherwise: T) -> T:
        self.progress(check)
        try:
            return action()
        except DescriptorError as problem:
            self._note(check, str(problem))
            return otherwise

    def invariances(self, target: Target, seed: int) -> tuple[dict[str, Invariance], Properties]:
        self.progress("invariance")
        try:
            outcome, properties, findings = check_invariances(target, seed=seed)
        except DescriptorError as problem:
            self._note("invariance", str(problem))
            return {}, Properties(mirror=False, whole_structure=False)
        self.findings += findings
        return outcome, properties

    def separation(
        self, target: Target, family: Family, properties: Properties, members: int, seed: int
    ) -> Separation:
        self.progress(f"separation {family.id}")
        try:
            return separate(target, family, properties, members=members, seed=seed)
        except DescriptorError as problem:
            self._note(f"separation {family.id}", str(problem))
            reason = f"the descriptor failed: {problem}"
            return Separation("skipped", None, None, reason=reason, failed=True)

    def _note(self, check: str, message: str) -> None:
        # the same failure everywhere is one finding, not thirty
        if all(finding.message != message for finding in self.findings):
            self.findings.append(Finding(check, message))
