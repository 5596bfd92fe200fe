"""Small classification problems in the plane, and a network trained on one step by step: what the playground plays.

Three parts: the points (``POINTS``, ``parse_points``), what the network is given of them (``FEATURES``), and a run
(``Run``: one network being trained, which knows why it broke).
"""

import math
from collections import deque
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from course_utils.models.mlp import MLP, MLPConfig
from course_utils.optimisers import gradient_descent

# ------------------------------------------------------------------------------------------------ points

EDGE = 3.0  # both coordinates run from -EDGE to EDGE
CLASSES = "ABCD"
COUNT = 200  # points to train on, and as many held out
OWN = "own points"
SOME_POINTS = "-1.5, -1, A\n-1, 1.5, A\n0, 2, A\n1.5, 1, B\n1, -1.5, B\n0, -0.5, B\n0, 0.5, A\n-0.5, -1.5, B"


def circle(generator: np.random.Generator, count: int) -> tuple[np.ndarray, np.ndarray]:
    """A disc of one class inside a ring of the other."""
    labels = np.arange(count) % 2
    radius = np.where(labels, np.sqrt(generator.uniform(0, 1.1**2, count)), generator.uniform(1.7, 2.6, count))
    return on_circle(radius, generator.uniform(0, 2 * math.pi, count)), labels


