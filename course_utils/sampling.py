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
from torch import Tensor

from course_utils.models.decoding import can_read_token, read_token
from course_utils.models.transformer import Transformer
from course_utils.tokenizers import BPETokenizer, TextStream

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
def next_logits(model: Transformer, ids: Sequence[int]) -> Tensor:
    """Scores of every token that could come after these.

    Args:
        model: any `Transformer`.
        ids: the text, at least one token.

    Returns:
        ``(vocabulary,)`` float32.

    Raises:
        ValueError: if there is no token, too many, or the model gives no numbers.
    """
    _fits(model, ids)
    stream = model.hidden_states(torch.tensor([list(ids)], device=_device(model)))
    return _checked(model.unembed(stream[0, -1]))


def generate_tokens(
    model: Transformer,
    ids: Sequence[int],
    knobs: SamplingConfig,
    *,
    continuations: int = 1,
    max_new_tokens: int,
    seed: int = 0,
    use_cache: bool = True,
) -> Iterator[tuple[Tensor, Tensor]]:
    """The loop: score, pick, append, again. Each round gives one token to each continuation.

    Args:
        model: any `Transformer`.
        ids: the prompt, at least one token.
        knobs: how to pick.
        continuations: texts written side by side from the one prompt.
        max_new_tokens: rounds; fewer if the context is full before.
        seed: the same seed gives the same text.
        use_cache: remember keys and values; False reads the whole text anew each round.

    Yields:
        ``(continuations,)`` tokens picked, and ``(continuations,)`` their log-probabilities before any knob.

    Raises:
        ValueError: if a setting cannot be, in one sentence.
    """
    _fits(model, ids)
    device, room = _device(model), model.config.context - len(ids) + 1
    rounds = min(max_new_tokens, room)
    generator = torch.Generator().manual_seed(seed)
    text = torch.empty(continuations, len(ids) + rounds, dtype=torch.int64, device=device)  # filled from the left
    text[:, : len(ids)] = torch.tensor(list(ids))
    cache = model.new_cache(len(ids) + rounds - 1) if use_cache else None
    unread = text[:1, : len(ids)]  # the prompt is read once, for all
    quick = continuations == 1 and can_read_token(model)
    for end in range(len(ids), len(ids) + rounds):
        with torch.inference_mode():
            if quick and cache and end > len(ids):
                last = read_token(model, int(unread), cache)  # (width,): the last place predicts
            else:
                stream = model.hidden_states(unread, cache)  # (batch, tokens, width)
                last = stream[0, -1] if len(stream) == 1 else stream[:, -1]
            logits = _checked(model.unembed(last)).expand(continuations, -1)  # (continuations, vocabulary)
            if cache and end == len(ids) and continuations > 1:
                for layer in cache:
                    layer.repeat(continuations)
            picked = sample_token(logits, text[:, :end], knobs, generator)  # (continuations,)
            log_probability = logits.log_softmax(-1).gather(-1, picked[:, None])[:, 0]
            text[:, end] = picked
            unread = text[:, end : end + 1] if cache else text[:, : end + 1]
        yield picked, log_probability


def sample_token(logits: Tensor, text: Tensor, knobs: SamplingConfig, generator: torch.Generator) -> Tensor:
    """One token for each text: ``(batch, vocabulary)`` scores and ``(batch, tokens)`` ids to ``(batch,)`` ids."""
    if knobs.repetition_penalty != 1:
        logits = penalise(logits, text, knobs.repetition_penalty)
    if knobs.temperature == 0:
        return logits.argmax(-1)
    warped = warp(logits, knobs.temperature, knobs.top_k, knobs.top_p, knobs.min_p)
    return torch.multinomial(warped.softmax(-1).cpu(), 1, generator=generator)[:, 0].to(logits.device)


def continue_text(
    model: Transformer,
    tokenizer: BPETokenizer,
    prompt: Prompt,
    *,
    continuations: int = 1,
    max_new_tokens: int = 64,
    stop: str | Sequence[str] | None = None,
    stop_tokens: Sequence[int] | None = None,
    seed: int = 0,
    cancel: threading.Event | None = None,
    use_cache: bool = True,
    **knobs: Any,
) -> Iterator[tuple[list[str], list[Continuation]]]:
    """Several answers to one prompt, token by token.

    Args:
        model: any `Transformer`.
        tokenizer: its tokenizer.
        prompt: a text, token ids, or chat messages, which the tokenizer's chat template turns into tokens.
        continuations: how many answers.
        max_new_tokens: the most tokens in each.
        stop: strings that end an answer; they are not part of it.
        stop_tokens: tokens that end an answer; without any, the tokenizer's own.
        seed: the same seed gives the same text.
        cancel: set it from another thread to stop after the token at hand.
        use_cache: see `generate_tokens`.
        knobs: see `SamplingConfig`.

    Yields:
        after each round, what is new to read of each answer (never half a character, never the start of what may
        become a stop string), and the answers so far.

    Raises:
        ValueError: if a setting cannot be, in one sentence.
    """
    turned, ids = SamplingConfig(**knobs), prompt_ids(tokenizer, prompt)
    _whole("max_new_tokens", max_new_tokens, 1, "the answer needs room for a token")
    _whole("continuations", continuations, 1, "ask for one answer or more")
    _whole("seed", seed, 0, "0 will do")
    if seed >= 2**63:
        raise ValueError(f"seed={seed} must be below 2**63; 0 will do")
    if stop_tokens is None:
        stop_tokens = [] if tokenizer.end is None else [tokenizer.end]
    writers = [_Writer(tokenizer, stop, set(stop_tokens)) for _ in range(continuations)]
    answers = [writer.answer for writer in writers]
    rounds = generate_tokens(
        model, ids, turned, continuations=continuations, max_new_tokens=max_new_tokens, seed=seed, use_cache=use_cache
    )
    finish_reason = "length" if len(ids) + max_new_tokens - 1 <= model.config.context else "context"
    for picked, log_probability in rounds:
        written = zip(writers, picked.tolist(), log_probability.tolist(), strict=True)
        yield [writer.push(*token) for writer, *token in written], answers
        if all(writer.done for writer in writers):
            break
        if cancel is not None and cancel.is_set():
            finish_reason = "cancelled"
            break
    yield [writer.finish(finish_reason) for writer in writers], answers


