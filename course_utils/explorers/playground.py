"""A whole network in the plane: choose points and features, play, and see what every neuron has learned."""

import time
from typing import Any

from matplotlib.figure import Figure

from course_utils.experiments.playground import (
    CLASSES,
    FEATURES,
    OWN,
    POINTS,
    SOME_POINTS,
    Run,
    Task,
    chosen_features,
    formulas,
    make_task,
    neuron_name,
    neurons,
    with_point,
)
from course_utils.experiments.playing import SETTINGS, Playing, Session, look
from course_utils.explorers.base import Button, Choice, FigureExplorer, Slider, Stop, Text, Toggle, tag
from course_utils.models.mlp import ACTIVATIONS
from course_utils.plots.panels import Panel
from course_utils.plots.playground import last_step, playground_contents, playground_panels, pressed

NOBODY = "none"


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
TOUR: tuple[Stop, ...] = (
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
    new_weights = Button("New weights", lambda self: self.session.renew())
    tour = TOUR

    def __init__(self, seed: int = 0, **start: Any):
        self.session = Session(seed)
        super().__init__(**start)
        # As many in a row as fit, and all of the row taken.
        self.lay_out(Slider, width="auto", min_width="0", flex="1 1 auto")
        self.lay_out(Text, width="260px")
        self.hear_pointer((0, 0, 1, 1), self.pointed, drag=False)

    # What buttons and clicks do.

    def restart(self) -> None:
        """Stop, and forget what was learned."""
        self.cancel.set()
        self.session.restart()

    def remember(self) -> tuple[Run | None, int]:
        """The run, and the seed that it began with."""
        return self.session.run, self.session.seed

    def recall(self, remembered: tuple[Run | None, int]) -> None:
        """Go on with an earlier run."""
        self.cancel.set()
        self.session.run, self.session.seed = remembered

    def step_once(self, **settings: float) -> None:
        """One step of training, by the controls' settings where no others are given."""
        with self.lock:
            if self.session.run is None:  # after New weights, where the controls are refused
                raise ValueError(self.refused)
            self.session.run.step(**{name: self.values[name] for name in SETTINGS} | settings)

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
        self.made_with = f"seed={self.session.seed}" if self.session.seed else ""
        return super().as_python() + self.session.replay(self.values)

    def pointed(self, place: list[float]) -> None:
        """What a click on the picture does: a point on the map, or the weights of a neuron."""
        point, neuron = pressed(self.figure, self.panels, place)
        if point:
            self.set(data=OWN, own_points=with_point(self.own_points, point, self.click_adds))
        elif neuron:
            self.set(neuron=neuron_name(self.result.task.config, *neuron))

    # Numbers.

    def prepare(
        self, data: str, own_points: str, noise: int, layers: int, width: int, activation: str, **ticked: bool
    ) -> Task:
        """Return the points and the network's settings."""
        names = chosen_features(ticked)
        self.show_controls([name for name in self.controls if data == OWN or name != "own_points"])
        return make_task(data, own_points, noise, names, [width] * layers, activation)

    def dependent_controls(self, prepared: Task) -> dict[str, Choice]:
        """Each neuron can be asked for its weights."""
        return {"neuron": Choice([NOBODY, *neurons(prepared.config)], label="weights of")}

    def compute(self, prepared: Task, **knobs: Any) -> Playing:
        """Return the run as it is now."""
        return look(self.session.run_on(prepared), **knobs)

    # The picture.

    def layout_key(self, result: Playing) -> tuple[Any, ...]:
        """The network's shape, and the last step that the axis of the loss has room for."""
        return result.task.config.widths, result.task.features, last_step(result.steps)

    def make_panels(self, figure: Figure, result: Playing) -> dict[str, Panel]:
        """The network with the map of every neuron, the large map with the points, the loss."""
        return playground_panels(figure, result)

    def contents(self, result: Playing) -> dict[str, Any]:
        """The run's numbers, for each panel."""
        return playground_contents(result)

    def details(self, result: Playing) -> str:
        """The network as formulas with its numbers in them, that of the chosen neuron first."""
        lines = formulas(result.task, result.weights, result.biases)
        chosen = [tag("div", tag("b", f"▸ {lines.pop(result.chosen)}"))] if result.chosen else []
        rule = "the class with the largest answer wins; softmax turns the answers into probabilities"
        rows = [*chosen, *(tag("div", line) for line in (*lines.values(), rule))]
        return tag("div", *rows, style="font-family:monospace;font-size:12px;line-height:1.4")
