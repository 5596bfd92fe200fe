"""Graphs of a calculation: where each node stands, and the picture with values, gradients and what edges hand back.

``layout`` follows Sugiyama, Tagawa and Toda, "Methods for visual understanding of hierarchical system structures"
(1981): columns first, then an order in each column with few crossings, then heights that keep edges straight.
"""

import functools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.patches import PathPatch
from matplotlib.path import Path
from matplotlib.textpath import TextPath

from course_utils.plots.networks import SIGNS
from course_utils.plots.picture import new_figure
from course_utils.plots.static import Static
from course_utils.plots.style import BLUE, GREY, INK, ORANGE, readable

MOST_COLUMNS, MOST_ROWS = 14, 11  # beyond these the numbers could not be read
SWEEPS = 8
LANE = 0.6  # the height an edge takes where it passes between nodes; a node takes 1


@dataclass(frozen=True, eq=False)
class Layout:
    """Where nodes and edges stand; columns count from the left, rows from the top, both may be fractions."""

    places: np.ndarray  # (nodes, 2): column, row
    edges: tuple[tuple[int, int], ...]  # parent, node; a node that uses a parent twice has two edges
    paths: tuple[np.ndarray, ...]  # per edge (points, 2): parent, the lanes it passes through, node
    columns: int
    rows: float


def layout(parents: Sequence[Sequence[int]]) -> Layout:
    """Place a graph so that it reads from left to right: every node right of what it is computed from.

    Args:
        parents: for each node the numbers of the nodes it is computed from, all smaller; the last node is the output.

    Raises:
        ValueError: more columns or rows than can be read.

    >>> layout([(), (), (0, 1)]).places.tolist()
    [[0.0, 0.0], [0.0, 1.0], [1.0, 0.5]]
    """
    edges = tuple((parent, node) for node, used in enumerate(parents) for parent in used)
    depth = [0] * len(parents)  # steps from the output: a node stands as far right as its users let it
    for parent, node in reversed(edges):
        depth[parent] = max(depth[parent], depth[node] + 1)
    columns = max(depth) + 1
    if columns > MOST_COLUMNS:
        raise ValueError(
            f"the graph is {columns} operations long and the picture holds {MOST_COLUMNS}; use a shorter expression"
        )
    column = [columns - 1 - steps for steps in depth]
    chains, items = [], len(parents)  # an edge over several columns passes through a lane in each
    for parent, node in edges:
        lanes = range(items, items := items + column[node] - column[parent] - 1)
        column += range(column[parent] + 1, column[node])
        chains.append([parent, *lanes, node])
    rows = _rows(column, chains, len(parents))
    tall = float(rows.max()) + 1
    if tall > MOST_ROWS:
        raise ValueError("too many lines of the graph stand above each other; use a shorter expression")
    every = np.column_stack([np.array(column, dtype=float), rows])
    paths = tuple(every[chain] for chain in chains)
    return Layout(every[: len(parents)], edges, paths, columns, tall)


def _rows(column: list[int], chains: list[list[int]], nodes: int) -> np.ndarray:
    """The height of each node and lane, ``(items,)``: few crossings, then edges as straight as the order allows."""
    left: list[list[int]] = [[] for _ in column]
    right: list[list[int]] = [[] for _ in column]
    for before, after in (pair for chain in chains for pair in pairwise(chain)):
        left[after].append(before)
        right[before].append(after)
    orders: list[list[int]] = [[] for _ in range(max(column) + 1)]
    work, seen = [nodes - 1], set()
    while work:  # from the output inwards: a tree comes out without a crossing at once
        item = work.pop()
        if item not in seen:
            seen.add(item)
            orders[column[item]].append(item)
            work += reversed(left[item])
    best, fewest = orders, _crossings(orders, right)
    for sweep in range(SWEEPS):
        beside, direction = (left, orders[1:]) if sweep % 2 else (right, orders[-2::-1])
        for order in direction:
            at = {item: place for other in orders for place, item in enumerate(other)}
            order.sort(key=lambda item: np.mean([at[other] for other in beside[item]] or [at[item]]))
        if (crossings := _crossings(orders, right)) < fewest:
            best, fewest = [list(order) for order in orders], crossings
        orders = [list(order) for order in orders]
    return _heights(best, left, right, nodes)