def generate(model: Transformer, tokenizer: BPETokenizer, prompt: Prompt, **settings: Any) -> str:
    """What the model writes after a prompt.

    Args:
        model: any `Transformer`.
        tokenizer: its tokenizer.
        prompt: a text, token ids, or chat messages.
        settings: ``max_new_tokens=64, temperature=0.8, top_k=0, top_p=1.0, stop=None, seed=0`` and the others of
            `continue_text` and `SamplingConfig`.

    Returns:
        the text, without the prompt.

    Raises:
        ValueError: if a setting cannot be, in one sentence.
    """
    return "".join(stream(model, tokenizer, prompt, **settings))


def stream(model: Transformer, tokenizer: BPETokenizer, prompt: Prompt, **settings: Any) -> Iterator[str]:
    """What the model writes after a prompt, a piece at a time; together the pieces equal `generate`'s text.

    Stop asking for pieces, or set ``cancel``, and no further token is computed. Arguments as for `generate`.
    """
    if settings.get("continuations", 1) != 1:
        raise ValueError(f"{settings['continuations']} continuations cannot share one stream; use generate_many")
    for pieces, _ in continue_text(model, tokenizer, prompt, **settings):
        if pieces[0]:
            yield pieces[0]


def generate_many(
    model: Transformer, tokenizer: BPETokenizer, prompt: Prompt, continuations: int, **settings: Any
) -> list[Continuation]:
    """Several answers to one prompt, computed side by side, with the log-probability of each token.

    Arguments as for `generate`; ``continuations`` says how many.
    """
    rounds = continue_text(model, tokenizer, prompt, continuations=continuations, **settings)
    return [answers for _, answers in rounds][-1]


def prompt_ids(tokenizer: BPETokenizer, prompt: Prompt) -> list[int]:
    """The tokens of a prompt: a text, ids as they are, or chat messages through the model's own template.

    Raises:
        ValueError: if there is nothing in it.
    """
    if isinstance(prompt, str):
        ids = tokenizer.encode(prompt)
    elif all(isinstance(part, int) for part in prompt):
        ids = [part for part in prompt if isinstance(part, int)]
    else:
        ids = tokenizer.encode_chat(cast(Sequence[Mapping[str, str]], prompt))
    if not ids:
        raise ValueError("The prompt is empty; type a few words for the model to continue.")
    return ids


class _Writer:
    """Turns one answer's tokens into text that is safe to show."""

    def __init__(self, tokenizer: BPETokenizer, stop: str | Sequence[str] | None, stop_tokens: set[int]):
        self.answer = Continuation()
        self.done = False
        self._bytes = TextStream(tokenizer)
        self._stop = [stop] if isinstance(stop, str) else list(stop or ())
        if not all(isinstance(word, str) and word for word in self._stop):
            raise ValueError(f"stop={stop!r} must be a text, or several, none of them empty")
        self._stop_tokens = stop_tokens
        self._held = ""  # may be the start of a stop string

    def push(self, token: int, log_probability: float) -> str:
        """Take the next token; give what may now be shown."""
        if self.done:
            return ""
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
    """Logits in float32, if they are numbers."""
    logits = logits.float()
    if not logits.amax().isfinite():  # the largest is NaN if any is
        raise ValueError(
            "The model gave scores that are not numbers (NaN): damaged weights, or training that diverged."
        )
    return logits


def _fits(model: Transformer, ids: Sequence[int]) -> None:
    if not len(ids):
        raise ValueError("The prompt is empty; type a few words for the model to continue.")
    if len(ids) > model.config.context:
        raise ValueError(
            f"The prompt is {len(ids):,} tokens long and this model reads at most {model.config.context:,}; "
            f"shorten it by {len(ids) - model.config.context:,} tokens."
        )


def _device(model: Transformer) -> torch.device:
    return next(model.parameters()).device


def _finite(name: str, value: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(f"{name}={value!r} is not a number")


def _whole(name: str, value: Any, least: int, cure: str) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise ValueError(f"{name}={value!r} must be a whole number of at least {least}; {cure}")
