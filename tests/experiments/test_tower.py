"""The tower's drops, models and errors, and the rules that tell threes from eights."""

import subprocess
import sys

import numpy as np
import pytest

from course_utils import data
from course_utils.experiments import tower
from course_utils.experiments.rules import ink_in, threes_and_eights


@pytest.mark.parametrize("part", ["measured", "between", "beyond"])
def test_drops_are_those_of_the_data_set(part: str) -> None:
    floor, seconds = tower.drops(part)
    known = data.falling_ball(part)
    assert np.allclose(floor, known.floor) and np.allclose(seconds, known.seconds)
    seconds += 1
    assert np.allclose(tower.drops(part)[1], known.seconds), "a learner's change stays their own"


def test_an_unknown_part_is_one_sentence() -> None:
    with pytest.raises(ValueError, match="choose one of: measured, between, beyond"):
        tower.drops("below")
    with pytest.raises(ValueError, match="choose train or test"):
        threes_and_eights("validation")


def test_rmse_is_the_root_of_the_mean_squared_residual() -> None:
    seconds = tower.drops("beyond")[1]
    assert tower.rmse(lambda floor: 0 * floor, "beyond") == pytest.approx(np.sqrt(np.mean(seconds**2)))


def test_the_network_has_as_many_parameters_as_said_and_the_same_seed_gives_the_same_one() -> None:
    assert (1 + 1) * 16 + (16 + 1) * 16 + (16 + 1) * 1 == 321
    floor, seconds = tower.drops("measured")
    first, again, other = (tower.small_network(floor, seconds, seed=seed) for seed in (0, 0, 1))
    assert np.array_equal(first(floor), again(floor)) and not np.array_equal(first(floor), other(floor))
    assert first(floor).shape == (45,) and np.shape(first(16.0)) == ()
    assert tower.rmse(first, "between") < 0.1


def test_the_first_picture_does_not_wait_for_torch() -> None:
    code = "import sys; from course_utils.experiments import tower; tower.drops(); assert 'torch' not in sys.modules"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_ink_is_counted_in_the_rectangle_with_its_ends() -> None:
    image = np.arange(64.0).reshape(1, 8, 8)
    assert ink_in(image, (7, 7), (6, 7)).tolist() == [62 + 63] and ink_in(image, [0, 0], [0, 2]).tolist() == [3]
