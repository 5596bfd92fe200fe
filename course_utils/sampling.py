"""Writing text: the model scores every next token, a rule picks one, and the longer text goes in again.

The rules are the knobs that chat products offer: temperature, top-k, top-p, min-p, a penalty on repetition, stop
strings, a maximum length and a seed.
"""

import dataclasses
import math
import threading
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

import torch
from torch import Tensor, nn

from course_utils.models.decoding import LanguageModel, State, language_model, pad_left
from course_utils.models.one_token import is_plain
from course_utils.tokenizers import TextStream, Tokenizer

Prompt = str | Sequence[int] | Sequence[Mapping[str, str]]  # a text, token ids, or the messages of a chat


@dataclasses.dataclass(frozen=True)
class SamplingConfig:
    """How the next token is picked from the scores.

    Args:
        temperature: above 1 flattens the distribution, below 1 sharpens it, 0 always takes the likeliest token.
        top_k: keep this many of the likeliest tokens; 0 keeps all.
        top_p: keep the likeliest tokens that together reach this probability (Holtzman et al. 2020); 1 keeps all.
        min_p: keep tokens at least this fraction as likely as the likeliest (Nguyen et al. 2024); 0 keeps all.
        repetition_penalty: above 1 makes tokens of the text so far less likely (Keskar et al. 2019, section 4.1).

    Raises:
        ValueError: if one of them cannot be.

    >>> SamplingConfig(temperature=-1)
    Traceback (most recent call last):
    ValueError: temperature=-1 is below 0; 0 always takes the likeliest token, 1 leaves the model as it is
    """

    temperature: float = 0.8
    top_k: int = 0
    top_p: float = 1.0
    min_p: float = 0.0
    repetition_penalty: float = 1.0

    def __post_init__(self) -> None:
        """Refuse what cannot work, in a sentence."""
        for name in ("temperature", "top_p", "min_p", "repetition_penalty"):
            _finite(name, getattr(self, name))
        _whole("top_k", self.top_k, 0, "0 keeps all tokens")
        if self.temperature < 0:
            raise ValueError(
                f"temperature={self.temperature} is below 0; 0 always takes the likeliest token, "
                "1 leaves the model as it is"
            )
        if not 0 < self.top_p <= 1:
            raise ValueError(f"top_p={self.top_p} must be above 0 and at most 1; 1 keeps all tokens")
        if not 0 <= self.min_p <= 1:
            raise ValueError(f"min_p={self.min_p} must be from 0 to 1; 0 keeps all tokens")
        if self.repetition_penalty <= 0:
            raise ValueError(f"repetition_penalty={self.repetition_penalty} must be above 0; 1 leaves it out")


@dataclasses.dataclass
class Continuation:
    """One answer of the model.

    Attributes:
        text: what was written, without the prompt and without what ended it.
        ids: its tokens, as the model wrote them.
        log_probabilities: of each token, in nats, as the model saw it before any knob was turned.
        finish_reason: why it stopped: ``stop``, ``length`` (of the answer), ``context`` (of the model), ``cancelled``.
    """

    text: str = ""
    ids: list[int] = dataclasses.field(default_factory=list)
    log_probabilities: list[float] = dataclasses.field(default_factory=list)
    finish_reason: str = "length"

    @property
    def bits_per_token(self) -> float:
        """Mean surprisal of its tokens, in bits.

        >>> Continuation(ids=[3, 1], log_probabilities=[math.log(1 / 2), math.log(1 / 8)]).bits_per_token
        2.0
        """
        return -sum(self.log_probabilities) / len(self.ids) / math.log(2)


