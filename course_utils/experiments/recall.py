"""A recall task that attention learns in seconds: read "K7 C3 A1 ...", then say which digit stood with a letter.

A text holds eight pairs of a letter and a digit, and then asks for each letter once, in another order; after each
question the model has to name the digit. The pairs may be one token each ("K7"), or two ("K", "7"). It also makes the
recorded runs of ``datasets/runs/attention_recall.csv``.
"""

from __future__ import annotations

import string
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from course_utils import interpret
from course_utils.models.transformer import Block, Transformer, TransformerConfig
from course_utils.training import History, Recipe, fit

LETTERS, DIGITS, PAIRS = 26, 10, 8
FIRST_PAIR = DIGITS + LETTERS  # tokens: ten digits, 26 letters that ask, then 260 pairs
TEST_STEP = 10**6  # a step that no run reaches: its texts are fresh
WAYS = ((False, 1), (True, 1), (True, 2))  # (separate, layers)
BATCH, STEPS = 32, 400

Texts = tuple[Tensor, Tensor, Tensor]


class RecallTexts:
    """Batches of texts: ids, digits to name, and where these digits stand.

    Args:
        separate: whether letter and digit of a pair are two tokens.
        batch: texts in a step.
        seed: of the texts.

    >>> ids, digits, places = RecallTexts(separate=False, batch=2, seed=0)[0]
    >>> ids.shape, digits.shape, places.shape  # 8 pairs and 8 questions; one answer and one place for each question
    (torch.Size([2, 16]), torch.Size([2, 8]), torch.Size([2, 8]))
    >>> names = token_names(ids[0], separate=False)
    >>> print(*names)
    T9 E5 K3 L6 Z5 C2 Y3 G7 K? G? Y? T? E? C? Z? L?
    >>> [names[place] for place in places[0, :2]], digits[0, :2].tolist()
    (['K3', 'G7'], [3, 7])
    """

    def __init__(self, separate: bool, batch: int, seed: int):
        self.separate, self.batch, self.seed = separate, batch, seed

    def __getitem__(self, step: int) -> Texts:
        """Ids ``(batch, tokens)``, digits and places ``(batch, 8)``; the same whenever a step is asked for."""
        random = np.random.default_rng([self.seed, step])
        letters = random.permuted(np.tile(np.arange(LETTERS), (self.batch, 1)), axis=1)[:, :PAIRS]
        digits = random.integers(DIGITS, size=(self.batch, PAIRS))
        asked = random.permuted(np.tile(np.arange(PAIRS), (self.batch, 1)), axis=1)
        questions = DIGITS + np.take_along_axis(letters, asked, axis=1)
        if self.separate:
            pairs = np.stack((DIGITS + letters, digits), axis=2).reshape(self.batch, -1)  # letter, digit, letter, ...
        else:
            pairs = FIRST_PAIR + letters * DIGITS + digits
        ids = np.concatenate((pairs, questions), axis=1)
        answers = np.take_along_axis(digits, asked, axis=1)
        places = 2 * asked + 1 if self.separate else asked
        return torch.from_numpy(ids), torch.from_numpy(answers), torch.from_numpy(places)


def token_names(ids: Tensor, *, separate: bool) -> list[str]:
    """The tokens of one text ``(tokens,)`` in letters and digits.

    >>> token_names(torch.tensor([7, 10, 36, 295]), separate=True)
    ['7', 'A', 'A0', 'Z9']
    """
    names = [*string.digits, *(letter if separate else f"{letter}?" for letter in string.ascii_uppercase)]
    pairs = (divmod(int(token) - FIRST_PAIR, DIGITS) for token in ids)
    return [
        names[int(token)] if token < FIRST_PAIR else f"{string.ascii_uppercase[letter]}{digit}"
        for token, (letter, digit) in zip(ids, pairs, strict=True)
    ]


class NoMLP(nn.Module):
    """Stands where a block's MLP would, and adds nothing: what is left of the model is attention."""

    def forward(self, stream: Tensor) -> Tensor:
        """``(batch, tokens, width)`` to zeros of the same shape."""
        return torch.zeros_like(stream)


def recall_model(separate: bool, layers: int, seed: int = 0) -> Transformer:
    """A transformer of attention alone, one head in each layer, for texts of `RecallTexts`."""
    config = TransformerConfig(
        vocabulary=FIRST_PAIR + (0 if separate else LETTERS * DIGITS),
        context=(3 if separate else 2) * PAIRS,
        width=32,
        layers=layers,
        heads=1,
        norm="rms",
        positions="rotary" if separate else "none",  # pairs say it all, whatever their order
        bias=False,
        tied_output=False,
        fused=False,  # this short, the one written out is faster in training
    )
    model = Transformer(config, seed)
    for block in cast(list[Block], model.blocks):
        block.mlp = cast(Any, NoMLP())
        for weight in block.attention.parameters():
            weight.data.mul_(3)  # while all scores are near 0, a head hardly learns where to look
    return model