def _crossings(orders: list[list[int]], right: list[list[int]]) -> int:
    count = 0
    for here, there in pairwise(orders):
        at = {item: place for place, item in enumerate(there)}
        ends = [at[other] for item in here for other in sorted(right[item], key=at.__getitem__)]
        count += sum(earlier > later for place, earlier in enumerate(ends) for later in ends[place + 1 :])
    return count


def _heights(orders: list[list[int]], left: list[list[int]], right: list[list[int]], nodes: int) -> np.ndarray:
    """Move each column towards the middle of its neighbours, keeping its order and its distances."""
    from scipy.optimize import isotonic_regression  # here, because it takes a third of a second to load

    rows = np.zeros(len(left))
    size = np.where(np.arange(len(left)) < nodes, 1.0, LANE)
    gaps = [np.concatenate([[0.0], (size[order[1:]] + size[order[:-1]]) / 2]).cumsum() for order in orders]
    for order, gap in zip(orders, gaps, strict=True):
        rows[order] = gap - gap[-1] / 2
    for sweep in range(SWEEPS):
        for place in range(len(orders)) if sweep % 2 else reversed(range(len(orders))):
            order = orders[place]
            wanted = np.array([np.mean(rows[left[item] + right[item]] if left[item] + right[item] else [0.0])
                               for item in order])  # fmt: skip
            # The nearest heights in this order at these distances: a rising line through what is wanted.
            rows[order] = isotonic_regression(wanted - gaps[place]).x + gaps[place]
    return rows - rows.min()


def short(number: float) -> str:
    """Return a number with three digits that matter, in few signs.

    >>> [short(n) for n in (2.0, -0.12345, 123456.0, -0.000859, 1e-9, -0.0)]
    ['2', '-0.123', '1.23e5', '-8.59e-4', '1e-9', '0']
    """
    digits = f"{number:.2e}" if 0 < abs(number) < 0.001 else f"{number + 0.0:.3g}"
    mantissa, _, power = digits.partition("e")
    return f"{mantissa.rstrip('0').rstrip('.') if '.' in mantissa else mantissa}e{int(power)}" if power else mantissa


class Numbers(PathPatch):
    """Many short numbers in one colour as one shape: drawn in a tenth of the time that as many texts take."""

    def __init__(self, colour: str, weight: str = "normal", **more: Any):
        super().__init__(Path(np.zeros((0, 2))), facecolor=colour, edgecolor="none", **more)
        self.weight = weight

    def update_numbers(self, texts: Iterable[tuple[str, float, float, float, float]]) -> list[float]:
        """Show texts, each with the x and y of its middle, its size in points and the most inches it may be wide.

        Returns:
            the width of each text in inches, half of it left and half of it right of x.
        """
        shapes, signs, widths = [], [], []
        for text, x, y, size, widest in texts:
            glyphs = [_glyph(sign, self.weight) for sign in text]
            natural = sum(glyph[2] for glyph in glyphs) * size / 72
            scale = size / 72 * min(1.0, widest / natural)
            widths.append(min(natural, widest))
            at = x - widths[-1] / 2
            for vertices, codes, advance in glyphs:
                shapes.append(vertices * (scale, -scale) + (at, y + 0.365 * scale))  # a digit is 0.73 sizes high
                signs.append(codes)
                at += advance * scale
        none = (np.zeros((0, 2)), np.zeros(0, dtype=np.uint8))
        self.set_path(Path(np.concatenate([none[0], *shapes]), np.concatenate([none[1], *signs])))
        return widths


@functools.cache
def _glyph(sign: str, weight: str) -> tuple[np.ndarray, np.ndarray, float]:
    """The outline of a sign at a size of 1 (vertices and codes) and how far the next sign stands from it."""
    font = FontProperties(family="DejaVu Sans", weight=weight)
    alone, doubled = (TextPath((0, 0), text, size=1, prop=font) for text in (sign, sign + sign))
    advance = float(doubled.vertices[len(alone.vertices), 0] - alone.vertices[0, 0])
    return alone.vertices, alone.codes, advance


def _box(x: float, y: float, width: float, height: float) -> list[tuple[float, float]]:
    return [(x - width, y - height), (x + width, y - height), (x + width, y + height), (x - width, y + height)]


