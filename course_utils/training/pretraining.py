"""Pretraining from beginning to end: a text, a transformer with random weights, and a recipe; all of it in one JSON.

`pretrain` does the same in a notebook, in a terminal (``python -m course_utils.training RECIPE.json``) and on several
processes under ``torchrun``.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from course_utils.data.splits import addresses_text, plays_text
from course_utils.data.tales import tiny_tales_text
from course_utils.models.transformer import Transformer, TransformerConfig
from course_utils.tokenizers.words import CharacterTokenizer, TableTokenizer, WordTokenizer
from course_utils.training.batches import text_batches
from course_utils.training.loop import fit
from course_utils.training.recipe import Recipe
from course_utils.training.trainer import History, Trainer

TEXTS: dict[str, Callable[[], str]] = {  # the training part of each
    "plays": lambda: plays_text("train"),
    "addresses": lambda: addresses_text("train"),
    "tiny tales": lambda: tiny_tales_text("train"),
}


@dataclass(frozen=True)
class Pretraining:
    """Everything that decides what a pretrained model becomes: plain values, so that it can be written down.

    >>> setting = Pretraining(model={"preset": "tiny", "width": 32}, steps=100)
    >>> Pretraining.from_json(setting.to_json()) == setting
    True
    """

    text: str = "plays"  # one of TEXTS, or the path of a text file
    words: int = 0  # tokens are this many words, the most frequent ones; 0: each character is a token
    model: dict[str, Any] = field(default_factory=lambda: {"preset": "tiny"})  # of TransformerConfig, but vocabulary
    recipe: Recipe = field(default_factory=Recipe)
    steps: int = 500
    batch_size: int = 16  # windows of text in a step, all processes together
    seed: int = 0  # of the first weights and of the windows

    def __post_init__(self) -> None:
        for name, least in (("words", 0), ("steps", 0), ("batch_size", 1), ("seed", 0)):
            value = getattr(self, name)
            if not isinstance(value, int) or isinstance(value, bool) or value < least:
                raise ValueError(f"{name}={value!r} must be a whole number from {least} upwards.")
        self.config(vocabulary=256)  # refuses settings that cannot be

    def config(self, vocabulary: int) -> TransformerConfig:
        """The model's settings."""
        if not isinstance(self.model, dict):
            raise ValueError(f'model={self.model!r} must be a table of settings, as {{"preset": "tiny"}}.')
        known = ["preset", *(entry.name for entry in fields(TransformerConfig) if entry.name != "vocabulary")]
        if unknown := [name for name in self.model if name not in known]:
            raise ValueError(f"A model has no setting {', '.join(unknown)}; it has: {', '.join(known)}.")
        changes = {name: value for name, value in self.model.items() if name != "preset"}
        return TransformerConfig.preset(self.model.get("preset", "tiny"), vocabulary=vocabulary, **changes)

    def tokenizer(self, text: str) -> TableTokenizer:
        """A tokenizer of characters or of words for a text."""
        return WordTokenizer.train(text, self.words) if self.words else CharacterTokenizer.train(text)

    def to_json(self) -> str:
        """The setting as text."""
        return json.dumps(asdict(self), indent=2)

    @classmethod
    def from_json(cls, text: str) -> Pretraining:
        """A setting from text; what the text leaves out is as usual.

        Raises:
            ValueError: if the text is no JSON, has an unknown key or a value that cannot be.
        """
        try:
            values = json.loads(text)
        except ValueError as error:
            raise ValueError(f'The recipe is not JSON ({error}); it should read like {{"steps": 500}}.') from error
        known = [entry.name for entry in fields(cls)]
        unknown = [name for name in values if name not in known] if isinstance(values, dict) else [repr(values)]
        if unknown:
            raise ValueError(f"A recipe of pretraining has no {', '.join(unknown)}; it has: {', '.join(known)}.")
        recipe = Recipe.from_json(json.dumps(values.pop("recipe", {})))
        return cls(recipe=recipe, **values)


def read_text(name: str) -> str:
    """A text by its name in `TEXTS`, or from a file.

    Raises:
        ValueError: if it is neither, or the file is no text.
    """
    if name in TEXTS:
        return TEXTS[name]()
    if not Path(name).is_file():
        raise ValueError(f"There is no text {name!r}: give the path of a text file, or one of: {', '.join(TEXTS)}.")
    try:
        return Path(name).read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(f"{name} is not a text in UTF-8 ({error}); convert it first.") from error


def begin(setting: Pretraining, text: str | None = None) -> tuple[Trainer, Any, TableTokenizer]:
    """A trainer at step 0, the batches of every step, and the tokenizer.

    Args:
        setting: how.
        text: what to learn from; the default is the setting's own.

    Raises:
        ValueError: if the text is no longer than the model's context.
    """
    text = read_text(setting.text) if text is None else text
    tokenizer = setting.tokenizer(text)
    ids = torch.tensor(tokenizer.encode(text))
    model = Transformer(setting.config(len(tokenizer)), setting.seed)
    batches = text_batches(ids, setting.batch_size, model.config.context, setting.seed)
    return Trainer(model, steps=setting.steps, recipe=setting.recipe), batches, tokenizer


def pretrain(
    setting: Pretraining,
    text: str | None = None,
    *,
    evaluate: Callable[[nn.Module], float] | None = None,
    every: int = 100,
    on_step: Callable[[int, History], bool | None] | None = None,
    max_seconds: float | None = None,
    progress: bool = True,
) -> tuple[Transformer, TableTokenizer, History]:
    """Train a transformer from random weights on a text; arguments as for `begin` and `fit`.

    Returns:
        the model, its tokenizer and the history of the run.

    >>> setting = Pretraining(model={"preset": "tiny", "context": 16}, steps=30, recipe=Recipe(1e-2))
    >>> model, tokenizer, history = pretrain(setting, "to be, or not to be, " * 20, progress=False)
    >>> history.losses[-1] < history.losses[0]
    True
    """
    trainer, batches, tokenizer = begin(setting, text)
    history = fit(
        trainer, batches, evaluate=evaluate, every=every, on_step=on_step, max_seconds=max_seconds, progress=progress
    )
    assert isinstance(trainer.model, Transformer)
    return trainer.model, tokenizer, history


@torch.inference_mode()
def held_out_bits(model: nn.Module, ids: Tensor, *, context: int | None = None, batch_size: int = 64) -> float:
    """Mean surprisal in bits of each token of a text that the model has not seen.

    The text is read in windows that overlap by half: of each window only the second half counts (of the first window
    all), so that every token is guessed from half a context at least; what fills no window at the end is left out.

    Args:
        model: maps ids to logits.
        ids: ``(tokens,)`` int64.
        context: tokens in a window; the default is the model's.
        batch_size: windows read side by side.
    """
    context = context or int(model.config.context)  # type: ignore[union-attr,arg-type]
    half = context // 2
    nats, counted, was_training = 0.0, 0, model.training
    model.eval()
    first = model(ids[None, :context])[0]
    nats += nn.functional.cross_entropy(first[: half or 1], ids[1 : (half or 1) + 1], reduction="sum").item()
    counted += half or 1
    windows = ids.unfold(0, context + 1, context - half)  # (windows, context + 1)
    for part in windows.split(batch_size):
        logits = model(part[:, :-1])[:, half:]
        targets = part[:, 1 + half :]
        nats += nn.functional.cross_entropy(logits.flatten(0, 1), targets.flatten(), reduction="sum").item()
        counted += targets.numel()
    model.train(was_training)
    return nats / counted / math.log(2)
