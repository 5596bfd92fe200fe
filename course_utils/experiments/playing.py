"""Playing with a network: the run that goes on, what it looks like at one moment, and the calls that repeat it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from course_utils.experiments.playground import EDGE, Run, Task, features, neurons

CELLS = 60  # a map is CELLS x CELLS places
SETTINGS = ("learning_rate", "l1", "l2", "batch")  # what a step of training takes, and may change on the way
CHANGES = 4  # of these settings that a copied line tells


def _grid() -> Tensor:
    places = (torch.arange(CELLS) + 0.5) / CELLS * 2 * EDGE - EDGE
    rows, columns = torch.meshgrid(places.flip(0), places, indexing="ij")
    return torch.stack([columns, rows], dim=-1)  # (CELLS, CELLS, 2), the first row at the top


GRID = _grid()


@dataclass(frozen=True)
class Playing:
    """A run at one moment."""

    task: Task
    steps: int
    weights: tuple[np.ndarray, ...]  # each (neurons, inputs)
    biases: tuple[np.ndarray, ...]
    maps: tuple[np.ndarray, ...]  # of features and of each layer, (neurons, CELLS, CELLS)
    shares: np.ndarray  # (classes, CELLS, CELLS) probabilities
    curve: np.ndarray  # (measurements, 3)
    training: tuple[float, float]  # loss, share right
    held_out: tuple[float, float]
    settings: str
    chosen: tuple[int, int] | None  # layer and index of the neuron whose weights are written
    adds: str  # the class of a point that a click adds
    broken: str

    @property
    def silent_layer(self) -> str:
        """A sentence about a hidden layer that answers the same everywhere: then no learning gets past it."""
        for layer, maps in enumerate(self.maps[1:-1], start=1):
            if np.ptp(maps, axis=(1, 2)).max() < 1e-6:
                return (
                    f"Layer {layer} answers the same everywhere, so nothing can be learned any more: too large a "
                    "learning rate has pushed its neurons where they are flat; lower it and press New weights."
                )
        return ""

    def described(self) -> str:
        """The step, the losses, the shares of right answers, and what broke."""
        held_out = f"; held out: loss {brief(self.held_out[0])}, {self.held_out[1]:.0%} right"
        points, classes = len(self.task.labels), len(np.unique(self.task.labels))
        return (
            f"Step {self.steps:,}: training loss {brief(self.training[0])}, {self.training[1]:.0%} of {points} "
            f"points in {classes} classes right{held_out if len(self.task.held_out_labels) else ''}. "
            f"{self.broken or self.silent_layer or self.settings}"
        )


def brief(loss: float) -> str:
    """A loss in few signs, however large.

    >>> brief(0.12345), brief(2.8e27)
    ('0.123', '2.8e+27')
    """
    return f"{loss:.3f}" if loss < 1000 else f"{loss:.2g}"


@torch.no_grad()
def look(run: Run, neuron: str, click_adds: str, speed: int, **settings: float) -> Playing:
    """Take down a run as it is now.

    Args:
        run: it may go on afterwards.
        neuron: the name of the one whose weights are written, if there is one of this name.
        click_adds: the class of a point that a click adds.
        speed: steps from one picture to the next.
        settings: those of ``SETTINGS``.

    >>> from course_utils.experiments.playground import make_task
    >>> task = make_task("xor", "", 0, ("x1", "x2"), [4], "tanh")
    >>> look(Run(task), "1.2", "A", 10, learning_rate=0.1, l1=0, l2=0, batch=10).chosen
    (1, 1)
    """
    inputs = features(GRID, run.task.features)
    answers = run.network.activations(inputs.flatten(0, 1))
    maps = [answer.T.unflatten(1, (CELLS, CELLS)).nan_to_num() for answer in answers]
    penalties = "".join(f", {name.upper()} {settings[name]:.3f}" for name in ("l1", "l2") if settings[name])
    rate, batch = settings["learning_rate"], settings["batch"]
    return Playing(
        task=run.task,
        steps=run.steps,
        weights=tuple(weights.numpy().copy() for weights in run.parameters[::2]),
        biases=tuple(biases.numpy().copy() for biases in run.parameters[1::2]),
        maps=tuple(one.numpy() for one in maps),
        shares=maps[-1].softmax(0).numpy(),
        curve=run.curve(),
        training=run.measure(run.inputs, run.labels),
        held_out=run.measure(*run.held_out),
        settings=f"Learning rate {rate:.3g}, batches of {batch}{penalties}, {speed} steps a picture.",
        chosen=neurons(run.task.config).get(neuron),
        adds=click_adds,
        broken=run.broken,
    )


class Session:
    """The run that goes on, and the seed that it began with.

    Args:
        seed: draws the first weights and the order of the points.
    """

    def __init__(self, seed: int):
        self.first_seed = self.seed = seed
        self.run: Run | None = None

    def restart(self) -> None:
        """Forget what was learned, and go back to the first seed."""
        self.run, self.seed = None, self.first_seed

    def renew(self) -> None:
        """Forget what was learned, and take the next seed."""
        self.run, self.seed = None, self.seed + 1

    def run_on(self, task: Task) -> Run:
        """Return the run on this task; a new one if there is none, or if it was on another."""
        if self.run is None or self.run.task != task:
            self.run = Run(task, self.seed)
        return self.run

    def replay(self, values: Mapping[str, Any]) -> str:
        """The calls that train as was trained, with what the line leaves out in a comment.

        Args:
            values: of the controls; a call names the settings that were others.
        """
        run = self.run
        if run is None or not run.steps:
            return ""
        if len(run.taken) > CHANGES + 1:
            return f".train({run.steps})  # left out: on the way the settings changed {len(run.taken) - 1} times"
        calls = ""
        for settings, steps in run.taken:
            other = [f"{name}={value!r}" for name, value in settings.items() if value != values[name]]
            calls += f".train({', '.join([str(steps), *other])})"
        return calls + ("  # left out: the step after these, at which the run broke" if run.broken else "")
