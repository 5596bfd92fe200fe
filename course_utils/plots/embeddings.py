"""Pictures of word vectors: a map of words, and small pictures of scores and of rows."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from course_utils.experiments.word_maps import NEIGHBOURS, Places, Sum, WordPlaces
from course_utils.plots import picture
from course_utils.plots.bars import Bars, Rows, percent
from course_utils.plots.lettering import Label
from course_utils.plots.panels import Panel
from course_utils.plots.static import Static
from course_utils.plots.style import BLUE, GREY, INK, ORANGE, readable

MARKS = "os^DvP*Xhd<>"  # one for each group of words; told apart without colour
COLOURS = (BLUE, "#b8860b", "#1b9e77", "#762a83", "#8c510a", "#5b7f00")
LETTER, LINE = 6.4, 12.0  # width of a letter and height of a label, in pixels


class WordMap:
    """Words as marks with labels; a label that would lie over another one is left out, its mark stays.

    A pinned state is shown as a thin line from each word's earlier place to its present one.

    Args:
        axes: where; its limits stay as they are.
        words: room for so many.

    >>> from course_utils.plots.picture import new_figure
    >>> axes = new_figure(4, 3).add_axes((0, 0, 1, 1), xlim=(-1, 1), ylim=(-1, 1))
    >>> places = np.array([[0, 0], [0, 0.01], [0.5, 0.5]])
    >>> shown = WordMap(axes, 5)
    >>> shown.update(Places(["river", "lake", "gold"], places, [0, 0, 1]))
    >>> [label.get_text() for label in shown.labels]
    ['river', '', 'gold', '', '']
    """

    def __init__(self, axes: Axes, words: int):
        self.axes = axes
        self.links = LineCollection([], colors=ORANGE, linewidths=1.2, alpha=0.7)
        self.ghost = LineCollection([], colors=GREY, linewidths=0.7)
        for lines in (self.ghost, self.links):
            axes.add_collection(lines)
        looks = [(mark, COLOURS[at % len(COLOURS)]) for at, mark in enumerate(MARKS)]
        self.marks = [axes.plot([], [], mark, color=colour, markersize=5)[0] for mark, colour in looks]
        self.marks.append(axes.plot([], [], ".", color=GREY, markersize=6)[0])
        (self.strong,) = axes.plot([], [], "o", color=ORANGE, markersize=7)
        self.labels = [Label(0, 0, "", va="center", fontsize=9, clip_on=True) for _ in range(words)]
        for label in self.labels:
            axes.add_artist(label)

    def artists(self) -> list[Artist]:
        """Return what ``update`` changes."""
        return [self.ghost, self.links, *self.marks, self.strong, *self.labels]

    def update(self, content: Places, ghost: Places | None = None) -> None:
        """Show words at other places."""
        groups = np.asarray(content.groups)
        for number, mark in enumerate(self.marks):
            mine = content.at[groups == (number if number < len(MARKS) else -1)]
            mark.set_data(mine[:, 0], mine[:, 1])
        strong = list(content.strong)
        self.strong.set_data(content.at[strong, 0], content.at[strong, 1])
        self.links.set_segments([content.at[list(pair)] for pair in content.links])
        before = dict(zip(ghost.words, ghost.at, strict=True)) if ghost else {}
        both = zip(content.words, content.at, strict=True)
        self.ghost.set_segments([np.array([before[word], at]) for word, at in both if word in before])
        self._write(content, strong)

    def _write(self, content: Places, strong: Sequence[int]) -> None:
        """Label the words, the strong ones first, wherever no label stands yet."""
        box = self.axes.get_window_extent()
        (left, right), (low, high) = self.axes.get_xlim(), self.axes.get_ylim()
        scale = np.array([box.width / (right - left), box.height / (high - low)])
        pixels = (content.at - (left, low)) * scale  # (words, 2)
        taken = np.zeros((0, 4))
        order = [*strong, *(word for word in range(len(content.words)) if word not in strong)]
        for at, label in enumerate(self.labels):
            label.set_text("")
            if at >= len(order):
                continue
            word = order[at]
            text = readable(content.words[word])
            x, y = pixels[word] + (7, 0)
            width = LETTER * len(text)
            if x + width > box.width:
                x -= width + 14
            mine = np.array([x, y - LINE / 2, x + width, y + LINE / 2])
            apart = (mine[:2] >= taken[:, 2:]).any(axis=1) | (mine[2:] <= taken[:, :2]).any(axis=1)
            if apart.all() and x >= 0 and 0 <= y <= box.height:
                taken = np.vstack([taken, mine])
                label.set_text(text)
                label.set_position((left + x / scale[0], low + y / scale[1]))
                label.set_color(ORANGE if word in strong else INK)


def map_panels(figure: Figure, shown: WordPlaces) -> dict[str, Panel]:
    """The map of words, and the list of neighbours beside it."""
    ground = figure.add_axes((0.08, 0.15, 0.575, 0.82), xlim=shown.limits, ylim=shown.limits)
    ground.set_xlabel(readable(shown.labels[0]), labelpad=1)
    ground.set_ylabel(readable(shown.labels[1]), labelpad=1)
    if not shown.labels[0].startswith("cosine"):
        ground.set(xticks=[], yticks=[])
    beside = figure.add_axes((0.8, 0.15, 0.19, 0.73), xlim=(0, 1.35), xticks=[])
    return {"map": WordMap(ground, 140), "list": Bars(beside, NEIGHBOURS, ghosts=True)}


def map_contents(shown: WordPlaces) -> dict[str, Any]:
    """The words' places, and the neighbours with their cosines."""
    words, cosines = [word for word, _ in shown.neighbours], [max(cosine, 0) for _, cosine in shown.neighbours]
    numbers = [f"{cosine:.2f}" for _, cosine in shown.neighbours]
    return {"map": shown.places, "list": Rows(words, cosines, numbers, title=f"nearest to {shown.word}")}


