"""Overfitting, and what holds it back, on real digits with few examples and deliberately wrong labels."""

import threading
from collections.abc import Callable
from typing import Any

from matplotlib.figure import Figure

from course_utils.experiments.overfitting import RunConfig, TrainingRun
from course_utils.experiments.overfitting_lab import Lab, Runs, complain_if_it_grew
from course_utils.explorers.base import Button, Choice, Control, FigureExplorer, Slider
from course_utils.plots.overfitting import LENGTHS, lab_contents, lab_panels, lowest
from course_utils.plots.panels import Panel

EVERY = 3  # epochs from one picture to the next
DATA = ("examples", "noise", "width", "seed")
CURES = ("width", "learning_rate", "dropout", "weight_decay", "learning_rate_decay", "early_stopping", "augmentation",
         "epochs")  # fmt: skip


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
        self.lay_out(Control, width="auto", flex="1 1 270px", max_width="340px")
        if part != "all":
            self.show_controls(DATA if part == "data" else CURES)

    def restart(self) -> None:
        """Stop, and forget all runs."""
        with self.lock:
            self.cancel.set()
            self.runs = Runs()

    def setting(self, **values: Any) -> RunConfig:
        """What the controls say, but for these values."""
        values = self.values | values
        return RunConfig(noise=values.pop("noise") / 100, **{name: values[name] for name in values if name != "seed"})

    def train(self, epochs: int | None = None) -> None:
        """Train with what the controls say, until the end, for so many epochs, or until Stop; a cell may call it too.

        Raises:
            ValueError: the learning rate is 0, or so large that the loss grew.
        """
        stopping = self.cancel if self.working else threading.Event()
        with self.lock:
            if stopping.is_set():  # Reset was pressed before this thread came to work
                return
            run = self.runs.begin(self.setting(), self.seed)

        def on_epoch(run: TrainingRun) -> bool:
            if self.working and len(run.rows) % EVERY == 0:
                self.refresh()
            return stopping.is_set() or (epochs is not None and len(run.rows) > epochs)

        run.train(on_epoch)
        self.refresh()
        if epochs is None:
            complain_if_it_grew(run)

    def trained(self, epochs: int | None = None) -> "OverfittingLab":
        """Train, or only so many ``epochs`` as after Stop, as the copied line does; returns the explorer."""
        self.train(epochs)
        return self

    def visit(self, stop: int | None) -> None:
        """Go to a stop of the tour; its run is trained at the first visit."""
        if stop is not None and 0 <= stop < len(self.tour):
            if self.working:
                raise ValueError("Train is running: press Stop first.")
            state, _ = self.tour[stop]
            words = "training for this stop"
            self.runs.train(
                self.setting(**state),
                state["seed"],
                lambda run: self.progress(len(run.rows), run.setting.epochs, words),
            )
        super().visit(stop)

    def as_python(self) -> str:
        """Return the line of Python that makes an explorer in this state, and trains where this one has."""
        return super().as_python() + self.result.replay()

    def prepare(self, examples: int, noise: int, seed: int) -> TrainingRun:
        """Draw the digits and their wrong labels."""
        if examples == 0:
            raise ValueError("There is nothing to learn from: move 'digits to learn from' to 10 or more.")
        return TrainingRun(RunConfig(examples=examples, noise=noise / 100, width=1), seed)

    def compute(self, prepared: TrainingRun, **fast: Any) -> Lab:
        """Take down the settings, their first digits, and the curves of their run or else of the latest."""
        return self.runs.lab(self.setting(**fast), self.seed, prepared)

    def layout_key(self, result: Lab) -> int:
        """The epochs on the axis."""
        longest = max(each.longest for each in (result, self.pinned) if each)
        return next(length for length in LENGTHS if longest <= length)

    def make_panels(self, figure: Figure, result: Lab) -> dict[str, Panel]:
        """The first digits with their labels; loss and accuracy by epoch, on the examples and on the others."""
        return lab_panels(figure, self.layout_key(result))

    def contents(self, result: Lab) -> dict[str, Any]:
        """The digits, and each curve as far as its axis goes."""
        return lab_contents(result)


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
