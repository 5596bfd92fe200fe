"""The surfaces against torch's gradients, and their minima."""

import numpy as np
import pytest
import torch

from course_utils.surfaces import SURFACES, TWO_MINIMA, line_surface

LINE = line_surface([0, 1, 2, 5, 9], [0.3, 0.5, 0.9, 1.0, 1.4])
EVERY_SURFACE = [*SURFACES.values(), TWO_MINIMA, LINE]


@pytest.mark.parametrize("surface", EVERY_SURFACE, ids=lambda surface: surface.name)
def test_gradients_equal_torch(surface):
    random = np.random.default_rng(1)
    for _ in range(50):
        position = [random.uniform(low, high) for low, high in surface.window]
        here = [torch.tensor(number, dtype=torch.float64, requires_grad=True) for number in position]
        surface.loss(*here).backward()
        assert surface.gradient(*position) == pytest.approx([number.grad.item() for number in here], rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("surface", EVERY_SURFACE, ids=lambda surface: surface.name)
def test_the_minima_lie_in_the_picture_and_nothing_near_them_is_lower(surface):
    *axes, losses = surface.map(61)
    assert losses.shape == (61,) * len(axes)
    assert surface.highest > losses.min()
    random = np.random.default_rng(2)
    for minimum in surface.minima:
        assert surface.gradient(*minimum) == pytest.approx([0.0] * len(minimum), abs=1e-3)
        assert all(low < number < high for number, (low, high) in zip(minimum, surface.window, strict=True))
        around = np.array(minimum)[:, None] + 0.05 * random.standard_normal((len(minimum), 200))
        assert surface.loss(*around).min() > surface.loss(*minimum) - 1e-9


def test_the_line_surface_is_the_mean_squared_error_and_its_minimum_least_squares():
    x, y = np.array([0, 1, 2, 5, 9]), np.array([0.3, 0.5, 0.9, 1.0, 1.4])
    for w, b in [(0.0, 0.0), (0.3, -1.0), (-2.0, 4.0)]:
        assert LINE.loss(w, b) == pytest.approx(((w * x + b - y) ** 2).mean(), rel=1e-12)
    assert LINE.minima[0] == pytest.approx(np.polyfit(x, y, 1))


@pytest.mark.parametrize("points", [([1], [1]), ([1, 1], [1, 2]), ([1, 2], [1]), ([0, float("inf")], [1, 2])])
def test_a_line_needs_two_different_inputs(points):
    with pytest.raises(ValueError, match="two different inputs"):
        line_surface(*points)
