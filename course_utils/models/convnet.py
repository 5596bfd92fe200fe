"""A small convolutional network: the same few pattern detectors slid over every place of an image."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn

from course_utils.models.mlp import dense


@dataclass(frozen=True)
class ConvNetConfig:
    """Settings of a `ConvNet`."""

    size: int  # images are size x size pixels
    channels: tuple[int, ...] = (16, 32)  # patterns looked for in each stage; each stage halves the image
    kernel: int = 3  # each pattern is kernel x kernel pixels; odd
    hidden: int = 64  # neurons between the last stage and the answer
    classes: int = 10

    def __post_init__(self) -> None:
        if self.kernel < 1 or self.kernel % 2 == 0:
            raise ValueError(f"kernel={self.kernel} must be odd, so that a pattern has a middle; try 3 or 5.")
        if not self.channels or min(*self.channels, self.hidden, self.classes) < 1:
            raise ValueError(
                f"channels={self.channels}, hidden and classes must each be 1 or more, as channels=(16, 32)."
            )
        if self.size < 2 ** len(self.channels):
            raise ValueError(
                f"size={self.size} is too small to be halved {len(self.channels)} times; use fewer stages of channels."
            )


class ConvNet(nn.Module):
    """Stages of convolution, ReLU and max-pooling, then two dense layers (after LeCun et al. 1998).

    Args:
        config: sizes.
        seed: draws the first weights; the global random state is not touched.

    >>> network = ConvNet(ConvNetConfig(size=8))
    >>> network(torch.zeros(5, 8, 8)).shape
    torch.Size([5, 10])
    """

    def __init__(self, config: ConvNetConfig, seed: int = 0):
        super().__init__()
        self.config = config
        generator = torch.Generator().manual_seed(seed)
        self.convolutions = nn.ModuleList(
            convolution(inputs, outputs, config.kernel, generator)
            for inputs, outputs in pairwise((1, *config.channels))
        )
        left = config.size // 2 ** len(config.channels)  # the image's side after the last halving
        self.hidden = dense(config.channels[-1] * left**2, config.hidden, generator)
        self.answer = dense(config.hidden, config.classes, generator)

    def forward(self, images: Tensor) -> Tensor:
        """``(examples, size, size)`` -> ``(examples, classes)`` logits."""
        return self.activations(images)[-1]

    def activations(self, images: Tensor) -> list[Tensor]:
        """What each layer answers, from the first patterns to the logits.

        The maps of a stage are ``(examples, channels, side, side)``, before they are halved; then
        ``(examples, hidden)`` and ``(examples, classes)``.

        >>> [tuple(layer.shape) for layer in ConvNet(ConvNetConfig(size=8)).activations(torch.zeros(1, 8, 8))]
        [(1, 16, 8, 8), (1, 32, 4, 4), (1, 64), (1, 10)]
        """
        answers = []
        halved = images.unsqueeze(1)  # (examples, 1 channel, size, size)
        for layer in self.convolutions:
            answers.append(torch.relu(layer(halved)))  # (examples, channels, side, side)
            halved = nn.functional.max_pool2d(answers[-1], 2)  # (examples, channels, side / 2, side / 2)
        answers.append(torch.relu(self.hidden(halved.flatten(1))))
        answers.append(self.answer(answers[-1]))
        return answers


def convolution(inputs: int, outputs: int, kernel: int, generator: torch.Generator) -> nn.Conv2d:
    """A layer of ``outputs`` patterns, ``(n, inputs, side, side) -> (n, outputs, side, side)``; begins as `dense`."""
    layer = nn.utils.skip_init(nn.Conv2d, inputs, outputs, kernel, padding=kernel // 2)
    nn.init.kaiming_normal_(layer.weight, nonlinearity="relu", generator=generator)
    nn.init.zeros_(layer.bias)
    return layer
