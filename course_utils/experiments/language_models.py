"""How well models of the time before transformers guess the next character of plays they have never seen.

One split for all (`course_utils.data.splits`): trained on 26 plays, settings chosen on 6, scored once on 6 others. The
score is bits per character: the mean surprisal of every character of the held-out plays. It also makes the recorded
runs of ``datasets/runs/language_models.csv``.
"""

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from statistics import mean
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from course_utils.data.runs import recorded
from course_utils.data.splits import plays_text
from course_utils.experiments.next_letter import letters
from course_utils.models.ngram import KneserNey, NGramCounts
from course_utils.models.recurrent import Cell, RecurrentConfig, RecurrentLanguageModel
from course_utils.tokenizers.words import CharacterTokenizer
from course_utils.training import History, Recipe, fit, text_batches

STREAMS, CHUNK = 64, 128  # a held-out text is read as this many pieces side by side, this many characters at a time


@lru_cache(maxsize=1)
def characters() -> CharacterTokenizer:
    """The characters of the training plays."""
    return CharacterTokenizer.train(plays_text("train"))


@lru_cache(maxsize=3)
def play_ids(part: str) -> Tensor:
    """The plays of one part as character ids, ``(characters,)`` int64."""
    return torch.tensor(characters().encode(plays_text(part)))


def ngram_bits(order: int, part: str = "test", *, counts: NGramCounts | None = None) -> float:
    """Held-out bits per character of a Kneser-Ney model.

    Args:
        order: characters in the longest n-gram.
        part: ``"validation"`` or ``"test"``.
        counts: of the training plays, if they are there already; they may be of a higher order.
    """
    counts = ngram_counts(order) if counts is None else counts
    return KneserNey(counts, order).bits_per_token(play_ids(part).numpy())


def ngram_counts(order: int) -> NGramCounts:
    """The training plays, counted."""
    return NGramCounts(play_ids("train").numpy(), len(characters()), order)


def counted_plays() -> tuple[NGramCounts, CharacterTokenizer]:
    """The training plays counted up to six letters in a row, and the characters whose ids were counted."""
    return ngram_counts(6), characters()


@dataclass(frozen=True)
class Score:
    """How well one model guesses the letters of plays that it has never seen."""

    name: str
    runs: tuple[float, ...]  # bits per character, one for each run

    @property
    def bits(self) -> float:
        """The mean of the runs."""
        return mean(self.runs)


def recorded_scores() -> list[Score]:
    """The test scores of ``datasets/runs/language_models.csv``, runs that differ by their seed taken together.

    >>> recorded_scores()[0].name
    'table, 0 letters'
    """
    runs: dict[str, list[float]] = {}
    for row in recorded("language_models").rows:
        name = f"{row['model']}, {row['setting']}"
        if row["model"] == "Kneser-Ney":  # a table that remembers one letter less than its order
            name = f"table, {letters(int(row['setting'].removeprefix('order ')) - 1)}"
        runs.setdefault(name, []).append(row["test_bits"])
    return [Score(name, tuple(bits)) for name, bits in runs.items()]


@dataclass(frozen=True)
class RecurrentRun:
    """How a recurrent network is trained."""

    cell: Cell = "lstm"
    width: int = 128
    steps: int = 500
    batch: int = 32  # windows in a step
    context: int = 64  # characters in a window; gradients reach back no further
    learning_rate: float = 1e-2  # falls evenly to 0
    seed: int = 0  # of the first weights and of the windows


def train(
    setting: RecurrentRun, on_step: Callable[[int, History], bool | None] | None = None, *, progress: bool = False
) -> tuple[RecurrentLanguageModel, History]:
    """Train on random windows of the training plays with AdamW; gradients longer than 1 are shortened to it.

    Args:
        setting: how.
        on_step: see `course_utils.training.fit`.
        progress: show a bar.
    """
    config = RecurrentConfig(len(characters()), setting.width, cell=setting.cell)
    model = RecurrentLanguageModel(config, setting.seed)
    batches = text_batches(play_ids("train"), setting.batch, setting.context, setting.seed)
    recipe = Recipe(setting.learning_rate, schedule="linear", smoothing=0.99, clip=1.0)
    return model, fit(model, batches, steps=setting.steps, recipe=recipe, on_step=on_step, progress=progress)