def _curve(points: np.ndarray, bulge: float) -> np.ndarray:
    """A smooth line through points, level where it meets them, ``(12 a piece, 2)``; ``bulge`` lifts its middle."""
    t = np.linspace(0, 1, 12)[:, None]
    ease = t * t * (3 - 2 * t)
    pieces = [(1 - t) * a * (1, 0) + t * b * (1, 0) + ((1 - ease) * a + ease * b) * (0, 1) for a, b in pairwise(points)]
    line = np.concatenate(pieces)
    line[:, 1] += bulge * np.sin(np.linspace(0, np.pi, len(line)))
    return line


@dataclass(frozen=True)
class GraphNumbers:
    """What `GraphPicture` shows: the numbers of one pass, as far backwards as it has gone."""

    values: Sequence[float]  # (nodes,)
    gradients: Sequence[float | None]  # (nodes,) None where not yet computed, and for constants
    handed: Sequence[float | None]  # (edges,) what a node has handed to its parent; None where nothing yet
    current: int | None  # the node just stepped


class GraphPicture:
    """Boxes for nodes, with name, value and gradient; lines between them, with what the backward pass handed over.

    Args:
        figure: an empty figure; the picture fills it.
        names: what each node does, or is called.
        places: from ``layout``.
        plain: nodes that are constants: a name and nothing else.
    """

    def __init__(self, figure: Figure, names: Sequence[str], places: Layout, plain: Sequence[bool]):
        wide, tall = figure.get_size_inches()
        axes = figure.add_axes((0, 0, 1, 1), xlim=(0, wide), ylim=(tall, 0))  # in inches, from the top left
        axes.axis("off")
        key, edge = 0.32, 0.12
        across, down = (wide - 2 * edge) / places.columns, (tall - key - 2 * edge) / max(places.rows, 3)
        half_width, half_height = min(0.52, 0.28 * across), min(0.42, 0.40 * down)
        self.size = min(11.5, half_width * 36, half_height * 38)  # three lines of seven signs fit into a box
        scale, offset = np.array([across, down]), np.array([edge + across / 2, 0.0])
        offset[1] = edge + (tall - key - 2 * edge) / 2 - (places.rows - 1) / 2 * down
        centres = places.places * scale + offset
        self.centres, self.boxes = centres, [_box(x, y, half_width, half_height) for x, y in centres]
        self.lines: list[np.ndarray] = []
        for index, (path, pair) in enumerate(zip(places.paths, places.edges, strict=True)):
            centre = np.repeat(path * scale + offset, 2, axis=0)
            points = (centre + np.tile([(-half_width, 0), (half_width, 0)], (len(path), 1)))[1:-1]  # level past a box
            twins = [other for other, each in enumerate(places.edges) if each == pair]
            self.lines.append(_curve(points, 0.4 * (twins.index(index) - (len(twins) - 1) / 2)))
        axes.add_collection(LineCollection(self.lines, colors=GREY, linewidths=1, zorder=1))
        faces = ["#eeeeee" if fixed else "white" for fixed in plain]
        axes.add_collection(PolyCollection(self.boxes, facecolors=faces, edgecolors=GREY, linewidths=1, zorder=2))
        third = half_height * 0.62
        for name, fixed, (x, y) in zip(names, plain, centres, strict=True):
            axes.text(x, y - (0 if fixed else third), readable(name), ha="center", va="center", size=self.size,
                      weight="bold", zorder=4)  # fmt: skip
        under: dict[str, Any] = {"ha": "center", "va": "top", "size": 7.5, "color": INK, "zorder": 4}
        self.ghosts = [axes.text(x, y + half_height + 0.02, "", **under) for x, y in centres]
        axes.text(
            wide / 2, tall - edge, "box: operation, value (blue), gradient (orange)  ·  line: what was handed back"
            "  ·  thick frame: the box whose turn it is",
            ha="center", va="bottom", size=8.5, color="#555555",
        )  # fmt: skip
        self.frames = PolyCollection([], facecolors="none", zorder=3)
        self.handed = LineCollection([], colors=ORANGE, zorder=2)
        axes.add_collection(self.handed)
        axes.add_collection(self.frames)
        (self.arrows,) = axes.plot([], [], "<", color=ORANGE, markersize=6, zorder=3)

        self.plain, self.edges, self.third, self.box_width = list(plain), places.edges, third, 1.84 * half_width
        self.gap = 0.9 * (across - 2 * half_width)  # the widest that a number between two boxes may be
        self.spots = list(self._free_places())
        self.grounds = PolyCollection([], facecolors="white", edgecolors="none", zorder=4)
        axes.add_collection(self.grounds)
        self.values, self.labels = Numbers(BLUE, zorder=5), Numbers(ORANGE, zorder=5)
        self.gradients = Numbers(ORANGE, "bold", zorder=5)
        for numbers in (self.values, self.gradients, self.labels):
            axes.add_patch(numbers)

    def _free_places(self) -> Iterator[np.ndarray]:
        """For each edge the point on it that is farthest from the labels before it, preferably at its middle."""
        taken: list[np.ndarray] = []
        for line in self.lines:
            ends = line[[0, -1]]
            spots = line[(np.array([0.5, 0.36, 0.64, 0.25, 0.75]) * (len(line) - 1)).round().astype(int)]
            crowd = [*taken, *ends] if len(line) > 12 else taken
            room = [min((np.abs((spot - other) * (0.45, 1)).max() for other in crowd), default=1.0) for spot in spots]
            taken.append(spots[int(np.argmax(np.minimum(room, 0.2)))])
            yield taken[-1]

    def artists(self) -> list[Artist]:
        """Return what ``update`` changes."""
        return [self.handed, self.arrows, self.frames, self.grounds, self.values, self.gradients, self.labels]

    def update(self, content: GraphNumbers, ghost: GraphNumbers | None = None) -> None:
        """Show the numbers of another pass over the same graph; those of the pinned one stand under the boxes."""
        values, gradients, handed, current = content.values, content.gradients, content.handed, content.current
        for node, text in enumerate(self.ghosts):
            words = ""
            if ghost is not None and not self.plain[node]:
                gradient = ghost.gradients[node]
                words = f"pinned {short(ghost.values[node])}" + ("" if gradient is None else f" | {short(gradient)}")
            if text.get_text() != words:  # these stand in the kept background
                text.set_text(words)
        knobs = [node for node, fixed in enumerate(self.plain) if not fixed]
        done = [node for node, gradient in enumerate(gradients) if gradient is not None]
        forwards = {node: values[node] for node in knobs}
        backwards = {node: gradients[node] for node in done}
        for numbers, shown, down in ((self.values, forwards, 0.0), (self.gradients, backwards, self.third)):
            numbers.update_numbers(
                (short(number or 0.0), x, y + down, self.size, self.box_width)
                for number, (x, y) in zip(shown.values(), self.centres[list(shown)], strict=True)
            )
        used = [(edge, share) for edge, share in enumerate(handed) if share is not None]
        size = min(9.5, self.size)
        places = [self.spots[edge] for edge, _ in used]
        widths = self.labels.update_numbers(
            (short(share), x, y, size, self.gap) for (_, share), (x, y) in zip(used, places, strict=True)
        )
        self.grounds.set_verts(
            [_box(x, y, width / 2 + 0.02, size / 144) for (x, y), width in zip(places, widths, strict=True)]
        )
        self.handed.set_segments([self.lines[edge] for edge, _ in used])
        self.handed.set_linewidth([3.0 if self.edges[edge][1] == current else 1.5 for edge, _ in used])
        tips = np.array([self.lines[edge][0] for edge, _ in used]).reshape(-1, 2)
        self.arrows.set_data(tips[:, 0] + 0.04, tips[:, 1])
        self.frames.set_verts([self.boxes[node] for node in done])
        self.frames.set_edgecolor([INK if node == current else ORANGE for node in done])
        self.frames.set_linewidth([3.5 if node == current else 1.5 for node in done])


