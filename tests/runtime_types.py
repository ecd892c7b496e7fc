"""The type checker that watches every call into symtrip while the tests run."""

from __future__ import annotations

from beartype import BeartypeConf, beartype

# As for static checkers, an int will do where a float is asked for (PEP 484).
check = beartype(conf=BeartypeConf(is_pep484_tower=True))
