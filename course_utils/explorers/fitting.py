"""Explorers of fitting: a line by hand, and polynomials on drops they have and have not seen."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from course_utils.data import TERMINAL_SPEED
from course_utils.explorers.base import Button, Choice, FigureExplorer, Slider
from course_utils.models.regression import absolute_error, fit_polynomial, fit_weights, huber_error, squared_error
from course_utils.plots.style import BLUE, GREY, INK, ORANGE, readable

LARGEST = 1e50  # squares of larger numbers could overflow


def fall_time(floor: ArrayLike, terminal_speed: float) -> NDArray:
    """Seconds that a ball falls through air from a tower with 3 metres a floor.

    Args:
        floor: one number or many; 0 is the ground.
        terminal_speed: where air and gravity pull equally hard, in metres per second.

    >>> float(fall_time(16, terminal_speed=10).round(2))
    5.51
    """
    height, gravity = 3 * np.asarray(floor, dtype=float), 9.81
    return terminal_speed / gravity * np.arccosh(np.exp(gravity * height / terminal_speed**2))


# ------------------------------------------------------------------------------------------------ a line by hand


@dataclass(frozen=True)
class FittedLine:
    """A line and its misses."""

    slope: float
    intercept: float
    kind: str  # of loss
    residuals: NDArray  # (examples,) measured minus predicted
    loss: float
    pinned_loss: float | None  # of the pinned line, by the same kind of loss


class LineFitter(FigureExplorer):
    """Two knobs, slope and intercept, turned until a line fits.

    Args:
        x, y: the examples, ``(examples,)`` each.
        names: what stands at the two axes.
        delta: the miss at which Huber's loss turns straight, in the unit of y.
        start: first values of the controls: slope, intercept, loss.
    """

    size = (8.4, 3.8)
    caption_lines = 3
    slope = Slider(-1.0, 1.0, 0.0)  # ranges that fit the data come with them
    intercept = Slider(-1.0, 1.0, 0.0)
    loss = Choice(["squared", "absolute", "huber"])
    best = Button("Let the computer turn them", "fit")

    def __init__(
        self, x: ArrayLike, y: ArrayLike, names: tuple[str, str] = ("x", "y"), delta: float = 0.2, **start: Any
    ):
        self.x, self.y = _examples(x, y)
        self.names, self.delta = names, delta
        if not 0 < delta < LARGEST:
            raise ValueError(f"delta={delta} must be above 0; try 0.2.")
        height, middle = float(np.ptp(self.y)) or 1.0, float(self.y.mean())
        steepest = 2 * height / float(np.ptp(self.x))
        slope, intercept = _knob(-steepest / 2, steepest, 0.0), _knob(middle - height, middle + height, middle)
        self.slope, self.intercept, self.steps = slope, intercept, (slope.step, intercept.step)
        self.far = 0.4 * height  # the largest miss that the right picture shows
        self.functions = {
            "squared": squared_error,
            "absolute": absolute_error,
            "huber": lambda predictions, targets: huber_error(predictions, targets, delta),
        }
        super().__init__(**start)

    def fit(self) -> None:
        """Turn both knobs to where the chosen loss is smallest, as near as their steps allow."""
        features = np.stack([self.x, np.ones_like(self.x)], axis=1)
        slope, intercept = fit_weights(features, self.y, self.loss, self.delta)
        # A browser's slider would jump to the nearest whole step, and draw twice.
        self.set(slope=_on_step(slope, self.steps[0]), intercept=_on_step(intercept, self.steps[1]))

    def compute(self, prepared: None, slope: float, intercept: float, loss: str) -> FittedLine:
        """Return the line's misses and their loss."""
        line, mean = slope * self.x + intercept, self.functions[loss]
        pinned = mean(self.pinned.slope * self.x + self.pinned.intercept, self.y) if self.pinned else None
        return FittedLine(slope, intercept, loss, self.y - line, float(mean(line, self.y)), pinned)

    def draw(self, figure: Figure, result: FittedLine) -> None:
        """The line and its misses; beside it, what the loss charges for each miss."""
        ends = np.array([self.x.min(), self.x.max()])
        charge = self.functions[result.kind]
        if not self.artists:
            room = 0.1 * np.ptp(self.y) or 0.1
            axes = figure.add_axes((0.07, 0.14, 0.47, 0.78), xlabel=readable(self.names[0]))
            axes.set(ylabel=readable(self.names[1]), ylim=(self.y.min() - 2 * room, self.y.max() + room))
            axes.plot(self.x, self.y, "o", color=INK, markersize=4, zorder=3)
            if self.pinned:
                axes.plot(ends, self.pinned.slope * ends + self.pinned.intercept, "--", color=GREY, linewidth=2)
                axes.plot([], [], "--", color=GREY, label="pinned")
                axes.legend(loc="upper left")
            self.artists["misses"] = axes.add_collection(LineCollection([], colors=ORANGE, linewidths=1.5))
            (self.artists["line"],) = axes.plot([], [], color=BLUE, linewidth=2.5)
            self.charges = figure.add_axes((0.64, 0.14, 0.33, 0.78), xlim=(-self.far, self.far))
            self.charges.set(xlabel="miss (measured minus predicted)", ylabel="what the loss charges for it")
            (self.artists["charge"],) = self.charges.plot([], [], color=GREY)
            (self.artists["dots"],) = self.charges.plot([], [], "o", color=ORANGE, markersize=5, clip_on=False)
            (self.artists["beyond"],) = self.charges.plot([], [], "o", color=ORANGE, markersize=6, clip_on=False)
            self.artists["beyond"].set(markerfacecolor="white", markeredgewidth=1.5)
            (self.artists["mean"],) = self.charges.plot([], [], color=BLUE, linewidth=2.5)
            self.artists["words"] = self.charges.text(0.5, 0.97, "", color=BLUE, ha="center", va="top", weight="bold",
                                                      transform=self.charges.transAxes)  # fmt: skip
        predicted = result.slope * self.x + result.intercept
        self.artists["misses"].set_segments(list(np.stack([self.x, predicted, self.x, self.y], 1).reshape(-1, 2, 2)))
        self.artists["line"].set_data(ends, result.slope * ends + result.intercept)
        if self.charges.get_title() != result.kind:
            misses = np.linspace(-self.far, self.far, 121)
            prices = np.array([charge(miss, np.zeros(1)) for miss in misses])
            self.charges.set_title(result.kind)
            self.charges.set_ylim(0, 1.1 * prices[-1])
            self.artists["charge"].set_data(misses, prices)
        shown, beyond = result.residuals.clip(-self.far, self.far), np.abs(result.residuals) > self.far
        for name, misses in (("dots", shown[~beyond]), ("beyond", shown[beyond])):  # beyond: hollow, at the edge
            self.artists[name].set_data(misses, [charge(miss, np.zeros(1)) for miss in misses])
        self.artists["mean"].set_data([-self.far, self.far], [result.loss] * 2)
        self.artists["words"].set_text(f"loss = the mean = {result.loss:.3g}")

    def caption(self, result: FittedLine) -> str:
        """Say both knobs, the loss, and how the pinned line fares."""
        beat, beyond = "", int((np.abs(result.residuals) > self.far).sum())
        hollow = f" Beyond the right-hand picture, drawn hollow: {beyond}." if beyond else ""
        if result.pinned_loss is not None:
            better = result.loss < result.pinned_loss
            beat = f" The ghost's is {result.pinned_loss:.4g}: {'beaten' if better else 'not beaten'}."
        return (
            f"Slope {result.slope:.4g}, intercept {result.intercept:.4g}: {result.kind} loss {result.loss:.4g} over "
            f"{len(self.x)} measurements; the largest miss is {np.abs(result.residuals).max():.3g}.{hollow}{beat}"
        )


