"""Losses as landscapes: maps with height lines, walks on them, and the height of a walk at each step."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.text import Text

from course_utils.experiments.descent import Race, Walk
from course_utils.optimisers import Trajectory
from course_utils.plots.panels import Curves, Panel, Words
from course_utils.plots.picture import new_figure
from course_utils.plots.static import Static
from course_utils.plots.style import BLUE, GREY, INK, ORANGE
from course_utils.surfaces import Surface, least

GROUND = LinearSegmentedColormap.from_list("ground", ["#f7fbff", "#9ebcda"])  # pale in the valley, darker on the hills
LEVELS = 14
MAP = (0.06, 0.145, 0.46, 0.835)  # left, bottom, width, height of the map in the picture of a walk or a race
CURVE = (0.62, 0.145, 0.355, 0.765)
WALKERS = {"gradient descent": (INK, "o"), "momentum": (BLUE, "s"), "RMSProp": ("#1b9e77", "^"), "Adam": (ORANGE, "D")}


def draw_ground(axes: Axes, surface: Surface) -> None:
    """Draw the surface: a curve over one parameter, height lines over two; a plus at each minimum."""
    axes.set(xlim=surface.window[0], xlabel=surface.names[0])
    if len(surface.window) == 1:
        x, heights = surface.map(301)
        axes.plot(x, heights, color=GREY, linewidth=2)
        axes.set(ylim=(heights.min() - 0.1 * np.ptp(heights), heights.max()))
        axes.set_ylabel("loss", labelpad=0)
        axes.plot(
            [place[0] for place in surface.minima], [surface.loss(*place) for place in surface.minima], "k+", ms=9
        )
        return
    x, y, heights = surface.map(81)
    lowest = heights.min()
    # Lines lie closer where the ground is low, because walks end there.
    levels = lowest + (heights.max() - lowest) * np.linspace(0, 1, LEVELS) ** 2
    axes.contourf(x, y, heights, levels, cmap=GROUND)
    axes.contour(x, y, heights, levels, colors="#6b7f94", linewidths=0.5)
    axes.set_ylim(surface.window[1])
    axes.set_ylabel(surface.names[1], labelpad=0)
    axes.plot(*np.transpose(surface.minima), "k+", ms=9, mew=1.5)


def on_ground(surface: Surface, path: Trajectory) -> np.ndarray:
    """The path's places in the picture of the surface, ``(2, steps + 1)``; those far outside are drawn nearer."""
    x = path.positions[:, 0]
    y = path.losses if len(surface.window) == 1 else path.positions[:, 1]
    spans = surface.window[0], surface.window[1] if len(surface.window) > 1 else (0.0, surface.highest)
    return np.stack(
        [
            np.nan_to_num(values, nan=1e300).clip(low - 20 * (high - low), high + 20 * (high - low))
            for values, (low, high) in zip((x, y), spans, strict=True)
        ]
    )


def above_least(surface: Surface, path: Trajectory) -> np.ndarray:
    """How far each step of the path lies above the lowest minimum, as far as a picture shows it; ``(steps + 1,)``."""
    top = surface.highest - least(surface)
    return np.nan_to_num(path.losses - least(surface), nan=np.inf).clip(1e-7 * top, 100 * top)


def draw_heights(axes: Axes, surface: Surface, steps: int) -> Text:
    """Prepare axes for the height of walks above the lowest place, at each step; return the words of the top band."""
    top = surface.highest - least(surface)
    axes.set(yscale="log", ylim=(1e-6 * top, 30 * top), xlim=(0, steps), xlabel="step")
    axes.set_title("loss above the lowest place", loc="left", fontsize=11)
    axes.minorticks_off()
    axes.axhspan(10 * top, 30 * top, color="#f6d9c5", linewidth=0)
    return axes.text(0.99, 0.985, "diverged", transform=axes.transAxes, ha="right", va="top", fontsize=9, color=INK)


def room_for(steps: int) -> int:
    """How many steps the axis of the curve shows.

    >>> room_for(50), room_for(51)
    (50, 100)
    """
    return next(limit for limit in (10, 25, 50, 100, 200) if steps <= limit)


