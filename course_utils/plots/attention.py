"""Pictures of attention: who looks at whom in one head, all heads at a glance, and what cutting one of them does."""

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib
import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import PercentFormatter
from matplotlib.transforms import ScaledTranslation, blended_transform_factory
from numpy.typing import NDArray
from torch import Tensor

from course_utils.experiments.looking import Looking
from course_utils.plots import picture
from course_utils.plots.bars import PairedBars
from course_utils.plots.lettering import Label
from course_utils.plots.panels import Heatmap, Panel, Words
from course_utils.plots.static import Static
from course_utils.plots.style import BLUE, INK, ORANGE, readable

COLOURS = matplotlib.colormaps["cividis"].with_extremes(bad="#e8e8e8")  # grey: hidden, a later token
EFFECTS = matplotlib.colormaps["PuOr_r"]  # of a cut: violet lowers a chance, orange raises it, white leaves it
TICKS = (0.0, 0.01, 0.05, 0.2, 0.5, 1.0)
MOST_NAMED = 32  # tokens that can each have a name beside the map; of more, every second one has
MOST_NUMBERED = 16  # tokens whose cells have room for a number
WIDTH, HEIGHT = 840, 420  # dots of the whole picture


def dots(left: float, top: float, width: float, height: float) -> tuple[float, float, float, float]:
    """A place given in dots from the upper left corner, as matplotlib's ``add_axes`` takes it."""
    return left / WIDTH, 1 - (top + height) / HEIGHT, width / WIDTH, height / HEIGHT


MAP = dots(84, 26, 312, 312)
EVERY_HEAD = dots(476, 26, 354, 72)
THUMBNAILS = dots(476, 152, 354, 40)


def shade(weights: NDArray) -> NDArray:
    """Weights as the colours take them: their square roots, so that small weights can be told from none.

    >>> shade(np.array([0.0, 0.25, 1.0])).tolist()
    [0.0, 0.5, 1.0]
    """
    return np.sqrt(np.clip(weights, 0, 1))


def hide_later(weights: NDArray) -> NDArray:
    """The same ``(..., tokens, tokens)`` with "not a number" wherever a token would look at a later one."""
    return np.where(np.tri(weights.shape[-1], dtype=bool), weights, np.nan)


def named(names: Sequence[str]) -> tuple[range, list[str]]:
    """The tokens that have room for a name beside a map, and their names.

    >>> named(["a", "b"] * 20)[0]
    range(0, 40, 2)
    """
    places = range(0, len(names), 1 if len(names) <= MOST_NAMED else 2)  # a tick without a name would cost time too
    return places, [names[at] for at in places]


class TokenMap(Heatmap):
    """A heatmap with tokens on both axes, in the colours of attention."""

    def __init__(self, axes: Axes):
        super().__init__(axes, (0, 1), cmap=COLOURS, interpolation="nearest")
        axes.set(xticks=[], yticks=[])
        for side in ("left", "bottom"):
            axes.spines[side].set_visible(False)
        # Labels, because the ticks of 64 tokens take matplotlib a fifth of a second. Each stands 3 points off the map.
        left, below = (ScaledTranslation(x, y, axes.figure.dpi_scale_trans) for x, y in ((-3 / 72, 0), (0, -3 / 72)))
        beside = blended_transform_factory(axes.transAxes, axes.transData) + left
        under = blended_transform_factory(axes.transData, axes.transAxes) + below
        self.beside, self.under = (
            [axes.add_artist(Label(0, 0, "", transform=where, clip_on=False, **how)) for _ in range(MOST_NAMED)]
            for where, how in (
                (beside, {"ha": "right", "va": "center"}),
                (under, {"ha": "center", "va": "top", "rotation": 90}),
            )
        )

    def _name(self, rows: list[str], columns: list[str]) -> None:
        if (rows, columns) == self._names:
            return
        self._names = (rows, columns)  # other names have the whole figure drawn anew
        size = 10 if len(rows) <= 16 else 8 if len(rows) <= 24 else 6.5
        for labels, names, upright in ((self.beside, rows, False), (self.under, columns, True)):
            places, shown = named(names)
            for number, label in enumerate(labels):
                there = number < len(places)
                at = places[number] if there else 0
                label.set(text=shown[number] if there else "", fontsize=size, x=at * upright, y=at * (not upright))


