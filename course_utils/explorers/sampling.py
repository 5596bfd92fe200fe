"""Explorers of generation: how the next token is chosen."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from matplotlib.figure import Figure

from course_utils.explorers.base import Button, FigureExplorer, Slider, Text
from course_utils.models.transformer import Transformer
from course_utils.plots.bars import PairedBars, PairedRows, percent
from course_utils.plots.panels import Panel
from course_utils.plots.style import visible
from course_utils.sampling import next_logits, warp
from course_utils.tokenizers import BPETokenizer

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


def _favourite(result: NextToken) -> str:
    best = int(result.after[:-1].argmax())
    return f"{result.tokens[best]} has {percent(result.after[best])}"


def _bits(result: NextToken) -> str:
    return f"The entropy is {result.entropy:.1f} bits"


def _left(result: NextToken) -> str:
    return f"{result.left:,} tokens" if result.left > 1 else "1 token"


OWN = {"temperature": 1.0, "top_k": 0, "top_p": 1.0, "min_p": 0.0}  # the model's own distribution
HOT = OWN | {"temperature": 2.0}


class TemperatureExplorer(FigureExplorer):
    """How temperature, top-k, top-p and min-p reshape the distribution of the next token.

    Args:
        model: any ``Transformer``.
        tokenizer: the model's tokenizer.
        start: first values of the controls: prompt, temperature, top_k, top_p, min_p.
    """

    size = (8.4, 4.0)
    prompt = Text("The capital of France is")
    temperature = Slider(0.0, 3.0, 1.0, step=0.05, label="temperature (0 = greedy)")
    top_k = Slider(0, 50, 0, label="top-k (0 = all)")
    top_p = Slider(0.01, 1.0, 1.0, step=0.01, label="top-p (1 = all)")
    min_p = Slider(0.0, 0.5, 0.0, step=0.01, label="min-p (0 = all)")
    draw_twenty = Button("Draw twenty", "draw_again")
    tour = (
        (OWN, lambda now: f"Temperature 1: the model's own probabilities. {_favourite(now)}. {_bits(now)}."),
        (
            OWN | {"temperature": 0.5},
            lambda now: f"Temperature 0.5: the likeliest gains. {_favourite(now)}. {_bits(now)}.",
        ),
        (OWN | {"temperature": 0.0}, lambda now: f"Temperature 0: {_favourite(now)}, so every draw is the same."),
        (HOT, lambda now: f"Temperature 2: {_favourite(now)}; the {now.tokens[-1]} share {percent(now.after[-1])}."),
        (HOT | {"top_k": 5}, lambda now: f"Still temperature 2, with top-k 5: {now.left} tokens can be drawn."),
        (HOT | {"top_p": 0.5}, lambda now: f"Top-p 0.5 keeps half of the probability: {_left(now)} can be drawn."),
        (HOT | {"min_p": 0.3}, lambda now: f"Min-p 0.3 compares with the likeliest token: {_left(now)} can be drawn."),
    )

    def __init__(self, model: Transformer, tokenizer: BPETokenizer, **start: Any):
        self.model, self.tokenizer = model, tokenizer
        super().__init__(**start)

    def restart(self) -> None:
        """No draws yet."""
        self.seed = 0

    def draw_again(self) -> None:
        """Draw twenty tokens with the next seed."""
        self.seed += 1

    def drawn(self, times: int) -> "TemperatureExplorer":
        """Press *Draw twenty* so many times, as the copied line does; returns the explorer."""
        for _ in range(times):
            self.press("draw_twenty")
        return self

    def as_python(self) -> str:
        """Return the line of Python that makes an explorer in this state, with its draws."""
        return super().as_python() + (f".drawn({self.seed})" if self.seed else "")

    def prepare(self, prompt: str) -> Scores:
        """Return the model's scores for the token after the prompt."""
        return scores(self.model, self.tokenizer, prompt)

    def compute(self, prepared: Scores, temperature: float, top_k: int, top_p: float, min_p: float) -> NextToken:
        """Return the distribution before and after the knobs."""
        return next_token(prepared, temperature, top_k, top_p, min_p, self.seed)

    def make_panels(self, figure: Figure, result: NextToken) -> dict[str, Panel]:
        """Two bars for each likely token, and a dot for each draw."""
        return {"bars": PairedBars(figure, len(result.tokens), (0.27, 0.07, 0.71, 0.85))}

    def contents(self, result: NextToken) -> dict[str, PairedRows]:
        """A row for each likely token and one for the others."""
        kept, counts = result.kept.tolist(), result.counts.tolist()
        return {"bars": PairedRows(result.tokens, result.before, result.after, kept, counts, result.ids)}

    def caption(self, result: NextToken) -> str:
        """Say the temperature, the entropy, the likeliest token and what is left to draw from."""
        best = int(result.after[:-1].argmax())
        token = result.tokens[best].replace('"␣', '" ')  # a caption may be read aloud
        drawn = f" {DRAWS} draws: {result.counts[best]} times {token}." if len(result.counts) else ""
        return (
            f"Temperature {result.temperature:.2f}, entropy {result.entropy:.2f} bits: {token} "
            f"{percent(result.after[best])}; {result.left:,} of {result.vocabulary:,} tokens can be drawn.{drawn}"
        )
