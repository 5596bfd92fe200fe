"""The next token: a model's scores after a prompt, and what temperature, top-k, top-p and min-p make of them."""

from dataclasses import dataclass

import numpy as np
import torch

from course_utils.models.transformer import Transformer
from course_utils.sampling import next_logits, warp
from course_utils.tokenizers import BPETokenizer
from course_utils.wording import percent, visible

ROWS = 12  # tokens with a row of their own; one more row stands for all others
DRAWS = 20
MOST_TOKENS = 600  # of a typed prompt: about two thousand letters of English


def token_name(tokenizer: BPETokenizer, token: int) -> str:
    """Return a token in quotes with its blanks shown; a part of a character is shown as its bytes, like <E6 97>."""
    text = tokenizer.decode([token])
    if "\ufffd" in text:
        return f"<{tokenizer.token_bytes(token).hex(' ').upper()}>"
    return f'"{visible(text)}"'


def few_enough(ids: list[int], name: str) -> list[int]:
    """Return the tokens of a typed text, or raise a ValueError if a model would read them for too long.

    A limit of characters does not bound this: 2,000 emoji are 6,000 tokens.
    """
    if len(ids) > MOST_TOKENS:
        raise ValueError(f"{name} has {len(ids):,} tokens and may have {MOST_TOKENS:,}: please shorten it.")
    return ids


@dataclass(frozen=True)
class Scores:
    """What a prompt decides, whatever the knobs say."""

    logits: torch.Tensor  # (vocabulary,)
    top: torch.Tensor  # (rows - 1,) the likeliest tokens
    names: tuple[str, ...]  # (rows,) as shown, the last for all other tokens
    before: np.ndarray  # (rows,) probabilities


def with_rest(probabilities: torch.Tensor) -> np.ndarray:
    """Add what is left to 1, for all other tokens: ``(rows - 1,)`` to ``(rows,)``."""
    known = probabilities.double().numpy()
    return np.append(known, max(0.0, 1.0 - known.sum()))


@dataclass(frozen=True)
class NextToken:
    """The next token's distribution before and after the knobs; the last row stands for all other tokens."""

    ids: tuple[int, ...]  # (rows,) with -1 for the last
    tokens: tuple[str, ...]  # (rows,) as shown
    before: np.ndarray  # (rows,) probabilities
    after: np.ndarray  # (rows,)
    kept: np.ndarray  # (rows,) bool: can still be drawn
    counts: np.ndarray  # (rows,) of the twenty draws; empty if none were made
    temperature: float
    entropy: float  # bits, after the knobs
    left: int  # tokens that can still be drawn
    vocabulary: int

    def described(self) -> str:
        """The temperature, the entropy, the likeliest token and what is left to draw from."""
        best = int(self.after[:-1].argmax())
        token = self.tokens[best].replace('"␣', '" ')  # a caption may be read aloud
        drawn = f" {DRAWS} draws: {self.counts[best]} times {token}." if len(self.counts) else ""
        return (
            f"Temperature {self.temperature:.2f}, entropy {self.entropy:.2f} bits: {token} "
            f"{percent(self.after[best])}; {self.left:,} of {self.vocabulary:,} tokens can be drawn.{drawn}"
        )


def scores(model: Transformer, tokenizer: BPETokenizer, prompt: str) -> Scores:
    """Return the model's scores for the token after the prompt, and what no knob changes."""
    ids = few_enough(tokenizer.encode(prompt), "The prompt")
    if not ids and tokenizer.end is not None:
        ids = [tokenizer.end]  # what the model saw in training where a text begins
    if not ids:
        raise ValueError("The prompt is empty: type a word or two for the model to continue.")
    logits = next_logits(model, ids)
    before, top = logits.softmax(-1).topk(min(ROWS, len(logits)))
    names = (*(token_name(tokenizer, token) for token in top.tolist()), f"{len(logits) - len(top):,} others")
    return Scores(logits, top, names, with_rest(before))


def next_token(scored: Scores, temperature: float, top_k: int, top_p: float, min_p: float, seed: int = 0) -> NextToken:
    """Return the distribution before and after the knobs; with a seed, twenty draws too."""
    warped = warp(scored.logits, temperature=temperature, top_k=top_k, top_p=top_p, min_p=min_p)
    after, top = warped.softmax(-1), scored.top
    kept = warped > -torch.inf
    left = int(kept.sum())
    rows = kept[top].tolist()
    counts: list[int] = []
    if seed:
        generator = torch.Generator().manual_seed(seed)
        drawn = torch.multinomial(after, DRAWS, replacement=True, generator=generator)
        counts = (drawn[:, None] == top).sum(0).tolist()
        counts.append(DRAWS - sum(counts))
    return NextToken(
        ids=(*top.tolist(), -1),
        tokens=scored.names,
        before=scored.before,
        after=with_rest(after[top]),
        kept=np.array([*rows, left > sum(rows)]),
        counts=np.array(counts, dtype=np.int32),
        temperature=temperature,
        entropy=float(torch.special.entr(after).sum() / np.log(2)),
        left=left,
        vocabulary=len(after),
    )
