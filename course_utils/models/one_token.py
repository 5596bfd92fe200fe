"""One token of one text through a chat model, with little around the products.

While a chat model writes, it reads one token at a time, and each of its matrices meets a single vector. Then the
machine's limit is how fast it can fetch the matrices from memory; everything else is delay. `read_token` computes what
`Transformer.hidden_states` does in this one case, and leaves out what it does not need: batches, masks, modules. It
looks at the weights alone, so it is used only where `is_plain` finds nothing hooked, wrapped or replaced.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from course_utils.models import transformer
from course_utils.models.cache import KeyValueCache
from course_utils.models.config import TransformerConfig
from course_utils.models.positions import rotate
from course_utils.models.transformer import MLP, Attention, Block, MultiHeadAttention, Transformer


def weights_in_order(model: nn.Module) -> list[Tensor] | None:
    """All weights of a model that `read_token` can read, in the order of their use; None for another model.

    It reads plain (`is_plain`) causal models of the Llama family without biases. Their weights are the token table; for
    each block attention's norm, queries with keys and values, attention's output, the MLP's norm, up and down; then the
    final norm, and a table for the scores unless the token table serves.

    It is asked before every token, because a hook may come and go while a text is written.
    """
    if not isinstance(model, Transformer):
        return None
    config = model.config
    llama = (config.norm, config.norm_first, config.positions, config.activation) == ("rms", True, "rotary", "swiglu")
    extras = config.earlier_tokens or config.logit_cap is not None
    parts = plain_parts(model) if llama and config.causal and not extras else None
    if parts is None:
        return None
    remembered = {kind: settings(config).items() for kind, settings in _REMEMBERED.items()}
    weights: list[Tensor] = []
    for part in parts:
        if type(part) in remembered and not remembered[type(part)] <= part.__dict__.items():
            return None
        own = part._parameters
        if own:
            if type(part) is nn.LayerNorm or own.get("bias") is not None or own["weight"] is None:
                return None
            weights.append(own["weight"])
    expected = 2 + 6 * len(cast(nn.ModuleList, model.blocks)) + (not config.tied_output)
    return weights if len(weights) == expected else None


def is_plain(model: nn.Module) -> bool:
    """Whether calling the model runs the course's own code and torch's, and nothing else; see `plain_parts`."""
    return plain_parts(model) is not None


def plain_parts(model: nn.Module) -> list[nn.Module] | None:
    """The model and all its parts, in the order in which they were made, if all are the course's own or torch's.

    None if any part is hooked, wrapped, parametrised, of another class, or has a method of its own; also if a hook for
    all modules is set, or a method of one of these classes or a function that they call was exchanged.
    """
    if is_hooked(model) or any(vars(place)[name] is not own for place, name, own in _CODE):
        return None
    parts, waiting = [], [model]
    while waiting:  # Module.modules() takes three times as long
        part = waiting.pop()
        own = part.__dict__
        if type(part) not in _KINDS or own["_forward_hooks"] or own["_forward_pre_hooks"]:
            return None
        if not own.keys().isdisjoint(_OWN_METHODS):
            return None
        parts.append(part)
        waiting += cast(list[nn.Module], reversed(part._modules.values()))
    return parts


def is_hooked(part: nn.Module) -> bool:
    """Whether calling this module runs more, or something else, than its class's forward."""
    return bool(
        part._forward_hooks
        or part._forward_pre_hooks
        or "forward" in part.__dict__
        or _EVERYWHERE._global_forward_hooks
        or _EVERYWHERE._global_forward_pre_hooks
    )


_EVERYWHERE = nn.modules.module
_METHODS: dict[Any, tuple[str, ...]] = {
    Transformer: ("forward", "hidden_states", "unembed", "fixed_positions"),
    **dict.fromkeys((Block, MultiHeadAttention, Attention, MLP, nn.Linear, nn.Embedding, nn.RMSNorm), ("forward",)),
}
_FUNCTIONS = ("attention", "attention_weights", "fused_attention", "causal_mask", "padding_mask", "sharing", "rotate")
_CODE = [  # as it is when this module is loaded
    (place, name, vars(place)[name]) for place, names in {**_METHODS, transformer: _FUNCTIONS}.items() for name in names
]
_KINDS = frozenset([*_METHODS, nn.ModuleList, nn.LayerNorm])
_OWN_METHODS = frozenset(name for names in _METHODS.values() for name in names)
FORWARD = Transformer.forward
# What a part remembers of the settings; `read_token` goes by the settings alone, so that none may have been changed.
_REMEMBERED: dict[type, Callable[[TransformerConfig], dict[str, object]]] = {
    Block: lambda config: {"norm_first": config.norm_first},
    MultiHeadAttention: lambda config: {"heads": config.heads, "key_value_heads": config.kv_heads},
    Attention: lambda config: {"causal": config.causal},
    MLP: lambda config: {"activation": config.activation},
    nn.RMSNorm: lambda config: {"eps": config.norm_epsilon},
}


