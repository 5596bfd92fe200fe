"""A whole network in the plane: choose points and features, play, and see what every neuron has learned."""

import math
import time
from dataclasses import dataclass
from typing import Any

import anywidget
import numpy as np
import torch
import traitlets
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from torch import Tensor

from course_utils.experiments.playground import (
    CLASSES,
    COUNT,
    EDGE,
    FEATURES,
    OWN,
    POINTS,
    SOME_POINTS,
    Run,
    Task,
    features,
    neuron_name,
    parse_points,
)
from course_utils.explorers.base import Button, Choice, FigureExplorer, Slider, Text, Toggle, tag
from course_utils.models.mlp import ACTIVATIONS, MLPConfig
from course_utils.plots.networks import CLASS_COLOURS, CLASS_MARKERS, Sheet, mixture, pale, tint
from course_utils.plots.style import BLUE, GREY, INK, ORANGE

CELLS = 60  # the map is CELLS x CELLS places
NODE, MAP = 30, 240  # pixels: the side of a neuron's map (half of the places) and of the large map
LEFT, RIGHT, TOP = 80, 474, 404  # pixels: middles of the first and the last column of neurons; the top of all
OUTPUT = (576, 164)  # pixels: lower left corner of the large map
NOBODY = "none"


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
    neuron: str
    adds: str
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


class _Clicks(anywidget.AnyWidget):
    """Tells where the explorer's picture was clicked, in its own pixels from the upper left."""

    at: Any = traitlets.List().tag(sync=True)
    _esm = """
    export default { render({ model, el }) {
      let count = 0;
      const clicked = (event) => {
        const image = event.target;
        if (image.tagName !== "IMG" || !el.closest(".course-explorer")?.contains(image)) return;
        const box = image.getBoundingClientRect(), scale = image.naturalWidth / box.width;
        model.set("at", [(event.clientX - box.left) * scale, (event.clientY - box.top) * scale, ++count]);
        model.save_changes();
      };
      document.addEventListener("click", clicked);
      return () => document.removeEventListener("click", clicked);
    } };
    """


