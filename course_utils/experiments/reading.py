"""Networks that read handwritten digits, trained the way that lesson 02 needs them.

The settings of the training (`train`) stand here and not in the lesson: lessons 03 and 05 explain them.
"""

from collections.abc import Callable
from typing import TypeVar

import torch
from torch import Tensor, nn

from course_utils import data, training
from course_utils.models.convnet import ConvNet, ConvNetConfig
from course_utils.models.mlp import MLP, MLPConfig

SEEDS = 5
Network = TypeVar("Network", bound=nn.Module)


def train(
    network: Network,
    images: Tensor,
    labels: Tensor,
    seed: int = 0,
    steps: int = 400,
    learning_rate: float = 4e-3,
    weight_decay: float = 0.1,
) -> Network:
    """Adjust a network's parameters in small steps, each on 32 of the examples, and return the network.

    Args:
        network: from images to logits; it is changed in place.
        images: ``(examples, height, width)``.
        labels: ``(examples,)``.
        seed: draws the order of the examples.
        steps: how many.
        learning_rate: how far the first steps move; it falls to 0 along half a cosine wave.
        weight_decay: how strongly each step pulls every weight towards 0; large values give smooth filters.
    """
    batches = training.shuffled_batches(images, labels, batch_size=32, seed=seed)
    recipe = training.Recipe(learning_rate=learning_rate, weight_decay=weight_decay, schedule="cosine")
    training.fit(network, batches, steps=steps, recipe=recipe, progress=False)
    return network


def train_without_hidden_layer(digits: data.Digits, seed: int = 0) -> MLP:
    """One neuron for each digit, and nothing else; a pull towards 0 makes its weights a clear picture."""
    network = MLP(MLPConfig(widths=(64, 10)), seed)
    return train(network, digits.train_images, digits.train_labels, seed, learning_rate=4e-2, weight_decay=0.3)


def train_plain(digits: data.Digits, seed: int = 0, activation: str = "relu") -> MLP:
    """128 hidden neurons and ten answer neurons."""
    network = MLP(MLPConfig(widths=(64, 128, 10), activation=activation), seed)
    return train(network, digits.train_images, digits.train_labels, seed)


def train_convolutional(digits: data.Digits, seed: int = 0) -> ConvNet:
    """32 patterns, 64 patterns of those patterns, 128 hidden neurons and ten answer neurons."""
    network = ConvNet(ConvNetConfig(size=8, channels=(32, 64), hidden=128), seed)
    return train(network, digits.train_images, digits.train_labels, seed)


def paper_and_chalk(digits: data.Digits) -> data.Digits:
    """Every digit twice: as it is, and in chalk on a blackboard, with ink and paper exchanged.

    >>> digits = data.digits()
    >>> both = paper_and_chalk(digits)
    >>> len(both.train_labels) == 2 * len(digits.train_labels)
    True
    """
    return data.Digits(
        torch.cat([digits.train_images, 1 - digits.train_images]),
        digits.train_labels.repeat(2),
        digits.train_forms.repeat(2),
        torch.cat([digits.test_images, 1 - digits.test_images]),
        digits.test_labels.repeat(2),
        digits.test_forms.repeat(2),
    )


def train_on_drawings(kind: str, drawings: data.Drawings) -> MLP | ConvNet:
    """A network that tells cats from dogs; a strong pull towards 0 makes its filters clear pictures.

    Args:
        kind: ``"two neurons"``, one for each animal, or ``"convolutional"``.
        drawings: from `data.drawings`.
    """
    if kind == "two neurons":
        network: MLP | ConvNet = MLP(MLPConfig(widths=(32 * 32, 2)))
    elif kind == "convolutional":
        network = ConvNet(ConvNetConfig(size=32, channels=(8, 16, 32), kernel=5, hidden=32, classes=2))
    else:
        raise ValueError(f'kind={kind!r} is not known; choose "two neurons" or "convolutional".')
    return train(network, drawings.images, drawings.labels, steps=600, learning_rate=8e-3, weight_decay=1.0)


def five_scores(make: Callable[[data.Digits, int], nn.Module], split: str) -> list[float]:
    """The share of held-out digits that is read rightly, for five seeds, each with its own network and its own split.

    Args:
        make: trains a network, such as `train_plain`.
        split: ``"stratified"`` or ``"by_writer"``, see `data.digits`.
    """
    scores = []
    for seed in range(SEEDS):
        digits = data.digits(split, seed)
        scores.append(training.accuracy(make(digits, seed), digits.test_images, digits.test_labels))
    return scores


def pattern(text: str) -> Tensor:
    r"""Weights drawn by hand, eight rows of eight signs: ``#`` is 1, ``-`` is -2 and ``.`` is 0.

    Returns:
        ``(8, 8)``.

    Raises:
        ValueError: it is not eight rows of eight of these signs.

    >>> pattern("\n".join(["..####-."] * 8)).sum().item()
    16.0
    """
    weight = {"#": 1.0, "-": -2.0, ".": 0.0}
    rows = text.split()
    if len(rows) != 8 or any(len(row) != 8 for row in rows):
        raise ValueError(f"a pattern has 8 rows of 8 signs, and these rows have {[len(row) for row in rows]}")
    if unknown := sorted(set("".join(rows)) - set(weight)):
        raise ValueError(f"a pattern is made of # - and . only, and here is {unknown[0]!r}")
    return torch.tensor([[weight[sign] for sign in row] for row in rows])


def neighbours_alike(filters: Tensor) -> float:
    """The correlation between weights that lie side by side in a filter: 0 nothing in common, 1 equal.

    >>> round(neighbours_alike(torch.arange(9.0).reshape(1, 3, 3)), 1)
    0.9
    """
    beside = torch.stack([filters[..., :, :-1].flatten(), filters[..., :, 1:].flatten()])
    below = torch.stack([filters[..., :-1, :].flatten(), filters[..., 1:, :].flatten()])
    return torch.corrcoef(torch.cat([beside, below], dim=1))[0, 1].item()


@torch.no_grad()
def relied_on(network: nn.Module, image: Tensor) -> Tensor:
    """How much the share of a network's answer falls if 3 x 3 pixels are covered with paper, at every place.

    Args:
        network: from images to logits.
        image: ``(height, width)``.

    Returns:
        ``(height, width)``: 1 where covering leaves nothing of the share, below 0 where it makes the share larger.

    >>> relied_on(train_plain(data.digits()), torch.zeros(8, 8)).abs().max().item()
    0.0
    """
    shares = network(image[None]).softmax(dim=1)[0]
    fall = torch.zeros(image.shape)
    for row in range(image.shape[0]):
        for column in range(image.shape[1]):
            covered = image.clone()
            covered[max(0, row - 1) : row + 2, max(0, column - 1) : column + 2] = 0
            fall[row, column] = shares.max() - network(covered[None]).softmax(dim=1)[0, shares.argmax()]
    return fall
