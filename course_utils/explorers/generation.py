"""Explorers of writing: a text grown token by token, and the tree of texts that could have been written instead."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from matplotlib.figure import Figure

from course_utils.explorers.base import Button, Choice, FigureExplorer, Slider, Text, tag
from course_utils.explorers.sampling import few_enough, token_name
from course_utils.models.transformer import Transformer
from course_utils.plots.bars import Bars, Rows, percent
from course_utils.plots.generation import Node, Tree, TreePicture, bits
from course_utils.plots.panels import Panel
from course_utils.plots.style import GREY, visible
from course_utils.sampling import Reader, SamplingConfig, prompt_ids, sample_token
from course_utils.tokenizers import BPETokenizer

ROWS = 10  # tokens to choose from, and tokens whose surprisal is drawn
LONGEST = 200  # new tokens in one text
LEAVES, DEPTH = 14, 4  # what fits into the picture of a tree


class Writing:
    """A text that grows token by token, and the surprisal of each.

    Args:
        reader: scores what could follow.
        tokenizer: the model's tokenizer.
        ids: the tokens that are given.
    """

    def __init__(self, reader: Reader, tokenizer: BPETokenizer, ids: list[int]):
        self.reader, self.tokenizer, self.ids, self.prompt = reader, tokenizer, ids, len(ids)
        self.logits = reader.logits(ids)  # (vocabulary,) of the token after them
        self.bits: list[float] = []  # surprisal of each token written

    def likeliest(self) -> tuple[dict[int, str], list[float]]:
        """Return the likeliest next tokens with their names, likeliest first, and their probabilities."""
        best = self.logits.softmax(-1).topk(min(ROWS, len(self.logits)))
        return {token: token_name(self.tokenizer, token) for token in best.indices.tolist()}, best.values.tolist()

    def drawn(self, seed: int) -> int:
        """Return a next token drawn with the model's own probabilities, at temperature 1."""
        generator = torch.Generator().manual_seed(seed)
        text = torch.tensor([self.ids])
        return int(sample_token(self.logits[None], text, SamplingConfig(temperature=1.0), generator))

    def write(self, token: int) -> None:
        """Write a token."""
        if self.bits and self.ids[-1] == self.tokenizer.end:
            raise ValueError("The text has ended with the stop token: go back one step, or reset.")
        if len(self.bits) == LONGEST:
            raise ValueError(f"{LONGEST} tokens are as many as this picture takes: go back a step, or reset.")
        logits = self.reader.logits([*self.ids, token])
        self.bits.append(float(-self.logits.log_softmax(-1)[token] / math.log(2)))
        self.ids.append(token)
        self.logits = logits

    def back(self) -> None:
        """Remove the last token written."""
        if not self.bits:
            raise ValueError("There is no step to take back: nothing has been written after the prompt yet.")
        self.logits = self.reader.logits(self.ids[:-1])
        self.ids.pop()
        self.bits.pop()


@dataclass(frozen=True)
class Step:
    """What could come next, and what was written."""

    ids: tuple[int, ...]  # (rows,) of the likeliest, likeliest first
    tokens: tuple[str, ...]  # (rows,) their names
    probabilities: tuple[float, ...]  # (rows,)
    row: int  # the one chosen, from 0
    written: tuple[str, ...]  # names of the tokens written
    bits: tuple[float, ...]  # their surprisal
    given: str
    text: str  # what was written


def _adds(result: Step) -> str:
    """What the chosen row would add."""
    chosen = result.probabilities[result.row]
    return f"{result.tokens[result.row]} has {percent(chosen)} and adds {bits(chosen)}"


def _rows(result: Step) -> str:
    """What the rows share."""
    return f"all {len(result.tokens)} rows share {percent(min(1.0, sum(result.probabilities)))}"


