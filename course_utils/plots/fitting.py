"""Pictures of models beside what was measured."""

from collections.abc import Callable, Mapping

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from course_utils.plots import picture
from course_utils.plots.style import INK

LINES = ("-", "--", "-.", ":", (0, (6, 1, 1, 1, 1, 1)), (0, (1, 4)))  # told apart without colour too


def models_and_drops(
    models: Mapping[str, Callable[[NDArray], ArrayLike]],
    drops: Mapping[str, tuple[ArrayLike, ArrayLike]],
    known: tuple[float, float] = (1, 29),
    until: float = 100,
) -> Figure:
    """Curves of several models over the drops, with the floors marked that a model could learn from.

    Args:
        models: name -> function from floors ``(n,)`` to seconds ``(n,)``.
        drops: name -> floors and seconds, ``(drops,)`` each.
        known: the lowest and highest floor to learn from.
        until: the highest floor in the picture.

    >>> figure = models_and_drops({"twice": lambda floor: 2 * floor}, {"measured": ([1, 2], [2, 4])})
    >>> [text.get_text() for text in figure.legends[0].get_texts()]
    ['measured', 'twice']
    """
    figure = picture.new_figure(8.4, 4.0)
    axes = figure.add_axes((0.07, 0.13, 0.7, 0.83), xlim=(0, until), ylim=(0, 17), xlabel="floor", ylabel="seconds")
    axes.axvspan(*known, color="#eeeeee", linewidth=0)
    axes.text(sum(known) / 2, 16.2, "floors to learn from", ha="center", fontsize=10)
    for (name, (floors, seconds)), marker in zip(drops.items(), "ox^", strict=False):
        axes.plot(floors, seconds, marker, color=INK, markersize=4, fillstyle="none", label=name)
    everywhere = np.linspace(0.5, until, 400)
    for (name, model), line in zip(models.items(), LINES, strict=False):
        axes.plot(everywhere, np.clip(model(everywhere), -99, 99), linestyle=line, linewidth=2, label=name)
    figure.legend(loc="center left", bbox_to_anchor=(0.78, 0.55))
    return figure
