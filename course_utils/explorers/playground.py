"""A whole network in the plane: choose points and features, play, and see what every neuron has learned."""

import math
import time
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from matplotlib.figure import Figure
from torch import Tensor

from course_utils.experiments.playground import (
    CLASSES,
    EDGE,
    FEATURES,
    OWN,
    POINTS,
    SOME_POINTS,
    Run,
    Task,
    features,
    formulas,
    make_task,
    neuron_name,
    neurons,
)
from course_utils.explorers.base import Button, Choice, FigureExplorer, Slider, Text, Toggle, tag
from course_utils.explorers.pointer import Pointer
from course_utils.models.mlp import ACTIVATIONS
from course_utils.plots.networks import (
    CLASS_COLOURS,
    CLASS_MARKERS,
    ClassMap,
    ClassMapState,
    NetworkPicture,
    NetworkState,
    Sheet,
    whole_figure,
)
from course_utils.plots.panels import Curves, Panel
from course_utils.plots.style import BLUE, ORANGE

CELLS = 60  # the map is CELLS x CELLS places
MAP = 240  # pixels: the side of the large map
OUTPUT = (446, 24)  # pixels: its lower left corner
NOBODY = "none"
SETTINGS = ("learning_rate", "l1", "l2", "batch")  # controls that a step of training takes, and may change on the way
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


def brief(loss: float) -> str:
    """A loss in few signs, however large.

    >>> brief(0.12345), brief(2.8e27)
    ('0.123', '2.8e+27')
    """
    return f"{loss:.3f}" if loss < 1000 else f"{loss:.2g}"


def silent_layer(result: Playing) -> str:
    """A sentence about a hidden layer that answers the same everywhere: then no learning gets past it."""
    for layer, maps in enumerate(result.maps[1:-1], start=1):
        if np.ptp(maps, axis=(1, 2)).max() < 1e-6:
            return (
                f"Layer {layer} answers the same everywhere, so nothing can be learned any more: too large a learning "
                "rate has pushed its neurons where they are flat; lower it and press New weights."
            )
    return ""


def _right(now: Playing) -> str:
    return f"{now.held_out[1]:.0%} of the held-out points right after {now.steps} steps"


def _weights(now: Playing) -> str:
    return " and ".join(f"{weight:.2f}" for weight in now.weights[0][0])


# Settings of the tour, whatever the playground began with.
ONE_CUT = {
    "data": "circle", "layers": 0, "width": 4, "activation": "tanh", "learning_rate": 0.1, "batch": 10, "noise": 0,
    "l1": 0.0, "l2": 0.0, **{name: name in ("x1", "x2") for name in FEATURES},
}  # fmt: skip
FOUR_CUTS = ONE_CUT | {"layers": 1}