def xor(generator: np.random.Generator, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Opposite quarters belong together."""
    points = generator.uniform(0.15, 2.6, (count, 2)) * generator.choice([-1, 1], (count, 2))
    return points, (points.prod(1) > 0).astype(int)


def gaussians(generator: np.random.Generator, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Two clouds."""
    labels = np.arange(count) % 2
    return generator.normal(0, 0.5, (count, 2)) + np.where(labels, 1.2, -1.2)[:, None], labels


def spirals(generator: np.random.Generator, count: int, arms: int = 2) -> tuple[np.ndarray, np.ndarray]:
    """Arms that wind round one another."""
    labels, along = np.arange(count) % arms, generator.uniform(0.08, 1, count)
    return on_circle(2.7 * along, 3.5 / arms * 2 * math.pi * along + labels * 2 * math.pi / arms), labels


def three_spirals(generator: np.random.Generator, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Three arms, a class each."""
    return spirals(generator, count, arms=3)


def four_clouds(generator: np.random.Generator, count: int) -> tuple[np.ndarray, np.ndarray]:
    """A cloud in each corner, a class each."""
    labels = np.arange(count) % 4
    centres = np.array([(-1.4, -1.4), (1.4, -1.4), (-1.4, 1.4), (1.4, 1.4)])
    return generator.normal(0, 0.45, (count, 2)) + centres[labels], labels


def on_circle(radius: np.ndarray, angle: np.ndarray) -> np.ndarray:
    """Points ``(count, 2)`` from their distance to the middle and their direction."""
    return np.stack([radius * np.sin(angle), radius * np.cos(angle)], axis=1)


POINTS = {
    "circle": circle, "xor": xor, "gaussians": gaussians, "spirals": spirals,
    "three spirals": three_spirals, "four clouds": four_clouds,
}  # fmt: skip


def parse_points(text: str) -> tuple[np.ndarray, np.ndarray]:
    """Read lines such as ``1.5, -2, A``.

    Returns:
        Points ``(count, 2)`` and their classes ``(count,)``, 0 for A.

    Raises:
        ValueError: one sentence about the first line that is no point, or that there is none.

    >>> parse_points("1.5, -2, A; 0 1 b")[1].tolist()
    [0, 1]
    """
    points, labels = [], []
    for number, line in enumerate((line for line in text.replace(";", "\n").splitlines() if line.strip()), start=1):
        try:
            first, second, label = line.replace(",", " ").split()
            place = float(first), float(second)
            labels.append(CLASSES.index(label.upper()))
        except ValueError:
            raise ValueError(
                f"Point {number}, {line.strip()!r:.40}, should read like 1.5, -2, A with a class from A to D."
            ) from None
        if not all(abs(part) <= EDGE for part in place):  # not a number fails here too
            raise ValueError(f"Point {number}, {line.strip()!r:.40}, is off the map: both numbers go from -3 to 3.")
        points.append(place)
    if not points:
        raise ValueError("There are no points of your own yet: click on the map, or type lines such as 1.5, -2, A.")
    return np.array(points), np.array(labels)


FEATURES = {
    "x1": ("x₁", lambda x, y: x),
    "x2": ("x₂", lambda x, y: y),
    "x1_squared": ("x₁²", lambda x, y: x**2),
    "x2_squared": ("x₂²", lambda x, y: y**2),
    "x1_x2": ("x₁x₂", lambda x, y: x * y),
    "sin_x1": ("sin 2x₁", lambda x, y: torch.sin(2 * x)),
    "sin_x2": ("sin 2x₂", lambda x, y: torch.sin(2 * y)),
}


def features(points: Tensor, names: tuple[str, ...]) -> Tensor:
    """What the network is given: ``(..., 2)`` coordinates -> ``(..., len(names))``."""
    return torch.stack([FEATURES[name][1](points[..., 0], points[..., 1]) for name in names], dim=-1)


# ------------------------------------------------------------------------------------------------ a run


@dataclass(frozen=True)
class Task:
    """What is to be learned, and by which network."""

    points: np.ndarray  # (count, 2)
    labels: np.ndarray  # (count,)
    held_out_points: np.ndarray  # (count or 0, 2)
    held_out_labels: np.ndarray
    features: tuple[str, ...]
    config: MLPConfig

    @property
    def classes(self) -> int:
        """How many answers the network has."""
        return self.config.widths[-1]


def neuron_name(config: MLPConfig, layer: int, index: int) -> str:
    """What a neuron is called: ``"2.1"`` is the first of the second layer; those of the last are answers.

    >>> neuron_name(MLPConfig((2, 4, 2)), 1, 0), neuron_name(MLPConfig((2, 4, 2)), 2, 1)
    ('1.1', 'answer B')
    """
    return f"answer {CLASSES[index]}" if layer == len(config.widths) - 1 else f"{layer}.{index + 1}"


@dataclass
class Run:
    """One network in training by plain gradient descent on small batches.

    Its learning rate, penalties and batch size may change from step to step, as sliders move while it plays; so it
    takes its steps with `optimisers.gradient_descent`, the function of notebook 03, and not by a recipe fixed before.
    """

    task: Task
    seed: int = 0
    steps: int = 0
    curve: list[tuple[int, float, float]] = field(default_factory=list)  # steps, loss, held-out loss
    broken: str = ""  # why training ended, in a sentence

    def __post_init__(self) -> None:
        self.network = MLP(self.task.config, seed=self.seed)
        self.parameters = list(self.network.parameters())  # weights and biases of each layer by turns
        with torch.no_grad():
            self.parameters[0].mul_(0.5)  # the coordinates are larger than 1; a calmer start
        self.inputs, self.labels = self._tensors(self.task.points, self.task.labels)
        self.held_out = self._tensors(self.task.held_out_points, self.task.held_out_labels)
        self.order = torch.Generator().manual_seed(self.seed)
        self.waiting = torch.zeros(0, dtype=torch.int64)  # examples of this epoch that are still to come
        self.largest: deque[float] = deque(maxlen=4)  # the largest weight at the last few steps
        self.note()

    def _tensors(self, points: np.ndarray, labels: np.ndarray) -> tuple[Tensor, Tensor]:
        return features(torch.tensor(points, dtype=torch.float32), self.task.features), torch.tensor(labels)

    def step(self, learning_rate: float, l1: float = 0.0, l2: float = 0.0, batch: int = 10) -> None:
        """Take one step downhill.

        Raises:
            ValueError: all points have one class, or the numbers have left the range of the arithmetic; the sentence
                says at which step, and why. The weights then stay as they were before.
        """
        if len(self.labels.unique()) < 2:
            only = CLASSES[int(self.labels[0])]
            raise ValueError(f"All points are of class {only}, so there is nothing to tell apart: add another class.")
        if self.broken:
            raise ValueError(self.broken)
        if not len(self.waiting):
            self.waiting = torch.randperm(len(self.labels), generator=self.order)
        chosen, self.waiting = self.waiting[:batch], self.waiting[batch:]
        loss = cross_entropy(self.network(self.inputs[chosen]), self.labels[chosen])
        for weights in self.parameters[::2]:
            loss = loss + l1 * weights.abs().sum() + l2 / 2 * weights.square().sum()
        gradients = torch.autograd.grad(loss, self.parameters)
        with torch.no_grad():
            moved = [
                gradient_descent(weights, gradient, {}, learning_rate)
                for weights, gradient in zip(self.parameters, gradients, strict=True)
            ]
            fine = all(bool(weights.isfinite().all()) for weights in moved)
            if fine:  # weights that can be written down may still give a loss that cannot
                before = [weights.clone() for weights in self.parameters]
                self._put(moved)
                fine = bool(self.network(self.inputs).isfinite().all())
                if not fine:
                    self._put(before)
        if not fine:
            grew = ", ".join(f"{size:.3g}" for size in self.largest) or "its first value"
            self.broken = (
                f"The loss became NaN (not a number) at step {self.steps + 1}: with learning rate {learning_rate:g} "
                f"each step overshoots, and the largest weight went {grew}, then beyond all numbers; lower the "
                "learning rate and press New weights."
            )
            raise ValueError(self.broken)
        self.steps += 1
        self.largest.append(max(weights.abs().max().item() for weights in moved))

    @torch.no_grad()
    def _put(self, values: list[Tensor]) -> None:
        for weights, value in zip(self.parameters, values, strict=True):
            weights.copy_(value)

    @torch.no_grad()
    def measure(self, inputs: Tensor, labels: Tensor) -> tuple[float, float]:
        """Loss and share of right answers; zeros if there are no examples."""
        if not len(labels):
            return 0.0, 0.0
        logits = self.network(inputs)
        return cross_entropy(logits, labels).item(), (logits.argmax(-1) == labels).float().mean().item()

    def note(self) -> None:
        """Put the present losses on the curve."""
        losses = self.measure(self.inputs, self.labels)[0], self.measure(*self.held_out)[0]
        if not self.curve or self.curve[-1][0] != self.steps:
            self.curve.append((self.steps, *losses))
