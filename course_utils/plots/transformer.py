"""Pictures of the transformer's parts: parameters by kind, positions, sizes of the stream, ablations, families."""

from collections.abc import Mapping, Sequence
from statistics import mean
from typing import Any

from matplotlib.figure import Figure

from course_utils.experiments.counting import KINDS, PRECISIONS, Counted, size
from course_utils.experiments.positions import FARTHEST, POSITIONS, REFERENCE, WIDTH, Scored
from course_utils.plots import picture
from course_utils.plots.bars import Bars, Rows
from course_utils.plots.panels import Curves, Heatmap, Panel
from course_utils.plots.static import Static
from course_utils.plots.style import BLUE, GREY, INK, ORANGE
from course_utils.wording import percent

# ---- Panels: parameters by kind ----


def count_panels(figure: Figure) -> dict[str, Panel]:
    """A bar for each kind of matrix; beside it, the memory of all of them at each precision."""
    kinds = figure.add_axes((0.21, 0.03, 0.48, 0.86), xlim=(0, 1.45))
    memory = figure.add_axes((0.83, 0.03, 0.16, 0.86), xlim=(0, 7.2))
    for axes in (kinds, memory):
        axes.set_xticks([])
        axes.spines["bottom"].set_visible(False)
    return {
        "kinds": Bars(kinds, len(KINDS), ghosts=True),
        "memory": Bars(memory, len(PRECISIONS), colour=GREY),
    }


def count_contents(counted: Counted) -> dict[str, Any]:
    """What `count_panels` show: shares as lengths, counts as numbers; bytes in proportion."""
    kinds, memory = counted.kinds, counted.bytes
    labels = list(kinds)
    numbers = [f"{number:,} ({percent(counted.share(kind))})" if number else "none" for kind, number in kinds.items()]
    shares = [counted.share(kind) for kind in kinds]
    bytes_ = [4 * each / memory["4 bytes each"] for each in memory.values()]
    return {
        "kinds": Rows(labels, shares, numbers, labels.index(counted.most), f"{counted.total:,} parameters"),
        "memory": Rows(list(memory), bytes_, [size(each) for each in memory.values()], title="memory"),
    }


# ---- Panels: positions ----


def position_panels(figure: Figure) -> dict[str, Panel]:
    """What tells positions apart, with query and key marked; beside it, the score by distance from two positions."""
    left = figure.add_axes((0.085, 0.14, 0.32, 0.78), xlabel="numbers of the vector", ylabel="position in the text")
    extent = (-0.5, WIDTH - 0.5, POSITIONS - 0.5, -0.5)
    pattern = Heatmap(left, (-1, 1), extent=extent, interpolation="nearest")
    left.set(xlim=extent[:2], ylim=extent[2:], xticks=[], yticks=range(0, POSITIONS + 1, 64))
    left.set_title("what tells positions apart", fontsize=11, loc="left")
    right = figure.add_axes((0.5, 0.14, 0.48, 0.78), xlim=(-1, FARTHEST + 1), ylim=(-5, 5))
    right.set(xlabel="tokens from the query back to the key", ylabel="score")
    right.axhline(0, color=GREY, linewidth=0.8)
    marks = {
        "query": {"color": ORANGE, "linewidth": 2},
        "key": {"color": "white", "linewidth": 2, "linestyle": "--"},
    }
    looks = {
        "reference": {"color": ORANGE, "linewidth": 5, "alpha": 0.45, "label": f"query at position {REFERENCE}"},
        "here": {"color": BLUE, "linewidth": 2, "label": "query at the chosen position"},
        "pair": {"color": INK, "marker": "o", "markersize": 7, "linestyle": "none"},
    }
    return {
        "pattern": pattern,
        "marks": Curves(left, marks),
        "scores": Curves(right, looks, ghosts=["here"], legend={"loc": "upper right", "fontsize": 10}),
    }