class NetworkPlayground(FigureExplorer):
    """Train a small network on points in the plane and watch every neuron; click the map to add points of your own.

    A click on a neuron writes its weights on its lines and its formula in bold.

    Args:
        seed: draws the first weights and the order of the points; *New weights* takes the next seed.
        start: first values of the controls.
    """

    size = (8.4, 2.9)
    details_height = 40
    data = Choice([*POINTS, OWN], slow=True)
    activation = Choice([name for name in ACTIVATIONS], "tanh", slow=True)
    neuron = Choice([NOBODY], label="weights of")
    click_adds = Choice(list(CLASSES), label="a click adds")
    x1 = Toggle(True, label="x₁", slow=True)
    x2 = Toggle(True, label="x₂", slow=True)
    x1_squared = Toggle(label="x₁²", slow=True)
    x2_squared = Toggle(label="x₂²", slow=True)
    x1_x2 = Toggle(label="x₁x₂", slow=True)
    sin_x1 = Toggle(label="sin 2x₁", slow=True)
    sin_x2 = Toggle(label="sin 2x₂", slow=True)
    own_points = Text(SOME_POINTS, rows=2, label="x₁, x₂, class")
    layers = Slider(0, 4, 1, label="hidden layers", slow=True)
    width = Slider(1, 8, 4, label="neurons each", slow=True)
    noise = Slider(0, 50, 0, label="noise (%)", slow=True)
    learning_rate = Slider(0.001, 100.0, 0.1, log=True, step=0.1)
    l1 = Slider(0.0, 0.1, 0.0, step=0.001, label="L1 penalty")
    l2 = Slider(0.0, 0.1, 0.0, step=0.001, label="L2 penalty")
    batch = Slider(1, 50, 10, label="batch")
    speed = Slider(1, 100, 10, label="steps a picture")
    play = Button("Play", "play_on", worker=True)
    one_step = Button("One step", "step_once")
    new_weights = Button("New weights", "start_again")
    tour = (
        (ONE_CUT | {"data": "gaussians", "one_step": 100},
         lambda now: f"Two clouds and no hidden layer: one straight cut gets {_right(now)}."),
        (ONE_CUT | {"one_step": 100},
         lambda now: f"A disc in a ring: no straight cut parts them. It gets {_right(now)}."),
        (ONE_CUT | {"x1_squared": True, "x2_squared": True, "one_step": 200},
         lambda now: f"Given the squares of both coordinates too, the same network gets {_right(now)}."),
        (FOUR_CUTS | {"one_step": 500},
         lambda now: f"Without squares, but with four hidden neurons, a closed border forms. It gets {_right(now)}."),
        (FOUR_CUTS | {"neuron": "1.1", "one_step": 500},
         lambda now: f"One of the four, neuron 1.1, is one soft cut; its weights are {_weights(now)}."),
        (FOUR_CUTS | {"layers": 3, "activation": "linear", "learning_rate": 0.02, "one_step": 100},
         lambda now: f"Three hidden layers that do not bend are one straight cut again. It gets {_right(now)}."),
    )  # fmt: skip

    def __init__(self, seed: int = 0, **start: Any):
        self.run: Run | None = None
        self.first_seed = self.seed = seed
        super().__init__(**start)
        for name, control in self.controls.items():
            if isinstance(control, Slider):  # as many in a row as fit, and all of the row taken
                self.inputs[name].layout.width, self.inputs[name].layout.flex = "auto", "1 1 auto"
        self.inputs["own_points"].layout.width = "260px"
        pointer = Pointer((0, 0, 1, 1), drag=False)
        self.add_widget(pointer)
        self.listen(pointer, "place", self.pointed)

    # What buttons and clicks do.

    def restart(self) -> None:
        """Stop, and forget what was learned."""
        self.cancel.set()
        self.run, self.seed = None, self.first_seed

    def remember(self) -> tuple[Run | None, int]:
        """The run, and the seed that it began with."""
        return self.run, self.seed

    def recall(self, remembered: tuple[Run | None, int]) -> None:
        """Go on with an earlier run."""
        self.cancel.set()
        self.run, self.seed = remembered

    def start_again(self) -> None:
        """Other random weights, step 0."""
        self.run, self.seed = None, self.seed + 1

    def step_once(self, **settings: float) -> None:
        """One step of training, by the controls' settings where no others are given."""
        with self.lock:
            if self.run is None:  # after New weights, where the controls are refused
                raise ValueError(self.refused)
            self.run.step(**{name: self.values[name] for name in SETTINGS} | settings)

    def play_on(self) -> None:
        """Train until Stop is pressed; a picture after every few steps."""
        while not self.cancel.is_set():
            try:
                for _ in range(self.speed):
                    with self.lock:  # Reset and tours stop a run and begin another one in one breath
                        if not self.cancel.is_set():
                            self.step_once()
            finally:
                self.refresh()
            time.sleep(0.002)  # lets a slider have its turn

    def train(self, steps: int, **settings: float) -> "NetworkPlayground":
        """Take many steps at once, then draw; for a cell of a notebook.

        Args:
            steps: how many.
            settings: other values of learning_rate, l1, l2 or batch than the controls', for these steps.

        Returns:
            the playground itself, so that a line can make it, train it and show it.

        Raises:
            ValueError: the run broke; the sentence says when and why.
        """
        if unknown := set(settings) - set(SETTINGS):
            raise ValueError(f"{', '.join(sorted(unknown))} cannot change for some steps: {', '.join(SETTINGS)} can.")
        settings = {name: self.controls[name].check(value) for name, value in settings.items()}
        try:
            for _ in range(steps):
                self.step_once(**settings)
        finally:
            self.refresh()
        return self

    def as_python(self) -> str:
        """Return the line that makes this state, its training included; a comment says what the line leaves out."""
        self.made_with = f"seed={self.seed}" if self.seed else ""
        line, run = super().as_python(), self.run
        if run is None or not run.steps:
            return line
        if len(run.taken) > CHANGES + 1:
            changes = len(run.taken) - 1
            return f"{line}.train({run.steps})  # left out: on the way the settings changed {changes} times"
        for settings, steps in run.taken:
            other = [f"{name}={value!r}" for name, value in settings.items() if value != self.values[name]]
            line += f".train({', '.join([str(steps), *other])})"
        return line + ("  # left out: the step after these, at which the run broke" if run.broken else "")

    def pointed(self, place: list[float]) -> None:
        """What a click on the picture does: a point on the map, or the weights of a neuron."""
        if len(place) != 2 or not all(0 <= part <= 1 for part in place):
            return
        across, up = place[0] * self.figure.bbox.width, place[1] * self.figure.bbox.height
        plane, network = self.panels["map"], self.panels["network"]
        assert isinstance(plane, ClassMap) and isinstance(network, NetworkPicture)
        if at := plane.value_at(across, up):
            before = self.own_points.strip() + "\n" if self.own_points.strip() else ""
            self.set(data=OWN, own_points=f"{before}{at[0]:.1f}, {at[1]:.1f}, {self.click_adds}")
        elif neuron := network.neuron_at(across, up):
            self.set(neuron=neuron_name(self.result.task.config, *neuron))

    # Numbers.

    def prepare(
        self, data: str, own_points: str, noise: int, layers: int, width: int, activation: str, **ticked: bool
    ) -> Task:
        """Return the points and the network's settings."""
        names = tuple(name for name in FEATURES if ticked[name])
        if not names:
            raise ValueError("The network is given nothing to look at: tick at least one feature, such as x₁.")
        self.show_controls([name for name in self.controls if data == OWN or name != "own_points"])
        return make_task(data, own_points, noise, names, [width] * layers, activation)

    def dependent_controls(self, prepared: Task) -> dict[str, Choice]:
        """Each neuron can be asked for its weights."""
        return {"neuron": Choice([NOBODY, *neurons(prepared.config)], label="weights of")}

    @torch.no_grad()
    def compute(self, prepared: Task, neuron: str, click_adds: str, speed: int, **settings: float) -> Playing:
        """Return the run as it is now."""
        if self.run is None or self.run.task != prepared:
            self.run = Run(prepared, self.seed)
        run = self.run
        inputs = features(GRID, prepared.features)
        answers = run.network.activations(inputs.flatten(0, 1))
        maps = [answer.T.unflatten(1, (CELLS, CELLS)).nan_to_num() for answer in answers]
        penalties = "".join(f", {name.upper()} {settings[name]:.3f}" for name in ("l1", "l2") if settings[name])
        rate, batch = settings["learning_rate"], settings["batch"]
        return Playing(
            task=prepared,
            steps=run.steps,
            weights=tuple(weights.numpy().copy() for weights in run.parameters[::2]),
            biases=tuple(biases.numpy().copy() for biases in run.parameters[1::2]),
            maps=tuple(one.numpy() for one in maps),
            shares=maps[-1].softmax(0).numpy(),
            curve=run.curve(),
            training=run.measure(run.inputs, run.labels),
            held_out=run.measure(*run.held_out),
            settings=f"Learning rate {rate:.3g}, batches of {batch}{penalties}, {speed} steps a picture.",
            chosen=neurons(prepared.config).get(neuron),
            adds=click_adds,
            broken=run.broken,
        )

    # The picture.

    def layout_key(self, result: Playing) -> tuple[Any, ...]:
        """The network's shape, and the last step that the axis of the loss has room for."""
        longest = max(100, 2 ** math.ceil(math.log2(max(1, result.steps)) + 0.01))
        return result.task.config.widths, result.task.features, longest

    def comparable(self, pinned: Playing, result: Playing) -> bool:
        """A border between classes can be drawn over any map."""
        return True

    def make_panels(self, figure: Figure, result: Playing) -> dict[str, Panel]:
        """The network with the map of every neuron, the large map with the points, the loss."""
        widths, names, longest = self.layout_key(result)
        width, height = figure.bbox.size
        sheet, under = Sheet(figure), whole_figure(figure)
        loss = figure.add_axes((736 / width, 44 / height, 92 / width, 150 / height), xlim=(0, longest), ylim=(0, 1.5))
        loss.tick_params(labelsize=10, length=2)
        loss.set_xticks([0, longest], ["0", f"{longest:,}"])
        loss.get_xticklabels()[1].set_horizontalalignment("right")
        loss.set_title("loss", fontsize=10, pad=3)
        loss.set_xlabel("step", fontsize=10, labelpad=-8)
        training = {"color": BLUE, "linewidth": 1.8, "label": "training"}
        held_out = {"color": ORANGE, "linewidth": 1.8, "linestyle": "--", "label": "held out"}
        legend = {"loc": "upper right", "fontsize": 9, "borderaxespad": 0, "handlelength": 1.6}
        figure.text(708 / width, 268 / height, "hollow: held out", fontsize=10)
        figure.text(708 / width, 248 / height, "a click adds", fontsize=10)
        signs = [FEATURES[name][0] for name in names]
        looks = zip(CLASSES, CLASS_MARKERS, CLASS_COLOURS, strict=True)
        return {
            "network": NetworkPicture(figure, sheet, signs, CLASSES, widths, (74, 8, 388, 264)),
            "map": ClassMap(figure, sheet, (*OUTPUT, MAP), EDGE),
            "loss": Curves(loss, {"training": training, "held out": held_out}, legend=legend),
            "adds": Curves(under, {name: {"marker": mark, "color": colour} for name, mark, colour in looks}),
        }  # fmt: skip

    def contents(self, result: Playing) -> dict[str, Any]:
        """The run's numbers, for each panel."""
        task, (steps, training, held_out) = result.task, result.curve.T
        bounded = task.config.activation in ("tanh", "sigmoid")
        losses = {"training": (steps, training), "held out": (steps, held_out)}
        return {
            "network": NetworkState(result.weights, result.maps, result.shares, bounded, result.chosen),
            "map": ClassMapState(result.shares, task.points, task.labels, task.held_out_points, task.held_out_labels),
            "loss": losses if len(task.held_out_labels) else {"training": losses["training"]},
            "adds": {result.adds: ([800], [253])},
        }

    def caption(self, result: Playing) -> str:
        """Say the step, the losses, the shares of right answers, and what broke."""
        held_out = f"; held out: loss {brief(result.held_out[0])}, {result.held_out[1]:.0%} right"
        points, classes = len(result.task.labels), len(np.unique(result.task.labels))
        return (
            f"Step {result.steps:,}: training loss {brief(result.training[0])}, {result.training[1]:.0%} of {points} "
            f"points in {classes} classes right{held_out if len(result.task.held_out_labels) else ''}. "
            f"{result.broken or silent_layer(result) or result.settings}"
        )

    def details(self, result: Playing) -> str:
        """The network as formulas with its numbers in them, that of the chosen neuron first."""
        lines = formulas(result.task, result.weights, result.biases)
        chosen = [tag("div", tag("b", f"▸ {lines.pop(result.chosen)}"))] if result.chosen else []
        rule = "the class with the largest answer wins; softmax turns the answers into probabilities"
        rows = [*chosen, *(tag("div", line) for line in (*lines.values(), rule))]
        return tag("div", *rows, style="font-family:monospace;font-size:12px;line-height:1.4")
