"""Overfitting, and what holds it back: one training run on few real digits, some of them deliberately mislabelled.

It also makes the recorded runs of ``datasets/runs/regularisers.csv``.
"""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache, partial
from statistics import mean, stdev
from typing import Any

import numpy as np
import torch
from scipy.stats import t as student
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from course_utils import data
from course_utils.models.regularisers import Dropout, noisy_labels, shifted, weight_penalty
from course_utils.training import History, Recipe, ShuffledBatches, accuracy, cross_entropy_loss, fit, shuffled_batches

BATCH, VALIDATION = 30, 300
MOST = 1347 - VALIDATION  # digits that are left to learn from
FIRST = 150  # digits to learn from in the recorded runs; the 300 after them choose


@dataclass(frozen=True)
class RunConfig:
    """One way to train; the defaults switch every regulariser off."""

    learning_rate: float = 0.03
    width: int = 256  # neurons in each hidden layer
    depth: int = 1  # hidden layers
    dropout: float = 0.0  # share of the hidden neurons' answers set to 0
    weight_decay: float = 0.0  # weight of half the sum of squared weights in the loss
    learning_rate_decay: float = 1.0  # the last learning rate over the first
    early_stopping: int = 0  # epochs to wait for a lower validation loss; 0: never stop early
    augmentation: int = 0  # furthest shift of an image, in pixels
    examples: int = FIRST
    noise: float = 0.2  # share of the examples with a wrong label
    epochs: int = 200


def network(setting: RunConfig, seed: int) -> nn.Sequential:
    """Images ``(batch, 8, 8)`` in, logits ``(batch, 10)`` out.

    >>> network(RunConfig(width=4, depth=2), seed=0)(torch.zeros(7, 8, 8)).shape
    torch.Size([7, 10])
    """
    layers: list[nn.Module] = [nn.Flatten()]
    inputs, generator = 64, torch.Generator().manual_seed(seed)
    for layer in range(setting.depth):
        hidden = linear(inputs, setting.width, generator)
        layers += [hidden, nn.ReLU(), Dropout(setting.dropout, seed=1000 * seed + layer)]
        inputs = setting.width
    return nn.Sequential(*layers, linear(inputs, 10, generator))


def linear(inputs: int, outputs: int, generator: torch.Generator) -> nn.Linear:
    """A layer as torch makes it, with torch's first weights, drawn from ``generator`` and not from the global state."""
    layer = nn.utils.skip_init(nn.Linear, inputs, outputs)
    nn.init.kaiming_uniform_(layer.weight, a=math.sqrt(5), generator=generator)
    nn.init.uniform_(layer.bias, -(inputs**-0.5), inputs**-0.5, generator=generator)
    return layer


def momentum(learning_rate: float, **more: Any) -> Recipe:
    """How every network of this lesson is trained: gradient descent with momentum 0.9; weight decay is in the loss.

    >>> momentum(0.03).momentum
    0.9
    """
    return Recipe(learning_rate, optimiser="SGD", weight_decay=0, **more)


@lru_cache(maxsize=16)
def shuffled_digits(seed: int) -> data.Digits:
    """The digits in the order of one seed: reading them takes far longer than a step of training."""
    return data.digits(seed=seed)


