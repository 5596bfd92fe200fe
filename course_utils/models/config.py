"""The settings of a `Transformer`, and those of published models."""

from __future__ import annotations

import dataclasses
from typing import Any, Literal, get_args

Norm = Literal["layer", "rms"]
Positions = Literal["learned", "sinusoidal", "rotary", "none"]
Activation = Literal["gelu", "gelu_tanh", "swiglu", "relu_squared"]


@dataclasses.dataclass(frozen=True)
class TransformerConfig:
    """Every setting of a `Transformer`; fixed when it is made.

    Raises:
        ValueError: if sizes do not fit together or a name is unknown.

    >>> TransformerConfig.preset("gpt2").heads
    12
    >>> TransformerConfig(width=128, heads=5)
    Traceback (most recent call last):
    ValueError: heads=5 must divide width=128; try 4 or 8
    """

    vocabulary: int = 256  # different tokens
    context: int = 64  # the most tokens it reads at once
    width: int = 64  # size of one token's vector
    layers: int = 2  # blocks, one above the other
    heads: int = 2  # attentions side by side in a block
    key_value_heads: int | None = None  # None: as many as heads; fewer: query heads share keys and values
    mlp_width: int | None = None  # neurons inside the MLP; None: four times the width
    norm: Norm = "layer"
    norm_first: bool = True  # normalise what enters a part (GPT-2, Llama) or what leaves it (GPT-1, BERT)
    embedding_norm: bool = False  # normalise the vectors that enter the first block too (BERT)
    norm_epsilon: float = 1e-5
    positions: Positions = "learned"
    rotary_base: float = 10_000.0
    activation: Activation = "gelu"
    bias: bool = True  # a learned constant beside each matrix; a layer norm always has one
    causal: bool = True  # a token may not look at later ones; False makes an encoder, which predicts nothing
    tied_output: bool = True  # one table of tokens for reading them and for scoring them
    fused: bool = True  # torch's fused attention; False: the one written out
    # For small models that learn fast (datasets/runs/pretraining_ablation.csv); none of the presets has any of it.
    earlier_tokens: int = 0  # how many tokens before each one add a vector of their own to its vector
    logit_cap: float | None = None  # logits stay between this and minus this
    zero_outputs: bool = False  # blocks start by adding nothing to the stream

    def __post_init__(self) -> None:
        """Refuse what cannot work, in a sentence."""
        for name in ("vocabulary", "context", "width", "layers", "heads", "kv_heads", "neurons"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                name = {"kv_heads": "key_value_heads", "neurons": "mlp_width"}.get(name, name)
                raise ValueError(f"{name}={value!r} must be a whole number of at least 1")
        for name, allowed in _CHOICES.items():
            if getattr(self, name) not in allowed:
                raise ValueError(f"{name}={getattr(self, name)!r} is unknown; choose one of {', '.join(allowed)}")
        for name, least in (("norm_epsilon", 0.0), ("rotary_base", 1.0), ("earlier_tokens", 0)):
            if not getattr(self, name) >= least:
                raise ValueError(f"{name}={getattr(self, name)!r} must be at least {least:g}")
        if self.logit_cap is not None and not self.logit_cap > 0:
            raise ValueError(f"logit_cap={self.logit_cap!r} must be above 0, or None for no limit; the usual is 15")
        if self.width % self.heads:
            cure = _divisors(self.width, self.heads)
            raise ValueError(f"heads={self.heads} must divide width={self.width}; try {cure}")
        if self.heads % self.kv_heads:
            cure = _divisors(self.heads, self.kv_heads)
            raise ValueError(f"key_value_heads={self.kv_heads} must divide heads={self.heads}; try {cure}")
        if self.positions == "rotary" and self.head_width % 2:
            raise ValueError(
                f"width / heads = {self.width} / {self.heads} = {self.head_width} must be even, because rotary "
                f"positions turn pairs of numbers; try width={self.width + self.heads}"
            )
        if self.positions == "sinusoidal" and self.width % 2:
            raise ValueError(
                f"width={self.width} must be even, because each wave needs a sine and a cosine; try {self.width + 1}"
            )

    @property
    def head_width(self) -> int:
        """Size of one head's query."""
        return self.width // self.heads

    @property
    def kv_heads(self) -> int:
        """Heads that keys and values have: ``key_value_heads`` with None resolved."""
        return self.heads if self.key_value_heads is None else self.key_value_heads

    @property
    def neurons(self) -> int:
        """Neurons inside the MLP: ``mlp_width`` with None resolved."""
        return 4 * self.width if self.mlp_width is None else self.mlp_width

    @classmethod
    def preset(cls, name: str, **changes: Any) -> TransformerConfig:
        """The settings of a published model, or of a small one to train here; ``changes`` replace some of them.

        Args:
            name: ``gpt1`` (Radford et al. 2018, section 4.1), ``gpt2``, ``gpt2-medium``, ``gpt2-large`` or ``gpt2-xl``
                (Radford et al. 2019, table 2), ``gpt3`` (Brown et al. 2020, table 2.1, the 175 B size), ``smollm2``
                (SmolLM2-135M, Allal et al. 2025), ``minilm`` (all-MiniLM-L6-v2, Wang et al. 2020) or ``tiny``.
            changes: any field of this class.

        Raises:
            ValueError: if the name is unknown.

        >>> TransformerConfig.preset("tiny", layers=3).layers
        3
        """
        if name not in _PRESETS:
            raise ValueError(f"there is no preset {name!r}; choose one of {', '.join(_PRESETS)}")
        return cls(**{**_PRESETS[name], **changes})


_CHOICES = {"norm": get_args(Norm), "positions": get_args(Positions), "activation": get_args(Activation)}

_GPT2 = dict(vocabulary=50_257, context=1024, width=768, layers=12, heads=12, activation="gelu_tanh")
_PRESETS: dict[str, dict[str, Any]] = {
    "gpt1": {**_GPT2, "vocabulary": 40_478, "context": 512, "norm_first": False},
    "gpt2": _GPT2,
    "gpt2-medium": {**_GPT2, "width": 1024, "layers": 24, "heads": 16},
    "gpt2-large": {**_GPT2, "width": 1280, "layers": 36, "heads": 20},
    "gpt2-xl": {**_GPT2, "width": 1600, "layers": 48, "heads": 25},
    # In half of GPT-3's layers a token sees only a band of neighbours; that changes no count, and is left out here.
    "gpt3": {**_GPT2, "context": 2048, "width": 12_288, "layers": 96, "heads": 96},
    "smollm2": dict(
        vocabulary=49_152, context=8192, width=576, layers=30, heads=9, key_value_heads=3, mlp_width=1536,
        norm="rms", positions="rotary", rotary_base=100_000.0, activation="swiglu", bias=False,
    ),
    "minilm": dict(
        vocabulary=30_522, context=512, width=384, layers=6, heads=12, mlp_width=1536,
        norm_first=False, embedding_norm=True, norm_epsilon=1e-12, causal=False,
    ),
    "tiny": dict(
        vocabulary=128, context=64, width=64, layers=2, heads=4,
        norm="rms", positions="rotary", activation="relu_squared", bias=False,
    ),
}  # fmt: skip


def _divisors(number: int, near: int) -> str:
    """The divisors of ``number`` on both sides of ``near``, in words.

    >>> _divisors(128, 5)
    '4 or 8'
    """
    below = next((d for d in range(min(near, number), 0, -1) if number % d == 0), None)
    above = next((d for d in range(max(near, 1), number + 1) if number % d == 0), None)
    return " or ".join(str(d) for d in dict.fromkeys((below, above)) if d is not None)
