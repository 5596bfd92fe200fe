"""Make ``datasets/falling_ball.csv``: how long a tennis ball falls from each floor of a tower.

Gravity and quadratic air drag give the true time in closed form; a person with a stopwatch adds noise.

Usage: ``python datasets/make/falling_ball.py``
"""

import csv
import io
import math
from pathlib import Path

import numpy as np

SEED = 1609
GRAVITY = 9.81  # metres per second squared
BALL_MASS = 0.0577  # kilograms
BALL_DIAMETER = 0.067  # metres
DRAG_COEFFICIENT = 0.55  # no unit; a tennis ball's felt makes it high
AIR_DENSITY = 1.225  # kilograms per cubic metre, at sea level and 15 degrees Celsius
FLOOR_HEIGHT = 3.0  # metres; floor 0 is the ground
STOPWATCH_NOISE = 0.08  # seconds, standard deviation of one press
LATE_SHARE = 0.1  # of the measured drops: the watcher looked away
LATE_BY = (0.6, 1.4)  # seconds

# The tower has 30 floors. People measured the odd ones three times each. The even ones test the space between; floors
# 31 to 40, timed later from a crane, test the space beyond. Those two parts were timed without a late press.
PARTS = {"measured": range(1, 30, 2), "between": range(2, 30, 2), "beyond": range(31, 41)}
REPETITIONS = 3

TERMINAL_VELOCITY = math.sqrt(
    2 * BALL_MASS * GRAVITY / (AIR_DENSITY * DRAG_COEFFICIENT * math.pi * (BALL_DIAMETER / 2) ** 2)
)  # about 21.8 metres per second


def fall_time(height: float) -> float:
    """Seconds that the ball falls from ``height`` metres, starting at rest, with drag proportional to speed squared.

    The speed after t seconds is v tanh(g t / v), where v is the terminal velocity; so the distance fallen is
    (v^2 / g) ln cosh(g t / v), and this is that formula solved for t.
    """
    return TERMINAL_VELOCITY / GRAVITY * math.acosh(math.exp(GRAVITY * height / TERMINAL_VELOCITY**2))


def table() -> str:
    """The whole file as text."""
    generator = np.random.default_rng(SEED)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["part", "floor", "height_metres", "seconds"])
    for part, floors in PARTS.items():
        for floor in floors:
            height = FLOOR_HEIGHT * floor
            for _ in range(REPETITIONS):
                seconds = fall_time(height) + generator.normal(0, STOPWATCH_NOISE)
                if part == "measured" and generator.random() < LATE_SHARE:
                    seconds += generator.uniform(*LATE_BY)
                writer.writerow([part, floor, f"{height:.1f}", f"{seconds:.2f}"])
    return text.getvalue()


if __name__ == "__main__":
    target = Path(__file__).parents[1] / "falling_ball.csv"
    target.write_text(table(), encoding="utf-8", newline="\n")
    print(f"wrote {target}: {len(table().splitlines()) - 1} drops")
