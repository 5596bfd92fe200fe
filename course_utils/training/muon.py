"""Muon: steps along orthogonal matrices, for the matrices inside a network (Jordan et al. 2024)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn

COEFFICIENTS = (3.4445, -4.7750, 2.0315)  # of Jordan's fifth-degree polynomial
TURNS = 5  # how often it is applied


def orthogonal(matrices: Tensor) -> Tensor:
    """Matrices with nearly the same directions, whose stretchings (singular values) are all near 1.

    The polynomial ``a s + b s^3 + c s^5`` is applied to the singular values five times over; it lifts small ones
    quickly and leaves all between about 0.5 and 1.5. It needs products of matrices only, and no decomposition; they are
    taken in bfloat16, which is exact enough for a direction.

    Args:
        matrices: ``(matrices, rows, columns)`` with no more rows than columns.

    Returns:
        The same shape, bfloat16.

    >>> random = torch.randn(3, 8, 20, generator=torch.Generator().manual_seed(0))
    >>> stretchings = torch.linalg.svdvals(orthogonal(random).float())
    >>> bool((stretchings > 0.5).all() and (stretchings < 1.5).all())
    True
    """
    a, b, c = COEFFICIENTS
    found = matrices.bfloat16()
    found = found / found.norm(dim=(1, 2), keepdim=True).clamp(min=1e-7)  # no singular value above 1
    for _ in range(TURNS):
        square = found @ found.mT  # (matrices, rows, rows)
        square = torch.baddbmm(square, square, square, beta=b, alpha=c)
        found = torch.baddbmm(found, square, found, beta=a)
    return found


class Muon(torch.optim.Optimizer):
    """`torch.optim.Muon` with one difference: matrices of one shape are made orthogonal together.

    A small network spends more time on calling sixteen small products than on computing them; stacked, they are few.
    Each step moves a running mean of gradients, makes it `orthogonal`, and takes a step of that size: all directions of
    a matrix move alike, however long the gradient.

    Args:
        parameters: matrices, and nothing else.
        lr: learning rate; a matrix with more rows than columns moves faster by the root of their ratio.
        momentum: share of the running mean of gradients that is kept; the step looks ahead by it (Nesterov).
        weight_decay: pull of each step towards 0, times the learning rate.

    >>> weight = nn.Parameter(torch.eye(2, 3))
    >>> optimiser = Muon([weight], lr=0.1)
    >>> (weight ** 2).sum().backward()
    >>> optimiser.step()
    >>> bool((weight.diagonal() < 1).all())
    True
    """

    def __init__(
        self, parameters: Iterable[Tensor], lr: float = 0.02, momentum: float = 0.95, weight_decay: float = 0.0
    ):
        super().__init__(parameters, {"lr": lr, "momentum": momentum, "weight_decay": weight_decay})
        for group in self.param_groups:
            for weight in group["params"]:
                if weight.dim() != 2:
                    raise ValueError(
                        f"Muon moves matrices and one parameter has the shape {tuple(weight.shape)}; give it to AdamW."
                    )

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]
        """Move every matrix that has a gradient."""
        for group in self.param_groups:
            alike: dict[tuple[int, int], list[nn.Parameter]] = defaultdict(list)
            for weight in group["params"]:
                if weight.grad is not None:
                    alike[min(weight.shape), max(weight.shape)].append(weight)
            for weights in alike.values():
                directions = orthogonal(torch.stack([self._momentum(weight, group["momentum"]) for weight in weights]))
                for weight, direction in zip(weights, directions, strict=True):
                    rows, columns = weight.shape
                    weight.mul_(1 - group["lr"] * group["weight_decay"])
                    weight.add_(_lying(direction, rows <= columns), alpha=-group["lr"] * max(1, rows / columns) ** 0.5)

    def _momentum(self, weight: nn.Parameter, share: float) -> Tensor:
        """The running mean of the gradients of a matrix, one step ahead; ``(smaller side, larger side)``."""
        state: dict[str, Any] = self.state[weight]
        gradient = weight.grad
        assert gradient is not None
        if "momentum_buffer" not in state:
            state["momentum_buffer"] = torch.zeros_like(gradient)
        mean = state["momentum_buffer"].lerp_(gradient, 1 - share)
        return _lying(gradient.lerp(mean, share), weight.size(0) <= weight.size(1))


def _lying(matrix: Tensor, lies: bool) -> Tensor:
    """The matrix, turned over if it stands."""
    return matrix if lies else matrix.T
