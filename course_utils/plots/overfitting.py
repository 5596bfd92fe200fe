"""Pictures of the lesson on training in practice: digits with their labels, curves, and comparisons of runs."""

from collections.abc import Mapping, Sequence
from statistics import mean
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from course_utils.experiments.overfitting import mean_and_margin
from course_utils.experiments.overfitting_lab import SHOWN, Lab
from course_utils.plots.panels import Curves, Images, Line, Panel
from course_utils.plots.picture import new_figure
from course_utils.plots.static import Static
from course_utils.plots.style import BLUE, GREY, INK, ORANGE

LENGTHS = (50, 100, 200, 400)  # epochs on the axis: few lengths, because a new axis costs time
CURVE_TOP = 3.0  # of the loss axis; guessing among ten digits costs 2.3


def lowest(curve: np.ndarray) -> int:
    """The epoch with the lowest validation loss in ``(epochs + 1, 5)``, as of ``TrainingRun.curve``."""
    return int(np.nanargmin(curve[:, 2]))


def both_curves(curve: np.ndarray, column: int, top: float) -> dict[str, Line]:
    """A column of ``TrainingRun.curve`` for training, the next for validation, and where validation loss is lowest.

    Args:
        curve: ``(epochs + 1, 5)``; a run that has not begun has no row.
        column: 1 for the loss, 3 for the accuracy.
        top: the highest number of the axis; what is higher, or no number at all, is drawn there.

    >>> both_curves(np.array([[0, 2.3, 2.4, 0.1, 0.1], [1, 9.0, 2.2, 0.3, 0.2]]), 1, 3.0)["training"][1].tolist()
    [2.3, 3.0]
    """
    epochs, training, validation = (
        curve[:, 0],
        *(np.nan_to_num(curve[:, at], nan=np.inf).clip(0, top) for at in (column, column + 1)),
    )
    lines: dict[str, Line] = {"training": (epochs, training), "validation": (epochs, validation)}
    if np.isfinite(curve[:, 2]).any():
        best = lowest(curve)
        lines["best"] = ([best], [validation[best]])
    return lines


LOOKS = {
    "training": {"color": BLUE, "linewidth": 2, "label": "training"},
    "validation": {"color": ORANGE, "linewidth": 2, "linestyle": "--", "label": "validation"},
    "best": {"color": ORANGE, "linestyle": "none", "marker": "o", "fillstyle": "none", "markersize": 9,
             "label": "lowest validation loss"},
}  # fmt: skip


def accuracy_and_loss(figure: Figure, epochs: int) -> dict[str, Panel]:
    """Two panels side by side, ``loss`` and ``accuracy``, for runs of up to ``epochs``; content as of `both_curves`."""
    panels: dict[str, Panel] = {}
    titles = {"loss": ("loss", CURVE_TOP), "accuracy": ("share answered correctly", 1.0)}
    for left, (name, (title, top)) in zip((0.06, 0.565), titles.items(), strict=True):
        axes = figure.add_axes((left, 0.15, 0.405, 0.5), xlim=(0, epochs), ylim=(0, 1.03 * top), xlabel="epoch")
        axes.set_title(title, loc="left", fontsize=11)
        axes.grid(axis="y", color="#e5e5e5")
        legend = {"loc": "upper right", "fontsize": 9, "framealpha": 0.8} if name == "loss" else None
        panels[name] = Curves(axes, LOOKS, ghosts=["validation"], legend=legend)
    return panels


def lab_panels(figure: Figure, epochs: int) -> dict[str, Panel]:
    """The first digits with their labels; loss and accuracy by epoch, on the examples and on the others."""
    digits = Images(figure.add_axes((0.01, 0.785, 0.98, 0.21)), SHOWN, (8, 8))
    note = f"The first {SHOWN} digits to learn from, each over its label; ✗ marks a wrong label."
    figure.text(0.5, 0.76, note, ha="center", va="center", fontsize=10)
    return {"digits": digits, **accuracy_and_loss(figure, epochs)}


def lab_contents(lab: Lab) -> dict[str, Any]:
    """What `lab_panels` show: the digits, and each curve as far as its axis goes."""
    return {
        "digits": (lab.images, lab.labels, lab.wrong),
        "loss": both_curves(lab.curve, 1, CURVE_TOP),
        "accuracy": both_curves(lab.curve, 3, 1.0),
    }


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
        row = Images(figure.add_axes((0.01, bottom, 0.98, 0.78 * height)), 10, (8, 8))
        row.update((np.asarray(images), [str(word) for word in words], list(wrong)))
    return Static(figure, alt)


def comparison(groups: Mapping[str, Sequence[float]], provenance: str, alt: str) -> Static:
    """Show recorded test accuracies, a row each: every run, their mean, and its interval.

    Args:
        groups: name to the accuracies of its runs, one for each seed.
        provenance: how they were made.
        alt: what the picture shows.

    The bar holds the mean of endless runs with 95 % confidence, as of `mean_and_margin`. Runs of two groups share their
    seeds, so two groups are compared by the differences of their runs and not by their bars.
    """
    figure = new_figure(9.2, 0.42 * len(groups) + 1.3)
    bottom = 0.95 / (0.42 * len(groups) + 1.3)
    axes = figure.add_axes((0.27, bottom, 0.70, 0.98 - bottom), xlabel="share of 450 test digits answered correctly")
    for row, values in enumerate(groups.values()):
        middle, margin = mean_and_margin(values)
        axes.plot(values, [row] * len(values), "|", color=BLUE, alpha=0.5, markersize=9,
                  label=f"a recorded run ({len(values)} seeds)" if row == 0 else None)  # fmt: skip
        axes.errorbar(middle, row, xerr=margin, fmt="s", color=INK, capsize=4, markersize=6,
                      label="mean and its 95 % interval" if row == 0 else None)  # fmt: skip
    axes.set_yticks(range(len(groups)), list(groups))
    axes.set_ylim(len(groups) - 0.4, -0.7)
    axes.grid(axis="x", color="#e5e5e5")
    figure.legend(loc="lower center", ncols=2, fontsize=9, bbox_to_anchor=(0.5, 0.035))
    figure.text(0.5, 0.012, provenance.replace("\n", ";  "), ha="center", va="bottom", fontsize=8, color=GREY)
    return Static(figure, alt)


def search(
    scores: Mapping[tuple[int, int], Sequence[float]], chosen: tuple[int, int], provenance: str, alt: str
) -> Static:
    """Show a search over architectures: mean validation accuracy for each width and depth, ± its margin.

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
            text = "{:.3f}\n± {:.3f}".format(*mean_and_margin(scores[width, depth]))
            axes.text(column, row, text, ha="center", va="center", color="white" if grid[row, column] < 0.65 else INK)
    column, row = widths.index(chosen[0]), depths.index(chosen[1])
    axes.add_patch(Rectangle((column - 0.47, row - 0.45), 0.94, 0.9, fill=False, edgecolor=ORANGE, linewidth=3))
    figure.text(0.5, 0.02, provenance.replace("\n", ";  "), ha="center", va="bottom", fontsize=8, color=GREY)
    return Static(figure, alt)
