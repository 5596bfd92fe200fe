"""Explorers of fitting: a line by hand, and polynomials judged on drops that they have and have not seen."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from course_utils.experiments.tower import TERMINAL_SPEED, fall_time
from course_utils.explorers.base import Button, Choice, FigureExplorer, Slider, Stop
from course_utils.models import regression
from course_utils.plots.panels import Curves, Panel, Words
from course_utils.plots.style import BLUE, GREY, INK, ORANGE

LARGEST = 1e50  # squares of larger numbers could overflow
DELTA = 0.2  # seconds: from this size on, Huber's loss counts a residual in proportion
LOSSES = {
    "squared": regression.squared_error,
    "absolute": regression.absolute_error,
    "huber": lambda predictions, targets: regression.huber_error(predictions, targets, DELTA),
}
KINDS = {"squared": "squared residuals", "absolute": "absolute residuals", "huber": "residuals by Huber's rule"}

# ------------------------------------------------------------------------------------------------ a line by hand


@dataclass(frozen=True)
class FittedLine:
    """A line, its residuals, and what a loss makes of them."""

    slope: float
    intercept: float
    loss_name: str
    residuals: NDArray  # (drops,) measured minus predicted
    charges: NDArray  # (drops,) what the loss counts for each residual
    loss: float  # the mean of the charges
    pinned_loss: float | None  # of the pinned line, by the same kind of loss

    @property
    def largest(self) -> float:
        """The size of the largest residual."""
        return float(np.abs(self.residuals).max())

    def share_of_largest(self, count: int) -> float:
        """The share of all charges that the largest ``count`` of them make up; 0 if the line fits perfectly."""
        return float(np.sort(self.charges)[-count:].sum() / (self.charges.sum() or 1.0))


def _found(now: FittedLine) -> str:
    return f"loss {now.loss:.3f}"


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
    tour: Sequence[Stop] = (
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

    def __init__(self, floor: ArrayLike, seconds: ArrayLike, **start: Any):
        self.floor, self.seconds = _examples(floor, seconds)
        height, middle = float(np.ptp(self.seconds)) or 1.0, float(self.seconds.mean())
        steepest = 2 * height / float(np.ptp(self.floor))
        self.slope, self.intercept = (
            _slider(-steepest / 2, steepest, 0.0),
            _slider(middle - height, middle + height, middle),
        )
        self.far = 0.4 * height  # the largest residual that the right-hand picture shows
        super().__init__(**start)

    def fit(self) -> None:
        """Set slope and intercept to where the loss is smallest, rounded to four digits."""
        features = np.stack([self.floor, np.ones_like(self.floor)], axis=1)
        best = regression.fit_weights(features, self.seconds, self.result.loss_name, DELTA)
        self.set(slope=float(f"{best[0]:.4g}"), intercept=float(f"{best[1]:.4g}"))

    def compute(self, prepared: None, slope: float, intercept: float, loss: str = "squared") -> FittedLine:
        """Return the line's residuals and their loss."""
        residuals, charges = self.seconds - slope * self.floor - intercept, LOSSES[loss]
        pinned = None
        if self.pinned:
            pinned = float(charges(self.pinned.slope * self.floor + self.pinned.intercept, self.seconds))
        each = charged(loss, residuals)
        return FittedLine(slope, intercept, loss, residuals, each, float(each.mean()), pinned)

    def layout_key(self, result: FittedLine) -> str:
        """The kind of loss."""
        return result.loss_name

    def make_panels(self, figure: Figure, result: FittedLine) -> dict[str, Panel]:
        """The line and its residuals; beside it, what the loss counts for each residual."""
        room, far = 0.1 * np.ptp(self.seconds) or 0.1, self.far
        left = figure.add_axes((0.07, 0.15, 0.47, 0.82), xlabel="floor", ylabel="seconds")
        ends = self.floor.min(), self.floor.max()
        left.set(ylim=(self.seconds.min() - 2 * room, self.seconds.max() + room))
        left.set_xlim(ends[0] - 0.04 * (ends[1] - ends[0]), ends[1] + 0.04 * (ends[1] - ends[0]))
        right = figure.add_axes((0.65, 0.15, 0.33, 0.82), xlim=(-far, far), xlabel="residual (measured − predicted)")
        right.set(ylim=(0, 1.3 * charged(result.loss_name, np.array([far]))[0]), ylabel=KINDS[result.loss_name])
        dots = {"linestyle": "none", "marker": "o", "clip_on": False}
        rule = np.linspace(-far, far, 121)
        right.plot(rule, charged(result.loss_name, rule), color=GREY, zorder=1)
        line = {
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
            "line": Curves(left, line, ghosts=["line"], legend={"loc": "upper left"}),
            "charges": Curves(right, charges),
            "words": Words(words),
        }

    def contents(self, result: FittedLine) -> dict[str, Any]:
        """The line with its residuals, and their charges; a residual too large for the picture stands at its edge."""
        ends = np.array([self.floor.min(), self.floor.max()])
        predicted, gap = self.seconds - result.residuals, np.full(len(self.floor), np.nan)
        strokes = np.stack([self.floor, self.floor, gap], 1), np.stack([predicted, self.seconds, gap], 1)
        shown, beyond = result.residuals.clip(-self.far, self.far), np.abs(result.residuals) > self.far
        charges = charged(result.loss_name, shown)
        return {
            "line": {
                "residuals": (strokes[0].ravel(), strokes[1].ravel()),
                "drops": (self.floor, self.seconds),
                "line": (ends, result.slope * ends + result.intercept),
            },
            "charges": {
                "inside": (shown[~beyond], charges[~beyond]),
                "beyond": (shown[beyond], charges[beyond]),
                "mean": ([-self.far, self.far], [result.loss] * 2),
            },
            "words": f"loss = the mean = {result.loss:.3g}",
        }

    def caption(self, result: FittedLine) -> str:
        """Say slope, intercept, the loss, and how the pinned line fares."""
        beyond, beat = int((np.abs(result.residuals) > self.far).sum()), ""
        hollow = f" Too large for the picture on the right, drawn hollow at its edge: {beyond}." if beyond else ""
        if result.pinned_loss is not None:
            better = result.loss < result.pinned_loss
            beat = f" The pinned line has {result.pinned_loss:.4g}: {'beaten' if better else 'not beaten'}."
        return (
            f"Slope {result.slope:.4g}, intercept {result.intercept:.4g}: loss {result.loss:.4g}, the mean of "
            f"{len(self.floor)} {KINDS[result.loss_name]}. The largest residual is "
            f"{result.largest:.3g}.{hollow}{beat}"
        )


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


