"""Explorers of writing: a text grown token by token, and the tree of texts that could have been written instead."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from matplotlib.figure import Figure
from torch import Tensor

from course_utils.explorers.base import Button, Choice, FigureExplorer, Slider, Text, tag
from course_utils.explorers.sampling import token_name
from course_utils.models.transformer import Transformer
from course_utils.plots.bars import percent
from course_utils.plots.lettering import Label
from course_utils.plots.style import BLUE, GREY, ORANGE, readable, visible
from course_utils.sampling import Reader, SamplingConfig, prompt_ids, sample_token
from course_utils.tokenizers import BPETokenizer

ROWS = 10  # tokens to choose from, and tokens whose surprise is drawn
LONGEST = 200  # new tokens in one text
LEAVES, DEPTH = 14, 4  # what fits into the picture of a tree


class Row(int):
    """The number of a row of a list, from 1, which reads as the row's words."""

    words: str

    def __new__(cls, number: int, words: str) -> "Row":
        """Return the number with its words."""
        row = super().__new__(cls, number)
        row.words = words
        return row

    def __str__(self) -> str:
        return self.words


def bits(probability: float) -> float:
    """Return the surprise of an event: 0 bits if it was certain, 1 if it was a coin's toss.

    >>> bits(0.25)
    2.0
    """
    return -math.log2(probability) if probability < 1 else 0.0


@dataclass
class Writing:
    """A text as it grows."""

    ids: list[int]
    prompt: int  # tokens that were given
    logits: Tensor  # (vocabulary,) of the token after them
    bits: list[float] = field(default_factory=list)  # surprise of each token written


@dataclass(frozen=True)
class Step:
    """What could come next, and what was written."""

    ids: tuple[int, ...]  # (rows,) of the likeliest, likeliest first
    tokens: tuple[str, ...]  # (rows,) their names
    probabilities: tuple[float, ...]  # (rows,)
    row: int  # the one chosen, from 0
    written: tuple[str, ...]  # names of the tokens written
    bits: tuple[float, ...]  # their surprise
    given: str
    text: str  # what was written