def warp(logits: Tensor, temperature: float = 1.0, top_k: int = 0, top_p: float = 1.0, min_p: float = 0.0) -> Tensor:
    """Reshape the distribution of the next token; what is cut away gets minus infinity.

    Args:
        logits: ``(..., vocabulary)``.
        temperature: see `SamplingConfig`; 0 leaves the likeliest token alone.
        top_k: see `SamplingConfig`.
        top_p: see `SamplingConfig`.
        min_p: see `SamplingConfig`.

    Returns:
        the same shape, in float32; softmax gives the probabilities to draw from.

    Raises:
        ValueError: if a knob is out of its range, or the logits are no numbers.

    >>> warp(torch.tensor([2.0, 1.0, 0.0]), temperature=0.5)
    tensor([4., 2., 0.])
    >>> warp(torch.tensor([2.0, 1.0, 0.0]), top_k=2)
    tensor([2., 1., -inf])
    """
    knobs = SamplingConfig(temperature, top_k, top_p, min_p)
    logits = _checked(logits)
    if knobs.temperature == 0:
        likeliest = torch.zeros_like(logits, dtype=torch.bool).scatter(-1, logits.argmax(-1, keepdim=True), True)
        return logits.masked_fill(~likeliest, -math.inf)
    logits = logits / knobs.temperature
    if 0 < knobs.top_k < logits.size(-1):
        logits = logits.masked_fill(logits < logits.topk(knobs.top_k).values[..., -1:], -math.inf)
    if knobs.top_p < 1:
        logits = keep_top_p(logits, knobs.top_p)
    if knobs.min_p > 0:
        least = logits.amax(-1, keepdim=True) + math.log(knobs.min_p)
        logits = logits.masked_fill(logits < least, -math.inf)
    return logits


def keep_top_p(logits: Tensor, top_p: float) -> Tensor:
    """Keep the likeliest tokens up to the first with which they reach ``top_p`` together.

    Args:
        logits: ``(..., vocabulary)``.
        top_p: above 0, at most 1.

    Returns:
        the same shape, with minus infinity for the others.

    >>> keep_top_p(torch.tensor([0.5, 0.3, 0.2]).log(), 0.6).exp()
    tensor([0.5000, 0.3000, 0.0000])
    """
    total = logits.logsumexp(-1, keepdim=True)
    for size in (min(256, logits.size(-1)), logits.size(-1)):  # a few hundred tokens reach it nearly always
        ordered, order = logits.topk(size)
        probability = (ordered - total).exp()
        reached = probability.cumsum(-1)
        if (reached[..., -1] >= top_p).all():
            break
    before = reached - probability  # what the likelier tokens reach without this one
    keep = torch.zeros_like(logits, dtype=torch.bool).scatter(-1, order, before < top_p)
    return logits.masked_fill(~keep, -math.inf)


def penalise(logits: Tensor, ids: Tensor, penalty: float) -> Tensor:
    """Make tokens that occurred less likely: positive scores are divided by the penalty, negative ones multiplied.

    Args:
        logits: ``(batch, vocabulary)``.
        ids: ``(batch, tokens)`` of the text so far, prompt included.
        penalty: above 1 discourages, 1 does nothing.

    Returns:
        ``(batch, vocabulary)``.

    >>> penalise(torch.tensor([[2.0, -1.0, 3.0]]), torch.tensor([[0, 1]]), 2.0)
    tensor([[ 1., -2.,  3.]])
    """
    seen = logits.gather(-1, ids)
    return logits.scatter(-1, ids, torch.where(seen > 0, seen / penalty, seen * penalty))


@torch.inference_mode()
def next_logits(model: LanguageModel | nn.Module, ids: Sequence[int]) -> Tensor:
    """Scores of every token that could come after these.

    Args:
        model: a `Transformer`, or what else `language_model` takes.
        ids: the text, at least one token.

    Returns:
        ``(vocabulary,)`` float32.

    Raises:
        ValueError: if there is no token, too many, or the model gives no numbers.
    """
    reader = language_model(model, use_cache=False)
    _fits(reader, ids)
    return _checked(reader.next_logits(torch.tensor([list(ids)]), reader.start(1, len(ids))))[0]


