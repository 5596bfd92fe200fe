"""One more token of one text, with little around the products.

While a chat model writes, it reads one token at a time, and each of its matrices meets a single vector. Then the
machine's limit is how fast it can fetch the matrices from memory; everything else is delay. `read_token` computes what
`Transformer.hidden_states` does in this one case, and leaves out what it does not need: batches, masks, modules.
In bfloat16, torch's matrix-vector product is also faster than its matrix-matrix product with one row.
"""

import math
from typing import cast

import torch
from torch import Tensor, nn

from course_utils.models.attention import KeyValueCache, fused_attention
from course_utils.models.positions import rotate
from course_utils.models.transformer import Block, Transformer


def can_read_token(model: nn.Module) -> bool:
    """Whether `read_token` knows this model's settings: those of the Llama family, causal and without biases."""
    if not isinstance(model, Transformer):
        return False
    config = model.config
    llama = (config.norm, config.norm_first, config.positions, config.activation) == ("rms", True, "rotary", "swiglu")
    return llama and config.causal and not config.bias and not config.segments


@torch.inference_mode()
def read_token(model: Transformer, token: int, cache: list[KeyValueCache]) -> Tensor:
    """What the stack makes of the newest token; equals ``model.hidden_states(torch.tensor([[token]]), cache)[0, 0]``.

    Args:
        model: one for which `can_read_token` holds.
        token: its id.
        cache: of the tokens before; this one is added.

    Returns:
        ``(width,)``.
    """
    config, epsilon = model.config, model.config.norm_epsilon
    turn = model.fixed_positions(cache[0].tokens, cache[0].tokens + 1)  # (1, head_width / 2)
    stream = model.tokens.weight[token]  # (width,)
    for block, memory in zip(cast(list[Block], model.blocks), cache, strict=True):
        attention, mlp = block.attention, block.mlp
        heads = normed(stream, block.attention_norm.weight, epsilon, attention.query_key_value.weight)
        heads = heads.view(1, -1, 1, config.head_width)  # (1, all heads, 1, head_width)
        turned = rotate(heads[:, : -config.kv_heads], turn)
        keys, values = memory.extend(turned[:, config.heads :], heads[:, -config.kv_heads :])
        mixed = fused_attention(turned[:, : config.heads], keys, values).view(-1)  # (width,)
        stream = torch.addmv(stream, attention.output.weight, mixed)
        gate, hidden = normed(stream, block.mlp_norm.weight, epsilon, mlp.up.weight).chunk(2)
        stream = torch.addmv(stream, mlp.down.weight, nn.functional.silu(gate) * hidden)
    return stream * model.norm.weight / length(stream, epsilon)


def normed(vector: Tensor, gain: Tensor, epsilon: float, matrix: Tensor) -> Tensor:
    """A matrix times the RMS norm of a vector; the product itself divides by the vector's length.

    Args:
        vector: ``(width,)``.
        gain: ``(width,)``, the norm's weights.
        epsilon: the norm's.
        matrix: ``(outputs, width)``.

    Returns:
        ``(outputs,)``.

    >>> normed(torch.tensor([3.0, 4.0]), torch.ones(2), 0.0, torch.eye(2))
    tensor([0.8485, 1.1314])
    """
    nothing = vector[:1]  # addmv wants something to add to, and beta=0 leaves it out
    return torch.addmv(nothing, matrix, vector * gain, beta=0, alpha=1 / length(vector, epsilon))


def length(vector: Tensor, epsilon: float) -> float:
    """Root of the mean square, as `torch.nn.RMSNorm` takes it."""
    norm = torch.linalg.vector_norm(vector, dtype=torch.float32).item()
    return math.sqrt(norm * norm / len(vector) + epsilon)
