"""Any descriptor in, a verdict out: what it is invariant to and what it can tell apart."""

from symtrip.audit.descriptor import Descriptor, DescriptorError, Scope, Target
from symtrip.audit.report import AuditReport
from symtrip.audit.runner import audit
from symtrip.audit.targets import resolve

__all__ = [
    "AuditReport",
    "Descriptor",
    "DescriptorError",
    "Scope",
    "Target",
    "audit",
    "resolve",
]
