"""One neuron: two inputs, two weights, a bias, an activation."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from matplotlib.figure import Figure

from course_utils.explorers.base import Choice, FigureExplorer, Slider, Stop
from course_utils.models import mlp
from course_utils.plots.networks import SIGNS
from course_utils.plots.panels import Curves, Heatmap, Panel, Words
from course_utils.plots.style import BLUE, GREY, INK, ORANGE

ACTIVATIONS = {"step": lambda sums: (sums > 0).to(sums.dtype), **mlp.ACTIVATIONS}
EDGE = 3.0  # inputs run from -EDGE to EDGE
CELLS = 60
POINT = {"marker": "o", "color": "white", "markeredgecolor": INK, "markersize": 10, "linestyle": "none"}


def largest(activation: str) -> float:
    """The answer that gets the full colour: 1 where none lies beyond it.

    >>> largest("tanh"), largest("relu")
    (1.0, 2.0)
    """
    return 1.0 if activation in ("step", "tanh", "sigmoid") else 2.0


def signed(number: float) -> str:
    """A number as it stands in a formula, with a real minus sign and brackets if it is negative.

    >>> signed(0.5), signed(-1.25), signed(-0.001)
    ('0.50', '(−1.25)', '0.00')
    """
    text = f"{number:.2f}"
    return text.removeprefix("-") if float(text) >= 0 else f"(−{text[1:]})"


@dataclass(frozen=True)
class Neuron:
    """What a neuron answers to one pair of inputs, and over the whole plane."""

    weights: tuple[float, float]
    bias: float
    inputs: tuple[float, float]
    activation: str
    sum: float  # weights times inputs, plus the bias
    answer: float
    plane: np.ndarray  # (CELLS, CELLS), first row at the top, where the second input is largest
    sums: np.ndarray  # (points,) for the curve of the activation
    curve: np.ndarray  # (points,)


def neuron(weights: tuple[float, float], bias: float, inputs: tuple[float, float], activation: str) -> Neuron:
    """Return what a neuron answers to these inputs, and to all others.

    >>> neuron((1.0, -2.0), 0.5, (1.0, 1.0), "relu").sum
    -0.5
    """
    activate = ACTIVATIONS[activation]
    places = (torch.arange(CELLS, dtype=torch.float64) + 0.5) / CELLS * 2 * EDGE - EDGE  # middles of the cells
    sums = torch.linspace(-6, 6, 121, dtype=torch.float64)
    total = weights[0] * inputs[0] + weights[1] * inputs[1] + bias
    answer = activate(torch.tensor(total, dtype=torch.float64)).item()
    plane = activate(weights[0] * places + weights[1] * places.flip(0)[:, None] + bias)
    return Neuron(weights, bias, inputs, activation, total, answer, plane.numpy(), sums.numpy(), activate(sums).numpy())


def plain(number: float) -> str:
    """A number as it stands in a sentence: as `signed`, without brackets."""
    return signed(number).strip("()")


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
        top = largest(result.activation)
        plane = figure.add_axes((0.06, 0.12, 0.37, 0.74), xlabel="input 1")
        plane.set_ylabel("input 2", labelpad=0)
        extent = (-EDGE, EDGE, -EDGE, EDGE)
        answers = Heatmap(plane, (-top, top), cmap=SIGNS, extent=extent, aspect="equal", zorder=0)
        ends = "neither" if top == 1 else "both"  # pointed ends: answers can go on
        bar = figure.colorbar(answers.image, cax=figure.add_axes((0.445, 0.12, 0.015, 0.74)), extend=ends)
        bar.set_ticks([share * top for share in (-1, -0.5, 0, 0.5, 1)])
        bar.set_label("answer", labelpad=0)
        curve = figure.add_axes(
            (0.61, 0.12, 0.37, 0.74), xlim=(-6, 6), ylim=(-1.6, 3.2), xlabel="weighted sum plus bias"
        )
        curve.set_ylabel("answer", labelpad=0)
        curve.axhline(0, color=GREY, linewidth=0.8)
        curve.axvline(0, color=GREY, linewidth=0.8)
        line, drop = {"color": INK, "linewidth": 2}, {"color": ORANGE, "linestyle": ":", "linewidth": 2}
        plane.set(xlim=(-EDGE, EDGE), ylim=(-EDGE, EDGE))
        return {
            "answers": answers,
            "plane": Curves(plane, {"line": line, "point": POINT}, ghosts=["line"]),
            "curve": Curves(curve, {"curve": {"color": BLUE, "linewidth": 2.5}, "drop": drop, "here": POINT}),
            "formula": Words(figure.text(0.5, 0.945, "", ha="center", va="center", fontsize=12.5)),
        }

    def contents(self, result: Neuron) -> dict[str, Any]:
        """The formula with its numbers, the plane, the activation."""
        (a, b), (x, y) = result.weights, result.inputs
        products = f"{signed(a)} · {signed(x)} + {signed(b)} · {signed(y)} + {signed(result.bias)}"
        total, name = plain(result.sum), result.activation
        at = float(np.clip(result.sum, -6, 6)), float(np.clip(result.answer, -1.6, 3.2))
        return {
            "answers": result.plane,
            "plane": {"line": zero_line(result), "point": ([x], [y])},
            "curve": {
                "curve": (result.sums, result.curve),
                "drop": ([at[0], at[0], -6], [-1.6, at[1], at[1]]),
                "here": ([at[0]], [at[1]]),
            },
            "formula": f"{name}( {products} )  =  {name}( {total} )  =  {plain(result.answer)}",
        }

    def caption(self, result: Neuron) -> str:
        """Say the sum, the answer, and on which side of the line the point lies."""
        side = "on the line" if result.sum == 0 else f"on the {'positive' if result.sum > 0 else 'negative'} side"
        return (
            f"Inputs {result.inputs[0]:.1f} and {result.inputs[1]:.1f} give the sum {result.sum:.2f}, {side}; "
            f"{result.activation} makes it {result.answer:.3f}."
        )


def zero_line(neuron: Neuron) -> tuple[list[float], list[float]]:
    """Two ends of the line on which the sum is zero, far outside the picture; empty if both weights are zero."""
    (a, b), size = neuron.weights, float(np.hypot(*neuron.weights))
    if size == 0:
        return [], []
    middle = (-neuron.bias * a / size**2, -neuron.bias * b / size**2)
    along = (-b / size * 50, a / size * 50)
    return [middle[0] - along[0], middle[0] + along[0]], [middle[1] - along[1], middle[1] + along[1]]
