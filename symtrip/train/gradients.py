"""Loss and gradients of one batch: computed directly, or recorded once and replayed on a GPU."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

__all__ = ["Gradients", "RecordedGradients", "direct_gradients", "gradients"]

Gradients = Callable[[Tensor], Tensor]
"""Rows of a batch -> its loss, detached; leaves the gradients in the parameters."""

_WARM_UP = 3


def gradients(
    network: nn.Module, loss: Gradients, device: torch.device, *, recorded: bool = True
) -> Gradients:
    """How a device gets the gradients of a batch.

    Args:
        network: has the parameters.
        loss: rows of a batch -> its loss, differentiable.
        device: of parameters and data.
        recorded: whether a GPU may replay a recorded step: all batches of one size must have
            tensors of the same shapes.
    """
    if device.type == "cuda" and recorded:
        return RecordedGradients(network, loss)
    return direct_gradients(network, loss)


def direct_gradients(network: nn.Module, loss: Gradients) -> Gradients:
    """Forward and backward, operation by operation."""

    def compute(rows: Tensor) -> Tensor:
        network.zero_grad(set_to_none=True)
        value = loss(rows)
        value.backward()  # type: ignore[no-untyped-call]
        return value.detach()

    return compute


class RecordedGradients:
    """Forward and backward as one CUDA graph for each batch size.

    A step of these networks is some hundred kernels of a few microseconds, less than it takes to
    launch them one by one.

    Args:
        network: has the parameters; their gradients must never be set to ``None`` elsewhere, as the
            graph writes to the memory that they had when it was recorded.
        loss: rows of a batch -> its loss, differentiable; parameters and data are on one GPU.
    """

    def __init__(self, network: nn.Module, loss: Gradients) -> None:
        self._network, self._loss = network, loss
        self._recorded: dict[int, tuple[torch.cuda.CUDAGraph, Tensor, Tensor]] = {}

    def __call__(self, rows: Tensor) -> Tensor:
        """Replay the batch; the loss is a new tensor."""
        if len(rows) not in self._recorded:
            self._recorded[len(rows)] = self._record(rows)
        graph, chosen, loss = self._recorded[len(rows)]
        chosen.copy_(rows)
        graph.replay()
        return loss.clone()

    def _record(self, rows: Tensor) -> tuple[torch.cuda.CUDAGraph, Tensor, Tensor]:
        chosen = rows.clone()
        side = torch.cuda.Stream(rows.device)  # type: ignore[no-untyped-call]
        side.wait_stream(torch.cuda.current_stream(rows.device))
        with torch.cuda.stream(side):
            for _ in range(_WARM_UP):
                self._compute(chosen)
        torch.cuda.current_stream(rows.device).wait_stream(side)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            loss = self._compute(chosen)
        return graph, chosen, loss

    def _compute(self, rows: Tensor) -> Tensor:
        self._network.zero_grad(set_to_none=False)
        value = self._loss(rows)
        value.backward()  # type: ignore[no-untyped-call]
        return value.detach()
