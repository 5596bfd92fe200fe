"""Attention: every token asks a question, and is answered by a weighted mean of what the others hold."""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from course_utils.models.positions import rotate


def attention(query: Tensor, key: Tensor, value: Tensor, *, causal: bool = True) -> Tensor:
    """Scaled dot-product attention, written out (Vaswani et al. 2017, eq. 1).

    The queries stand for the last tokens of those that the keys stand for: all of them while a text is read, the
    newest alone while it is written.

    Args:
        query: ``(batch, heads, queries, head_width)``.
        key: ``(batch, key_value_heads, tokens, head_width)``; ``heads`` is a multiple of ``key_value_heads``, and
            neighbouring query heads share one (Ainslie et al. 2023).
        value: ``(batch, key_value_heads, tokens, head_width)``.
        causal: hide later tokens, as a language model must.

    Returns:
        ``(batch, heads, queries, head_width)``: for each query, a weighted mean of the values.

    >>> one = torch.ones(1, 1, 3, 2)
    >>> attention(one, one, one).shape
    torch.Size([1, 1, 3, 2])
    """
    sharing = query.size(1) // key.size(1)  # query heads for each key head
    key, value = key.repeat_interleave(sharing, dim=1), value.repeat_interleave(sharing, dim=1)
    scores = query @ key.mT / math.sqrt(query.size(-1))  # (batch, heads, queries, tokens)
    if causal:
        scores = scores.masked_fill(~visible(*scores.shape[-2:], device=scores.device), float("-inf"))
    weights = scores.softmax(dim=-1)  # each row sums to 1
    return weights @ value


def fused_attention(query: Tensor, key: Tensor, value: Tensor, *, causal: bool = True) -> Tensor:
    """The same as `attention`, by torch's fused kernel, which never stores the table of scores.

    Arguments and result as for `attention`.

    >>> query, key = torch.randn(1, 4, 5, 8), torch.randn(1, 2, 5, 8)
    >>> torch.allclose(fused_attention(query, key, key), attention(query, key, key), atol=1e-6)
    True
    """
    queries, tokens, sharing = query.size(2), key.size(2), query.size(1) // key.size(1)
    if queries == 1:  # the newest token sees all, so no mask, and the
        grouped = query.unflatten(1, (-1, sharing)).squeeze(3)  # heads that share a key become its queries
        return functional.scaled_dot_product_attention(grouped, key, value).view_as(query)
    mask = visible(queries, tokens, device=query.device) if causal and queries < tokens else None
    return functional.scaled_dot_product_attention(
        query, key, value, attn_mask=mask, is_causal=causal and mask is None, enable_gqa=sharing > 1
    )


def visible(queries: int, tokens: int, *, device: torch.device | None = None) -> Tensor:
    """Which tokens each query may look at: itself and the ones before.

    Returns:
        ``(queries, tokens)`` bool; the queries are the last of the tokens.

    >>> visible(2, 3).int()
    tensor([[1, 1, 0],
            [1, 1, 1]], dtype=torch.int32)
    """
    return torch.ones(queries, tokens, dtype=torch.bool, device=device).tril(tokens - queries)


class KeyValueCache:
    """Keys and values of the tokens one layer has read, so that no token is read twice.

    Room for all of them is set aside at the start and filled from the left: nothing is copied to make it longer.

    Args:
        batch: texts written side by side.
        key_value_heads: heads that keys and values have.
        length: the most tokens it can hold.
        head_width: size of one head's key.
        dtype: precision of the model.
        device: where the model is.

    >>> cache = KeyValueCache(1, 1, 8, 2, torch.float32)
    >>> keys, values = cache.extend(torch.ones(1, 1, 3, 2), torch.ones(1, 1, 3, 2))
    >>> keys, values = cache.extend(torch.ones(1, 1, 1, 2), torch.ones(1, 1, 1, 2))
    >>> keys.shape
    torch.Size([1, 1, 4, 2])
    """

    def __init__(
        self,
        batch: int,
        key_value_heads: int,
        length: int,
        head_width: int,
        dtype: torch.dtype,
        device: torch.device | None = None,
    ):
        self.keys = torch.empty(batch, key_value_heads, length, head_width, dtype=dtype, device=device)
        self.values = torch.empty_like(self.keys)
        self.tokens = 0

    def extend(self, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
        """Store keys and values of the next tokens; return those of all tokens so far.

        Args:
            key: ``(batch, key_value_heads, tokens, head_width)``.
            value: the same shape.

        Raises:
            ValueError: if the cache is full.
        """
        end = self.tokens + key.size(2)
        if end > self.keys.size(2):
            raise ValueError(f"the cache holds {self.keys.size(2)} tokens and {end} were given; make a longer one")
        self.keys.narrow(2, self.tokens, key.size(2)).copy_(key)
        self.values.narrow(2, self.tokens, key.size(2)).copy_(value)
        self.tokens = end
        return self.keys.narrow(2, 0, end), self.values.narrow(2, 0, end)

    def repeat(self, batch: int) -> None:
        """Let ``batch`` texts go on from the one read so far."""
        self.keys = self.keys.repeat(batch, 1, 1, 1)
        self.values = self.values.repeat(batch, 1, 1, 1)


class MultiHeadAttention(nn.Module):
    """Several attentions side by side, each on its own part of the vector (Vaswani et al. 2017, section 3.2.2).

    Args:
        width: size of one token's vector.
        heads: attentions side by side; must divide ``width``.
        key_value_heads: heads that keys and values have; must divide ``heads``.
        causal: hide later tokens.
        bias: add a learned constant to each product.
        fused: use `fused_attention`; False runs the one written out.
    """

    def __init__(self, width: int, heads: int, key_value_heads: int, *, causal: bool, bias: bool, fused: bool):
        super().__init__()
        self.heads, self.key_value_heads = heads, key_value_heads
        self.head_width = width // heads
        self.causal, self.fused = causal, fused
        # Three matrices stacked into one, because one large product is faster than three small ones.
        self.query_key_value = nn.Linear(width, (heads + 2 * key_value_heads) * self.head_width, bias=bias)
        self.output = nn.Linear(width, width, bias=bias)

    def forward(self, stream: Tensor, turns: Tensor | None = None, cache: KeyValueCache | None = None) -> Tensor:
        """Mix what the tokens hold.

        Args:
            stream: ``(batch, tokens, width)``.
            turns: ``(tokens, head_width / 2)``, rotary positions of these tokens, if the model uses them.
            cache: keys and values of the tokens before these; these are added to it.

        Returns:
            ``(batch, tokens, width)``.
        """
        every_head = self.query_key_value(stream).unflatten(-1, (-1, self.head_width)).transpose(1, 2)
        query_and_key, value = every_head.split(  # each (batch, some of the heads, tokens, head_width)
            (self.heads + self.key_value_heads, self.key_value_heads), dim=1
        )
        if turns is not None:
            query_and_key = rotate(query_and_key, turns)
        query, key = query_and_key.split((self.heads, self.key_value_heads), dim=1)
        if cache is not None:
            key, value = cache.extend(key, value)
        attend = fused_attention if self.fused else attention
        mixed = attend(query, key, value, causal=self.causal)  # (batch, heads, tokens, head_width)
        return self.output(mixed.transpose(1, 2).flatten(2))  # (batch, tokens, width)
