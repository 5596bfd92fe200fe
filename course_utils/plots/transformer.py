"""Pictures of the transformer's parts: parameters by kind, positions, sizes of the stream, ablations, families."""

from typing import Any

from matplotlib.figure import Figure

from course_utils.experiments.counting import KINDS, PRECISIONS, Counted, size
from course_utils.experiments.positions import FARTHEST, POSITIONS, REFERENCE, WIDTH, Scored
from course_utils.plots.bars import Bars, Rows
from course_utils.plots.panels import Curves, Heatmap, Panel
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
