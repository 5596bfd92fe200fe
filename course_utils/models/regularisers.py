"""Ways to keep a network from learning its examples by heart, each a few lines; and labels spoilt on purpose.

Learning-rate decay and early stopping belong to the loop and live in `course_utils.training`.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn


def dropout(values: Tensor, share: float, generator: torch.Generator) -> Tensor:
    """Set each value to 0 with probability ``share`` and enlarge the others to keep the mean (Srivastava et al. 2014).

    >>> dropout(torch.ones(6), 0.5, torch.Generator().manual_seed(0))
    tensor([0., 2., 0., 0., 0., 2.])

    Raises:
        ValueError: unless ``share`` is at least 0 and below 1.
    """
    _check("dropout share", share, below_one=True)
    keep = torch.rand(values.shape, generator=generator, device=values.device) >= share
    return values * keep / (1 - share)


class Dropout(nn.Module):
    """`dropout` as a layer: at work in ``train()`` mode, absent in ``eval()`` mode, with random numbers of its own."""

    def __init__(self, share: float, seed: int = 0):
        super().__init__()
        _check("dropout share", share, below_one=True)
        self.share = share
        self.generator = torch.Generator().manual_seed(seed)

    def forward(self, values: Tensor) -> Tensor:
        """Any shape in, the same shape out."""
        return dropout(values, self.share, self.generator) if self.training and self.share else values


def weight_penalty(parameters: Iterable[Tensor], strength: float) -> Tensor:
    """Weight decay as a term of the loss: ``strength / 2 * sum of squares``; its gradient is ``strength * weight``.

    Biases and other vectors are left alone; only tables of weights (two dimensions or more) count.

    >>> weight_penalty([torch.tensor([[3.0, 4.0]]), torch.tensor([100.0])], strength=0.1)
    tensor(1.2500)

    Raises:
        ValueError: if ``strength`` is below 0, or there is no table of weights.
    """
    if not 0 <= strength < float("inf"):
        raise ValueError(f"weight decay strength={strength} must be a number from 0 upwards")
    tables = [parameter for parameter in parameters if parameter.ndim > 1]
    if not tables:
        raise ValueError("weight decay found no table of weights; pass model.parameters()")
    return strength / 2 * torch.stack([table.square().sum() for table in tables]).sum()


def shifted(images: Tensor, generator: torch.Generator, furthest: int = 1) -> Tensor:
    """Augmentation: each image moved by up to ``furthest`` pixels each way, with 0 where nothing was.

    >>> shifted(torch.eye(3)[None], torch.Generator().manual_seed(1))
    tensor([[[0., 0., 0.],
             [1., 0., 0.],
             [0., 1., 0.]]])

    Args:
        images: ``(images, height, width)``.
        generator: where the moves come from.
        furthest: at least 0 and less than the image's sides.

    Returns:
        ``(images, height, width)``; the images passed in stay as they were.
    """
    count, height, width = images.shape
    if not 0 <= furthest < min(height, width):
        raise ValueError(f"furthest={furthest} must be at least 0 and below the image's side, {min(height, width)}")
    padded = nn.functional.pad(images, [furthest] * 4)
    down, right = torch.randint(0, 2 * furthest + 1, (2, count, 1), generator=generator)
    rows = down + torch.arange(height)  # (images, height)
    columns = right + torch.arange(width)  # (images, width)
    return padded[torch.arange(count)[:, None, None], rows[:, :, None], columns[:, None, :]]


def noisy_labels(labels: Tensor, share: float, generator: torch.Generator, classes: int = 10) -> Tensor:
    """The labels with a random ``share`` of them, to the nearest whole number, made wrong.

    >>> noisy_labels(torch.zeros(10, dtype=torch.long), 0.2, torch.Generator().manual_seed(0)).count_nonzero()
    tensor(2)

    Raises:
        ValueError: unless ``share`` is from 0 to 1 and there are two classes or more.
    """
    _check("label noise", share)
    if classes < 2:
        raise ValueError(f"classes={classes}: a label can only be wrong when there are two classes or more")
    wrong = torch.randperm(len(labels), generator=generator)[: round(share * len(labels))]
    spoilt = labels.clone()
    away = torch.randint(1, classes, (len(wrong),), generator=generator)  # never 0: a wrong label is truly wrong
    spoilt[wrong] = (labels[wrong] + away) % classes
    return spoilt


def _check(name: str, share: float, below_one: bool = False) -> None:
    if not (0 <= share < 1 or (share == 1 and not below_one)):
        raise ValueError(f"{name} {share} must be from 0 to {'just below 1' if below_one else '1'}")
