"""Panels of bars in rows: what is likely, and what a knob makes of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from numpy.typing import ArrayLike

from course_utils.plots.lettering import Label
from course_utils.plots.style import BLUE, GREY, INK, ORANGE, readable
from course_utils.wording import percent

ROOM = 0.34  # of the bars' full width: for the numbers behind a bar


def _bar(at: float, length: float) -> list[tuple[float, float]]:
    return [(0, at - 0.18), (length, at - 0.18), (length, at + 0.18), (0, at + 0.18)]


@dataclass(frozen=True, eq=False)
class PairedRows:
    """What `PairedBars` shows, one entry per row."""

    labels: Sequence[str]  # any texts
    before: ArrayLike  # probabilities
    after: ArrayLike  # probabilities
    kept: Sequence[bool]  # whether the row can still be drawn
    counts: Sequence[int] = ()  # draws; none if empty
    keys: Sequence[Any] = ()  # what tells whether a pinned row is this one; the labels if empty


class PairedBars:
    """Rows of two bars each, before and after, with numbers; what was cut is hatched; dots count draws.

    Args:
        figure: where to draw.
        rows: how many.
        place: left, bottom, width, height in parts of the figure; row names and the numbers before stand left of it.
        names: what the two bars are, and what a hatched bar is, if there can be one.
        dots: the most dots in a row; 0 leaves no room for them.
    """

    def __init__(
        self,
        figure: Figure,
        rows: int,
        place: tuple[float, float, float, float],
        names: tuple[str, ...] = ("the model", "after the knobs", "cut away"),
        dots: int = 20,
    ):
        left, bottom, width, height = place
        share = width * (0.74 if dots else 1.0)
        self.names, self.pinned = names, False
        self.axes = figure.add_axes((left, bottom, share, height), xlim=(0, 1 + ROOM), ylim=(rows - 0.5, -0.5))
        self.axes.set_xticks(np.linspace(0, 1, 5), ["0", "25", "50", "75", "100 %"])
        self.axes.tick_params(axis="y", length=0, pad=54)
        # One collection for all bars of a kind: drawn in a fifth of the time that as many rectangles take.
        self.before = PolyCollection([], color=BLUE)
        self.after = PolyCollection([], color=ORANGE)
        self.cut = PolyCollection([], facecolor="white", edgecolor=GREY, hatch="////")
        for bars in (self.before, self.after, self.cut):
            self.axes.add_collection(bars)
        (self.ghost,) = self.axes.plot([], [], "|", color=INK, markersize=9, markeredgewidth=2)
        # matplotlib's text costs the most time of all; the numbers before stand in the kept background.
        left_of: Any = self.axes.get_yaxis_transform()
        beside: dict[str, Any] = {"transform": left_of, "va": "center", "ha": "right", "fontsize": 10}
        self.earlier = [self.axes.text(-0.012, float(at), "", color=BLUE, **beside) for at in range(rows)]
        self.numbers = [Label(0, at + 0.27, "", va="center", fontsize=10) for at in range(rows)]
        for number in self.numbers:
            self.axes.add_artist(number)
        self._write_legend()
        self._labels: list[str] = []
        self.drawn: Line2D | None = None
        if dots:
            right = figure.add_axes((left + share, bottom, width - share, height), xlim=(0, dots + 1))
            right.set(ylim=self.axes.get_ylim(), xticks=[1, dots // 2, dots], yticks=[])
            right.set_title("draws", fontsize=10, loc="right")
            right.spines["left"].set_visible(False)
            (self.drawn,) = right.plot([], [], "o", color=INK, markersize=4)

    def _write_legend(self) -> None:
        handles: list[Artist] = [Patch(color=BLUE, label=self.names[0]), Patch(color=ORANGE, label=self.names[1])]
        for name in self.names[2:]:
            handles.append(Patch(facecolor="white", edgecolor=GREY, hatch="////", label=name))
        if self.pinned:
            handles.append(
                Line2D([], [], color=INK, marker="|", markersize=9, markeredgewidth=2, linewidth=0, label="pinned")
            )
        self.axes.legend(
            handles=handles, ncols=4, columnspacing=0.9, handlelength=1.2, handletextpad=0.4, fontsize=10,
            loc="lower left", bbox_to_anchor=(0, 1), borderaxespad=0.2,
        )  # fmt: skip

    def artists(self) -> list[Artist]:
        """Return what ``update`` changes."""
        return [self.before, self.after, self.cut, self.ghost, *self.numbers, *([self.drawn] if self.drawn else [])]

    def update(self, content: PairedRows, ghost: PairedRows | None = None) -> None:
        """Show new probabilities; a mark stands where the second bar of the same row ended in the pinned state."""
        shown = [readable(label) for label in content.labels]
        if shown != self._labels:  # asking the axes for their labels would have everything drawn anew
            self._labels = shown
            self.axes.set_yticks(range(len(shown)), shown)
        before, after = np.asarray(content.before).tolist(), np.asarray(content.after).tolist()
        rows = list(zip(before, after, content.kept, strict=True))
        self.before.set_verts([_bar(row - 0.2, old) for row, (old, _, stays) in enumerate(rows) if stays])
        self.cut.set_verts([_bar(row - 0.2, old) for row, (old, _, stays) in enumerate(rows) if not stays])
        self.after.set_verts([_bar(row + 0.2, new) for row, (_, new, _) in enumerate(rows)])
        for earlier, number, (old, new, stays) in zip(self.earlier, self.numbers, rows, strict=True):
            earlier.set_text(percent(old))
            number.set_text(percent(new) if stays else "cut")
            number.set(x=new + 0.02, color=INK if stays else GREY)
        if self.drawn:
            places = [(dot + 1, row) for row, count in enumerate(content.counts) for dot in range(count)]
            self.drawn.set_data([x for x, _ in places], [y for _, y in places])
        self._show_ghost(content, ghost)

    def _show_ghost(self, content: PairedRows, ghost: PairedRows | None) -> None:
        pinned = {}
        if ghost is not None:
            pinned = dict(zip(ghost.keys or ghost.labels, np.asarray(ghost.after).tolist(), strict=True))
        same = [(pinned[key], row + 0.2) for row, key in enumerate(content.keys or content.labels) if key in pinned]
        self.ghost.set_data([value for value, _ in same], [row for _, row in same])
        if (ghost is not None) != self.pinned:
            self.pinned = ghost is not None
            self._write_legend()


@dataclass(frozen=True)
class Rows:
    """What `Bars` shows, one entry per row; with more entries than rows, the last ones are shown."""

    labels: Sequence[str]
    lengths: Sequence[float]
    numbers: Sequence[str]  # written at the ends of the bars
    chosen: int | None = None  # the row in another colour
    title: str = ""


class Bars:
    """Rows of one bar each, with its number.

    Args:
        axes: where; the lengths run along x.
        rows: how many.
        colour: of the bars.
        widest: the least length that the axis has room for, if it should grow with the bars; else its limits stay.
        ghosts: whether a pinned state's lengths are marked, row by row.

    >>> from course_utils.plots.picture import new_figure
    >>> bars = Bars(new_figure(4, 2).add_axes((0.3, 0.1, 0.6, 0.8)), 3)
    >>> bars.update(Rows(["a", "b"], [0.5, 0.25], ["50 %", "25 %"], chosen=0))
    >>> [bar.get_width() for bar in bars.bars]
    [0.5, 0.25, 0.0]
    """

    def __init__(self, axes: Axes, rows: int, colour: str = BLUE, widest: float | None = None, ghosts: bool = False):
        self.axes, self.rows, self.colour, self.widest, self.ghosts = axes, rows, colour, widest, ghosts
        axes.set_ylim(rows - 0.4, -0.6)
        axes.tick_params(axis="y", length=0)
        self.bars = list(axes.barh(range(rows), [0.0] * rows, 0.7, color=colour))
        self.numbers = [Label(0, at, "", va="center") for at in range(rows)]
        for number in self.numbers:
            axes.add_artist(number)
        (self.ghost,) = axes.plot([], [], "|", color=ORANGE, markersize=12, markeredgewidth=2)
        self._written: tuple[list[str], str] = ([], "")

    def artists(self) -> list[Artist]:
        """Return what ``update`` changes."""
        return [*self.bars, *self.numbers, self.ghost]

    def update(self, content: Rows, ghost: Rows | None = None) -> None:
        """Show other lengths."""
        first = max(0, len(content.lengths) - self.rows)
        lengths, numbers = list(content.lengths)[first:], content.numbers[first:]
        pinned = list(ghost.lengths)[first : first + self.rows] if ghost and self.ghosts else []
        self.ghost.set_data(pinned, range(len(pinned)))
        written = [readable(label) for label in content.labels[first:]], content.title
        if written != self._written:  # other words have the whole figure drawn anew
            self._written = written
            self.axes.set_yticks(range(len(lengths)), written[0])
            self.axes.set_title(content.title, loc="left")
        if self.widest is not None:
            limit = 1.3 * max([self.widest, *lengths, *pinned])
            if self.axes.get_xlim()[1] != limit:
                self.axes.set_xlim(0, limit)
        apart = self.axes.get_xlim()[1] / 65
        for at, (bar, number) in enumerate(zip(self.bars, self.numbers, strict=True)):
            length = lengths[at] if at < len(lengths) else 0.0
            bar.set_width(length)
            if content.chosen is not None:  # outlined too, so that the shortest bar still has a colour
                bar.set_color(ORANGE if at == content.chosen else self.colour)
            number.set(x=length + apart, text=numbers[at] if at < len(lengths) else "")
