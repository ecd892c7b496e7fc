"""The descriptors that the audit knows by name: every system that the paper's text names."""

from symtrip.audit.descriptors.builtin import BUILTIN, builtin

__all__ = ["BUILTIN", "builtin"]
