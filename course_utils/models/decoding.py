"""From the text so far to the scores of the next token, for any model that can give them.

`LanguageModel` says what is asked of a model that writes. An n-gram table or a recurrent network offers it itself; for
a transformer `WithCache` does, and for anything else that maps ids to logits, such as a wrapper around a model,
`Rereading`. `language_model` picks the one that fits.

While a chat model writes, it reads one token at a time, and each of its matrices meets a single vector. Then the
machine's limit is how fast it can fetch the matrices from memory; everything else is delay. `read_token` computes what
`Transformer.hidden_states` does in this one case, and leaves out what it does not need: batches, masks, modules. It
looks at the weights alone, so it is used only where `is_plain` finds nothing hooked, wrapped or replaced.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from typing import Any, Protocol, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from course_utils.models.cache import KeyValueCache
from course_utils.models.positions import rotate
from course_utils.models.transformer import (
    MLP,
    Attention,
    Block,
    MultiHeadAttention,
    Transformer,
)


class State(Protocol):
    """What a model keeps of the texts it has read; for an n-gram that is the last few tokens."""

    def repeat(self, times: int) -> None:
        """Let each text go on in ``times`` ways: text ``i`` becomes texts ``i * times`` to ``(i + 1) * times - 1``."""

    def truncate(self, length: int) -> None:
        """Forget all tokens but the first ``length`` of each text."""


class LanguageModel(Protocol):
    """Whatever scores the next token of a text can write.

    Attributes:
        context: the most tokens it can read at once; None if there is no limit.
    """

    @property
    def context(self) -> int | None: ...  # noqa: D102

    def start(self, batch: int, length: int) -> Any:
        """The `State` of ``batch`` empty texts, with room for ``length`` tokens of each."""

    def next_logits(self, ids: Tensor, state: Any, mask: Tensor | None = None) -> Tensor:
        """Read the next tokens of each text, and score every token that could follow them.

        Args:
            ids: ``(batch, new tokens)`` int64; for the first call the whole prompts.
            state: from `start`; holds what was read before, and these tokens afterwards.
            mask: ``(batch, new tokens)`` bool, False where an id is padding. Prompts of unequal lengths are padded on
                the left, so that the last token of each is in the last column. None: there is no padding.

        Returns:
            ``(batch, vocabulary)``.
        """


def language_model(model: LanguageModel | nn.Module, *, use_cache: bool = True) -> LanguageModel:
    """What the model offers to generation, whatever the model is.

    Args:
        model: a `LanguageModel`, a `Transformer`, or any module that maps ids ``(batch, tokens)`` to logits
            ``(batch, tokens, vocabulary)`` without looking ahead.
        use_cache: False reads the whole text anew for each token, whatever the model could remember.
    """
    if not use_cache:
        return Rereading(model)
    if isinstance(model, Transformer):
        return WithCache(model)
    # Ask the class: many wrappers pass on all attributes of what they wrap, and then next_logits would be the inner
    # model's, without the wrapper.
    return cast(LanguageModel, model) if hasattr(type(model), "next_logits") else Rereading(model)


class WithCache:
    """A transformer that keeps keys and values of what it has read."""

    def __init__(self, model: Transformer):
        self.model, self.context = model, model.config.context

    def start(self, batch: int, length: int) -> KeyValueCache:
        """An empty cache; see `LanguageModel.start`."""
        return self.model.new_cache(length, batch)

    def next_logits(self, ids: Tensor, state: KeyValueCache, mask: Tensor | None = None) -> Tensor:
        """See `LanguageModel.next_logits`."""
        if ids.shape == (1, 1) and mask is None and state.mask is None:
            weights = weights_in_order(self.model)
            if weights is not None:
                return read_token(self.model, weights, int(ids), state)
        return _last_logits(self.model, ids, state, mask)


class Texts:
    """The state of `Rereading` and of n-gram models: the texts themselves."""

    def __init__(self, batch: int):
        self.ids = torch.zeros(batch, 0, dtype=torch.int64)
        self.mask = torch.zeros(batch, 0, dtype=torch.bool)

    def read(self, ids: Tensor, mask: Tensor | None = None) -> list[Tensor]:
        """Add new tokens, as for `LanguageModel.next_logits`; each whole text so far without padding, ``(tokens,)``."""
        mask = torch.ones_like(ids, dtype=torch.bool) if mask is None else mask
        self.ids, self.mask = torch.cat((self.ids, ids), dim=1), torch.cat((self.mask, mask), dim=1)
        return [row[real] for row, real in zip(self.ids, self.mask, strict=True)]

    def repeat(self, times: int) -> None:
        """See `State.repeat`."""
        self.ids, self.mask = (part.repeat_interleave(times, dim=0) for part in (self.ids, self.mask))

    def truncate(self, length: int) -> None:
        """See `State.truncate`."""
        self.ids, self.mask = self.ids[:, :length], self.mask[:, :length]


class Rereading:
    """Reads the whole text anew for each token: nothing to remember and nothing to get wrong, but slow.

    Args:
        model: as for `language_model`.
    """

    def __init__(self, model: LanguageModel | nn.Module):
        self.model = model
        inside = model.modules() if isinstance(model, nn.Module) else ()
        contexts = [part.config.context for part in inside if isinstance(part, Transformer)]
        own = getattr(model, "context", None) if hasattr(type(model), "next_logits") else None
        self.context = min(contexts) if contexts else own

    def start(self, batch: int, length: int) -> Texts:
        """No text yet; see `LanguageModel.start`."""
        return Texts(batch)

    def next_logits(self, ids: Tensor, state: Texts, mask: Tensor | None = None) -> Tensor:
        """See `LanguageModel.next_logits`."""
        texts = state.read(ids, mask)
        if hasattr(type(self.model), "next_logits"):
            model = cast(LanguageModel, self.model)
            padded, real = pad_left(texts)
            return model.next_logits(padded, model.start(*padded.shape), real)
        # Padded on the right: no token looks ahead, so none sees the padding, and no mask is needed.
        lengths = torch.tensor([len(text) for text in texts])
        padded = nn.utils.rnn.pad_sequence(texts, batch_first=True)
        return _last_logits(cast(nn.Module, self.model), padded, last=lengths - 1)


def pad_left(texts: list[Tensor]) -> tuple[Tensor, Tensor | None]:
    """Texts of unequal lengths as one table, with padding on the left.

    Args:
        texts: each ``(tokens,)`` int64.

    Returns:
        ids ``(batch, tokens)``, and a mask of the same shape, False where an id is padding; None if there is none.

    >>> pad_left([torch.tensor([5, 6, 7]), torch.tensor([8])])
    (tensor([[5, 6, 7],
            [0, 0, 8]]), tensor([[ True,  True,  True],
            [False, False,  True]]))
    """
    ids = nn.utils.rnn.pad_sequence(texts, batch_first=True, padding_side="left")
    lengths = torch.tensor([len(text) for text in texts])
    mask = torch.arange(ids.size(1)) >= ids.size(1) - lengths[:, None]
    return ids, None if mask.all() else mask


def _last_logits(
    model: nn.Module,
    ids: Tensor,
    cache: KeyValueCache | None = None,
    mask: Tensor | None = None,
    last: Tensor | None = None,
) -> Tensor:
    """The logits ``(batch, vocabulary)`` after the last token of each text, ``last`` if that is not in the last column.

    The call is ``model(ids)`` if there is neither cache nor mask, so any module will do. Where it would run
    `Transformer.forward` and nothing else, the scores of all the other tokens are not computed.
    """
    device = next((weight.device for weight in model.parameters()), ids.device)
    rows, last = torch.arange(len(ids)), torch.tensor(-1) if last is None else last
    given: tuple[Any, ...] = (ids.to(device), cache, None if mask is None else mask.to(device))
    while given[-1] is None:
        given = given[:-1]
    if isinstance(model, Transformer) and type(model).forward is _FORWARD and not _is_hooked(model):
        if model.config.causal:
            return model.unembed(model.hidden_states(*given)[rows, last])
    return model(*given)[rows, last]


# ---- one token of one text, with little around the products


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
    parts = plain_parts(model) if llama and config.causal else None
    if parts is None:
        return None
    weights: list[Tensor] = []
    for part in parts:
        own = part._parameters
        if own:
            other_norm = "eps" in part.__dict__ and (type(part), part.eps) != (nn.RMSNorm, config.norm_epsilon)
            if other_norm or own.get("bias") is not None or own["weight"] is None:
                return None
            weights.append(own["weight"])
    return weights


def is_plain(model: nn.Module) -> bool:
    """Whether calling the model runs the course's own code and torch's, and nothing else; see `plain_parts`."""
    return plain_parts(model) is not None


def plain_parts(model: nn.Module) -> list[nn.Module] | None:
    """The model and all its parts, in the order in which they were made, if all are the course's own or torch's.

    None if any part is hooked, wrapped, parametrised, of another class, or has a method of its own; also if a hook for
    all modules is set, or a method of one of these classes was exchanged.
    """
    if _is_hooked(model) or any(vars(kind)[name] is not method for kind, name, method in _METHODS):
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


def _is_hooked(part: nn.Module) -> bool:
    """Whether calling this module runs more, or something else, than its class's forward."""
    return bool(
        part._forward_hooks
        or part._forward_pre_hooks
        or "forward" in part.__dict__
        or _EVERYWHERE._global_forward_hooks
        or _EVERYWHERE._global_forward_pre_hooks
    )


_EVERYWHERE = nn.modules.module
_METHODS = [  # as they are when this module is loaded
    (kind, name, vars(kind)[name])
    for kind, names in {
        Transformer: ("forward", "hidden_states", "unembed", "fixed_positions"),
        **dict.fromkeys((Block, MultiHeadAttention, Attention, MLP, nn.Linear, nn.Embedding, nn.RMSNorm), ("forward",)),
    }.items()
    for name in names
]
_KINDS = frozenset([*(kind for kind, _, _ in _METHODS), nn.ModuleList, nn.LayerNorm])
_FORWARD = Transformer.forward
_OWN_METHODS = frozenset(name for _, name, _ in _METHODS)


@torch.inference_mode()
def read_token(model: Transformer, weights: list[Tensor], token: int, cache: KeyValueCache) -> Tensor:
    """The scores after the newest token; equals ``model(torch.tensor([[token]]), cache)[:, -1]``.

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
