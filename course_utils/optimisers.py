"""Four ways to walk downhill.

An optimiser is a function: the parameters, the gradient there, what it remembers and the learning rate go in; the moved
parameters come out. All four are arithmetic only, so the same lines move a float, a numpy array or a torch tensor.

>>> position, memory = 1.0, {}
>>> for _ in range(3):
...     position = gradient_descent(position, 2 * position, memory, learning_rate=0.25)  # the gradient of x**2 is 2x
>>> position
0.125
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from course_utils.surfaces import Surface

Numbers = Any  # a float, a numpy array or a torch tensor
Memory = dict[str, Any]  # starts empty; the optimiser keeps its running sums in it between steps


def gradient_descent(parameter: Numbers, gradient: Numbers, memory: Memory, learning_rate: float) -> Numbers:
    """One step against the gradient: ``θ ← θ - η g``. It remembers nothing."""
    return parameter - learning_rate * gradient


def momentum(
    parameter: Numbers, gradient: Numbers, memory: Memory, learning_rate: float, momentum: float = 0.9
) -> Numbers:
    """A heavy ball that keeps the share μ of its velocity: ``v ← μ v + g``, then ``θ ← θ - η v`` (Polyak 1964)."""
    memory["velocity"] = momentum * memory.get("velocity", 0.0) + gradient
    return parameter - learning_rate * memory["velocity"]


def rmsprop(
    parameter: Numbers, gradient: Numbers, memory: Memory, learning_rate: float, smoothing: float = 0.99
) -> Numbers:
    """Each parameter's step divided by the usual size of its gradient (Hinton 2012).

    ``s ← α s + (1-α) g²``, then ``θ ← θ - η g / (√s + ε)``
    """
    memory["square"] = smoothing * memory.get("square", 0.0) + (1 - smoothing) * gradient**2
    return parameter - learning_rate * gradient / (memory["square"] ** 0.5 + 1e-8)


def adam(
    parameter: Numbers,
    gradient: Numbers,
    memory: Memory,
    learning_rate: float,
    momentum: float = 0.9,
    smoothing: float = 0.999,
) -> Numbers:
    """Momentum and RMSProp together, both corrected for having started at zero (Kingma & Ba 2015, algorithm 1).

    ``m ← μ m + (1-μ) g``, ``s ← α s + (1-α) g²``, ``θ ← θ - η m/(1-μᵗ) / (√(s/(1-αᵗ)) + ε)``
    """
    step = memory["step"] = memory.get("step", 0) + 1
    memory["mean"] = momentum * memory.get("mean", 0.0) + (1 - momentum) * gradient
    memory["square"] = smoothing * memory.get("square", 0.0) + (1 - smoothing) * gradient**2
    mean = memory["mean"] / (1 - momentum**step)
    size = (memory["square"] / (1 - smoothing**step)) ** 0.5
    return parameter - learning_rate * mean / (size + 1e-8)


OPTIMISERS: dict[str, Callable[..., Any]] = {
    "gradient descent": gradient_descent,
    "momentum": momentum,
    "RMSProp": rmsprop,
    "Adam": adam,
}


@dataclass(frozen=True)
class Trajectory:
    """Where a walk went. Step 0 is the start."""

    positions: np.ndarray  # (steps taken + 1, parameters)
    losses: np.ndarray  # (steps taken + 1,)
    first_rise: int | None  # the first step that made the loss larger
    diverged: int | None  # the step at which the walk was given up: see `descend`


def descend(
    surface: Surface,
    start: Sequence[float] | None = None,
    optimiser: Callable[..., Any] = gradient_descent,
    learning_rate: float | None = None,
    steps: int = 50,
    **settings: float,
) -> Trajectory:
    """Walk downhill. The walk ends early if it diverges: if its loss is over ten times the highest in the picture.

    >>> from course_utils.surfaces import SURFACES
    >>> path = descend(SURFACES["bowl"], start=(2.0, 0.0), learning_rate=0.25, steps=2)
    >>> path.positions.tolist(), path.losses.tolist()
    ([[2.0, 0.0], [1.0, 0.0], [0.5, 0.0]], [4.0, 1.0, 0.25])
    >>> descend(SURFACES["bowl"], start=(0.5, 0.0), learning_rate=5.0).diverged
    2

    Args:
        surface: what to walk on.
        start: one number for each parameter, inside the surface's window; None for the surface's own.
        optimiser: `gradient_descent`, `momentum`, `rmsprop` or `adam`.
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
    diverged, limit = None, 10 * abs(surface.highest)
    with np.errstate(all="ignore"):  # a walk that overflows is reported as diverged, not as a warning
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
                diverged = step
                break
    heights = np.array(losses)
    rises = np.flatnonzero(~(heights[1:] <= heights[:-1] + 1e-9 * abs(surface.highest)))  # not rounding
    return Trajectory(np.array(positions), heights, int(rises[0]) + 1 if len(rises) else None, diverged)


INPUTS = torch.linspace(-1, 1, 24)
CURVES = {"wave": torch.sin(6 * INPUTS + 0.5), "step": torch.tanh(8 * (INPUTS - 0.2))}  # what is to be learned
NEURONS: dict[str, Callable[[Tensor], Tensor]] = {"tanh": torch.tanh, "sine": torch.sin}


def descend_from_many(
    neuron: str, curve: str, parameters: int, learning_rate: float, starts: int = 50, steps: int = 1500, seed: int = 0
) -> Tensor:
    """Train networks that differ only in their random start, side by side, by plain gradient descent.

    A neuron has two parameters, a weight and a bias. The network's answer is the sum of its neurons, added and
    subtracted in turn, over the square root of their number; so 2, 20 and 2,000 parameters differ in size only.

    >>> losses = descend_from_many("sine", "wave", parameters=20, learning_rate=1.0, starts=5, steps=100)
    >>> losses.shape, bool((losses[-1] < losses[0]).all())
    (torch.Size([101, 5]), True)

    Returns:
        ``(steps + 1, starts)``: the mean squared error over the curve's variance (about 1 for answering nothing).
    """
    random = torch.Generator().manual_seed(seed)
    neurons = parameters // 2
    weights, biases = (3 * torch.randn(starts, neurons, 1, generator=random) for _ in range(2))
    signs = torch.ones(neurons)
    signs[1::2] = -1
    target = CURVES[curve]
    kept = []
    for _ in range(steps + 1):
        weights.requires_grad_()
        biases.requires_grad_()
        answers = signs @ NEURONS[neuron](weights * INPUTS + biases) / neurons**0.5  # (starts, inputs)
        losses = (answers - target).square().mean(1) / target.var(unbiased=False)
        kept.append(losses.detach())
        gradients = torch.autograd.grad(losses.sum(), [weights, biases])  # the starts share nothing: each its own
        weights, biases = (
            gradient_descent(parameter.detach(), gradient, {}, learning_rate)
            for parameter, gradient in zip((weights, biases), gradients, strict=True)
        )
    return torch.stack(kept)
