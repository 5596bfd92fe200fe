"""Look inside a transformer while it reads, and change what happens there.

`capture` keeps the attention weights of every head and every token's vector after every block. `edit` silences heads,
sets single attention weights or puts other vectors in place. Both hang hooks (functions that torch calls beside a
module) onto the model for the length of a ``with`` block and take them off again, so the code of the model itself knows
nothing of them.

>>> from course_utils.models.transformer import Transformer, TransformerConfig
>>> model, ids = Transformer(TransformerConfig.preset("tiny")), torch.tensor([[3, 1, 4]])
>>> with capture(model) as seen:
...     before = model(ids)
>>> seen.attention[1].shape, seen.stream[2].shape  # (batch, heads, tokens, tokens), (batch, tokens, width)
(torch.Size([1, 4, 3, 3]), torch.Size([1, 3, 64]))
>>> with edit(model, zero_heads=[(0, 2), (1, 0)]):
...     after = model(ids)
>>> bool((after == before).all()), bool((model(ids) == before).all())
(False, True)

**Counting.** All counts begin at 0. ``attention[layer]`` belongs to block ``layer``; ``stream[layer]`` is what enters
this block, so ``stream[0]`` is the embedding (with position vectors and norm, where the model has them) and
``stream[layer + 1]`` is what the block leaves; with 30 blocks there are 31 entries. The final norm comes after the last
one. A position counts the tokens of a text from its first; padding has none.

**Who obeys.** Whatever reads tokens in the thread that opened the block: ``model(ids)``, ``hidden_states``, and
generation with or without a cache, with several continuations or different prompts at once. Other threads, such as that
of another picture with the same model, go on as if there were no block. Keys and values that a cache took in before the
block stay as they were read.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from numbers import Integral
from typing import Any, cast

import torch
from torch import Tensor, nn

from course_utils.models import transformer
from course_utils.models.cache import LayerCache
from course_utils.models.transformer import Attention, Block, Transformer

Cell = tuple[int, int, int, int]  # layer, head, position of the query, position of the token it looks at


class Layers(list[Tensor]):
    """One tensor for each layer; a list that says what is wrong with a layer that it does not have."""

    def __getitem__(self, layer: Any) -> Any:
        """The tensor of a layer, or of several as a slice."""
        try:
            return super().__getitem__(layer)
        except IndexError:
            if not self:
                raise IndexError("nothing was read yet; call the model inside the with block") from None
            raise IndexError(f"there is no layer {layer} here; choose 0 to {len(self) - 1}") from None


@dataclass(eq=False)
class Seen:
    """What `capture` kept of the latest reading.

    Attributes:
        attention: for each block, ``(batch, heads, tokens, tokens)``: how much each token (row) takes from each token
            (column), after whatever `edit` sets. With a cache there are rows for the newest tokens only. Padding has
            rows and columns too; a column of padding is 0 in all rows but its own.
        stream: for each block what enters it, and last what leaves the last one: ``(batch, tokens, width)``.
    """

    attention: Layers = field(default_factory=Layers)
    stream: Layers = field(default_factory=Layers)


@contextmanager
def capture(model: Transformer) -> Iterator[Seen]:
    """Keep attention weights and vectors of what the model reads inside the block, the latest reading only.

    The tensors are detached from the gradient graph and stay after the block. All layers are kept: for SmolLM2, 64
    tokens take 9 MB and 1,000 tokens 1.2 GB in float32.

    Args:
        model: an encoder or a decoder; see the module's beginning for what is counted how.

    Raises:
        ValueError: if it is not a `Transformer`.
    """
    with _watching(model) as watch:
        seen = Seen()
        watch.seen.append(seen)
        try:
            yield seen
        finally:
            watch.seen = [other for other in watch.seen if other is not seen]


@contextmanager
def edit(
    model: Transformer,
    *,
    zero_heads: Iterable[tuple[int, int]] = (),
    set_weights: Mapping[Cell, float] | None = None,
    renormalise: bool = True,
    replace: Mapping[tuple[int, int], Tensor] | None = None,
) -> Iterator[None]:
    """Change what happens inside the model, for all texts it reads inside the block.

    Blocks may be nested: all edits hold, and where two set the same thing, the one opened last does.

    Args:
        model: an encoder or a decoder; see the module's beginning for what is counted how.
        zero_heads: ``(layer, head)``: what this head adds to the stream becomes 0 (the bias of the output matrix,
            where there is one, belongs to no head and stays). `capture` still shows where the head looks.
        set_weights: ``{(layer, head, query, token): weight}``: how much the token at position ``query`` takes from the
            token at position ``token``, from 0 to 1.
        renormalise: whether the other weights of that row share what is left, in the proportions they had, so that the
            row still sums to 1. With a weight of 0 this is what the head would do if it could not see the token
            (attention knockout, Geva et al. 2023). False leaves the others alone: the head then gives a mean of the
            values no longer, but a sum that is too short or too long, and the effect mixes "looks elsewhere" with "says
            less".
        replace: ``{(layer, position): vector}``: ``stream[layer]`` at this position becomes this ``(width,)`` vector;
            layers from 0 to the number of blocks.

    Raises:
        ValueError: if there is no such layer, head or position; if a row cannot sum to 1, when it is read; or, at the
            end of the block, if no text had a token at a position to be changed.

    >>> model, ids = Transformer(transformer.TransformerConfig.preset("tiny")), torch.tensor([[3, 1, 4]])
    >>> with edit(model, set_weights={(0, 2, 2, 1): 0.5}), capture(model) as seen:
    ...     _ = model(ids)
    >>> seen.attention[0][0, 2, 2].round(decimals=2)  # a third each before; now half, and the rest is shared
    tensor([0.2500, 0.5000, 0.2500])
    """
    with _watching(model) as watch:
        change = _Edit(model, zero_heads, set_weights or {}, renormalise, replace or {})
        watch.edits.append(change)
        try:
            yield
        finally:
            watch.edits = [other for other in watch.edits if other is not change]
        change.check_reached()


class _Edit:
    """One call of `edit`, checked and sorted by layer."""

    def __init__(
        self,
        model: Transformer,
        zero_heads: Iterable[tuple[int, int]],
        set_weights: Mapping[Cell, float],
        renormalise: bool,
        replace: Mapping[tuple[int, int], Tensor],
    ):
        config, self.renormalise = model.config, renormalise
        layers = len(model.blocks)
        self.zeroed: dict[int, set[int]] = {}
        self.cells: dict[int, dict[tuple[int, int, int], float]] = {}
        self.vectors: dict[int, dict[int, Tensor]] = {}
        for layer, head in zero_heads:
            _in_range("layer", layer, layers)
            _in_range("head", head, config.heads)
            self.zeroed.setdefault(layer, set()).add(head)
        for (layer, head, query, token), weight in set_weights.items():
            _in_range("layer", layer, layers)
            _in_range("head", head, config.heads)
            _in_range("position", query, config.context)
            _in_range("position", token, config.context)
            if config.causal and token > query:
                raise ValueError(
                    f"the token at position {query} cannot look at the later one at {token}; choose 0 to {query}"
                )
            if not 0 <= weight <= 1:
                raise ValueError(f"an attention weight of {weight} cannot be set; choose 0 to 1")
            self.cells.setdefault(layer, {})[head, query, token] = float(weight)
        for (layer, position), vector in replace.items():
            _in_range("layer of the stream", layer, layers + 1)
            _in_range("position", position, config.context)
            if vector.shape != (config.width,):
                raise ValueError(
                    f"a vector of the stream has the shape ({config.width},) and {tuple(vector.shape)} was given"
                )
            self.vectors.setdefault(layer, {})[position] = vector.detach().clone()
        self._check_sums()
        positions = [place for cells in self.cells.values() for _, *places in cells for place in places]
        self.furthest = max([*positions, *(place for places in self.vectors.values() for place in places)], default=-1)
        self.longest = 0  # tokens of the longest text read so far

    def _check_sums(self) -> None:
        """Refuse a row whose set weights alone are more than 1."""
        sums: dict[tuple[int, int, int], float] = {}
        for layer, cells in self.cells.items():
            for (head, query, _), weight in cells.items():
                sums[layer, head, query] = sums.get((layer, head, query), 0.0) + weight
        for (layer, head, query), total in sums.items():
            if self.renormalise and total > 1 + 1e-6:
                raise ValueError(
                    f"the weights set for layer {layer}, head {head}, position {query} sum to {total:g}, and the row "
                    "must sum to 1; make them smaller or say renormalise=False"
                )

    def set_cells(self, layer: int, weights: Tensor, places: Tensor) -> Tensor:
        """The attention weights of a layer with this edit's cells set.

        Args:
            layer: whose.
            weights: ``(batch, heads, queries, tokens)``.
            places: ``(1 or batch, tokens)``, the position of each token.
        """
        if layer not in self.cells:
            return weights
        changed, chosen = weights.clone(), torch.zeros_like(weights, dtype=torch.bool)
        rows = places[:, -weights.size(2) :]  # (1 or batch, queries): the queries are the last of the tokens
        for (head, query, token), weight in self.cells[layer].items():
            cell = (rows == query)[:, :, None] & (places == token)[:, None]  # (1 or batch, queries, tokens)
            changed[:, head] = changed[:, head].masked_fill(cell, weight)
            chosen[:, head] |= cell
        if not self.renormalise:
            return changed
        left = 1 - (changed * chosen).sum(-1, keepdim=True)  # (batch, heads, queries, 1)
        others = (weights * ~chosen).sum(-1, keepdim=True)
        touched = chosen.any(-1, keepdim=True)
        stuck = (touched & (others == 0) & (left.abs() > 1e-2)).nonzero()  # the room is for bfloat16
        if len(stuck):
            text, head, row, _ = stuck[0].tolist()
            position = int(rows.expand(len(weights), -1)[text, row])
            raise ValueError(
                f"layer {layer}, head {head}, position {position}: there is no other weight that could take over the "
                f"{float(left[text, head, row, 0]):.3g} that are left of the row; say renormalise=False"
            )
        shared = weights * (left / others.clamp(min=torch.finfo(weights.dtype).tiny))
        return torch.where(touched & ~chosen, shared, changed)

    def replaced(self, layer: int, stream: Tensor, places: Tensor) -> Tensor:
        """The stream ``(batch, tokens, width)`` that enters a layer, with this edit's vectors; see `set_cells`."""
        rows = places[:, -stream.size(1) :, None]  # (1 or batch, tokens, 1)
        for position, vector in self.vectors.get(layer, {}).items():
            stream = torch.where(rows == position, vector.to(stream), stream)
        return stream

    def check_reached(self) -> None:
        """Refuse an edit that did nothing because the texts were too short for it."""
        if 0 < self.longest <= self.furthest:
            raise ValueError(
                f"position {self.furthest} was to be changed and no text was so long: the longest had {self.longest} "
                f"tokens; choose 0 to {self.longest - 1}"
            )


