"""A name for the content of tensors."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from torch import Tensor

__all__ = ["digest_of"]


def digest_of(tensors: Iterable[Tensor]) -> str:
    """64 hexadecimal digits that change with any number in the tensors.

    Args:
        tensors: of any dtypes and shapes; without gradients, their values count alone.
    """
    digest = hashlib.sha256()
    for tensor in tensors:
        digest.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()