def walk_panels(figure: Figure, surface: Surface, steps: int) -> dict[str, Panel]:
    """The map with a walk; beside it, the height at each step."""
    ground, heights = figure.add_axes(MAP), figure.add_axes(CURVE)
    draw_ground(ground, surface)
    band = draw_heights(heights, surface, room_for(steps))
    words = heights.text(0.03, 0.04, "", transform=heights.transAxes, fontsize=11, weight="bold")
    path = {"color": ORANGE, "marker": "o", "markersize": 4, "linewidth": 1.4}
    start = {"linestyle": "", "color": INK, "marker": "s", "markersize": 9, "clip_on": False, "label": "start"}
    end = {"linestyle": "", "color": BLUE, "marker": "*", "markersize": 15, "markeredgecolor": "white"}
    bang = {"linestyle": "", "color": INK, "marker": "X", "markersize": 11, "clip_on": False}
    legend = {"loc": "upper right", "fontsize": 10, "frameon": True, "framealpha": 0.9}
    looks = {"path": path, "start": start, "end": {**end, "label": "end"}}
    return {
        "map": Curves(ground, looks, ghosts=["path"], legend=legend),
        "heights": Curves(heights, {"path": {**path, "markersize": 3}, "bang": bang}, ghosts=["path"]),
        "band": Words(band),
        "words": Words(words),
    }


def walk_contents(walk: Walk) -> dict[str, Any]:
    """What `walk_panels` show: the walk's places, its heights, and the step at which it diverged."""
    places, heights = on_ground(walk.surface, walk.path), above_least(walk.surface, walk.path)
    step = walk.path.diverged
    bang = ([], []) if step is None else ([step], [20 * (walk.surface.highest - least(walk.surface))])
    return {
        "map": {"path": tuple(places), "start": tuple(places[:, :1]), "end": tuple(places[:, -1:])},
        "heights": {"path": (np.arange(len(heights)), heights), "bang": bang},
        "band": "diverged" if step is None else "",  # there the mark stands
        "words": "" if step is None else f"diverged at step {step}",
    }