class StepSampler(FigureExplorer):
    """Choose every token yourself or let the model choose, and watch the surprise add up.

    Args:
        model: any ``Transformer``.
        tokenizer: the model's tokenizer.
        start: first values of the controls: prompt, row.
    """

    size = (8.4, 4.2)
    details_height = 84
    prompt = Text("Once upon a time")
    row = Choice([Row(number, f"{number}.") for number in range(1, ROWS + 1)], label="next token")
    take = Button("Take this token", "take_row")
    let_model = Button("Let the model choose", "take_drawn")
    back = Button("Back one step", "take_back")

    def __init__(self, model: Transformer, tokenizer: BPETokenizer, **start: Any):
        self.model, self.tokenizer, self.reader = model, tokenizer, Reader(model)
        self.words: Any = None  # those in the picture
        super().__init__(**start)

    def restart(self) -> None:
        """Nothing written, nothing drawn."""
        self.draws = 0
        self.forget()

    def take_row(self) -> None:
        """Write the token of the chosen row."""
        self._write_token(self.result.ids[self.result.row])

    def take_drawn(self) -> None:
        """Write a token drawn with the model's own probabilities, at temperature 1."""
        self.draws += 1
        generator = torch.Generator().manual_seed(self.draws)
        text = torch.tensor([self.writing.ids])
        self._write_token(
            int(sample_token(self.writing.logits[None], text, SamplingConfig(temperature=1.0), generator))
        )

    def take_back(self) -> None:
        """Remove the last token written."""
        if not self.writing.bits:
            raise ValueError("There is no step to take back: nothing has been written after the prompt yet.")
        logits = self.reader.logits(self.writing.ids[:-1])
        self.writing.ids.pop()
        self.writing.bits.pop()
        self.writing.logits = logits

    def _write_token(self, token: int) -> None:
        writing = self.writing
        if writing.bits and writing.ids[-1] == self.tokenizer.end:
            raise ValueError("The text has ended with the stop token: go back one step, or reset.")
        if len(writing.bits) == LONGEST:
            raise ValueError(f"{LONGEST} tokens are as many as this picture takes: go back a step, or reset.")
        logits = self.reader.logits([*writing.ids, token])
        writing.bits.append(float(-writing.logits.log_softmax(-1)[token] / math.log(2)))
        writing.ids.append(token)
        writing.logits = logits

    def prepare(self, prompt: str) -> Writing:
        """Return a new text that consists of the prompt."""
        ids = prompt_ids(self.tokenizer, prompt)
        return Writing(ids, len(ids), self.reader.logits(ids))

    def compute(self, prepared: Writing, row: int) -> Step:
        """Return the likeliest next tokens, and the surprise of each token so far."""
        self.writing = prepared
        likeliest = prepared.logits.softmax(-1).topk(min(ROWS, len(prepared.logits)))
        tokens = tuple(token_name(self.tokenizer, token) for token in likeliest.indices.tolist())
        probabilities = tuple(likeliest.values.tolist())
        _rename(self, "row", [f"{name}  {percent(p)}" for name, p in zip(tokens, probabilities, strict=True)])
        written = prepared.ids[prepared.prompt :]
        return Step(
            tuple(likeliest.indices.tolist()),
            tokens,
            probabilities,
            self.row - 1,
            tuple(token_name(self.tokenizer, token) for token in written),
            tuple(prepared.bits),
            self.tokenizer.decode(prepared.ids[: prepared.prompt]),
            self.tokenizer.decode(written),
        )

    def draw(self, figure: Figure, result: Step) -> None:
        """On the left a bar for each likely token, on the right one for each token written."""
        if not self.artists:
            left = figure.add_axes((0.17, 0.1, 0.3, 0.8), xlim=(0, 1.3), ylim=(ROWS - 0.4, -0.6))
            left.set_xticks([0, 0.5, 1], ["0", "50", "100 %"])
            left.set_title("what could come next", loc="left")
            self.right = figure.add_axes((0.66, 0.1, 0.32, 0.8), ylim=(ROWS - 0.4, -0.6))
            self.bars = left.barh(range(ROWS), [0.0] * ROWS, 0.7, color=BLUE)
            self.surprises = self.right.barh(range(ROWS), [0.0] * ROWS, 0.7, color=GREY)
            self.numbers = [
                axes.add_artist(Label(0, at, "", va="center")) for axes in (left, self.right) for at in range(ROWS)
            ]
            (ghost,) = self.right.plot([], [], "|", color=ORANGE, markersize=12, markeredgewidth=2)
            self.artists |= {"bars": [*self.bars, *self.surprises], "numbers": self.numbers, "ghost": ghost}
            for axes in (left, self.right):
                axes.tick_params(axis="y", length=0)
            self.left, self.words = left, None
        first = max(0, len(result.bits) - ROWS)  # of the tokens with a bar
        shown, names = result.bits[first:], [readable(name) for name in result.written[first:]]
        widest = max([4.0, *shown])
        pinned = self.pinned.bits[first : first + ROWS] if self.pinned else ()
        self.artists["ghost"].set_data(pinned, range(len(pinned)))
        if (result.tokens, result.written) != self.words:  # each of these has the whole figure drawn anew
            self.words = (result.tokens, result.written)
            self.left.set_yticks(range(len(result.tokens)), [readable(name) for name in result.tokens])
            self.right.set_yticks(range(len(names)), names)
            self.right.set_title(f"what was written: {sum(result.bits):.1f} bits", loc="left")
            self.right.set_xlim(0, 1.3 * max([widest, *pinned]))
        for at in range(ROWS):
            chance = result.probabilities[at] if at < len(result.probabilities) else 0.0
            self.bars[at].set(width=chance, color=ORANGE if at == result.row else BLUE)
            self.numbers[at].set(x=chance + 0.02, text=percent(chance) if at < len(result.tokens) else "")
            surprise = shown[at] if at < len(shown) else 0.0
            self.surprises[at].set_width(surprise)
            self.numbers[ROWS + at].set(x=surprise + widest / 50, text=f"{surprise:.1f}" if at < len(shown) else "")

    def caption(self, result: Step) -> str:
        """Say the surprise so far, what the chosen row would add, and how the text ends."""
        chosen = result.probabilities[result.row]
        tokens = "1 token" if len(result.bits) == 1 else f"{len(result.bits)} tokens"
        return (
            f"{tokens} written, {sum(result.bits):.1f} bits of surprise so far; {result.tokens[result.row]} "
            f"({percent(chosen)}) would add {_surprise(chosen)}. The text: {_tail(result.given + result.text, 100)}"
        )

    def details(self, result: Step) -> str:
        """Show the whole text, what was written in bold."""
        return tag("div", result.given, tag("b", result.text), style="white-space:pre-wrap")