class Held:
    """The row that is held, framed and with its numbers; the chosen cell; a cross over what is cut."""

    def __init__(self, axes: Axes):
        self.row, self.cell = (
            Rectangle((0, 0), 1, 1, fill=False, edgecolor=colour, linewidth=width, zorder=4)
            for colour, width in ((ORANGE, 2.5), ("white", 1.8))
        )
        for frame in (self.row, self.cell):
            axes.add_patch(frame)
        (self.cross,) = axes.plot([], [], color=ORANGE, linewidth=3, zorder=5, scalex=False, scaley=False)
        self.numbers = [Label(0, 0, "", ha="center", va="center", fontsize=8, zorder=6) for _ in range(MOST_NUMBERED)]
        for number in self.numbers:
            axes.add_artist(number)

    def artists(self) -> list[Artist]:
        """Return what ``update`` changes."""
        return [self.row, self.cell, self.cross, *self.numbers]

    def update(self, content: Looking, ghost: Any = None) -> None:
        """Frame another row and cell."""
        row, column, tokens = content.row, content.column, len(content.names)
        self.row.set_bounds(-0.5, row - 0.5, row + 1, 1)
        self.cell.set_bounds(column - 0.5, row - 0.5, 1, 1)
        left, top, width, height = {
            "this cell": (column - 0.5, row - 0.5, 1, 1),
            "nothing": (np.nan,) * 4,
        }.get(content.cut, (-0.5, -0.5, tokens, tokens))
        right, bottom = left + width, top + height
        self.cross.set_data([left, right, np.nan, left, right], [top, bottom, np.nan, bottom, top])
        weights = content.weights[content.head, row]
        for at, number in enumerate(self.numbers):
            shown = tokens <= MOST_NUMBERED and at <= row and weights[at] >= 0.005
            number.set_text(f"{100 * weights[at]:.0f}" if shown else "")
            number.set_position((at, row))
            number.set_color("white" if shown and weights[at] < 0.35 else INK)


