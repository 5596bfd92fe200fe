"""What context does to a word: the vector of "bank" through a model's layers, read off with `interpret.capture`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import normalize

from course_utils import interpret
from course_utils.models.transformer import Transformer
from course_utils.tokenizers import BPETokenizer

# "bank" always stands at the end, because a decoder shows it nothing of what follows, and always behind "the", so that
# the word before it cannot tell the senses apart.
RIVER = (
    "He swam across the river to the bank",
    "We pulled the canoe out of the water and onto the bank",
    "The fisherman sat all morning on the bank",
    "Reeds and willows grow along the bank",
    "The flood carried stones and mud over the bank",
    "Two ducks left the pond and waddled up the bank",
)
MONEY = (
    "She paid the cheque into the bank",
    "I borrowed the money from the bank",
    "They opened a savings account at the bank",
    "The robbers emptied the safe of the bank",
    "He works as a cashier at the bank",
    "Interest rates were raised again by the bank",
)


@dataclass(frozen=True)
class Senses:
    """How alike the vectors of one word are in sentences of the same sense and of different ones.

    Attributes:
        within: ``(layers + 1,)``, the mean cosine of two different sentences of the same sense; entry 0 is the
            embedding, entry ``n`` the stream after ``n`` blocks.
        between: ``(layers + 1,)``, the mean cosine of two sentences of different senses.
        nearest: ``(layers + 1,)``, the share of sentences whose most similar other sentence has the same sense.
    """

    within: Tensor
    between: Tensor
    nearest: Tensor


def place_of(tokenizer: BPETokenizer, text: str, word: str) -> int:
    """Position of the last token of the last occurrence of a word.

    Raises:
        ValueError: if the word is not in the text.
    """
    begin = text.rfind(word)
    if begin < 0 or not word:
        raise ValueError(f"{word!r} does not stand in {text!r}; choose one of its words")
    end, reached = len(text[: begin + len(word)].encode()), 0
    for position, token in enumerate(tokenizer.encode(text)):
        reached += len(tokenizer.token_bytes(token))
        if reached >= end:
            return position
    raise ValueError(f"the tokens of {text!r} end before {word!r} does")


@torch.inference_mode()
def vectors_by_layer(model: Transformer, tokenizer: BPETokenizer, text: str, word: str) -> Tensor:
    """The vector of a word as it enters each block, and as it leaves the last: ``(layers + 1, width)``."""
    position = place_of(tokenizer, text, word)
    with interpret.capture(model) as seen:
        model.hidden_states(torch.tensor([tokenizer.encode(text)]))
    return torch.stack([stream[0, position] for stream in seen.stream])


def senses_by_layer(
    model: Transformer,
    tokenizer: BPETokenizer,
    senses: Sequence[Sequence[str]] = (RIVER, MONEY),
    word: str = "bank",
) -> Senses:
    """How well the vectors of a word keep its senses apart, layer by layer.

    Args:
        model: a decoder; it reads each sentence once.
        tokenizer: its tokenizer.
        senses: for each sense two sentences or more that hold the word.
        word: a word of all of them.

    Raises:
        ValueError: if there are fewer than two senses, or a sense has fewer than two sentences.
    """
    if len(senses) < 2 or min(map(len, senses)) < 2:
        raise ValueError(f"{[len(sense) for sense in senses]} sentences were given; two senses need two each or more")
    vectors = [vectors_by_layer(model, tokenizer, text, word) for sense in senses for text in sense]
    cosines = compare(torch.stack(vectors, dim=1))  # (layers + 1, sentences, sentences)
    sense_of = torch.tensor([number for number, sense in enumerate(senses) for _ in sense])
    same = sense_of[:, None] == sense_of
    itself = torch.eye(len(sense_of), dtype=torch.bool)
    nearest = cosines.masked_fill(itself, -2).argmax(dim=-1)  # (layers + 1, sentences)
    return Senses(
        within=cosines[:, same & ~itself].mean(dim=-1),
        between=cosines[:, ~same].mean(dim=-1),
        nearest=(sense_of[nearest] == sense_of).float().mean(dim=-1),
    )


def compare(vectors: Tensor) -> Tensor:
    """Cosine of every two vectors: ``(..., vectors, width)`` to ``(..., vectors, vectors)``.

    >>> compare(torch.tensor([[3.0, 0.0], [1.0, 1.0]]))
    tensor([[1.0000, 0.7071],
            [0.7071, 1.0000]])
    """
    unit = normalize(vectors, dim=-1)
    return unit @ unit.mT