class _Watch:
    """The hooks on one model for one thread, shared by all blocks that are open: edits act first, then all look."""

    def __init__(self, model: Transformer):
        self.thread = threading.get_ident()
        self.edits: list[_Edit] = []
        self.seen: list[Seen] = []
        self.users = 0
        self.places = torch.zeros(1, 0, dtype=torch.int64)  # (1 or batch, tokens): positions in this reading
        with ExitStack() as stack:  # a registration that fails takes the earlier ones off again
            blocks = cast(list[Block], model.blocks)
            stack.enter_context(blocks[0].register_forward_pre_hook(self._begin))
            for layer, block in enumerate(blocks):
                stack.enter_context(block.attention.attend.register_forward_hook(self._attend(layer)))
                stack.enter_context(block.register_forward_hook(self._leave(layer)))
            self.close = stack.pop_all().close

    def _begin(self, block: nn.Module, inputs: tuple[Any, ...]) -> tuple[Any, ...] | None:
        """Before the first block: which tokens are read, and the stream that enters."""
        if threading.get_ident() != self.thread:
            return None
        stream, _, cache, visible = inputs
        self.places = text_positions(stream, cache, visible)
        for change in self.edits:
            change.longest = max(change.longest, int(self.places.max()) + 1)
            stream = change.replaced(0, stream, self.places)
        for seen in self.seen:
            seen.attention, seen.stream = Layers(), Layers([stream.detach()])
        return (stream, *inputs[1:])

    def _attend(self, layer: int) -> Callable[..., Tensor | None]:
        def hook(attend: Attention, inputs: tuple[Any, ...], mixed: Tensor) -> Tensor | None:
            """Set weights and silence heads: ``mixed`` is ``(batch, heads, queries, head_width)``."""
            if threading.get_ident() != self.thread:
                return None
            query, key, value, mask = inputs
            heads = {head for change in self.edits for head, _, _ in change.cells.get(layer, {})}
            zeroed = {head for change in self.edits for head in change.zeroed.get(layer, ())}
            if heads or self.seen:
                weights = transformer.attention_weights(query, key, causal=attend.causal, mask=mask)
                for change in self.edits:
                    weights = change.set_cells(layer, weights, self.places)
                for seen in self.seen:
                    seen.attention.append(weights.detach())
            if not heads and not zeroed:
                return None
            mixed = mixed.clone()
            if heads:
                value = value.repeat_interleave(transformer.sharing(query, key, value), dim=1)
                chosen = sorted(heads)
                mixed[:, chosen] = weights[:, chosen] @ value[:, chosen]
            mixed[:, sorted(zeroed)] = 0
            return mixed

        return hook

    def _leave(self, layer: int) -> Callable[..., Tensor | None]:
        def hook(block: nn.Module, inputs: tuple[Any, ...], stream: Tensor) -> Tensor | None:
            """Put vectors in place behind a block: ``stream`` is ``(batch, tokens, width)``."""
            if threading.get_ident() != self.thread:
                return None
            for change in self.edits:
                stream = change.replaced(layer + 1, stream, self.places)
            for seen in self.seen:
                seen.stream.append(stream.detach())
            return stream

        return hook