def _examples(x: ArrayLike, y: ArrayLike) -> tuple[NDArray, NDArray]:
    try:
        x, y = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    except (TypeError, ValueError):
        raise ValueError("Something in x or y is not a number; give two lists of numbers of the same length.") from None
    if x.ndim != 1 or x.shape != y.shape:
        raise ValueError(f"x of shape {x.shape} and y of shape {y.shape} are not pairs; give one y for each x.")
    if not ((np.abs(x) < LARGEST).all() and (np.abs(y) < LARGEST).all()):
        raise ValueError("The data hold a number that is missing, infinite or too large to square; leave it out.")
    if len(np.unique(x)) < 2:
        raise ValueError("A line needs examples at 2 different x at least; add one at another place.")
    return x, y


def _knob(low: float, high: float, start: float) -> Slider:
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
    training: NDArray  # (degrees,) typical miss on the points, for degree 0, 1, ...
    held_out: NDArray  # (degrees,) typical miss on the held-out drops


def typical_miss(predictions: NDArray, targets: NDArray) -> float:
    """The root of the mean squared miss: in seconds again, not in squared seconds.

    >>> round(typical_miss(np.array([1.0, 2.0]), np.array([4.0, 6.0])), 3)
    3.536
    """
    return float(np.sqrt(squared_error(predictions, targets)))


