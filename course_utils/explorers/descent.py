"""Explorers of gradient descent: one walker with every knob, and four walkers in a race."""

import functools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.figure import Figure

from course_utils.explorers.base import Choice, FigureExplorer, Slider
from course_utils.explorers.pointer import Pointer
from course_utils.optimisers import OPTIMISERS, Trajectory, descend
from course_utils.plots.style import BLUE, GREY, INK, ORANGE
from course_utils.plots.surfaces import WALKERS, above_least, draw_ground, draw_heights, least, on_ground
from course_utils.surfaces import SURFACES, TWO_MINIMA, Surface

if TYPE_CHECKING:
    Base = FigureExplorer
else:
    Base = object  # `OnSurface` is no explorer by itself: it has nothing to compute

RATES = (1e-5, 10.0)  # of the learning-rate sliders
MAP = (0.075, 0.13, 0.445, 0.81)  # left, bottom, width, height of the map in the picture
CURVE = (0.615, 0.13, 0.355, 0.78)


class OnSurface(Base):
    """The part both explorers share: a surface to choose, a start to click or slide, a map."""

    shown: tuple[str, int] | None = None  # surface and steps that the axes are built for

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

    def draw_axes(self, figure: Figure, surface: Surface, steps: int) -> bool:
        """Build map and curve anew where the surface or the number of steps asks for it; return whether it did."""
        shown = (surface.name, steps)
        if self.artists and self.shown == shown:
            return False
        self.clear()
        self.shown = shown
        self.ground, self.heights = figure.add_axes(MAP), figure.add_axes(CURVE)
        draw_ground(self.ground, surface, ("x", "y") if surface.name in SURFACES else ("w", "b"))
        draw_heights(self.heights, surface, steps)
        return True


def small(loss: float) -> str:
    """A loss in words: what is left at the bottom of a minimum after many steps is called so."""
    return "less than a millionth" if 0 < abs(loss) < 1e-6 else f"{loss:.4g}"


def place(numbers: Iterable[float]) -> str:
    """A place in words: (1.00, -2.50)."""
    return f"({', '.join(f'{number:.2f}' for number in numbers)})"


# ------------------------------------------------------------------------------------------------ one walker


@dataclass(frozen=True)
class Walk:
    """A walk and the ground it is on."""

    surface: Surface
    path: Trajectory
    optimiser: str
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
        """Whether the walk left the picture."""
        return "It stays." if self.path.diverged is None else f"It diverged at step {self.path.diverged}."


def _walk(surface: str = "bowl", optimiser: str = "SGD", **others: float) -> dict[str, Any]:
    """The values of a stop of the tour, independent of what the explorer was begun with."""
    return {"surface": surface, "optimiser": optimiser, "momentum": 0.9, "steps": 50, **others}


