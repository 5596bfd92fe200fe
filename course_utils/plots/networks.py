"""Networks as pictures: what each neuron answers over the plane or to an image, filters, galleries of small images."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backend_bases import RendererBase
from matplotlib.collections import LineCollection
from matplotlib.colors import LinearSegmentedColormap, to_rgb
from matplotlib.figure import Figure

from course_utils.plots.bars import percent
from course_utils.plots.lettering import Label
from course_utils.plots.picture import new_figure
from course_utils.plots.style import BLUE, GREY, INK, ORANGE, readable

SIGNS = LinearSegmentedColormap.from_list("signs", [ORANGE, "white", BLUE])  # negative, zero, positive
GREEN, PURPLE = "#1b9e77", "#762a83"
CLASS_COLOURS = (ORANGE, BLUE, GREEN, PURPLE)
CLASS_MARKERS = ("o", "s", "^", "D")  # a class is never told by its colour alone


def tint(values: np.ndarray, largest: float = 1.0) -> np.ndarray:
    """Colours of numbers: orange below zero, white at zero, blue above; beyond ``largest`` they stay as they are.

    Args:
        values: ``(...)``.
        largest: what gets the full colour, above 0.

    Returns:
        ``(..., 4)`` bytes.

    >>> tint(np.array([-1.0, 1.0]))[:, :3].tolist()
    [[217, 95, 2], [33, 102, 172]]
    """
    return SIGNS(0.5 + 0.5 * np.clip(values / largest, -1, 1), bytes=True)


def mixture(shares: np.ndarray) -> np.ndarray:
    """Colours of class probabilities: pale where the network is unsure, stronger where it is sure.

    Args:
        shares: ``(classes, height, width)``, each place summing to 1.

    Returns:
        ``(height, width, 4)`` bytes.

    >>> mixture(np.full((2, 1, 1), 0.5)).tolist()
    [[[255, 255, 255, 255]]]
    """
    colours = np.array([to_rgb(colour) for colour in CLASS_COLOURS[: len(shares)]])
    best = shares.argmax(0)
    sure = (shares.max(0) * len(shares) - 1) / max(1, len(shares) - 1)  # 0 if all are equal, 1 if one has everything
    sure = 0.75 * sure[..., None]
    rgb = np.round(255 * (1 - sure + sure * colours[best])).astype(np.uint8)
    return np.concatenate([rgb, np.full_like(rgb[..., :1], 255)], axis=-1)


def pale(shares: np.ndarray, colour: str) -> np.ndarray:
    """Colours from white, for 0, to ``colour``, for 1: ``(...)`` -> ``(..., 4)`` bytes."""
    rgb = 255 * (1 - shares[..., None] * (1 - np.array(to_rgb(colour))))
    return np.concatenate([rgb, np.full_like(rgb[..., :1], 255)], axis=-1).round().astype(np.uint8)


class Sheet(Artist):
    """A sheet of pixels laid over a figure, for many small images: one artist, many times faster than as many axes.

    Places are in pixels of the figure, from its lower left corner.
    """

    def __init__(self, figure: Figure):
        super().__init__()
        width, height = (round(side) for side in figure.bbox.size)
        self.pixels = np.zeros((height, width, 4), np.uint8)  # the first row at the bottom; transparent where empty
        self.set_zorder(3)
        figure.add_artist(self)

    def draw(self, renderer: RendererBase) -> None:
        """Lay the pixels as they are, without the resampling that matplotlib's own images do."""
        renderer.draw_image(renderer.new_gc(), 0, 0, self.pixels)

    def paste(
        self,
        tile: np.ndarray,
        left: int,
        bottom: int,
        size: int | tuple[int, int],
        frame: str = GREY,
        border: int = 1,
    ) -> None:
        """Put colours ``(rows, columns, 4)``, first row on top, at a place; keeps 3 pixels around for its frame.

        Args:
            tile: the colours.
            left: pixels from the left.
            bottom: pixels from below.
            size: its height and width in pixels, or one number for both.
            frame: the colour of its frame.
            border: the frame's width, at most 3.
        """
        height, width = (size, size) if isinstance(size, int) else size
        down = (np.arange(height)[::-1] + 0.5) * tile.shape[0] / height  # the sheet's first row is at the bottom
        across = (np.arange(width) + 0.5) * tile.shape[1] / width
        around = self.pixels[bottom - 3 : bottom + height + 3, left - 3 : left + width + 3]
        around[:] = 0
        around = around[3 - border : height + 3 + border, 3 - border : width + 3 + border]
        around[:] = [*(round(255 * part) for part in to_rgb(frame)), 255]
        tile = tile[down.astype(int)[:, None], across.astype(int)]
        self.pixels[bottom : bottom + height, left : left + width] = tile


