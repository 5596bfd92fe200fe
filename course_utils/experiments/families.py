"""The three families of transformers, each trained for seconds on the task it is for.

An encoder fills a blank from the words on both sides. A decoder continues a text from what stands before. An encoder
with a decoder rewrites a text. All three live in one small world of sentences in which eight animals do something to
one another and then make their own sound. Every fifth combination of animal, verb and animal is never trained on.

>>> deeds("held out")[0].told
['the', 'dog', 'sees', 'the', 'duck', 'and', 'barks']
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from course_utils.models.encoder_decoder import EncoderDecoder
from course_utils.models.initial import stretch
from course_utils.models.transformer import Transformer, TransformerConfig
from course_utils.training import MASKED, History, Objective, Recipe, fit

SOUNDS = {
    "dog": "barks", "cat": "purrs", "cow": "moos", "duck": "quacks", "horse": "neighs", "lion": "roars",
    "owl": "hoots", "frog": "croaks",
}  # fmt: skip
VERBS = {
    "sees": "seen",
    "hears": "heard",
    "follows": "followed",
    "likes": "liked",
    "calls": "called",
    "helps": "helped",
}
ADJECTIVES = ("old", "young", "small", "big", "brown", "grey")
PAD, BEGIN, END, BLANK = range(4)
WORDS = [
    "·", "[begin]", "[end]", "[blank]", "the", "and", "is", "by", *SOUNDS, *SOUNDS.values(), *VERBS, *VERBS.values(),
    *ADJECTIVES,
]  # fmt: skip
IDS = {word: number for number, word in enumerate(WORDS)}
Part = Literal["train", "held out"]
Task = Literal["fill", "continue", "rewrite"]
TASKS: dict[Task, str] = {"fill": "encoder-only", "continue": "decoder-only", "rewrite": "encoder-decoder"}


@dataclass(frozen=True)
class Deed:
    """One animal does something to another; either may have an adjective, or none ("")."""

    subject: str
    verb: str
    object: str
    subject_adjective: str = ""
    object_adjective: str = ""

    @cached_property
    def subject_words(self) -> list[str]:
        """Who does it."""
        return [word for word in ("the", self.subject_adjective, self.subject) if word]

    @cached_property
    def object_words(self) -> list[str]:
        """To whom."""
        return [word for word in ("the", self.object_adjective, self.object) if word]

    @property
    def active(self) -> list[str]:
        """As a sentence of which the subject is the one who does it."""
        return [*self.subject_words, self.verb, *self.object_words]

    @property
    def passive(self) -> list[str]:
        """The same, told from the other side.

        >>> " ".join(Deed("dog", "sees", "cat", "old").passive)
        'the cat is seen by the old dog'
        """
        return [*self.object_words, "is", VERBS[self.verb], "by", *self.subject_words]

    @property
    def told(self) -> list[str]:
        """The sentence, and then the sound that the one makes who does it."""
        return [*self.active, "and", SOUNDS[self.subject]]


@lru_cache(maxsize=2)
def deeds(part: Part) -> tuple[Deed, ...]:
    """All combinations of one part, without adjectives: 270 to train on, 66 held out.

    >>> len(deeds("train")), len(deeds("held out"))
    (270, 66)
    """
    animals, verbs = list(SOUNDS), list(VERBS)
    found = []
    for one in range(len(animals)):
        for verb in range(len(verbs)):
            for other in range(len(animals)):
                held_out = (one + 2 * verb + 3 * other) % 5 == 4
                if one != other and held_out == (part == "held out"):
                    found.append(Deed(animals[one], verbs[verb], animals[other]))
    return tuple(found)


def draw(part: Part, number: int, random: np.random.Generator) -> list[Deed]:
    """Combinations of one part with adjectives: half of the animals get none."""
    chosen = random.integers(len(deeds(part)), size=number)
    adjectives = np.array([*ADJECTIVES, *[""] * len(ADJECTIVES)])
    first, second = random.choice(adjectives, size=(2, number)).tolist()
    return [
        Deed(deed.subject, deed.verb, deed.object, one, other)
        for deed, one, other in zip((deeds(part)[place] for place in chosen), first, second, strict=True)
    ]


def encode(texts: Sequence[Sequence[str]]) -> Tensor:
    """Words to ids, ``(texts, longest)`` int64, shorter texts filled up with `PAD` on the right.

    >>> encode([["the", "dog"], ["owl"]])
    tensor([[ 4,  8],
            [14,  0]])
    """
    rows = [torch.tensor([IDS[word] for word in text]) for text in texts]
    return nn.utils.rnn.pad_sequence(rows, batch_first=True, padding_value=PAD)


def decode(ids: Tensor) -> str:
    """One row of ids as words, up to the end; padding is left out.

    >>> decode(torch.tensor([4, 8, 2, 2, 0]))
    'the dog'
    """
    numbers = ids.tolist()
    numbers = numbers[: numbers.index(END)] if END in numbers else numbers
    return " ".join(WORDS[number] for number in numbers if number != PAD)


class DeedBatches:
    """What one task is trained on: ``batches[step]`` is the same whenever a step is asked for.

    >>> source, target = DeedBatches("rewrite", batch=1, seed=0)[0]
    >>> decode(source[0]), decode(target[0])
    ('the owl calls the frog', '[begin] the frog is called by the owl')
    """

    def __init__(self, task: Task, batch: int, seed: int):
        self.task, self.batch, self.seed = _checked(task), batch, seed

    def __getitem__(self, step: int) -> tuple[Tensor, Tensor]:
        """Inputs and targets, ``(batch, tokens)`` int64 each; a target of `MASKED`, -100, does not count."""
        random = np.random.default_rng([self.seed, step])
        chosen = draw("train", self.batch, random)
        if self.task == "rewrite":
            return encode([deed.active for deed in chosen]), encode(
                [["[begin]", *deed.passive, "[end]"] for deed in chosen]
            )
        if self.task == "continue":
            ids = encode([["[begin]", *deed.told, "[end]"] for deed in chosen])
            return ids[:, :-1], ids[:, 1:].masked_fill(ids[:, 1:] == PAD, MASKED)
        return blanked(chosen, [int(random.integers(len(deed.told))) for deed in chosen])


def blanked(chosen: Sequence[Deed], places: Sequence[int]) -> tuple[Tensor, Tensor]:
    """Sentences with one word taken out, and that word as the only target.

    >>> ids, targets = blanked([Deed("dog", "sees", "cat")], [1])
    >>> decode(ids[0]), WORDS[targets[0, 1]], targets[0, 0].item()
    ('the [blank] sees the cat and barks', 'dog', -100)
    """
    ids = encode([deed.told for deed in chosen])
    rows, columns = torch.arange(len(ids)), torch.tensor(places)
    targets = torch.full_like(ids, -100)
    targets[rows, columns] = ids[rows, columns]
    return ids.index_put((rows, columns), torch.tensor(BLANK)), targets


def new_model(task: Task, seed: int = 0) -> Transformer | EncoderDecoder:
    """An untrained model of the family that the task is for: two blocks of width 64, four heads."""
    config = TransformerConfig.preset("tiny", vocabulary=len(WORDS), context=16, causal=_checked(task) != "fill")
    model = EncoderDecoder(config, seed) if task == "rewrite" else Transformer(config, seed)
    stretch(model, config.width)
    return model


def filling_loss(model: nn.Module, batch: tuple[Tensor, Tensor]) -> tuple[Tensor, int]:
    """An encoder scores every word for each place; only the place of the blank counts."""
    assert isinstance(model, Transformer)
    ids, targets = batch
    scores = model.unembed(model.hidden_states(ids, mask=ids != PAD))  # (batch, tokens, vocabulary)
    return cross_entropy(scores.flatten(0, 1), targets.flatten(), reduction="sum"), int((targets != -100).sum())


def continuing_loss(model: nn.Module, batch: tuple[Tensor, Tensor]) -> tuple[Tensor, int]:
    """A decoder scores what comes next after each word; padding on the right is seen by no word before it."""
    ids, targets = batch
    return cross_entropy(model(ids).flatten(0, 1), targets.flatten(), reduction="sum"), int((targets != -100).sum())


def rewriting_loss(model: nn.Module, batch: tuple[Tensor, Tensor]) -> tuple[Tensor, int]:
    """An encoder reads the source, and a decoder scores what comes next in the target."""
    source, target = batch
    scores = model(source, target[:, :-1], source != PAD)  # (batch, tokens - 1, vocabulary)
    targets = target[:, 1:].masked_fill(target[:, 1:] == PAD, -100)
    return cross_entropy(scores.flatten(0, 1), targets.flatten(), reduction="sum"), int((targets != -100).sum())


OBJECTIVES: dict[Task, Objective] = {"fill": filling_loss, "continue": continuing_loss, "rewrite": rewriting_loss}


def train(
    task: Task,
    *,
    steps: int = 200,
    seed: int = 0,
    on_step: Callable[[int, History], bool | None] | None = None,
    progress: bool = False,
) -> tuple[Transformer | EncoderDecoder, History]:
    """Train a model on one task for a few seconds.

    Args:
        task: ``"fill"``, ``"continue"`` or ``"rewrite"``.
        steps: of AdamW, 64 sentences in each; the learning rate rises to 0.005 and falls evenly to 0.
        seed: of the first weights and of the sentences.
        on_step: see `course_utils.training.fit`.
        progress: show a bar.
    """
    model = new_model(task, seed)
    recipe = Recipe(5e-3, schedule="linear", warmup=0.1, smoothing=0.99, clip=1.0)
    batches = DeedBatches(task, 64, seed)
    history = fit(
        model, batches, steps=steps, objective=OBJECTIVES[task], recipe=recipe, on_step=on_step, progress=progress
    )
    return model, history


@dataclass(frozen=True)
class Score:
    """How well a model does its task on combinations that it was never trained on."""

    share: (
        float  # fill: blanks of the subject filled right; continue: sounds named right; rewrite: whole sentences right
    )
    baseline: float  # the same for the baseline
    baseline_name: str


def score(task: Task, model: Transformer | EncoderDecoder, *, number: int = 500, seed: int = 0) -> Score:
    """Score a model on held-out sentences, beside a baseline that is measured on the same ones.

    Args:
        task: the one that it was trained for.
        model: of `train`.
        number: of sentences.
        seed: of the sentences.
    """
    chosen = draw("held out", number, np.random.default_rng([seed, 2**31]))
    known = draw("train", 5000, np.random.default_rng([seed, 2**31 + 1]))
    if _checked(task) == "fill":
        right = [deed.subject for deed in chosen]
        best = Counter(deed.subject for deed in known).most_common(1)[0][0]
        return Score(_share(fill_subject(model, chosen), right), _share([best] * number, right), "most frequent animal")
    if task == "continue":
        right = [SOUNDS[deed.subject] for deed in chosen]
        best = Counter(SOUNDS[deed.subject] for deed in known).most_common(1)[0][0]
        return Score(
            _share(name_sound(model, chosen), right), _share([best] * number, right), 'most frequent after "and"'
        )
    right = [" ".join(deed.passive) for deed in chosen]
    swapped = [" ".join([*deed.object_words, "is", "seen", "by", *deed.subject_words]) for deed in chosen]
    return Score(
        _share(rewrite(model, chosen), right), _share(swapped, right), 'both sides swapped around "is seen by"'
    )


@torch.inference_mode()
def fill_subject(model: nn.Module, chosen: Sequence[Deed]) -> list[str]:
    """The word that an encoder likes best in place of each sentence's first animal."""
    assert isinstance(model, Transformer)
    places = [len(deed.subject_words) - 1 for deed in chosen]
    ids, _ = blanked(chosen, places)
    scores = model.unembed(model.hidden_states(ids, mask=ids != PAD))  # (batch, tokens, vocabulary)
    return [WORDS[token] for token in scores[torch.arange(len(ids)), torch.tensor(places)].argmax(dim=-1).tolist()]