def sum_panels(figure: Figure) -> dict[str, Panel]:
    """The plane of a sum of words, and the list of answers beside it."""
    plane = figure.add_axes((0.03, 0.06, 0.62, 0.9), xlim=(-1.15, 1.3), ylim=(-1.2, 1.2), xticks=[], yticks=[])
    beside = figure.add_axes((0.8, 0.06, 0.19, 0.82), xticks=[])
    return {"plane": WordMap(plane, 14), "list": Bars(beside, NEIGHBOURS, widest=0.1)}


def sum_contents(added: Sum) -> dict[str, Any]:
    """The words' places, and the answers with their numbers."""
    numbers = [f"{value:.2f}" for _, value in added.best]
    lengths = [max(value, 0.0) for _, value in added.best]
    title = "distance (small: near)" if added.measure == "distance" else added.measure
    return {"plane": added.places, "list": Rows([word for word, _ in added.best], lengths, numbers, title=title)}


def score_bars(words: Sequence[str], columns: Sequence[tuple[str, ArrayLike, ArrayLike]], alt: str) -> Static:
    """Scores and the probabilities that softmax makes of them, side by side.

    Args:
        words: a name for each row.
        columns: title, scores ``(words,)`` and probabilities ``(words,)`` of each column.
        alt: what the picture shows, in a sentence.

    >>> score_bars(["a", "b"], [("once", [1, 2], [0.3, 0.7])], "Two scores.")
    Picture
    """
    figure = picture.new_figure(8.4, 0.6 + 0.27 * len(words))
    room = 0.9 / len(columns)
    for at, (title, scores, chances) in enumerate(columns):
        axes = figure.add_axes((0.09 + at * room, 0.03, room * 0.86, 0.84), xlim=(0, 1.35), xticks=[])
        axes.set_title(title, loc="left", fontsize=11)
        axes.set_ylim(len(words) - 0.4, -0.6)
        axes.set_yticks(range(len(words)), words if at == 0 else [""] * len(words))
        axes.tick_params(axis="y", length=0)
        axes.barh(range(len(words)), np.asarray(chances), 0.7, color=BLUE)
        for row, (score, chance) in enumerate(zip(np.asarray(scores), np.asarray(chances), strict=True)):
            axes.text(
                float(chance) + 0.02, row, f"{percent(float(chance))}  (score {score:g})", va="center", fontsize=9
            )
    return Static(figure, alt)
