"""The sweep of lesson 13: language models of many sizes, on more and less text, and what they score on held-out text.

One run is one model trained once. Lesson 14 judges the same models by the share of characters that they guess, one at a
time and several in a row.
"""

from __future__ import annotations

import math
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from course_utils.data.splits import addresses_text, plays_text
from course_utils.experiments.pretraining import FAST
from course_utils.models.recurrent import RecurrentConfig, RecurrentLanguageModel
from course_utils.models.transformer import Transformer, TransformerConfig
from course_utils.scaling import training_flops
from course_utils.tokenizers.words import CharacterTokenizer
from course_utils.training import Recipe, fit, text_batches

CONTEXT, BATCH = 64, 24
CHARACTERS = CONTEXT * BATCH  # read in one step
SIZES = {  # parameters outside the table of tokens: width, layers, heads
    9_600: (20, 2, 1), 24_576: (32, 2, 2), 57_600: (40, 3, 2), 147_456: (64, 3, 4), 442_368: (96, 4, 4),
    995_328: (144, 4, 4),
}  # fmt: skip
LSTM_WIDTHS = {10_368: 36, 25_088: 56, 147_968: 136, 445_568: 236}  # parameters outside the tables: width
STEPS = (300, 600, 1200)
RATES = {300: (0.02, 0.04), 600: (0.01, 0.02, 0.04), 1200: (0.01, 0.02)}  # to choose from, for each number of steps
LSTM_RATES = (0.01, 0.03)
BUDGETS = (1.5e11, 6e11, 2.4e12)  # additions and multiplications in training
RUNS = (1, 2, 4, 8, 10)  # characters in a row
REPEATED, COPIES = 20_000, 181  # the duplicated text: so many characters, over and over, as long as the plays


@dataclass(frozen=True)
class ScalingRun:
    """One model, trained once."""

    purpose: str  # "rate" (tuning, scored on the validation text), "sweep", "quality" or "budget"
    model: str  # "transformer" or "lstm"
    corpus: str  # "plays" or "addresses"
    text: str  # "clean", "shuffled" or "duplicated"
    parameters: int  # a key of SIZES or LSTM_WIDTHS
    steps: int  # of 24 windows of 64 characters
    learning_rate: float
    seed: int  # of the first weights and of the windows


@lru_cache(maxsize=2)
def tokenizer(corpus: str) -> CharacterTokenizer:
    """The characters of a training text."""
    return CharacterTokenizer.train(_text(corpus, "train"))


