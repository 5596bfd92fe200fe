"""Batches: which examples are seen at which step."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

Batch = Any  # what an objective takes: mostly a pair (inputs, targets)


class Batches(Protocol):
    """The batch of each step: ``batches[step]`` is the same whenever it is asked for.

    So a run is resumed by knowing its step, and process ``rank`` of ``n`` takes ``batches[n * step + rank]``. A list
    will do; it ends where an ``IndexError`` says so.
    """

    def __getitem__(self, step: int, /) -> Batch: ...


class ShuffledBatches:
    """Batches without end: each epoch is a new shuffle in which every example comes once. See `shuffled_batches`."""

    def __init__(
        self,
        inputs: Tensor,
        targets: Tensor,
        batch_size: int,
        random: torch.Generator,
        augment: Callable[[Tensor, torch.Generator], Tensor] | None = None,
    ):
        if len(inputs) != len(targets) or len(inputs) == 0:
            raise ValueError(
                f"{len(inputs)} inputs and {len(targets)} targets make no batches; give equally many, at least 1."
            )
        if batch_size < 1:
            raise ValueError(f"batch_size={batch_size} must be 1 or more.")
        self.inputs, self.targets, self.batch_size, self.augment = inputs, targets, batch_size, augment
        self.steps_per_epoch = -(-len(inputs) // batch_size)  # the last batch of an epoch may be short
        self._random, self._begin = torch.Generator(), random.get_state()
        self._epoch = -1  # the one that was drawn last

    def __getitem__(self, step: int) -> tuple[Tensor, Tensor]:
        """Inputs ``(batch, ...)`` and targets ``(batch, ...)`` of a step, counting from 0."""
        epoch, place = divmod(_checked(step), self.steps_per_epoch)
        if epoch < self._epoch:
            self._epoch = -1
        while self._epoch < epoch:  # shuffles are drawn one after another, so an earlier one means: from the beginning
            self._draw()
        chosen = self._order[place]
        return self._augmented[place] if self.augment else self.inputs[chosen], self.targets[chosen]

    def _draw(self) -> None:
        """The next epoch: who comes when, and what augmentation makes of the inputs."""
        if self._epoch < 0:
            self._random.set_state(self._begin)
        self._order = torch.randperm(len(self.inputs), generator=self._random).split(self.batch_size)
        if self.augment:
            self._augmented = [self.augment(self.inputs[chosen], self._random) for chosen in self._order]
        self._epoch += 1

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        return (self[step] for step in count())


def shuffled_batches(
    inputs: Tensor,
    targets: Tensor,
    batch_size: int,
    seed: int = 0,
    augment: Callable[[Tensor, torch.Generator], Tensor] | None = None,
) -> ShuffledBatches:
    """Batches without end: each epoch is a new shuffle in which every example comes once (the last batch may be short).

    Args:
        inputs: ``(examples, ...)``.
        targets: ``(examples, ...)``.
        batch_size: examples in a batch; more than there are means all of them.
        seed: of the shuffles, and of the augmentation.
        augment: changes the inputs of a batch at random, as ``augment(inputs, generator)``.

    >>> batches = shuffled_batches(torch.arange(5), torch.arange(5), batch_size=3)
    >>> [batches[step][0].tolist() for step in range(4)]
    [[4, 0, 1], [3, 2], [3, 4, 0], [1, 2]]
    """
    return ShuffledBatches(inputs, targets, batch_size, torch.Generator().manual_seed(seed), augment)


class TextBatches:
    """Batches without end from one long text, each window from a place drawn at random. See `text_batches`."""

    def __init__(self, ids: Tensor, batch_size: int, context: int, seed: int):
        if batch_size < 1 or context < 1 or seed < 0:
            raise ValueError(
                f"batch_size={batch_size} and context={context} must be 1 or more, and seed={seed} 0 or more."
            )
        if ids.ndim != 1 or len(ids) <= context:
            raise ValueError(
                f"Token ids of shape {tuple(ids.shape)} are too few for windows of {context} tokens and the one after; "
                "give one row of ids, or a smaller context."
            )
        self.ids, self.batch_size, self.context, self.seed = ids, batch_size, context, seed

    def __getitem__(self, step: int) -> tuple[Tensor, Tensor]:
        """Inputs and targets of a step, ``(batch_size, context)`` int64 each; targets are one token further on."""
        random = np.random.default_rng([self.seed, _checked(step)])
        starts = torch.from_numpy(random.integers(len(self.ids) - self.context, size=(self.batch_size, 1)))
        windows = self.ids[starts + torch.arange(self.context + 1)].long()  # (batch_size, context + 1)
        return windows[:, :-1], windows[:, 1:]

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        return (self[step] for step in count())


def text_batches(ids: Tensor, batch_size: int, context: int, seed: int = 0) -> TextBatches:
    """Batches without end for a language model: windows of a long text, and the same windows one token further on.

    Args:
        ids: ``(tokens,)``, the whole text.
        batch_size: windows in a batch.
        context: tokens in a window.
        seed: of the places.

    >>> inputs, targets = text_batches(torch.arange(100), batch_size=2, context=5, seed=1)[7]
    >>> inputs.shape, bool((targets == inputs + 1).all())
    (torch.Size([2, 5]), True)
    """
    return TextBatches(ids, batch_size, context, seed)


def _checked(step: int) -> int:
    if step < 0:
        raise ValueError(f"step={step} must be 0 or more: batches are counted from the first step of a run.")
    return step
