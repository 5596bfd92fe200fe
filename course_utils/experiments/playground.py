"""Small classification problems in the plane, and a network trained on one step by step: what the playground plays.

Three parts: the points (``POINTS``, ``parse_points``), what the network is given of them (``FEATURES``), and a run
(``Run``: one network being trained, which knows why it broke).
"""

import math
from collections import deque
from collections.abc import Mapping, Sequence
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


def with_point(text: str, place: tuple[float, float], label: str) -> str:
    r"""Add a line for a point to a text that `parse_points` reads.

    >>> with_point("0, 0, B", (1.52, -2.0), "A")
    '0, 0, B\n1.5, -2.0, A'
    """
    before = text.strip() + "\n" if text.strip() else ""
    return f"{before}{place[0]:.1f}, {place[1]:.1f}, {label}"


FEATURES = {
    "x1": ("x₁", lambda x, y: x),
    "x2": ("x₂", lambda x, y: y),
    "x1_squared": ("x₁²", lambda x, y: x**2),
    "x2_squared": ("x₂²", lambda x, y: y**2),
    "x1_x2": ("x₁x₂", lambda x, y: x * y),
    "sin_x1": ("sin 2x₁", lambda x, y: torch.sin(2 * x)),
    "sin_x2": ("sin 2x₂", lambda x, y: torch.sin(2 * y)),
}


def chosen_features(ticked: Mapping[str, bool]) -> tuple[str, ...]:
    """The features that are ticked, in their order.

    Raises:
        ValueError: none is.

    >>> chosen_features({name: name == "x2" for name in FEATURES})
    ('x2',)
    """
    if names := tuple(name for name in FEATURES if ticked[name]):
        return names
    raise ValueError("The network is given nothing to look at: tick at least one feature, such as x₁.")


def features(points: Tensor, names: tuple[str, ...]) -> Tensor:
    """What the network is given: ``(..., 2)`` coordinates -> ``(..., len(names))``."""
    return torch.stack([FEATURES[name][1](points[..., 0], points[..., 1]) for name in names], dim=-1)


# ------------------------------------------------------------------------------------------------ a run


@dataclass(frozen=True, eq=False)
class Task:
    """What is to be learned, and by which network."""

    points: np.ndarray  # (count, 2)
    labels: np.ndarray  # (count,)
    held_out_points: np.ndarray  # (count or 0, 2)
    held_out_labels: np.ndarray
    features: tuple[str, ...]
    config: MLPConfig

    def __eq__(self, other: object) -> bool:
        """Whether the same points are to be learned by the same network."""
        if not isinstance(other, Task):
            return NotImplemented
        pairs = zip(vars(self).values(), vars(other).values(), strict=True)
        return all(np.array_equal(one, another) for one, another in pairs)

    __hash__ = None  # type: ignore[assignment]  # arrays can change


def neuron_name(config: MLPConfig, layer: int, index: int) -> str:
    """What a neuron is called: ``"2.1"`` is the first of the second layer; those of the last are answers.

    >>> neuron_name(MLPConfig((2, 4, 2)), 1, 0), neuron_name(MLPConfig((2, 4, 2)), 2, 1)
    ('1.1', 'answer B')
    """
    return f"answer {CLASSES[index]}" if layer == len(config.widths) - 1 else f"{layer}.{index + 1}"


def neurons(config: MLPConfig) -> dict[str, tuple[int, int]]:
    """Names of all neurons, each with its layer and its place in it.

    >>> neurons(MLPConfig((2, 1, 2)))
    {'1.1': (1, 0), 'answer A': (2, 0), 'answer B': (2, 1)}
    """
    sizes = enumerate(config.widths[1:], start=1)
    return {neuron_name(config, layer, index): (layer, index) for layer, size in sizes for index in range(size)}


