"""Overfitting, and what holds it back, on real digits with few examples and deliberately wrong labels.

Two parts: the experiment (``Setting``, ``Trial``: one training run with its curves), which also makes the recorded runs
of ``datasets/runs``; and the picture.
"""

import functools
import math
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from matplotlib.figure import Figure
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from course_utils import data
from course_utils.explorers.base import Button, Choice, Explorer, Slider
from course_utils.models.regularisers import Dropout, noisy_labels, shifted, weight_penalty
from course_utils.plots.overfitting import CURVE_TOP, labelled_digits, side_by_side
from course_utils.plots.style import BLUE, GREY, INK, ORANGE
from course_utils.training import History, accuracy, fit

# ------------------------------------------------------------------------------------------------ the experiment

BATCH, VALIDATION = 30, 300
MOST = 1347 - VALIDATION  # digits that are left to learn from
FIRST = 150  # digits to learn from in the recorded runs; the 300 after them choose


@dataclass(frozen=True)
class Setting:
    """One way to train; the defaults switch every regulariser off."""

    learning_rate: float = 0.03
    width: int = 256  # neurons in each hidden layer
    depth: int = 1  # hidden layers
    dropout: float = 0.0  # share of the hidden neurons' answers set to 0
    weight_decay: float = 0.0  # weight of half the sum of squared weights in the loss
    learning_rate_decay: float = 1.0  # the last learning rate over the first
    early_stopping: int = 0  # epochs to wait for a lower validation loss; 0: never stop early
    augmentation: int = 0  # furthest shift of an image, in pixels
    examples: int = FIRST
    noise: float = 0.2  # share of the examples with a wrong label
    epochs: int = 200


def network(setting: Setting, seed: int) -> nn.Sequential:
    """Images ``(batch, 8, 8)`` in, logits ``(batch, 10)`` out.

    >>> network(Setting(width=4, depth=2), seed=0)(torch.zeros(7, 8, 8)).shape
    torch.Size([7, 10])
    """
    layers: list[nn.Module] = [nn.Flatten()]
    inputs, generator = 64, torch.Generator().manual_seed(seed)
    for layer in range(setting.depth):
        hidden = linear(inputs, setting.width, generator)
        layers += [hidden, nn.ReLU(), Dropout(setting.dropout, seed=1000 * seed + layer)]
        inputs = setting.width
    return nn.Sequential(*layers, linear(inputs, 10, generator))


def linear(inputs: int, outputs: int, generator: torch.Generator) -> nn.Linear:
    """A layer as torch makes it, with torch's first weights, drawn from ``generator`` and not from the global state."""
    layer = nn.utils.skip_init(nn.Linear, inputs, outputs)
    nn.init.kaiming_uniform_(layer.weight, a=math.sqrt(5), generator=generator)
    nn.init.uniform_(layer.bias, -(inputs**-0.5), inputs**-0.5, generator=generator)
    return layer


@functools.lru_cache(maxsize=16)
def shuffled_digits(seed: int) -> data.Digits:
    """The digits in the order of one seed: reading them takes far longer than a step of training."""
    return data.digits(seed=seed)


