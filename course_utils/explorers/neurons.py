"""One neuron: two inputs, two weights, a bias, an activation."""

from typing import Any

from matplotlib.figure import Figure

from course_utils.experiments.neuron import ACTIVATIONS, EDGE, Neuron, largest, neuron
from course_utils.explorers.base import Choice, FigureExplorer, Slider, Stop
from course_utils.plots.neuron import neuron_contents, neuron_panels
from course_utils.plots.panels import Panel
from course_utils.wording import plain

TOUR: tuple[Stop, ...] = (
    ({}, lambda now: f"The sum is {plain(now.sum)}, and tanh makes it {plain(now.answer)}: below zero. The white dot "
     "lies on the orange side of the line."),
    ({"input_2": 0.0}, lambda now: f"Input 2 at 0: the sum is {plain(now.sum)} and the answer {plain(now.answer)}. "
     "The dot has crossed the line; the map has not changed."),
    ({"bias": 2.5}, lambda now: f"Inputs as before, bias {plain(now.bias)}: the line has moved without turning, and "
     f"the answer is {plain(now.answer)}."),
    ({"weight_2": 2.0}, lambda now: f"Weight 2 at {plain(now.weights[1])}: input 2 now speaks for. The line has "
     f"turned, and the sum is {plain(now.sum)}."),
    ({"weight_1": 2.0, "weight_2": -4.0, "bias": 1.0}, lambda now: "Weights and bias doubled: the line stays where it "
     f"was, and the answer changes faster across it. It is {plain(now.answer)} here."),
    ({"weight_1": 0.0, "weight_2": 0.0}, lambda now: "Both weights at 0: the inputs do not matter. Only the bias is "
     f"left, and the answer is {plain(now.answer)} everywhere."),
    ({"activation": "relu"}, lambda now: f"relu answers 0 wherever the sum is below 0. Here the sum is "
     f"{plain(now.sum)} and the answer {plain(now.answer)}."),
    ({"activation": "step"}, lambda now: f"step answers 1 on one side of the line and 0 on the other. Here it answers "
     f"{plain(now.answer)}."),
)  # fmt: skip


class NeuronExplorer(FigureExplorer):
    """A neuron's formula with its numbers, its answer over all inputs, and the activation that makes the answer."""

    size = (8.4, 4.0)
    weight_1 = Slider(-4.0, 4.0, 1.0, step=0.1)
    weight_2 = Slider(-4.0, 4.0, -2.0, step=0.1)
    bias = Slider(-4.0, 4.0, 0.5, step=0.1)
    input_1 = Slider(-EDGE, EDGE, 1.0, step=0.1)
    input_2 = Slider(-EDGE, EDGE, 1.0, step=0.1)
    activation = Choice(list(ACTIVATIONS), "tanh")
    tour = TOUR

    def compute(self, prepared: None, **knobs: Any) -> Neuron:
        """Return the neuron's answers."""
        weights, inputs = (knobs["weight_1"], knobs["weight_2"]), (knobs["input_1"], knobs["input_2"])
        return neuron(weights, knobs["bias"], inputs, knobs["activation"])

    def layout_key(self, result: Neuron) -> float:
        """The answer that has the full colour."""
        return largest(result.activation)

    def make_panels(self, figure: Figure, result: Neuron) -> dict[str, Panel]:
        """The plane with the line where the sum is zero; the activation with the sum of these inputs on it."""
        return neuron_panels(figure, result.activation)

    def contents(self, result: Neuron) -> dict[str, Any]:
        """The formula with its numbers, the plane, the activation."""
        return neuron_contents(result)
