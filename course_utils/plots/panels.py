"""Panels: parts of a picture that are built once, and given new content in place whenever a control moves.

A panel owns its artists. ``update(content, ghost)`` shows the content, and draws the content of a pinned state as a
ghost beside it; ``ghost=None`` removes the ghost. Most panels stand on axes that the caller makes, so that labels,
limits and ticks are said in matplotlib's own words, and two panels can share their axes:

>>> from course_utils.plots.picture import new_figure
>>> axes = new_figure(4, 2).add_axes((0.1, 0.2, 0.8, 0.7), xlim=(0, 2), ylim=(0, 4), xlabel="x")
>>> curves = Curves(axes, {"square": {"color": BLUE}, "here": {"marker": "o"}}, ghosts=["square"])
>>> curves.update({"square": ([0, 1, 2], [0, 1, 4]), "here": ([1], [1])}, ghost={"square": ([0, 2], [0, 2])})
>>> curves.lines["square"].get_ydata(), curves.ghosts["square"].get_ydata()
([0, 1, 4], [0, 2])

Rows of bars are in `plots.bars`, graphs of a calculation in `plots.graphs`.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.text import Text
from numpy.typing import ArrayLike, NDArray

from course_utils.plots.lettering import Label
from course_utils.plots.style import BLUE, GREY, INK, ORANGE, readable

MOST_SPLIT = 1024  # cells of a heatmap; with more, the triangles of a ghost could not be told apart
Line = tuple[ArrayLike, ArrayLike]  # x and y, ``(points,)`` each


class Panel(Protocol):
    """A part of a picture that is updated in place."""

    def artists(self) -> list[Artist]:
        """Return what ``update`` changes at every move, to be drawn over what stays."""

    def update(self, content: Any, ghost: Any = None) -> None:
        """Show the content, and that of the pinned state as a ghost."""


class Curves:
    """Lines and marks by name.

    Args:
        axes: where; its limits stay as they are.
        looks: name to what ``axes.plot`` takes, such as ``color``, ``marker``, ``linestyle``; drawn in this order.
        ghosts: names of which a pinned state is shown, dashed and grey.
        legend: what ``axes.legend`` takes; it holds every line with a ``label``, and "pinned" while there is a ghost.
    """

    def __init__(
        self,
        axes: Axes,
        looks: Mapping[str, Mapping[str, Any]],
        ghosts: Sequence[str] = (),
        legend: Mapping[str, Any] | None = None,
    ):
        self.axes, self.legend, self.pinned = axes, legend, False
        ghost: dict[str, Any] = {"linestyle": "--", "color": GREY, "linewidth": 2, "zorder": 1.9}
        self.ghosts = {name: axes.plot([], [], **ghost)[0] for name in ghosts}
        self.lines = {name: axes.plot([], [], **look)[0] for name, look in looks.items()}
        self._write_legend()

    def artists(self) -> list[Artist]:
        """Return what ``update`` changes."""
        return [*self.ghosts.values(), *self.lines.values()]

    def update(self, content: Mapping[str, Line], ghost: Mapping[str, Line] | None = None) -> None:
        """Show lines ``name: (x, y)``; a name that is left out shows nothing."""
        for lines, shown in ((self.lines, content), (self.ghosts, ghost or {})):
            for name, line in lines.items():
                line.set_data(*shown.get(name, ([], [])))
        if bool(ghost) != self.pinned:
            self.pinned = bool(ghost)
            self._write_legend()

    def _write_legend(self) -> None:
        if self.legend is not None:
            named = [line for line in self.lines.values() if not str(line.get_label()).startswith("_")]
            words = [str(line.get_label()) for line in named]
            if self.pinned and self.ghosts:
                named, words = [*named, next(iter(self.ghosts.values()))], [*words, "pinned"]
            self.axes.legend(named, words, **self.legend)


class Words:
    """One line of text that changes.

    >>> from course_utils.plots.picture import new_figure
    >>> words = Words(new_figure(4, 2).text(0.5, 0.5, ""))
    >>> words.update("y = 3")
    """

    def __init__(self, text: Text):
        self.text = text

    def artists(self) -> list[Artist]:
        """Return the text."""
        return [self.text]

    def update(self, content: str, ghost: str | None = None) -> None:
        """Show other words; a ghost of words would only be in the way."""
        self.text.set_text(readable(content))


class Heatmap:
    """Numbers as coloured cells, the first row on top; a pinned state fills the lower right half of each cell.

    Args:
        axes: where.
        limits: the numbers that get the first and the last colour.
        looks: what ``axes.imshow`` takes, such as ``cmap`` and ``extent``.
        numbers: how to write each number into its cell, such as ``"{:.2f}"``; nothing by default.
    """

    def __init__(self, axes: Axes, limits: tuple[float, float], numbers: str = "", **looks: Any):
        self.axes, self.numbers = axes, numbers
        self.extent = looks.get("extent")
        self.image = axes.imshow(np.zeros((1, 1)), vmin=limits[0], vmax=limits[1], **{"aspect": "auto", **looks})
        self.ghost = PolyCollection([], edgecolor="white", linewidth=0.8)
        axes.add_collection(self.ghost)
        self.labels: list[Label] = []
        self._names: tuple[list[str], list[str]] = ([], [])

    def artists(self) -> list[Artist]:
        """Return what ``update`` changes."""
        return [self.image, self.ghost, *self.labels]

    def update(
        self,
        content: NDArray | tuple[NDArray, Sequence[str], Sequence[str]],
        ghost: NDArray | tuple[NDArray, Sequence[str], Sequence[str]] | None = None,
    ) -> None:
        """Show ``(rows, columns)`` numbers, or a triple of these with the names of the rows and of the columns."""
        values, *names = content if isinstance(content, tuple) else (content,)
        rows, columns = values.shape
        self.image.set_data(values)
        extent = (-0.5, columns - 0.5, rows - 0.5, -0.5)  # cells stand at whole numbers
        if self.extent is None and tuple(self.image.get_extent()) != extent:  # else the whole figure is drawn anew
            self.image.set_extent(extent)
        if names:
            self._name(*([readable(name) for name in each] for each in names))
        self._show_ghost(values, ghost[0] if isinstance(ghost, tuple) else ghost)
        if self.numbers:
            self._write(values)

    def _name(self, rows: list[str], columns: list[str]) -> None:
        if (rows, columns) != self._names:  # other names have the whole figure drawn anew
            self._names = (rows, columns)
            self.axes.set_yticks(range(len(rows)), rows)
            self.axes.set_xticks(
                range(len(columns)), columns, rotation=60 if len(columns) > 6 and max(map(len, columns)) > 2 else 0
            )

    def _show_ghost(self, values: NDArray, ghost: NDArray | None) -> None:
        fits = ghost is not None and ghost.shape == values.shape and ghost.size <= MOST_SPLIT
        shown = ghost if ghost is not None and fits else np.zeros((0, 0))
        left, right, bottom, top = self.image.get_extent()
        across = np.linspace(left, right, values.shape[1] + 1)
        down = np.linspace(top, bottom, values.shape[0] + 1)
        self.ghost.set_verts(
            [
                [(across[j], down[i + 1]), (across[j + 1], down[i + 1]), (across[j + 1], down[i])]
                for i in range(shown.shape[0])
                for j in range(shown.shape[1])
            ]
        )
        self.ghost.set_facecolor(list(self.image.to_rgba(shown.ravel())))

    def _write(self, values: NDArray) -> None:
        left, right, bottom, top = self.image.get_extent()
        rows, columns = values.shape
        while len(self.labels) < values.size:
            label = Label(0, 0, "", ha="center", va="center", fontsize=9, zorder=3)
            self.labels.append(label)
            self.axes.add_artist(label)
        dark = self.image.to_rgba(values.ravel())[:, :3] @ (0.3, 0.59, 0.11) < 0.5
        for at, label in enumerate(self.labels):
            label.set_text("")
            if at < values.size:
                i, j = divmod(at, columns)
                label.set_position(
                    (left + (j + 0.5) / columns * (right - left), top + (i + 0.5) / rows * (bottom - top))
                )
                label.set(text=self.numbers.format(values[i, j]), color="white" if dark[at] else INK)


class Histogram:
    """The share of values that falls between each two edges; a pinned state is an outline.

    Args:
        axes: where; its x limits become the outermost edges.
        edges: ``(bins + 1,)``, rising; values outside count in the outermost bins.
        colour: of the bars.

    >>> from course_utils.plots.picture import new_figure
    >>> histogram = Histogram(new_figure(4, 2).add_axes((0.1, 0.2, 0.8, 0.7)), [0, 1, 2])
    >>> histogram.update([0.5, 0.5, 1.5, 9.0])
    >>> histogram.shares.tolist()
    [0.5, 0.5]
    """

    def __init__(self, axes: Axes, edges: ArrayLike, colour: str = BLUE):
        self.axes, self.edges = axes, np.asarray(edges, dtype=float)
        self.shares = np.zeros(len(self.edges) - 1)
        axes.set_xlim(self.edges[0], self.edges[-1])
        self.bars = PolyCollection([], facecolor=colour, edgecolor="white", linewidth=0.5)
        axes.add_collection(self.bars)
        (self.ghost,) = axes.plot([], [], color=INK, linewidth=1.5)

    def artists(self) -> list[Artist]:
        """Return what ``update`` changes."""
        return [self.bars, self.ghost]

    def update(self, content: ArrayLike, ghost: ArrayLike | None = None) -> None:
        """Show other values, ``(values,)``; those that are no numbers count nowhere."""
        self.shares = self._shares(content)
        earlier = np.zeros(0) if ghost is None else self._shares(ghost)
        sides = zip(self.edges, self.edges[1:], self.shares, strict=False)
        self.bars.set_verts([[(left, 0), (left, share), (right, share), (right, 0)] for left, right, share in sides])
        if len(earlier):
            self.ghost.set_data(np.repeat(self.edges, 2), np.concatenate([[0], np.repeat(earlier, 2), [0]]))
        else:
            self.ghost.set_data([], [])
        highest = max(0.001, *self.shares, *earlier)
        top = next(limit for limit in (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0) if highest <= limit)  # grows by leaps
        if self.axes.get_ylim() != (0, 1.05 * top):
            self.axes.set_ylim(0, 1.05 * top)

    def _shares(self, values: ArrayLike) -> NDArray:
        numbers = np.asarray(values, dtype=float).ravel()
        numbers = numbers[np.isfinite(numbers)].clip(self.edges[0], self.edges[-1])
        return np.histogram(numbers, self.edges)[0] / max(1, len(numbers))


class Images:
    """A row of small images of one size, each over its label; a marked label is orange and crossed.

    Args:
        axes: where; they are switched off.
        count: places for images.
        shape: height and width of an image, in pixels.

    >>> from course_utils.plots.picture import new_figure
    >>> images = Images(new_figure(4, 2).add_axes((0, 0, 1, 1)), 3, (8, 8))
    >>> images.update((np.ones((2, 8, 8)), ["1", "7"], [False, True]))
    >>> [label.get_text() for label in images.labels]
    ['1', '7 ✗', '']
    """

    GAP = 2  # pixels between two images

    def __init__(self, axes: Axes, count: int, shape: tuple[int, int]):
        self.count, (self.height, self.width) = count, shape
        pitch = self.width + self.GAP
        axes.axis("off")
        axes.set(xlim=(-self.GAP, count * pitch), ylim=(self.height + 3.5, -1))
        self.image = axes.imshow(
            np.zeros((self.height, count * pitch)), cmap="Greys", vmin=-0.08, vmax=1,
            extent=(0, count * pitch, self.height, 0), aspect="equal", interpolation="nearest",
        )  # fmt: skip
        self.labels = [
            axes.text(at * pitch + self.width / 2, self.height + 1, "", ha="center", va="top", fontsize=11)
            for at in range(count)
        ]

    def artists(self) -> list[Artist]:
        """Return what ``update`` changes."""
        return [self.image, *self.labels]

    def update(self, content: tuple[NDArray, Sequence[str], Sequence[bool]], ghost: Any = None) -> None:
        """Show other images ``(images, height, width)`` from 0 to 1, their labels, and which labels are marked."""
        images, labels, marked = content
        pitch = self.width + self.GAP
        strip = np.full((self.height, self.count * pitch), np.nan)
        for at, image in enumerate(images[: self.count]):
            strip[:, at * pitch : at * pitch + self.width] = image
        self.image.set_data(strip)
        for at, text in enumerate(self.labels):
            here = at < len(labels)
            wrong = here and marked[at]
            text.set_text(f"{readable(labels[at])} ✗" if wrong else readable(labels[at]) if here else "")
            text.set_color(ORANGE if wrong else INK)