# ---- Pictures of the lesson that do not move ----


def costs(parameters: Sequence[int], backward: Sequence[float], knobs: Sequence[float]) -> Static:
    """Time for all gradients both ways, as the number of parameters grows.

    Args:
        parameters: how many, rising.
        backward: seconds of one forward and backward pass, one per entry of ``parameters``.
        knobs: seconds for turning every knob in turn.
    """
    figure = new_figure(7.6, 3.6)
    axes = figure.add_axes((0.11, 0.16, 0.62, 0.78), xlabel="parameters", ylabel="milliseconds", xscale="log",
                           yscale="log")  # fmt: skip
    axes.xaxis.set_major_formatter("{x:g}")
    axes.yaxis.set_major_formatter("{x:g}")
    for seconds, name, colour, mark in ((knobs, "every knob in turn", BLUE, "o-"),
                                        (backward, "one run and\none backward pass", ORANGE, "s--")):  # fmt: skip
        milliseconds = 1000 * np.asarray(seconds)
        axes.plot(parameters, milliseconds, mark, color=colour)
        axes.annotate(name, (parameters[-1], milliseconds[-1]), (10, 0), textcoords="offset points", color=colour,
                      va="center")  # fmt: skip
    times = knobs[-1] / backward[-1]
    return Static(
        figure,
        f"All gradients of {parameters[-1]:,} parameters: {1000 * backward[-1]:.1f} ms by one run and one backward "
        f"pass, {1000 * knobs[-1]:.0f} ms by turning every knob, {times:.0f} times as long.",
    )


