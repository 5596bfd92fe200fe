"""The plain neural network: layers of neurons, each connected to all of the layer before."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn

ACTIVATIONS = {
    "relu": torch.relu,
    "tanh": torch.tanh,
    "sigmoid": torch.sigmoid,
    "gelu": nn.functional.gelu,
    "linear": lambda sums: sums,  # the sum as it is: then any stack of layers is one layer
}


@dataclass(frozen=True)
class MLPConfig:
    """Settings of an `MLP`."""

    widths: tuple[int, ...]  # inputs, neurons of each hidden layer, outputs
    activation: str = "relu"  # one of ACTIVATIONS; the last layer has none

    def __post_init__(self) -> None:
        if len(self.widths) < 2 or min(self.widths) < 1:
            raise ValueError(
                f"widths={self.widths} must hold at least inputs and outputs, each 1 or more, as (2, 8, 3)."
            )
        check_activation(self.activation)


def check_activation(name: str) -> None:
    """Raise a sentence if ``name`` is not one of ACTIVATIONS."""
    if name not in ACTIVATIONS:
        raise ValueError(f"activation={name!r} is not known; choose one of: {', '.join(ACTIVATIONS)}.")


def dense(inputs: int, outputs: int, generator: torch.Generator) -> nn.Linear:
    """A layer ``(..., inputs) -> (..., outputs)`` whose weights start random and whose biases start at 0.

    The weights are normal with variance 2 / inputs, so that signals keep their size on the way (He et al. 2015).
    """
    layer = nn.utils.skip_init(nn.Linear, inputs, outputs)
    nn.init.kaiming_normal_(layer.weight, nonlinearity="relu", generator=generator)
    nn.init.zeros_(layer.bias)
    return layer


class MLP(nn.Module):
    """A multi-layer perceptron.

    Args:
        config: how many neurons, and their activation.
        seed: draws the first weights; the global random state is not touched.

    >>> network = MLP(MLPConfig(widths=(64, 32, 10)))
    >>> network(torch.zeros(5, 8, 8)).shape
    torch.Size([5, 10])
    """

    def __init__(self, config: MLPConfig, seed: int = 0):
        super().__init__()
        self.config = config
        generator = torch.Generator().manual_seed(seed)
        self.layers = nn.ModuleList(dense(inputs, outputs, generator) for inputs, outputs in pairwise(config.widths))

    def forward(self, inputs: Tensor) -> Tensor:
        """``(examples, ...)``, flattened to ``(examples, widths[0])`` -> ``(examples, widths[-1])`` logits."""
        return self.activations(inputs)[-1]

    def activations(self, inputs: Tensor) -> list[Tensor]:
        """What each layer of neurons answers, from the inputs to the logits: ``(examples, widths[i])`` each.

        >>> [tuple(layer.shape) for layer in MLP(MLPConfig((2, 4, 3))).activations(torch.zeros(7, 2))]
        [(7, 2), (7, 4), (7, 3)]
        """
        activation = ACTIVATIONS[self.config.activation]
        answers = [inputs.flatten(1)]
        for layer in self.layers:
            sums = layer(answers[-1])
            answers.append(sums if layer is self.layers[-1] else activation(sums))
        return answers