@lru_cache(maxsize=8)
def token_ids(corpus: str, part: str, text: str = "clean") -> Tensor:
    """A text as character ids, ``(characters,)`` int64.

    Args:
        corpus: ``"plays"`` or ``"addresses"``.
        part: ``"train"``, ``"validation"`` or ``"test"``.
        text: ``"clean"``; ``"shuffled"``: the same words in random order; ``"duplicated"``: `REPEATED` characters,
            over and over.
    """
    words = _text(corpus, part)
    if text == "shuffled":
        pieces = words.split(" ")
        random.Random(0).shuffle(pieces)
        words = " ".join(pieces)
    elif text == "duplicated":
        words = words[len(words) // 2 :][:REPEATED] * COPIES
    return torch.tensor(tokenizer(corpus).encode(words))


def _text(corpus: str, part: str) -> str:
    return plays_text(part) if corpus == "plays" else addresses_text(part)


def build(run: ScalingRun) -> nn.Module:
    """The untrained model of a run.

    >>> run = ScalingRun("sweep", "transformer", "plays", "clean", 9_600, 300, 0.02, 0)
    >>> sum(weight.numel() for block in build(run).blocks for weight in block.parameters() if weight.ndim > 1)
    9600
    """
    vocabulary = len(tokenizer(run.corpus))
    if run.model == "lstm":
        return RecurrentLanguageModel(RecurrentConfig(vocabulary, LSTM_WIDTHS[run.parameters], cell="lstm"), run.seed)
    width, layers, heads = SIZES[run.parameters]
    settings = {"width": width, "layers": layers, "heads": heads, "context": CONTEXT, "fused": False}
    return Transformer(TransformerConfig.preset("tiny", vocabulary=vocabulary, **settings), run.seed)


def recipe(run: ScalingRun) -> Recipe:
    """How a run is trained: Muon for the transformer's matrices, AdamW for the LSTM; the rate falls evenly to 0."""
    if run.model == "lstm":
        return Recipe(run.learning_rate, schedule="linear", smoothing=0.99, clip=1.0)
    return replace(FAST, learning_rate=run.learning_rate, precision="float32")


def measure(run: ScalingRun) -> dict[str, Any]:
    """Train, score, and return the run's row."""
    begin = time.process_time()
    model = build(run)
    batches = text_batches(token_ids(run.corpus, "train", run.text), BATCH, CONTEXT, run.seed)
    fit(model, batches, steps=run.steps, recipe=recipe(run), progress=False)
    trained = time.process_time() - begin
    tuning = run.purpose == "rate"
    loss, shares = score(model, token_ids(run.corpus, "validation" if tuning else "test"), 500 if tuning else 3000)
    return {
        "purpose": run.purpose, "model": run.model, "corpus": run.corpus, "text": run.text,
        "parameters": run.parameters, "characters": run.steps * CHARACTERS,
        "flops": training_flops(run.parameters, run.steps * CHARACTERS), "learning_rate": run.learning_rate,
        "seed": run.seed, "loss": loss, **{f"right_{length}": shares[length] for length in RUNS},
        "processor_seconds": trained,
    }  # fmt: skip


@torch.inference_mode()
def score(model: nn.Module, ids: Tensor, windows: int = 3000) -> tuple[float, dict[int, float]]:
    """How well a model guesses a held-out text, each character from at least 32 before it.

    Windows of 64 characters are spread evenly over the text; in each, the second half counts. A model that always takes
    the likeliest next character writes the true text on for k characters exactly if it guesses each of the k right from
    the true ones before: so one reading scores every length.

    Args:
        model: maps ids to logits.
        ids: ``(tokens,)`` int64.
        windows: how many.

    Returns:
        the mean loss in nats a character; and for each length of `RUNS`, the share of places from which so many
        characters in a row are right.

    >>> class Counting(nn.Module):  # after 1 comes 2, then 3, and so on
    ...     def forward(self, ids): return 50.0 * nn.functional.one_hot((ids + 1) % 100, 100)
    >>> score(Counting(), torch.arange(1000) % 100, windows=4)
    (0.0, {1: 1.0, 2: 1.0, 4: 1.0, 8: 1.0, 10: 1.0})
    """
    half = CONTEXT // 2
    starts = torch.linspace(0, len(ids) - CONTEXT - 1, windows).long()
    nats, rights = 0.0, []
    for part in starts.split(100):
        window = ids[part[:, None] + torch.arange(CONTEXT + 1)]  # (100, 65)
        logits, targets = model(window[:, :-1])[:, half:], window[:, 1 + half :]  # (100, 32, vocabulary), (100, 32)
        nats += cross_entropy(logits.flatten(0, 1).float(), targets.flatten(), reduction="sum").item()
        rights.append(logits.argmax(-1) == targets)
    right = torch.cat(rights)  # (windows, 32)
    shares = {length: right.unfold(1, length, 1).all(-1).double().mean().item() for length in RUNS}
    return nats / right.numel(), shares


def rate_runs() -> list[ScalingRun]:
    """Runs that choose the learning rate of every size and length, on the validation plays, with a seed of their own.

    Each length has its own: a rate of 0.04 wins every run of 150 steps, and after 600 steps it costs the larger models
    0.04 to 0.05 nats; 0.01 is the other way round.
    """
    return [
        ScalingRun("rate", "transformer", "plays", "clean", size, steps, rate, 2)
        for steps, rates in RATES.items() for size in sorted(SIZES, reverse=True) for rate in rates
    ] + [
        ScalingRun("rate", "lstm", "plays", "clean", size, STEPS[1], rate, 2)
        for size in sorted(LSTM_WIDTHS, reverse=True) for rate in LSTM_RATES
    ]  # fmt: skip


def main_runs(rates: dict[tuple[str, int, int], float]) -> list[ScalingRun]:
    """Every scored run, those that lesson 13 cannot do without first.

    Args:
        rates: the learning rate of each model, size and length, as `best_rates` returns them; other lengths get that of
            the nearest, and the addresses get those of the plays.
    """

    def run(purpose: str, model: str, corpus: str, size: int, steps: int, seed: int, text: str = "clean") -> ScalingRun:
        nearest = min(STEPS, key=lambda length: abs(math.log(steps / length)))
        return ScalingRun(purpose, model, corpus, text, size, steps, rates[model, size, nearest], seed)

    def whole(corpus: str, seed: int) -> list[ScalingRun]:
        return [run("sweep", "transformer", corpus, size, steps, seed) for steps in STEPS for size in SIZES]

    lstm = [run("sweep", "lstm", "plays", size, 600, seed) for seed in (0, 1) for size in LSTM_WIDTHS]
    quality = [
        run("quality", "transformer", "plays", 147_456, 600, seed, text)
        for seed in (0, 1, 2) for text in ("clean", "shuffled", "duplicated")
    ]  # fmt: skip
    budget = [
        run("budget", "transformer", "plays", size, steps, 0)
        for flops in BUDGETS for size in SIZES
        if 50 <= (steps := round(flops / (6 * size * CHARACTERS))) <= 12_000
    ]  # fmt: skip
    return [*whole("plays", 0), *whole("plays", 1), *quality, *budget, *whole("addresses", 0), *lstm,
            *whole("addresses", 1)]  # fmt: skip


def best_rates(rows: Sequence[dict[str, Any]]) -> dict[tuple[str, int, int], float]:
    """Of the rows of `rate_runs`, the learning rate with the lowest loss for each model, size and number of steps."""
    best: dict[tuple[str, int, int], tuple[float, float]] = {}
    for row in rows:
        if row["purpose"] == "rate":
            key = row["model"], row["parameters"], row["characters"] // CHARACTERS
            loss = row["loss"] if math.isfinite(row["loss"]) else math.inf
            best[key] = min(best.get(key, (math.inf, 0.0)), (loss, row["learning_rate"]))
    return {key: rate for key, (_, rate) in best.items()}
