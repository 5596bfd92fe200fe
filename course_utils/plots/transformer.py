"""Pictures of the transformer's parts: parameters by kind, positions, sizes of the stream, ablations, families."""

from collections.abc import Mapping, Sequence
from statistics import mean
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from course_utils.data.published import ModelSize
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
    axes.set_xlabel("bits a letter on unseen plays (lower is better)")
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
        axes.plot(own[1], list(runs).index(own[0]), "*", color="white", markersize=17, markeredgecolor=INK, zorder=4)
        told += f" Your run, {own[0]}: {own[1]:.2f}."
    return Static(figure, told)


SIZES = ["10 million", "100 million", "1 billion", "10 billion", "100 billion", "1,000 billion"]  # 10^7 to 10^12
FAMILIES = {"encoder-only": ("^", "#1b9e77"), "encoder-decoder": ("s", ORANGE), "decoder-only": ("o", BLUE)}


def published_sizes(sizes: Sequence[ModelSize]) -> Static:
    """Published models by date and size, by powers; those of unknown size stand in a row of their own on top.

    A name is left out where there is no room for it.

    Args:
        sizes: the oldest first.

    >>> from course_utils.data import llm_sizes
    >>> published_sizes(llm_sizes()[-1:]).alt
    'Parameters of 1 model, from gpt-oss 120B, 116,830,000,000, to gpt-oss 120B, 116,830,000,000. Not published: none.'
    """
    figure = picture.new_figure(8.4, 5.4)
    axes = figure.add_axes((0.13, 0.08, 0.86, 0.9), yscale="log", xlim=(2016.6, 2027), ylim=(1e7, 8e12))
    axes.set_yticks([10.0**power for power in range(7, 13)], SIZES)
    axes.minorticks_off()
    axes.axhspan(2e12, 8e12, color="#eeeeee", linewidth=0)
    axes.text(2016.7, 4e12, "size not published", va="center", fontsize=10)
    known: list[tuple[int, str, tuple[float, float]]] = []  # parameters, name and place
    unknown: list[tuple[int, str, tuple[float, float]]] = []
    taken: list[tuple[float, float, float, float]] = []  # boxes of marks and names, in pixels
    for model in sizes:
        parameters = model.counted or model.published
        place = int(model.date[:4]) + (int(model.date[5:7]) - 0.5) / 12, parameters or 4e12
        marker, colour = FAMILIES[model.family]
        axes.plot(*place, marker, color=colour, markersize=8)
        x, y = axes.transData.transform(place)
        taken.append((x - 6, y - 6, x + 6, y + 6))
        (known if parameters else unknown).append((parameters or 0, model.model, place))
    for _, name, place in sorted(known + unknown, reverse=True):
        _write_beside(axes, name, place, taken)
    marks = {name: axes.plot([], [], mark, color=colour, markersize=8)[0] for name, (mark, colour) in FAMILIES.items()}
    axes.legend(list(marks.values()), list(marks), loc=(0.52, 0.03), fontsize=10)
    least, most = min(known), max(known)
    models = "1 model" if len(known) == 1 else f"{len(known)} models"
    return Static(
        figure,
        f"Parameters of {models}, from {least[1]}, {least[0]:,}, to {most[1]}, {most[0]:,}. "
        f"Not published: {', '.join(name for _, name, _ in unknown) or 'none'}.",
    )


def _write_beside(
    axes: Axes, name: str, place: tuple[float, float], taken: list[tuple[float, float, float, float]]
) -> None:
    """Write a name at the first side of its mark that nothing else has taken; where there is none, leave it out."""
    x, y = axes.transData.transform(place)
    wide, high = 7.0 * len(name), 13.0
    sides = {(9, 0): "left", (-9, 0): "right", (9, 9): "left", (9, -9): "left", (-9, 9): "right", (-9, -9): "right"}
    for (right, up), align in sides.items():
        left = x + right - (wide if align == "right" else 0.0)
        box = left, y + up - high / 2, left + wide, y + up + high / 2
        free = all(box[0] > b[2] or box[2] < b[0] or box[1] > b[3] or box[3] < b[1] for b in taken)
        if free and axes.bbox.x0 < box[0] and box[2] < axes.bbox.x1:
            taken.append(box)
            points = 72 / axes.figure.dpi
            where = right * points, up * points
            axes.annotate(name, place, where, textcoords="offset points", ha=align, va="center", fontsize=9)
            return
