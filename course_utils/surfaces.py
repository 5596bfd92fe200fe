"""Losses over one or two parameters, to look at and to walk on.

>>> bowl = SURFACES["bowl"]
>>> bowl.loss(1.0, 2.0), bowl.gradient(1.0, 2.0)
(5.0, (2.0, 4.0))
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike


@dataclass(frozen=True)
class Surface:
    """A loss over one or two parameters, with the gradient worked out on paper.

    ``loss(*position)`` takes numbers or arrays, so that a whole map is one call; ``gradient(*position)`` takes numbers.
    """

    name: str
    formula: str
    loss: Callable[..., Any]
    gradient: Callable[..., tuple[float, ...]]
    window: tuple[tuple[float, float], ...]  # (lowest, highest) of each parameter in the picture
    start: tuple[float, ...]
    minima: tuple[tuple[float, ...], ...]
    learning_rate: float  # one that arrives with plain gradient descent
    names: tuple[str, str] = ("x", "y")  # of the parameters

    def map(self, points: int = 101) -> tuple[np.ndarray, ...]:
        """The axes, ``(points,)`` each, and the loss over them, ``(points,)`` or ``(points y, points x)``."""
        axes = [np.linspace(low, high, points) for low, high in self.window]
        return *axes, self.loss(*np.meshgrid(*axes))

    @cached_property
    def highest(self) -> float:
        """The highest loss in the picture."""
        return float(self.map()[-1].max())


SURFACES: dict[str, Surface] = {
    surface.name: surface
    for surface in [
        Surface(
            "bowl",
            "x² + y²",
            loss=lambda x, y: x**2 + y**2,
            gradient=lambda x, y: (2 * x, 2 * y),
            window=((-3, 3), (-3, 3)),
            start=(-2.5, 2.0),
            minima=((0, 0),),
            learning_rate=0.1,
        ),
        Surface(
            "ravine",
            "x²/20 + 2y²",
            loss=lambda x, y: x**2 / 20 + 2 * y**2,
            gradient=lambda x, y: (x / 10, 4 * y),
            window=((-10, 10), (-3, 3)),
            start=(-8.0, 1.5),
            minima=((0, 0),),
            learning_rate=0.4,
        ),
        Surface(
            "saddle",
            "x² - y² + y⁴/4",
            loss=lambda x, y: x**2 - y**2 + y**4 / 4,
            gradient=lambda x, y: (2 * x, -2 * y + y**3),
            window=((-3, 3), (-3, 3)),
            start=(-2.5, 0.01),
            minima=((0, -math.sqrt(2)), (0, math.sqrt(2))),
            learning_rate=0.1,
        ),
        Surface(
            "four valleys",  # Himmelblau 1972
            "(x² + y - 11)² + (x + y² - 7)²",
            loss=lambda x, y: (x**2 + y - 11) ** 2 + (x + y**2 - 7) ** 2,
            gradient=lambda x, y: (
                4 * x * (x**2 + y - 11) + 2 * (x + y**2 - 7),
                2 * (x**2 + y - 11) + 4 * y * (x + y**2 - 7),
            ),
            window=((-5, 5), (-5, 5)),
            start=(0.0, 0.0),
            minima=((3, 2), (-2.805118, 3.131313), (-3.779310, -3.283186), (3.584428, -1.848127)),
            learning_rate=0.01,
        ),
        Surface(
            "banana",  # Rosenbrock 1960, ten times gentler
            "(1 - x)² + 10(y - x²)²",
            loss=lambda x, y: (1 - x) ** 2 + 10 * (y - x**2) ** 2,
            gradient=lambda x, y: (-2 * (1 - x) - 40 * x * (y - x**2), 20 * (y - x**2)),
            window=((-2, 2), (-1, 3)),
            start=(-1.5, 2.0),
            minima=((1, 1),),
            learning_rate=0.01,
        ),
    ]
}

TWO_MINIMA = Surface(
    "two minima",
    "x⁴ - 3x² + x",
    loss=lambda x: x**4 - 3 * x**2 + x,
    gradient=lambda x: (4 * x**3 - 6 * x + 1,),
    window=((-2.2, 2.2),),
    start=(2.0,),
    minima=((-1.300840,), (1.130901,)),
    learning_rate=0.05,
)


def least(surface: Surface) -> float:
    """The loss at the lowest of the surface's minima."""
    return float(min(surface.loss(*place) for place in surface.minima))


def line_surface(inputs: ArrayLike, targets: ArrayLike) -> Surface:
    """The loss of a straight line on measured points, the mean squared error, over its slope ``w`` and intercept ``b``.

    >>> surface = line_surface([0, 1, 2], [1, 3, 5])
    >>> round(surface.loss(2.0, 1.0), 12), surface.minima
    (0.0, ((2.0, 1.0),))

    Raises:
        ValueError: unless there are at least two different, finite inputs.
    """
    x, y = np.asarray(inputs, dtype=float), np.asarray(targets, dtype=float)
    if x.ndim != 1 or x.shape != y.shape or len(np.unique(x)) < 2 or not np.isfinite([x, y]).all():
        raise ValueError(
            f"a line needs as many targets as inputs and two different inputs; got {x.shape} and {y.shape}"
        )
    spread, middle = float((x**2).mean()), float(x.mean())
    best_w = float(((x - middle) * (y - y.mean())).mean() / x.var())
    best_b = float(y.mean() - best_w * middle)
    least = float(((best_w * x + best_b - y) ** 2).mean())
    reach_w, reach_b = 2 * abs(best_w) + y.std() / x.std(), 2 * abs(best_b) + 2 * y.std()
    steepest = spread + 1 + math.hypot(spread - 1, 2 * middle)  # the larger eigenvalue of the Hessian

    def loss(w: Any, b: Any) -> Any:
        dw, db = w - best_w, b - best_b  # a squared error is exactly its least value plus a quadratic around it
        return least + spread * dw**2 + 2 * middle * dw * db + db**2

    def gradient(w: float, b: float) -> tuple[float, float]:
        dw, db = w - best_w, b - best_b
        return 2 * (spread * dw + middle * db), 2 * (middle * dw + db)

    return Surface(
        "line through points",
        "mean of (w·x + b - y)²",
        loss,
        gradient,
        window=((best_w - reach_w, best_w + reach_w), (best_b - reach_b, best_b + reach_b)),
        start=(best_w - 0.8 * reach_w, best_b - 0.8 * reach_b),
        minima=((best_w, best_b),),
        learning_rate=1 / steepest,
        names=("w", "b"),
    )