def text_positions(stream: Tensor, cache: LayerCache | None, visible: Tensor | None) -> Tensor:
    """The position in its own text of every token so far, -1 for padding.

    Args:
        stream: ``(batch, tokens, width)``, what enters the first block: the newest tokens.
        cache: the first block's, before these tokens are added.
        visible: ``(batch, 1, tokens, all tokens)`` from `padding_mask`, or None if there is no padding.

    Returns:
        ``(1 or batch, all tokens)`` int64.

    >>> from course_utils.models.transformer import padding_mask
    >>> mask = torch.tensor([[False, True, True], [True, True, True]])
    >>> text_positions(torch.zeros(2, 3, 8), None, padding_mask(mask, 3))
    tensor([[-1,  0,  1],
            [ 0,  1,  2]])
    """
    if visible is None:
        return torch.arange(stream.size(1) + (0 if cache is None else cache.length), device=stream.device)[None]
    # Padding is seen by itself alone, so it is what not all queries see. A single query that is padding cannot be told
    # from a token; what it becomes is never used.
    real = visible[:, 0].all(dim=1)  # (batch, all tokens)
    return torch.where(real, real.cumsum(dim=1) - 1, -1)


_WATCHES: dict[tuple[int, int], _Watch] = {}  # by model and thread


@contextmanager
def _watching(model: Transformer) -> Iterator[_Watch]:
    """The hooks of this model and thread: hung up by the first block that needs them, taken off by the last."""
    if not isinstance(model, Transformer):
        raise ValueError(f"only a Transformer can be looked into, and this is a {type(model).__name__}")
    key = (id(model), threading.get_ident())
    watch = _WATCHES[key] = _WATCHES.get(key) or _Watch(model)
    watch.users += 1
    try:
        yield watch
    finally:
        watch.users -= 1
        if not watch.users:
            del _WATCHES[key]
            watch.close()


def _in_range(name: str, number: Any, count: int) -> None:
    """Refuse what is not a whole number from 0 to ``count - 1``."""
    whole = isinstance(number, Integral) and not isinstance(number, bool)
    if not whole or not 0 <= number < count:
        raise ValueError(f"there is no {name} {number}; choose 0 to {count - 1}")
