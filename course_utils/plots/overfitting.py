"""Pictures of the lesson on training in practice: digits with their labels, curves, and comparisons of runs."""

from collections.abc import Iterable, Mapping, Sequence
from statistics import mean, stdev
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from course_utils.plots.picture import new_figure
from course_utils.plots.static import Static
from course_utils.plots.style import BLUE, GREY, INK, ORANGE

CURVE_TOP = 3.0  # of the loss axis; guessing among ten digits costs 2.3
GAP = 2  # pixels between two digits


def side_by_side(images: np.ndarray, count: int) -> np.ndarray:
    """One row of ``count`` digits, ``(images, 8, 8)`` -> ``(8, count * 10)``; places without a digit stay empty.

    >>> side_by_side(np.ones((2, 8, 8)), 3).shape
    (8, 30)
    """
    strip = np.full((8, count * (8 + GAP)), np.nan)
    for number, image in enumerate(images[:count]):
        strip[:, number * (8 + GAP) : number * (8 + GAP) + 8] = image
    return strip


class LabelledDigits:
    """A row of digits, each over the label it was given; a wrong label is orange and crossed."""

    def __init__(self, axes: Axes, count: int):
        axes.axis("off")
        axes.set(xlim=(-GAP, count * (8 + GAP)), ylim=(11.5, -1))
        self.image = axes.imshow(
            np.zeros((8, count * (8 + GAP))), cmap="Greys", vmin=-0.08, vmax=1,
            extent=(0, count * (8 + GAP), 8, 0), aspect="equal", interpolation="nearest",
        )  # fmt: skip
        self.labels = [
            axes.text(number * (8 + GAP) + 4, 9, "", ha="center", va="top", fontsize=11) for number in range(count)
        ]

    def show(self, strip: np.ndarray, given: Sequence[int], wrong: Sequence[bool]) -> None:
        """Put in other digits: ``(8, pixels)`` as of `side_by_side`."""
        self.image.set_data(strip)
        for number, text in enumerate(self.labels):
            here = number < len(given)
            spoilt = here and wrong[number]
            text.set_text(f"{given[number]} ✗" if spoilt else str(given[number]) if here else "")
            text.set_color(ORANGE if spoilt else INK)

    def artists(self) -> list[Any]:
        """What moves."""
        return [self.image, *self.labels]


def labelled_digits(figure: Figure, place: tuple[float, float, float, float], count: int) -> LabelledDigits:
    """A row of ``count`` digits in a part of the figure."""
    return LabelledDigits(figure.add_axes(place), count)


def digit_rows(rows: Mapping[str, tuple[np.ndarray, Sequence[Any], Sequence[bool]]], alt: str) -> Static:
    """Show rows of ten digits.

    Args:
        rows: title to images ``(10, 8, 8)``, the words under them, and which of these are wrong.
        alt: what the picture shows.
    """
    figure = new_figure(8.4, 1.25 * len(rows) + 0.05)
    height = 1 / len(rows)
    for number, (title, (images, words, wrong)) in enumerate(rows.items()):
        bottom = 1 - (number + 1) * height
        figure.text(0.015, bottom + 0.93 * height, title, va="top", fontsize=11)
        row = labelled_digits(figure, (0.01, bottom, 0.98, 0.78 * height), 10)
        row.show(side_by_side(np.asarray(images), 10), list(words), list(wrong))
    return Static(figure, alt)


def curves(runs: Mapping[str, np.ndarray], alt: str) -> Static:
    """Show loss by epoch, one panel a run, all on the longest run's axis: both losses, and the lowest validation loss.

    Args:
        runs: title to ``(epochs + 1, 5)`` as of ``experiments.overfitting.TrainingRun.curve``.
        alt: what the picture shows.
    """
    figure = new_figure(9.2, 3.3)
    room, longest = 0.95 / len(runs), max(curve[-1, 0] for curve in runs.values())
    for number, (title, curve) in enumerate(runs.items()):
        place = (0.07 + number * room, 0.16, room - 0.06, 0.72)
        axes = figure.add_axes(place, xlim=(0, longest), ylim=(0, CURVE_TOP), xlabel="epoch")
        axes.plot(curve[:, 0], curve[:, 1].clip(0, CURVE_TOP), color=BLUE, linewidth=2, label="training")
        axes.plot(curve[:, 0], curve[:, 2].clip(0, CURVE_TOP), "--", color=ORANGE, linewidth=2, label="validation")
        best = curve[curve[:, 2].argmin()]
        axes.plot(best[0], best[2], "o", color=ORANGE, fillstyle="none", markersize=9, label="lowest validation loss")
        axes.set_title(title, fontsize=11)
        if number == 0:
            axes.set_ylabel("loss")
            axes.legend(loc="upper right", fontsize=10)
    return Static(figure, alt)