class Trial:
    """One training run: its digits, its network, and its curves.

    Args:
        setting: how to train.
        seed: draws the digits, the wrong labels, the first weights and the batches.

    Raises:
        ValueError: no examples, or more than there are.

    >>> trial = Trial(Setting(epochs=2), seed=0)
    >>> history = trial.train()
    >>> history.steps, trial.curve.shape, trial.wrong.sum().item()
    (10, (3, 5), 30)
    """

    def __init__(self, setting: Setting, seed: int = 0):
        if not 1 <= setting.examples <= MOST:
            raise ValueError(
                f"examples={setting.examples}: there must be from 1 to {MOST:,} digits to learn from; try {FIRST}."
            )
        digits = shuffled_digits(seed)
        choose = slice(FIRST, FIRST + VALIDATION)
        others = torch.ones(len(digits.train_labels), dtype=torch.bool)
        others[choose] = False
        self.setting = setting
        self.images = digits.train_images[others][: setting.examples]  # (examples, 8, 8)
        self.right = digits.train_labels[others][: setting.examples]  # (examples,)
        self.validation = digits.train_images[choose], digits.train_labels[choose]
        self.test = digits.test_images, digits.test_labels
        self.random = torch.Generator().manual_seed(seed)
        self.given = noisy_labels(self.right, setting.noise, self.random)  # (examples,) what training is told
        self.network = network(setting, seed)
        self.rows: list[tuple[float, ...]] = []

    @property
    def wrong(self) -> Tensor:
        """Which examples have a wrong label, ``(examples,)`` bool."""
        return self.given != self.right

    @property
    def curve(self) -> np.ndarray:
        """``(epochs + 1, 5)``: epoch, training loss, validation loss, training accuracy, validation accuracy."""
        return np.array(self.rows, dtype=float).reshape(-1, 5)

    def train(self, on_epoch: Callable[["Trial"], bool | None] | None = None) -> History:
        """Train to the end, until patience runs out, or until ``on_epoch(trial)`` returns True."""
        setting, model = self.setting, self.network
        steps = -(-setting.examples // BATCH)  # of one epoch; the last batch may be short

        def loss(logits: Tensor, labels: Tensor) -> Tensor:
            plain = cross_entropy(logits, labels)
            return plain + weight_penalty(model.parameters(), setting.weight_decay) if setting.weight_decay else plain

        return fit(
            model,
            self.batches(),
            steps=setting.epochs * steps,
            loss=loss,
            optimiser=torch.optim.SGD(model.parameters(), lr=setting.learning_rate, momentum=0.9),
            schedule=lambda step, _: setting.learning_rate_decay ** ((step // steps) / setting.epochs),
            evaluate=self.look,
            every=steps,
            patience=setting.early_stopping or None,
            on_step=lambda step, _: bool((step + 1) % steps == 0 and on_epoch and on_epoch(self)),
            progress=False,
        )

    def batches(self) -> Iterator[tuple[Tensor, Tensor]]:
        """Images ``(batch, 8, 8)``, shifted if the setting says so, and the labels as given ``(batch,)``; no end."""
        furthest = self.setting.augmentation
        while True:
            for chosen in torch.randperm(len(self.images), generator=self.random).split(BATCH):
                images = self.images[chosen]
                yield shifted(images, self.random, furthest) if furthest else images, self.given[chosen]

    def look(self, model: nn.Module) -> float:
        """Note loss and accuracy on the examples and on the validation digits; return the validation loss."""
        pairs = ((self.images, self.given), self.validation)
        losses = [cross_entropy(model(images), labels).item() for images, labels in pairs]
        self.rows.append((len(self.rows), *losses, *(accuracy(model, images, labels) for images, labels in pairs)))
        return losses[1]

    def accuracies(self) -> dict[str, float]:
        """The share answered right: of the labels as given, of the true ones, of validation and of test."""
        return {
            "train_accuracy": accuracy(self.network, self.images, self.given),
            "right_label_accuracy": accuracy(self.network, self.images, self.right),
            "validation_accuracy": accuracy(self.network, *self.validation),
            "test_accuracy": accuracy(self.network, *self.test),
        }


# ------------------------------------------------------------------------------------------------ the picture

SHOWN = 12  # digits in the strip
EVERY = 3  # epochs from one picture to the next


@dataclass(frozen=True)
class Lab:
    """What the picture shows: the digits of the present setting, and the curves of the last run."""

    setting: Setting
    seed: int
    strip: np.ndarray  # (8, pixels) the first digits, side by side
    given: tuple[int, ...]  # their labels
    wrong: tuple[bool, ...]
    wrong_in_all: int
    curve: np.ndarray  # (epochs + 1 or 0, 5)
    of: tuple[Setting, int] | None  # setting and seed of the curves
    ended: str  # how the run ended; empty while it goes on


class OverfittingLab(Explorer):
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
            self.trial: Trial | None = None
            self.trial_seed, self.ended, self.last = 0, "", 0

    def setting(self, **values: Any) -> Setting:
        """What the controls say."""
        values = self.values | values
        return Setting(noise=values.pop("noise") / 100, **{name: values[name] for name in values if name != "seed"})

    def train(self) -> None:
        """Train with what the controls say, until the end or until Stop; a cell may call it too.

        Raises:
            ValueError: the learning rate is 0, or so large that the loss grew.
        """
        cancel = self.cancel if self._working else threading.Event()
        with self.lock:
            setting = self.setting()
            if setting.learning_rate == 0:
                raise ValueError("With learning rate 0 no step changes anything, so nothing is learned: try 0.03.")
            trial = Trial(setting, self.seed)
            if cancel.is_set():  # Reset was pressed before this thread came to work
                return
            self.trial, self.trial_seed, self.ended = trial, self.seed, ""

        def on_epoch(trial: Trial) -> bool:
            if self._working and len(trial.rows) % EVERY == 0:
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

    def prepare(self, examples: int, noise: int, seed: int) -> Trial:
        """Draw the digits and their wrong labels."""
        if examples == 0:
            raise ValueError("All examples are withheld: move 'digits to learn from' to 10 or more.")
        return Trial(Setting(examples=examples, noise=noise / 100, width=1), seed)

    def compute(self, prepared: Trial, **fast: Any) -> Lab:
        """Take down the setting, its first digits, and the curves so far."""
        setting = self.setting(**fast)
        images = prepared.images[:SHOWN]
        if setting.augmentation:
            images = shifted(images, torch.Generator().manual_seed(0), setting.augmentation)
        return Lab(
            setting=setting,
            seed=self.seed,
            strip=side_by_side(images.numpy(), SHOWN),
            given=tuple(prepared.given[:SHOWN].tolist()),
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


def described(setting: Setting) -> str:
    """The network and the regularisers that are on, in words.

    >>> described(Setting(width=8, dropout=0.5))
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
