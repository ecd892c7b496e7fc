"""Whether derivatives will be asked for."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor
from torch.autograd import forward_ad

__all__ = ["differentiated"]


def differentiated(tensors: Iterable[Tensor]) -> bool:
    """Whether what is computed from ``tensors`` must be differentiable to one of them.

    Backward through a graph, or forward along tangents, which ``torch.no_grad`` leaves alone.
    """
    tensors = tuple(tensors)
    if torch.is_grad_enabled() and any(x.requires_grad for x in tensors):
        return True
    duals = [forward_ad.unpack_dual(x) for x in tensors]  # type: ignore[no-untyped-call]
    return any(dual.tangent is not None for dual in duals)
