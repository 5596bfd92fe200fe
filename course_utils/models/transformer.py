"""The transformer: one class, which a few settings turn into GPT-2, a Llama-type chat model or an encoder.

A token's id picks a row of a table. That vector travels up a stack of blocks. Each block adds to it twice: what
attention fetched from other tokens, and what an MLP made of the result. At the top, the vector is compared with every
row of a table again: one score for each token that could come next.
"""

from __future__ import annotations

import dataclasses
import math
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from course_utils.models.attention import KeyValueCache, MultiHeadAttention
from course_utils.models.positions import rotary_turns, sinusoidal


@dataclasses.dataclass(frozen=True)
class TransformerConfig:
    """Every setting of a `Transformer`; fixed when it is made.

    Raises:
        ValueError: if sizes do not divide or a name is unknown.

    >>> TransformerConfig.preset("gpt2").heads
    12
    >>> TransformerConfig(width=128, heads=5)
    Traceback (most recent call last):
    ValueError: heads=5 must divide width=128; try 4 or 8
    """

    vocabulary: int = 256  # rows of the token table
    context: int = 64  # the most tokens it reads at once
    width: int = 64  # size of one token's vector
    layers: int = 2  # blocks, one above the other
    heads: int = 2  # attentions side by side in a block
    key_value_heads: int | None = None  # None: as many as heads; fewer: query heads share keys and values
    mlp_width: int | None = None  # None: four times the width
    norm: Literal["layer", "rms"] = "layer"
    norm_first: bool = True  # normalise what enters a part (GPT-2, Llama) or what leaves it (BERT)
    norm_epsilon: float = 1e-5
    positions: Literal["learned", "sinusoidal", "rotary", "none"] = "learned"
    rotary_base: float = 10_000.0
    activation: Literal["gelu", "gelu_tanh", "swiglu", "relu_squared"] = "gelu"
    bias: bool = True  # a learned constant beside each matrix
    causal: bool = True  # a token may not look at later ones
    tied_output: bool = True  # the token table is the output table too
    segments: int = 0  # kinds of sentence told apart at the input (BERT: 2)
    fused: bool = True  # torch's fused attention; False: the one written out

    def __post_init__(self) -> None:
        """Refuse what cannot work, in a sentence."""
        for name in ("vocabulary", "context", "width", "layers", "heads"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}={getattr(self, name)} must be at least 1")
        if self.width % self.heads:
            cure = _divisors(self.width, self.heads)
            raise ValueError(f"heads={self.heads} must divide width={self.width}; try {cure}")
        if self.heads % self.kv_heads:
            cure = _divisors(self.heads, self.kv_heads)
            raise ValueError(f"key_value_heads={self.kv_heads} must divide heads={self.heads}; try {cure}")
        for name, allowed in _CHOICES.items():
            if getattr(self, name) not in allowed:
                raise ValueError(f"{name}={getattr(self, name)!r} is unknown; choose one of {', '.join(allowed)}")

    @property
    def head_width(self) -> int:
        """Size of one head's query."""
        return self.width // self.heads

    @property
    def kv_heads(self) -> int:
        """Heads that keys and values have."""
        return self.heads if self.key_value_heads is None else self.key_value_heads

    @property
    def hidden(self) -> int:
        """Width inside the MLP."""
        return 4 * self.width if self.mlp_width is None else self.mlp_width

    @classmethod
    def preset(cls, name: str, **changes: Any) -> TransformerConfig:
        """The settings of a published model, or of a small one to train here; ``changes`` replace some of them.

        Args:
            name: ``gpt2`` (Radford et al. 2019, the 124 M size), ``smollm2`` (SmolLM2-135M, Allal et al. 2025),
                ``minilm`` (all-MiniLM-L6-v2, Wang et al. 2020) or ``tiny``.
            changes: any field of this class.

        Raises:
            ValueError: if the name is unknown.

        >>> TransformerConfig.preset("tiny", layers=3).layers
        3
        """
        if name not in _PRESETS:
            raise ValueError(f"there is no preset {name!r}; choose one of {', '.join(_PRESETS)}")
        return cls(**{**_PRESETS[name], **changes})


_CHOICES = {
    "norm": ("layer", "rms"),
    "positions": ("learned", "sinusoidal", "rotary", "none"),
    "activation": ("gelu", "gelu_tanh", "swiglu", "relu_squared"),
}