class StepSampler(FigureExplorer):
    """Choose every token yourself or let the model choose, and watch the surprise add up.

    Args:
        model: any ``Transformer``.
        tokenizer: the model's tokenizer.
        start: first values of the controls: prompt, row.
    """

    size = (8.4, 3.6)
    details_height = 46
    prompt = Text("Once upon a time")
    row = Choice(range(1, ROWS + 1), label="next token")
    take = Button("Take this token", "take_row")
    let_model = Button("Let the model choose", "take_drawn")
    back = Button("Back one step", "take_back")
    tour = (
        ({"prompt": "To be or not to", "row": 1}, lambda now: f"The first row is the likeliest token. {_adds(now)}."),
        ({"prompt": "To be or not to", "row": 2}, lambda now: f"The second row is less likely. {_adds(now)}."),
        ({"prompt": "My favourite animal is the", "row": 1}, lambda now: f"Another text. {_adds(now)}; {_rows(now)}."),
        ({"prompt": "My favourite animal is the", "row": 10}, lambda now: f"The last row shown. {_adds(now)}."),
        (
            {"prompt": "My favourite animal is the cat", "row": 1},
            lambda now: f"One token more in the text. {_adds(now)}.",
        ),
    )

    def __init__(self, model: Transformer, tokenizer: BPETokenizer, **start: Any):
        self.model, self.tokenizer, self.reader = model, tokenizer, Reader(model)
        super().__init__(**start)

    def restart(self) -> None:
        """Nothing written, nothing drawn."""
        self.draws = 0
        self.forget()

    def take_row(self) -> None:
        """Write the token of the chosen row."""
        self.writing.write(self.result.ids[self.result.row])

    def take_drawn(self) -> None:
        """Write a token that the model chooses."""
        self.draws += 1
        self.writing.write(self.writing.drawn(self.draws))

    def take_back(self) -> None:
        """Remove the last token written."""
        self.writing.back()

    def write(self, tokens: Sequence[int]) -> "StepSampler":
        """Write these tokens, as the copied line does; returns the explorer."""
        with self.lock:
            for token in tokens:
                self.writing.write(token)
            self.refresh()
        return self

    def as_python(self) -> str:
        """Return the line of Python that makes an explorer in this state, with the tokens written."""
        written = self.writing.ids[self.writing.prompt :]
        return super().as_python() + (f".write({written})" if written else "")

    def prepare(self, prompt: str) -> Writing:
        """Return a new text that consists of the prompt."""
        return Writing(self.reader, self.tokenizer, few_enough(prompt_ids(self.tokenizer, prompt), "The prompt"))

    def dependent_controls(self, prepared: Writing) -> dict[str, Choice]:
        """The list reads as the bars."""
        tokens, probabilities = prepared.likeliest()
        words = [f"{name}  {percent(p)}" for name, p in zip(tokens.values(), probabilities, strict=True)]
        return {"row": Choice(range(1, len(words) + 1), words=words, label="next token")}

    def compute(self, prepared: Writing, row: int) -> Step:
        """Return the likeliest next tokens, and the surprisal of each token so far."""
        self.writing = prepared
        tokens, probabilities = prepared.likeliest()
        written = prepared.ids[prepared.prompt :]
        return Step(
            tuple(tokens),
            tuple(tokens.values()),
            tuple(probabilities),
            row - 1,
            tuple(token_name(self.tokenizer, token) for token in written),
            tuple(prepared.bits),
            self.tokenizer.decode(prepared.ids[: prepared.prompt]),
            self.tokenizer.decode(written),
        )

    def make_panels(self, figure: Figure, result: Step) -> dict[str, Panel]:
        """On the left a bar for each likely token, on the right one for each token written."""
        left = figure.add_axes((0.17, 0.1, 0.3, 0.8), xlim=(0, 1.3))
        left.set_xticks([0, 0.5, 1], ["0", "50", "100 %"])
        right = figure.add_axes((0.66, 0.1, 0.32, 0.8))
        return {"next": Bars(left, ROWS), "written": Bars(right, ROWS, GREY, widest=4.0, ghosts=True)}

    def contents(self, result: Step) -> dict[str, Rows]:
        """Probabilities of the next token, and bits of the tokens written."""
        chances = [percent(probability) for probability in result.probabilities]
        numbers, total = [f"{bits:.1f}" for bits in result.bits], sum(result.bits)
        return {
            "next": Rows(result.tokens, result.probabilities, chances, result.row, "what could come next"),
            "written": Rows(result.written, result.bits, numbers, title=f"what was written: {total:.1f} bits"),
        }

    def caption(self, result: Step) -> str:
        """Say the surprise so far, what the chosen row would add, and how the text ends."""
        chosen = result.probabilities[result.row]
        tokens = "1 token" if len(result.bits) == 1 else f"{len(result.bits)} tokens"
        return (
            f"{tokens} written, {sum(result.bits):.1f} bits of surprise so far; {result.tokens[result.row]} "
            f"({percent(chosen)}) would add {bits(chosen)}. The text: {_tail(result.given + result.text, 100)}"
        )

    def details(self, result: Step) -> str:
        """Show the whole text, what was written in bold."""
        return tag("div", result.given, tag("b", result.text), style="white-space:pre-wrap")