class EveryHead:
    """One cell's weight in every head of every layer: a column for each layer, a row for each head."""

    def __init__(self, axes: Axes, layers: int, heads: int):
        self.heat = Heatmap(axes, (0, 1), cmap=COLOURS, interpolation="nearest")
        axes.set_xticks(range(0, layers, max(1, layers // 10)))
        axes.set_yticks(range(0, heads, max(1, heads // 4)))
        axes.tick_params(labelsize=8, length=2, pad=1)
        axes.set_xlabel("layer", fontsize=8, labelpad=0)
        axes.set_ylabel("head", fontsize=8, labelpad=1)
        self.here = Rectangle((0, 0), 1, 1, fill=False, edgecolor=ORANGE, linewidth=2, zorder=4)
        axes.add_patch(self.here)

    def artists(self) -> list[Artist]:
        """Return what ``update`` changes."""
        return [*self.heat.artists(), self.here]

    def update(self, content: Looking, ghost: Any = None) -> None:
        """Show another cell, and frame the head that is looked at."""
        self.heat.update(shade(content.everywhere.T))
        self.here.set_bounds(content.layer - 0.5, content.head - 0.5, 1, 1)


class Thumbnails:
    """The maps of all heads of one layer, side by side; the chosen one framed, what is cut crossed."""

    GAP = 0.125  # between two, as a share of one

    def __init__(self, axes: Axes, heads: int):
        self.heads, pitch = heads, 1 + self.GAP
        axes.set_xticks([at * pitch + 0.5 for at in range(heads)], [str(at) for at in range(heads)], fontsize=8)
        axes.set(yticks=[])
        axes.tick_params(length=0, pad=1)
        for side in ("left", "bottom"):
            axes.spines[side].set_visible(False)
        # One image for all: nine take three times as long.
        self.image = axes.imshow(np.zeros((1, 1, 4)), extent=(0, heads * pitch, 1, 0), aspect="auto")
        axes.set(xlim=(-0.02, heads * pitch), ylim=(1.04, -0.04))
        self.here = Rectangle((0, 0), 1, 1, fill=False, edgecolor=ORANGE, linewidth=2.5, zorder=4)
        axes.add_patch(self.here)
        (self.cross,) = axes.plot([], [], color=ORANGE, linewidth=2, zorder=5, scalex=False, scaley=False)

    def artists(self) -> list[Artist]:
        """Return what ``update`` changes."""
        return [self.image, self.here, self.cross]

    def update(self, content: Looking, ghost: Any = None) -> None:
        """Show the heads of another layer."""
        maps = COLOURS(shade(hide_later(content.weights)), bytes=True)  # (heads, tokens, tokens, 4)
        times = -(-96 // maps.shape[1])  # a cell becomes so many dots, for gaps of the same width with every text
        maps = maps.repeat(times, axis=1).repeat(times, axis=2)
        gap = np.full((*maps.shape[:2], round(self.GAP * maps.shape[1]), 4), 255, dtype=np.uint8)
        self.image.set_data(np.concatenate(list(np.concatenate((maps, gap), axis=2)), axis=1))
        self.here.set_bounds(content.head * (1 + self.GAP), 0, 1, 1)
        cut = {"this head": [content.head], "this layer": range(self.heads)}.get(content.cut, [])
        lefts = [at * (1 + self.GAP) for at in cut]
        x = [part for left in lefts for part in (left, left + 1, np.nan, left, left + 1, np.nan)]
        self.cross.set_data(x, [0, 1, np.nan, 1, 0, np.nan] * len(lefts))


def attention_panels(figure: Figure, layers: int, heads: int, rows: int) -> dict[str, Panel]:
    """The panels of `AttentionExplorer`, by name.

    Args:
        figure: empty, `WIDTH` by `HEIGHT` dots.
        layers: of the model.
        heads: in each layer.
        rows: tokens that have a bar.
    """
    axes = figure.add_axes(MAP)
    colours = figure.add_axes(dots(402, 26, 9, 312))
    colours.imshow(np.linspace(1, 0, 128)[:, None], cmap=COLOURS, aspect="auto", extent=(0, 1, 0, 1))
    colours.yaxis.tick_right()
    colours.set(xticks=[])
    colours.set_yticks([float(shade(np.array(tick))) for tick in TICKS], [f"{tick:.0%}" for tick in TICKS], fontsize=8)
    colours.tick_params(length=0, pad=2)

    def title(over: tuple[float, float, float, float]) -> Words:
        label = Label(over[0], over[1] + over[3] + 0.012, "", fontsize=10, va="bottom", transform=figure.transFigure)
        figure.add_artist(label)
        return Words(label)

    figure.text(EVERY_HEAD[0], dots(0, 228, 0, 0)[1], "Next token", fontsize=10)
    return {
        "map": TokenMap(axes),
        "held": Held(axes),
        "heads": EveryHead(figure.add_axes(EVERY_HEAD), layers, heads),
        "layer": Thumbnails(figure.add_axes(THUMBNAILS), heads),
        "title": title(MAP),
        "cell": title(EVERY_HEAD),
        "thumbs": title(THUMBNAILS),
        "bars": PairedBars(figure, rows, dots(602, 242, 230, 154), names=("nothing cut", "after the cut"), dots=0),
    }


def attention_contents(looks: Looking) -> dict[str, Any]:
    """What each panel but the bars shows."""
    names, layers, heads = list(looks.names), *looks.everywhere.shape
    quoted = [f'"{readable(names[at])}"' for at in (looks.row, looks.column)]
    return {
        "map": (shade(hide_later(looks.weights[looks.head])), names, names),
        "held": looks,
        "heads": looks,
        "layer": looks,
        "title": f"Layer {looks.layer}, head {looks.head}: each row looks at the columns",
        "cell": f"From {quoted[0]} to {quoted[1]}, in all {layers * heads} heads (click one)",
        "thumbs": f"The {heads} heads of layer {looks.layer} (click one)",
    }


def pointed_at(place: Sequence[float], tokens: int, layers: int, heads: int) -> dict[str, int]:
    """The controls that a press on the picture sets: a cell of the map, a head of the overview, or a thumbnail.

    Args:
        place: how far right and how far up, in fractions of the picture.
        tokens: of the text.
        layers: of the model.
        heads: in each layer.

    >>> pointed_at((MAP[0] + 0.001, MAP[1] + MAP[3] - 0.001), 14, 30, 9)
    {'row': 0, 'column': 0}
    >>> pointed_at((0.99, 0.01), 14, 30, 9)
    {}
    """
    if len(place) != 2:
        return {}
    for frame, (rows, columns), names in (
        (MAP, (tokens, tokens), ("row", "column")),
        (EVERY_HEAD, (heads, layers), ("head", "layer")),
        (THUMBNAILS, (1, heads), ("", "head")),
    ):
        right, down = (place[0] - frame[0]) / frame[2], 1 - (place[1] - frame[1]) / frame[3]
        if 0 <= right < 1 and 0 <= down < 1:
            return {name: at for name, at in zip(names, (int(down * rows), int(right * columns)), strict=True) if name}
    return {}


def alike_by_layer(within: Sequence[float], between: Sequence[float]) -> Static:
    """How alike the lists of numbers of one word are in sentences of the same kind and of different kinds, by layer.

    Args:
        within: mean cosine of two sentences of one kind, before the first layer and after each.
        between: of one sentence of each kind.

    >>> alike_by_layer([1.0, 0.97], [1.0, 0.82]).alt
    'Mean cosine of two lists for bank. Of the same kind: 1.000 at first, 0.970 after the last layer. Of different \
kinds: 1.000 at first, 0.820 after the last layer.'
    """
    figure = picture.new_figure(8.4, 3.3)
    axes = figure.add_axes((0.08, 0.15, 0.9, 0.8), xlabel="layers passed", ylabel="mean cosine")
    told = []
    for name, cosines, colour, marker in (
        ("of the same kind", within, BLUE, "o"),
        ("of different kinds", between, ORANGE, "s"),
    ):
        axes.plot(range(len(cosines)), cosines, color=colour, marker=marker, linewidth=2, label=name)
        told.append(f"{name.capitalize()}: {cosines[0]:.3f} at first, {cosines[-1]:.3f} after the last layer")
    axes.legend(loc="lower left")
    return Static(figure, f"Mean cosine of two lists for bank. {'. '.join(told)}.")


def where_it_looks(maps: Mapping[str, Tensor], names: Sequence[str], places: Tensor) -> Static:
    """Where the questions at the end of a text look: a heatmap for each of two models, with the right places framed.

    Args:
        maps: by the model's name, ``(tokens, tokens)``, the weights of its head.
        names: of the tokens.
        places: ``(questions,)``, where the answer to each of the last tokens stands.

    >>> import torch
    >>> maps = {"trained": torch.tensor([[1.0, 0.0], [0.9, 0.1]])}
    >>> where_it_looks(maps, ["A3", "A?"], torch.tensor([0])).alt
    'Where 1 questions look. trained: 0.90 on the right token on average, the largest weight there in 1.'
    """
    figure, told = picture.new_figure(8.4, 3.9), []
    questions = len(places)
    for at, (name, weights) in enumerate(maps.items()):
        axes = figure.add_axes((0.06 + 0.49 * at, 0.15, 0.44, 0.76), title=name)
        axes.imshow(shade(hide_later(weights.numpy())[-questions:]), vmin=0, vmax=1, cmap=COLOURS, aspect="auto")
        axes.set_xticks(range(len(names)), names, fontsize=9, rotation=90)
        axes.set_yticks(range(questions), names[-questions:], fontsize=10)
        axes.tick_params(length=0)
        for row, place in enumerate(places.tolist()):
            axes.add_patch(Rectangle((place - 0.5, row - 0.5), 1, 1, fill=False, edgecolor=ORANGE, linewidth=2.5))
        mean = weights[-questions:].gather(1, places[:, None]).mean().item()
        best = int((weights[-questions:].argmax(dim=1) == places).sum())
        told.append(f"{name}: {mean:.2f} on the right token on average, the largest weight there in {best}")
    return Static(figure, f"Where {questions} questions look. {'; '.join(told)}.")


def cuts_by_head(weights: NDArray, cells: NDArray, heads: NDArray, before: float) -> Static:
    """What each head has of one cell, and what becomes of one next token if that cell or the whole head is cut.

    Args:
        weights: ``(layers, heads)``, of the cell.
        cells: ``(layers, heads)``, the chance of the token with this one cell cut.
        heads: ``(layers, heads)``, the chance with the whole head cut; drawn on the same scale.
        before: the chance with nothing cut.

    >>> cuts_by_head(np.array([[0.9, 0.1, 0.2]]), np.array([[0.5, 0.3, 0.3]]), np.array([[0.4, 0.1, 0.3]]), 0.3).alt
    'Each head once. The largest weight: layer 0, head 0, 0.90. With only the cell cut, layer 0, head 0 moves the \
chance most: by +20 percentage points. With the whole head cut, layer 0, head 1 does: by −20.'
    """
    figure = picture.new_figure(8.4, 4.7)
    effects = (cells - before, heads - before)
    most = max(float(np.abs(each).max()) for each in effects)
    rows = (
        ("weight of the cell", shade(weights), 0.0, 1.0, COLOURS),
        ("what cutting only this cell adds to the chance", effects[0], -most, most, EFFECTS),
        ("what cutting the whole head adds to the chance", effects[1], -most, most, EFFECTS),
    )
    for at, (name, values, least, top, colours) in enumerate(rows):
        axes = figure.add_axes((0.07, 0.73 - 0.315 * at, 0.82, 0.2), ylabel="head", xlabel="layer" if at == 2 else "")
        image = axes.imshow(values.T, vmin=least, vmax=top, cmap=colours, aspect="auto", interpolation="nearest")
        axes.set_title(name, fontsize=11, loc="left")
        axes.set_xticks(range(0, len(values), 2))
        axes.set_yticks(range(0, values.shape[1], 2))
        axes.tick_params(labelsize=9)
        bar = figure.colorbar(image, cax=figure.add_axes((0.905, 0.73 - 0.315 * at, 0.014, 0.2)))
        if at == 0:
            ticks = [tick for tick in TICKS if tick != 0.01]  # its name has no room beside that of 0
            bar.set_ticks(shade(np.array(ticks)).tolist(), labels=[f"{tick:.0%}" for tick in ticks])
        else:
            bar.ax.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
        bar.ax.tick_params(labelsize=9)

    def largest(values: NDArray) -> tuple[str, float]:
        layer, head = np.unravel_index(np.abs(values).argmax(), values.shape)
        return f"layer {layer}, head {head}", float(values[layer, head])

    def points(effect: float) -> str:
        return f"{100 * effect:+.0f}".replace("-", "−")

    (brightest, weight), (cell, by_cell), (whole, by_whole) = map(largest, (weights, *effects))
    return Static(
        figure,
        f"Each head once. The largest weight: {brightest}, {weight:.2f}. With only the cell cut, {cell} moves the "
        f"chance most: by {points(by_cell)} percentage points. With the whole head cut, {whole} does: "
        f"by {points(by_whole)}.",
    )
