"""One neuron: two inputs, two weights, a bias, an activation, and what it answers."""

from dataclasses import dataclass

import numpy as np
import torch

from course_utils.models import mlp
from course_utils.wording import plain

ACTIVATIONS = {"step": lambda sums: (sums > 0).to(sums.dtype), **mlp.ACTIVATIONS}
EDGE = 3.0  # inputs run from -EDGE to EDGE
CELLS = 60


def largest(activation: str) -> float:
    """The answer that gets the full colour: 1 where none lies beyond it.

    >>> largest("tanh"), largest("relu")
    (1.0, 2.0)
    """
    return 1.0 if activation in ("step", "tanh", "sigmoid") else 2.0


@dataclass(frozen=True)
class Neuron:
    """What a neuron answers to one pair of inputs, and over the whole plane."""

    weights: tuple[float, float]
    bias: float
    inputs: tuple[float, float]
    activation: str
    sum: float  # weights times inputs, plus the bias
    answer: float
    plane: np.ndarray  # (CELLS, CELLS), first row at the top, where the second input is largest
    sums: np.ndarray  # (points,) for the curve of the activation
    curve: np.ndarray  # (points,)

    def described(self) -> str:
        """The sum, the answer, and on which side of the line the point lies."""
        side = "on the line" if self.sum == 0 else f"on the {'positive' if self.sum > 0 else 'negative'} side"
        first, second = (plain(value, 1) for value in self.inputs)
        return (
            f"Inputs {first} and {second} give the sum {plain(self.sum)}, {side}; "
            f"{self.activation} makes it {plain(self.answer, 3)}."
        )


def neuron(weights: tuple[float, float], bias: float, inputs: tuple[float, float], activation: str) -> Neuron:
    """Return what a neuron answers to these inputs, and to all others.

    >>> neuron((1.0, -2.0), 0.5, (1.0, 1.0), "relu").sum
    -0.5
    """
    activate = ACTIVATIONS[activation]
    places = (torch.arange(CELLS, dtype=torch.float64) + 0.5) / CELLS * 2 * EDGE - EDGE  # middles of the cells
    sums = torch.linspace(-6, 6, 121, dtype=torch.float64)
    total = weights[0] * inputs[0] + weights[1] * inputs[1] + bias
    answer = activate(torch.tensor(total, dtype=torch.float64)).item()
    plane = activate(weights[0] * places + weights[1] * places.flip(0)[:, None] + bias)
    return Neuron(weights, bias, inputs, activation, total, answer, plane.numpy(), sums.numpy(), activate(sums).numpy())


def zero_line(neuron: Neuron) -> tuple[list[float], list[float]]:
    """Two ends of the line on which the sum is zero, far outside the picture; empty if both weights are zero."""
    (a, b), size = neuron.weights, float(np.hypot(*neuron.weights))
    if size == 0:
        return [], []
    middle = (-neuron.bias * a / size**2, -neuron.bias * b / size**2)
    along = (-b / size * 50, a / size * 50)
    return [middle[0] - along[0], middle[0] + along[0]], [middle[1] - along[1], middle[1] + along[1]]
