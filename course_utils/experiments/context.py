"""What context does to a word: the vector of "bank" through a model's layers, and which heads look where.

Both are read off one forward pass with `course_utils.interpret.capture`.
"""

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


@torch.inference_mode()
def attention_by_head(model: Transformer, tokenizer: BPETokenizer, text: str) -> Tensor:
    """The weights of every head for a text: ``(layers, heads, tokens, tokens)``."""
    with interpret.capture(model) as seen:
        model.hidden_states(torch.tensor([tokenizer.encode(text)]))
    return torch.stack([weights[0] for weights in seen.attention])


@dataclass(frozen=True)
class Look:
    """How strongly one head looks from one token of a text at another, and what it does otherwise.

    Attributes:
        layer: counted from 0.
        head: counted from 0.
        weight: from the one token to the other.
        from_others: the mean weight on the same token from all later tokens but the first, this one left out. Where it
            is large too, the head looks there from everywhere.
        previous: the mean weight of a token on the one before it. Where it is large, the head looks one back, whatever
            stands there.
        first: the mean weight on the first token, where a head that finds nothing looks.
    """

    layer: int
    head: int
    weight: float
    from_others: float
    previous: float
    first: float


def look(weights: Tensor, layer: int, head: int, query: int, token: int) -> Look:
    """One head's look, from a text's weights ``(layers, heads, tokens, tokens)`` as of `attention_by_head`.

    Args:
        weights: of all heads.
        layer: of the head.
        head: in its layer.
        query: the position that looks.
        token: the earlier position that is looked at.

    >>> weights = torch.eye(4).roll(-1, dims=1)[None, None]  # each token looks one back
    >>> look(weights, 0, 0, query=2, token=1)
    Look(layer=0, head=0, weight=1.0, from_others=0.0, previous=1.0, first=0.0)
    """
    table = weights[layer, head]
    others = [row for row in range(token + 1, len(table)) if row != query]
    rows = torch.arange(2, len(table))  # from here on, the token before and the first one are two
    return Look(
        layer=layer,
        head=head,
        weight=table[query, token].item(),
        from_others=table[others, token].mean().item() if others else 0.0,
        previous=table[rows, rows - 1].mean().item() if len(rows) else 0.0,
        first=table[rows, 0].mean().item() if len(rows) else 0.0,
    )


def heads_that_look(weights: Tensor, query: int, token: int, count: int = 5) -> list[Look]:
    """The heads with the largest weight from one position to another, the strongest first.

    The largest of 270 numbers is large by luck too: what a head is for shows on other texts, and in what it does
    otherwise (`Look`).

    Args:
        weights: ``(layers, heads, tokens, tokens)``.
        query: the position that looks.
        token: the position that is looked at.
        count: how many heads.

    Raises:
        ValueError: if there is no such position.
    """
    tokens = weights.size(-1)
    if not 0 <= token <= query < tokens:
        raise ValueError(
            f"from position {query} to {token}: both are from 0 to {tokens - 1}, and nothing looks at what comes later"
        )
    order = weights[:, :, query, token].flatten().argsort(descending=True)[:count]
    heads = weights.size(1)
    return [look(weights, *divmod(int(place), heads), query, token) for place in order]


def share_on_first(weights: Tensor) -> float:
    """The mean weight on the first token, over all heads and all tokens behind it."""
    return weights[:, :, 1:, 0].mean().item()


def induction_scores(model: Transformer, *, tokens: int = 40, texts: int = 4, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Two scores of every head on random tokens said twice (Olsson et al. 2022).

    Args:
        model: a decoder.
        tokens: in the part that is repeated.
        texts: read at once.
        seed: of the random tokens.

    Returns:
        Two tables ``(layers, heads)``: the mean weight from a token of the second half to the token that came behind
        its first occurrence (induction), and the mean weight on the token before.
    """
    generator = torch.Generator().manual_seed(seed)
    half = torch.randint(model.config.vocabulary, (texts, tokens), generator=generator)
    with torch.inference_mode(), interpret.capture(model) as seen:
        model.hidden_states(torch.cat((half, half), dim=1))
    second, later = torch.arange(tokens, 2 * tokens), torch.arange(1, 2 * tokens)
    weights = torch.stack([layer.mean(dim=0) for layer in seen.attention])  # (layers, heads, tokens, tokens)
    return weights[..., second, second - tokens + 1].mean(-1), weights[..., later, later - 1].mean(-1)
