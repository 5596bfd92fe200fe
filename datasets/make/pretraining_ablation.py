"""What makes a small GPT learn faster? The course's recipe with one thing changed at a time, three seeds each.

Every run has the same number of steps and reads the same characters: 1.1 million of Shakespeare's, nine tenths to train
and one to measure, windows of 64, 16 a step (`benchmarks/pretraining.py` races the recipe against the plain one). What
is left out comes first; then what might be put in, and lives here because it did not earn a place in the model: a
table of character pairs added to the logits; blocks that begin from a learned mix of stream and embedding; a table of
tokens added to each block's values; queries and keys brought to one length; windows of 32 in the first four tenths.

Run:  OMP_NUM_THREADS=1 nice python datasets/make/pretraining_ablation.py     (about ten minutes on an idle core)
Writes datasets/runs/pretraining_ablation.csv after every run; a second start goes on where the first one stopped.
"""

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, rms_norm

from course_utils.data import plays_text, record, recorded
from course_utils.experiments.pretraining import FAST, MODEL
from course_utils.models.cache import KeyValueCache
from course_utils.models.transformer import Transformer, TransformerConfig, count_parameters
from course_utils.tokenizers.words import CharacterTokenizer
from course_utils.training import Recipe, Trainer, text_batches

CONTEXT, BATCH, STEPS, SEEDS = 64, 16, 150, 3
HEADER = f"""\
Held-out loss (nats a character) of the course's fast recipe with one thing changed: one row a run of {STEPS} steps.
command: OMP_NUM_THREADS=1 nice python datasets/make/pretraining_ablation.py
seeds: 0 to {SEEDS - 1}   machine: AMD EPYC, AVX-512, 1 thread, busy with other work   date: 2026-11-25
data: 1,115,394 characters of Shakespeare, the last tenth held out; {BATCH} windows of {CONTEXT} characters a step
processor_seconds: of the steps alone; on a busy machine they differ by a fifth from run to run
"""


class Tried(Transformer):
    """The course's transformer with what was tried, put in from outside by hooks."""

    def __init__(self, config: TransformerConfig, seed: int, trick: str):
        super().__init__(config, seed)
        self.trick, self.ids, self.first = trick, torch.zeros(0), torch.zeros(0)
        if trick == "character pairs":
            self.pairs = _zeros(config.vocabulary, config.vocabulary)
        for number, block in enumerate(self.blocks):
            if trick == "shortcut":
                self.register_parameter(f"mix_{number}", nn.Parameter(torch.tensor([1.0, 0.0])))
                block.register_forward_pre_hook(self._mix(number))
            if trick == "value tables":
                table = _zeros(config.vocabulary, config.width)
                self.add_module(f"values_{number}", table)
                block.attention.attend.register_forward_pre_hook(self._values(table))
            if trick == "normalised queries and keys":
                block.attention.attend.register_forward_pre_hook(_normalised)

    def forward(self, ids: Tensor, cache: KeyValueCache | None = None, mask: Tensor | None = None) -> Tensor:
        """See `Transformer.forward`."""
        self.ids = ids
        logits = super().forward(ids, cache, mask)
        return logits + self.pairs(ids) if self.trick == "character pairs" else logits

    def _mix(self, number: int) -> Callable[..., Any]:
        def hook(block: nn.Module, inputs: tuple[Any, ...]) -> tuple[Any, ...]:
            if number == 0:
                self.first = inputs[0]
            own, first = getattr(self, f"mix_{number}")
            return (own * inputs[0] + first * self.first, *inputs[1:])

        return hook

    def _values(self, table: nn.Embedding) -> Callable[..., Any]:
        def hook(attend: nn.Module, inputs: tuple[Any, ...]) -> tuple[Any, ...]:
            query, key, value, *rest = inputs
            added = table(self.ids).unflatten(-1, (value.size(1), -1)).transpose(1, 2)
            return (query, key, value + added.type_as(value), *rest)

        return hook


def _zeros(rows: int, columns: int) -> nn.Embedding:
    return nn.Embedding.from_pretrained(torch.zeros(rows, columns), freeze=False)


def _normalised(attend: nn.Module, inputs: tuple[Any, ...]) -> tuple[Any, ...]:
    query, key, *rest = inputs
    return (rms_norm(query, query.shape[-1:]), rms_norm(key, key.shape[-1:]), *rest)


