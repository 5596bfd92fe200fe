"""Explorers of gradient descent: one walk with every knob, and a race of four optimisers."""

from collections.abc import Sequence
from typing import Any

from matplotlib.figure import Figure

from course_utils.experiments.descent import LONGEST_RACE, WITH_MOMENTUM, Race, Walk, race, start_of, walk
from course_utils.explorers.base import Choice, Control, FigureExplorer, Slider, Stop
from course_utils.optimisers import OPTIMISERS
from course_utils.plots.panels import Panel
from course_utils.plots.surfaces import MAP, race_contents, race_panels, room_for, walk_contents, walk_panels
from course_utils.surfaces import SURFACES, TWO_MINIMA, Surface

RATES = (1e-5, 10.0)  # of the learning-rate sliders


class OnSurface(FigureExplorer):
    """What both explorers share: a surface to choose, a start to click or slide, a map.

    Args:
        landscape: a surface to add to the course's, and to begin on; such as ``line_surface(inputs, targets)``.
        start: first values of the controls.
    """

    size = (8.4, 3.6)
    course: tuple[Surface, ...] = ()  # the surfaces that it offers
    surface = Choice(list(SURFACES))
    across = Slider(0.0, 1.0, 0.08, step=0.01, label="start, left to right")
    up = Slider(0.0, 1.0, 0.85, step=0.01, label="start, bottom to top")
    learning_rate = Slider(*RATES, 0.1, log=True, label="learning rate")

    def __init__(self, landscape: Surface | None = None, **start: Any):
        offered = self.course if landscape is None else (landscape, *self.course)
        self.surfaces = {surface.name: surface for surface in offered}
        self.surface = Choice(list(self.surfaces))
        super().__init__(**start)
        self.hear_pointer(MAP, self.pointed)

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

    def layout_key(self, result: Any) -> tuple[str, int]:
        """The surface, and the room for steps: both decide the axes."""
        return result.surface.name, room_for(result.steps)

    def comparable(self, pinned: Any, result: Any) -> bool:
        """A pinned walk is shown on its own surface only."""
        return pinned.surface is result.surface


def _walk(surface: str = "bowl", optimiser: str = "gradient descent", **others: float) -> dict[str, Any]:
    """The values of a stop of the tour, independent of what the explorer was begun with."""
    return {"surface": surface, "optimiser": optimiser, "momentum": 0.9, "steps": 50, **others}


TOUR: tuple[Stop, ...] = (
    (_walk(), lambda walk: f"Each step goes downhill, and they get shorter: loss {walk.first} to {walk.last}."),
    (_walk(learning_rate=0.95), lambda walk: f"A larger learning rate jumps across the minimum: loss {walk.last}."),
    (_walk(learning_rate=1.1), lambda walk: f"Larger still, and each jump ends higher. {walk.end}"),
    (_walk("two minima", across=0.1), lambda walk: f"Two minima: from the left the loss ends at {walk.last}."),
    (_walk("two minima", across=0.95), lambda walk: f"From the right it ends in the other one, at {walk.last}."),
    (_walk("saddle", up=0.501), lambda walk: f"A saddle: slow on the ridge, then down a side, to {walk.last}."),
    (_walk("ravine"), lambda walk: f"A ravine: steep across, nearly flat along. 50 steps leave {walk.last}."),
    (_walk("ravine", "momentum"), lambda walk: f"Momentum: part of each step's speed is kept. Now {walk.last}."),
)


class DescentExplorer(OnSurface):
    """A walk downhill: where it starts, how it steps, where it ends, and the step at which it diverged.

    Args:
        landscape: a surface to add to the course's, and to begin on; such as ``line_surface(inputs, targets)``.
        start: first values of the controls: surface, across, up, learning_rate, optimiser, momentum, steps.
    """

    caption_lines = 4  # with a pinned walk
    optimiser = Choice(list(OPTIMISERS))
    momentum = Slider(0.0, 0.99, 0.9, step=0.01)
    steps = Slider(1, 200, 50)
    tour = TOUR
    course = (*SURFACES.values(), TWO_MINIMA)

    def dependent_controls(self, prepared: None) -> dict[str, Control]:
        """Hide the controls that nothing obeys."""
        hidden = {"momentum"} if self.optimiser not in WITH_MOMENTUM else set()
        hidden |= {"up"} if len(self.surfaces[self.surface].window) == 1 else set()
        self.show_controls(self.controls.keys() - hidden)
        return {}

    def compute(self, prepared: None, surface: str, across: float, up: float, **settings: Any) -> Walk:
        """Walk."""
        ground = self.surfaces[surface]
        return walk(ground, start_of(ground, across, up), **settings)

    def make_panels(self, figure: Figure, result: Walk) -> dict[str, Panel]:
        """The map with the walk; beside it, the height at each step."""
        return walk_panels(figure, result.surface, result.steps)

    def contents(self, result: Walk) -> dict[str, Any]:
        """The walk's places, its heights, and the step at which it diverged."""
        return walk_contents(result)


class OptimiserRace(OnSurface):
    """Gradient descent, momentum, RMSProp and Adam from one start: who is first near the lowest place, and stays?

    Args:
        landscape: a surface to add to the course's, and to begin on.
        start: first values of the controls: surface, across, up, learning_rate, rates, steps.
    """

    caption_lines = 5  # with a pinned race
    rates = Choice(["each its best", "one for all"], label="learning rates")
    steps = Slider(1, LONGEST_RACE, 100)
    course = (SURFACES["ravine"], *(surface for name, surface in SURFACES.items() if name != "ravine"))

    def dependent_controls(self, prepared: None) -> dict[str, Control]:
        """Hide the learning rate while each optimiser has its own."""
        self.show_controls(self.controls.keys() - ({"learning_rate"} if self.rates == "each its best" else set()))
        return {}

    def compute(
        self, prepared: None, surface: str, across: float, up: float, learning_rate: float, rates: str, steps: int
    ) -> Race:
        """Race."""
        ground = self.surfaces[surface]
        return race(ground, start_of(ground, across, up), steps, learning_rate if rates == "one for all" else None)

    def make_panels(self, figure: Figure, result: Race) -> dict[str, Panel]:
        """The map with four walks; beside it, their heights."""
        return race_panels(figure, result.surface, result.steps)

    def contents(self, result: Race) -> dict[str, Any]:
        """The places of the four walks, and their heights."""
        return race_contents(result)
