"""Pictures of models beside what was measured."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from course_utils.experiments.fitting import FLOORS, KINDS, TOP, FittedLine, FittedPolynomials, charged
from course_utils.experiments.tower import TERMINAL_SPEED, fall_time
from course_utils.plots import picture
from course_utils.plots.panels import Curves, Panel, Words
from course_utils.plots.style import BLUE, GREY, INK, ORANGE

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


# ---- Panels: a line by hand ----


def line_panels(figure: Figure, line: FittedLine) -> dict[str, Panel]:
    """The line and its residuals; beside it, what the loss counts for each residual."""
    drops, far = line.drops, line.drops.far
    room = 0.1 * np.ptp(drops.seconds) or 0.1
    left = figure.add_axes((0.07, 0.15, 0.47, 0.82), xlabel="floor", ylabel="seconds")
    ends = drops.floor.min(), drops.floor.max()
    left.set(ylim=(drops.seconds.min() - 2 * room, drops.seconds.max() + room))
    left.set_xlim(ends[0] - 0.04 * (ends[1] - ends[0]), ends[1] + 0.04 * (ends[1] - ends[0]))
    right = figure.add_axes((0.65, 0.15, 0.33, 0.82), xlim=(-far, far), xlabel="residual (measured − predicted)")
    right.set(ylim=(0, 1.3 * charged(line.loss_name, np.array([far]))[0]), ylabel=KINDS[line.loss_name])
    dots = {"linestyle": "none", "marker": "o", "clip_on": False}
    rule = np.linspace(-far, far, 121)
    right.plot(rule, charged(line.loss_name, rule), color=GREY, zorder=1)
    looks = {
        "residuals": {"color": ORANGE, "linewidth": 1.5},
        "drops": {"color": INK, "markersize": 4, "zorder": 3, **dots},
        "line": {"color": BLUE, "linewidth": 2.5},
    }
    charges = {
        "inside": {"color": ORANGE, "markersize": 5, **dots},
        "beyond": {"color": ORANGE, "markersize": 6, "markerfacecolor": "white", "markeredgewidth": 1.5, **dots},
        "mean": {"color": BLUE, "linewidth": 2.5},
    }
    words = right.text(0.5, 0.97, "", color=BLUE, ha="center", va="top", weight="bold", transform=right.transAxes)
    return {
        "line": Curves(left, looks, ghosts=["line"], legend={"loc": "upper left"}),
        "charges": Curves(right, charges),
        "words": Words(words),
    }


def line_contents(line: FittedLine) -> dict[str, Any]:
    """What `line_panels` show of a line; a residual too large for the picture stands at its edge."""
    floor, seconds, far, beyond = line.drops.floor, line.drops.seconds, line.drops.far, line.beyond
    ends = np.array([floor.min(), floor.max()])
    predicted, gap = seconds - line.residuals, np.full(len(floor), np.nan)
    strokes = np.stack([floor, floor, gap], 1), np.stack([predicted, seconds, gap], 1)
    shown = line.residuals.clip(-far, far)
    charges = charged(line.loss_name, shown)
    return {
        "line": {
            "residuals": (strokes[0].ravel(), strokes[1].ravel()),
            "drops": (floor, seconds),
            "line": (ends, line.slope * ends + line.intercept),
        },
        "charges": {
            "inside": (shown[~beyond], charges[~beyond]),
            "beyond": (shown[beyond], charges[beyond]),
            "mean": ([-far, far], [line.loss] * 2),
        },
        "words": f"loss = the mean = {line.loss:.3g}",
    }


# ---- Panels: polynomials ----

LIMITS = (0.01, 20.0)  # of the errors' picture, in seconds


def polynomial_panels(figure: Figure) -> dict[str, Panel]:
    """The curve over the drops; beside it, both errors for every degree."""
    drops = figure.add_axes((0.07, 0.15, 0.47, 0.82), xlim=(0, 40), ylim=(-0.5, 10.5))
    drops.set(xlabel="floor", ylabel="seconds")
    drops.axvspan(TOP, 40, color="#eeeeee", linewidth=0)
    drops.text(TOP + 0.4, 0, "no drops here", color=INK, fontsize=10)
    errors = figure.add_axes((0.65, 0.15, 0.33, 0.82), xlim=(-0.5, 15.5), ylim=LIMITS, yscale="log")
    errors.set(xlabel="degree", ylabel="RMSE (seconds)", xticks=range(0, 16, 3))
    errors.set_yticks([0.01, 0.1, 1, 10], ["0.01", "0.1", "1", "10"])
    curves: dict[str, dict[str, Any]] = {
        "truth": {"color": INK, "linestyle": ":", "label": "the truth"},
        "drops": {"color": ORANGE, "marker": "o", "markersize": 5, "linestyle": "none", "label": "its drops"},
        "curve": {"color": BLUE, "linewidth": 2.5, "label": "the polynomial"},
    }
    measured: dict[str, dict[str, Any]] = {
        "here": {"color": BLUE, "linewidth": 10, "alpha": 0.2},
        "training": {"color": ORANGE, "marker": "o", "markersize": 4, "label": "its own drops"},
        "held out": {"color": INK, "marker": "s", "markersize": 4, "label": "held-out drops"},
    }
    return {
        "curves": Curves(drops, curves, ghosts=["curve"], legend={"loc": "upper left", "fontsize": 10}),
        "errors": Curves(errors, measured, legend={"loc": "upper center", "fontsize": 10}),
    }


def polynomial_contents(fitted: FittedPolynomials) -> dict[str, Any]:
    """What `polynomial_panels` show: the curve with its drops; the errors of all degrees."""
    degrees = np.arange(len(fitted.training))
    return {
        "curves": {
            "truth": (FLOORS, fall_time(FLOORS, TERMINAL_SPEED)),
            "drops": (fitted.floors, fitted.seconds),
            "curve": (FLOORS, fitted.curve.clip(-100, 100)),
        },
        "errors": {
            "here": ([fitted.degree] * 2, LIMITS),
            "training": (degrees, fitted.training.clip(*LIMITS)),
            "held out": (degrees, fitted.held_out.clip(*LIMITS)),
        },
    }
