"""The playground as a picture: the network with a map for every neuron, the large map with the points, the loss."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.figure import Figure

from course_utils.experiments.playground import CLASSES, EDGE, FEATURES
from course_utils.experiments.playing import Playing
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

MAP = 240  # pixels: the side of the large map
OUTPUT = (446, 24)  # pixels: its lower left corner


def last_step(steps: int) -> int:
    """The last step that the axis of the loss has room for.

    >>> last_step(0), last_step(100), last_step(800), last_step(1100)
    (100, 128, 1024, 2048)
    """
    return max(100, 2 ** math.ceil(math.log2(max(1, steps)) + 0.01))


def playground_panels(figure: Figure, playing: Playing) -> dict[str, Panel]:
    """The network with the map of every neuron, the large map with the points, the loss."""
    longest, widths = last_step(playing.steps), playing.task.config.widths
    width, height = figure.bbox.size
    sheet, under = Sheet(figure), whole_figure(figure)
    loss = figure.add_axes((736 / width, 44 / height, 92 / width, 150 / height), xlim=(0, longest), ylim=(0, 1.5))
    loss.tick_params(labelsize=10, length=2)
    loss.set_xticks([0, longest], ["0", f"{longest:,}"])
    loss.get_xticklabels()[1].set_horizontalalignment("right")
    loss.set_title("loss", fontsize=10, pad=3)
    loss.set_xlabel("step", fontsize=10, labelpad=2)  # below the numbers: a long one reaches to the middle
    training = {"color": BLUE, "linewidth": 1.8, "label": "training"}
    held_out = {"color": ORANGE, "linewidth": 1.8, "linestyle": "--", "label": "held out"}
    legend = {"loc": "upper right", "fontsize": 9, "borderaxespad": 0, "handlelength": 1.6}
    figure.text(708 / width, 268 / height, "hollow: held out", fontsize=10)
    figure.text(708 / width, 248 / height, "a click adds", fontsize=10)
    signs = [FEATURES[name][0] for name in playing.task.features]
    looks = zip(CLASSES, CLASS_MARKERS, CLASS_COLOURS, strict=True)
    return {
        "network": NetworkPicture(figure, sheet, signs, CLASSES, widths, (74, 8, 388, 264)),
        "map": ClassMap(figure, sheet, (*OUTPUT, MAP), EDGE),
        "loss": Curves(loss, {"training": training, "held out": held_out}, legend=legend),
        "adds": Curves(under, {name: {"marker": mark, "color": colour} for name, mark, colour in looks}),
    }


def playground_contents(playing: Playing) -> dict[str, Any]:
    """What `playground_panels` show of a run."""
    task, (steps, training, held_out) = playing.task, playing.curve.T
    bounded = task.config.activation in ("tanh", "sigmoid")
    losses = {"training": (steps, training), "held out": (steps, held_out)}
    return {
        "network": NetworkState(playing.weights, playing.maps, playing.shares, bounded, playing.chosen),
        "map": ClassMapState(playing.shares, task.points, task.labels, task.held_out_points, task.held_out_labels),
        "loss": losses if len(task.held_out_labels) else {"training": losses["training"]},
        "adds": {playing.adds: ([800], [253])},
    }


def pressed(
    figure: Figure, panels: Mapping[str, Panel], place: Sequence[float]
) -> tuple[tuple[float, float] | None, tuple[int, int] | None]:
    """Return what stands at a place of the picture: a point of the plane, or layer and index of a neuron, or neither.

    Args:
        figure: the picture.
        panels: those of `playground_panels`.
        place: how far right and how far up, from 0 to 1.
    """
    if len(place) != 2 or not all(0 <= part <= 1 for part in place):
        return None, None
    across, up = place[0] * figure.bbox.width, place[1] * figure.bbox.height
    plane, network = panels["map"], panels["network"]
    assert isinstance(plane, ClassMap) and isinstance(network, NetworkPicture)
    return plane.value_at(across, up), network.neuron_at(across, up)
