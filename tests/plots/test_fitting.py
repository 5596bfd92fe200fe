"""Pictures of models beside measurements hold what they were given."""

import numpy as np

from course_utils.plots.fitting import models_and_drops


def test_every_model_and_every_drop_is_drawn_and_told_apart_without_colour() -> None:
    models = {"line": lambda floor: 0.1 * floor, "wild": lambda floor: np.exp(floor), "flat": np.ones_like}
    drops = {"measured": ([1, 2, 3], [1.0, 2.0, 3.0]), "beyond": ([40], [7.0])}
    axes = models_and_drops(models, drops).axes[0]
    lines = {line.get_label(): line for line in axes.get_lines()}
    assert set(lines) == {*models, *drops}
    assert lines["beyond"].get_xydata().tolist() == [[40, 7.0]]
    assert np.allclose(lines["line"].get_ydata(), 0.1 * lines["line"].get_xdata())
    assert np.isfinite(lines["wild"].get_ydata()).all()
    assert len({str(lines[name].get_linestyle()) for name in models}) == len(models)
    assert len({lines[name].get_marker() for name in drops}) == len(drops)
