"""Several processes that train one model together, as ``torchrun`` starts them; a single process needs nothing here."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.distributed as distributed
from torch import Tensor


def processes() -> int:
    """How many processes train together; 1 outside ``torchrun``.

    >>> processes(), process()
    (1, 0)
    """
    return distributed.get_world_size() if _together() else 1


def process() -> int:
    """Which of them this is, from 0."""
    return distributed.get_rank() if _together() else 0


def total(gradients: Sequence[Tensor], scale: int, summed: float, counted: int) -> tuple[float, int]:
    """Add up gradients (in place), loss and counts over all processes, in two calls.

    Args:
        gradients: of the same parameters in each process, each divided by the ``scale`` of its process.
        scale: that number.
        summed: the loss.
        counted: how many targets count.

    Returns:
        the loss and the count of all.
    """
    numbers = torch.tensor([summed, counted], dtype=torch.float64, device=gradients[0].device)
    distributed.all_reduce(numbers)
    together = torch.cat([gradient.flatten() for gradient in gradients]) * scale
    distributed.all_reduce(together)
    for gradient, part in zip(gradients, together.split([gradient.numel() for gradient in gradients]), strict=True):
        gradient.copy_(part.view_as(gradient))
    return numbers[0].item(), round(numbers[1].item())


def _together() -> bool:
    return distributed.is_available() and distributed.is_initialized()