class NetworkPlayground(FigureExplorer):
    """Train a small network on points in the plane and watch every neuron; click the map to add points of your own.

    A click on a neuron writes its weights on its lines and its formula in bold.
    """

    size = (8.4, 4.5)
    caption_lines = 3
    details_height = 120
    data = Choice([*POINTS, OWN], slow=True)
    click_adds = Choice(list(CLASSES), label="a click adds")
    activation = Choice([name for name in ACTIVATIONS], "tanh", slow=True)
    neuron = Choice([NOBODY], label="weights of")
    x1 = Toggle(True, label="x₁", slow=True)
    x2 = Toggle(True, label="x₂", slow=True)
    x1_squared = Toggle(label="x₁²", slow=True)
    x2_squared = Toggle(label="x₂²", slow=True)
    x1_x2 = Toggle(label="x₁x₂", slow=True)
    sin_x1 = Toggle(label="sin 2x₁", slow=True)
    sin_x2 = Toggle(label="sin 2x₂", slow=True)
    layers = Slider(0, 4, 1, label="hidden layers", slow=True)
    width = Slider(1, 8, 4, label="neurons each", slow=True)
    learning_rate = Slider(0.001, 100.0, 0.1, log=True, step=0.1)
    noise = Slider(0, 50, 0, label="noise (%)", slow=True)
    l1 = Slider(0.0, 0.1, 0.0, step=0.001, label="L1 penalty")
    l2 = Slider(0.0, 0.1, 0.0, step=0.001, label="L2 penalty")
    batch = Slider(1, 50, 10, label="batch")
    speed = Slider(1, 100, 10, label="steps a picture")
    own_points = Text(SOME_POINTS, rows=4, label="x₁, x₂, class")
    play = Button("Play", "play_on", worker=True)
    one_step = Button("One step", "step_once")
    new_weights = Button("New weights", "start_again")

    def __init__(self, **start: Any):
        self.run: Run | None = None
        self.seed = 0
        self._drawn_for: tuple[Any, ...] = ()
        super().__init__(**start)
        for name, control in self.controls.items():
            if isinstance(control, Slider):
                self.inputs[name].layout.width = "270px"
        self._clicks = _Clicks()
        self.add_widget(self._clicks)
        self.listen(self._clicks, "at", self.clicked)

    def restart(self) -> None:
        """Stop, and forget what was learned."""
        self.cancel.set()
        self.run, self.seed = None, 0

    # What buttons and clicks do.

    def start_again(self) -> None:
        """Other random weights, step 0."""
        self.run, self.seed = None, self.seed + 1

    def step_once(self) -> None:
        """One step of training."""
        self._advance(1)

    def play_on(self) -> None:
        """Train until Stop is pressed; a picture after every few steps."""
        while not self.cancel.is_set():
            try:
                self._advance(self.speed)
            finally:
                self.refresh()
            time.sleep(0.002)  # lets a slider have its turn

    def train(self, steps: int) -> None:
        """Take many steps at once, then draw; for a cell of a notebook.

        Raises:
            ValueError: the run broke; the sentence says when and why.
        """
        try:
            self._advance(steps)
        finally:
            self.refresh()

    def _advance(self, steps: int) -> None:
        for _ in range(steps):
            with self.lock:
                if self.run is None:  # after New weights, where the controls are refused
                    raise ValueError(self.refused)
                rate, l1, l2, batch = (self.values[name] for name in ("learning_rate", "l1", "l2", "batch"))
                self.run.step(rate, l1, l2, batch)
                if self.run.steps % 10 == 0:
                    self.run.note()
            if self.cancel.is_set() and self.working:
                break
        with self.lock:
            if self.run is not None:
                self.run.note()

    def clicked(self, at: list[Any]) -> None:
        """Hear a click in the page."""
        if len(at) < 2 or not all(isinstance(number, int | float) for number in at):
            raise ValueError("A click has 2 numbers, across and down: click on the map or on a neuron.")
        self.click(*at[:2])

    def click(self, across: float, down: float) -> None:
        """What a click at these pixels of the picture does: a point on the map, or the weights of a neuron."""
        up = 100 * self.size[1] - down
        x, y = ((place - corner) / MAP * 2 * EDGE - EDGE for place, corner in zip((across, up), OUTPUT, strict=True))
        if abs(x) <= EDGE and abs(y) <= EDGE:
            before = self.own_points.strip() + "\n" if self.own_points.strip() else ""
            self.set(data=OWN, own_points=f"{before}{x:.1f}, {y:.1f}, {self.click_adds}")
            return
        for layer, column in enumerate(self.places[1:], start=1):
            for index, (left, bottom) in enumerate(column):
                if max(abs(across - left), abs(up - bottom)) <= NODE / 2:
                    self.set(neuron=neuron_name(self.result.task.config, layer, index))

    # Numbers.

    def prepare(
        self, data: str, own_points: str, noise: int, layers: int, width: int, activation: str, **ticked: bool
    ) -> Task:
        """Return the points and the network's settings."""
        names = tuple(name for name in FEATURES if ticked[name])
        if not names:
            raise ValueError("The network is given nothing to look at: tick at least one feature, such as x₁.")
        generator = np.random.default_rng(0)
        if data == OWN:
            points, labels = parse_points(own_points)
            held_out: tuple[np.ndarray, np.ndarray] = (np.zeros((0, 2)), np.zeros(0, dtype=int))
        else:
            points, labels = POINTS[data](generator, COUNT)
            held_out = POINTS[data](generator, COUNT)
        points, held_out_points = (
            (at + generator.normal(0, 1, at.shape) * noise / 50).clip(-EDGE, EDGE) for at in (points, held_out[0])
        )
        self.inputs["own_points"].layout.display = "" if data == OWN else "none"
        config = MLPConfig((len(names), *[width] * layers, max(2, int(labels.max()) + 1)), activation)
        sizes = enumerate(config.widths[1:], start=1)
        neurons = [neuron_name(config, layer, index) for layer, size in sizes for index in range(size)]
        self.neuron = Choice([NOBODY, *neurons], label="weights of")
        return Task(points, labels, held_out_points, held_out[1], names, config)

    @torch.no_grad()
    def compute(
        self,
        prepared: Task,
        learning_rate: float,
        l1: float,
        l2: float,
        batch: int,
        speed: int,
        neuron: str,
        click_adds: str,
    ) -> Playing:
        """Return the run as it is now."""
        if self.run is None or self.run.task is not prepared:
            self.run = Run(prepared, self.seed)
        run = self.run
        inputs = features(GRID, prepared.features)
        answers = run.network.activations(inputs.flatten(0, 1))
        maps = [answer.T.unflatten(1, (CELLS, CELLS)).nan_to_num() for answer in answers]
        penalties = "".join(f", {name} {size:.3f}" for name, size in (("L1", l1), ("L2", l2)) if size)
        return Playing(
            task=prepared,
            steps=run.steps,
            weights=tuple(weights.numpy().copy() for weights in run.parameters[::2]),
            biases=tuple(biases.numpy().copy() for biases in run.parameters[1::2]),
            maps=tuple(one.numpy() for one in maps),
            shares=maps[-1].softmax(0).numpy(),
            curve=np.array(run.curve),
            training=run.measure(run.inputs, run.labels),
            held_out=run.measure(*run.held_out),
            settings=f"Learning rate {learning_rate:.3g}, batches of {batch}{penalties}, {speed} steps a picture.",
            neuron=neuron,
            adds=click_adds,
            broken=run.broken,
        )

    # The picture.

    def draw(self, figure: Figure, result: Playing) -> None:
        """The network with the map of every neuron, the large map with the points, the loss."""
        task = result.task
        if self.artists and self._drawn_for != (task.config.widths, task.features):
            self.clear()
        if not self.artists:
            self._drawn_for = (task.config.widths, task.features)
            self._make(figure, task)
        last = len(result.maps) - 1
        for layer, (column, maps) in enumerate(zip(self.places, result.maps, strict=True)):
            for index, (left, bottom) in enumerate(column):
                chosen = layer and result.neuron == neuron_name(task.config, layer, index)
                if layer == last:
                    tile = pale(result.shares[index, ::2, ::2], CLASS_COLOURS[index])
                else:
                    bounded = layer and task.config.activation in ("tanh", "sigmoid")
                    tile = tint(maps[index, ::2, ::2], 1.0 if bounded else max(1e-9, float(np.abs(maps[index]).max())))
                place = left - NODE // 2, bottom - NODE // 2
                self.sheet.paste(tile, *place, frame=INK if chosen else GREY, border=3 if chosen else 1)
        self.sheet.paste(mixture(result.shares), *OUTPUT, magnify=MAP // CELLS)
        parts = self.artists
        every = np.concatenate([weights.ravel() for weights in result.weights])
        parts["lines"].set_linewidth(np.clip(0.3 + 1.5 * np.abs(every), 0.3, 7))
        parts["lines"].set_color([BLUE if weight > 0 else ORANGE for weight in every])
        parts["lines"].set_linestyle(["-" if weight > 0 else (0, (3, 1.2)) for weight in every])
        self._write_weights(result)
        for index in range(len(CLASSES)):
            parts["points"][index].set_data(*task.points[task.labels == index].T)
            parts["held out"][index].set_data(*task.held_out_points[task.held_out_labels == index].T)
        for line, losses in zip(parts["losses"], result.curve.T[1:], strict=True):
            line.set_data(result.curve[:, 0], losses)
        parts["losses"][1].set_visible(bool(len(task.held_out_labels)))
        wide = max(100, 2 ** math.ceil(math.log2(max(1, result.steps)) + 0.01))
        if self.loss_axes.get_xlim()[1] != wide:
            self.loss_axes.set_xlim(0, wide)
        for marker, name in zip(parts["adds"], CLASSES, strict=True):
            marker.set_visible(name == result.adds)

    def _make(self, figure: Figure, task: Task) -> None:
        width, height = figure.bbox.size
        self.sheet = Sheet(figure)
        parts = self.artists
        columns = np.linspace(LEFT, RIGHT, len(task.config.widths)).astype(int)
        self.places = []
        for column, size in zip(columns, task.config.widths, strict=True):
            apart = min(46, 340 // size)
            first = TOP - 20 - (8 - size) * apart // 4
            self.places.append([(int(column), first - index * apart) for index in range(size)])
        names = ["features", *(f"layer {n}" for n in range(1, len(columns) - 1)), "answers"]
        for column, name in zip(columns, names, strict=True):
            figure.text(column / width, 1 - 18 / height, name, ha="center", fontsize=10)
        for name, (left, bottom) in zip(task.features, self.places[0], strict=True):
            figure.text((left - 20) / width, bottom / height, FEATURES[name][0], ha="right", va="center", fontsize=11)
        for index, (left, bottom) in enumerate(self.places[-1]):
            figure.text((left + 20) / width, bottom / height, CLASSES[index], va="center", color=CLASS_COLOURS[index])
        segments = [
            [(start[0] + NODE / 2, start[1]), (end[0] - NODE / 2, end[1])]
            for before, after in zip(self.places, self.places[1:], strict=False)
            for end in after
            for start in before
        ]
        under = figure.add_axes((0, 0, 1, 1), xlim=(0, width), ylim=(0, height), zorder=-1)
        under.set_axis_off()
        parts["lines"] = under.add_collection(LineCollection(segments, zorder=1, capstyle="butt"))
        parts["sheet"] = self.sheet
        parts["numbers"] = [
            under.text(0, 0, "", fontsize=9, va="center", ha="center", zorder=6,
                       bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.8, "alpha": 0.85})
            for _ in range(max(task.config.widths))
        ]  # fmt: skip
        spread = (OUTPUT[0] / width, OUTPUT[1] / height, MAP / width, MAP / height)
        axes = figure.add_axes(spread, xlim=(-EDGE, EDGE), ylim=(-EDGE, EDGE), facecolor="none", zorder=2)
        axes.spines[:].set_visible(False)
        axes.tick_params(length=2, labelsize=9, pad=1)
        parts["points"], parts["held out"] = [], []
        for marker, colour in zip(CLASS_MARKERS, CLASS_COLOURS, strict=True):
            style: dict[str, Any] = {"marker": marker, "linestyle": "none", "markersize": 5, "zorder": 5}
            parts["held out"] += axes.plot([], [], **style, markerfacecolor="none", markeredgecolor=colour, alpha=0.6)
            parts["points"] += axes.plot([], [], **style, color=colour, markeredgecolor="white", markeredgewidth=0.7)
        if self.pinned is not None:
            across, up = GRID[0, :, 0].numpy(), GRID[:, 0, 1].numpy()
            for shares in self.pinned.shares:
                others = np.delete(self.pinned.shares, np.where(self.pinned.shares == shares)[0][0], 0).max(0)
                if (shares > others).any() and (shares < others).any():
                    lines = axes.contour(across, up, shares - others, [0.0], colors=INK, linestyles="--", zorder=6)
                    parts.setdefault("ghost", []).append(lines)
        self.loss_axes = figure.add_axes((OUTPUT[0] / width, 40 / height, MAP / width, 84 / height), ylim=(0, 1.5))
        self.loss_axes.tick_params(labelsize=9)
        self.loss_axes.set_ylabel("loss", fontsize=9, labelpad=1)
        self.loss_axes.set_xlabel("step", fontsize=9, labelpad=0)
        parts["losses"] = [
            *self.loss_axes.plot([], [], color=BLUE, linewidth=1.8, label="training"),
            *self.loss_axes.plot([], [], "--", color=ORANGE, linewidth=1.8, label="held out"),
        ]
        self.loss_axes.legend(handles=parts["losses"], fontsize=8, loc="upper right", borderaxespad=0, ncols=2)
        right, top = OUTPUT[0] + MAP, height - 14
        figure.text((right - 14) / width, 1 - 18 / height, "hollow: held out · a click adds", fontsize=9, ha="right")
        looks = zip(CLASS_MARKERS, CLASS_COLOURS, strict=True)
        parts["adds"] = [under.plot(right - 5, top, marker, color=colour)[0] for marker, colour in looks]

    def _write_weights(self, result: Playing) -> None:
        texts = iter(self.artists["numbers"])
        for layer, weights in enumerate(result.weights):
            for index, row in enumerate(weights):
                if result.neuron == neuron_name(result.task.config, layer + 1, index):
                    to = np.array(self.places[layer + 1][index])
                    for weight, start in zip(row, self.places[layer], strict=True):
                        place = np.array(start) + (to - start) * 0.42
                        text = next(texts)
                        text.set_position(place)
                        text.set_text(f"{weight:.3g}".replace("-", "−"))
        for text in texts:
            text.set_text("")

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
        """The whole network as formulas with its numbers in them."""
        names = [FEATURES[name][0] for name in result.task.features]
        lines: list[str] = []
        for layer, (weights, biases) in enumerate(zip(result.weights, result.biases, strict=True), start=1):
            own = [neuron_name(result.task.config, layer, index) for index in range(len(weights))]
            final = layer == len(result.weights)
            for name, row, bias in zip(own, weights, biases, strict=True):
                products = [f"{weight:.3g}·{before}" for weight, before in zip(row, names, strict=True)]
                formula = " + ".join([*products, f"{bias:.3g}"]).replace("+ -", "− ").replace("-", "−")
                formula = (
                    formula
                    if final or result.task.config.activation == "linear"
                    else (f"{result.task.config.activation}( {formula} )")
                )
                line = f"{name.replace('answer ', '')} = {formula}"
                lines.append(tag("b", f"▸ {line}") if name == result.neuron else line)
            names = [f"[{name}]" for name in own]
        lines.append("the class with the largest answer wins; softmax turns the answers into probabilities")
        rows = [tag("div", line) for line in lines]
        return tag("div", *rows, style="font-family:monospace;font-size:12px;line-height:1.4")
