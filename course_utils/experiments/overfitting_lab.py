"""The runs of the overfitting lab: which are kept, whose curves belong to which settings, and what they say."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch

from course_utils.experiments.overfitting import RunConfig, TrainingRun
from course_utils.models.regularisers import shifted

SHOWN = 12  # digits in the row
KEPT = 24  # runs whose curves come back when their settings do
STOPPED = "stopped by on_step"  # how a run ended that a learner stopped


@dataclass(frozen=True)
class Lab:
    """What the picture shows: the digits of the present settings, and the curves of a run."""

    setting: RunConfig
    seed: int
    images: np.ndarray  # (SHOWN, 8, 8) the first digits
    labels: tuple[str, ...]  # as training is told them
    wrong: tuple[bool, ...]  # which of these labels are wrong
    wrong_in_all: int
    curve: np.ndarray  # (epochs + 1 or 0, 5)
    of: tuple[RunConfig, int] | None  # settings and seed of the curves
    stopped: str  # how the run ended; empty while it goes on

    @property
    def longest(self) -> int:
        """Epochs that the run of these curves, or else of these settings, may take."""
        return (self.of[0] if self.of else self.setting).epochs

    @property
    def own(self) -> bool:
        """Whether the curves belong to the present settings."""
        return self.of == (self.setting, self.seed)

    def replay(self) -> str:
        """The call that trains as this run did, or a comment that says why there is none; nothing without a run."""
        if self.of is None:
            return ""
        if not self.own:
            return "  # without the curves of older settings: press Train"
        return f".trained({f'epochs={len(self.curve) - 1}' if self.stopped == STOPPED else ''})"

    def described(self) -> str:
        """What is set, and what the run did."""
        setting = self.setting
        words = f"{setting.examples:,} digits, {self.wrong_in_all} wrong labels; {described(setting)}"
        hopeless = " Every label is wrong, so nothing right can be learned." if setting.noise == 1 else ""
        if not self.own:
            older = "" if self.of is None else " The curves belong to earlier settings."
            return f"{words}; {setting.epochs} epochs, draw {self.seed}. Press Train.{older}{hopeless}"
        fine = self.curve[np.isfinite(self.curve).all(1)]
        if not len(fine):
            return f"{words}.{hopeless}"
        epoch, _, _, training, validation = fine[-1]
        best = fine[fine[:, 2].argmin()]
        ended = " (patience ran out)" if self.stopped.startswith("no better") else ""
        ended = " (stopped)" if self.stopped == STOPPED else ended
        return (
            f"{words}. Epoch {epoch:.0f}{ended}: {training:.0%} right in training, {validation:.0%} in validation. "
            f"Lowest validation loss: epoch {best[0]:.0f} ({best[4]:.0%} right).{hopeless}"
        )


class Runs:
    """The last runs, by settings and seed.

    >>> runs, setting = Runs(), RunConfig(epochs=1, width=4)
    >>> runs.begin(setting, seed=0).train().steps
    5
    >>> runs.lab(setting, 0, runs.begin(setting, seed=0)).own
    True
    """

    def __init__(self) -> None:
        self.kept: dict[tuple[RunConfig, int], TrainingRun] = {}
        self.latest: TrainingRun | None = None

    def begin(self, setting: RunConfig, seed: int) -> TrainingRun:
        """Return a run that has not begun; from now on it is the latest.

        Raises:
            ValueError: the learning rate is 0.
        """
        self.latest = self._keep(new_run(setting, seed))
        return self.latest

    def train(self, setting: RunConfig, seed: int, tell: Callable[[TrainingRun], None]) -> None:
        """Train this run to its end, unless there is one; ``tell`` hears of every epoch."""
        if (setting, seed) not in self.kept:
            run = new_run(setting, seed)
            run.train(tell)
            self._keep(run)

    def _keep(self, run: TrainingRun) -> TrainingRun:
        self.kept[run.setting, run.seed] = run
        if len(self.kept) > KEPT:
            del self.kept[next(iter(self.kept))]
        return run

    def lab(self, setting: RunConfig, seed: int, drawn: TrainingRun) -> Lab:
        """Take down the settings, their first digits, and the curves of their run or else of the latest.

        Args:
            setting: what is set.
            seed: likewise.
            drawn: a run with the same digits and labels.
        """
        images = drawn.images[:SHOWN]
        if setting.augmentation:
            images = shifted(images, torch.Generator().manual_seed(0), setting.augmentation)
        run = self.kept.get((setting, seed), self.latest)
        return Lab(
            setting=setting,
            seed=seed,
            images=images.numpy(),
            labels=tuple(map(str, drawn.noisy_labels[:SHOWN].tolist())),
            wrong=tuple(drawn.wrong[:SHOWN].tolist()),
            wrong_in_all=int(drawn.wrong.sum()),
            curve=run.curve if run else np.zeros((0, 5)),
            of=(run.setting, run.seed) if run else None,
            stopped=run.stopped if run else "",
        )


def new_run(setting: RunConfig, seed: int) -> TrainingRun:
    """A run that has not begun; a learning rate of 0 is refused."""
    if setting.learning_rate == 0:
        raise ValueError("With learning rate 0 no step changes anything, so nothing is learned: try 0.03.")
    return TrainingRun(setting, seed)


def complain_if_it_grew(run: TrainingRun) -> None:
    """Raise a ValueError if the training loss ended far above its start, or is no number."""
    first, last = run.curve[[0, -1], 1]
    if not last < 3 * first:
        raise ValueError(
            f"The loss grew instead of falling: with learning rate {run.setting.learning_rate:g} every step leaps over "
            "the valley; try 0.03."
        )


def described(setting: RunConfig) -> str:
    """The network, and how its training differs from the usual one, in words.

    >>> described(RunConfig()), described(RunConfig(width=8, learning_rate=0.01, dropout=0.5))
    ('256 neurons', '8 neurons, learning rate 0.01, dropout 0.5')
    """
    usual = RunConfig()
    names = {"learning_rate": "learning rate", "dropout": "dropout", "weight_decay": "weight decay",
             "learning_rate_decay": "decay to", "early_stopping": "patience", "augmentation": "shifts"}  # fmt: skip
    differs = [name for name in names if getattr(setting, name) != getattr(usual, name)]
    return ", ".join([f"{setting.width} neurons", *(f"{names[name]} {getattr(setting, name):g}" for name in differs)])
