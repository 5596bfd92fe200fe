"""Counting a transformer: its parameters matrix by matrix, the memory they take, and the arithmetic of its training.

Nothing is built and nothing runs here: settings go in, numbers come out, so that GPT-3 is counted as fast as a toy.

>>> parameters(TransformerConfig.preset("gpt2"))
124439808
>>> parameters(TransformerConfig.preset("gpt3"))  # published as 175 billion
174604259328
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from course_utils.models.config import TransformerConfig

KINDS = ("token table", "position table", "attention", "MLP", "norms", "output table")
BYTES = {"float32": 4.0, "bfloat16": 2.0, "8 bits": 1.0, "4 bits": 0.5}  # of one parameter, by precision


@dataclass(frozen=True)
class Matrix:
    """One learned matrix or vector of a transformer, and how many like it there are."""

    name: str  # as in the built model's ``named_parameters``; a star stands for the number of the block
    shape: tuple[int, ...]  # (rows, columns), or (numbers,) of a vector
    copies: int  # one in each block, or 1
    kind: str  # one of KINDS

    @property
    def count(self) -> int:
        """Learned numbers of all copies together."""
        return self.copies * math.prod(self.shape)


def matrices(config: TransformerConfig) -> list[Matrix]:
    """Every matrix and vector that a `Transformer` of these settings learns, from the token table up.

    >>> for matrix in matrices(TransformerConfig.preset("gpt2"))[:4]:
    ...     print(matrix.name, matrix.shape, f"{matrix.count:,}")
    token_embedding.weight (50257, 768) 38,597,376
    position_embedding.weight (1024, 768) 786,432
    blocks.*.attention_norm.weight (768,) 9,216
    blocks.*.attention_norm.bias (768,) 9,216
    """
    width, layers, neurons = config.width, config.layers, config.neurons
    query_key_value = width + 2 * config.kv_heads * config.head_width  # of all heads, side by side
    up = 2 * neurons if config.activation == "swiglu" else neurons  # gates and neurons, or neurons alone
    found = [Matrix("token_embedding.weight", (config.vocabulary, width), 1, "token table")]

    def norm(name: str, copies: int = 1) -> None:
        found.append(Matrix(f"{name}.weight", (width,), copies, "norms"))
        if config.norm == "layer":
            found.append(Matrix(f"{name}.bias", (width,), copies, "norms"))

    def linear(name: str, rows: int, columns: int, kind: str) -> None:
        found.append(Matrix(f"blocks.*.{name}.weight", (rows, columns), layers, kind))
        if config.bias:
            found.append(Matrix(f"blocks.*.{name}.bias", (rows,), layers, kind))

    if config.positions == "learned":
        found.append(Matrix("position_embedding.weight", (config.context, width), 1, "position table"))
    if config.embedding_norm:
        norm("embedding_norm")
    norm("blocks.*.attention_norm", layers)
    linear("attention.query_key_value", query_key_value, width, "attention")
    linear("attention.output", width, width, "attention")
    norm("blocks.*.mlp_norm", layers)
    linear("mlp.up", up, width, "MLP")
    linear("mlp.down", width, neurons, "MLP")
    if config.norm_first:
        norm("final_norm")
    if not config.tied_output:
        found.append(Matrix("unembedding.weight", (config.vocabulary, width), 1, "output table"))
    return found


def parameters(config: TransformerConfig) -> int:
    """How many numbers a `Transformer` of these settings learns.

    >>> parameters(TransformerConfig.preset("gpt2-xl"))
    1557611200
    """
    return sum(matrix.count for matrix in matrices(config))


def by_kind(config: TransformerConfig) -> dict[str, int]:
    """The same parameters, summed by what they are for: one number for each of `KINDS`, 0 where there are none.

    >>> by_kind(TransformerConfig.preset("smollm2"))["position table"]  # rotary positions learn nothing
    0
    """
    return {kind: sum(matrix.count for matrix in matrices(config) if matrix.kind == kind) for kind in KINDS}


def encoder_decoder_parameters(config: TransformerConfig) -> int:
    """How many numbers an `EncoderDecoder` of these settings learns.

    Two stacks; in each block of the second one cross-attention with its norm, which are as large as attention with its
    own; and one table of tokens for both.

    >>> config = TransformerConfig.preset("tiny")
    >>> encoder_decoder_parameters(config) - 2 * parameters(config)  # 2 blocks of cross-attention, without a table
    24704
    """
    per_block = [matrix for matrix in matrices(config) if matrix.name.startswith("blocks.*.attention")]
    crossing = sum(matrix.count for matrix in per_block)  # of all blocks of one stack
    return 2 * parameters(config) + crossing - config.vocabulary * config.width


def memory(parameters: float, precision: str = "float32") -> float:
    """Bytes that so many parameters take, by themselves.

    Args:
        parameters: how many.
        precision: one of `BYTES`. The scales that files with 8 or 4 bits hold too are left out.

    Raises:
        ValueError: if the precision is not known.

    >>> memory(124_439_808, "bfloat16") / 1e6  # megabytes
    248.879616
    """
    if precision not in BYTES:
        raise ValueError(f"precision={precision!r} is not known; choose one of: {', '.join(BYTES)}")
    return parameters * BYTES[precision]


def training_memory(parameters: float) -> float:
    """Bytes of training with Adam in float32, activations left out: weight, gradient and two running means each.

    >>> training_memory(1e9) / 1e9  # gigabytes
    16.0
    """
    return 4 * memory(parameters, "float32")


def training_flops(parameters: float, tokens: float) -> float:
    """Additions and multiplications to train a model: about 6 for each parameter and token.

    Two are the forward pass, where each parameter is multiplied and added once, and four go back for the gradients of
    what is above and of the parameter itself. Attention's scores are left out; they matter where the context is long
    beside the width (Kaplan et al. 2020, section 2.1).

    Args:
        parameters: how many the model has.
        tokens: how many it reads in training, repetitions counted.

    >>> f"{training_flops(175e9, 300e9):.2e}"  # GPT-3; Brown et al. 2020 say 3.14e+23
    '3.15e+23'
    """
    return 6 * parameters * tokens
