"""A GPT on Shakespeare from random weights: the run of lesson 11, its held-out score, and the one that was kept.

Trained on 26 plays, watched on 6, scored on 6 others: the split and the score of lesson 08, so both stand in one table.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch

from course_utils.experiments.language_models import play_ids
from course_utils.models.checkpoints import load_language_model
from course_utils.models.transformer import Transformer
from course_utils.tokenizers.words import TableTokenizer
from course_utils.training import Recipe
from course_utils.training.pretraining import Pretraining, begin
from course_utils.training.pretraining import held_out_bits as bits_of

# Learning rates and the settings beyond a plain GPT were chosen by `datasets/runs/pretraining_ablation.csv`.
FAST = Recipe(
    0.02, optimiser="Muon", beside=0.01, momentum=0.95, smoothing=0.95, weight_decay=0.0, schedule="linear",
    precision="auto",
)  # fmt: skip
MODEL: dict[str, Any] = {
    "preset": "tiny", "width": 128, "layers": 4, "heads": 4, "context": 128, "fused": False,
    "earlier_tokens": 3, "logit_cap": 15.0, "zero_outputs": True,
}  # fmt: skip
SHAKESPEARE = Pretraining(text="plays", model=MODEL, recipe=FAST, steps=1000, batch_size=10)
PASSAGE = 1000  # characters in a row, where only a part of the plays is read
SNAPSHOTS = (0, 30, 100, 400)  # steps of the kept run at which its weights were kept too, beside those at its end


@dataclass(frozen=True)
class Snapshot:
    """The model at one step of a run."""

    step: int
    model: Transformer
    tokenizer: TableTokenizer
    validation_bits: float  # bits per character on 50,000 characters of the six plays for watching
    made: dict[str, Any]  # how: setting, command, processor seconds


def held_out_bits(model: torch.nn.Module, part: str = "test", characters: int | None = None) -> float:
    """Bits per character on plays that the model has never seen; each is guessed from half a context at least.

    Args:
        model: of the characters of `experiments.language_models.characters`.
        part: ``"validation"`` or ``"test"``.
        characters: only so many of them, in passages spread evenly over all the plays, for a quick look.
    """
    ids = play_ids(part)
    if characters is not None and characters < len(ids):
        starts = torch.linspace(0, len(ids) - PASSAGE, max(1, characters // PASSAGE)).long()
        ids = ids[starts[:, None] + torch.arange(PASSAGE)].flatten()
    return bits_of(model, ids)


def steps_within(seconds: float, setting: Pretraining = SHAKESPEARE) -> int:
    """How many steps this machine takes in so many seconds, by the median of a few; at most the setting's own number.

    The learning rate falls to zero at the last step, and a run that is cut off before is worse than a shorter one that
    ends: so the length is chosen before.
    """
    trainer, batches, _ = begin(setting)
    for step in range(8):
        trainer.advance(batches[step])
    ends = torch.tensor([0.0, *trainer.history.seconds])
    return max(1, min(setting.steps, int(0.9 * seconds / ends.diff()[2:].median().item())))


def shakespeare(step: int | None = None) -> Snapshot:
    """The kept model (``datasets/checkpoints/shakespeare.safetensors``), or one of `SNAPSHOTS` on its way there.

    Args:
        step: one of `SNAPSHOTS`; None for the end.
    """
    name = "shakespeare" if step is None else f"shakespeare-step-{step:05d}"
    if step is not None and step not in SNAPSHOTS:
        raise ValueError(f"step={step} was not kept; choose one of {', '.join(map(str, SNAPSHOTS))}, or None.")
    if step == 0:
        last = shakespeare()
        return Snapshot(
            0, Transformer(last.model.config, last.made["setting"]["seed"]).eval(), last.tokenizer,
            last.made["start_bits"], last.made,
        )  # fmt: skip
    model, tokenizer, made = load_language_model(name)
    return Snapshot(made["step"], model, tokenizer, made["validation_bits"], made)


def snapshots() -> list[Snapshot]:
    """The kept model from its random weights to its end."""
    return [*(shakespeare(step) for step in SNAPSHOTS), shakespeare()]
