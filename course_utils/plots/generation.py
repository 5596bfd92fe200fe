"""Pictures of writing: the tree of texts that could be written, and what a token costs as the text grows."""

from collections.abc import Sequence
from typing import Any

from matplotlib.artist import Artist
from matplotlib.figure import Figure

from course_utils.experiments.writing import ROWS, Node, Step, Tree
from course_utils.plots import picture
from course_utils.plots.bars import Bars, Rows
from course_utils.plots.panels import Panel
from course_utils.plots.static import Static
from course_utils.plots.style import BLUE, GREY, ORANGE, readable
from course_utils.wording import bits, percent


def reading_times(lengths: Sequence[int], remembered: Sequence[float], anew: Sequence[float]) -> Static:
    """Seconds for one more token against the length of the text, with and without the key-value cache.

    Args:
        lengths: tokens of the text so far.
        remembered: seconds with the cache, one per length.
        anew: seconds without it.

    >>> reading_times([10, 100], [0.02, 0.02], [0.03, 0.2]).alt
    'For one more token after 10 tokens: 20 ms with the cache, 30 without; after 100: 20 with, 200 without, 10.0 times.'
    """
    figure = picture.new_figure(8.4, 3.6)
    axes = figure.add_axes((0.09, 0.15, 0.6, 0.78), xlim=(0, 1.05 * max(lengths)))
    axes.set(xlabel="tokens of the text so far", ylabel="milliseconds for one more")
    for seconds, colour, marker, words in (
        (anew, BLUE, "o", "without the cache:\nthe whole text is read"),
        (remembered, ORANGE, "s", "with the cache:\none token is read"),
    ):
        axes.plot(lengths, [1000 * second for second in seconds], marker=marker, color=colour, linewidth=2)
        axes.annotate(
            words, (lengths[-1], 1000 * seconds[-1]), (14, 0), textcoords="offset points", va="center", color=colour
        )
    axes.set_ylim(0, 1100 * max(*anew, *remembered))
    first, last = (f"{1000 * remembered[end]:.0f}" for end in (0, -1))
    return Static(
        figure,
        f"For one more token after {lengths[0]} tokens: {first} ms with the cache, {1000 * anew[0]:.0f} without; "
        f"after {lengths[-1]}: {last} with, {1000 * anew[-1]:.0f} without, {anew[-1] / remembered[-1]:.1f} times.",
    )


def step_panels(figure: Figure) -> dict[str, Panel]:
    """On the left a bar for each likely token, on the right one for each token written."""
    left = figure.add_axes((0.17, 0.1, 0.3, 0.8), xlim=(0, 1.3))
    left.set_xticks([0, 0.5, 1], ["0", "50", "100 %"])
    right = figure.add_axes((0.66, 0.1, 0.32, 0.8))
    return {"next": Bars(left, ROWS), "written": Bars(right, ROWS, GREY, widest=4.0, ghosts=True)}


def step_contents(step: Step) -> dict[str, Rows]:
    """What `step_panels` show: probabilities of the next token, and bits of the tokens written."""
    chances = [percent(probability) for probability in step.probabilities]
    numbers, total = [f"{bits:.1f}" for bits in step.bits], sum(step.bits)
    return {
        "next": Rows(step.tokens, step.probabilities, chances, step.row, "what could come next"),
        "written": Rows(step.written, step.bits, numbers, title=f"what was written: {total:.1f} bits"),
    }


class TreePicture:
    """Each token right of the one before, its probability at the end of its edge, the products at the right.

    Args:
        figure: an empty figure; the picture fills it, and is drawn anew at each update, for trees differ in shape.
    """

    def __init__(self, figure: Figure):
        self.figure = figure

    def artists(self) -> list[Artist]:
        """Nothing moves: the whole figure is drawn."""
        return []

    def update(self, content: Tree, ghost: Tree | None = None) -> None:
        """Draw another tree; a pinned one would have other boxes and is told in the caption only."""
        figure, result = self.figure, content
        figure.clear()
        wide, depth = figure.bbox.width, max(len(node.path) for node in result.nodes)
        start, end = 84, wide - 142  # pixels: right of the prompt, left of the products
        column = (end - start) / depth
        label = max(0.2 * column, 20) + 54  # of a column: its edges and their percentages
        axes = figure.add_axes((0, 0.02, 1, 0.9), xlim=(0, wide), ylim=(len(result.leaves) - 0.4, -0.6))
        axes.set_axis_off()
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
                words = f"{percent(node.together)}, {bits(node.together)}"
                axes.text(end + 4, at, words, weight="bold" if node.path == chosen.path else "normal", **plain)
        figure.text(
            start / wide, 0.94, "token after token: the probability of each after those before", color=GREY, fontsize=10
        )
        figure.text((end + 4) / wide, 0.94, "multiplied", color=GREY)


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