@torch.inference_mode()
def recurrent_bits(model: RecurrentLanguageModel, part: str = "test", characters: int | None = None) -> float:
    """Held-out bits per character of a recurrent network, which carries its state along.

    The text is read as `STREAMS` pieces side by side; each begins with an empty state and the character before it.

    Args:
        model: of the characters of `characters`.
        part: ``"validation"`` or ``"test"``.
        characters: only the first of them, for a quick look.
    """
    ids = play_ids(part)[: None if characters is None else characters]
    length = (len(ids) - 1) // STREAMS
    starts = torch.arange(STREAMS)[:, None] * length
    inputs, targets = (ids[starts + torch.arange(length) + shift] for shift in (0, 1))  # (streams, length)
    nats, states = 0.0, None
    for place in range(0, length, CHUNK):
        logits, states = model.read(inputs[:, place : place + CHUNK], states)
        target = targets[:, place : place + CHUNK]
        nats += cross_entropy(logits.flatten(0, 1), target.flatten(), reduction="sum").item()
    return nats / targets.numel() / math.log(2)


@torch.inference_mode()
def letter_bits(model: RecurrentLanguageModel, ids: Tensor) -> Tensor:
    """The bits of each letter of a text but the first: ``(letters,)`` to ``(letters - 1,)``."""
    chances = model(ids[None])[0, :-1].softmax(-1)  # after each letter but the last: (letters - 1, vocabulary)
    return -chances.gather(1, ids[1:, None])[:, 0].log2()


@torch.inference_mode()
def bits_with_last(model: RecurrentLanguageModel, last: int, places: int = 10_000, seed: int = 0) -> float:
    """Bits per letter at random places of the test plays, where the network reads only the last few letters before.

    Args:
        model: of the characters of `characters`.
        last: letters that it reads before each place, at most 100; its state is empty before them.
        places: how many; with one seed they are the same ones however many letters are read.
        seed: of the places.
    """
    ids = play_ids("test")
    at = torch.randint(100, len(ids), (places,), generator=torch.Generator().manual_seed(seed))
    read = ids[at[:, None] - last + torch.arange(last)]  # (places, last)
    logits, _ = model.read(read)
    return cross_entropy(logits[:, -1], ids[at]).item() / math.log(2)


def rows(runs: list[RecurrentRun], orders: range = range(1, 8)) -> Iterator[dict[str, Any]]:
    """Every model's row of the table: what it is, how large, what it read, how long that took, and its two scores."""
    begin = time.process_time()
    counts = ngram_counts(max(orders))
    counting = time.process_time() - begin
    for order in orders:
        yield {
            "model": "Kneser-Ney", "setting": f"order {order}", "parameters": counts.distinct(order),
            "characters_read": len(play_ids("train")), "processor_seconds": counting, "seed": "",
            "validation_bits": ngram_bits(order, "validation", counts=counts),
            "test_bits": ngram_bits(order, counts=counts),
        }  # fmt: skip
    for run in runs:
        begin = time.process_time()
        model, _ = train(run)
        seconds = time.process_time() - begin
        yield {
            "model": run.cell.upper(), "setting": f"width {run.width}, {run.steps} steps",
            "parameters": sum(weights.numel() for weights in model.parameters()),
            "characters_read": run.steps * run.batch * run.context, "processor_seconds": seconds, "seed": run.seed,
            "validation_bits": recurrent_bits(model, "validation"), "test_bits": recurrent_bits(model),
        }  # fmt: skip