def charged(loss: str, residuals: ArrayLike) -> NDArray:
    """What a loss counts for each residual; the loss is the mean of these.

    >>> charged("squared", [-1.0, 3.0]).tolist()
    [1.0, 9.0]
    """
    return np.array([float(LOSSES[loss](np.zeros(1), residual)) for residual in np.asarray(residuals)])


def _examples(floor: ArrayLike, seconds: ArrayLike) -> tuple[NDArray, NDArray]:
    try:
        x, y = np.asarray(floor, dtype=float), np.asarray(seconds, dtype=float)
    except (TypeError, ValueError):
        raise ValueError("Something in the data is not a number; give two lists of numbers of one length.") from None
    if x.ndim != 1 or x.shape != y.shape:
        raise ValueError(f"Data of shapes {x.shape} and {y.shape} are not pairs; give one time for each floor.")
    if not ((np.abs(x) < LARGEST).all() and (np.abs(y) < LARGEST).all()):
        raise ValueError("The data hold a number that is missing, infinite or too large to square; leave it out.")
    if len(np.unique(x)) < 2:
        raise ValueError("A line needs drops from at least 2 different floors; add one from another floor.")
    return x, y


def _slider(low: float, high: float, start: float) -> Slider:
    """A slider of some hundred steps of a round size (1, 10, 0.1 ...), its ends on whole steps."""
    step = 10.0 ** np.floor(np.log10((high - low) / 300))
    return Slider(*(_on_step(value, step) for value in (low, high, start)), step=float(step))


