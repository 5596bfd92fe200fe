"""Writing: a text grown token by token with its surprisal, and the tree of texts that could have been written."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch

from course_utils.experiments.next_token import few_enough, token_name
from course_utils.sampling import Reader, SamplingConfig, prompt_ids, sample_token
from course_utils.tokenizers import BPETokenizer
from course_utils.wording import bits, percent, tail

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
        self.draws = 0

    def likeliest(self) -> tuple[dict[int, str], list[float]]:
        """Return the likeliest next tokens with their names, likeliest first, and their probabilities."""
        best = self.logits.softmax(-1).topk(min(ROWS, len(self.logits)))
        return {token: token_name(self.tokenizer, token) for token in best.indices.tolist()}, best.values.tolist()

    @property
    def written(self) -> list[int]:
        """The tokens after the prompt."""
        return self.ids[self.prompt :]

    def step(self, row: int) -> "Step":
        """Return what could come next, with one row chosen, and what was written."""
        tokens, probabilities = self.likeliest()
        return Step(
            ids=tuple(tokens),
            tokens=tuple(tokens.values()),
            probabilities=tuple(probabilities),
            row=row,
            written=tuple(token_name(self.tokenizer, token) for token in self.written),
            bits=tuple(self.bits),
            given=self.tokenizer.decode(self.ids[: self.prompt]),
            text=self.tokenizer.decode(self.written),
        )

    def write_drawn(self) -> None:
        """Write a token drawn with the model's own probabilities, at temperature 1, each time with the next seed."""
        self.draws += 1
        generator = torch.Generator().manual_seed(self.draws)
        text = torch.tensor([self.ids])
        self.write(int(sample_token(self.logits[None], text, SamplingConfig(temperature=1.0), generator)))

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

    @property
    def adds(self) -> str:
        """What the chosen row would add, in words."""
        chosen = self.probabilities[self.row]
        return f"{self.tokens[self.row]} has {percent(chosen)} and adds {bits(chosen)}"

    @property
    def shared(self) -> str:
        """What the rows share, in words."""
        return f"all {len(self.tokens)} rows share {percent(min(1.0, sum(self.probabilities)))}"

    def described(self) -> str:
        """The surprise so far, what the chosen row would add, and how the text ends."""
        chosen = self.probabilities[self.row]
        tokens = "1 token" if len(self.bits) == 1 else f"{len(self.bits)} tokens"
        return (
            f"{tokens} written, {sum(self.bits):.1f} bits of surprise so far; {self.tokens[self.row]} "
            f"({percent(chosen)}) would add {bits(chosen)}. The text: {tail(self.given + self.text, 100)}"
        )


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

    def described(self) -> str:
        """The chosen leaf's product, factor by factor, and how much of all continuations is shown."""
        leaf = self.leaves[self.chosen]
        chances = {node.path: node.probability for node in self.nodes}
        factors = " × ".join(percent(chances[leaf.path[: length + 1]]) for length in range(len(leaf.path)))
        product = f"{factors} = {percent(leaf.together)}" if len(leaf.path) > 1 else factors
        shown = min(1.0, sum(node.together for node in self.leaves))
        return (
            f"Chosen: {tail(self.texts[self.chosen], 80)} with {product}, {bits(leaf.together)}. "
            f"The {len(self.leaves)} leaves shown share {percent(shown)} of all that could be written."
        )


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

    @property
    def grown(self) -> list[list[int]]:
        """The paths that were expanded after the two that every tree begins with."""
        return [list(path) for path in self.children if path and path != (self.children[()][0][0],)]

    def tree(self, chosen: int) -> Tree:
        """Return every node with its probability and the product along its path, and one leaf chosen."""
        leaves = self.leaves()
        return Tree(self.prompt, tuple(self.nodes()), tuple(leaves), tuple(leaves.values()), chosen)
