"""Networks as pictures: what each neuron answers over the plane or to an image, filters, galleries of small images."""

from collections.abc import Sequence

import numpy as np
from matplotlib.artist import Artist
from matplotlib.backend_bases import RendererBase
from matplotlib.colors import LinearSegmentedColormap, to_rgb
from matplotlib.figure import Figure

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
        self, tile: np.ndarray, left: int, bottom: int, magnify: int = 1, frame: str = GREY, border: int = 1
    ) -> None:
        """Put colours ``(height, width, 4)``, first row on top, at a place; keeps 3 pixels around for its frame."""
        tile = np.asarray(tile)[::-1].repeat(magnify, 0).repeat(magnify, 1)
        height, width = tile.shape[:2]
        around = self.pixels[bottom - 3 : bottom + height + 3, left - 3 : left + width + 3]
        around[:] = 0
        around = around[3 - border : height + 3 + border, 3 - border : width + 3 + border]
        around[:] = [*(round(255 * part) for part in to_rgb(frame)), 255]
        self.pixels[bottom : bottom + height, left : left + width] = tile


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


def curves(inputs: np.ndarray, outputs: dict[str, np.ndarray]) -> Figure:
    """Curves over one input, one line each with its name."""
    figure = new_figure(7.2, 3.0)
    axes = figure.add_axes((0.11, 0.16, 0.87, 0.8), xlabel="input", ylabel="output")
    styles = zip(outputs.items(), (BLUE, ORANGE, INK, GREEN), ("-", "--", ":", "-."), strict=False)
    for (name, values), colour, style in styles:
        axes.plot(inputs, values, color=colour, linestyle=style, linewidth=2.2, label=name)
    axes.legend()
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