def _on_step(value: float, step: float) -> float:
    return float(f"{round(value / step) * step:.6g}")


# ------------------------------------------------------------------------------------------------ polynomials


@dataclass(frozen=True)
class FittedPolynomials:
    """A polynomial fitted to some drops, its errors, and the errors of the other degrees on the same drops."""

    floors: NDArray  # (points,) that it was fitted to
    seconds: NDArray  # (points,)
    degree: int
    curve: NDArray  # (len(FLOORS),) its predictions
    training: NDArray  # (degrees,) RMSE on the points, for degree 0, 1, ...
    held_out: NDArray  # (degrees,) RMSE on the held-out drops

    @property
    def here(self) -> str:
        """Both errors of the chosen degree, in words."""
        return f"RMSE {self.training[self.degree]:.2f} on its own drops, {self.held_out[self.degree]:.2f} held out"


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

    FLOORS = np.linspace(0, 40, 321)  # the curve is drawn over these
    TOP = 29.0  # the highest floor with a drop
    LIMITS = (0.01, 20.0)  # of the errors' picture, in seconds

    def compute(self, prepared: None, degree: int, points: int, noise: float, series: int) -> FittedPolynomials:
        """Fit every degree that the points allow, and measure each."""
        generator = np.random.default_rng(series - 1)
        unseen = generator.uniform(1, self.TOP, 100)
        unseen_seconds = fall_time(unseen, TERMINAL_SPEED) + noise * generator.standard_normal(100)
        floors = np.linspace(1, self.TOP, points)
        seconds = fall_time(floors, TERMINAL_SPEED) + noise * generator.standard_normal(points)
        chosen = regression.fit_polynomial(floors, seconds, degree)
        fits = [regression.fit_polynomial(floors, seconds, power) for power in range(min(points, 16))]
        training = [regression.root_mean_squared_error(fit(floors), seconds) for fit in fits]
        held_out = [regression.root_mean_squared_error(fit(unseen), unseen_seconds) for fit in fits]
        return FittedPolynomials(
            floors, seconds, degree, chosen(self.FLOORS), np.array(training), np.array(held_out)
        )  # fmt: skip

    def make_panels(self, figure: Figure, result: FittedPolynomials) -> dict[str, Panel]:
        """The curve over the drops; beside it, both errors for every degree."""
        drops = figure.add_axes((0.07, 0.15, 0.47, 0.82), xlim=(0, 40), ylim=(-0.5, 10.5))
        drops.set(xlabel="floor", ylabel="seconds")
        drops.axvspan(self.TOP, 40, color="#eeeeee", linewidth=0)
        drops.text(self.TOP + 0.4, 0, "no drops here", color=INK, fontsize=10)
        errors = figure.add_axes((0.65, 0.15, 0.33, 0.82), xlim=(-0.5, 15.5), ylim=self.LIMITS, yscale="log")
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

    def contents(self, result: FittedPolynomials) -> dict[str, Any]:
        """The curve with its drops; the errors of all degrees."""
        degrees = np.arange(len(result.training))
        return {
            "curves": {
                "truth": (self.FLOORS, fall_time(self.FLOORS, TERMINAL_SPEED)),
                "drops": (result.floors, result.seconds),
                "curve": (self.FLOORS, result.curve.clip(-100, 100)),
            },
            "errors": {
                "here": ([result.degree] * 2, self.LIMITS),
                "training": (degrees, result.training.clip(*self.LIMITS)),
                "held out": (degrees, result.held_out.clip(*self.LIMITS)),
            },
        }

    def caption(self, result: FittedPolynomials) -> str:
        """Say the degree, both errors, and what the polynomial says beyond the drops."""
        truth = float(fall_time(40, TERMINAL_SPEED))
        return (
            f"Degree {result.degree} on {len(result.floors)} drops: RMSE {result.training[result.degree]:.2f} s on "
            f"these, {result.held_out[result.degree]:,.2f} s on 100 held-out drops. For floor 40 it says "
            f"{result.curve[-1]:,.1f} s; the truth is {truth:.1f} s."
        )