class Growing:
    """Windows of half the context, and twice as many, in the first four tenths of the steps."""

    def __init__(self, ids: Tensor, seed: int):
        self.short = text_batches(ids, 2 * BATCH, CONTEXT // 2, seed)
        self.long = text_batches(ids, BATCH, CONTEXT, seed)

    def __getitem__(self, step: int) -> tuple[Tensor, Tensor]:
        return (self.short if step < 0.4 * STEPS else self.long)[step]


# name -> changes of the model, changes of the recipe, what is put in
CHANGES: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "as it is": ({}, {}, ""),
    "without earlier tokens": ({"earlier_tokens": 0}, {}, ""),
    "AdamW at 0.003 for all": ({}, {"optimiser": "AdamW", "learning_rate": 0.003, "momentum": 0.9}, ""),
    "without zero outputs": ({"zero_outputs": False}, {}, ""),
    "without a cap": ({"logit_cap": None}, {}, ""),
    "shortcut": ({}, {}, "shortcut"),
    "normalised queries and keys": ({}, {}, "normalised queries and keys"),
    "character pairs": ({}, {}, "character pairs"),
    "learned positions": ({"positions": "learned"}, {}, ""),
    "GELU": ({"activation": "gelu_tanh"}, {}, ""),
    "value tables": ({}, {}, "value tables"),
    "growing windows": ({}, {}, "growing windows"),
    "cool-down in the last half": ({}, {"cooldown": 0.5}, ""),
    "float32": ({}, {"precision": "float32"}, ""),
    "two earlier tokens": ({"earlier_tokens": 2}, {}, ""),
    "four earlier tokens": ({"earlier_tokens": 4}, {}, ""),
}


@torch.no_grad()
def held_out_loss(model: nn.Module, ids: Tensor) -> float:
    """Mean surprisal in nats of every character of a text, cut into windows side by side."""
    windows = ids[: len(ids) // (CONTEXT + 1) * (CONTEXT + 1)].view(-1, CONTEXT + 1)
    nats = sum(
        cross_entropy(model(part[:, :-1]).flatten(0, 1), part[:, 1:].flatten(), reduction="sum").item()
        for part in windows.split(256)
    )
    return nats / windows[:, 1:].numel()


def one(change: str, seed: int, ids: Tensor, held_out: Tensor, vocabulary: int) -> dict[str, Any]:
    """One run."""
    model_changes, recipe_changes, trick = CHANGES[change]
    settings = {**MODEL, "context": CONTEXT, **model_changes}
    config = TransformerConfig.preset(settings.pop("preset"), vocabulary=vocabulary, **settings)
    recipe: Recipe = replace(FAST, **recipe_changes)
    model = Tried(config, seed, trick)
    batches = Growing(ids, seed) if trick == "growing windows" else text_batches(ids, BATCH, CONTEXT, seed)
    trainer, seconds = Trainer(model, steps=STEPS, recipe=recipe), 0.0
    for step in range(STEPS):
        begun = time.process_time()
        trainer.advance(batches[step])
        seconds += time.process_time() - begun
    loss = held_out_loss(model, held_out)
    return {
        "change": change, "seed": seed, "parameters": count_parameters(model), "held_out_loss": round(loss, 4),
        "processor_seconds": round(seconds, 1),
    }  # fmt: skip


def main() -> None:
    """Every run that is not in the table yet."""
    torch.set_num_threads(1)
    text = plays_text("train")[:1_115_394]
    cut = len(text) * 9 // 10
    tokenizer = CharacterTokenizer.train(text[:cut])
    ids, held_out = (torch.tensor(tokenizer.encode(part)) for part in (text[:cut], text[cut:]))
    try:
        rows = recorded("pretraining_ablation").rows
    except ValueError:
        rows = []
    done = {(row["change"], row["seed"]) for row in rows}
    for seed in range(SEEDS):
        for change in CHANGES:
            if (change, seed) not in done:
                rows.append(one(change, seed, ids, held_out, len(tokenizer)))
                rows.sort(key=lambda row: (list(CHANGES).index(row["change"]), row["seed"]))
                record("pretraining_ablation", HEADER, rows)
                print(change, seed, flush=True)


if __name__ == "__main__":
    main()