class Growing:
    """A prompt, and for every path that was expanded its likeliest next tokens with their probabilities.

    Args:
        reader: scores what could follow.
        tokenizer: the model's tokenizer.
        prompt: any text.
        branches: tokens to each expanded path.
    """

    def __init__(self, reader: Reader, tokenizer: BPETokenizer, prompt: str, branches: int):
        self.reader, self.tokenizer, self.prompt, self.branches = reader, tokenizer, prompt, branches
        self.ids = few_enough(prompt_ids(tokenizer, prompt), "The prompt")
        self.children: dict[tuple[int, ...], list[tuple[int, float]]] = {}
        self.expand(())
        likeliest = self.children[()][0][0]
        if likeliest != tokenizer.end:
            self.expand((likeliest,))

    def expand(self, path: tuple[int, ...]) -> None:
        """Let the likeliest tokens follow a path."""
        probability = self.reader.logits([*self.ids, *path]).softmax(-1)
        likeliest = probability.topk(min(self.branches, len(probability)))
        self.children[path] = list(zip(likeliest.indices.tolist(), likeliest.values.tolist(), strict=True))

    def grow(self, leaf: Node, leaves: int) -> None:
        """Expand a leaf of so many, if that fits into the picture."""
        if leaf.path[-1] == self.tokenizer.end:
            raise ValueError("This leaf is the stop token, where the text ends: choose another leaf.")
        if len(leaf.path) == DEPTH:
            raise ValueError(
                f"This leaf is {DEPTH} tokens deep, as deep as the picture goes: choose another, or reset."
            )
        if leaves + self.branches - 1 > LEAVES:
            raise ValueError(f"More than {LEAVES} leaves do not fit into the picture: reset, or take fewer branches.")
        self.expand(leaf.path)

    def nodes(self, path: tuple[int, ...] = (), together: float = 1.0) -> Iterator[Node]:
        """Yield every node below a path, each above its children, likeliest first."""
        for token, probability in self.children.get(path, ()):
            below, product = (*path, token), together * probability
            yield Node(below, token_name(self.tokenizer, token), probability, product, below not in self.children)
            yield from self.nodes(below, product)

    def leaves(self) -> dict[Node, str]:
        """Return the leaves with what their tokens spell, likeliest first."""
        leaves = sorted((node for node in self.nodes() if node.leaf), key=lambda node: -node.together)
        return {leaf: self.tokenizer.decode(leaf.path) for leaf in leaves}


