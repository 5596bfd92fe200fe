"""Objectives: how wrong a model is on a batch, as a sum and a count; and two ways to measure a trained model."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from course_utils.training.batches import Batch

MASKED = -100  # a target that does not count; torch's cross_entropy passes over it
# (model, batch) -> the loss summed over all targets that count, and how many these are. With sums and counts, means
# over several batches, or over a batch that is worked off in pieces, are exact, however many targets are masked.
Objective = Callable[[nn.Module, Batch], tuple[Tensor, int]]


def cross_entropy_loss(model: nn.Module, batch: tuple[Tensor, Tensor]) -> tuple[Tensor, int]:
    """The objective of classification: the sum of the targets' surprisal, -ln of their probability.

    Predicting the next token is classification too, with the vocabulary for classes.

    Args:
        model: ``model(inputs)`` gives logits ``(..., classes)``, as ``(batch, tokens, vocabulary)``.
        batch: inputs, and targets ``(...)`` int64; a target of `MASKED`, -100, does not count.

    >>> model = nn.Embedding.from_pretrained(torch.zeros(4, 8))  # scores 8 tokens alike: each has probability 1/8
    >>> loss, counted = cross_entropy_loss(model, (torch.tensor([0, 1, 2]), torch.tensor([5, 7, -100])))
    >>> round(loss.item() / 2, 4), counted  # ln 8 each
    (2.0794, 2)
    """
    inputs, targets = batch
    logits = model(inputs)
    loss = cross_entropy(logits.flatten(0, -2), targets.flatten(), reduction="sum")
    return loss, int((targets != MASKED).sum())


def supervised(loss: Callable[[Tensor, Tensor], Tensor]) -> Objective:
    """An objective from a loss ``loss(predictions, targets)`` that is a mean over the examples.

    >>> objective = supervised(nn.functional.mse_loss)
    >>> summed, counted = objective(nn.Identity(), (torch.tensor([1.0, 2.0]), torch.tensor([1.0, 5.0])))
    >>> summed.item(), counted
    (9.0, 2)
    """

    def objective(model: nn.Module, batch: tuple[Tensor, Tensor]) -> tuple[Tensor, int]:
        inputs, targets = batch
        return loss(model(inputs), targets) * len(targets), len(targets)

    return objective


@torch.no_grad()
def mean_loss(model: nn.Module, batches: Iterable[Batch], objective: Objective = cross_entropy_loss) -> float:
    """The mean over all targets that count in several batches, with the model in ``eval`` mode.

    >>> model = nn.Embedding.from_pretrained(torch.zeros(4, 8))
    >>> from course_utils.training import text_batches
    >>> held_out = text_batches(torch.arange(100) % 4, batch_size=2, context=5)
    >>> round(mean_loss(model, [held_out[step] for step in range(3)]), 4)
    2.0794
    """
    was_training = model.training
    model.eval()
    try:
        parts = [objective(model, batch) for batch in batches]
    finally:
        model.train(was_training)
    counted = sum(counted for _, counted in parts)
    if counted == 0:
        raise ValueError("No target counts in these batches, so they have no mean; give at least one.")
    return sum(loss.item() for loss, _ in parts) / counted


@torch.no_grad()
def accuracy(model: nn.Module, inputs: Tensor, labels: Tensor) -> float:
    """Share of examples whose largest logit is the right class; ``labels`` is ``(examples,)``."""
    was_training = model.training
    model.eval()
    try:
        return (model(inputs).argmax(dim=-1) == labels).float().mean().item()
    finally:
        model.train(was_training)