@torch.inference_mode()
def subject_from_the_left(model: nn.Module, chosen: Sequence[Deed]) -> list[str]:
    """The same from a decoder, which sees only what stands before: the words that tell come too late for it."""
    return _next(model, [["[begin]", *deed.subject_words[:-1]] for deed in chosen])


@torch.inference_mode()
def name_sound(model: nn.Module, chosen: Sequence[Deed]) -> list[str]:
    """The word with which a decoder continues each sentence after "and"."""
    return _next(model, [["[begin]", *deed.told[:-1]] for deed in chosen])


def rewrite(model: nn.Module, chosen: Sequence[Deed]) -> list[str]:
    """Each sentence as an encoder-decoder tells it from the other side."""
    assert isinstance(model, EncoderDecoder)
    source = encode([deed.active for deed in chosen])
    written = model.write(source, BEGIN, END, max_new_tokens=14, source_mask=source != PAD)
    return [decode(row) for row in written]


def _next(model: nn.Module, texts: Sequence[Sequence[str]]) -> list[str]:
    """The likeliest next word of each text."""
    scores = model(encode(texts))  # (batch, tokens, vocabulary); a word does not see the padding behind it
    last = torch.tensor([len(text) - 1 for text in texts])
    return [WORDS[token] for token in scores[torch.arange(len(texts)), last].argmax(dim=-1).tolist()]


def _share(said: Sequence[str], right: Sequence[str]) -> float:
    return sum(one == other for one, other in zip(said, right, strict=True)) / len(right)


def _checked(task: Task) -> Task:
    if task not in TASKS:
        raise ValueError(f"task={task!r} is not known; choose one of: {', '.join(TASKS)}.")
    return task
