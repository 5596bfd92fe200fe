"""Explorers of fitting: a line by hand, and polynomials judged on drops that they have and have not seen."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from course_utils.experiments.fitting import LOSSES, Drops, FittedLine, FittedPolynomials, fit_polynomials
from course_utils.explorers.base import Button, Choice, FigureExplorer, Slider, Stop
from course_utils.plots.fitting import line_contents, line_panels, polynomial_contents, polynomial_panels
from course_utils.plots.panels import Panel


def _found(now: FittedLine) -> str:
    return f"loss {now.loss:.3f}"


BY_HAND: tuple[Stop, ...] = (
    ({"slope": 0.0, "intercept": 3.5}, lambda now: f"A flat line gives one answer for every floor: {_found(now)}."),
    (
        {"slope": 0.1, "intercept": 3.5},
        lambda now: (
            "With slope 0.1 the line rises as the dots do, but it lies above "
            f"{int((now.residuals < 0).sum())} of {len(now.residuals)} dots: {_found(now)}."
        ),
    ),
    (
        {"slope": 0.1, "intercept": 2.0},
        lambda now: f"A smaller intercept moves the whole line down: {_found(now)}.",
    ),
    ({"slope": 0.2, "intercept": 2.0}, lambda now: f"With slope 0.2 it rises too steeply: {_found(now)}."),
    (
        {"slope": 0.2, "intercept": 0.5},
        lambda now: f"A smaller intercept makes up for a part of that: {_found(now)}.",
    ),
    (
        {"slope": 0.1576, "intercept": 1.135},
        lambda now: f"The best line: {_found(now)}. Even so, the largest residual is {now.largest:.2f}.",
    ),
)


class LineFitter(FigureExplorer):
    """A straight line through timed drops, moved by its slope and intercept and judged by its loss.

    Args:
        floor, seconds: the drops, ``(drops,)`` each.
        start: first values of the controls: slope, intercept.
    """

    size = (8.4, 3.6)
    caption_lines = 3
    slope = Slider(-1.0, 1.0, 0.0)  # ranges that fit the data come with them
    intercept = Slider(-1.0, 1.0, 0.0)
    best = Button("Let the computer fit the line", "fit")
    tour: Sequence[Stop] = BY_HAND

    def __init__(self, floor: ArrayLike, seconds: ArrayLike, **start: Any):
        drops = self.drops = Drops(floor, seconds)
        self.slope = _slider(-drops.steepest / 2, drops.steepest, 0.0)
        self.intercept = _slider(drops.middle - drops.height, drops.middle + drops.height, drops.middle)
        super().__init__(**start)

    def fit(self) -> None:
        """Set slope and intercept to where the loss is smallest."""
        slope, intercept = self.drops.best(self.result.loss_name)
        self.set(slope=slope, intercept=intercept)

    def compute(self, prepared: None, slope: float, intercept: float, loss: str = "squared") -> FittedLine:
        """Return the line's residuals and their loss, and that of the pinned line."""
        line, pinned = self.drops.line(slope, intercept, loss), self.pinned
        beat = self.drops.line(pinned.slope, pinned.intercept, loss).loss if pinned else None
        return replace(line, pinned_loss=beat)

    def layout_key(self, result: FittedLine) -> str:
        """The kind of loss."""
        return result.loss_name

    def make_panels(self, figure: Figure, result: FittedLine) -> dict[str, Panel]:
        """The line and its residuals; beside it, what the loss counts for each residual."""
        return line_panels(figure, result)

    def contents(self, result: FittedLine) -> dict[str, Any]:
        """The line with its residuals, and their charges."""
        return line_contents(result)


SQUARED_BEST = {"slope": 0.1576, "intercept": 1.135}  # on the tower's drops


def _late(now: FittedLine) -> str:
    return f"four residuals of {len(now.residuals)} make up {now.share_of_largest(4):.0%} of it. {_answer(now)}"


def _answer(now: FittedLine) -> str:
    return f"For floor 16 the line says {16 * now.slope + now.intercept:.2f} seconds"


class LossChooser(LineFitter):
    """A straight line through timed drops, judged by the squared, the absolute or Huber's loss.

    Args:
        floor, seconds: the drops, ``(drops,)`` each.
        start: first values of the controls: slope, intercept, loss.
    """

    loss = Choice(list(LOSSES), words=["squared", "absolute", "Huber's"])
    tour = (
        ({**SQUARED_BEST, "loss": "squared"}, lambda now: f"The best line by the squared loss: {_late(now)}."),
        ({**SQUARED_BEST, "loss": "huber"}, lambda now: f"The same line by Huber's loss: {_late(now)}."),
        ({**SQUARED_BEST, "loss": "absolute"}, lambda now: f"The same line by the absolute loss: {_late(now)}."),
        (
            {"slope": 0.1525, "intercept": 1.177, "loss": "absolute"},
            lambda now: f"The best line by the absolute loss ({now.loss:.4f}) lies lower. {_answer(now)}.",
        ),
        (
            {"slope": 0.1552, "intercept": 1.122, "loss": "huber"},
            lambda now: f"The best line by Huber's loss ({now.loss:.4f}). {_answer(now)}.",
        ),
    )


def _slider(low: float, high: float, start: float) -> Slider:
    """A slider of some hundred steps of a round size (1, 10, 0.1 ...), its ends on whole steps."""
    step = 10.0 ** np.floor(np.log10((high - low) / 300))
    return Slider(*(_on_step(value, step) for value in (low, high, start)), step=float(step))


def _on_step(value: float, step: float) -> float:
    return float(f"{round(value / step) * step:.6g}")


class PolynomialFitter(FigureExplorer):
    """Polynomials of any degree fitted to timed drops: how far off they are on those drops, and on others.

    The drops come from `fall_time` with a stopwatch's random errors, from heights spread evenly over floors 1 to 29;
    a hundred further drops in the same range are held out.
    """

    size = (8.4, 3.6)
    degree = Slider(0, 15, 1)
    points = Slider(2, 60, 16, label="number of drops")
    noise = Slider(0.0, 1.0, 0.2, step=0.05, label="stopwatch noise (s)")
    series = Slider(1, 20, 1, label="series of drops")
    tour = (
        ({"degree": 1}, lambda now: f"Degree 1 is the straight line: {now.here}."),
        ({"degree": 2}, lambda now: f"Degree 2 can curve once: {now.here}."),
        ({"degree": 15}, lambda now: f"Degree 15 passes through all 16 drops and swings between them: {now.here}."),
        ({"degree": 15, "series": 2}, lambda now: f"Degree 15 on another 16 drops: {now.here}."),
        ({"degree": 2, "series": 2}, lambda now: f"Degree 2 on the same 16 drops: {now.here}."),
        ({"degree": 15, "points": 60}, lambda now: f"With 60 drops, degree 15 has less room to swing: {now.here}."),
        ({"degree": 15, "noise": 0.0}, lambda now: f"Degree 15 with 16 drops and a perfect stopwatch: {now.here}."),
    )

    def compute(self, prepared: None, **knobs: Any) -> FittedPolynomials:
        """Fit every degree that the points allow, and measure each."""
        return fit_polynomials(**knobs)

    def make_panels(self, figure: Figure, result: FittedPolynomials) -> dict[str, Panel]:
        """The curve over the drops; beside it, both errors for every degree."""
        return polynomial_panels(figure)

    def contents(self, result: FittedPolynomials) -> dict[str, Any]:
        """The curve with its drops; the errors of all degrees."""
        return polynomial_contents(result)
