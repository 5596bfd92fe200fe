"""One neuron: two inputs, two weights, a bias, a bend."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from matplotlib.figure import Figure

from course_utils.explorers.base import Choice, FigureExplorer, Slider
from course_utils.models.mlp import ACTIVATIONS
from course_utils.plots.networks import SIGNS
from course_utils.plots.style import BLUE, GREY, INK, ORANGE

BENDS = {"step": lambda sums: (sums > 0).to(sums.dtype), **ACTIVATIONS}
EDGE = 3.0  # inputs run from -EDGE to EDGE
CELLS = 60
BOUNDED = ("step", "tanh", "sigmoid")  # activations whose answers lie between -1 and 1


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


class NeuronExplorer(FigureExplorer):
    """A neuron's formula with its numbers, its answer over all inputs, and the bend that makes the answer."""

    size = (8.4, 4.0)
    weight_1 = Slider(-4.0, 4.0, 1.0, step=0.1)
    weight_2 = Slider(-4.0, 4.0, -2.0, step=0.1)
    bias = Slider(-4.0, 4.0, 0.5, step=0.1)
    input_1 = Slider(-EDGE, EDGE, 1.0, step=0.1)
    input_2 = Slider(-EDGE, EDGE, 1.0, step=0.1)
    activation = Choice(list(BENDS), "tanh")

    def compute(self, prepared: None, **knobs: Any) -> Neuron:
        """Return the neuron's answers."""
        weights, inputs = (knobs["weight_1"], knobs["weight_2"]), (knobs["input_1"], knobs["input_2"])
        bend, bias = BENDS[knobs["activation"]], knobs["bias"]
        places = (torch.arange(CELLS, dtype=torch.float64) + 0.5) / CELLS * 2 * EDGE - EDGE  # middles of the cells
        sums = torch.linspace(-6, 6, 121, dtype=torch.float64)
        total = weights[0] * inputs[0] + weights[1] * inputs[1] + bias
        return Neuron(
            weights,
            bias,
            inputs,
            knobs["activation"],
            total,
            bend(torch.tensor(total, dtype=torch.float64)).item(),
            bend(weights[0] * places + weights[1] * places.flip(0)[:, None] + bias).numpy(),
            sums.numpy(),
            bend(sums).numpy(),
        )

    def draw(self, figure: Figure, result: Neuron) -> None:
        """The plane with the line where the sum is zero; the activation with the present sum on it."""
        largest = 1.0 if result.activation in BOUNDED else 2.0  # answer with the full colour
        if self.artists and self.artists["plane"].get_clim()[1] != largest:
            self.clear()
        if not self.artists:
            self._make(figure, largest)
        parts = self.artists
        parts["plane"].set_data(result.plane)
        parts["line"].set_data(*zero_line(result))
        parts["ghost"].set_data(*(zero_line(self.pinned) if self.pinned else ([], [])))
        parts["point"].set_data([result.inputs[0]], [result.inputs[1]])
        (a, b), (x, y) = result.weights, result.inputs
        products = f"{signed(a)} · {signed(x)} + {signed(b)} · {signed(y)} + {signed(result.bias)}"
        total, name = signed(result.sum).strip("()"), result.activation
        parts["formula"].set_text(f"{name}( {products} )  =  {name}( {total} )  =  {signed(result.answer).strip('()')}")
        parts["curve"].set_data(result.sums, result.curve)
        at = float(np.clip(result.sum, -6, 6)), float(np.clip(result.answer, -1.6, 3.2))
        parts["drop"].set_data([at[0], at[0], -6], [-1.6, at[1], at[1]])
        parts["here"].set_data([at[0]], [at[1]])

    def _make(self, figure: Figure, largest: float) -> None:
        parts = self.artists
        plane = figure.add_axes((0.06, 0.12, 0.37, 0.74), xlabel="input 1", aspect="equal")
        plane.set_ylabel("input 2", labelpad=0)
        parts["plane"] = plane.imshow(
            np.zeros((CELLS, CELLS)),
            cmap=SIGNS,
            vmin=-largest,
            vmax=largest,
            extent=(-EDGE, EDGE, -EDGE, EDGE),
            zorder=0,
        )
        larger = "neither" if largest == 1 else "both"  # pointed ends: answers can go on
        bar = figure.colorbar(parts["plane"], cax=figure.add_axes((0.445, 0.12, 0.015, 0.74)), extend=larger)
        bar.set_ticks([share * largest for share in (-1, -0.5, 0, 0.5, 1)])
        bar.set_label("answer", labelpad=0)
        (parts["ghost"],) = plane.plot([], [], "--", color=GREY, linewidth=2)
        (parts["line"],) = plane.plot([], [], color=INK, linewidth=2)
        (parts["point"],) = plane.plot([], [], "o", color="white", markeredgecolor=INK, markersize=10)
        plane.set(xlim=(-EDGE, EDGE), ylim=(-EDGE, EDGE))
        parts["formula"] = figure.text(0.5, 0.945, "", ha="center", va="center", fontsize=12.5)
        bend = figure.add_axes(
            (0.61, 0.12, 0.37, 0.74), xlim=(-6, 6), ylim=(-1.6, 3.2), xlabel="weighted sum plus bias"
        )
        bend.set_ylabel("answer", labelpad=0)
        bend.axhline(0, color=GREY, linewidth=0.8)
        bend.axvline(0, color=GREY, linewidth=0.8)
        (parts["curve"],) = bend.plot([], [], color=BLUE, linewidth=2.5)
        (parts["drop"],) = bend.plot([], [], ":", color=ORANGE, linewidth=2)
        (parts["here"],) = bend.plot([], [], "o", color="white", markeredgecolor=INK, markersize=10)

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
