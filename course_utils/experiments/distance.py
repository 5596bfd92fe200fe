"""How far back a model can look: gradients by distance, a token to be recalled across a distance, and reading times.

It also makes the recorded runs of ``datasets/runs/recall_by_distance.csv``.
"""

import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from course_utils.models.recurrent import Cell, Recurrent, RecurrentConfig, RecurrentLanguageModel
from course_utils.models.transformer import Transformer, TransformerConfig
from course_utils.training import Recipe, fit

VALUES = 16  # tokens that may have to be recalled; as many others fill the distance
ASK = 2 * VALUES  # the token that asks for it
VOCABULARY = 2 * VALUES + 1
MODELS = ("RNN", "LSTM", "LSTM, keep bias 2", "attention")


def gradient_by_distance(
    cell: Cell, distance: int, *, width: int = 64, scale: float = 1.0, keep_bias: float = 0.0, seed: int = 0
) -> Tensor:
    """How much what came d tokens ago moves the state now: the gradient's length, by distance, in an untrained layer.

    Args:
        cell: ``"rnn"`` or ``"lstm"``.
        distance: the furthest token.
        width: of the state and of the inputs, which are random.
        scale: factor on the recurrent weights; a plain network explodes where it is large.
        keep_bias: see `Recurrent`.
        seed: of weights and inputs.

    Returns:
        ``(distance + 1,)``, the mean length over 16 texts, for the newest token 1.

    >>> lengths = gradient_by_distance("rnn", 20)
    >>> lengths.shape, lengths[0].item(), bool(lengths[20] < 1e-4)
    (torch.Size([21]), 1.0, True)
    """
    if distance < 0 or not 0 <= scale < np.inf:
        raise ValueError(f"distance={distance} and scale={scale} must be 0 or more.")
    generator = torch.Generator().manual_seed(seed)
    layer = Recurrent(width, width, cell, generator, keep_bias).double()  # in float32 short gradients would be 0
    with torch.no_grad():
        layer.recurrent_weight.mul_(scale)
    inputs = torch.randn(16, distance + 1, width, generator=generator, dtype=torch.float64).requires_grad_()
    outputs, _ = layer(inputs)
    direction = torch.randn(width, generator=generator, dtype=torch.float64)
    (gradient,) = torch.autograd.grad((outputs[:, -1] @ direction).sum(), inputs)
    lengths = gradient.norm(dim=2).mean(dim=0).flip(0)  # (distance + 1,), the newest first
    return lengths / lengths[0]


class RecallBatches:
    """Texts that begin with the value to recall, go on with tokens that do not matter, and end with a question.

    >>> ids, values = RecallBatches(distance=3, batch=2, seed=0)[0]
    >>> ids.shape, bool((ids[:, 0] == values).all()), bool((ids[:, -1] == ASK).all())
    (torch.Size([2, 5]), True, True)
    """

    def __init__(self, distance: int, batch: int, seed: int):
        if distance < 0:
            raise ValueError(f"distance={distance} must be 0 or more: tokens between the value and the question.")
        self.distance, self.batch, self.seed = distance, batch, seed

    def __getitem__(self, step: int) -> tuple[Tensor, Tensor]:
        """Ids ``(batch, distance + 2)`` and the values ``(batch,)``, the same whenever a step is asked for."""
        random = np.random.default_rng([self.seed, step])
        values = random.integers(VALUES, size=(self.batch, 1))
        between = random.integers(VALUES, 2 * VALUES, size=(self.batch, self.distance))
        ask = np.full((self.batch, 1), ASK)
        return torch.from_numpy(np.concatenate([values, between, ask], axis=1)), torch.from_numpy(values[:, 0])


def recall_model(name: str, distance: int, seed: int = 0) -> nn.Module:
    """One of `MODELS`, with states or vectors of 64 numbers: ids ``(batch, tokens)`` to logits."""
    if name == "attention":
        config = TransformerConfig.preset("tiny", vocabulary=VOCABULARY, context=distance + 2)
        return Transformer(config, seed)
    if name not in MODELS:
        raise ValueError(f"model={name!r} is not known; choose one of: {'; '.join(MODELS)}.")
    bias = 2.0 if "keep bias" in name else 0.0
    cell: Cell = "rnn" if name == "RNN" else "lstm"
    return RecurrentLanguageModel(RecurrentConfig(VOCABULARY, width=64, cell=cell, keep_bias=bias), seed)


def recall_loss(model: nn.Module, batch: tuple[Tensor, Tensor]) -> tuple[Tensor, int]:
    """The objective: surprisal of the value after the question, and nothing else; summed over the texts."""
    ids, values = batch
    return cross_entropy(model(ids)[:, -1], values, reduction="sum"), len(values)


def recall(
    name: str, distance: int, *, steps: int = 300, batch: int = 32, seed: int = 0, progress: bool = False
) -> float:
    """Train one model at one distance; the share of 512 fresh texts whose value it names.

    Chance is 1/16. A low share says: not learned in so many steps. It does not say: cannot be learned.

    Args:
        name: one of `MODELS`.
        distance: tokens between the value and the question.
        steps: of training with AdamW, learning rate 0.003 falling evenly to 0.
        batch: texts in a step.
        seed: of the first weights and of the texts.
        progress: show a bar.
    """
    model = recall_model(name, distance, seed)
    recipe = Recipe(3e-3, schedule="linear", clip=1.0)
    batches = RecallBatches(distance, batch, seed)
    fit(model, batches, steps=steps, objective=recall_loss, recipe=recipe, progress=progress)
    ids, values = RecallBatches(distance, 512, seed)[steps]  # a step that was not trained on
    with torch.inference_mode():
        right = model(ids)[:, -1].argmax(dim=1) == values
    return right.float().mean().item()


def rows(distances: tuple[int, ...], seeds: range, steps: int = 300) -> Iterator[dict[str, Any]]:
    """Every model at every distance with every seed."""
    for name in MODELS:
        for distance in distances:
            for seed in seeds:
                share = recall(name, distance, steps=steps, seed=seed)
                yield {"model": name, "distance": distance, "steps": steps, "seed": seed, "recalled": share}


def seconds_to_read(name: str, length: int, *, repeats: int = 3, train: bool = False) -> float:
    """The fastest of a few readings of one random text, with an untrained model.

    Args:
        name: one of `MODELS`.
        length: tokens of the text.
        repeats: readings.
        train: read it and go back for the gradients, as a step of training does.
    """
    model = recall_model(name, length)
    ids = torch.randint(VOCABULARY, (1, length), generator=torch.Generator().manual_seed(0))
    taken = []
    for _ in range(repeats):
        begin = time.perf_counter()
        with torch.set_grad_enabled(train):
            scores = model(ids)
            if train:
                scores.sum().backward()
        taken.append(time.perf_counter() - begin)
    return min(taken)