def race_panels(figure: Figure, surface: Surface, steps: int) -> dict[str, Panel]:
    """The map with four walks; beside it, their heights."""
    ground, heights, room = figure.add_axes(MAP), figure.add_axes(CURVE), room_for(steps)
    draw_ground(ground, surface)
    draw_heights(heights, surface, room)
    alike = {"markersize": 6, "linewidth": 1.3, "markevery": max(1, room // 8)}
    looks: dict[str, dict[str, Any]] = {
        name: {"color": colour, "marker": marker, **alike} for name, (colour, marker) in WALKERS.items()
    }
    start = {"linestyle": "", "color": "white", "marker": "s", "markeredgecolor": INK, "markersize": 9}
    legend = {"loc": "upper right", "fontsize": 9, "bbox_to_anchor": (1, 0.93), "framealpha": 0.8}
    named = {name: {**look, "label": name} for name, look in looks.items()}
    panels = {
        "map": Curves(ground, {**looks, "start": start}, ghosts=list(looks)),
        "heights": Curves(heights, named, ghosts=list(looks), legend=legend),
    }
    for panel in panels.values():
        for name, ghost in panel.ghosts.items():
            ghost.set(color=looks[name]["color"], linestyle=":", linewidth=1.2, alpha=0.6)
    return {**panels}


def race_contents(race: Race) -> dict[str, Any]:
    """What `race_panels` show: the places of the four walks, and their heights."""
    places = {name: tuple(on_ground(race.surface, path)) for name, path in race.paths.items()}
    heights = {name: above_least(race.surface, path) for name, path in race.paths.items()}
    start = tuple(axis[:1] for axis in places["momentum"])
    return {
        "map": {**places, "start": start},
        "heights": {name: (np.arange(len(height)), height) for name, height in heights.items()},
    }


def walks(surface: Surface, paths: Mapping[str, Trajectory], alt: str) -> Static:
    """Show walks, each on a map of its own under its name."""
    figure = new_figure(9.2 if len(paths) > 1 else 5.4, 3.4)
    left = 0.085 if len(paths) > 1 else 0.15
    room = (1 - left) / len(paths)
    for number, (title, path) in enumerate(paths.items()):
        axes = figure.add_axes((left + number * room, 0.16, room - 0.045, 0.72))
        draw_ground(axes, surface)
        axes.plot(*on_ground(surface, path), "o-", color=ORANGE, markersize=4, linewidth=1.5)
        axes.set_title(title, fontsize=11)
        if number:
            axes.set_ylabel("")
            axes.set_yticklabels([])
    return Static(figure, alt)


def gradient_clouds(clouds: Mapping[int, np.ndarray], true: np.ndarray, alt: str) -> Static:
    """Show the gradients of many batches as dots, one panel for each batch size, and the true gradient as a plus.

    Args:
        clouds: batch size to gradients, ``(batches, 2)``.
        true: the gradient of all examples, ``(2,)``.
        alt: what the picture shows.
    """
    figure = new_figure(9.2, 3.2)
    all_of_them = np.concatenate([*clouds.values(), np.zeros((1, 2))])
    low, high = all_of_them.min(0), all_of_them.max(0)
    room = 0.92 / len(clouds)
    for number, (size, gradients) in enumerate(clouds.items()):
        axes = figure.add_axes((0.08 + number * room, 0.17, room - 0.03, 0.7))
        axes.plot(*gradients.T, "o", color=BLUE, markersize=4, alpha=0.35, markeredgewidth=0)
        axes.plot(*true, "+", color=ORANGE, markersize=14, markeredgewidth=2.5)
        axes.set(xlim=(low[0] - 1, high[0] + 1), ylim=(low[1] - 1, high[1] + 1), xlabel="gradient in w")
        axes.set_title(f"batch of {size}")
        if number:
            axes.set_yticklabels([])
        else:
            axes.set_ylabel("gradient in b")
    return Static(figure, alt)


def losses_by_case(rows: Iterable[Mapping[str, Any]]) -> dict[str, dict[int, np.ndarray]]:
    """Sort the recorded runs of ``stuck_runs``: title of a case to number of parameters to final losses, ``(starts,)``.

    >>> row = {"neuron": "sine", "curve": "wave", "parameters": 2, "final_loss": 0.5}
    >>> losses_by_case([row, row])
    {'sine neurons, wave': {2: array([0.5, 0.5])}}
    """
    found: dict[str, dict[int, list[float]]] = {}
    for row in rows:
        title = f"{row['neuron']} neurons, {row['curve']}"
        found.setdefault(title, {}).setdefault(row["parameters"], []).append(row["final_loss"])
    return {title: {size: np.array(losses) for size, losses in found[title].items()} for title in sorted(found)}


def final_losses(cases: Mapping[str, Mapping[int, np.ndarray]], live: tuple[str, int, np.ndarray], alt: str) -> Static:
    """Show where walks from many starts ended: a dot each, one panel for each case, one column for each size.

    Args:
        cases: title to (number of parameters to final losses, ``(starts,)``).
        live: title and number of parameters of the case measured here and now, and its final losses.
        alt: what the picture shows.
    """
    figure = new_figure(9.2, 3.8)
    room = 0.91 / len(cases)
    for number, (title, sizes) in enumerate(cases.items()):
        axes = figure.add_axes((0.085 + number * room, 0.25, room - 0.02, 0.64), yscale="log", ylim=(1e-5, 6))
        for column, (size, losses) in enumerate(sizes.items()):
            spread = column + np.linspace(-0.3, 0.3, len(losses))
            axes.plot(spread, losses.clip(2e-5), "o", color=BLUE, markersize=3.5, alpha=0.6, markeredgewidth=0,
                      label="recorded" if number == column == 0 else None)  # fmt: skip
            if (title, size) == live[:2]:
                axes.plot(spread, live[2].clip(2e-5), "o", color=ORANGE, markersize=6, markeredgewidth=0.8,
                          fillstyle="none", label="live")  # fmt: skip
        axes.set_xticks(range(len(sizes)), [f"{size:,}" for size in sizes])
        axes.set_title(title, fontsize=11)
        axes.minorticks_off()
        if number:
            axes.set_yticklabels([])
        else:
            axes.set_ylabel("loss at the end")
    figure.text(0.52, 0.115, "parameters", ha="center")
    figure.legend(loc="lower center", ncols=2, fontsize=10)
    return Static(figure, alt)
