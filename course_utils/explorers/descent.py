"""Explorers of gradient descent: one walk with every knob, and a race of four optimisers."""

import functools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.figure import Figure

from course_utils.explorers.base import Choice, Control, FigureExplorer, Slider
from course_utils.explorers.pointer import Pointer
from course_utils.optimisers import OPTIMISERS, Trajectory, descend
from course_utils.plots.panels import Curves, Panel, Words
from course_utils.plots.style import BLUE, INK, ORANGE
from course_utils.plots.surfaces import WALKERS, above_least, draw_ground, draw_heights, least, on_ground
from course_utils.surfaces import SURFACES, TWO_MINIMA, Surface

if TYPE_CHECKING:
    Base = FigureExplorer
else:
    Base = object  # `OnSurface` is no explorer by itself: it has nothing to compute

RATES = (1e-5, 10.0)  # of the learning-rate sliders
MAP = (0.06, 0.145, 0.46, 0.835)  # left, bottom, width, height of the map in the picture
CURVE = (0.62, 0.145, 0.355, 0.765)
WITH_MOMENTUM = ("momentum", "Adam")  # optimisers that take this setting


class OnSurface(Base):
    """The part both explorers share: a surface to choose, a start to click or slide, a map."""

    surface = Choice(list(SURFACES))
    across = Slider(0.0, 1.0, 0.08, step=0.01, label="start, left to right")
    up = Slider(0.0, 1.0, 0.85, step=0.01, label="start, bottom to top")
    learning_rate = Slider(*RATES, 0.1, log=True, label="learning rate")

    def open_at(self, surfaces: Iterable[Surface], start: dict[str, Any]) -> None:
        """Offer these surfaces, begin on the first one or the one in ``start``, draw, and listen to the pointer."""
        self.surfaces = {surface.name: surface for surface in surfaces}
        self.surface = Choice(list(self.surfaces))
        super().__init__(**start)
        self.pointer = Pointer(MAP)
        self.add_widget(self.pointer)
        self.listen(self.pointer, "place", self.pointed)

    def own_values(self, name: str) -> dict[str, float]:
        """Where a surface would have the walk begin, and with which learning rate."""
        surface = self.surfaces[name]
        places = [(at - low) / (high - low) for at, (low, high) in zip(surface.start, surface.window, strict=True)]
        across, up = (round(float(place), 3) for place in [*places, 0.5][:2])
        return {"across": across, "up": up, "learning_rate": float(f"{surface.learning_rate:.3g}")}

    def dependent_values(self, name: str, value: Any) -> dict[str, float]:
        """Another surface brings its own start and learning rate."""
        return self.own_values(value) if name == "surface" else {}

    def pointed(self, place: Sequence[float]) -> None:
        """Start where the learner pointed."""
        if len(place) != 2:
            raise ValueError(f"A place on the map has 2 numbers, not {len(place)}: click on the map.")
        across, up = place
        self.set(across=round(across, 3), up=round(up, 3))

    def start_on(self, surface: Surface, across: float, up: float) -> list[float]:
        """The parameters at a place of the picture."""
        return [low + part * (high - low) for part, (low, high) in zip((across, up), surface.window, strict=False)]

    def layout_key(self, result: Any) -> tuple[str, int]:
        """The surface, and the room for steps: both decide the axes."""
        return result.surface.name, room_for(result.steps)

    def comparable(self, pinned: Any, result: Any) -> bool:
        """A pinned walk is shown on its own surface only."""
        return pinned.surface is result.surface


def room_for(steps: int) -> int:
    """How many steps the axis of the curve shows.

    >>> room_for(50), room_for(51)
    (50, 100)
    """
    return next(limit for limit in (10, 25, 50, 100, 200) if steps <= limit)


def small(loss: float) -> str:
    """A loss in words: what is left at the bottom of a minimum after many steps is called so."""
    return "less than a millionth" if 0 < abs(loss) < 1e-6 else f"{loss:.4g}"


def place(numbers: Iterable[float]) -> str:
    """A place in words: (1.00, -2.50)."""
    return f"({', '.join(f'{number:.2f}' for number in numbers)})"