_PRESETS: dict[str, dict[str, Any]] = {
    "gpt2": dict(vocabulary=50_257, context=1024, width=768, layers=12, heads=12, activation="gelu_tanh"),
    "smollm2": dict(
        vocabulary=49_152, context=8192, width=576, layers=30, heads=9, key_value_heads=3, mlp_width=1536,
        norm="rms", positions="rotary", rotary_base=100_000.0, activation="swiglu", bias=False,
    ),
    "minilm": dict(
        vocabulary=30_522, context=512, width=384, layers=6, heads=12, mlp_width=1536,
        norm_first=False, norm_epsilon=1e-12, causal=False, segments=2,
    ),
    "tiny": dict(
        vocabulary=128, context=64, width=64, layers=2, heads=4,
        norm="rms", positions="rotary", activation="relu_squared", bias=False,
    ),
}  # fmt: skip


class Transformer(nn.Module):
    """A stack of attention and MLP blocks between a table of tokens and a score for each next token.

    Args:
        config: its settings.
        seed: of the random starting weights; torch's own random state stays as it was.

    >>> model = Transformer(TransformerConfig.preset("tiny"))
    >>> model(torch.tensor([[5, 2, 7]])).shape
    torch.Size([1, 3, 128])
    """

    def __init__(self, config: TransformerConfig, seed: int = 0):
        super().__init__()
        self.config = config
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.tokens = nn.Embedding(config.vocabulary, config.width)
            if config.positions == "learned":
                self.places = nn.Embedding(config.context, config.width)
            if config.segments:
                self.kinds = nn.Embedding(config.segments, config.width)
            self.blocks = nn.ModuleList(Block(config) for _ in range(config.layers))
            self.norm = make_norm(config)  # of the stream's end, or, if norm comes last in blocks, of its start
            if not config.tied_output:
                self.output = nn.Linear(config.width, config.vocabulary, bias=False)
            self._start_small()
        self._fixed_positions: Tensor | None = None

    def _start_small(self) -> None:
        """Random weights as in GPT-2: small, and smaller where layers add up (Radford et al. 2019, section 2.3)."""
        for name, weight in self.named_parameters():
            if weight.dim() == 2:
                adds_to_stream = name.endswith(("attention.output.weight", "mlp.down.weight"))
                nn.init.normal_(weight, std=0.02 / math.sqrt(2 * self.config.layers) if adds_to_stream else 0.02)
            elif name.endswith("bias"):
                nn.init.zeros_(weight)

    def forward(self, ids: Tensor, cache: list[KeyValueCache] | None = None) -> Tensor:
        """Score every token that could come next, after each token of the text.

        Args:
            ids: ``(batch, tokens)`` int64.
            cache: from `new_cache`; holds the tokens read before these, and these afterwards.

        Returns:
            logits ``(batch, tokens, vocabulary)``.

        Raises:
            ValueError: if the text is longer than the context.
        """
        return self.unembed(self.hidden_states(ids, cache))

    def hidden_states(self, ids: Tensor, cache: list[KeyValueCache] | None = None) -> Tensor:
        """What the stack makes of each token: the residual stream at its end.

        Args:
            ids: ``(batch, tokens)`` int64.
            cache: as for `forward`.

        Returns:
            ``(batch, tokens, width)``.
        """
        config, start = self.config, cache[0].tokens if cache else 0
        end = start + ids.size(1)
        if end > config.context:
            raise ValueError(f"{end} tokens do not fit into this model's context of {config.context}; shorten the text")
        stream, turns = self.tokens(ids), None  # (batch, tokens, width)
        if config.positions == "learned":
            stream = stream + self.places.weight[start:end]
        elif config.positions == "sinusoidal":
            stream = stream + self.fixed_positions(start, end).type_as(stream)
        elif config.positions == "rotary":
            turns = self.fixed_positions(start, end)
        if config.segments:
            stream = stream + self.kinds.weight[0]  # one sentence: all of the first kind
        if not config.norm_first:
            stream = self.norm(stream)
        for layer, block in enumerate(self.blocks):
            stream = block(stream, turns, cache[layer] if cache else None)
        return self.norm(stream) if config.norm_first else stream

    def unembed(self, stream: Tensor) -> Tensor:
        """Compare vectors with every row of the output table: ``(..., width)`` to logits ``(..., vocabulary)``."""
        table = self.tokens.weight if self.config.tied_output else self.output.weight
        return torch.mv(table, stream) if stream.dim() == 1 else functional.linear(stream, table)

    def new_cache(self, length: int, batch: int = 1) -> list[KeyValueCache]:
        """An empty cache for each layer, with room for ``length`` tokens of ``batch`` texts."""
        weight = self.tokens.weight
        return [
            KeyValueCache(batch, self.config.kv_heads, length, self.config.head_width, weight.dtype, weight.device)
            for _ in self.blocks
        ]

    def fixed_positions(self, start: int, end: int) -> Tensor:
        """Sinusoidal waves or rotary turns of these places, worked out once, in full precision.

        Returns:
            ``(end - start, width)`` waves, or ``(end - start, head_width / 2)`` turns.
        """
        if self._fixed_positions is None or self._fixed_positions.device != self.tokens.weight.device:
            config = self.config
            with torch.inference_mode(False):  # made while writing, it serves training too
                if config.positions == "rotary":
                    table = rotary_turns(config.context, config.head_width, config.rotary_base)
                else:
                    table = sinusoidal(config.context, config.width)
            self._fixed_positions = table.to(self.tokens.weight.device)
        return self._fixed_positions[start:end]


