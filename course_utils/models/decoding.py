"""From the text so far to the scores of the next token, for any model that can give them.

`LanguageModel` says what is asked of a model that writes. An n-gram table or a recurrent network offers it itself; for
a transformer `WithCache` does, and for anything else that maps ids to logits, such as a wrapper around a model,
`Rereading`. `language_model` picks the one that fits.
"""

from __future__ import annotations

from typing import Any, Protocol, cast

import torch
from torch import Tensor, nn

from course_utils.models.cache import KeyValueCache
from course_utils.models.one_token import FORWARD, is_hooked, read_token, weights_in_order
from course_utils.models.transformer import Transformer


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
        return self.model.new_cache(length, batch=batch)

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
    if isinstance(model, Transformer) and type(model).forward is FORWARD and not is_hooked(model):
        if model.config.causal:
            return model.unembed(model.hidden_states(*given)[rows, last])
    return model(*given)[rows, last]
