"""Overfitting, and what holds it back, on real digits with few examples and deliberately wrong labels."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from matplotlib.figure import Figure

from course_utils.experiments.overfitting import RunConfig, TrainingRun
from course_utils.explorers.base import Button, Choice, FigureExplorer, Slider
from course_utils.models.regularisers import shifted
from course_utils.plots.overfitting import CURVE_TOP, accuracy_and_loss, both_curves, lowest
from course_utils.plots.panels import Images, Panel

SHOWN = 12  # digits in the row
EVERY = 3  # epochs from one picture to the next
KEPT = 24  # runs whose curves come back when their settings do
LENGTHS = (50, 100, 200, 400)  # epochs on the axis: few lengths, because a new axis costs time
DATA = ("examples", "noise", "width", "seed")
CURES = ("width", "learning_rate", "dropout", "weight_decay", "learning_rate_decay", "early_stopping", "augmentation",
         "epochs")  # fmt: skip


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
    def own(self) -> bool:
        """Whether the curves belong to the present settings."""
        return self.of == (self.setting, self.seed)


def _ends(result: Lab) -> str:
    _, _, _, training, validation = result.curve[-1]
    return f"{training:.0%} right in training, {validation:.0%} in validation"


def _turn(result: Lab) -> str:
    return f"The validation loss is lowest after epoch {lowest(result.curve)}, then rises"


def stop(sentence: Callable[[Lab], str], **changed: Any) -> tuple[dict[str, Any], Callable[[Lab], str]]:
    """One stop of the tour: every control at its usual value but for those that are ``changed``."""
    usual = {name: got.start for name, got in vars(OverfittingLab).items() if isinstance(got, Slider | Choice)}
    return usual | changed, sentence


class OverfittingLab(FigureExplorer):
    """Train on few digits with some wrong labels, and watch the two curves part; then hold the network back.

    Args:
        part: which controls to show: those of the ``"data"``, those of the ``"cures"``, or ``"all"``.
        start: first values of the controls.
    """

    size = (8.4, 3.4)
    caption_lines = 3
    examples = Slider(0, 1000, 150, step=10, label="digits to learn from", slow=True)
    noise = Slider(0, 100, 20, step=5, label="wrong labels (%)", slow=True)
    width = Choice([1, 4, 8, 32, 128, 256, 512], 256, label="neurons")
    learning_rate = Choice([0, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 10**9], 0.03, label="learning rate")
    dropout = Slider(0.0, 0.9, 0.0, step=0.1, label="dropout")
    weight_decay = Slider(0.0, 0.1, 0.0, step=0.005, label="weight decay")
    learning_rate_decay = Choice([1, 0.1, 0.01, 0.001], label="last ÷ first learning rate")
    early_stopping = Slider(0, 50, 0, label="patience (0 = no stop)")
    augmentation = Slider(0, 2, 0, label="shifts (pixels)")
    epochs = Slider(10, 400, 200, step=10)
    seed = Slider(0, 9, 0, label="another draw of digits", slow=True)
    start = Button("Train", "train", worker=True)

    def __init__(self, part: str = "all", **start: Any):
        if part not in ("all", "data", "cures"):
            raise ValueError(f'part={part!r} is no part of the controls: choose "data", "cures" or "all".')
        if part == "data":
            self.tour = self.tour[:4]  # the other stops are about cures
        super().__init__(**start)
        for widget in self.inputs.values():
            widget.layout.width, widget.layout.flex, widget.layout.max_width = "auto", "1 1 270px", "340px"
        if part != "all":
            self.show_controls(DATA if part == "data" else CURES)

    def restart(self) -> None:
        """Stop, and forget all runs."""
        with self.lock:
            self.cancel.set()
            self.runs: dict[tuple[RunConfig, int], TrainingRun] = {}
            self.latest: TrainingRun | None = None

    def setting(self, **values: Any) -> RunConfig:
        """What the controls say, but for these values."""
        values = self.values | values
        return RunConfig(noise=values.pop("noise") / 100, **{name: values[name] for name in values if name != "seed"})

    def train(self) -> None:
        """Train with what the controls say, until the end or until Stop; a cell may call it too.

        Raises:
            ValueError: the learning rate is 0, or so large that the loss grew.
        """
        cancel = self.cancel if self.working else threading.Event()
        with self.lock:
            run = new_run(self.setting(), self.seed)
            if cancel.is_set():  # Reset was pressed before this thread came to work
                return
            self.keep(run)
            self.latest = run

        def on_epoch(run: TrainingRun) -> bool:
            if self.working and len(run.rows) % EVERY == 0:
                self.refresh()
            return cancel.is_set()

        run.train(on_epoch)
        self.refresh()
        complain_if_it_grew(run)

    def trained(self, epochs: int | None = None) -> "OverfittingLab":
        """Train, or only so many ``epochs`` as after Stop, as the copied line does; returns the explorer."""
        if epochs is None:
            self.train()
            return self
        run = new_run(self.setting(), self.seed)
        run.train(lambda run: len(run.rows) > epochs)
        with self.lock:
            self.keep(run)
            self.latest = run
            self.refresh()
        return self

    def keep(self, run: TrainingRun) -> None:
        """Show this run's curves whenever the controls say its settings; the oldest run is forgotten."""
        self.runs[run.setting, run.seed] = run
        if len(self.runs) > KEPT:
            del self.runs[next(iter(self.runs))]

    def visit(self, stop: int | None) -> None:
        """Go to a stop of the tour; its run is trained at the first visit."""
        if stop is not None and 0 <= stop < len(self.tour):
            if self.working:
                raise ValueError("Train is running: press Stop first.")
            state, _ = self.tour[stop]
            key = self.setting(**state), state["seed"]
            if key not in self.runs:
                run = new_run(*key)
                run.train(lambda run: self.progress(len(run.rows), run.setting.epochs, "training for this stop"))
                self.keep(run)
        super().visit(stop)

    def as_python(self) -> str:
        """Return the line of Python that makes an explorer in this state, and trains where this one has."""
        line, shown = super().as_python(), self.result
        if shown.of is None:
            return line
        if not shown.own:
            return f"{line}  # without the curves of older settings: press Train"
        stopped = f"epochs={len(shown.curve) - 1}" if shown.stopped == "stopped by on_step" else ""
        return f"{line}.trained({stopped})"

    def prepare(self, examples: int, noise: int, seed: int) -> TrainingRun:
        """Draw the digits and their wrong labels."""
        if examples == 0:
            raise ValueError("There is nothing to learn from: move 'digits to learn from' to 10 or more.")
        return TrainingRun(RunConfig(examples=examples, noise=noise / 100, width=1), seed)

    def compute(self, prepared: TrainingRun, **fast: Any) -> Lab:
        """Take down the settings, their first digits, and the curves of their run or else of the latest."""
        setting = self.setting(**fast)
        images = prepared.images[:SHOWN]
        if setting.augmentation:
            images = shifted(images, torch.Generator().manual_seed(0), setting.augmentation)
        run = self.runs.get((setting, self.seed), self.latest)
        return Lab(
            setting=setting,
            seed=self.seed,
            images=images.numpy(),
            labels=tuple(map(str, prepared.noisy_labels[:SHOWN].tolist())),
            wrong=tuple(prepared.wrong[:SHOWN].tolist()),
            wrong_in_all=int(prepared.wrong.sum()),
            curve=run.curve if run else np.zeros((0, 5)),
            of=(run.setting, run.seed) if run else None,
            stopped=run.stopped if run else "",
        )

    def layout_key(self, result: Lab) -> int:
        """The epochs on the axis."""
        shown = [each.of[0] if each.of else each.setting for each in (result, self.pinned) if each]
        return next(length for length in LENGTHS if all(setting.epochs <= length for setting in shown))

    def make_panels(self, figure: Figure, result: Lab) -> dict[str, Panel]:
        """The first digits with their labels; loss and accuracy by epoch, on the examples and on the others."""
        digits = Images(figure.add_axes((0.01, 0.785, 0.98, 0.21)), SHOWN, (8, 8))
        note = f"The first {SHOWN} digits to learn from, each over its label; ✗ marks a wrong label."
        figure.text(0.5, 0.76, note, ha="center", va="center", fontsize=10)
        return {"digits": digits, **accuracy_and_loss(figure, self.layout_key(result))}

    def contents(self, result: Lab) -> dict[str, Any]:
        """The digits, and each curve as far as its axis goes."""
        return {
            "digits": (result.images, result.labels, result.wrong),
            "loss": both_curves(result.curve, 1, CURVE_TOP),
            "accuracy": both_curves(result.curve, 3, 1.0),
        }

    def caption(self, result: Lab) -> str:
        """Say what is set, and what the run did."""
        setting = result.setting
        words = f"{setting.examples:,} digits, {result.wrong_in_all} wrong labels; {described(setting)}"
        hopeless = " Every label is wrong, so nothing right can be learned." if setting.noise == 1 else ""
        if not result.own:
            older = "" if result.of is None else " The curves belong to earlier settings."
            return f"{words}; {setting.epochs} epochs, draw {result.seed}. Press Train.{older}{hopeless}"
        fine = result.curve[np.isfinite(result.curve).all(1)]
        if not len(fine):
            return f"{words}.{hopeless}"
        epoch, _, _, training, validation = fine[-1]
        best = fine[fine[:, 2].argmin()]
        ended = " (patience ran out)" if result.stopped.startswith("no better") else ""
        ended = " (stopped)" if result.stopped == "stopped by on_step" else ended
        return (
            f"{words}. Epoch {epoch:.0f}{ended}: {training:.0%} right in training, {validation:.0%} in validation. "
            f"Lowest validation loss: epoch {best[0]:.0f} ({best[4]:.0%} right).{hopeless}"
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


OverfittingLab.tour = (
    stop(lambda now: f"{_turn(now)}. After the last epoch: {_ends(now)}."),
    stop(lambda now: f"No wrong labels, so no harm in learning them all: {_ends(now)}.", noise=0),
    stop(lambda now: f"1,000 digits, {now.wrong_in_all} labels wrong, about as many steps: {_ends(now)}.",
         examples=1000, epochs=30),
    stop(lambda now: f"Four neurons cannot learn all labels by heart, nor much else: {_ends(now)}.", width=4),
    stop(lambda now: f"A learning rate ten times smaller does not get as far: {_ends(now)}.", learning_rate=0.003),
    stop(lambda now: f"Patience 5 stops after epoch {len(now.curve) - 1} and keeps the weights of epoch "
         f"{lowest(now.curve)}.", early_stopping=5),
    stop(lambda now: f"Weight decay pulls all weights towards zero: {_ends(now)}.", weight_decay=0.03),
    stop(lambda now: f"Weight decay and shifts together are too much here: {_ends(now)}.",
         weight_decay=0.03, augmentation=1),
)  # fmt: skip
