"""The tower of lesson 01: timed drops of a ball, the physical law behind them, and a small network fitted to them.

>>> floor, seconds = drops("measured")
>>> floor.shape, seconds.shape
((45,), (45,))
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from course_utils.data.measurements import TERMINAL_SPEED, falling_ball_columns
from course_utils.models.regression import absolute_error, root_mean_squared_error

__all__ = ["TERMINAL_SPEED", "drops", "fall_time", "rmse", "small_network"]

Model = Callable[[NDArray], NDArray]  # floors ``(n,)`` to seconds ``(n,)``
GRAVITY = 9.81  # metres per second, gained in each second
FLOOR_HEIGHT = 3.0  # metres
MIDDLE = 15.0  # of the measured floors; a network learns best from numbers between about -1 and 1


def drops(part: str = "measured") -> tuple[NDArray, NDArray]:
    """Floors and seconds of the timed drops, ``(drops,)`` each.

    Args:
        part: ``"measured"`` (floors 1, 3, ... 29, to learn from), ``"between"`` (floors 2, 4, ... 28) or ``"beyond"``
            (floors 31 to 40).
    """
    floors, _, seconds = falling_ball_columns(part)
    return np.array(floors), np.array(seconds)


def rmse(model: Model, part: str) -> float:
    """The root mean squared error, in seconds, of a model on one part of the drops.

    >>> round(rmse(lambda floor: 0.15 * floor + 1.2, "between"), 2)
    0.14
    """
    floor, seconds = drops(part)
    return float(root_mean_squared_error(model(floor), seconds))


def fall_time(floor: ArrayLike, terminal_speed: float) -> NDArray:
    """Seconds that a ball falls through air from a floor of the tower, by the law of gravity and air drag.

    Drag grows with the square of the speed. The speed after t seconds is v tanh(g t / v), where v is the terminal
    speed; the distance fallen is (v² / g) ln cosh(g t / v); this is that formula solved for t.

    Args:
        floor: one number or many; 0 is the ground.
        terminal_speed: the speed at which drag balances gravity, in metres per second.

    >>> float(fall_time(16, terminal_speed=10).round(2))
    5.51
    """
    height = FLOOR_HEIGHT * np.asarray(floor, dtype=float)
    return terminal_speed / GRAVITY * np.arccosh(np.exp(GRAVITY * height / terminal_speed**2))


def small_network(floor: NDArray, seconds: NDArray, *, seed: int = 0) -> Model:
    """A neural network of 321 parameters fitted to drops by the absolute loss; training takes a second or two.

    Args:
        floor: of each drop, ``(drops,)``.
        seconds: of each drop, ``(drops,)``.
        seed: of its first parameters.
    """
    import torch  # here, so that a lesson's first picture does not wait for it

    from course_utils import training
    from course_utils.models.mlp import MLP, MLPConfig

    def scaled(floors: ArrayLike) -> torch.Tensor:
        return torch.tensor((np.asarray(floors) - MIDDLE) / MIDDLE, dtype=torch.float32).reshape(-1, 1)

    network = MLP(MLPConfig(widths=(1, 16, 16, 1), activation="tanh"), seed=seed)
    targets = torch.tensor(seconds, dtype=torch.float32)[:, None]
    batches = training.shuffled_batches(scaled(floor), targets, batch_size=len(floor))
    recipe = training.Recipe(learning_rate=0.01, schedule="cosine")
    training.fit(
        network, batches, steps=800, objective=training.supervised(absolute_error), recipe=recipe, progress=False
    )

    def predict(floors: ArrayLike) -> NDArray:
        with torch.no_grad():
            return network(scaled(floors)).double().numpy().reshape(np.shape(floors))

    return predict