def answer_scores(model: nn.Module, ids: Tensor) -> Tensor:
    """The scores of the ten digits after each question: ``(batch, tokens)`` ids to ``(batch, 8, 10)``."""
    return model(ids)[:, -PAIRS:, :DIGITS]


def recall_loss(model: nn.Module, texts: Texts) -> tuple[Tensor, int]:
    """The objective: surprisal of the right digit among the ten, after each question; summed."""
    ids, digits, _ = texts
    loss = cross_entropy(answer_scores(model, ids).flatten(0, 1), digits.flatten(), reduction="sum")
    return loss, digits.numel()


def commonest_digit(texts: Texts) -> float:
    """The share of questions that naming the most frequent digit of each text answers: the baseline.

    >>> round(commonest_digit(RecallTexts(True, 4096, seed=0)[0]), 2)
    0.3
    """
    _, digits, _ = texts
    counts = (digits[:, :, None] == torch.arange(DIGITS)).sum(dim=1)  # (batch, 10)
    return (counts.amax(dim=1) / PAIRS).mean().item()


@dataclass(frozen=True)
class Recalled:
    """A trained model and how it does on fresh texts.

    Attributes:
        model: as trained.
        history: of the training.
        accuracy: share of questions answered with the right digit.
        weight: mean weight of a question on the token with the right digit, in the last layer.
        on_letter: mean weight of a digit on the letter before it, in the first layer; NaN where a pair is one token.
    """

    model: Transformer
    history: History
    accuracy: float
    weight: float
    on_letter: float


def recall(
    separate: bool, layers: int, *, steps: int = STEPS, seed: int = 0, texts: int = 512, progress: bool = False
) -> Recalled:
    """Train a model of attention alone and ask it about fresh texts.

    Naming a digit at random is right in 1 case of 10. Naming the digit that stands most often in the text, whatever is
    asked, is right in 3 of 10 (`commonest_digit`).

    One layer that reads pairs of one token is at 100 % with every seed tried. Where a pair is two tokens, two layers
    first stay at 3 of 10, then fall into place within some tens of steps; in 400 steps that happens with three seeds of
    five, in 1,200 with all five, though three of these answer every question with a weight of only 0.5 to 0.7 on the
    digit: a head can be right without looking at one place (`datasets/runs/attention_recall.csv`).

    Args:
        separate: whether letter and digit of a pair are two tokens.
        layers: of attention.
        steps: of training with 32 texts each: AdamW, learning rate 0.005 falling evenly to 0.
        seed: of the first weights and of the texts.
        texts: fresh ones.
        progress: show a bar.
    """
    model = recall_model(separate, layers, seed)
    recipe = Recipe(5e-3, schedule="linear", clip=1.0)
    batches = RecallTexts(separate, BATCH, seed)
    history = fit(model, batches, steps=steps, objective=recall_loss, recipe=recipe, progress=progress)
    ids, digits, places = RecallTexts(separate, texts, seed)[TEST_STEP]
    with torch.inference_mode(), interpret.capture(model) as seen:
        right = answer_scores(model, ids).argmax(dim=-1) == digits
    questions = seen.attention[-1][:, 0, -PAIRS:]  # (texts, 8, tokens): the only head
    in_pairs = torch.arange(1, 2 * PAIRS, 2) if separate else torch.arange(0)  # positions of the digits
    return Recalled(
        model=model,
        history=history,
        accuracy=right.float().mean().item(),
        weight=questions.gather(2, places[:, :, None]).mean().item(),
        on_letter=seen.attention[0][:, 0, in_pairs, in_pairs - 1].mean().item(),
    )


def rows(seeds: range) -> Iterator[dict[str, Any]]:
    """Every way with every seed; where a pair is two tokens, in three times as many steps too."""
    for separate, layers in WAYS:
        for steps in (STEPS, 3 * STEPS) if separate else (STEPS,):
            for seed in seeds:
                run = recall(separate, layers, steps=steps, seed=seed)
                yield {
                    "tokens_a_pair": 2 if separate else 1, "layers": layers, "steps": steps, "seed": seed,
                    "accuracy": run.accuracy, "weight": run.weight, "on_letter": run.on_letter,
                }  # fmt: skip
