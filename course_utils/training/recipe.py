"""Recipes: optimiser, learning rate and its schedule, as plain values that can be written down."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields


def constant(step: int, steps: int, final: float = 1.0) -> float:
    """1 all the time."""
    return 1.0


def linear(step: int, steps: int, final: float = 0.0) -> float:
    """From 1 evenly down to ``final``.

    >>> [linear(step, 4) for step in range(4)]
    [1.0, 0.75, 0.5, 0.25]
    """
    return final + (1 - final) * (1 - step / steps)


def cosine(step: int, steps: int, final: float = 0.0) -> float:
    """From 1 down to ``final`` along half a cosine wave (Loshchilov & Hutter 2017, without restarts).

    >>> [round(cosine(step, 4), 2) for step in range(4)]
    [1.0, 0.85, 0.5, 0.15]
    """
    return final + (1 - final) * (1 + math.cos(math.pi * step / steps)) / 2


def exponential(step: int, steps: int, final: float) -> float:
    """From 1 down to ``final``, each step by the same factor.

    >>> [round(exponential(step, 4, final=0.0001), 4) for step in range(4)]
    [1.0, 0.1, 0.01, 0.001]
    """
    return final ** (step / steps)


SCHEDULES: dict[str, Callable[[int, int, float], float]] = {
    "constant": constant, "linear": linear, "cosine": cosine, "exponential": exponential,
}  # fmt: skip
OPTIMISERS = ("AdamW", "Muon", "SGD")
PRECISIONS = ("float32", "bfloat16", "auto")


@dataclass(frozen=True)
class Recipe:
    """How to train: plain values only, so that a recipe can be written down, compared and read again.

    >>> recipe = Recipe(learning_rate=6e-4, schedule="cosine", warmup=0.1, final=0.1)
    >>> [round(recipe.learning_rate_at(step, steps=100), 6) for step in (0, 9, 10, 55)]
    [6e-05, 0.0006, 0.0006, 0.00033]
    >>> Recipe.from_json(recipe.to_json()) == recipe
    True
    """

    learning_rate: float = 1e-3
    optimiser: str = "AdamW"  # one of OPTIMISERS
    weight_decay: float = 0.01  # pull of each step towards 0
    beside: float = 0.01  # learning rate of AdamW beside Muon, for all that is no matrix between hidden vectors
    beside_momentum: float = 0.8  # share of the running mean of gradients that AdamW keeps beside Muon
    momentum: float = 0.9  # share of the running mean of gradients that is kept; AdamW's first beta
    smoothing: float = 0.999  # share of the running mean of squared gradients that is kept; AdamW's second beta
    schedule: str = "constant"  # one of SCHEDULES: the factor on the learning rate, from 1 down to `final`
    final: float = 0.0  # last learning rate over the highest, where the schedule falls
    warmup: float = 0.0  # share of the steps in which the learning rate first rises evenly
    cooldown: float = 1.0  # share of the steps, at the end, in which it falls; between the two it stays highest
    hold: int = 1  # steps for which the learning rate stays as it is; the steps of an epoch, say
    clip: float | None = None  # gradients longer than this are shortened to it
    accumulation: int = 1  # pieces that a batch is worked off in: the same step in less memory
    precision: str = "float32"  # of products, one of PRECISIONS; auto: bfloat16 where a measurement says it is faster

    def __post_init__(self) -> None:
        choices = {"optimiser": OPTIMISERS, "schedule": tuple(SCHEDULES), "precision": PRECISIONS}
        for name, known in choices.items():
            if getattr(self, name) not in known:
                raise ValueError(f"{name}={getattr(self, name)!r} is not known; choose one of: {', '.join(known)}.")
        below_one = math.nextafter(1, 0)
        for name, low, high in (
            ("learning_rate", 0, math.inf), ("weight_decay", 0, math.inf), ("momentum", 0, below_one),
            ("smoothing", 0, below_one), ("final", 0, 1), ("warmup", 0, 1), ("clip", math.nextafter(0, 1), math.inf),
            ("beside", 0, math.inf), ("beside_momentum", 0, below_one), ("cooldown", 0, 1),
        ):  # fmt: skip
            value = getattr(self, name)
            if name == "clip" and value is None:
                continue
            if not _is_number(value) or not low <= value <= high or value == math.inf:
                words = {math.inf: "0 or more", below_one: "from 0 to just below 1", 1: "from 0 to 1"}[high]
                words = "above 0, or None for no limit" if name == "clip" else words
                raise ValueError(f"{name}={value!r} must be a number {words}; the usual is {getattr(Recipe, name)}.")
        for name in ("hold", "accumulation"):
            value = getattr(self, name)
            if not isinstance(value, int) or isinstance(value, bool) or value < 1:
                raise ValueError(f"{name}={value!r} must be a whole number from 1 upwards; the usual is 1.")
        if self.schedule == "exponential" and self.final == 0:
            raise ValueError("An exponential schedule never reaches final=0; set final to 0.01, for example.")

    def learning_rate_at(self, step: int, steps: int) -> float:
        """The learning rate of a step of a run of ``steps``, counting from 0."""
        return self.learning_rate * self.share_at(step, steps)

    def share_at(self, step: int, steps: int) -> float:
        """What schedule and warm-up leave of the learning rate at a step, from 0 to 1.

        >>> recipe = Recipe(schedule="linear", cooldown=0.5)
        >>> [recipe.share_at(step, steps=8) for step in (0, 4, 6)]
        [1.0, 1.0, 0.5]
        """
        step -= step % self.hold
        warm, cool = round(self.warmup * steps), round(self.cooldown * steps)
        if step < warm:
            return (step + 1) / warm
        begin = max(warm, steps - cool)  # of the fall
        return SCHEDULES[self.schedule](step - begin, steps - begin, self.final) if step >= begin else 1.0

    def to_json(self) -> str:
        """The recipe as text."""
        return json.dumps(asdict(self), indent=2)

    @classmethod
    def from_json(cls, text: str) -> Recipe:
        """A recipe from text; what the text leaves out is as usual.

        >>> Recipe.from_json('{"optimiser": "SGD", "clip": 1}').clip
        1
        """
        try:
            values = json.loads(text)
        except ValueError as error:
            raise ValueError(
                f'The recipe is not JSON ({error}); it should read like {{"learning_rate": 0.001}}.'
            ) from error
        known = [entry.name for entry in fields(cls)]
        unknown = [name for name in values if name not in known] if isinstance(values, dict) else [repr(values)]
        if unknown:
            raise ValueError(f"A recipe has no {', '.join(unknown)}; it has: {', '.join(known)}.")
        return cls(**values)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