class DescentExplorer(OnSurface, FigureExplorer):
    """A walk downhill: where it starts, how it steps, where it ends, and the step at which it diverged.

    Args:
        own: a surface to add to the course's, and to begin on; such as ``line_surface(inputs, targets)``.
        start: first values of the controls: surface, across, up, optimiser, learning_rate, momentum, steps.
    """

    size = (8.4, 4.2)
    optimiser = Choice(list(OPTIMISERS))
    momentum = Slider(0.0, 0.99, 0.9, step=0.01)
    steps = Slider(1, 200, 50)
    tour = (
        (_walk(), lambda walk: f"Each step goes downhill: the loss falls from {walk.first} to {walk.last}."),
        (_walk(learning_rate=0.95), "A larger learning rate leaps over the lowest place, from side to side."),
        (_walk(learning_rate=1.1), lambda walk: f"Larger still, and each leap ends higher. {walk.end}"),
        (_walk("ravine"), lambda walk: f"A ravine is steep one way and flat the other: after 50 steps {walk.last}."),
        (_walk("ravine", "momentum"), lambda walk: f"Momentum keeps the direction of earlier steps: {walk.last}."),
        (_walk("two minima", across=0.1), lambda walk: f"Two minima: from the left the loss ends at {walk.last}."),
        (_walk("two minima", across=0.95), lambda walk: f"From the right it ends in the other one, at {walk.last}."),
    )

    def __init__(self, own: Surface | None = None, **start: Any):
        course = [*SURFACES.values(), TWO_MINIMA]
        self.open_at(course if own is None else [own, *course], start)

    def compute(
        self, prepared: None, surface: str, across: float, up: float, learning_rate: float, optimiser: str,
        momentum: float, steps: int,
    ) -> Walk:  # fmt: skip
        """Walk."""
        ground = self.surfaces[surface]
        settings = {"momentum": momentum} if optimiser in ("momentum", "Adam") else {}
        begin = self.start_on(ground, across, up)
        path = descend(ground, begin, OPTIMISERS[optimiser], learning_rate, steps, **settings)
        return Walk(ground, path, optimiser, learning_rate, steps)

    def draw(self, figure: Figure, result: Walk) -> None:
        """The walk on the map; beside it, its height at each step."""
        surface, path, artists = result.surface, result.path, self.artists
        shown_steps = next(limit for limit in (10, 25, 50, 100, 200) if result.steps <= limit)
        if self.draw_axes(figure, surface, shown_steps):
            if self.pinned and self.pinned.surface is surface:
                ghost: dict[str, Any] = dict(color=GREY, linestyle="--", linewidth=2, zorder=1.9)
                self.ground.plot(*on_ground(surface, self.pinned.path), **ghost)
                self.heights.plot(above_least(surface, self.pinned.path), label="pinned", **ghost)
                self.heights.legend(loc="lower left", fontsize=10)
            (artists["path"],) = self.ground.plot([], [], "o-", color=ORANGE, markersize=4, linewidth=1.4)
            (artists["start"],) = self.ground.plot([], [], "s", color=INK, markersize=9, clip_on=False)
            (artists["end"],) = self.ground.plot([], [], "*", color=BLUE, markersize=15, markeredgecolor="white")
            self.ground.legend([artists["start"], artists["end"]], ["start", "end"], loc="upper right", fontsize=10,
                               frameon=True, framealpha=0.9)  # fmt: skip
            (artists["heights"],) = self.heights.plot([], [], "o-", color=ORANGE, markersize=3, linewidth=1.4)
            (artists["bang"],) = self.heights.plot([], [], "X", color=INK, markersize=11, clip_on=False)
            artists["words"] = self.heights.text(0, 0, "", fontsize=11, weight="bold", va="top")
        places, heights = on_ground(surface, path), above_least(surface, path)
        artists["path"].set_data(*places)
        artists["start"].set_data(*places[:, :1])
        artists["end"].set_data(*places[:, -1:])
        artists["heights"].set_data(np.arange(len(heights)), heights)
        bang = [] if path.diverged is None else [path.diverged]
        top = 20 * (surface.highest - least(surface))
        artists["bang"].set_data(bang, [top] * len(bang))
        late = bool(bang) and bang[0] > 0.6 * shown_steps
        artists["words"].set_text(f"step {bang[0]}" if bang else "")
        artists["words"].set_position((sum(bang), top / 4))
        artists["words"].set_horizontalalignment("right" if late else "left")

    def caption(self, result: Walk) -> str:
        """Say the knobs, the losses, the last step, and at which step it diverged."""
        path, taken = result.path, len(result.path.losses) - 1
        knobs = f"momentum {self.momentum:.2f}" if result.optimiser in ("momentum", "Adam") else "no momentum"
        begun = (
            f"{result.optimiser} ({knobs}), learning rate {result.learning_rate:.3g}, from {place(path.positions[0])}"
        )
        if path.diverged is not None:
            last = f"{path.losses[-1]:.3g}" if np.isfinite(path.losses[-1]) else "beyond what the computer can write"
            return (
                f"{begun}: diverged at step {path.diverged}. Its loss is {last}, more than ten times the highest in "
                f"the picture ({result.surface.highest:.3g}); it began at {path.losses[0]:.3g}."
            )
        rose = "" if path.first_rise is None else f" Step {path.first_rise} was the first to make the loss larger."
        return (
            f"{begun}, {taken} step{'s' * (taken != 1)}: loss {path.losses[0]:.4g} to {small(path.losses[-1])}; the "
            f"last step changed it by {small(abs(path.losses[-1] - path.losses[-2]))}.{rose}"
        )