class TrainingRun:
    """One training run: its digits, its network, and its curves.

    Args:
        setting: how to train.
        seed: draws the digits, the wrong labels, the first weights and the batches.

    Raises:
        ValueError: no examples, or more than there are.

    >>> trial = TrainingRun(RunConfig(epochs=2), seed=0)
    >>> history = trial.train()
    >>> history.steps, trial.curve.shape, trial.wrong.sum().item()
    (10, (3, 5), 30)
    """

    def __init__(self, setting: RunConfig, seed: int = 0):
        if not 1 <= setting.examples <= MOST:
            raise ValueError(
                f"examples={setting.examples}: there must be from 1 to {MOST:,} digits to learn from; try {FIRST}."
            )
        digits = shuffled_digits(seed)
        choose = slice(FIRST, FIRST + VALIDATION)
        others = torch.ones(len(digits.train_labels), dtype=torch.bool)
        others[choose] = False
        self.setting, self.seed = setting, seed
        self.stopped = ""  # how training ended
        self.images = digits.train_images[others][: setting.examples]  # (examples, 8, 8)
        self.true_labels = digits.train_labels[others][: setting.examples]  # (examples,)
        self.validation = digits.train_images[choose], digits.train_labels[choose]
        self.test = digits.test_images, digits.test_labels
        random = torch.Generator().manual_seed(seed)
        self.noisy_labels = noisy_labels(self.true_labels, setting.noise, random)  # (examples,) what training is told
        augment = partial(shifted, furthest=setting.augmentation) if setting.augmentation else None
        self.batches = ShuffledBatches(self.images, self.noisy_labels, BATCH, random, augment)
        self.network = network(setting, seed)
        self.rows: list[tuple[float, ...]] = []

    @property
    def wrong(self) -> Tensor:
        """Which examples have a wrong label, ``(examples,)`` bool."""
        return self.noisy_labels != self.true_labels

    @property
    def curve(self) -> np.ndarray:
        """``(epochs + 1, 5)``: epoch, training loss, validation loss, training accuracy, validation accuracy."""
        return np.array(self.rows, dtype=float).reshape(-1, 5)

    def train(self, on_epoch: Callable[["TrainingRun"], bool | None] | None = None) -> History:
        """Train to the end, until patience runs out, or until ``on_epoch(trial)`` returns True."""
        setting = self.setting
        epoch = self.batches.steps_per_epoch
        recipe = momentum(setting.learning_rate, schedule="exponential", final=setting.learning_rate_decay, hold=epoch)
        history = fit(
            self.network,
            self.batches,
            steps=setting.epochs * epoch,
            objective=self.objective,
            recipe=recipe,
            evaluate=self.look,
            every=epoch,
            patience=setting.early_stopping or None,
            on_step=lambda step, _: bool((step + 1) % epoch == 0 and on_epoch and on_epoch(self)),
            progress=False,
        )
        self.stopped = history.stopped
        return history

    def objective(self, model: nn.Module, batch: tuple[Tensor, Tensor]) -> tuple[Tensor, int]:
        """Cross-entropy, and for each label the penalty on large weights."""
        loss, count = cross_entropy_loss(model, batch)
        if self.setting.weight_decay:
            loss = loss + count * weight_penalty(model.parameters(), self.setting.weight_decay)
        return loss, count

    def look(self, model: nn.Module) -> float:
        """Note loss and accuracy on the examples and on the validation digits; return the validation loss."""
        pairs = ((self.images, self.noisy_labels), self.validation)
        losses = [cross_entropy(model(images), labels).item() for images, labels in pairs]
        self.rows.append((len(self.rows), *losses, *(accuracy(model, images, labels) for images, labels in pairs)))
        return losses[1]

    def accuracies(self) -> dict[str, float]:
        """The share answered right: of the labels as given, of the true ones, of validation and of test."""
        return {
            "train_accuracy": accuracy(self.network, self.images, self.noisy_labels),
            "right_label_accuracy": accuracy(self.network, self.images, self.true_labels),
            "validation_accuracy": accuracy(self.network, *self.validation),
            "test_accuracy": accuracy(self.network, *self.test),
        }


def cross_validate(
    images: Tensor, labels: Tensor, learning_rate: float, *, folds: int = 5, epochs: int = 200, seed: int = 0
) -> list[float]:
    """Hold out each fold of the ``images`` once, train on the others; the accuracy on each held-out fold.

    >>> run = TrainingRun(RunConfig(examples=60), seed=0)
    >>> len(cross_validate(run.images, run.noisy_labels, 0.03, folds=3, epochs=1))
    3
    """
    scores = []
    for held_out in torch.arange(len(images)).chunk(folds):
        rest = torch.ones(len(images), dtype=torch.bool)
        rest[held_out] = False
        model = network(RunConfig(), seed)
        batches = shuffled_batches(images[rest], labels[rest], batch_size=BATCH, seed=seed)
        steps = epochs * batches.steps_per_epoch
        fit(model, batches, steps=steps, objective=cross_entropy_loss, recipe=momentum(learning_rate), progress=False)
        scores.append(accuracy(model, images[held_out], labels[held_out]))
    return scores


def mean_and_margin(values: Iterable[float]) -> tuple[float, float]:
    """The mean of some runs, and how far the mean of endless runs may lie from it with 95 % confidence (Student's t).

    >>> [round(number, 2) for number in mean_and_margin([0.8, 0.9, 0.7])]
    [0.8, 0.25]
    """
    runs = list(values)
    factor = student.ppf(0.975, len(runs) - 1)  # 2.26 for ten runs, 2.78 for five
    return mean(runs), float(factor) * stdev(runs) / len(runs) ** 0.5
