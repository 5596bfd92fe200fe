r"""The transformer: one class, which a few settings turn into GPT-2, a chat model like SmolLM2, or BERT.

A token's id picks a row of a table. That vector travels up a stack of blocks, and each block adds to it twice: what
attention fetched from other tokens, and what an MLP made of the result. At the top, the vector is compared with every
row of a table again: one score (logit) for each token that could come next.

The whole story, with letters as tokens. Ids go in, and after each token there is a score for every token that could
follow it:

>>> import torch
>>> from torch.nn import functional
>>> from course_utils.models.transformer import Transformer, TransformerConfig
>>> text = "to be, or not to be"
>>> ids = torch.tensor([list(text.encode())])  # (1, 19)
>>> model = Transformer(TransformerConfig.preset("tiny"))
>>> logits = model(ids)
>>> logits.shape  # (batch, tokens, vocabulary)
torch.Size([1, 19, 128])

The loss is the cross-entropy between the scores after each token and the token that really came next. An untrained
model finds all 128 tokens about equally likely, so it starts near log(128) = 4.85:

>>> def next_token_loss():
...     logits, targets = model(ids[:, :-1]), ids[:, 1:]  # shifted: position i predicts token i + 1
...     return functional.cross_entropy(logits.flatten(0, 1), targets.flatten())
>>> f"{next_token_loss().item():.1f}"
'4.9'

One step of training makes the text a little likelier; a hundred make the model know it by heart:

>>> optimiser = torch.optim.AdamW(model.parameters(), lr=0.003)
>>> for _ in range(100):
...     optimiser.zero_grad()
...     next_token_loss().backward()
...     optimiser.step()
>>> f"{next_token_loss().item():.0f}"
'0'

To write is to score, pick and append, again and again:

>>> with torch.inference_mode():
...     ids = ids[:, :6]
...     for _ in range(13):
...         best = model(ids)[:, -1].argmax(-1)  # greedy: the likeliest token
...         ids = torch.cat((ids, best[:, None]), dim=1)
>>> bytes(ids[0].tolist()).decode()
'to be, or not to be'

Read from the top: `attention`, `MultiHeadAttention`, `MLP`, `Block`, `Transformer`, each made of those before it. The
first time, leave out `padding_mask`, `fused_attention` and whatever is called ``mask`` or ``cache``: they make the same
results possible for several texts at once, and faster. Settings and presets stand in `course_utils.models.config`,
positions in `course_utils.models.positions`, the cache in `course_utils.models.cache`, and the way from scores to text
in `course_utils.models.decoding`. A chat model's whole forward pass for one token, in one piece, stands in
`course_utils.models.one_token`.

There is no dropout. It helps where a model sees its data many times (GPT-2 trained with a rate of 0.1); the large
models of today see theirs about once and are trained without, and published weights are only read here.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

from course_utils.models.cache import KeyValueCache, LayerCache
from course_utils.models.config import TransformerConfig
from course_utils.models.initial import NothingDrawn
from course_utils.models.positions import rotary_angles, rotate, sinusoidal

__all__ = [
    "MLP", "Attention", "Block", "MultiHeadAttention", "Transformer", "TransformerConfig", "attention",
    "attention_weights", "causal_mask", "count_parameters", "fused_attention", "padding_mask",
]  # fmt: skip


def attention(query: Tensor, key: Tensor, value: Tensor, *, causal: bool = True, mask: Tensor | None = None) -> Tensor:
    """Scaled dot-product attention, written out (Vaswani et al. 2017, eq. 1).

    Args:
        query: ``(batch, heads, queries, head_width)``, one for each token; with a cache, for the newest tokens alone.
        key: ``(batch, key_value_heads, tokens, head_width)``; ``heads`` is a multiple of ``key_value_heads``, and
            neighbouring query heads share one (Ainslie et al. 2023).
        value: ``(batch, key_value_heads, tokens, head_width)``.
        causal: hide later tokens, as a language model must.
        mask: bool, any shape that broadcasts to ``(batch, heads, queries, tokens)``: False hides a token from a query.
            Leave each query at least one token: a softmax over none is 0 / 0.

    Returns:
        ``(batch, heads, queries, head_width)``: for each query, a weighted mean of the values.

    Raises:
        ValueError: if the shapes are not these.

    >>> one = torch.ones(1, 1, 3, 2)
    >>> attention(one, one, one).shape
    torch.Size([1, 1, 3, 2])
    """
    weights = attention_weights(query, key, causal=causal, mask=mask)  # (batch, heads, queries, tokens)
    value = value.repeat_interleave(sharing(query, key, value), dim=1)  # (batch, heads, tokens, head_width)
    return weights @ value


def attention_weights(query: Tensor, key: Tensor, *, causal: bool = True, mask: Tensor | None = None) -> Tensor:
    """How much each query takes from each token: ``(batch, heads, queries, tokens)``, and each row sums to 1.

    Arguments as for `attention`.

    >>> attention_weights(torch.zeros(1, 1, 3, 2), torch.zeros(1, 1, 3, 2))[0, 0]
    tensor([[1.0000, 0.0000, 0.0000],
            [0.5000, 0.5000, 0.0000],
            [0.3333, 0.3333, 0.3333]])
    """
    key = key.repeat_interleave(sharing(query, key), dim=1)  # (batch, heads, tokens, head_width)
    scores = query @ key.transpose(-2, -1) / math.sqrt(query.size(-1))  # (batch, heads, queries, tokens)
    if causal:
        scores = scores.masked_fill(~causal_mask(*scores.shape[-2:], device=scores.device), -math.inf)
    if mask is not None:
        scores = scores.masked_fill(~mask, -math.inf)
    return scores.softmax(dim=-1)


def sharing(query: Tensor, *tables: Tensor) -> int:
    """How many query heads share one key: 1 in GPT-2, where each has its own, and 3 in SmolLM2.

    Args:
        query: as for `attention`.
        tables: keys, or keys and values, as for `attention`.

    Raises:
        ValueError: if they do not fit together.

    >>> sharing(torch.zeros(1, 9, 5, 64), torch.zeros(1, 3, 5, 64))
    3
    """
    shapes = [tensor.shape for tensor in (query, *tables)]
    fit = all(len(shape) == 4 and shape[0] == shapes[0][0] and shape[1:3] == shapes[1][1:3] for shape in shapes[1:])
    if not fit or len(shapes[0]) != 4 or shapes[0][1] % shapes[1][1] or shapes[0][3] != shapes[1][3]:
        raise ValueError(
            "attention takes (batch, heads, tokens, head_width), as many values as keys, and heads that are a multiple "
            f"of key_value_heads; {', '.join(str(tuple(shape)) for shape in shapes)} were given; x[None, None] adds "
            "two dimensions"
        )
    return query.size(1) // tables[0].size(1)


def causal_mask(queries: int, tokens: int, *, device: torch.device | None = None) -> Tensor:
    """Which tokens each query may look at: itself and the ones before.

    Returns:
        ``(queries, tokens)`` bool; the queries are the last of the tokens.

    Raises:
        ValueError: if there are more queries than tokens.

    >>> causal_mask(2, 3).int()
    tensor([[1, 1, 0],
            [1, 1, 1]], dtype=torch.int32)
    """
    if queries > tokens:
        raise ValueError(f"{queries} queries cannot be the last of {tokens} tokens; for other tokens use causal=False")
    return torch.ones(queries, tokens, dtype=torch.bool, device=device).tril(tokens - queries)


def padding_mask(mask: Tensor, queries: int) -> Tensor:
    """Which tokens each query may look at where texts of unequal lengths were filled up with padding.

    Args:
        mask: ``(batch, tokens)`` bool, False where a token is padding.
        queries: the queries are the last of the tokens.

    Returns:
        ``(batch, 1, queries, tokens)`` bool. Padding is hidden from all but itself; nothing uses what it sees, but a
        softmax over no token at all would be 0 / 0.

    >>> padding_mask(torch.tensor([[False, True, True]]), 3)[0, 0].int()
    tensor([[1, 1, 1],
            [0, 1, 1],
            [0, 1, 1]], dtype=torch.int32)
    """
    tokens = torch.arange(mask.size(1), device=mask.device)
    itself = tokens == tokens[-queries:, None]  # (queries, tokens)
    return mask[:, None, None] | itself


def fused_attention(
    query: Tensor, key: Tensor, value: Tensor, *, causal: bool = True, mask: Tensor | None = None
) -> Tensor:
    """The same as `attention` in one call to torch, which need not keep the whole table of weights in memory.

    Arguments and result as for `attention`; only a query that may see no token gets zeros here.

    >>> query, key = torch.randn(1, 4, 5, 8), torch.randn(1, 2, 5, 8)
    >>> torch.allclose(fused_attention(query, key, key), attention(query, key, key), atol=1e-6)
    True
    """
    shared, queries, tokens = sharing(query, key, value), query.size(2), key.size(2)
    if queries == 1 and mask is None:
        # One token alone sees all the others, whatever the mask: the heads that share a key can be that key's queries.
        grouped = query.unflatten(1, (-1, shared)).squeeze(3)  # (batch, key_value_heads, sharing heads, head_width)
        return functional.scaled_dot_product_attention(grouped, key, value).reshape(query.shape)
    if causal and (mask is not None or queries != tokens):
        earlier = causal_mask(queries, tokens, device=query.device)
        mask = earlier if mask is None else mask & earlier
    return functional.scaled_dot_product_attention(
        query, key, value, attn_mask=mask, is_causal=causal and mask is None, enable_gqa=shared > 1
    )


class Attention(nn.Module):
    """`attention` as a module, so that a hook can watch it or put another result in its place.

    A forward hook is a function that torch calls after a module has run, with the module, its inputs and its result.
    Here the inputs are ``(query, key, value, mask)``, from which `attention_weights` gives the weights:

    >>> model, seen = Transformer(TransformerConfig(layers=1)), []
    >>> def hook(module, inputs, result):
    ...     query, key, value, mask = inputs
    ...     seen.append(attention_weights(query, key, causal=module.causal, mask=mask))
    >>> handle = model.blocks[0].attention.attend.register_forward_hook(hook)
    >>> logits = model(torch.tensor([[3, 1, 4]]))
    >>> seen[0].shape  # (batch, heads, queries, tokens)
    torch.Size([1, 2, 3, 3])
    >>> handle.remove()
    """

    def __init__(self, *, causal: bool, fused: bool):
        super().__init__()
        self.causal, self.fused = causal, fused

    def forward(self, query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None = None) -> Tensor:
        """Arguments and result as for `attention`."""
        attend = fused_attention if self.fused else attention
        return attend(query, key, value, causal=self.causal, mask=mask)


class MultiHeadAttention(nn.Module):
    """Several attentions side by side, each on its own part of the vector (Vaswani et al. 2017, section 3.2.2)."""

    def __init__(self, config: TransformerConfig):
        super().__init__()
        self.heads, self.key_value_heads = config.heads, config.kv_heads
        key_value_width = config.kv_heads * config.head_width
        self.widths = (config.width, key_value_width, key_value_width)  # of a token's query, key and value, all heads
        # Three matrices in one, because one large product is faster than three small ones.
        self.query_key_value = nn.Linear(config.width, sum(self.widths), bias=config.bias)
        self.attend = Attention(causal=config.causal, fused=config.fused)
        self.output = nn.Linear(config.width, config.width, bias=config.bias)

    def forward(
        self,
        stream: Tensor,
        rotary: Tensor | None = None,
        cache: LayerCache | None = None,
        mask: Tensor | None = None,
    ) -> Tensor:
        """Let each token fetch what it needs from the tokens it may look at.

        Args:
            stream: ``(batch, tokens, width)``.
            rotary: the turns of these tokens' positions, for `rotate`, if the model uses rotary positions.
            cache: keys and values of the tokens before these; those of these are added to it.
            mask: as for `attention`.

        Returns:
            ``(batch, tokens, width)``.
        """
        query, key, value = self.query_key_value(stream).split(self.widths, dim=-1)
        # Heads go before tokens, so that a matrix product takes each head by itself.
        query = query.unflatten(-1, (self.heads, -1)).transpose(1, 2)  # (batch, heads, tokens, head_width)
        key = key.unflatten(-1, (self.key_value_heads, -1)).transpose(1, 2)  # (batch, key_value_heads, tokens, ...)
        value = value.unflatten(-1, (self.key_value_heads, -1)).transpose(1, 2)  # the same shape
        if rotary is not None:
            query, key = rotate(query, rotary), rotate(key, rotary)
        if cache is not None:
            key, value = cache.extend(key, value)  # from here on, of all tokens so far
        mixed = self.attend(query, key, value, mask)  # (batch, heads, tokens, head_width)
        return self.output(mixed.transpose(1, 2).flatten(2))  # heads side by side again: (batch, tokens, width)


class MLP(nn.Module):
    """A network with one hidden layer of neurons, which looks at one token at a time.

    With ``swiglu``, the first half of what ``up`` gives opens and shuts the second half (Shazeer 2020).
    """

    def __init__(self, config: TransformerConfig):
        super().__init__()
        self.activation = config.activation
        gates = config.neurons if config.activation == "swiglu" else 0
        self.up = nn.Linear(config.width, gates + config.neurons, bias=config.bias)
        self.down = nn.Linear(config.neurons, config.width, bias=config.bias)

    def forward(self, stream: Tensor) -> Tensor:
        """``(batch, tokens, width)`` to the same shape."""
        neurons = self.up(stream)  # (batch, tokens, neurons), twice that with gates
        if self.activation == "swiglu":
            gates, neurons = neurons.chunk(2, dim=-1)
            neurons = functional.silu(gates) * neurons
        else:
            neurons = ACTIVATIONS[self.activation](neurons)
        return self.down(neurons)


ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "gelu": functional.gelu,
    "gelu_tanh": functools.partial(functional.gelu, approximate="tanh"),
    "relu_squared": lambda sums: functional.relu(sums).square(),
}


class Block(nn.Module):
    """Attention, then an MLP; each adds what it found to the stream that passes by (the residual stream)."""

    def __init__(self, config: TransformerConfig):
        super().__init__()
        self.norm_first = config.norm_first
        self.attention_norm = make_norm(config)
        self.attention = MultiHeadAttention(config)
        self.mlp_norm = make_norm(config)
        self.mlp = MLP(config)

    def forward(
        self,
        stream: Tensor,
        rotary: Tensor | None = None,
        cache: LayerCache | None = None,
        mask: Tensor | None = None,
    ) -> Tensor:
        """``(batch, tokens, width)`` to the same shape; the other arguments as for `MultiHeadAttention`."""
        if self.norm_first:
            stream = stream + self.attention(self.attention_norm(stream), rotary, cache, mask)
            return stream + self.mlp(self.mlp_norm(stream))
        stream = self.attention_norm(stream + self.attention(stream, rotary, cache, mask))
        return self.mlp_norm(stream + self.mlp(stream))


class Transformer(nn.Module):
    """A stack of blocks between a table of tokens and a score for each next token.

    Args:
        config: its settings.
        seed: of the random starting weights; torch's own random state stays as it was.
        block: what the stack is made of; a decoder that also looks at another text has blocks of its own
            (`course_utils.models.encoder_decoder`).
    """

    def __init__(self, config: TransformerConfig, seed: int = 0, block: type[Block] = Block):
        super().__init__()
        self.config = config
        with NothingDrawn():  # torch draws no weights here, because init_weights draws them all below
            self.token_embedding = nn.Embedding(config.vocabulary, config.width)
            if config.positions == "learned":
                self.position_embedding = nn.Embedding(config.context, config.width)
            if config.embedding_norm:
                self.embedding_norm = make_norm(config)
            self.blocks = nn.ModuleList(block(config) for _ in range(config.layers))
            if config.norm_first:
                self.final_norm = make_norm(config)
            if not config.tied_output:
                self.unembedding = nn.Linear(config.width, config.vocabulary, bias=False)
        self.init_weights(torch.Generator().manual_seed(seed))
        self._positions: Tensor | None = None  # see fixed_positions

    @torch.no_grad()
    def init_weights(self, generator: torch.Generator) -> None:
        """Random weights as in GPT-2: small, and smaller where layers add up (Radford et al. 2019, section 2.3).

        Raises:
            ValueError: if a subclass has a weight that this does not know.
        """
        for name, weight in self.named_parameters():
            if weight.is_meta:  # a model without memory, for its shapes or to be filled from a file
                continue
            if weight.dim() == 2:
                adds_to_stream = name.endswith(("attention.output.weight", "mlp.down.weight"))
                spread = 0.02 / math.sqrt(2 * self.config.layers) if adds_to_stream else 0.02  # a block adds twice
                weight.copy_(spread * torch.randn(weight.shape, generator=generator, device="cpu"))
            elif name.endswith(("bias", "norm.weight")):
                nn.init.constant_(weight, 0.0 if name.endswith("bias") else 1.0)
            else:
                raise ValueError(f"init_weights does not know {name}; give it its first values there")

    def forward(self, ids: Tensor, cache: KeyValueCache | None = None, mask: Tensor | None = None) -> Tensor:
        """Score every token that could come next, after each token of the text.

        Args:
            ids: ``(batch, tokens)`` int64.
            cache: from `new_cache`; holds the tokens read before these, and these afterwards.
            mask: ``(batch, tokens)`` bool, False where an id is padding; texts of unequal lengths are then scored as
                each would be by itself. What comes out at padding means nothing.

        Returns:
            logits ``(batch, tokens, vocabulary)``.

        Raises:
            ValueError: if a text is longer than the context, or the model is an encoder.
        """
        if not self.config.causal:
            raise ValueError(
                "this model is an encoder (causal=False): each token sees the next one, so it predicts none; "
                "call hidden_states for a vector of each token"
            )
        return self.unembed(self.hidden_states(ids, cache, mask))

    def hidden_states(
        self, ids: Tensor, cache: KeyValueCache | None = None, mask: Tensor | None = None, *others: Tensor | None
    ) -> Tensor:
        """What the stack makes of each token: the residual stream at its end.

        Args:
            ids: ``(batch, tokens)`` int64.
            cache: as for `forward`.
            mask: as for `forward`.
            others: what blocks of another kind look at beside the text; each block gets it.

        Returns:
            ``(batch, tokens, width)``.
        """
        # Positions are 0, 1, 2, ... unless a cache or padding shifts them: (1 or batch, tokens).
        positions, real = self._places(ids, cache, mask)
        visible = None if real is None else padding_mask(real, ids.size(1))  # (batch, 1, tokens, all tokens)
        stream = self.token_embedding(ids)  # (batch, tokens, width)
        rotary = None
        if self.config.positions == "learned":
            stream = stream + self.position_embedding(positions)
        elif self.config.positions == "sinusoidal":
            # Small first vectors would drown in waves of size 1 (Vaswani et al. 2017, section 3.4).
            stream = stream * math.sqrt(self.config.width) + self.fixed_positions()[positions].type_as(stream)
        elif self.config.positions == "rotary":
            rotary = self.fixed_positions()[positions][:, None]  # (1 or batch, 1, tokens, head_width / 2)
        if self.config.embedding_norm:
            stream = self.embedding_norm(stream)
        for layer, block in enumerate(self.blocks):
            stream = block(stream, rotary, None if cache is None else cache.layers[layer], visible, *others)
        if cache is not None:  # only now: a reading that fails leaves the cache as it was
            cache.length, cache.mask = cache.length + ids.size(1), real
        return self.final_norm(stream) if self.config.norm_first else stream

    def unembed(self, stream: Tensor) -> Tensor:
        """Compare vectors with every row of the output table: ``(..., width)`` to logits ``(..., vocabulary)``."""
        if self.config.tied_output:
            return functional.linear(stream, self.token_embedding.weight)
        return self.unembedding(stream)

    def new_cache(self, room: int, *, batch: int = 1) -> KeyValueCache:
        """An empty cache with room for ``room`` tokens of each of ``batch`` texts.

        Raises:
            ValueError: if the model is an encoder.
        """
        config, weight = self.config, self.token_embedding.weight
        if not config.causal:
            raise ValueError(
                "this model is an encoder (causal=False): a new token changes what all tokens before it become, so "
                "nothing of them can be kept; read the whole text without a cache"
            )
        return KeyValueCache(
            len(self.blocks), batch, config.kv_heads, room, config.head_width, weight.dtype, weight.device
        )

    def fixed_positions(self) -> Tensor:
        """The model's table of sinusoidal waves ``(context, width)`` or rotary angles ``(context, head_width / 2)``.

        It is worked out once, in full precision. It is no buffer, because ``model.to(torch.bfloat16)`` would round it.
        """
        device = self.token_embedding.weight.device
        if self._positions is None or self._positions.device != device:
            config = self.config
            if config.positions == "rotary":
                table = rotary_angles(config.context, config.head_width, config.rotary_base)
            else:
                table = sinusoidal(config.context, config.width)
            self._positions = table.to(device)
        return self._positions

    def _places(self, ids: Tensor, cache: KeyValueCache | None, mask: Tensor | None) -> tuple[Tensor, Tensor | None]:
        """Position of each new token, and which of all tokens so far are real (None: there is no padding)."""
        if ids.dim() != 2:
            raise ValueError(f"ids must be (batch, tokens) and have the shape {tuple(ids.shape)}; try ids[None]")
        if mask is not None and mask.shape != ids.shape:
            raise ValueError(f"mask has the shape {tuple(mask.shape)} and must have that of ids, {tuple(ids.shape)}")
        if mask is not None and mask.dtype != torch.bool:
            raise ValueError(f"mask must be bool, False where an id is padding, and is {mask.dtype}; try mask.bool()")
        start, real = 0, mask
        if cache is not None:
            start = cache.length
            cache.truncate(start)  # a reading that was interrupted left some layers longer
            real = cache.whole_mask(mask, *ids.shape)
        if real is None:
            positions, end = torch.arange(start, start + ids.size(1), device=ids.device)[None], start + ids.size(1)
        else:
            positions = (real.cumsum(1) - 1).clamp(min=0)[:, start:]  # padding takes no position
            end = int(positions.max()) + 1
        if end > self.config.context:
            limit = self.config.context
            raise ValueError(f"{end} tokens do not fit into this model's context of {limit}; shorten the text")
        return positions, real


def make_norm(config: TransformerConfig) -> nn.RMSNorm | nn.LayerNorm:
    """What brings each token's vector to one size before it enters a part, so that no layer meets huge or tiny numbers.

    Layer norm takes away the vector's mean and divides by its standard deviation (Ba et al. 2016). RMS norm only
    divides, by the root of the mean square (Zhang and Sennrich 2019). Each number then has a learned gain, 1 at first.

    >>> make_norm(TransformerConfig(width=2, norm="rms"))(torch.tensor([3.0, 4.0])).detach()  # by the root of 12.5
    tensor([0.8485, 1.1314])
    """
    if config.norm == "rms":
        return nn.RMSNorm(config.width, eps=config.norm_epsilon)
    return nn.LayerNorm(config.width, eps=config.norm_epsilon)


def count_parameters(model: nn.Module) -> int:
    """How many numbers a model learns.

    >>> count_parameters(nn.Linear(3, 2))
    8
    """
    return sum(weight.numel() for weight in model.parameters())
