"""Overfitting, and what holds it back, on real digits with few examples and deliberately wrong labels."""

import threading
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from matplotlib.figure import Figure

from course_utils.experiments.overfitting import RunConfig, TrainingRun
from course_utils.explorers.base import Button, Choice, FigureExplorer, Slider
from course_utils.models.regularisers import shifted
from course_utils.plots.overfitting import CURVE_TOP, labelled_digits, side_by_side
from course_utils.plots.style import BLUE, GREY, INK, ORANGE

SHOWN = 12  # digits in the strip
EVERY = 3  # epochs from one picture to the next


@dataclass(frozen=True)
class Lab:
    """What the picture shows: the digits of the present setting, and the curves of the last run."""

    setting: RunConfig
    seed: int
    strip: np.ndarray  # (8, pixels) the first digits, side by side
    given: tuple[int, ...]  # their labels
    wrong: tuple[bool, ...]
    wrong_in_all: int
    curve: np.ndarray  # (epochs + 1 or 0, 5)
    of: tuple[RunConfig, int] | None  # setting and seed of the curves
    ended: str  # how the run ended; empty while it goes on


class OverfittingLab(FigureExplorer):
    """Train on few digits with some wrong labels, and watch the two curves part; then hold the network back.

    Args:
        start: first values of the controls.
    """

    size = (8.4, 4.4)
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
    seed = Slider(0, 9, 0, label="draw", slow=True)
    start = Button("Train", "train", worker=True)

    def restart(self) -> None:
        """Stop, and forget the curves."""
        with self.lock:
            self.cancel.set()
            self.trial: TrainingRun | None = None
            self.trial_seed, self.ended, self.last = 0, "", 0

    def setting(self, **values: Any) -> RunConfig:
        """What the controls say."""
        values = self.values | values
        return RunConfig(noise=values.pop("noise") / 100, **{name: values[name] for name in values if name != "seed"})

    def train(self) -> None:
        """Train with what the controls say, until the end or until Stop; a cell may call it too.

        Raises:
            ValueError: the learning rate is 0, or so large that the loss grew.
        """
        cancel = self.cancel if self.working else threading.Event()
        with self.lock:
            setting = self.setting()
            if setting.learning_rate == 0:
                raise ValueError("With learning rate 0 no step changes anything, so nothing is learned: try 0.03.")
            trial = TrainingRun(setting, self.seed)
            if cancel.is_set():  # Reset was pressed before this thread came to work
                return
            self.trial, self.trial_seed, self.ended = trial, self.seed, ""

        def on_epoch(trial: TrainingRun) -> bool:
            if self.working and len(trial.rows) % EVERY == 0:
                self.refresh()
            return cancel.is_set()

        history = trial.train(on_epoch)
        with self.lock:
            if self.trial is trial:
                self.ended = history.stopped
        self.refresh()
        first, last = trial.curve[[0, -1], 1]
        if not last < 3 * first:  # not a number counts too
            raise ValueError(
                f"The loss grew instead of falling: with learning rate {setting.learning_rate:g} every step leaps over "
                "the valley; try 0.03."
            )

    def prepare(self, examples: int, noise: int, seed: int) -> TrainingRun:
        """Draw the digits and their wrong labels."""
        if examples == 0:
            raise ValueError("All examples are withheld: move 'digits to learn from' to 10 or more.")
        return TrainingRun(RunConfig(examples=examples, noise=noise / 100, width=1), seed)

    def compute(self, prepared: TrainingRun, **fast: Any) -> Lab:
        """Take down the setting, its first digits, and the curves so far."""
        setting = self.setting(**fast)
        images = prepared.images[:SHOWN]
        if setting.augmentation:
            images = shifted(images, torch.Generator().manual_seed(0), setting.augmentation)
        return Lab(
            setting=setting,
            seed=self.seed,
            strip=side_by_side(images.numpy(), SHOWN),
            given=tuple(prepared.noisy_labels[:SHOWN].tolist()),
            wrong=tuple(prepared.wrong[:SHOWN].tolist()),
            wrong_in_all=int(prepared.wrong.sum()),
            curve=np.zeros((0, 5)) if self.trial is None else self.trial.curve,
            of=None if self.trial is None else (self.trial.setting, self.trial_seed),
            ended=self.ended,
        )

    def draw(self, figure: Figure, result: Lab) -> None:
        """The first digits with their labels; loss and accuracy by epoch, on the examples and on the others."""
        epochs = result.of[0].epochs if result.of else result.setting.epochs
        last = next(limit for limit in (50, 100, 200, 400) if epochs <= limit)  # a new axis costs time: few lengths
        if not self.artists or self.last != last:
            self.clear()
            self.last = last
            self.build(figure)
        self.strip.show(result.strip, result.given, result.wrong)
        epoch, *columns = result.curve.T
        for line, values in zip(self.artists["curves"], columns, strict=True):
            line.set_data(epoch, np.nan_to_num(values, nan=np.inf).clip(0, CURVE_TOP))
        found = len(epoch) and np.isfinite(columns[1]).any()
        best = int(np.nanargmin(columns[1])) if found else 0
        for mark, values in zip(self.artists["best"], (columns[1], columns[3]), strict=True):
            mark.set_data([best] if found else [], [min(values[best], CURVE_TOP)] if found else [])

    def build(self, figure: Figure) -> None:
        """Make axes and artists, with the pinned run's curves as a ghost."""
        self.strip = labelled_digits(figure, (0.01, 0.77, 0.98, 0.22), SHOWN)
        note = f"The first {SHOWN} digits to learn from, each with the label it is given; ✗ marks a wrong label."
        figure.text(0.5, 0.745, note, ha="center", fontsize=10, color=INK)
        panels = [
            figure.add_axes((left, 0.125, 0.405, 0.515), xlim=(0, self.last), xlabel="epoch") for left in (0.06, 0.565)
        ]
        for panel, title, top in zip(panels, ("loss", "share answered right"), (CURVE_TOP, 1.0), strict=True):
            panel.set_title(title, loc="left", fontsize=11)
            panel.set_ylim(0, top * 1.03)
            panel.grid(axis="y", color="#e5e5e5")
        if self.pinned is not None:
            for column, panel in ((2, panels[0]), (4, panels[1])):
                ghost = np.nan_to_num(self.pinned.curve[:, column], nan=np.inf).clip(0, CURVE_TOP)
                panel.plot(self.pinned.curve[:, 0], ghost, "--", color=GREY, label="validation, pinned")
        looks = (("training, labels as given", BLUE, "-"), ("validation", ORANGE, "--"))
        self.artists["curves"] = [
            panel.plot([], [], line, color=colour, linewidth=2, label=name)[0]
            for panel in panels
            for name, colour, line in looks
        ]
        self.artists["best"] = [
            panel.plot([], [], "o", color=ORANGE, fillstyle="none", markersize=9, label="lowest validation loss")[0]
            for panel in panels
        ]
        panels[0].legend(loc="upper right", fontsize=9, framealpha=0.8)
        self.artists["strip"] = self.strip.artists()

    def caption(self, result: Lab) -> str:
        """Say what is set, and what the last run did."""
        setting = result.setting
        words = f"{setting.examples:,} digits, {result.wrong_in_all} labels wrong; {described(setting)}"
        hopeless = " Every label is wrong, so nothing right can be learned." if setting.noise == 1 else ""
        if result.of is None:
            return f"{words}; draw {result.seed}, {setting.epochs} epochs: press Train.{hopeless}"
        if result.of != (setting, result.seed):
            return f"Set to {words}; draw {result.seed}, {setting.epochs} epochs: press Train. Older curves.{hopeless}"
        fine = result.curve[np.isfinite(result.curve).all(1)]
        if not len(fine):
            return f"{words}.{hopeless}"
        epoch, _, _, training, validation = fine[-1]
        best = fine[fine[:, 2].argmin()]
        ended = "; patience ran out" if result.ended.startswith("no better") else ""
        ended = "; stopped" if result.ended == "stopped by on_step" else ended
        return (
            f"{words}. Epoch {epoch:.0f}{ended}: {training:.0%} right in training, {validation:.0%} in validation; "
            f"lowest validation loss at epoch {best[0]:.0f} ({best[4]:.0%}).{hopeless}"
        )


def described(setting: RunConfig) -> str:
    """The network and the regularisers that are on, in words.

    >>> described(RunConfig(width=8, dropout=0.5))
    '8 neurons, learning rate 0.03, dropout 0.5'
    """
    parts = {
        "dropout": setting.dropout,
        "weight decay": setting.weight_decay,
        "decay to": setting.learning_rate_decay if setting.learning_rate_decay < 1 else 0,
        "patience": setting.early_stopping,
        "shifts": setting.augmentation,
    }
    switched_on = [f"{name} {value:g}" for name, value in parts.items() if value]
    words = [f"{setting.width} neurons", f"learning rate {setting.learning_rate:g}", *switched_on]
    return ", ".join(words if switched_on else [*words, "no regulariser"])