class ContinuationTree(FigureExplorer):
    """The likeliest continuations of a prompt as a tree; the probabilities along a path multiply to the leaf's.

    Args:
        model: any ``Transformer``.
        tokenizer: the model's tokenizer.
        start: first values of the controls: prompt, branches, leaf.
    """

    size = (8.4, 4.5)
    caption_lines = 3
    prompt = Text("Once upon a time")
    branches = Slider(1, 4, 3, label="branches per token", slow=True)
    leaf = Choice(range(1, LEAVES + 1), label="leaf")
    grow = Button("Expand this leaf", "grow_leaf")

    def __init__(self, model: Transformer, tokenizer: BPETokenizer, **start: Any):
        self.model, self.tokenizer, self.reader = model, tokenizer, Reader(model)
        super().__init__(**start)

    def restart(self) -> None:
        """Back to the small trees."""
        self.forget()

    def prepare(self, prompt: str, branches: int) -> Growing:
        """Return a tree whose root and likeliest leaf are expanded."""
        return Growing(self.reader, self.tokenizer, prompt, branches)

    def expand(self, paths: Sequence[Sequence[int]], leaf: int = 1) -> "ContinuationTree":
        """Expand the leaf at the end of each path of tokens and choose a leaf, as the copied line does."""
        with self.lock:
            for path in paths:
                self.growing.expand(tuple(path))
            self.refresh()
            self.set(leaf=leaf)
        return self

    def as_python(self) -> str:
        """Return the line of Python that makes an explorer in this state, with the leaves expanded."""
        line, children = super().as_python(), self.growing.children
        grown = [list(path) for path in children if path and path != (children[()][0][0],)]
        if not grown:
            return line
        chosen = f", leaf={self.leaf}" if self.leaf != 1 else ""
        return f"{line.removesuffix(f'{chosen})').removesuffix(')')}).expand({grown}{chosen})"

    def grow_leaf(self) -> None:
        """Expand the chosen leaf."""
        self.growing.grow(self.result.leaves[self.result.chosen], len(self.result.leaves))

    def dependent_controls(self, prepared: Growing) -> dict[str, Choice]:
        """A leaf to choose is named by its text."""
        leaves = prepared.leaves()
        words = [f'{percent(leaf.together)}  "{visible(text, 40)}"' for leaf, text in leaves.items()]
        return {"leaf": Choice(range(1, len(words) + 1), words=words)}

    def compute(self, prepared: Growing, leaf: int) -> Tree:
        """Return every node with its probability and the product along its path."""
        self.growing, leaves = prepared, prepared.leaves()
        return Tree(prepared.prompt, tuple(prepared.nodes()), tuple(leaves), tuple(leaves.values()), leaf - 1)

    def make_panels(self, figure: Figure, result: Tree) -> dict[str, Panel]:
        """Each token right of the one before, its probability at the end of its edge, the products at the right."""
        return {"tree": TreePicture(figure)}

    def contents(self, result: Tree) -> dict[str, Tree]:
        """The tree."""
        return {"tree": result}

    def caption(self, result: Tree) -> str:
        """Say the chosen leaf's product, factor by factor, and how much of all continuations is shown."""
        leaf = result.leaves[result.chosen]
        chances = {node.path: node.probability for node in result.nodes}
        factors = " × ".join(percent(chances[leaf.path[: length + 1]]) for length in range(len(leaf.path)))
        product = f"{factors} = {percent(leaf.together)}" if len(leaf.path) > 1 else factors
        shown = min(1.0, sum(node.together for node in result.leaves))
        return (
            f"Chosen: {_tail(result.texts[result.chosen], 80)} with {product}, {bits(leaf.together)}. "
            f"The {len(result.leaves)} leaves shown share {percent(shown)} of all that could be written."
        )


def _tail(text: str, longest: int) -> str:
    """The end of a text in quotes, its line breaks shown."""
    text = text if len(text) <= longest else f"…{text[1 - longest :]}"
    return f'"{text}"'.replace("\n", "↵")
