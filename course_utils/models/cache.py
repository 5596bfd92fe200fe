"""The key-value cache: what a transformer keeps of the text it has read, so that no token is read twice.

In a causal model a token never looks at later ones, so its keys and values stay as they are while the text grows. The
next token needs them and nothing else of the tokens before it.
"""

import torch
from torch import Tensor


class LayerCache:
    """Keys and values of the tokens that one layer has read.

    Room for all of them is set aside at the start and filled from the left: nothing is copied to make it longer.

    >>> cache = LayerCache(torch.empty(1, 1, 8, 2), torch.empty(1, 1, 8, 2))
    >>> keys, values = cache.extend(torch.ones(1, 1, 3, 2), torch.ones(1, 1, 3, 2))
    >>> keys, values = cache.extend(torch.ones(1, 1, 1, 2), torch.ones(1, 1, 1, 2))
    >>> keys.shape
    torch.Size([1, 1, 4, 2])
    """

    def __init__(self, keys: Tensor, values: Tensor):
        """Take two tables ``(batch, key_value_heads, room, head_width)``; what they hold is written over."""
        self.keys, self.values = keys, values
        self.length = 0

    def extend(self, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
        """Store keys and values of the next tokens; return those of all tokens so far.

        Args:
            key: ``(batch, key_value_heads, tokens, head_width)``.
            value: the same shape.

        Raises:
            ValueError: if the cache is full, or made for another number of texts.
        """
        (texts, _, room, _), end = self.keys.shape, self.length + key.size(2)
        if end > room:
            raise ValueError(f"the cache holds {room} tokens and {end} were given; make a longer one")
        if len(key) != texts:
            raise ValueError(f"the cache is for batch={texts} and {len(key)} texts were given; make one for {len(key)}")
        self.keys.narrow(2, self.length, key.size(2)).copy_(key)
        self.values.narrow(2, self.length, key.size(2)).copy_(value)
        self.length = end
        return self.keys.narrow(2, 0, end), self.values.narrow(2, 0, end)


class KeyValueCache:
    """A `LayerCache` for each layer of a transformer, and which of the tokens are padding.

    It is made for writing. Under autograd its values are right, but ``backward`` works only if the cache was extended
    once: the second part of a text is written into the same memory, and torch then refuses. Train without a cache. One
    made under ``torch.inference_mode`` can be read on only there.

    Args:
        layers: of the model.
        batch: texts written side by side.
        key_value_heads: heads that keys and values have.
        room: the most tokens it can hold.
        head_width: size of one head's key.
        dtype: precision of the model.
        device: where the model is.

    Attributes:
        layers: a `LayerCache` for each layer.
        length: tokens that the whole model has read.
        mask: ``(batch, tokens)`` bool, False where a token is padding; None while there is none.
        ids: ``(batch, tokens)`` int64, the tokens themselves, for models whose tokens look at earlier ids.

    >>> cache = KeyValueCache(2, 1, 1, room=8, head_width=2, dtype=torch.float32)
    >>> for layer in cache.layers:
    ...     _ = layer.extend(torch.ones(1, 1, 5, 2), torch.ones(1, 1, 5, 2))
    >>> cache.length = 5  # as `Transformer.hidden_states` does at its end
    >>> cache.truncate(3)
    >>> cache.repeat(4)
    >>> cache.length, cache.layers[0].keys.shape
    (3, torch.Size([4, 1, 8, 2]))
    """

    def __init__(
        self,
        layers: int,
        batch: int,
        key_value_heads: int,
        room: int,
        head_width: int,
        dtype: torch.dtype,
        device: torch.device | None = None,
    ):
        def table() -> Tensor:
            return torch.empty(batch, key_value_heads, room, head_width, dtype=dtype, device=device)

        self.layers = [LayerCache(table(), table()) for _ in range(layers)]
        self.length = 0
        self.mask: Tensor | None = None
        self.ids: Tensor | None = None

    def repeat(self, times: int) -> None:
        """Let each text go on in ``times`` ways: text ``i`` becomes texts ``i * times`` to ``(i + 1) * times - 1``."""
        for layer in self.layers:
            layer.keys = layer.keys.repeat_interleave(times, dim=0)
            layer.values = layer.values.repeat_interleave(times, dim=0)
        if self.mask is not None:
            self.mask = self.mask.repeat_interleave(times, dim=0)
        if self.ids is not None:
            self.ids = self.ids.repeat_interleave(times, dim=0)

    def truncate(self, length: int) -> None:
        """Forget all tokens but the first ``length``; what stands behind them is written over later.

        Raises:
            ValueError: if there are fewer.
        """
        if not 0 <= length <= self.length:
            raise ValueError(f"the cache holds {self.length} tokens and cannot be cut to {length}")
        self.length = length
        for layer in self.layers:
            layer.length = length
        if self.mask is not None:
            self.mask = self.mask[:, :length]
        if self.ids is not None:
            self.ids = self.ids[:, :length]

    def whole_mask(self, mask: Tensor | None, batch: int, tokens: int) -> Tensor | None:
        """The mask of the tokens so far and of those that come next; None if there is no padding among them.

        Args:
            mask: ``(batch, tokens)`` of the next tokens, or None.
            batch: texts.
            tokens: next tokens of each.

        Raises:
            ValueError: if the cache is for another number of texts.
        """
        if mask is None and self.mask is None:
            return None
        keys = self.layers[0].keys
        device = keys.device
        if batch != len(keys):
            raise ValueError(f"the cache is for batch={len(keys)} and {batch} texts were given; make one for {batch}")
        before = torch.ones(batch, self.length, dtype=torch.bool, device=device) if self.mask is None else self.mask
        after = torch.ones(batch, tokens, dtype=torch.bool, device=device) if mask is None else mask
        return torch.cat((before, after), dim=1)
