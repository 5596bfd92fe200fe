"""Losses, and the fitting of lines and polynomials: the smallest models there are.

The losses take numpy arrays and torch tensors; the fits use numpy and take whatever it can read.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Numbers = Any  # numpy arrays or torch tensors
LOSSES = ("squared", "huber", "absolute")


def squared_error(predictions: Numbers, targets: Numbers) -> Numbers:
    """The mean of the squared residuals; a residual twice as large counts four times as much.

    >>> float(squared_error(np.array([1.0, 2.0]), np.array([1.0, 5.0])))
    4.5
    """
    return ((targets - predictions) ** 2).mean()


def root_mean_squared_error(predictions: Numbers, targets: Numbers) -> Numbers:
    """The square root of the mean squared residual (RMSE): back in the targets' own unit.

    >>> float(root_mean_squared_error(np.array([1.0, 2.0]), np.array([2.0, 9.0])))
    5.0
    """
    return squared_error(predictions, targets) ** 0.5


def absolute_error(predictions: Numbers, targets: Numbers) -> Numbers:
    """The mean size of the residuals, without their signs; a residual twice as large counts twice.

    >>> float(absolute_error(np.array([1.0, 2.0]), np.array([1.0, 5.0])))
    1.5
    """
    return abs(targets - predictions).mean()


def huber_error(predictions: Numbers, targets: Numbers, delta: float = 1.0) -> Numbers:
    """The mean of half the squared residuals, where a residual beyond ``delta`` counts in proportion (Huber 1964).

    >>> float(huber_error(np.array([1.0, 2.0]), np.array([1.5, 5.0])))     # (0.5 * 0.5**2 + (3 - 0.5)) / 2
    1.3125
    """
    size = abs(targets - predictions)
    small = size.clip(max=delta)
    return (small * (size - small / 2)).mean()


def least_squares(features: ArrayLike, targets: ArrayLike) -> NDArray:
    """The weights whose predictions ``features @ weights`` have the smallest mean squared residual.

    Args:
        features: ``(examples, weights)``; a column of ones makes room for a constant.
        targets: ``(examples,)``.

    Returns:
        ``(weights,)`` float64.

    Raises:
        ValueError: if the examples cannot fix every weight, or a number is missing or infinite.

    >>> floors = np.array([1.0, 2.0, 3.0])
    >>> least_squares(np.stack([floors, np.ones(3)], axis=1), [3.0, 5.0, 7.0]).round(6)
    array([2., 1.])
    """
    columns, values = np.asarray(features, dtype=float), np.asarray(targets, dtype=float)
    if columns.ndim != 2 or values.shape != columns.shape[:1]:
        raise ValueError(
            f"features of shape {columns.shape} and targets of shape {values.shape} do not belong together; "
            f"give (examples, weights) and (examples,)."
        )
    if not (np.isfinite(columns).all() and np.isfinite(values).all()):
        raise ValueError("The data hold a number that is missing or infinite; leave that example out.")
    size = np.sqrt((columns**2).sum(axis=0))
    size[size == 0] = 1.0  # scaled columns make the rank below mean the same in any unit
    weights, _, rank, _ = np.linalg.lstsq(columns / size, values, rcond=None)
    if rank < columns.shape[1]:
        raise ValueError(
            f"{len(values)} examples fix only {rank} of {columns.shape[1]} weights; use fewer weights or more examples."
        )
    return weights / size


def fit_weights(features: ArrayLike, targets: ArrayLike, loss: str = "squared", delta: float = 1.0) -> NDArray:
    """The weights with the smallest loss of a chosen kind.

    For Huber's and the absolute loss, least squares runs again and again; each time, an example counts for less the
    larger its residual was the time before (iteratively reweighted least squares).

    Args:
        features: ``(examples, weights)``.
        targets: ``(examples,)``.
        loss: ``"squared"``, ``"huber"`` or ``"absolute"``.
        delta: of Huber's loss, in the targets' unit.

    With one weight on a column of ones the fits are the mean, a number between mean and median, and the median:

    >>> ones = np.ones((5, 1))
    >>> [float(fit_weights(ones, [2, 2, 3, 3.5, 89.5], loss)[0].round(3)) for loss in LOSSES]
    [20.0, 2.875, 3.0]
    """
    if loss not in LOSSES:
        raise ValueError(f"loss={loss!r} is not known; choose one of: {', '.join(LOSSES)}.")
    if not delta > 0:
        raise ValueError(f"delta={delta} must be above 0; try 1.")
    weights = least_squares(features, targets)
    if loss == "squared":
        return weights
    columns, values = np.asarray(features, dtype=float), np.asarray(targets, dtype=float)
    # The absolute loss is Huber's with a delta that is tiny beside the spread of the targets.
    delta = delta if loss == "huber" else 1e-7 * (np.ptp(values) or 1.0)
    for _ in range(500):
        size = np.abs(values - columns @ weights)
        importance = np.sqrt(delta / np.maximum(size, delta))  # its square is the weight of the squared residual
        improved = least_squares(columns * importance[:, None], values * importance)
        if np.allclose(improved, weights, rtol=1e-10, atol=1e-12):
            return improved
        weights = improved
    return weights


@dataclass(frozen=True)
class Polynomial:
    """A fitted polynomial; call it to predict."""

    middle: float  # inputs are moved and scaled to -1..1 first, so that high powers stay small numbers
    half_width: float
    weights: NDArray  # (degree + 1,): of 1, x, x**2, ... of the scaled x

    def __call__(self, inputs: ArrayLike) -> NDArray:
        """Predictions, in the shape of the inputs."""
        scaled = (np.asarray(inputs, dtype=float) - self.middle) / self.half_width
        return np.vander(scaled.ravel(), len(self.weights), increasing=True).dot(self.weights).reshape(scaled.shape)


def fit_polynomial(
    inputs: ArrayLike, targets: ArrayLike, degree: int, loss: str = "squared", delta: float = 1.0
) -> Polynomial:
    """The polynomial of a degree that fits best; degree 1 is a line.

    Args:
        inputs: ``(examples,)``.
        targets: ``(examples,)``.
        degree: the highest power, at least 0 and below the number of different inputs.
        loss: as in `fit_weights`.
        delta: as in `fit_weights`.

    Raises:
        ValueError: if there are too few different inputs for the degree.

    >>> curve = fit_polynomial([0, 1, 2, 3], [0, 1, 4, 9], degree=2)
    >>> float(curve(10).round(6))
    100.0
    """
    values = np.asarray(inputs, dtype=float)
    different = len(np.unique(values))
    if not 0 <= degree < different:
        raise ValueError(
            f"degree={degree} needs more different inputs than the {different} there are; lower it or add points."
        )
    middle, half_width = (values.max() + values.min()) / 2, (values.max() - values.min()) / 2 or 1.0
    features = np.vander((values - middle) / half_width, degree + 1, increasing=True)  # (examples, degree + 1)
    return Polynomial(float(middle), float(half_width), fit_weights(features, targets, loss, delta))