@dataclass(frozen=True)
class Node:
    """A place in the tree: the tokens that lead to it."""

    path: tuple[int, ...]
    name: str  # of its last token
    probability: float  # of its last token, after those before
    together: float  # of all its tokens: the product along the path
    leaf: bool


@dataclass(frozen=True)
class Tree:
    """Every node, each above its children, likeliest first; the leaves, likeliest first; the one chosen."""

    prompt: str
    nodes: tuple[Node, ...]
    leaves: tuple[Node, ...]
    texts: tuple[str, ...]  # (leaves,) what each leaf's tokens spell
    chosen: int


@dataclass
class Growing:
    """A prompt, and for every path that was expanded its likeliest next tokens with their probabilities."""

    prompt: str
    ids: list[int]
    branches: int
    children: dict[tuple[int, ...], list[tuple[int, float]]] = field(default_factory=dict)


class ContinuationTree(FigureExplorer):
    """The likeliest continuations of a prompt as a tree; the probabilities along a path multiply to the leaf's.

    Args:
        model: any ``Transformer``.
        tokenizer: the model's tokenizer.
        start: first values of the controls: prompt, branches, leaf.
    """

    size = (8.4, 4.6)
    caption_lines = 3
    prompt = Text("Once upon a time")
    branches = Slider(1, 4, 3, label="branches per token", slow=True)
    leaf = Choice([Row(1, "1.")], label="leaf")
    grow = Button("Expand this leaf", "grow_leaf")

    def __init__(self, model: Transformer, tokenizer: BPETokenizer, **start: Any):
        self.model, self.tokenizer, self.reader = model, tokenizer, Reader(model)
        super().__init__(**start)

    def restart(self) -> None:
        """Back to the small trees."""
        self.forget()

    def prepare(self, prompt: str, branches: int) -> Growing:
        """Return a tree whose root and likeliest leaf are expanded."""
        growing = Growing(prompt, prompt_ids(self.tokenizer, prompt), branches)
        self._expand(growing, ())
        if growing.children[()][0][0] != self.tokenizer.end:
            self._expand(growing, (growing.children[()][0][0],))
        return growing

    def _expand(self, growing: Growing, path: tuple[int, ...]) -> None:
        probability = self.reader.logits([*growing.ids, *path]).softmax(-1)
        likeliest = probability.topk(min(growing.branches, len(probability)))
        growing.children[path] = list(zip(likeliest.indices.tolist(), likeliest.values.tolist(), strict=True))

    def grow_leaf(self) -> None:
        """Expand the chosen leaf."""
        leaf = self.result.leaves[self.result.chosen]
        if leaf.path[-1] == self.tokenizer.end:
            raise ValueError("This leaf is the stop token, where the text ends: choose another leaf.")
        if len(leaf.path) == DEPTH:
            raise ValueError(
                f"This leaf is {DEPTH} tokens deep, as deep as the picture goes: choose another, or reset."
            )
        if len(self.result.leaves) + self.growing.branches - 1 > LEAVES:
            raise ValueError(f"More than {LEAVES} leaves do not fit into the picture: reset, or take fewer branches.")
        self._expand(self.growing, leaf.path)

    def compute(self, prepared: Growing, leaf: int) -> Tree:
        """Return every node with its probability and the product along its path."""
        self.growing = prepared
        nodes = tuple(self._nodes(prepared, (), 1.0))
        leaves = tuple(sorted((node for node in nodes if node.leaf), key=lambda node: -node.together))
        texts = tuple(self.tokenizer.decode(node.path) for node in leaves)
        words = [f'{percent(node.together)}  "{visible(text, 40)}"' for node, text in zip(leaves, texts, strict=True)]
        _rename(self, "leaf", words)
        return Tree(prepared.prompt, nodes, leaves, texts, self.leaf - 1)

    def _nodes(self, growing: Growing, path: tuple[int, ...], together: float) -> Iterator[Node]:
        for token, probability in growing.children.get(path, ()):
            below, product = (*path, token), together * probability
            name = token_name(self.tokenizer, token)
            yield Node(below, name, probability, product, below not in growing.children)
            yield from self._nodes(growing, below, product)

    def draw(self, figure: Figure, result: Tree) -> None:
        """Each token right of the one before, its probability at the end of its edge, the products at the right."""
        self.clear()  # the tree has another shape
        wide, depth = 100 * self.size[0], max(len(node.path) for node in result.nodes)
        start, end = 84, wide - 124  # pixels: right of the prompt, left of the products
        column = (end - start) / depth
        label = max(0.2 * column, 20) + 54  # of a column: its edges and their percentages
        axes = figure.add_axes((0, 0.02, 1, 0.9), xlim=(0, wide), ylim=(len(result.leaves) - 0.4, -0.6))
        axes.set_axis_off()
        self.artists["axes"] = axes
        heights = _heights(result.nodes)
        chosen = result.leaves[result.chosen]
        plain: dict[str, Any] = dict(
            va="center", fontsize=9, zorder=3, bbox=dict(facecolor="white", edgecolor="none", pad=1)
        )
        axes.text(start - 6, heights[()], _last_words(readable(result.prompt), 10), ha="right", **plain)
        for node in result.nodes:
            at, left = heights[node.path], start + column * (len(node.path) - 1)
            right = left + label  # of the percentage, where the token begins
            on_path = chosen.path[: len(node.path)] == node.path
            look: dict[str, Any] = dict(
                color=ORANGE if on_path else BLUE, zorder=2 if on_path else 1, solid_capstyle="butt"
            )
            above = [left, left + label - 56, right - 50], [heights[node.path[:-1]], at, at]
            axes.plot(*above, linewidth=0.8 + 6 * node.probability, **look)
            axes.plot([right, end if node.leaf else left + column], [at, at], ":" if node.leaf else "-", lw=0.8, **look)
            axes.text(right - 4, at, percent(node.probability), ha="right", **plain)
            name = readable(node.name)
            room = max(5, int((column - label) / 8))
            name = name if len(name) <= room else f"{name[: room - 2]}…{name[-1]}"
            axes.text(right, at, name, weight="bold" if on_path else "normal", **plain)
            if node.leaf:
                words = f"{percent(node.together)}, {_surprise(node.together)}"
                axes.text(end + 4, at, words, weight="bold" if node is chosen else "normal", **plain)
        figure.text(
            start / wide, 0.94, "token after token: the probability of each after those before", color=GREY, fontsize=10
        )
        figure.text((end + 4) / wide, 0.94, "multiplied", color=GREY)

    def caption(self, result: Tree) -> str:
        """Say the chosen leaf's product, factor by factor, and how much of all continuations is shown."""
        leaf = result.leaves[result.chosen]
        chances = {node.path: node.probability for node in result.nodes}
        factors = " × ".join(percent(chances[leaf.path[: length + 1]]) for length in range(len(leaf.path)))
        product = f"{factors} = {percent(leaf.together)}" if len(leaf.path) > 1 else factors
        shown = min(1.0, sum(node.together for node in result.leaves))
        return (
            f"Chosen: {_tail(result.texts[result.chosen], 80)} with {product}, {_surprise(leaf.together)}. "
            f"The {len(result.leaves)} leaves shown share {percent(shown)} of all that could be written."
        )


