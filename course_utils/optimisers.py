"""Four ways to walk downhill, and hills to walk on.

Each optimiser is one function: where you stand, the slope there, what it remembers, and the learning rate go in; where
you stand next comes out. They are arithmetic only, so the same lines move a float, a numpy array or a torch tensor.

>>> position, memory = 1.0, {}
>>> for _ in range(3):
...     position = sgd(position, 2 * position, memory, learning_rate=0.25)      # the slope of x**2 is 2x
>>> position
0.125
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

Memory = dict[str, Any]  # starts empty; the optimiser keeps its running sums in it between steps


def sgd(parameter, gradient, memory: Memory, learning_rate: float):
    """Stochastic gradient descent: ``θ ← θ - η g``."""
    return parameter - learning_rate * gradient


def momentum(parameter, gradient, memory: Memory, learning_rate: float, momentum: float = 0.9):
    """A heavy ball: it keeps a share of its velocity: ``v ← μ v + g``, then ``θ ← θ - η v`` (Polyak 1964)."""
    memory["velocity"] = momentum * memory.get("velocity", 0.0) + gradient
    return parameter - learning_rate * memory["velocity"]


def rmsprop(parameter, gradient, memory: Memory, learning_rate: float, smoothing: float = 0.99):
    """Each step divided by the usual size of the slope (Hinton 2012).

    ``s ← α s + (1-α) g²``, then ``θ ← θ - η g / (√s + ε)``
    """
    memory["square"] = smoothing * memory.get("square", 0.0) + (1 - smoothing) * gradient**2
    return parameter - learning_rate * gradient / (memory["square"] ** 0.5 + 1e-8)


def adam(parameter, gradient, memory: Memory, learning_rate: float, momentum: float = 0.9, smoothing: float = 0.999):
    """Momentum and RMSProp together, both corrected for having started at zero (Kingma & Ba 2015, algorithm 1).

    ``m ← μ m + (1-μ) g``, ``s ← α s + (1-α) g²``, ``θ ← θ - η m/(1-μᵗ) / (√(s/(1-αᵗ)) + ε)``
    """
    step = memory["step"] = memory.get("step", 0) + 1
    memory["mean"] = momentum * memory.get("mean", 0.0) + (1 - momentum) * gradient
    memory["square"] = smoothing * memory.get("square", 0.0) + (1 - smoothing) * gradient**2
    mean = memory["mean"] / (1 - momentum**step)
    size = (memory["square"] / (1 - smoothing**step)) ** 0.5
    return parameter - learning_rate * mean / (size + 1e-8)


OPTIMISERS: dict[str, Callable[..., Any]] = {"SGD": sgd, "momentum": momentum, "RMSProp": rmsprop, "Adam": adam}


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

TWO_HOLLOWS = Surface(
    "two hollows",
    "x⁴ - 3x² + x",
    loss=lambda x: x**4 - 3 * x**2 + x,
    gradient=lambda x: (4 * x**3 - 6 * x + 1,),
    window=((-2.2, 2.2),),
    start=(2.0,),
    minima=((-1.300840,), (1.130901,)),
    learning_rate=0.05,
)


def line_surface(inputs: Sequence[float], targets: Sequence[float]) -> Surface:
    """The real loss of a straight line ``w·x + b`` on measured points: the mean squared error, over ``w`` and ``b``.

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
    steepest = spread + 1 + math.hypot(spread - 1, 2 * middle)  # the larger eigenvalue of the matrix of second slopes

    def loss(w, b):
        dw, db = w - best_w, b - best_b  # a squared error is exactly its least value plus a quadratic around it
        return least + spread * dw**2 + 2 * middle * dw * db + db**2

    def gradient(w, b):
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
    )


@dataclass(frozen=True)
class Path:
    """Where a walk went. Step 0 is the start."""

    positions: np.ndarray  # (steps taken + 1, parameters)
    losses: np.ndarray  # (steps taken + 1,)
    first_rise: int | None  # the first step that made the loss larger
    exploded: int | None  # the step at which the walk was given up: see `descend`


def descend(
    surface: Surface,
    start: Sequence[float] | None = None,
    optimiser: Callable[..., Any] = sgd,
    learning_rate: float | None = None,
    steps: int = 50,
    **settings: float,
) -> Path:
    """Walk downhill. The walk ends early when it explodes: a loss ten times above all heights in the picture.

    >>> path = descend(SURFACES["bowl"], start=(2.0, 0.0), learning_rate=0.25, steps=2)
    >>> path.positions.tolist(), path.losses.tolist()
    ([[2.0, 0.0], [1.0, 0.0], [0.5, 0.0]], [4.0, 1.0, 0.25])
    >>> descend(SURFACES["bowl"], start=(0.5, 0.0), learning_rate=5.0).exploded
    2

    Args:
        surface: what to walk on.
        start: one number for each parameter, inside the surface's window; None for the surface's own.
        optimiser: `sgd`, `momentum`, `rmsprop` or `adam`.
        learning_rate: 0 or more; None for the surface's own.
        steps: how many, at most.
        settings: passed to the optimiser, such as ``momentum=0.95``.

    Raises:
        ValueError: if the start lies outside the picture or a setting outside its range.
    """
    start = surface.start if start is None else start
    learning_rate = surface.learning_rate if learning_rate is None else learning_rate
    if len(start) != len(surface.window):
        raise ValueError(f"the start has {len(start)} numbers, but {surface.name} has {len(surface.window)} parameters")
    for number, (low, high) in zip(start, surface.window, strict=True):
        if not low <= number <= high:
            raise ValueError(f"the start {number:g} lies outside the picture: choose from {low:.3g} to {high:.3g}")
    if not 0 <= learning_rate < math.inf:
        raise ValueError(f"the learning rate is {learning_rate:g}; it must be a number from 0 upwards")
    if steps < 0:
        raise ValueError(f"steps={steps} must be 0 or more")
    for name, value in settings.items():
        if not 0 <= value < 1:
            raise ValueError(f"{name}={value:g} must be at least 0 and below 1")

    position, memory = np.array(start, dtype=float), Memory()
    positions, losses = [position], [float(surface.loss(*start))]
    exploded, limit = None, 10 * abs(surface.highest)
    with np.errstate(all="ignore"):  # a walk that overflows is reported as exploded, not as a warning
        for step in range(1, steps + 1):
            gradient = np.array(surface.gradient(*position.tolist()))
            position = optimiser(position, gradient, memory, learning_rate, **settings)
            try:
                loss = float(surface.loss(*position.tolist()))
            except OverflowError:  # plain floats overflow with an exception
                loss = math.inf
            positions.append(position)
            losses.append(loss)
            if not abs(loss) <= limit:
                exploded = step
                break
    heights = np.array(losses)
    rises = np.flatnonzero(~(heights[1:] <= heights[:-1] + 1e-9 * abs(surface.highest)))  # not rounding
    return Path(np.array(positions), heights, int(rises[0]) + 1 if len(rises) else None, exploded)