# ------------------------------------------------------------------------------------------------ one walk


@dataclass(frozen=True)
class Walk:
    """A walk and the ground it is on."""

    surface: Surface
    path: Trajectory
    optimiser: str
    settings: dict[str, float]  # of the optimiser, beside the learning rate
    learning_rate: float
    steps: int  # that were asked for

    @property
    def first(self) -> str:
        """The loss at the start."""
        return small(self.path.losses[0])

    @property
    def last(self) -> str:
        """The loss at the end."""
        return small(self.path.losses[-1])

    @property
    def end(self) -> str:
        """At which step the walk diverged, if it did."""
        return (
            "It stays in the picture." if self.path.diverged is None else f"It diverged at step {self.path.diverged}."
        )

    def described(self) -> str:
        """How the walk was taken and where it ended, in a sentence or two."""
        path, taken = self.path, len(self.path.losses) - 1
        share = "".join(f" ({name} {value:.3g})" for name, value in self.settings.items())
        begun = (
            f"{taken} step{'s' * (taken != 1)} of {self.optimiser}{share} from {place(path.positions[0])}, "
            f"learning rate {self.learning_rate:.3g}"
        )
        if path.diverged is not None:
            last = f"{path.losses[-1]:.3g}" if np.isfinite(path.losses[-1]) else "too large for a computer"
            return (
                f"{begun}: diverged at step {path.diverged}. The loss is {last}, more than ten times the highest in "
                f"the picture ({self.surface.highest:.3g}); it began at {path.losses[0]:.3g}."
            )
        rose = "" if path.first_rise is None else f" Step {path.first_rise} was the first to make the loss larger."
        return (
            f"{begun}: loss {self.first} to {self.last}; the last step changed it by "
            f"{small(abs(path.losses[-1] - path.losses[-2]))}.{rose}"
        )


def _walk(surface: str = "bowl", optimiser: str = "gradient descent", **others: float) -> dict[str, Any]:
    """The values of a stop of the tour, independent of what the explorer was begun with."""
    return {"surface": surface, "optimiser": optimiser, "momentum": 0.9, "steps": 50, **others}


class DescentExplorer(OnSurface, FigureExplorer):
    """A walk downhill: where it starts, how it steps, where it ends, and the step at which it diverged.

    Args:
        landscape: a surface to add to the course's, and to begin on; such as ``line_surface(inputs, targets)``.
        start: first values of the controls: surface, across, up, learning_rate, optimiser, momentum, steps.
    """

    size = (8.4, 3.6)
    caption_lines = 4  # with a pinned walk
    optimiser = Choice(list(OPTIMISERS))
    momentum = Slider(0.0, 0.99, 0.9, step=0.01)
    steps = Slider(1, 200, 50)
    tour = (
        (_walk(), lambda walk: f"Each step goes downhill, and they get shorter: loss {walk.first} to {walk.last}."),
        (_walk(learning_rate=0.95), lambda walk: f"A larger learning rate jumps across the minimum: loss {walk.last}."),
        (_walk(learning_rate=1.1), lambda walk: f"Larger still, and each jump ends higher. {walk.end}"),
        (_walk("two minima", across=0.1), lambda walk: f"Two minima: from the left the loss ends at {walk.last}."),
        (_walk("two minima", across=0.95), lambda walk: f"From the right it ends in the other one, at {walk.last}."),
        (_walk("saddle", up=0.501), lambda walk: f"A saddle: slow on the ridge, then down a side, to {walk.last}."),
        (_walk("ravine"), lambda walk: f"A ravine: steep across, nearly flat along. 50 steps leave {walk.last}."),
        (_walk("ravine", "momentum"), lambda walk: f"Momentum: part of each step's speed is kept. Now {walk.last}."),
    )

    def __init__(self, landscape: Surface | None = None, **start: Any):
        course = [*SURFACES.values(), TWO_MINIMA]
        self.open_at(course if landscape is None else [landscape, *course], start)

    def dependent_controls(self, prepared: None) -> dict[str, Control]:
        """Hide the controls that nothing obeys."""
        hidden = {"momentum"} if self.optimiser not in WITH_MOMENTUM else set()
        hidden |= {"up"} if len(self.surfaces[self.surface].window) == 1 else set()
        self.show_controls(self.controls.keys() - hidden)
        return {}

    def compute(
        self, prepared: None, surface: str, across: float, up: float, learning_rate: float, optimiser: str,
        momentum: float, steps: int,
    ) -> Walk:  # fmt: skip
        """Walk."""
        ground = self.surfaces[surface]
        settings = {"momentum": momentum} if optimiser in WITH_MOMENTUM else {}
        begin = self.start_on(ground, across, up)
        path = descend(ground, begin, OPTIMISERS[optimiser], learning_rate, steps, **settings)
        return Walk(ground, path, optimiser, settings, learning_rate, steps)

    def make_panels(self, figure: Figure, result: Walk) -> dict[str, Panel]:
        """The map with the walk; beside it, the height at each step."""
        ground, heights = figure.add_axes(MAP), figure.add_axes(CURVE)
        draw_ground(ground, result.surface)
        band = draw_heights(heights, result.surface, room_for(result.steps))
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

    def contents(self, result: Walk) -> dict[str, Any]:
        """The walk's places, its heights, and the step at which it diverged."""
        places, heights = on_ground(result.surface, result.path), above_least(result.surface, result.path)
        step = result.path.diverged
        bang = ([], []) if step is None else ([step], [20 * (result.surface.highest - least(result.surface))])
        return {
            "map": {"path": tuple(places), "start": tuple(places[:, :1]), "end": tuple(places[:, -1:])},
            "heights": {"path": (np.arange(len(heights)), heights), "bang": bang},
            "band": "diverged" if step is None else "",  # there the mark stands
            "words": "" if step is None else f"diverged at step {step}",
        }

    def caption(self, result: Walk) -> str:
        """Say how the walk was taken and where it ended."""
        return result.described()