class Reader:
    """Scores the next token of one text after another; of a text like the one before, only what differs is read.

    Nothing is taken over from the text before if the model's weights have changed, or if a part of it is hooked,
    wrapped or replaced: what such a part does may change from call to call, and nobody outside can tell.

    Args:
        model: as for `next_logits`.

    >>> from course_utils.models.transformer import Transformer, TransformerConfig
    >>> tiny = Transformer(TransformerConfig.preset("tiny"))
    >>> reader = Reader(tiny)
    >>> reader.logits([3, 1, 4]).shape
    torch.Size([128])
    """

    def __init__(self, model: LanguageModel | nn.Module):
        self.source, self.model = model, language_model(model)
        self.room = 0
        self.ids: list[int] = []
        self.state: State | None = None
        self.weights: list[tuple[int, int]] | None = None

    @torch.inference_mode()
    def logits(self, ids: Sequence[int]) -> Tensor:
        """Return the scores ``(vocabulary,)`` of what could follow ``ids``.

        Raises:
            ValueError: if there is no token, too many, or the model gives no numbers.
        """
        context = self.model.context
        if context is not None and len(ids) > context:
            raise ValueError(f"{len(ids)} tokens do not fit into this model's context of {context}; shorten the text")
        _fits(self.model, ids)
        weights = self._weights()
        if self.state is None or len(ids) > self.room:
            self.room = max(256, 2 * len(ids)) if context is None else min(max(256, 2 * len(ids)), context)
            self.state, self.ids = self.model.start(1, self.room), []
        shared = 0
        if weights == self.weights and weights is not None:
            while shared < min(len(self.ids), len(ids) - 1) and self.ids[shared] == ids[shared]:
                shared += 1
        self.state.truncate(shared)
        self.ids, self.weights = list(ids[:shared]), weights  # what stays known if reading fails
        logits = _checked(self.model.next_logits(torch.tensor([list(ids[shared:])]), self.state))[0]
        self.ids = list(ids)
        return logits

    def _weights(self) -> list[tuple[int, int]] | None:
        """Which weights the model has, and how often each was changed in place; None if that does not tell all."""
        if not isinstance(self.source, nn.Module):
            return []
        weights = list(self.source.parameters())
        if not is_plain(self.source) or any(weight.is_inference() for weight in weights):
            return None
        return [(weight.data_ptr(), weight._version) for weight in weights]


def generate_tokens(
    model: LanguageModel | nn.Module,
    prompts: Sequence[int] | Sequence[Sequence[int]],
    config: SamplingConfig,
    *,
    continuations: int = 1,
    max_new_tokens: int,
    seed: int = 0,
    use_cache: bool = True,
) -> Iterator[tuple[Tensor, Tensor]]:
    """The loop: score, pick, append, again. Each round gives one token to each text.

    Args:
        model: as for `next_logits`.
        prompts: the ids of one prompt, or of several different ones; at least one token each.
        config: how to pick.
        continuations: texts written from each prompt.
        max_new_tokens: rounds; fewer if the context of every text is full before.
        seed: the same seed gives the same texts; a prompt's texts do not depend on the other prompts.
        use_cache: False reads the whole texts anew each round.

    Yields:
        ``(texts,)`` tokens picked, and ``(texts,)`` their log-probabilities before anything was warped; the
        continuations of a prompt stand together. A text whose context is full gets token -1.

    Raises:
        ValueError: if a setting cannot be, in one sentence.
    """
    texts = _Texts(language_model(model, use_cache=use_cache), prompts, continuations, max_new_tokens, seed)
    for _ in range(texts.rounds):
        with torch.inference_mode():
            logits = texts.score()  # (texts, vocabulary)
            tokens = texts.pick(logits, config)  # (texts,)
            texts.append(tokens)
            log_probability = logits.log_softmax(-1).gather(-1, tokens.clamp(min=0)[:, None])[:, 0]
        yield tokens, log_probability


def sample_token(logits: Tensor, text: Tensor, config: SamplingConfig, generator: torch.Generator) -> Tensor:
    """One token for each text: ``(batch, vocabulary)`` scores and ``(batch, tokens)`` ids to ``(batch,)`` ids."""
    if config.repetition_penalty != 1:
        logits = penalise(logits, text, config.repetition_penalty)
    if config.temperature == 0:
        return logits.argmax(-1)
    warped = warp(logits, config.temperature, config.top_k, config.top_p, config.min_p)
    return torch.multinomial(warped.softmax(-1).cpu(), 1, generator=generator)[:, 0].to(logits.device)


def generate(
    model: LanguageModel | nn.Module,
    tokenizer: Tokenizer,
    prompt: Prompt,
    *,
    max_new_tokens: int = 64,
    temperature: float = 0.8,
    top_k: int = 0,
    top_p: float = 1.0,
    min_p: float = 0.0,
    repetition_penalty: float = 1.0,
    stop: str | Sequence[str] | None = None,
    stop_tokens: Sequence[int] | None = None,
    seed: int = 0,
    cancel: threading.Event | None = None,
    use_cache: bool = True,
) -> str:
    """What the model writes after a prompt; returns the text, without the prompt. Arguments as for `continue_text`.

    >>> from course_utils.models.transformer import Transformer, TransformerConfig
    >>> from course_utils.tokenizers import BPETokenizer
    >>> tiny, letters = Transformer(TransformerConfig.preset("tiny", vocabulary=256)), BPETokenizer.train("", 256)
    >>> len(generate(tiny, letters, "Once", max_new_tokens=8, temperature=0).encode()) >= 8
    True
    """
    pieces = stream(
        model, tokenizer, prompt, max_new_tokens=max_new_tokens, temperature=temperature, top_k=top_k, top_p=top_p,
        min_p=min_p, repetition_penalty=repetition_penalty, stop=stop, stop_tokens=stop_tokens, seed=seed,
        cancel=cancel, use_cache=use_cache,
    )  # fmt: skip
    return "".join(pieces)