def schedules(rates: Mapping[str, Sequence[float]], alt: str) -> Static:
    """Show the learning rate at each epoch: name to one number an epoch."""
    figure = new_figure(6.4, 3.0)
    axes = figure.add_axes((0.14, 0.18, 0.83, 0.76), yscale="log", xlabel="epoch", ylabel="learning rate")
    for (name, values), line in zip(rates.items(), ("-", "--", "-.", ":"), strict=False):
        axes.plot(range(1, len(values) + 1), values, line, linewidth=2, label=name)
    axes.minorticks_off()
    axes.legend(fontsize=10)
    return Static(figure, alt)


def comparison(
    groups: Mapping[str, Iterable[float]], live: Mapping[str, Iterable[float]], provenance: str, alt: str
) -> Static:
    """Show recorded test accuracies, a row each: every run, their mean, and the range that holds the true mean.

    Args:
        groups: name to the accuracies of its runs, one for each seed.
        live: name to accuracies measured now.
        provenance: how the recorded ones were made.
        alt: what the picture shows.

    The bar is the mean plus and minus two standard errors: the true mean lies in it about 19 times of 20.
    """
    figure = new_figure(9.2, 0.42 * len(groups) + 1.3)
    bottom = 0.95 / (0.42 * len(groups) + 1.3)
    axes = figure.add_axes((0.27, bottom, 0.70, 0.98 - bottom), xlabel="share of 450 test digits answered right")
    for row, runs in enumerate(groups.values()):
        values = list(runs)
        error = 2 * stdev(values) / len(values) ** 0.5
        axes.plot(values, [row] * len(values), "|", color=BLUE, alpha=0.5, markersize=9,
                  label=f"recorded, a run each ({len(values)} seeds)" if row == 0 else None)  # fmt: skip
        axes.errorbar(mean(values), row, xerr=error, fmt="s", color=INK, capsize=4, markersize=6,
                      label="recorded mean ± 2 standard errors" if row == 0 else None)  # fmt: skip
    shown = [(value, list(groups).index(name) - 0.3) for name, values in live.items() for value in values]
    axes.plot(*np.transpose(shown), "o", color=ORANGE, markersize=6, fillstyle="none", label="live, other seeds")
    axes.set_yticks(range(len(groups)), list(groups))
    axes.set_ylim(len(groups) - 0.4, -0.7)
    axes.grid(axis="x", color="#e5e5e5")
    figure.legend(loc="lower center", ncols=3, fontsize=9, bbox_to_anchor=(0.5, 0.035))
    figure.text(0.5, 0.012, provenance.replace("\n", ";  "), ha="center", va="bottom", fontsize=8, color=GREY)
    return Static(figure, alt)


def search(
    scores: Mapping[tuple[int, int], Sequence[float]], chosen: tuple[int, int], provenance: str, alt: str
) -> Static:
    """Show a search over architectures: mean validation accuracy for each width and depth, ± two standard errors.

    Args:
        scores: (width, depth) to the accuracies of its runs.
        chosen: the width and depth that won.
        provenance: how the scores were made.
        alt: what the picture shows.
    """
    widths, depths = (sorted({key[part] for key in scores}) for part in (0, 1))
    grid = np.array([[mean(scores[width, depth]) for width in widths] for depth in depths])
    figure = new_figure(9.2, 3.6)
    axes = figure.add_axes((0.07, 0.25, 0.91, 0.72), xlabel="neurons in each hidden layer", ylabel="hidden layers")
    axes.imshow(grid, cmap="cividis", vmin=0.3, vmax=0.9, aspect="auto")
    axes.set_xticks(range(len(widths)), [str(width) for width in widths])
    axes.set_yticks(range(len(depths)), [str(depth) for depth in depths])
    for row, depth in enumerate(depths):
        for column, width in enumerate(widths):
            runs = scores[width, depth]
            text = f"{grid[row, column]:.3f}\n± {2 * stdev(runs) / len(runs) ** 0.5:.3f}"
            axes.text(column, row, text, ha="center", va="center", color="white" if grid[row, column] < 0.65 else INK)
    column, row = widths.index(chosen[0]), depths.index(chosen[1])
    axes.add_patch(Rectangle((column - 0.47, row - 0.45), 0.94, 0.9, fill=False, edgecolor=ORANGE, linewidth=3))
    figure.text(0.5, 0.02, provenance.replace("\n", ";  "), ha="center", va="bottom", fontsize=8, color=GREY)
    return Static(figure, alt)
