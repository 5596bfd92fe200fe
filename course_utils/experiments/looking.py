"""Who looks at whom in a real model, and what becomes of the next token if one of these looks is cut."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from course_utils import interpret
from course_utils.experiments.next_token import token_name
from course_utils.models.transformer import Transformer
from course_utils.tokenizers import BPETokenizer
from course_utils.wording import percent

RIVER = "The river was wide and cold, and he sat down on the bank"  # the sentence of the lesson
MOST_SHOWN = 64  # tokens of a text that are read and shown
BARS = 5  # next tokens with a bar
CUTS = ("nothing", "this cell", "this head", "this layer")


def short_name(tokenizer: BPETokenizer, token: int, *, first: bool = False) -> str:
    """A token as it stands beside a map: without its blank; a piece that continues a word begins with "…".

    >>> gpt2 = BPETokenizer.gpt2()
    >>> [short_name(gpt2, token) for token in gpt2.encode(" crosswords, too")]
    ['cross', '…words', ',', 'too']
    """
    name = token_name(tokenizer, token).strip('"')
    if name.startswith("␣") and len(name) > 1:
        return name[1:]
    return f"…{name}" if name[:1].isalpha() and not first else name


class Reading:
    """A text as a model read it: every attention weight, and the chances of the next token.

    Args:
        model: a decoder.
        tokenizer: the model's.
        text: its first `MOST_SHOWN` tokens are read.

    Raises:
        ValueError: if the text is empty, or the model answers with something that is no number.
    """

    def __init__(self, model: Transformer, tokenizer: BPETokenizer, text: str):
        self.model, self.tokenizer = model, tokenizer
        ids = tokenizer.encode(text)
        if not ids:
            raise ValueError("The text is empty: type a word or two.")
        most = min(MOST_SHOWN, model.config.context)
        self.ids, self.left_out = ids[:most], max(0, len(ids) - most)
        self.names = tuple(short_name(tokenizer, token, first=at == 0) for at, token in enumerate(self.ids))
        with interpret.capture(model) as seen:
            self.before = self._next_token()  # (vocabulary,)
        self.weights: NDArray[np.float32] = torch.cat(list(seen.attention)).float().numpy()  # (layers, heads, n, n)
        if not (np.isfinite(self.weights).all() and self.before.isfinite().all()):
            raise ValueError("The model answers with something that is no number: its weights are damaged.")
        self._after: dict[tuple[str | int, ...], torch.Tensor] = {}

    def _next_token(self) -> torch.Tensor:
        """Chances of the token after the last one; only its row is compared with the table of tokens."""
        with torch.inference_mode():
            stream = self.model.hidden_states(torch.tensor([self.ids]))
            return self.model.unembed(stream[0, -1]).float().softmax(-1)

    def after(self, cut: str, layer: int, head: int, row: int, column: int) -> torch.Tensor:
        """Chances of the next token ``(vocabulary,)`` with one of `CUTS` made; the model reads the text again.

        A cell is cut as if the head could not see that token: the other weights of the row share what is left.
        """
        if cut == "nothing" or (cut == "this cell" and not can_be_cut(row, column)):
            return self.before
        key = {"this layer": (cut, layer), "this head": (cut, layer, head)}.get(cut, (cut, layer, head, row, column))
        if key not in self._after:
            heads = {"this layer": range(self.weights.shape[1]), "this head": (head,)}.get(cut, ())
            cells = {(layer, head, row, column): 0.0} if cut == "this cell" else {}
            with interpret.edit(self.model, zero_heads=[(layer, each) for each in heads], set_weights=cells):
                self._after[key] = self._next_token()
        return self._after[key]

    def look(self, layer: int, head: int, row: int, column: int, cut: str) -> "Looking":
        """What one head shows, and what the cut does."""
        after = self.after(cut, layer, head, row, column)
        likeliest = torch.maximum(self.before, after).topk(min(BARS, len(after))).indices.tolist()
        order = sorted(likeliest, key=lambda token: -float(self.before[token]))
        return Looking(
            self.names, self.left_out, self.weights[layer], self.weights[:, :, row, column], layer, head, row, column,
            cut, tuple(token_name(self.tokenizer, token) for token in order),
            tuple(self.before[order].tolist()), tuple(after[order].tolist()),
        )  # fmt: skip


def can_be_cut(row: int, column: int) -> bool:
    """Whether a token sees this one and another one besides; the first token sees itself alone.

    >>> can_be_cut(3, 1), can_be_cut(1, 3), can_be_cut(0, 0)
    (True, False, False)
    """
    return column <= row and row > 0


@dataclass(frozen=True, eq=False)
class Looking:
    """One head of one layer on one text."""

    names: tuple[str, ...]  # (tokens,)
    left_out: int  # tokens of the text that were not read
    weights: NDArray[np.float32]  # (heads, tokens, tokens), of the layer
    everywhere: NDArray[np.float32]  # (layers, heads): the cell's weight in every head
    layer: int
    head: int
    row: int
    column: int
    cut: str
    tokens: tuple[str, ...]  # likely next ones, as shown
    before: tuple[float, ...]
    after: tuple[float, ...]

    @property
    def weight(self) -> float:
        """Of the chosen cell."""
        return float(self.weights[self.head, self.row, self.column])

    def word(self, at: int) -> str:
        """A token in a sentence."""
        return f"“{self.names[at]}”"

    @property
    def takes(self) -> str:
        """Where the held row looks, the largest weights first."""
        row = self.weights[self.head, self.row]
        best = np.argsort(-row, kind="stable")[: min(3, self.row + 1)]
        return f"{self.word(self.row)} takes " + ", ".join(
            f"{percent(round(float(row[at]), 6))} from {self.word(at)}" for at in best
        )

    @property
    def change(self) -> str:
        """The next token whose chance the cut moves most."""
        moved = max(range(len(self.tokens)), key=lambda at: abs(self.after[at] - self.before[at]))
        return f"{spoken(self.tokens[moved])} goes from {percent(self.before[moved])} to {percent(self.after[moved])}"

    @property
    def cut_said(self) -> str:
        """What is cut."""
        if self.cut == "this cell":
            return f"{self.word(self.row)} cannot look at {self.word(self.column)} in this head"
        return "this head adds nothing" if self.cut == "this head" else f"no head of layer {self.layer} adds anything"

    def described(self) -> str:
        """Where the held row looks, and what the cut does, or what comes next."""
        said = f"Layer {self.layer}, head {self.head}: {self.takes}."
        if self.cut == "this cell" and not can_be_cut(self.row, self.column):
            hidden = self.column > self.row
            why = "which comes later, so it is hidden anyway" if hidden else "as it sees nothing else"
            said += f" {self.word(self.row)} cannot be cut off from {self.word(self.column)}, {why}."
        elif self.cut != "nothing":
            said += f" Cut: {self.cut_said}. As the next token, {self.change}."
        else:
            best = int(np.argmax(self.before))
            said += f" The next token: {spoken(self.tokens[best])} is likeliest, {percent(self.before[best])}."
        if self.left_out:
            shown = len(self.names)
            said += f" Read and shown are the first {shown} of {shown + self.left_out} tokens; the others are left out."
        return said


def spoken(token: str) -> str:
    """A token with its blank as a sentence can hold it, also read aloud.

    >>> spoken('"␣of"')
    '" of"'
    """
    return token.replace('"␣', '" ')


def weights_on(
    model: Transformer, tokenizer: BPETokenizer, texts: Sequence[str], layer: int, head: int, word: int
) -> list[float]:
    """How much the last token of each text takes from the token at position ``word``, in one head."""
    return [float(Reading(model, tokenizer, text).weights[layer, head, -1, word]) for text in texts]


def chance_with_cuts(
    model: Transformer, tokenizer: BPETokenizer, text: str, token: str, heads: Sequence[tuple[int, int]] = ()
) -> float:
    """The chance of one next token after a text, with some heads ``(layer, head)`` cut."""
    (wanted,) = tokenizer.encode(token)
    with interpret.edit(model, zero_heads=heads), torch.inference_mode():
        stream = model.hidden_states(torch.tensor([tokenizer.encode(text)]))
        return float(model.unembed(stream[0, -1]).softmax(-1)[wanted])


def cut_rows(model: Transformer, tokenizer: BPETokenizer) -> Iterator[dict[str, Any]]:
    """For each head: the weight from the last token of `RIVER` to "river", and the chance of " of" with it cut."""
    reading, (of,) = Reading(model, tokenizer, RIVER), tokenizer.encode(" of")
    last, (layers, heads) = len(reading.ids) - 1, reading.weights.shape[:2]
    for layer in range(layers):
        for head in range(heads):
            cell, whole = (float(reading.after(cut, layer, head, last, 1)[of]) for cut in ("this cell", "this head"))
            yield {"layer": layer, "head": head, "weight": float(reading.weights[layer, head, last, 1]),
                   "cell": cell, "head_cut": whole}  # fmt: skip