def stream(
    model: LanguageModel | nn.Module,
    tokenizer: Tokenizer,
    prompt: Prompt,
    *,
    max_new_tokens: int = 64,
    temperature: float = 0.8,
    top_k: int = 0,
    top_p: float = 1.0,
    min_p: float = 0.0,
    repetition_penalty: float = 1.0,
    stop: str | Sequence[str] | None = None,
    stop_tokens: Sequence[int] | None = None,
    seed: int = 0,
    cancel: threading.Event | None = None,
    use_cache: bool = True,
) -> Iterator[str]:
    """What the model writes after a prompt, a piece at a time; together the pieces equal `generate`'s text.

    Stop asking for pieces, or set ``cancel``, and no further token is computed. Arguments as for `continue_text`.
    """
    if len(several := _prompts(prompt)) > 1:
        raise ValueError(f"{len(several)} prompts cannot share one stream; use generate_many")
    rounds = continue_text(
        model, tokenizer, prompt, max_new_tokens=max_new_tokens, temperature=temperature, top_k=top_k, top_p=top_p,
        min_p=min_p, repetition_penalty=repetition_penalty, stop=stop, stop_tokens=stop_tokens, seed=seed,
        cancel=cancel, use_cache=use_cache,
    )  # fmt: skip
    for pieces, _ in rounds:
        if pieces[0]:
            yield pieces[0]


def generate_many(
    model: LanguageModel | nn.Module,
    tokenizer: Tokenizer,
    prompt: Prompt | Sequence[Prompt],
    continuations: int = 1,
    *,
    max_new_tokens: int = 64,
    temperature: float = 0.8,
    top_k: int = 0,
    top_p: float = 1.0,
    min_p: float = 0.0,
    repetition_penalty: float = 1.0,
    stop: str | Sequence[str] | None = None,
    stop_tokens: Sequence[int] | None = None,
    seed: int = 0,
    cancel: threading.Event | None = None,
    use_cache: bool = True,
) -> list[Continuation]:
    """Several answers to one prompt, or to each of several, computed side by side, with each token's log-probability.

    Arguments as for `continue_text`. The answers to a prompt stand together, in the order of the prompts, and are
    those that the prompt would get by itself.
    """
    rounds = continue_text(
        model, tokenizer, prompt, continuations=continuations, max_new_tokens=max_new_tokens, temperature=temperature,
        top_k=top_k, top_p=top_p, min_p=min_p, repetition_penalty=repetition_penalty, stop=stop,
        stop_tokens=stop_tokens, seed=seed, cancel=cancel, use_cache=use_cache,
    )  # fmt: skip
    return [answers for _, answers in rounds][-1]


