"""Modules whose weights are filled in later, from a seed, and not by torch from its global random state."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

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