class PolynomialFitter(FigureExplorer):
    """Polynomials of any degree fitted to timed drops: what they miss on those drops, and on others.

    The drops come from `fall_time` with a stopwatch's noise, from heights spread evenly over floors 1 to 29; a
    hundred further drops in the same range are held out.
    """

    size = (8.4, 3.8)
    degree = Slider(0, 15, 1)
    points = Slider(2, 60, 16, label="training points")
    noise = Slider(0.0, 1.0, 0.2, step=0.05, label="noise (seconds)")
    again = Button("Drop the balls again", "drop_again")

    FLOORS = np.linspace(0, 40, 321)  # the curve is drawn over these
    TOP = 29.0  # the highest floor with a drop
    LIMITS = (0.01, 20.0)  # of the errors' picture, in seconds

    def restart(self) -> None:
        """The first set of drops."""
        self.seed = 0

    def drop_again(self) -> None:
        """Take other drops, with other noise."""
        self.seed += 1

    def compute(self, prepared: None, degree: int, points: int, noise: float) -> FittedPolynomials:
        """Fit every degree that the points allow, and measure each."""
        generator = np.random.default_rng(self.seed)
        unseen = generator.uniform(1, self.TOP, 100)
        unseen_seconds = fall_time(unseen, TERMINAL_SPEED) + noise * generator.standard_normal(100)
        floors = np.linspace(1, self.TOP, points)
        seconds = fall_time(floors, TERMINAL_SPEED) + noise * generator.standard_normal(points)
        chosen = fit_polynomial(floors, seconds, degree)
        fits = [fit_polynomial(floors, seconds, power) for power in range(min(points, 16))]
        return FittedPolynomials(
            floors, seconds, degree, chosen(self.FLOORS),
            np.array([typical_miss(fit(floors), seconds) for fit in fits]),
            np.array([typical_miss(fit(unseen), unseen_seconds) for fit in fits]),
        )  # fmt: skip

    def draw(self, figure: Figure, result: FittedPolynomials) -> None:
        """The curve over the drops; beside it, both errors for every degree."""
        if not self.artists:
            axes = figure.add_axes((0.07, 0.14, 0.47, 0.78), xlim=(0, 40), ylim=(-0.5, 9))
            axes.set(xlabel="floor", ylabel="seconds")
            axes.axvspan(self.TOP, 40, color="#eeeeee", linewidth=0)
            axes.text(self.TOP + 0.4, 0, "no drops here", color=INK, fontsize=10)
            axes.plot(self.FLOORS, fall_time(self.FLOORS, TERMINAL_SPEED), ":", color=INK, label="the truth")
            if self.pinned:
                axes.plot(
                    self.FLOORS, self.pinned.curve, "--", color=GREY, label=f"pinned: degree {self.pinned.degree}"
                )
            (self.artists["points"],) = axes.plot([], [], "o", color=ORANGE, markersize=5, zorder=3, label="drops")
            (self.artists["curve"],) = axes.plot([], [], color=BLUE, linewidth=2.5, label="the polynomial")
            axes.legend(loc="upper left", fontsize=10)
            errors = figure.add_axes((0.64, 0.14, 0.33, 0.78), xlim=(-0.5, 15.5), ylim=self.LIMITS, yscale="log")
            errors.set(xlabel="degree", ylabel="typical miss (seconds)", xticks=range(0, 16, 3))
            errors.set_yticks([0.01, 0.1, 1, 10], ["0.01", "0.1", "1", "10"])
            self.artists["here"] = errors.axvline(0, color=BLUE, linewidth=10, alpha=0.2)
            (self.artists["training"],) = errors.plot([], [], "o-", color=ORANGE, markersize=4, label="its own drops")
            (self.artists["held out"],) = errors.plot([], [], "s-", color=INK, markersize=4, label="held-out drops")
            errors.legend(loc="upper center", fontsize=10)
        self.artists["points"].set_data(result.floors, result.seconds)
        self.artists["curve"].set_data(self.FLOORS, result.curve.clip(-100, 100))
        self.artists["here"].set_xdata([result.degree] * 2)
        for name, misses in (("training", result.training), ("held out", result.held_out)):
            self.artists[name].set_data(np.arange(len(misses)), misses.clip(*self.LIMITS))

    def caption(self, result: FittedPolynomials) -> str:
        """Say the degree, both errors, and what the polynomial says beyond the drops."""
        truth = float(fall_time(40, TERMINAL_SPEED))
        return (
            f"Degree {result.degree} on {len(result.floors)} drops: typical miss "
            f"{result.training[result.degree]:.2f} s on these, {result.held_out[result.degree]:,.2f} s on 100 held-out "
            f"drops. For floor 40 it says {result.curve[-1]:,.1f} s; the truth is {truth:.1f} s."
        )