@torch.inference_mode()
def read_token(model: Transformer, weights: list[Tensor], token: int, cache: KeyValueCache) -> Tensor:
    """The scores after the newest token; equals ``model(torch.tensor([[token]]), cache)[:, -1]`` to rounding.

    In bfloat16 rounding can change a text after some tens of tokens: between processors, and when a hook is attached.

    Args:
        model: the one that the weights are from.
        weights: from `weights_in_order`.
        token: its id.
        cache: of the tokens before; this one is added.

    Returns:
        ``(1, vocabulary)``.

    Raises:
        ValueError: if the context or the cache is full.
    """
    config, start = model.config, cache.length
    if start >= config.context:
        raise ValueError(
            f"{start + 1} tokens do not fit into this model's context of {config.context}; shorten the text"
        )
    cache.truncate(start)  # a reading that was interrupted left some layers longer
    times, epsilon = product(model), config.norm_epsilon
    heads, shared = config.heads, (1, config.kv_heads, -1, config.head_width)
    rotary = model.fixed_positions()[start : start + 1]  # (1, head_width / 2)
    embedding, *layers, final_norm = weights if config.tied_output else weights[:-1]
    stream = embedding[token : token + 1]  # (1, width)
    for layer in range(len(layers) // 6):
        attention_norm, query_key_value, output, mlp_norm, up, down = layers[6 * layer : 6 * layer + 6]
        rows = times(query_key_value, rms_norm(stream, attention_norm, epsilon))
        rows = rows.view(1, -1, 1, config.head_width)  # (1, all heads, 1, head_width)
        rotated = rotate(rows[:, : -config.kv_heads], rotary)
        keys, values = cache.layers[layer].extend(rotated[:, heads:], rows[:, -config.kv_heads :])
        # Query heads that share a key are its queries: the newest token sees all, so no mask tells them apart.
        mixed = functional.scaled_dot_product_attention(rotated[:, :heads].view(shared), keys, values)
        stream = stream + times(output, mixed.view(1, -1))
        gates, neurons = times(up, rms_norm(stream, mlp_norm, epsilon)).chunk(2, dim=-1)
        stream = stream + times(down, functional.silu(gates).mul_(neurons))
    cache.length = start + 1
    return times(embedding if config.tied_output else weights[-1], rms_norm(stream, final_norm, epsilon))


def rms_norm(row: Tensor, weight: Tensor, epsilon: float) -> Tensor:
    """The RMS norm of one vector, in three steps where torch takes eight.

    Args:
        row: ``(1, width)``.
        weight: ``(width,)``.
        epsilon: added to the mean square.

    Returns:
        ``(1, width)``.

    >>> rms_norm(torch.tensor([[3.0, 4.0]]), torch.ones(2), 0.0)
    tensor([[0.8485, 1.1314]])
    """
    norm = torch.linalg.vector_norm(row, dtype=torch.float32).item()
    return (row * weight).mul_(1 / math.sqrt(norm * norm / row.size(1) + epsilon))


# ---- the routine for a matrix times one vector


def by_matrix_product(matrix: Tensor, row: Tensor) -> Tensor:
    """A matrix ``(outputs, inputs)`` times a vector ``(1, inputs)``, as a product of two matrices: ``(1, outputs)``."""
    return functional.linear(row, matrix)


def by_vector_product(matrix: Tensor, row: Tensor) -> Tensor:
    """The same by torch's product of a matrix and a vector."""
    return torch.mv(matrix, row[0])[None]


def product(model: Transformer) -> Product:
    """The faster of torch's two routines for this model's matrices, on this processor with its present threads.

    Which it is depends on the processor: in bfloat16, the vector routine is a third faster with Intel's AMX and a third
    slower without. So both are timed, once for models of one shape and precision; that takes some milliseconds.
    """
    weight = model.token_embedding.weight
    shape = (model.config.width, model.config.neurons, weight.dtype, weight.device, torch.get_num_threads())
    if shape not in _FASTEST:
        blocks = cast(list[Block], model.blocks)[:8]  # enough that they do not all fit into the processor's cache
        layers = [
            layer.weight
            for block in blocks
            for layer in (block.attention.query_key_value, block.attention.output, block.mlp.up, block.mlp.down)
        ]
        _FASTEST[shape] = fastest(layers)
    return _FASTEST[shape]


def fastest(matrices: Sequence[Tensor], turns: int = 4) -> Product:
    """The routine with the shortest turn, where a turn multiplies all of ``matrices`` by a vector each.

    The shortest of several counts, and the routines take turns, because other programs only ever make a turn longer.
    """
    rows = {matrix.size(1): torch.ones(1, matrix.size(1)).to(matrix) for matrix in matrices}
    shortest = dict.fromkeys((by_matrix_product, by_vector_product), math.inf)
    for _ in range(turns):
        for routine in shortest:
            begun = time.perf_counter()
            for matrix in matrices:
                routine(matrix, rows[matrix.size(1)])
            shortest[routine] = min(shortest[routine], time.perf_counter() - begun)
    return min(shortest, key=shortest.__getitem__)


Product = Callable[[Tensor, Tensor], Tensor]
_FASTEST: dict[tuple[object, ...], Product] = {}
