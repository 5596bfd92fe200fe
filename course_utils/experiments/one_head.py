"""Which number belongs to the letter that is asked for? A model with one head learns to look where the answer is.

A text is eight pairs of a letter and a number, and then a question: one of the letters. The right answer is the number
that stands with this letter. Letters, numbers and places are drawn anew for each text, so nothing can be learned by
heart: the model must look.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from course_utils.models.transformer import attention, attention_weights
from course_utils.training import Recipe, fit

PAIRS, LETTERS, NUMBERS, WIDTH = 8, 26, 16, 64  # pairs in a text; different letters and numbers; size of a vector


@dataclass(frozen=True, eq=False)
class Texts:
    """Some texts, each of eight pairs and a question, which is a letter without a number."""

    letters: Tensor  # (batch, PAIRS + 1)
    numbers: Tensor  # (batch, PAIRS + 1); the last is `NUMBERS`, which stands for "which number?"
    places: Tensor  # (batch,): which pair holds the answer

    @property
    def answers(self) -> Tensor:
        """The number that stands with the letter that is asked for: ``(batch,)``."""
        return self.numbers.gather(1, self.places[:, None])[:, 0]

    def said(self, text: int) -> list[str]:
        """The pairs of one text and its question, in words."""
        pairs = zip(self.letters[text].tolist(), self.numbers[text].tolist(), strict=True)
        return [f"{chr(65 + letter)}{'?' if number == NUMBERS else number}" for letter, number in pairs]


class TextBatches:
    """Fresh texts at every step; the same whenever a step is asked for.

    >>> TextBatches(batch=1, seed=0)[0].said(0)
    ['T6', 'E6', 'K0', 'L0', 'Z1', 'C0', 'Y10', 'G8', 'C?']
    """

    def __init__(self, batch: int, seed: int):
        self.batch, self.seed = batch, seed

    def __getitem__(self, step: int) -> Texts:
        """The texts of a step."""
        random, rows = np.random.default_rng([self.seed, step]), np.arange(self.batch)
        letters = random.permuted(np.tile(np.arange(LETTERS), (self.batch, 1)), axis=1)[:, :PAIRS]  # each once
        numbers = random.integers(NUMBERS, size=(self.batch, PAIRS))
        places = random.integers(PAIRS, size=self.batch)
        letters = np.column_stack([letters, letters[rows, places]])
        numbers = np.column_stack([numbers, np.full(self.batch, NUMBERS)])
        return Texts(*map(torch.from_numpy, (letters, numbers, places)))


class OneHead(nn.Module):
    """A model with one head and nothing else: tables, three matrices for query, key and value, and one for the answer.

    Args:
        seed: of the random starting weights; torch's own random state stays as it was.
    """

    def __init__(self, seed: int = 0):
        super().__init__()
        generator = torch.Generator().manual_seed(seed)

        def drawn(*shape: int) -> nn.Parameter:
            return nn.Parameter(torch.randn(*shape, generator=generator) / WIDTH**0.5)

        self.letter, self.number = drawn(LETTERS, WIDTH), drawn(NUMBERS + 1, WIDTH)
        self.query, self.key, self.value = (drawn(WIDTH, WIDTH) for _ in range(3))
        self.answer = drawn(WIDTH, NUMBERS)

    def lists(self, texts: Texts) -> tuple[Tensor, Tensor, Tensor]:
        """The query, key and value of every token: ``(batch, 1, PAIRS + 1, WIDTH)`` each."""
        vectors = self.letter[texts.letters] + self.number[texts.numbers]  # one vector a pair
        vectors = vectors[:, None]  # one head
        return vectors @ self.query, vectors @ self.key, vectors @ self.value

    def forward(self, texts: Texts) -> Tensor:
        """A score for each number, after the question: ``(batch, NUMBERS)``."""
        return attention(*self.lists(texts))[:, 0, -1] @ self.answer

    def weights(self, texts: Texts) -> Tensor:
        """Where each question looks: ``(batch, PAIRS + 1)``."""
        query, key, _ = self.lists(texts)
        return attention_weights(query, key)[:, 0, -1]


def answer_loss(model: nn.Module, texts: Texts) -> tuple[Tensor, int]:
    """The objective: the surprisal of the answer after the question, summed over the texts."""
    return cross_entropy(model(texts), texts.answers, reduction="sum"), len(texts.answers)


def train(model: OneHead, steps: int, seed: int = 0) -> None:
    """Train on fresh texts: AdamW, learning rate 0.01 falling evenly to 0, 256 texts a step."""
    recipe = Recipe(1e-2, schedule="linear", clip=1.0)
    fit(model, TextBatches(256, seed), steps=steps, objective=answer_loss, recipe=recipe, progress=False)


def ask(model: OneHead, texts: int = 1000, seed: int = 1) -> tuple[float, float]:
    """The share of fresh texts answered right, and the mean weight from the question to the pair with the answer.

    >>> right, weight = ask(OneHead())
    >>> right < 0.2, weight < 0.2
    (True, True)
    """
    asked = TextBatches(texts, seed)[0]
    with torch.inference_mode():
        right = (model(asked).argmax(dim=1) == asked.answers).float().mean().item()
        return right, model.weights(asked).gather(1, asked.places[:, None]).mean().item()
