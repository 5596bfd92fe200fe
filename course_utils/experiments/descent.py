"""Walks downhill with every optimiser, and races of four: where they end, when they arrive, and how fast to step."""

import functools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from course_utils.optimisers import OPTIMISERS, Trajectory, descend
from course_utils.surfaces import Surface, least

WITH_MOMENTUM = ("momentum", "Adam")  # optimisers that take this setting


def small(loss: float) -> str:
    """A loss in words: what is left at the bottom of a minimum after many steps is called so."""
    return "less than a millionth" if 0 < abs(loss) < 1e-6 else f"{loss:.4g}"


def place(numbers: Iterable[float]) -> str:
    """A place in words: (1.00, -2.50)."""
    return f"({', '.join(f'{number:.2f}' for number in numbers)})"


def start_of(surface: Surface, across: float, up: float) -> list[float]:
    """The parameters at a place of a surface's picture, given in fractions of it.

    >>> from course_utils.surfaces import SURFACES
    >>> start_of(SURFACES["bowl"], 0.5, 1.0)
    [0.0, 3.0]
    """
    return [low + part * (high - low) for part, (low, high) in zip((across, up), surface.window, strict=False)]


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


def walk(
    surface: Surface, start: Sequence[float], optimiser: str, learning_rate: float, steps: int, momentum: float
) -> Walk:
    """Walk from the start; momentum is for the optimisers that take it.

    >>> from course_utils.surfaces import SURFACES
    >>> walk(SURFACES["bowl"], (1.0, 1.0), "gradient descent", 0.5, 3, momentum=0.9).path.losses[-1].item()
    0.0
    """
    settings = {"momentum": momentum} if optimiser in WITH_MOMENTUM else {}
    path = descend(surface, start, OPTIMISERS[optimiser], learning_rate, steps, **settings)
    return Walk(surface, path, optimiser, settings, learning_rate, steps)


# ------------------------------------------------------------------------------------------------ a race of four

LONGEST_RACE = 200  # steps
NEAR = 0.01  # arrived: this share of the height, or less, is left, from here to the end of the race
TRIED = np.geomspace(1e-4, 10, 41)  # learning rates, eight in every factor of ten


def arrival(surface: Surface, losses: np.ndarray) -> int | None:
    """The first step from which on at most `NEAR` of the start's height above the lowest place is left.

    Args:
        surface: the ground.
        losses: ``(steps + 1,)``.

    >>> from course_utils.surfaces import SURFACES
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

    >>> from course_utils.surfaces import SURFACES
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


def race(surface: Surface, start: Sequence[float], steps: int, learning_rate: float | None = None) -> Race:
    """Let all four walk from the start, with one learning rate or, without one, each with its best."""
    begin = tuple(start)
    rates = {name: learning_rate or best_rate(surface, name) for name in OPTIMISERS}
    paths = {name: descend(surface, begin, OPTIMISERS[name], rates[name], steps) for name in OPTIMISERS}
    arrivals = {
        name: None if path.diverged is not None else arrival(surface, path.losses) for name, path in paths.items()
    }
    return Race(surface, paths, rates, arrivals, steps)
