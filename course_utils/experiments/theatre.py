"""A small pretraining that can be stopped, looked at and continued: what the training theatre plays."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import cast

from course_utils.experiments.ablations import BATCH, CONTEXT, bits
from course_utils.experiments.language_models import characters, play_ids
from course_utils.experiments.snapshots import write_on
from course_utils.models.transformer import Transformer, TransformerConfig
from course_utils.training import History, Recipe, Trainer, fit, text_batches

EVERY = 20  # steps from one judgement to the next
WRITTEN = 200  # letters that it writes
judged = partial(bits, part="validation", batches=1)  # on the way, on 4,096 letters


@dataclass(frozen=True)
class Stage:
    """What is trained, and for how long."""

    layers: int = 2
    width: int = 64
    learning_rate: float = 0.01
    steps: int = 200


@dataclass(frozen=True)
class Act:
    """One moment of a rehearsal: its curves, and what the model writes."""

    stage: Stage
    parameters: int
    losses: tuple[float, ...]  # bits of each step's letters
    held_out: tuple[tuple[int, float], ...]  # steps done, and bits a letter on unseen plays
    given: str
    text: str
    stopped: str

    @property
    def bits(self) -> float:
        """The latest bits a letter on unseen plays."""
        return self.held_out[-1][1]

    def described(self) -> str:
        """The model's size, how far it is, and how good."""
        made = (
            f"{self.stage.layers} layers of width {self.stage.width}, {self.parameters:,} weights, learning rate "
            f"{self.stage.learning_rate:g}."
        )
        if not self.losses:
            return f"{made} Still random: {self.bits:.2f} bits a letter on unseen plays. Press Train."
        ended = f" ({self.stopped})" if self.stopped else ""
        return (
            f"{made} Step {len(self.losses)} of {self.stage.steps}{ended}: {self.bits:.2f} bits a letter on unseen "
            f"plays, from {self.held_out[0][1]:.2f} at the start."
        )


@dataclass
class Rehearsal:
    """A model in training on the plays, from random weights.

    >>> rehearsal = Rehearsal(Stage(layers=1, width=16, steps=3))
    >>> rehearsal.play(lambda: False)
    >>> rehearsal.act("ROMEO:", seed=1).held_out[-1][0]
    3
    """

    stage: Stage
    trainer: Trainer = field(init=False)
    stopped: str = ""

    def __post_init__(self) -> None:
        heads = max(1, self.stage.width // 32)
        config = TransformerConfig.preset(
            "tiny", vocabulary=len(characters()), width=self.stage.width, layers=self.stage.layers, heads=heads,
            context=CONTEXT, fused=False,
        )  # fmt: skip
        recipe = Recipe(self.stage.learning_rate, schedule="linear", warmup=0.05, smoothing=0.99, clip=1.0)
        self.trainer = Trainer(Transformer(config), steps=self.stage.steps, recipe=recipe)
        self.trainer.history.held_out.append((0, judged(self.trainer.model)))

    @property
    def history(self) -> History:
        """What happened so far."""
        return self.trainer.history

    def play(self, on_step: Callable[[], bool]) -> None:
        """Train on, to the end or until ``on_step`` returns True; it is called after each step."""
        self.stopped = ""
        done = fit(
            self.trainer, text_batches(play_ids("train"), BATCH, CONTEXT), evaluate=judged, every=EVERY,
            on_step=lambda step, history: on_step(), progress=False,
        )  # fmt: skip
        self.stopped = {"finished": "", "stopped by on_step": "Train goes on from here"}.get(done.stopped, done.stopped)

    def act(self, beginning: str, seed: int) -> Act:
        """The present moment."""
        model, history = cast(Transformer, self.trainer.model), self.history
        text = write_on(model, characters(), beginning, WRITTEN, seed)
        return Act(
            self.stage,
            sum(weights.numel() for weights in model.parameters()),
            tuple(loss / math.log(2) for loss in history.losses),
            tuple(history.held_out),
            beginning,
            text,
            self.stopped,
        )
