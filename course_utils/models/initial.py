"""First weights: drawn from a seed and not from torch's global random state, and as large as a narrow model needs."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import nn
from torch.overrides import TorchFunctionMode


class NothingDrawn(TorchFunctionMode):
    """Inside this block, modules are made without drawing random weights: whoever made them fills them in.

    Layers of `torch.nn` draw their first weights from torch's global random state, and accept no generator. Saving and
    restoring that state is no cure, because other threads share it. The weights are left as memory happens to be;
    constants (the ones of a norm's gain) are set as usual. The block acts on its own thread alone.

    >>> import torch
    >>> before = torch.get_rng_state()
    >>> with NothingDrawn():
    ...     layer = torch.nn.Linear(3, 2)
    >>> torch.equal(before, torch.get_rng_state())
    True
    """

    def __torch_function__(
        self,
        function: Callable[..., Any],
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """Pass on every call to torch except the random functions of `torch.nn.init`."""
        kwargs = kwargs or {}
        if getattr(function, "__module__", "") == "torch.nn.init" and function.__name__ not in _CONSTANTS:
            return kwargs["tensor"] if "tensor" in kwargs else args[0]
        return function(*args, **kwargs)


_CONSTANTS = ("ones_", "zeros_", "constant_")


@torch.no_grad()
def stretch(model: nn.Module, width: int) -> None:
    """Make the first matrices of a narrow transformer larger, in place, so that its attention starts to learn at once.

    A spread of 0.02 fits GPT-2, whose vectors are 768 numbers wide: a product sums over them. In a model of width 64
    the sums are ``sqrt(768 / 64)`` times smaller, all scores are nearly alike, and it takes hundreds of steps until
    attention tells tokens apart.

    Args:
        model: untrained.
        width: size of one token's vector.

    >>> matrix = nn.Linear(64, 64)
    >>> before = matrix.weight.std()
    >>> stretch(matrix, width=64)
    >>> round((matrix.weight.std() / before).item(), 2)
    3.46
    """
    for weight in model.parameters():
        if weight.dim() == 2:
            weight.mul_(math.sqrt(768 / width))