def continue_text(
    model: LanguageModel | nn.Module,
    tokenizer: Tokenizer,
    prompt: Prompt | Sequence[Prompt],
    *,
    continuations: int = 1,
    max_new_tokens: int = 64,
    temperature: float = 0.8,
    top_k: int = 0,
    top_p: float = 1.0,
    min_p: float = 0.0,
    repetition_penalty: float = 1.0,
    stop: str | Sequence[str] | None = None,
    stop_tokens: Sequence[int] | None = None,
    seed: int = 0,
    cancel: threading.Event | None = None,
    use_cache: bool = True,
) -> Iterator[tuple[list[str], list[Continuation]]]:
    """Several answers to one prompt, or to each of several prompts, token by token.

    Args:
        model: a `Transformer`, or anything else that `language_model` takes.
        tokenizer: its tokenizer.
        prompt: a text, token ids, or chat messages, which the tokenizer's chat template turns into tokens; or a list
            of such prompts.
        continuations: how many answers to each prompt.
        max_new_tokens: the most tokens in each.
        temperature: see `SamplingConfig`.
        top_k: see `SamplingConfig`.
        top_p: see `SamplingConfig`.
        min_p: see `SamplingConfig`.
        repetition_penalty: see `SamplingConfig`.
        stop: strings that end an answer; they are not part of it.
        stop_tokens: tokens that end an answer; without any, the tokenizer's own.
        seed: the same seed gives the same text.
        cancel: set it from another thread to stop after the token at hand.
        use_cache: see `generate_tokens`.

    Yields:
        after each round, what is new to read of each answer (never half a character, never the start of what may
        become a stop string), and the answers so far.

    Raises:
        ValueError: if a setting cannot be, in one sentence.
    """
    config = SamplingConfig(temperature, top_k, top_p, min_p, repetition_penalty)
    prompts = [prompt_ids(tokenizer, each) for each in _prompts(prompt)]
    _whole("max_new_tokens", max_new_tokens, 1, "the answer needs room for a token")
    _whole("continuations", continuations, 1, "ask for one answer or more")
    _whole("seed", seed, 0, "0 will do")
    if seed >= 2**63:
        raise ValueError(f"seed={seed} must be below 2**63; 0 will do")
    if stop_tokens is None:
        stop_tokens = [] if tokenizer.end is None else [tokenizer.end]
    writers = [_Writer(tokenizer, stop, set(stop_tokens)) for _ in prompts for _ in range(continuations)]
    answers = [writer.answer for writer in writers]
    rounds = generate_tokens(
        model, prompts, config, continuations=continuations, max_new_tokens=max_new_tokens, seed=seed,
        use_cache=use_cache,
    )  # fmt: skip
    cancelled = False
    for picked, log_probability in rounds:
        written = zip(writers, picked.tolist(), log_probability.tolist(), strict=True)
        yield [writer.push(*token) for writer, *token in written], answers
        if all(writer.done for writer in writers):
            break
        if cancel is not None and cancel.is_set():
            cancelled = True
            break
    last = []
    for writer in writers:
        full = len(writer.answer.ids) < max_new_tokens
        last.append(writer.finish("cancelled" if cancelled else "context" if full else "length"))
    yield last, answers


def prompt_ids(tokenizer: Tokenizer, prompt: Prompt) -> list[int]:
    """The tokens of a prompt: a text, ids as they are, or chat messages through the model's own template.

    Raises:
        ValueError: if there is nothing in it.
    """
    if isinstance(prompt, str):
        ids = tokenizer.encode(prompt)
    elif all(isinstance(part, int) for part in prompt):
        ids = [part for part in prompt if isinstance(part, int)]
    elif hasattr(tokenizer, "encode_chat"):
        ids = tokenizer.encode_chat(prompt)
    else:
        raise ValueError("this tokenizer encodes texts but not chats; give it a text.")
    if not ids:
        raise ValueError("The prompt is empty; type a few words for the model to continue.")
    return ids


def _prompts(prompt: Prompt | Sequence[Prompt]) -> Sequence[Prompt]:
    """One prompt as a list of one; several as they are: a list of texts, of lists of ids, or of lists of messages."""
    if isinstance(prompt, str) or not len(prompt) or isinstance(prompt[0], int | Mapping):
        return [cast(Prompt, prompt)]
    return cast(Sequence[Prompt], prompt)


