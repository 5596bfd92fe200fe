"""A drawing as two networks see it: every layer, and a bar for each answer."""

from typing import Any

from matplotlib.figure import Figure

from course_utils.experiments.drawing import Answers
from course_utils.plots.networks import LayerImages, ShareBars, Sheet
from course_utils.plots.panels import Panel
from course_utils.plots.style import INK


def answer_panels(figure: Figure, answers: Answers) -> dict[str, Panel]:
    """What is seen, the layers of both networks, two bars for each digit."""
    sheet, (width, height) = Sheet(figure), figure.bbox.size
    both = [*answers.maps, answers.hidden]
    plain = [f"plain: {len(layer)} neurons" for layer in answers.plain]
    convolutional = []
    for number, layer in enumerate(both, start=1):
        what = f"maps of {layer.shape[-1]} × {layer.shape[-1]}" if layer.ndim == 3 else "neurons"
        convolutional.append(f"convolutional: layer {number}, {len(layer)} {what}")
    top, split = int(height), int(height) - 160
    bars = figure.add_axes((598 / width, 28 / height, 232 / width, (height - 54) / height))
    seen, left, middle = (16, split, 150, top), (16, 4, 146, split), (172, 4, 572, top)
    return {
        "seen": LayerImages(figure, sheet, ["seen: 8 × 8"], [(1, 8, 8)], seen, largest=16, colour=INK),
        "plain": LayerImages(figure, sheet, plain, [layer.shape for layer in answers.plain], left, largest=4),
        "convolutional": LayerImages(figure, sheet, convolutional, [layer.shape for layer in both], middle),
        "bars": ShareBars(bars, [str(digit) for digit in range(10)], ["plain", "convolutional"]),
    }


def answer_contents(answers: Answers) -> dict[str, Any]:
    """What `answer_panels` show: the answers of every layer."""
    return {
        "seen": [answers.image[None]],
        "plain": answers.plain,
        "convolutional": (*answers.maps, answers.hidden),
        "bars": answers.shares,
    }
