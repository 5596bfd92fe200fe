"""Tables of measured numbers."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from typing import TYPE_CHECKING

from course_utils import assets

if TYPE_CHECKING:
    from torch import Tensor

TERMINAL_SPEED = 21.8  # metres per second, of the ball in the air; datasets/make/falling_ball.py works it out


@dataclass(frozen=True)
class FallingBall:
    """Timed drops; three tensors ``(drops,)`` of float32."""

    floor: Tensor  # floor number; 0 would be the ground
    height: Tensor  # metres
    seconds: Tensor  # by stopwatch


def falling_ball(part: str = "measured") -> FallingBall:
    """How long a tennis ball falls from a tower whose floors are 3 m high; three drops from each floor.

    Args:
        part: ``"measured"`` (floors 1, 3, ... 29, to learn from; a few presses came late), or one of the two held-out
            parts: ``"between"`` (floors 2, 4, ... 28) and ``"beyond"`` (floors 31 to 40).

    Source: this project's simulation (gravity, quadratic air drag, stopwatch noise), ``datasets/make/falling_ball.py``.

    >>> tower = falling_ball()
    >>> tower.seconds.shape, tower.height.max().item()
    (torch.Size([45]), 87.0)
    """
    import torch

    return FallingBall(*map(torch.tensor, falling_ball_columns(part)))


def falling_ball_columns(part: str = "measured") -> tuple[list[float], list[float], list[float]]:
    """Floors, heights in metres and seconds of `falling_ball` as plain lists, without waiting for torch.

    >>> floors, heights, seconds = falling_ball_columns()
    >>> floors[-1], heights[-1], len(seconds)
    (29.0, 87.0, 45)
    """
    with (assets.project_folder() / "datasets" / "falling_ball.csv").open(encoding="utf-8", newline="") as file:
        everything = list(csv.DictReader(file))
    rows = [row for row in everything if row["part"] == part]
    if not rows:
        parts = ", ".join(dict.fromkeys(row["part"] for row in everything))
        raise ValueError(f"part={part!r} is not in the falling-ball data; choose one of: {parts}.")
    floors, heights, seconds = ([float(row[name]) for row in rows] for name in ("floor", "height_metres", "seconds"))
    return floors, heights, seconds