def _rename(explorer: FigureExplorer, name: str, words: list[str]) -> None:
    """Give the rows of a choice new words, if they are new; the row that is chosen stays while there is one."""
    if [str(option) for option in explorer.controls[name].options] != words:  # type: ignore[attr-defined]
        label = explorer.controls[name].label
        setattr(explorer, name, Choice([Row(number, text) for number, text in enumerate(words, 1)], label=label))


def _heights(nodes: Sequence[Node]) -> dict[tuple[int, ...], float]:
    """Row of each path: the leaves one under the other, every other node in the middle of its children."""
    rows = {node.path: float(row) for row, node in enumerate(node for node in nodes if node.leaf)}
    for path in [*(node.path for node in reversed(nodes) if not node.leaf), ()]:
        below = [height for child, height in rows.items() if child[:-1] == path and child]
        rows[path] = (min(below) + max(below)) / 2
    return rows


def _last_words(text: str, longest: int) -> str:
    """The end of a text, from a blank on where there is one.

    >>> _last_words("The teacher told us", 10), _last_words("extraterrestrial", 10), _last_words("A cat", 10)
    ('…told us', '…rrestrial', 'A cat')
    """
    if len(text) <= longest:
        return text
    end = text[-longest:]  # the first of these gives its place to the dots
    return f"…{end.partition(' ')[2].lstrip() or end[1:]}"


def _surprise(probability: float) -> str:
    return f"{bits(probability):.1f} bits" if probability > 0 else "countless bits"


def _tail(text: str, longest: int) -> str:
    """The end of a text in quotes, its line breaks shown."""
    text = text if len(text) <= longest else f"…{text[1 - longest :]}"
    return f'"{text}"'.replace("\n", "↵")