def make_task(
    data: str, own_points: str, noise: float, names: tuple[str, ...], hidden: list[int], activation: str
) -> Task:
    """Return a problem with its network; always the same points for the same arguments.

    Args:
        data: one of ``POINTS``, or ``OWN``.
        own_points: lines that `parse_points` reads.
        noise: per cent of 2, by which the points are moved at random.
        names: of ``FEATURES``, one at least.
        hidden: neurons of each hidden layer.
        activation: theirs.

    >>> make_task("xor", "", 0, ("x1", "x2"), [4], "tanh").config.widths
    (2, 4, 2)
    """
    generator = np.random.default_rng(0)
    if data == OWN:
        points, labels = parse_points(own_points)
        held_out: tuple[np.ndarray, np.ndarray] = (np.zeros((0, 2)), np.zeros(0, dtype=int))
    else:
        points, labels = POINTS[data](generator, COUNT)
        held_out = POINTS[data](generator, COUNT)
    points, held_out_points = (
        (at + generator.normal(0, 1, at.shape) * noise / 50).clip(-EDGE, EDGE) for at in (points, held_out[0])
    )
    config = MLPConfig((len(names), *hidden, max(2, int(labels.max()) + 1)), activation)
    return Task(points, labels, held_out_points, held_out[1], names, config)


def formulas(task: Task, weights: Sequence[np.ndarray], biases: Sequence[np.ndarray]) -> dict[tuple[int, int], str]:
    """Return every neuron as a formula with its numbers in it, by its layer and its place in it.

    Args:
        task: what the network is.
        weights: of each layer, ``(neurons, inputs)``.
        biases: of each layer, ``(neurons,)``.

    >>> task = make_task("xor", "", 0, ("x1", "x2"), [1], "tanh")
    >>> formulas(task, [np.array([[1.0, -2.0]]), np.ones((2, 1))], [np.array([0.5]), np.zeros(2)])[1, 0]
    '1.1 = tanh( 1·x₁ − 2·x₂ + 0.5 )'
    """
    names, found = [FEATURES[name][0] for name in task.features], {}
    for layer, (rows, added) in enumerate(zip(weights, biases, strict=True), start=1):
        own = [neuron_name(task.config, layer, index) for index in range(len(rows))]
        plain = layer == len(weights) or task.config.activation == "linear"
        for index, (name, row, bias) in enumerate(zip(own, rows, added, strict=True)):
            products = [f"{weight:.3g}·{before}" for weight, before in zip(row, names, strict=True)]
            formula = " + ".join([*products, f"{bias:.3g}"]).replace("+ -", "− ").replace("-", "−")
            formula = formula if plain else f"{task.config.activation}( {formula} )"
            found[layer, index] = f"{name.replace('answer ', '')} = {formula}"
        names = [f"[{name}]" for name in own]
    return found


@dataclass
class Run:
    """One network in training by plain gradient descent on small batches.

    Its learning rate, penalties and batch size may change from step to step, as sliders move while it plays; so it
    takes its steps with `optimisers.gradient_descent`, the function of notebook 03, and not by a recipe fixed before.
    """

    task: Task
    seed: int = 0
    steps: int = 0
    taken: list[tuple[dict[str, float], int]] = field(default_factory=list)  # settings, and how many steps with them
    noted: list[tuple[int, float, float]] = field(default_factory=list)  # steps, loss, held-out loss, at every tenth
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
        self.noted.append(self.losses())

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
        settings = {"learning_rate": learning_rate, "l1": l1, "l2": l2, "batch": batch}
        if not (self.taken and self.taken[-1][0] == settings):
            self.taken.append((settings, 0))
        self.taken[-1] = settings, self.taken[-1][1] + 1
        if self.steps % 10 == 0:
            self.noted.append(self.losses())

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

    def losses(self) -> tuple[int, float, float]:
        """The step, the loss now, and the held-out loss."""
        return self.steps, self.measure(self.inputs, self.labels)[0], self.measure(*self.held_out)[0]

    def curve(self) -> np.ndarray:
        """Step, loss and held-out loss at every tenth step and now, ``(measurements, 3)``."""
        return np.array(self.noted if self.steps % 10 == 0 else [*self.noted, self.losses()])
