"""Supervised fine-tuning: go on training a language model, on prompts with the answers that people want to see.

It is the training that the model knows from pretraining, with one difference: only the tokens of the answers count.
What the model is asked is read and not learned. So the objective is `training.cross_entropy_loss`, and this module
makes its batches: every target outside an answer is `MASKED` (Ouyang et al. 2022 call this step SFT).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Protocol

import torch
from torch import Tensor

from course_utils.training import MASKED, shuffled_batches


class Tokenizer(Protocol):
    """Whatever turns a text into token ids."""

    def encode(self, text: str) -> list[int]:
        """The ids of a text."""
        ...


@dataclass(frozen=True)
class Turn:
    """What is asked, and the answer that the model shall learn; the next turn of a conversation goes on behind it."""

    prompt: str
    answer: str


@dataclass(frozen=True)
class Tokens:
    """A conversation as the model reads it."""

    ids: Tensor  # (tokens,) int64
    targets: Tensor  # (tokens,) int64: the next token where it belongs to an answer, else MASKED


def tokens_of(turns: Sequence[Turn], tokenizer: Tokenizer) -> Tokens:
    """A conversation as token ids and targets.

    Prompts and answers are encoded one by one, so that no token lies on both sides of a border.

    Args:
        turns: one or more.
        tokenizer: of the model.

    Raises:
        ValueError: if there is no turn, or an answer is empty.

    >>> from course_utils.tokenizers.words import CharacterTokenizer
    >>> found = tokens_of([Turn("ab", "cd")], CharacterTokenizer.train("abcd"))
    >>> found.ids.tolist(), found.targets.tolist()  # after b comes c, after c comes d; what comes after a is given
    ([1, 2, 3], [-100, 3, 4])
    """
    if not turns:
        raise ValueError("A conversation needs at least one prompt with its answer.")
    ids: list[int] = []
    counts: list[bool] = []
    for turn in turns:
        prompt, answer = tokenizer.encode(turn.prompt), tokenizer.encode(turn.answer)
        if not answer:
            raise ValueError(f"The answer to {turn.prompt[-60:]!r} is empty; nothing could be learned from it.")
        ids += prompt + answer
        counts += [False] * len(prompt) + [True] * len(answer)
    whole = torch.tensor(ids)
    targets = torch.where(torch.tensor(counts[1:]), whole[1:], MASKED)
    return Tokens(whole[:-1], targets)


class AnswerBatches:
    """Batches without end of conversations, as `training.fit` takes them. See `answer_batches`."""

    def __init__(self, conversations: Sequence[Tokens], batch_size: int, seed: int, context: int | None):
        if not conversations:
            raise ValueError("There is nothing to learn from; give at least one conversation.")
        longest = max(len(each.ids) for each in conversations)
        if context is not None and longest > context:
            raise ValueError(
                f"A conversation has {longest} tokens and the model reads at most {context}; shorten it, or leave it "
                "out."
            )
        self.conversations, places = conversations, torch.arange(len(conversations))
        self.order = shuffled_batches(places, places, batch_size, seed)

    def __getitem__(self, step: int) -> tuple[Tensor, Tensor]:
        """Ids and targets of a step, ``(batch, tokens)`` int64 each; short ones are filled up on the right."""
        return padded([self.conversations[place] for place in self.order[step][0].tolist()])

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        return (self[step] for step in count())


def padded(conversations: Sequence[Tokens]) -> tuple[Tensor, Tensor]:
    """Conversations of several lengths as ids and targets, ``(batch, tokens)`` each.

    Filled up on the right: a causal model never looks there from an answer, and no target there counts.

    >>> short, long = Tokens(torch.tensor([1]), torch.tensor([2])), Tokens(torch.tensor([3, 4]), torch.tensor([4, 5]))
    >>> padded([short, long])
    (tensor([[1, 0],
            [3, 4]]), tensor([[   2, -100],
            [   4,    5]]))
    """
    pad = torch.nn.utils.rnn.pad_sequence
    ids = pad([each.ids for each in conversations], batch_first=True)
    return ids, pad([each.targets for each in conversations], batch_first=True, padding_value=MASKED)


def answer_batches(
    conversations: Sequence[Sequence[Turn]],
    tokenizer: Tokenizer,
    batch_size: int,
    *,
    context: int | None = None,
    seed: int = 0,
) -> AnswerBatches:
    """Batches for supervised fine-tuning: each epoch is a new shuffle in which every conversation comes once.

    Args:
        conversations: each a list of turns.
        tokenizer: of the model.
        batch_size: conversations in a batch.
        context: tokens that the model reads at most; None: no limit.
        seed: of the shuffles.

    Raises:
        ValueError: if there is none, an answer is empty, or one is too long for the model.
    """
    return AnswerBatches([tokens_of(turns, tokenizer) for turns in conversations], batch_size, seed, context)


def read_conversations(path: str | Path) -> list[list[Turn]]:
    """Conversations from a file: on each line a JSON list of ``{"prompt": ..., "answer": ...}``, or one such object.

    Raises:
        ValueError: if the file is missing, a line is no such thing, or an answer is empty; it names the line.
    """
    path = Path(path)
    if not path.is_file():
        raise ValueError(
            f'There is no file {path}; each of its lines should read {{"prompt": "...", "answer": "..."}}.'
        )
    found = []
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError as error:
        raise ValueError(f"{path.name} is not a text in UTF-8 ({error}); convert it first.") from error
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
            turns = [
                Turn(str(each["prompt"]), str(each["answer"]))
                for each in (value if isinstance(value, list) else [value])
            ]
        except (ValueError, TypeError, KeyError) as error:
            raise ValueError(
                f"Line {number} of {path.name} cannot be read ({error!r}); it should read "
                '{"prompt": "...", "answer": "..."}.'
            ) from error
        if not turns or not all(turn.answer.strip() for turn in turns):
            raise ValueError(f"Line {number} of {path.name} has an empty answer; fill it in or delete the line.")
        found.append(turns)
    if not found:
        raise ValueError(f"{path.name} holds no example; write one on each line.")
    return found
