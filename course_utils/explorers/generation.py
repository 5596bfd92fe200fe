"""Explorers of writing: a text grown token by token, and the tree of texts that could have been written instead."""

from collections.abc import Sequence
from typing import Any

from matplotlib.figure import Figure

from course_utils.experiments.next_token import few_enough
from course_utils.experiments.writing import LEAVES, ROWS, Growing, Step, Tree, Writing
from course_utils.explorers.base import Button, Choice, FigureExplorer, Slider, Stop, Text, tag
from course_utils.models.transformer import Transformer
from course_utils.plots.bars import Rows
from course_utils.plots.generation import TreePicture, step_contents, step_panels
from course_utils.plots.panels import Panel
from course_utils.sampling import Reader, prompt_ids
from course_utils.tokenizers import BPETokenizer
from course_utils.wording import percent, visible

TOUR: tuple[Stop, ...] = (
    ({"prompt": "To be or not to", "row": 1}, lambda now: f"The first row is the likeliest token. {now.adds}."),
    ({"prompt": "To be or not to", "row": 2}, lambda now: f"The second row is less likely. {now.adds}."),
    ({"prompt": "My favourite animal is the", "row": 1}, lambda now: f"Another text. {now.adds}; {now.shared}."),
    ({"prompt": "My favourite animal is the", "row": 10}, lambda now: f"The last row shown. {now.adds}."),
    (
        {"prompt": "My favourite animal is the cat", "row": 1},
        lambda now: f"One token more in the text. {now.adds}.",
    ),
)


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
    take = Button("Take this token", lambda self: self.writing.write(self.result.ids[self.result.row]))
    let_model = Button("Let the model choose", lambda self: self.writing.write_drawn())
    back = Button("Back one step", lambda self: self.writing.back())
    tour = TOUR

    def __init__(self, model: Transformer, tokenizer: BPETokenizer, **start: Any):
        self.model, self.tokenizer, self.reader = model, tokenizer, Reader(model)
        super().__init__(**start)

    def restart(self) -> None:
        """Nothing written, nothing drawn."""
        self.forget()

    def write(self, tokens: Sequence[int]) -> "StepSampler":
        """Write these tokens, as the copied line does; returns the explorer."""
        with self.lock:
            for token in tokens:
                self.writing.write(token)
            self.refresh()
        return self

    def as_python(self) -> str:
        """Return the line of Python that makes an explorer in this state, with the tokens written."""
        return super().as_python() + (f".write({self.writing.written})" if self.writing.written else "")

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
        return prepared.step(row - 1)

    def make_panels(self, figure: Figure, result: Step) -> dict[str, Panel]:
        """On the left a bar for each likely token, on the right one for each token written."""
        return step_panels(figure)

    def contents(self, result: Step) -> dict[str, Rows]:
        """Probabilities of the next token, and bits of the tokens written."""
        return step_contents(result)

    def details(self, result: Step) -> str:
        """Show the whole text, what was written in bold."""
        return tag("div", result.given, tag("b", result.text), style="white-space:pre-wrap")


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
        if not self.growing.grown:
            return super().as_python()
        chosen = f", leaf={self.leaf}" if self.leaf != 1 else ""
        return f"{self.python_without('leaf')}.expand({self.growing.grown}{chosen})"

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
        self.growing = prepared
        return prepared.tree(leaf - 1)

    def make_panels(self, figure: Figure, result: Tree) -> dict[str, Panel]:
        """Each token right of the one before, its probability at the end of its edge, the products at the right."""
        return {"tree": TreePicture(figure)}

    def contents(self, result: Tree) -> dict[str, Tree]:
        """The tree."""
        return {"tree": result}