def desires(
    images: Sequence[np.ndarray],
    names: Sequence[str],
    parameters: Sequence[str],
    each: Sequence[Sequence[float]],
    average: Sequence[float],
) -> Static:
    """How far some examples want some parameters moved, and the average over all examples beside it.

    Args:
        images: ``(height, width)`` each, from 0, paper, to 1, ink: the examples shown.
        names: of these examples.
        parameters: names of the parameters.
        each: for each of these examples, what it wants of each parameter; negative is down.
        average: of all examples, one for each parameter.

    >>> desires([np.eye(2)], ["three"], ["weight", "bias"], [[0.5, -2.0]], [0.1, 0.25]).alt
    'What 1 example wants of 2 parameters, from -2.00 to +0.50; the average of all wants +0.10, +0.25.'
    """
    figure = new_figure(7.6, 0.36 * len(parameters) + 1.5)
    wide, tall = figure.get_size_inches()
    left, cell, top = 0.95, (wide - 2.1) / max(len(images), 6), 1.15  # inches; the average stands at the right
    numbers = np.column_stack([np.array(each).T, average])
    largest = float(np.abs(numbers).max())
    for column, (image, name) in enumerate(zip(images, names, strict=True)):
        side = min(cell - 0.16, 0.72)
        place = ((left + (column + 0.5) * cell - side / 2) / wide, 1 - (top - 0.1) / tall, side / wide, side / tall)
        axes = figure.add_axes(place, xticks=[], yticks=[])
        axes.spines[:].set(visible=True, color=GREY)
        axes.imshow(np.asarray(image), cmap="gray_r", vmin=0, vmax=1, interpolation="nearest")
        axes.set_title(readable(name), fontsize=10, pad=3)
    for column in range(len(images) + 1):
        last = column == len(images)
        x = wide - 0.95 if last else left + column * cell
        width = 0.85 if last else cell
        place = (x / wide, 0.12 / tall, width / wide, 1 - (top + 0.12 + 0.1) / tall)
        axes = figure.add_axes(place, xticks=[], yticks=[])
        axes.spines[:].set(visible=True, color=GREY)
        axes.imshow(numbers[:, [column]], cmap=SIGNS, vmin=-largest, vmax=largest, aspect="auto")
        for row, number in enumerate(numbers[:, column]):
            dark = abs(number) > 0.6 * largest
            axes.text(0, row, f"{number:+.2f}", ha="center", va="center", fontsize=10.5, color="white" if dark else INK,
                      weight="bold" if last else "normal")  # fmt: skip
        if not column:
            axes.set_yticks(range(len(parameters)), [readable(name) for name in parameters])
            axes.tick_params(length=0)
        if last:
            axes.set_title("average\nof all", fontsize=10, pad=4)
    count = f"{len(images)} example{'s' if len(images) > 1 else ''}"
    shown = numbers[:, :-1]
    verb = "want" if len(images) > 1 else "wants"
    return Static(
        figure,
        f"What {count} {verb} of {len(parameters)} parameters, from {shown.min():+.2f} to {shown.max():+.2f}; the "
        f"average of all wants {', '.join(f'{number:+.2f}' for number in average)}.",
    )


def falling_loss(losses: Sequence[float]) -> Static:
    """The loss after each step of a training run.

    Args:
        losses: one per step.
    """
    figure = new_figure(7.6, 3.0)
    axes = figure.add_axes((0.11, 0.19, 0.86, 0.76), xlabel="step", ylabel="loss")
    axes.plot(range(len(losses)), losses, color=BLUE)
    return Static(figure, f"Loss {losses[0]:.3f} at the first step, {losses[-1]:.3f} at the last of {len(losses)}.")
