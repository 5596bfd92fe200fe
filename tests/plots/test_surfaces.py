"""Maps and walks: what is drawn is where the walk was, within the picture; every still is small and has its text."""

import numpy as np
import pytest

from course_utils.optimisers import descend
from course_utils.plots.picture import STILL_LIMIT
from course_utils.plots.surfaces import above_least, final_losses, gradient_clouds, least, on_ground, walks
from course_utils.surfaces import SURFACES, TWO_MINIMA


def test_places_and_heights_are_those_of_the_walk() -> None:
    bowl = SURFACES["bowl"]
    path = descend(bowl, start=(2.0, 1.0), learning_rate=0.1, steps=5)
    assert np.allclose(on_ground(bowl, path), path.positions.T)
    assert np.allclose(above_least(bowl, path), path.losses)
    minimum = descend(TWO_MINIMA, learning_rate=0.02, steps=5)
    assert np.allclose(on_ground(TWO_MINIMA, minimum), [minimum.positions[:, 0], minimum.losses])
    assert least(TWO_MINIMA) == pytest.approx(np.min(TWO_MINIMA.map(100_001)[-1]), abs=1e-6)


@pytest.mark.parametrize("surface", [*SURFACES.values(), TWO_MINIMA], ids=lambda surface: surface.name)
def test_a_walk_that_diverges_stays_drawable(surface) -> None:
    path = descend(surface, start=[low + 0.9 * (high - low) for low, high in surface.window], learning_rate=1e9)
    assert path.diverged is not None
    assert np.isfinite(on_ground(surface, path)).all() and np.isfinite(above_least(surface, path)).all()


def test_every_picture_is_small_and_says_what_it_shows() -> None:
    bowl = SURFACES["bowl"]
    path, random = descend(bowl), np.random.default_rng(0)
    pictures = [
        walks(bowl, {"one": path}, "Words."),
        walks(bowl, {"one": path, "two": path, "three": descend(bowl, learning_rate=1.5)}, "Words."),
        walks(TWO_MINIMA, {"one": descend(TWO_MINIMA)}, "Words."),
        gradient_clouds({1: random.normal(size=(50, 2)), 9: random.normal(size=(50, 2)) / 3}, np.zeros(2), "Words."),
        final_losses({"case": {2: np.ones(5), 20: np.zeros(5)}}, ("case", 2, np.ones(5)), "Words."),
    ]
    for picture in pictures:
        data, metadata = picture._repr_mimebundle_()
        assert 2000 < len(data["image/png"]) <= STILL_LIMIT and metadata["image/png"]["alt"] == "Words."