class _Texts:
    """The texts as they grow, the continuations of a prompt together, and what the model remembers of them.

    A prompt has its own table of texts and its own random numbers, so what is written does not depend on the others.
    """

    def __init__(
        self,
        reader: LanguageModel,
        prompts: Sequence[int] | Sequence[Sequence[int]],
        continuations: int,
        max_new_tokens: int,
        seed: int,
    ):
        several = cast(list[Sequence[int]], [prompts] if not prompts or isinstance(prompts[0], int) else prompts)
        self.reader, self.continuations = reader, continuations
        self.rooms = [_fits(reader, ids) for ids in several]  # most tokens that may follow each prompt
        self.rounds = int(min(max_new_tokens, max(self.rooms)))
        self.written = 0  # tokens of each text
        self.ids = [
            torch.tensor(list(ids)).expand(continuations, -1) for ids in several
        ]  # each (continuations, tokens)
        self.generators = [torch.Generator().manual_seed(seed) for _ in several]
        self.unread, self.mask = pad_left([ids[0] for ids in self.ids])  # (prompts, tokens): a prompt is read once
        self.state = reader.start(len(several), self.unread.size(1) + self.rounds - 1)

    def score(self) -> Tensor:
        """Read what is new: ``(texts, vocabulary)`` scores of what could follow."""
        logits = _checked(self.reader.next_logits(self.unread, self.state, self.mask))
        if self.written == 0 and self.continuations > 1:
            logits = logits.repeat_interleave(self.continuations, dim=0)
            self.state.repeat(self.continuations)
        return logits

    def pick(self, logits: Tensor, config: SamplingConfig) -> Tensor:
        """The next token of each text ``(texts,)``; -1 where the context is full."""
        picked = []
        parts = zip(logits.split(self.continuations), self.ids, self.rooms, self.generators, strict=True)
        for scores, ids, room, generator in parts:
            if self.written < room:
                picked.append(sample_token(scores, ids, config, generator))  # (continuations,)
            else:
                picked.append(torch.full((self.continuations,), -1))
        return torch.cat(picked)

    def append(self, tokens: Tensor) -> None:
        """Put the tokens ``(texts,)`` at the ends of the texts."""
        new = tokens[:, None].split(self.continuations)
        self.ids = [torch.cat(parts, dim=1) for parts in zip(self.ids, new, strict=True)]
        self.written += 1
        self.unread = tokens.clamp(min=0)[:, None]  # (texts, 1): from now on, only the newest token is
        has_room = [self.written < room for room in self.rooms for _ in range(self.continuations)]
        self.mask = None if all(has_room) else torch.tensor(has_room)[:, None]


class _Writer:
    """Turns one answer's tokens into text that is safe to show."""

    def __init__(self, tokenizer: Tokenizer, stop: str | Sequence[str] | None, stop_tokens: set[int]):
        self.answer = Continuation()
        self.done = False
        self._bytes = TextStream(tokenizer)
        self._stop = [stop] if isinstance(stop, str) else list(stop or ())
        if not all(isinstance(word, str) and word for word in self._stop):
            raise ValueError(f"stop={stop!r} must be a text, or several, none of them empty")
        self._stop_tokens = stop_tokens
        self._held = ""  # may be the start of a stop string

    def push(self, token: int, log_probability: float) -> str:
        """Take the next token, or -1 where the context is full; give what may now be shown."""
        if self.done:
            return ""
        if token < 0:
            return self.finish("context")
        self.answer.ids.append(token)
        self.answer.log_probabilities.append(log_probability)
        if token in self._stop_tokens:
            self.done, self.answer.finish_reason = True, "stop"
            return self._show(self._held + self._bytes.finish())
        return self._release(self._bytes.push(token))

    def finish(self, finish_reason: str) -> str:
        """Give what was held back; nothing more will come."""
        if self.done:
            return ""
        self.done, self.answer.finish_reason = True, finish_reason
        return self._release(self._bytes.finish()) + self._show(self._held)

    def _release(self, text: str) -> str:
        text = self._held + text
        found = [place for word in self._stop if (place := text.find(word)) >= 0]
        if found:
            self.done, self.answer.finish_reason, self._held = True, "stop", ""
            return self._show(text[: min(found)])
        keep = max((n for word in self._stop for n in range(1, len(word)) if text.endswith(word[:n])), default=0)
        self._held = text[len(text) - keep :]
        return self._show(text[: len(text) - keep])

    def _show(self, text: str) -> str:
        self.answer.text += text
        return text


def _checked(logits: Tensor) -> Tensor:
    """Logits in float32, beside the texts in ordinary memory, if they are numbers."""
    logits = logits.float().cpu()
    if not logits.amax().isfinite():  # the largest is NaN if any is
        raise ValueError(
            "The model gave scores that are not numbers (NaN): damaged weights, or training that diverged."
        )
    return logits


def _fits(model: LanguageModel, ids: Sequence[int]) -> float:
    """How many tokens may follow a prompt: the last one is predicted from a full context."""
    if not len(ids):
        raise ValueError("The prompt is empty; type a few words for the model to continue.")
    if model.context is None:
        return math.inf
    if len(ids) > model.context:
        raise ValueError(
            f"The prompt is {len(ids):,} tokens long and this model reads at most {model.context:,}; "
            f"shorten it by {len(ids) - model.context:,} tokens."
        )
    return model.context - len(ids) + 1


def _finite(name: str, value: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(f"{name}={value!r} is not a number")


def _whole(name: str, value: Any, least: int, cure: str) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise ValueError(f"{name}={value!r} must be a whole number of at least {least}; {cure}")
