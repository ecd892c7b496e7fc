"""An installation checked against exact values."""

from symtrip.verify.golden import BUDGETS, GOLDEN, Budget, Verdict, read_golden, verify

__all__ = ["BUDGETS", "GOLDEN", "Budget", "Verdict", "read_golden", "verify"]
