"""What a check yields, and how it fails."""

from __future__ import annotations

from dataclasses import dataclass


class ProofError(Exception):
    """A proof does not hold, or cannot be checked on this machine."""


@dataclass(frozen=True)
class Result:
    """One checked statement, a row of the table and of the JSON file.

    Attributes:
        theorem: its name in the Coq file, or the fact that a certificate states.
        source: the file, relative to ``proofs/``.
        title: the heading of the file.
        method: ``Coq`` or ``exact arithmetic``.
        assumptions: axioms that Coq reports, or what a certificate says it assumes.
        seconds: for Coq the time of the whole file, lemmas included; else that of the fact.
    """

    theorem: str
    source: str
    title: str
    method: str
    assumptions: tuple[str, ...]
    seconds: float