def position_contents(scored: Scored) -> dict[str, Any]:
    """What `position_panels` show; curves too high or low for the picture run along its edge."""
    across, back = (-0.5, WIDTH - 0.5), range(FARTHEST + 1)
    key = scored.position - scored.distance
    return {
        "pattern": scored.pattern,
        "marks": {"query": (across, [scored.position] * 2), "key": (across, [key] * 2)},
        "scores": {
            "reference": (back, scored.reference.clip(-5, 5)),
            "here": (back, scored.here.clip(-5, 5)),
            "pair": ([scored.distance], [scored.here[scored.distance].clip(-5, 5)]),
        },
    }


# ---- Pictures that do not move ----


def stream_lengths(lengths: Sequence[float]) -> Static:
    """How long a token's vector is at the table and after each block; by powers, because it grows by powers.

    Args:
        lengths: of the row of the table, and after each block.

    >>> stream_lengths([2.0, 40.0, 600.0]).alt
    'Length of the vector: 2.0 at the table, 40 after block 1, 600 after block 2.'
    """
    figure = picture.new_figure(8.4, 2.8)
    axes = figure.add_axes(
        (0.09, 0.18, 0.89, 0.78), yscale="log", xlabel="blocks passed", ylabel="length of the vector"
    )
    axes.plot(range(len(lengths)), lengths, color=BLUE, marker="o", markersize=5, linewidth=2)
    ticks = [1, 10, 100, 1000]
    axes.set(ylim=(1, 2000), xlim=(-0.5, len(lengths) - 0.5))
    axes.set_yticks(ticks, [f"{tick:,}" for tick in ticks])
    axes.minorticks_off()
    last = len(lengths) - 1
    return Static(
        figure,
        f"Length of the vector: {lengths[0]:.1f} at the table, {lengths[1]:.0f} after block 1, "
        f"{lengths[last]:.0f} after block {last}.",
    )


def ablation_picture(runs: Mapping[str, Sequence[float]], own: tuple[str, float] | None = None) -> Static:
    """Bits a letter on unseen plays, for a model and the same without a part: a bar to the mean, a dot for each run.

    Args:
        runs: by what is changed; the whole model comes first.
        own: what is changed in a run of the page, and its bits; a star.

    >>> ablation_picture({"whole": [2.5, 2.7], "no MLP": [2.8]}, ("no MLP", 2.9)).alt
    'Bits a letter on unseen plays: whole 2.60; no MLP 2.80. Your run, no MLP: 2.90.'
    """
    figure = picture.new_figure(8.4, 0.8 + 0.3 * len(runs))
    room = 0.55 / figure.get_figheight()
    means = {name: mean(each) for name, each in runs.items()}
    longest = max(max(each) for each in runs.values())
    axes = figure.add_axes((0.24, room, 0.73, 0.98 - room), xlim=(0, 1.14 * longest), ylim=(len(runs) - 0.4, -0.6))
    axes.set_xlabel("bits a letter on unseen plays (fewer is better)")
    for at, (name, each) in enumerate(runs.items()):
        axes.barh(at, means[name], 0.7, color=BLUE if at else GREY)
        axes.plot(each, [at] * len(each), "o", color=INK, markersize=4)
        axes.text(max(each) + 0.012 * longest, at, f"{means[name]:.2f}", va="center", fontsize=10)
    axes.axvline(next(iter(means.values())), color=GREY, linewidth=1, linestyle=":")
    axes.set_yticks(range(len(runs)), list(runs))
    axes.tick_params(axis="y", length=0)
    said = "; ".join(f"{name} {value:.2f}" for name, value in means.items())
    told = f"Bits a letter on unseen plays: {said}."
    if own is not None:
        axes.plot(own[1], list(runs).index(own[0]), "*", color=ORANGE, markersize=15, markeredgecolor="white")
        told += f" Your run, {own[0]}: {own[1]:.2f}."
    return Static(figure, told)