# ------------------------------------------------------------------------------------------------ a race of four

LONGEST_RACE = 200  # steps
NEAR = 0.01  # arrived: this share of the height, or less, is left, from here to the end of the race
TRIED = np.geomspace(1e-4, 10, 41)  # learning rates, eight in every factor of ten


def arrival(surface: Surface, losses: np.ndarray) -> int | None:
    """The first step from which on at most `NEAR` of the start's height above the lowest place is left.

    Args:
        surface: the ground.
        losses: ``(steps + 1,)``.

    >>> arrival(SURFACES["bowl"], np.array([4.0, 0.01, 1.0, 0.03, 0.02]))
    3
    """
    left = ~(losses - least(surface) <= NEAR * (losses[0] - least(surface)))
    after = int(np.flatnonzero(left)[-1]) + 1 if left.any() else 0
    return after if after < len(losses) else None


@functools.lru_cache(maxsize=64)
def best_rate(surface: Surface, optimiser: str) -> float:
    """The learning rate of `TRIED` with which the optimiser arrives soonest, on average over nine starts.

    The nine starts are spread over the picture, so that a rate cannot win by one lucky leap. A walk that does not
    arrive in a race of `LONGEST_RACE` steps, or diverges, counts as twice that.

    >>> round(best_rate(SURFACES["bowl"], "gradient descent"), 3)
    0.422
    """
    places = np.meshgrid(*[np.linspace(low, high, 5)[1:-1] + 0.01 * (high - low) for low, high in surface.window])
    position = np.stack([axis.reshape(-1, 1) + 0 * TRIED for axis in places])  # (parameters, starts, rates)
    memory: dict[str, Any] = {}
    losses = [surface.loss(*position)]
    with np.errstate(all="ignore"):
        for _ in range(LONGEST_RACE):
            position = OPTIMISERS[optimiser](position, np.array(surface.gradient(*position)), memory, TRIED)
            losses.append(surface.loss(*position))
    heights = np.nan_to_num(np.array(losses), nan=np.inf, posinf=np.inf)  # (steps + 1, starts, rates)
    heights[np.maximum.accumulate(heights > 10 * surface.highest)] = np.inf  # `descend` would have given up there
    near = heights - least(surface) <= NEAR * (heights[0] - least(surface))
    late = LONGEST_RACE + 1 - np.logical_and.accumulate(near[::-1]).sum(0)  # the arrival: steps before it stays near
    late[late > LONGEST_RACE] = 2 * LONGEST_RACE
    return float(TRIED[late.mean(0).argmin()])