# ---- Panels. They share one sheet of pixels; places are in pixels of the figure, from its lower left corner. ----


@dataclass(frozen=True)
class NetworkState:
    """What `NetworkPicture` shows."""

    weights: Sequence[np.ndarray]  # of each layer, (neurons, inputs)
    maps: Sequence[np.ndarray]  # of the features and of each layer, (neurons, height, width), the first row on top
    shares: np.ndarray  # (outputs, height, width) probabilities, shown for the last layer
    bounded: bool  # hidden answers lie between -1 and 1, so that all maps have one scale
    chosen: tuple[int, int] | None  # layer and neuron whose weights are written on its lines


class NetworkPicture:
    """Neurons in columns, each a small map of its answers, and a line for every weight.

    A line is blue and whole for a positive weight, orange and dashed for a negative one, and wider for a larger one.

    Args:
        figure: where lines and words are drawn.
        sheet: where the maps are pasted.
        features: names of what the network is given.
        outputs: names of its answers.
        widths: neurons in each column, features and outputs included.
        box: left and right of the columns' middles, bottom and top of their neurons: left, bottom, right, top.
    """

    NODE = 30  # the side of a map

    def __init__(
        self,
        figure: Figure,
        sheet: Sheet,
        features: Sequence[str],
        outputs: Sequence[str],
        widths: Sequence[int],
        box: tuple[int, int, int, int],
    ):
        self.sheet, half = sheet, self.NODE // 2
        left, bottom, right, top = box
        words = ["features", *(f"layer {number}" for number in range(1, len(widths) - 1)), "answers"]
        self.places: list[list[tuple[int, int]]] = []  # of each column, the middles of its neurons
        for column, size, word in zip(np.linspace(left, right, len(widths)).astype(int), widths, words, strict=True):
            apart = min(44, (top - bottom) // size)
            middle = (top + bottom) // 2
            self.places.append([(int(column), middle + (size - 1 - 2 * at) * apart // 2) for at in range(size)])
            figure.text(*_share(figure, column, top + 6), word, ha="center", va="bottom", fontsize=10)
        for name, (x, y) in zip(features, self.places[0], strict=True):
            figure.text(*_share(figure, x - half - 5, y), name, ha="right", va="center", fontsize=11)
        for name, colour, (x, y) in zip(outputs, CLASS_COLOURS, self.places[-1], strict=False):
            figure.text(*_share(figure, x + half + 5, y), name, va="center", color=colour, weight="bold")
        axes = whole_figure(figure)
        segments = [
            [(start[0] + half, start[1]), (end[0] - half, end[1])]
            for before, after in zip(self.places, self.places[1:], strict=False)
            for end in after
            for start in before
        ]
        self.lines = axes.add_collection(LineCollection(segments, zorder=1, capstyle="butt"))
        paper = {"facecolor": "white", "edgecolor": "none", "pad": 0.8, "alpha": 0.85}
        look: dict[str, Any] = {"fontsize": 10, "va": "center", "ha": "center", "zorder": 6, "bbox": paper}
        self.numbers = [axes.text(0, 0, "", **look) for _ in range(max(widths))]

    def artists(self) -> list[Artist]:
        """Return what ``update`` changes."""
        return [self.lines, self.sheet, *self.numbers]

    def neuron_at(self, across: float, up: float) -> tuple[int, int] | None:
        """Return the layer and the neuron whose map is at this place; features are no neurons."""
        for layer, column in enumerate(self.places[1:], start=1):
            for index, (x, y) in enumerate(column):
                if max(abs(across - x), abs(up - y)) <= self.NODE / 2:
                    return layer, index
        return None

    def update(self, content: NetworkState, ghost: Any = None) -> None:
        """Show other weights and answers; a ghost of so many maps would only be in the way."""
        every = np.concatenate([weights.ravel() for weights in content.weights])
        self.lines.set_linewidth(np.clip(0.3 + 1.5 * np.abs(every), 0.3, 7))
        self.lines.set_color([BLUE if weight > 0 else ORANGE for weight in every])
        self.lines.set_linestyle(["-" if weight > 0 else (0, (3, 1.2)) for weight in every])
        for layer, (column, maps) in enumerate(zip(self.places, content.maps, strict=True)):
            for index, (x, y) in enumerate(column):
                tile = self._tile(content, layer, index, maps[index])
                chosen = content.chosen == (layer, index)
                frame, border = (INK, 3) if chosen else (GREY, 1)
                self.sheet.paste(tile, x - self.NODE // 2, y - self.NODE // 2, self.NODE, frame, border)
        for text in self.numbers:
            text.set_text("")
        if content.chosen:
            layer, index = content.chosen
            right, height = self.places[layer][index]
            weights = content.weights[layer - 1][index]
            for text, weight, (x, y) in zip(self.numbers, weights, self.places[layer - 1], strict=False):
                text.set_position((x + (right - x) * 0.42, y + (height - y) * 0.42))
                text.set_text(f"{weight:.3g}".replace("-", "−"))

    def _tile(self, content: NetworkState, layer: int, index: int, answers: np.ndarray) -> np.ndarray:
        if layer == len(content.maps) - 1:
            return pale(content.shares[index], CLASS_COLOURS[index])
        bounded = layer > 0 and content.bounded
        return tint(answers, 1.0 if bounded else max(1e-9, float(np.abs(answers).max())))


@dataclass(frozen=True)
class ClassMapState:
    """What `ClassMap` shows."""

    shares: np.ndarray  # (classes, height, width) probabilities, the first row on top
    points: np.ndarray  # (points, 2)
    labels: np.ndarray  # (points,)
    held_out_points: np.ndarray  # (others, 2)
    held_out_labels: np.ndarray  # (others,)


class ClassMap:
    """The plane in the colours of the classes that a network answers, with points; hollow ones are held out.

    A pinned state is the dashed border between its classes.

    Args:
        figure: where axes are made.
        sheet: where the colours are pasted.
        box: left and bottom corner, and the side.
        edge: both coordinates run from ``-edge`` to ``edge``.
    """

    def __init__(self, figure: Figure, sheet: Sheet, box: tuple[int, int, int], edge: float):
        self.sheet, self.box, self.edge = sheet, box, edge
        left, bottom, side = box
        place = (*_share(figure, left, bottom), *_share(figure, side, side))
        self.axes = figure.add_axes(place, xlim=(-edge, edge), ylim=(-edge, edge), facecolor="none", zorder=2)
        self.axes.spines[:].set_visible(False)
        self.axes.tick_params(length=2, labelsize=10, pad=1)
        look: dict[str, Any] = {"linestyle": "none", "markersize": 5, "zorder": 5}
        hollow: dict[str, Any] = {"markerfacecolor": "none", "alpha": 0.6}
        filled: dict[str, Any] = {"markeredgecolor": "white", "markeredgewidth": 0.7}
        looks = list(zip(CLASS_MARKERS, CLASS_COLOURS, strict=True))
        self.held_out = [
            self.axes.plot([], [], mark, markeredgecolor=colour, **look, **hollow)[0] for mark, colour in looks
        ]
        self.points = [self.axes.plot([], [], mark, color=colour, **look, **filled)[0] for mark, colour in looks]
        self.borders: list[Artist] = []
        self._pinned: np.ndarray | None = None

    def artists(self) -> list[Artist]:
        """Return what ``update`` changes; the sheet is another panel's, or the caller's, to name."""
        return [*self.held_out, *self.points, *self.borders]

    def value_at(self, across: float, up: float) -> tuple[float, float] | None:
        """Return the point of the plane at this place, or None beside the map."""
        left, bottom, side = self.box
        x, y = ((at - corner) / side * 2 * self.edge - self.edge for at, corner in ((across, left), (up, bottom)))
        return (x, y) if max(abs(x), abs(y)) <= self.edge else None

    def update(self, content: ClassMapState, ghost: ClassMapState | None = None) -> None:
        """Show other probabilities and points."""
        left, bottom, side = self.box
        self.sheet.paste(mixture(content.shares), left, bottom, size=side)
        for number in range(len(CLASS_COLOURS)):
            self.points[number].set_data(*content.points[content.labels == number].T)
            self.held_out[number].set_data(*content.held_out_points[content.held_out_labels == number].T)
        pinned = None if ghost is None else ghost.shares
        if pinned is not self._pinned:  # drawn once for a pinned state
            for border in self.borders:
                border.remove()
            self.borders, self._pinned = [] if pinned is None else list(self._draw_borders(pinned)), pinned

    def _draw_borders(self, shares: np.ndarray) -> list[Artist]:
        middles = ((np.arange(shares.shape[-1]) + 0.5) / shares.shape[-1] * 2 - 1) * self.edge
        ahead = [own - np.delete(shares, number, 0).max(0) for number, own in enumerate(shares[:-1])]
        return [
            self.axes.contour(middles, middles[::-1], lead, [0.0], colors=INK, linestyles="--", zorder=6)
            for lead in ahead
            if (lead > 0).any() and (lead < 0).any()
        ]


class LayerImages:
    """The answers of layers to one image: a square for each neuron, or a small image for each map of a convolution.

    Dark is the strongest answer of its layer, white is 0 or below.

    Args:
        figure: where words are written.
        sheet: where the squares are pasted.
        titles: words above each layer.
        shapes: of each layer's answers, ``(neurons,)`` or ``(maps, height, width)``.
        box: left, bottom, right and top.
        largest: pixels for a number at most; fewer where the layers would not fit.
        colour: of the strongest answer.
    """

    TITLE, GAP = 21, 4  # pixels: a line of words, and between two maps

    def __init__(
        self,
        figure: Figure,
        sheet: Sheet,
        titles: Sequence[str],
        shapes: Sequence[tuple[int, ...]],
        box: tuple[int, int, int, int],
        largest: int = 5,
        colour: str = BLUE,
    ):
        self.sheet, self.colour = sheet, colour
        self.left, self.bottom, self.right, top = box
        sizes = range(largest, 0, -1)
        self.size = next((size for size in sizes if sum(self._heights(shapes, size)) <= top - self.bottom), 1)
        self.tops = []
        for title, height in zip(titles, self._heights(shapes, self.size), strict=True):
            figure.text(*_share(figure, self.left - 2, top - 15), title, fontsize=10)
            self.tops.append(top - self.TITLE)
            top -= height

    def _columns(self, shape: tuple[int, ...], size: int) -> tuple[int, int, int]:
        """Of one square or map in a layer: how many stand in a row, and from one to the next across and down."""
        across, down = (
            (2 * size, 2 * size) if len(shape) == 1 else (shape[2] * size + self.GAP, shape[1] * size + self.GAP)
        )
        return max(1, (self.right - self.left) // across), across, down

    def _heights(self, shapes: Sequence[tuple[int, ...]], size: int) -> list[int]:
        grids = [(shape[0], *self._columns(shape, size)) for shape in shapes]
        return [self.TITLE + -(-count // columns) * down + self.GAP for count, columns, _, down in grids]

    def artists(self) -> list[Artist]:
        """Return the sheet."""
        return [self.sheet]

    def update(self, content: Sequence[np.ndarray], ghost: Any = None) -> None:
        """Show other answers, an array for each layer; a ghost of so many squares would only be in the way."""
        for answers, top in zip(content, self.tops, strict=True):
            columns, across, down = self._columns(answers.shape, self.size)
            colours = pale(answers.clip(0) / (answers.max() if answers.max() > 0 else 1.0), self.colour)
            if answers.ndim == 1:
                rows = -(-len(colours) // columns)
                whole = np.full((rows * columns, 4), 255, np.uint8)
                whole[: len(colours)] = colours
                colours, columns = whole.reshape(1, rows, columns, 4), 1
                across, down = columns * across, rows * down
            for index, tile in enumerate(colours):
                row, column = divmod(index, columns)
                height, width = (side * (2 * self.size if answers.ndim == 1 else self.size) for side in tile.shape[:2])
                bottom = top - row * down - height
                if bottom >= 3:  # a network with thousands of maps shows the first of them
                    self.sheet.paste(tile, self.left + column * across, bottom, size=(height, width))


class ShareBars:
    """Bars from 0 to 100 % for each of a few answers, one for each network; a pinned state is a stroke.

    Args:
        axes: where.
        answers: names of the answers, from the top.
        networks: names of the networks, two at most.
    """

    def __init__(self, axes: Axes, answers: Sequence[str], networks: Sequence[str]):
        rows = np.arange(len(answers))
        axes.set(xlim=(0, 1.3), ylim=(len(answers) - 0.4, -0.6))
        axes.set_xticks([0, 0.5, 1], ["0", "50", "100 %"])
        axes.set_yticks(rows, [readable(name) for name in answers])
        self.rows = [rows + shift for shift in (-0.2, 0.2)[: len(networks)]]
        self.bars = [
            axes.barh(at, 0 * at, 0.38, color=colour, label=readable(name))
            for at, name, colour in zip(self.rows, networks, (BLUE, ORANGE), strict=False)
        ]
        stroke: dict[str, Any] = {"color": INK, "markersize": 9, "markeredgewidth": 2}
        self.strokes = [axes.plot([], [], "|", **stroke)[0] for _ in networks]
        self.words = [Label(0, 0, "", va="center", fontsize=10) for _ in networks]
        for word in self.words:
            axes.add_artist(word)
        axes.legend(loc="lower left", bbox_to_anchor=(-0.12, 1), ncols=2, borderaxespad=0.2, fontsize=10,
                    handlelength=1, columnspacing=1)  # fmt: skip

    def artists(self) -> list[Artist]:
        """Return what ``update`` changes."""
        return [*(bar for bars in self.bars for bar in bars), *self.strokes, *self.words]

    def update(self, content: np.ndarray, ghost: np.ndarray | None = None) -> None:
        """Show other shares, ``(networks, answers)``; the largest of each network has its number."""
        alike = len(set(content.argmax(1).tolist())) < len(content)  # two numbers in one row keep clear of each other
        for bars, shares, at, word in zip(self.bars, content, self.rows, self.words, strict=True):
            for bar, share in zip(bars, shares, strict=True):
                bar.set_width(share)
            best = int(shares.argmax())
            word.set_text(percent(shares[best]))
            word.set_position((shares[best] + 0.02, best + (1.6 if alike else 1.0) * (at[best] - best)))
        for number, stroke in enumerate(self.strokes):
            stroke.set_data([] if ghost is None else ghost[number], [] if ghost is None else self.rows[number])


def whole_figure(figure: Figure) -> Axes:
    """Axes without a frame behind all others, whose places are pixels of the figure."""
    width, height = figure.bbox.size
    axes = figure.add_axes((0, 0, 1, 1), xlim=(0, width), ylim=(0, height), zorder=-1)
    axes.set_axis_off()
    return axes


def _share(figure: Figure, across: float, up: float) -> tuple[float, float]:
    """Pixels as shares of the figure's width and height."""
    return across / figure.bbox.width, up / figure.bbox.height


# ---- Pictures that do not move ----


def gallery(
    images: Sequence[np.ndarray],
    titles: Sequence[str] = (),
    columns: int = 10,
    signed: bool = False,
    inch: float = 0.9,
    largest: float | None = None,
) -> Figure:
    """Small images in rows.

    Args:
        images: ``(height, width)`` from 0, paper, to 1, ink; or any numbers if ``signed``; or ``(height, width, 3)``.
        titles: words above each; none if empty.
        columns: images in a row.
        signed: whether to show orange for negative and blue for positive numbers.
        inch: the side of one image.
        largest: with ``signed``, the number that gets the full colour, so that images can be compared; without it, each
            image's own largest.

    >>> gallery([np.zeros((8, 8))] * 3, columns=2).axes[1].images[0].get_array().shape
    (8, 8)
    """
    columns = min(columns, len(images))
    rows = -(-len(images) // columns)
    room = 0.28 if titles else 0.06  # inches above an image
    figure = new_figure(columns * (inch + 0.08), rows * (inch + room) + 0.06)
    wide, high = figure.get_size_inches()
    for index, image in enumerate(images):
        row, column = divmod(index, columns)
        left, top = 0.04 + column * (inch + 0.08), row * (inch + room) + room
        axes = figure.add_axes((left / wide, 1 - (top + inch) / high, inch / wide, inch / high), xticks=[], yticks=[])
        axes.spines[:].set(visible=True, color=GREY)
        image = np.asarray(image)
        most = largest or np.abs(image).max() or 1
        limits = {"cmap": SIGNS, "vmin": -most, "vmax": most} if signed else {"cmap": "gray_r", "vmin": 0, "vmax": 1}
        axes.imshow(image, aspect="equal", interpolation="nearest", **({} if image.ndim == 3 else limits))
        if titles:
            axes.set_title(readable(titles[index]), fontsize=10, pad=3)
    return figure


def functions(sums: np.ndarray, answers: dict[str, np.ndarray]) -> Figure:
    """Activation functions side by side: the answer for each weighted sum."""
    figure = new_figure(8.4, 2.2)
    for index, (name, values) in enumerate(answers.items()):
        width = 1 / len(answers)
        axes = figure.add_axes((index * width + 0.2 * width, 0.2, 0.75 * width, 0.64), ylim=(-1.6, 2.6))
        axes.axhline(0, color=GREY, linewidth=0.8)
        axes.axvline(0, color=GREY, linewidth=0.8)
        axes.plot(sums, values, color=BLUE, linewidth=2)
        axes.set_title(name)
        axes.set_xticks([-4, 0, 4])
        axes.set_xlabel("weighted sum", fontsize=10, labelpad=1)
    return figure


def dots_by_seed(groups: dict[str, Sequence[float]]) -> Figure:
    """Each seed's accuracy, a share, as a dot; the mean of a group as a mark with its number."""
    figure = new_figure(8.4, 0.62 * len(groups) + 0.8)
    axes = figure.add_axes((0.27, 0.5 / (0.62 * len(groups) + 0.8), 0.68, 0.9 - 0.5 / (0.62 * len(groups) + 0.8)))
    low = min(min(values) for values in groups.values())
    for row, values in enumerate(groups.values()):
        mean = float(np.mean(values))
        axes.plot(values, [row] * len(values), "o", color=BLUE, alpha=0.5, markersize=7)
        axes.plot([mean, mean], [row - 0.3, row + 0.3], color=INK, linewidth=2)
        axes.text(mean, row - 0.36, f"mean {mean:.1%}", ha="center", va="bottom", fontsize=10)
    axes.set(ylim=(len(groups) - 0.5, -0.75), xlim=(low - 0.01, 1.0))
    axes.set_yticks(range(len(groups)), [readable(name) for name in groups])
    axes.xaxis.set_major_formatter(lambda share, _: f"{share:.0%}")
    axes.set_xlabel("right answers on held-out digits")
    return figure