class Block(nn.Module):
    """Attention, then an MLP; each adds what it found to the stream that passes by."""

    def __init__(self, config: TransformerConfig):
        super().__init__()
        self.norm_first = config.norm_first
        self.attention_norm = make_norm(config)
        self.attention = MultiHeadAttention(
            config.width, config.heads, config.kv_heads, causal=config.causal, bias=config.bias, fused=config.fused
        )
        self.mlp_norm = make_norm(config)
        self.mlp = MLP(config)

    def forward(self, stream: Tensor, turns: Tensor | None = None, cache: KeyValueCache | None = None) -> Tensor:
        """``(batch, tokens, width)`` to the same shape; ``turns`` and ``cache`` as for `MultiHeadAttention`."""
        if self.norm_first:
            stream = stream + self.attention(self.attention_norm(stream), turns, cache)
            return stream + self.mlp(self.mlp_norm(stream))
        stream = self.attention_norm(stream + self.attention(stream, turns, cache))
        return self.mlp_norm(stream + self.mlp(stream))


class MLP(nn.Module):
    """Two layers of neurons that look at one token at a time.

    With ``swiglu``, half of the first layer opens and shuts the other half (Shazeer 2020).
    """

    def __init__(self, config: TransformerConfig):
        super().__init__()
        self.activation = config.activation
        gates = 2 if config.activation == "swiglu" else 1
        self.up = nn.Linear(config.width, gates * config.hidden, bias=config.bias)
        self.down = nn.Linear(config.hidden, config.width, bias=config.bias)

    def forward(self, stream: Tensor) -> Tensor:
        """``(batch, tokens, width)`` to the same shape."""
        hidden = self.up(stream)  # (batch, tokens, hidden), twice that with gates
        if self.activation == "swiglu":
            gate, hidden = hidden.chunk(2, dim=-1)
            hidden = functional.silu(gate) * hidden
        elif self.activation == "relu_squared":
            hidden = functional.relu(hidden).square()
        else:
            hidden = functional.gelu(hidden, approximate="tanh" if self.activation == "gelu_tanh" else "none")
        return self.down(hidden)


def make_norm(config: TransformerConfig) -> nn.RMSNorm | nn.LayerNorm:
    """Layer norm (Ba et al. 2016), or RMS norm, which leaves out the mean (Zhang and Sennrich 2019)."""
    if config.norm == "rms":
        return nn.RMSNorm(config.width, eps=config.norm_epsilon)
    return nn.LayerNorm(config.width, eps=config.norm_epsilon)


def count_parameters(model: nn.Module) -> int:
    """How many numbers a model learns.

    >>> count_parameters(nn.Linear(3, 2))
    8
    """
    return sum(weight.numel() for weight in model.parameters())


def _divisors(number: int, near: int) -> str:
    """The divisors of ``number`` on both sides of ``near``, in words.

    >>> _divisors(128, 5)
    '4 or 8'
    """
    below = next((d for d in range(min(near, number), 0, -1) if number % d == 0), None)
    above = next((d for d in range(max(near, 1), number + 1) if number % d == 0), None)
    return " or ".join(str(d) for d in dict.fromkeys((below, above)) if d is not None)