@dataclass(frozen=True)
class Race:
    """Four walks from one start."""

    surface: Surface
    paths: dict[str, Trajectory]
    rates: dict[str, float]
    arrivals: dict[str, int | None]
    steps: int

    def described(self) -> str:
        """Who arrived when, the first one first, and what arriving means."""
        known = {name: step for name, step in self.arrivals.items() if step is not None}
        told = [
            f"{name} at step {known[name]} (rate {self.rates[name]:.2g})"
            for name in sorted(known, key=known.__getitem__)
        ]
        for name, path in self.paths.items():
            if name not in known:
                fate = "is not there yet" if path.diverged is None else f"diverged at step {path.diverged}"
                told.append(f"{name} {fate} (rate {self.rates[name]:.2g})")
        return (
            f"{self.steps} steps from {place(self.paths['momentum'].positions[0])}: {'; '.join(told)}. "
            f"Arrived means: at most {NEAR:.0%} of the starting height is left, and stays so."
        )


class OptimiserRace(OnSurface, FigureExplorer):
    """Gradient descent, momentum, RMSProp and Adam from one start: who is first near the lowest place, and stays?

    Args:
        landscape: a surface to add to the course's, and to begin on.
        start: first values of the controls: surface, across, up, learning_rate, rates, steps.
    """

    size = (8.4, 3.6)
    caption_lines = 5  # with a pinned race
    rates = Choice(["each its best", "one for all"], label="learning rates")
    steps = Slider(1, LONGEST_RACE, 100)

    def __init__(self, landscape: Surface | None = None, **start: Any):
        course = [SURFACES["ravine"], *(surface for name, surface in SURFACES.items() if name != "ravine")]
        self.open_at(course if landscape is None else [landscape, *course], start)

    def dependent_controls(self, prepared: None) -> dict[str, Control]:
        """Hide the learning rate while each optimiser has its own."""
        self.show_controls(self.controls.keys() - ({"learning_rate"} if self.rates == "each its best" else set()))
        return {}

    def compute(
        self, prepared: None, surface: str, across: float, up: float, learning_rate: float, rates: str, steps: int
    ) -> Race:
        """Race."""
        ground = self.surfaces[surface]
        begin = tuple(self.start_on(ground, across, up))
        tuned = rates == "each its best"
        chosen = {name: best_rate(ground, name) if tuned else learning_rate for name in OPTIMISERS}
        paths = {name: descend(ground, begin, OPTIMISERS[name], chosen[name], steps) for name in OPTIMISERS}
        arrivals = {
            name: None if path.diverged is not None else arrival(ground, path.losses) for name, path in paths.items()
        }
        return Race(ground, paths, chosen, arrivals, steps)

    def make_panels(self, figure: Figure, result: Race) -> dict[str, Panel]:
        """The map with four walks; beside it, their heights."""
        ground, heights, steps = figure.add_axes(MAP), figure.add_axes(CURVE), room_for(result.steps)
        draw_ground(ground, result.surface)
        draw_heights(heights, result.surface, steps)
        looks: dict[str, dict[str, Any]] = {
            name: {
                "color": colour,
                "marker": marker,
                "markersize": 6,
                "linewidth": 1.3,
                "markevery": max(1, steps // 8),
            }
            for name, (colour, marker) in WALKERS.items()
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

    def contents(self, result: Race) -> dict[str, Any]:
        """The places of the four walks, and their heights."""
        places = {name: tuple(on_ground(result.surface, path)) for name, path in result.paths.items()}
        heights = {name: above_least(result.surface, path) for name, path in result.paths.items()}
        start = tuple(axis[:1] for axis in places["momentum"])
        return {
            "map": {**places, "start": start},
            "heights": {name: (np.arange(len(height)), height) for name, height in heights.items()},
        }

    def caption(self, result: Race) -> str:
        """Say who arrived when, with which learning rate, and what arriving means."""
        return result.described()
