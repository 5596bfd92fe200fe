"""One neuron as a picture: its answer over all inputs, its activation, and its formula with the numbers in it."""

from typing import Any

import numpy as np
from matplotlib.figure import Figure

from course_utils.experiments.neuron import EDGE, Neuron, largest, zero_line
from course_utils.plots.networks import SIGNS
from course_utils.plots.panels import Curves, Heatmap, Panel, Words
from course_utils.plots.style import BLUE, GREY, INK, ORANGE
from course_utils.wording import plain, signed

SUMS, ANSWERS = (-6, 6), (-1.6, 3.2)  # what the axes of the activation show
POINT = {"marker": "o", "color": "white", "markeredgecolor": INK, "markersize": 10, "linestyle": "none"}


def neuron_panels(figure: Figure, activation: str) -> dict[str, Panel]:
    """The plane with the line where the sum is zero; the activation with the sum of these inputs on it."""
    top = largest(activation)
    plane = figure.add_axes((0.06, 0.12, 0.37, 0.74), xlabel="input 1")
    plane.set_ylabel("input 2", labelpad=0)
    extent = (-EDGE, EDGE, -EDGE, EDGE)
    answers = Heatmap(plane, (-top, top), cmap=SIGNS, extent=extent, aspect="equal", zorder=0)
    ends = "neither" if top == 1 else "both"  # pointed ends: answers can go on
    bar = figure.colorbar(answers.image, cax=figure.add_axes((0.445, 0.12, 0.015, 0.74)), extend=ends)
    bar.set_ticks([share * top for share in (-1, -0.5, 0, 0.5, 1)])
    bar.set_label("answer", labelpad=0)
    curve = figure.add_axes((0.61, 0.12, 0.37, 0.74), xlim=SUMS, ylim=ANSWERS, xlabel="weighted sum plus bias")
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


def neuron_contents(neuron: Neuron) -> dict[str, Any]:
    """What `neuron_panels` show: the formula with its numbers, the plane, the activation."""
    (a, b), (x, y) = neuron.weights, neuron.inputs
    products = f"{signed(a)} · {signed(x)} + {signed(b)} · {signed(y)} + {signed(neuron.bias)}"
    name = neuron.activation
    at = float(np.clip(neuron.sum, *SUMS)), float(np.clip(neuron.answer, *ANSWERS))
    return {
        "answers": neuron.plane,
        "plane": {"line": zero_line(neuron), "point": ([x], [y])},
        "curve": {
            "curve": (neuron.sums, neuron.curve),
            "drop": ([at[0], at[0], SUMS[0]], [ANSWERS[0], at[1], at[1]]),
            "here": ([at[0]], [at[1]]),
        },
        "formula": f"{name}( {products} )  =  {name}( {plain(neuron.sum)} )  =  {plain(neuron.answer)}",
    }