# ------------------------------------------------------------------------------------------------ four walkers

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

    >>> round(best_rate(SURFACES["bowl"], "SGD"), 3)
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


class OptimiserRace(OnSurface, FigureExplorer):
    """SGD, momentum, RMSProp and Adam from the same start: who is first, and stays, within 1 % of the way's end.

    Args:
        own: a surface to add to the course's, and to begin on.
        start: first values of the controls: surface, across, up, rates, learning_rate, steps.
    """

    size = (8.4, 4.4)
    caption_lines = 3
    rates = Choice(["each its best", "one for all"], label="learning rates")
    steps = Slider(1, LONGEST_RACE, 100)

    def __init__(self, own: Surface | None = None, **start: Any):
        course = [SURFACES["ravine"], *(surface for name, surface in SURFACES.items() if name != "ravine")]
        self.open_at(course if own is None else [own, *course], start)

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

    def draw(self, figure: Figure, result: Race) -> None:
        """Four paths on the map; beside it, four heights."""
        surface, artists = result.surface, self.artists
        if self.draw_axes(figure, surface, next(limit for limit in (25, 50, 100, 200) if result.steps <= limit)):
            for name, (colour, marker) in WALKERS.items():
                for part, axes in (("path", self.ground), ("height", self.heights)):
                    if self.pinned and self.pinned.surface is surface:
                        line = on_ground if part == "path" else above_least
                        ghost = np.atleast_2d(line(surface, self.pinned.paths[name]))
                        axes.plot(*ghost, ":", color=colour, linewidth=1.2, alpha=0.6)
                    (artists[name + part],) = axes.plot(
                        [], [], color=colour, marker=marker, markersize=6, linewidth=1.3, label=name
                    )
            artists["start"] = self.ground.plot([], [], "s", color="white", markeredgecolor=INK, markersize=9)
            self.heights.legend(loc="upper right", fontsize=10, bbox_to_anchor=(1, 0.92), frameon=True, framealpha=0.8)
        for name, path in result.paths.items():
            every = max(1, len(path.losses) // 8)
            heights = above_least(surface, path)
            artists[name + "path"].set_data(*on_ground(surface, path))
            artists[name + "height"].set_data(np.arange(len(heights)), heights)
            for part in ("path", "height"):
                artists[name + part].set_markevery([*range(0, len(heights), every), len(heights) - 1])
        artists["start"][0].set_data(*on_ground(surface, result.paths["SGD"])[:, :1])

    def caption(self, result: Race) -> str:
        """Say who arrived when, with which learning rate, and what arriving means."""
        known = {name: step for name, step in result.arrivals.items() if step is not None}
        first = sorted(known, key=known.__getitem__)
        told = [f"{name} at step {known[name]} (rate {result.rates[name]:.2g})" for name in first]
        for name, path in result.paths.items():
            if name not in known:
                fate = "is not there yet" if path.diverged is None else f"diverged at step {path.diverged}"
                told.append(f"{name} {fate} (rate {result.rates[name]:.2g})")
        return (
            f"{result.steps} steps from {place(result.paths['SGD'].positions[0])}: {'; '.join(told)}. "
            f"Arrived means: at most {NEAR:.0%} of the height is left, and stays so."
        )
