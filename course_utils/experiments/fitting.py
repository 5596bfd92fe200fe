"""Fitting by hand: a line and what a loss makes of its residuals, and polynomials judged on drops not seen before."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from course_utils.experiments.tower import TERMINAL_SPEED, fall_time
from course_utils.models import regression

LARGEST = 1e50  # squares of larger numbers could overflow
DELTA = 0.2  # seconds: from this size on, Huber's loss counts a residual in proportion
LOSSES = {
    "squared": regression.squared_error,
    "absolute": regression.absolute_error,
    "huber": lambda predictions, targets: regression.huber_error(predictions, targets, DELTA),
}
KINDS = {"squared": "squared residuals", "absolute": "absolute residuals", "huber": "residuals by Huber's rule"}

# ------------------------------------------------------------------------------------------------ a line by hand


class Drops:
    """Timed drops that a line is fitted to.

    Args:
        floor, seconds: ``(drops,)`` each.

    Raises:
        ValueError: what cannot be fitted, in a sentence.

    >>> Drops([1, 2, 3], [2, 4, 7]).best("squared")
    (2.5, -0.6667)
    """

    def __init__(self, floor: ArrayLike, seconds: ArrayLike):
        try:
            x, y = np.asarray(floor, dtype=float), np.asarray(seconds, dtype=float)
        except (TypeError, ValueError):
            raise ValueError(
                "Something in the data is not a number; give two lists of numbers of one length."
            ) from None
        if x.ndim != 1 or x.shape != y.shape:
            raise ValueError(f"Data of shapes {x.shape} and {y.shape} are not pairs; give one time for each floor.")
        if not ((np.abs(x) < LARGEST).all() and (np.abs(y) < LARGEST).all()):
            raise ValueError("The data hold a number that is missing, infinite or too large to square; leave it out.")
        if len(np.unique(x)) < 2:
            raise ValueError("A line needs drops from at least 2 different floors; add one from another floor.")
        self.floor, self.seconds = x, y
        self.height, self.middle = float(np.ptp(y)) or 1.0, float(y.mean())
        self.steepest = 2 * self.height / float(np.ptp(x))
        self.far = 0.4 * self.height  # the largest residual that a picture shows

    def line(self, slope: float, intercept: float, loss: str) -> "FittedLine":
        """The line's residuals, and what the loss makes of them."""
        residuals = self.seconds - slope * self.floor - intercept
        return FittedLine(self, slope, intercept, loss, residuals, charged(loss, residuals))

    def best(self, loss: str) -> tuple[float, float]:
        """Slope and intercept where the loss is smallest, rounded to four digits."""
        features = np.stack([self.floor, np.ones_like(self.floor)], axis=1)  # (drops, 2)
        slope, intercept = regression.fit_weights(features, self.seconds, loss, DELTA)
        return float(f"{slope:.4g}"), float(f"{intercept:.4g}")


@dataclass(frozen=True)
class FittedLine:
    """A line, its residuals, and what a loss makes of them."""

    drops: Drops
    slope: float
    intercept: float
    loss_name: str
    residuals: NDArray  # (drops,) measured minus predicted
    charges: NDArray  # (drops,) what the loss counts for each residual
    pinned_loss: float | None = None  # of the line to beat, by the same kind of loss

    @property
    def loss(self) -> float:
        """The mean of the charges."""
        return float(self.charges.mean())

    @property
    def largest(self) -> float:
        """The size of the largest residual."""
        return float(np.abs(self.residuals).max())

    @property
    def beyond(self) -> NDArray:
        """Which residuals are too large for the picture, ``(drops,)`` bool."""
        return np.abs(self.residuals) > self.drops.far

    def share_of_largest(self, count: int) -> float:
        """The share of all charges that the largest ``count`` of them make up; 0 if the line fits perfectly."""
        return float(np.sort(self.charges)[-count:].sum() / (self.charges.sum() or 1.0))

    def described(self) -> str:
        """Slope, intercept, the loss, and how the line to beat fares."""
        beyond, beat = int(self.beyond.sum()), ""
        hollow = f" Too large for the picture on the right, drawn hollow at its edge: {beyond}." if beyond else ""
        if self.pinned_loss is not None:
            better = self.loss < self.pinned_loss
            beat = f" The pinned line has {self.pinned_loss:.4g}: {'beaten' if better else 'not beaten'}."
        return (
            f"Slope {self.slope:.4g}, intercept {self.intercept:.4g}: loss {self.loss:.4g}, the mean of "
            f"{len(self.residuals)} {KINDS[self.loss_name]}. The largest residual is {self.largest:.3g}.{hollow}{beat}"
        )


def charged(loss: str, residuals: ArrayLike) -> NDArray:
    """What a loss counts for each residual; the loss is the mean of these.

    >>> charged("squared", [-1.0, 3.0]).tolist()
    [1.0, 9.0]
    """
    return np.array([float(LOSSES[loss](np.zeros(1), residual)) for residual in np.asarray(residuals)])


# ------------------------------------------------------------------------------------------------ polynomials

FLOORS = np.linspace(0, 40, 321)  # a curve is drawn over these
TOP = 29.0  # the highest floor with a drop
DEGREES = 16  # from 0


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

    def described(self) -> str:
        """The degree, both errors, and what the polynomial says beyond the drops."""
        truth = float(fall_time(FLOORS[-1], TERMINAL_SPEED))
        return (
            f"Degree {self.degree} on {len(self.floors)} drops: RMSE {self.training[self.degree]:.2f} s on "
            f"these, {self.held_out[self.degree]:,.2f} s on 100 held-out drops. For floor 40 it says "
            f"{self.curve[-1]:,.1f} s; the truth is {truth:.1f} s."
        )


def fit_polynomials(degree: int, points: int, noise: float, series: int) -> FittedPolynomials:
    """Fit every degree that the points allow, and measure each.

    Args:
        degree: of the polynomial whose curve is returned.
        points: drops to fit, from heights spread evenly over floors 1 to 29; a hundred others are held out.
        noise: of the stopwatch, in seconds.
        series: from 1; another one has other random errors.

    >>> fit_polynomials(1, 16, 0.2, series=1).training.shape
    (16,)
    """
    generator = np.random.default_rng(series - 1)
    unseen = generator.uniform(1, TOP, 100)
    unseen_seconds = fall_time(unseen, TERMINAL_SPEED) + noise * generator.standard_normal(100)
    floors = np.linspace(1, TOP, points)
    seconds = fall_time(floors, TERMINAL_SPEED) + noise * generator.standard_normal(points)
    chosen = regression.fit_polynomial(floors, seconds, degree)
    fits = [regression.fit_polynomial(floors, seconds, power) for power in range(min(points, DEGREES))]
    training = [regression.root_mean_squared_error(fit(floors), seconds) for fit in fits]
    held_out = [regression.root_mean_squared_error(fit(unseen), unseen_seconds) for fit in fits]
    return FittedPolynomials(floors, seconds, degree, chosen(FLOORS), np.array(training), np.array(held_out))
