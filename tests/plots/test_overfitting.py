"""Pictures of training in practice: one axis for all runs, one meaning of the error bar, a source for the numbers."""

from statistics import mean, stdev

import numpy as np
import pytest

from course_utils.plots.overfitting import comparison, curves, search

RUNS = [0.80, 0.82, 0.85, 0.81, 0.87]
TWO_ERRORS = 2 * stdev(RUNS) / len(RUNS) ** 0.5


def test_a_shorter_run_looks_shorter() -> None:
    runs = {name: np.column_stack([np.arange(epochs + 1), *np.ones((4, epochs + 1))])
            for name, epochs in (("short", 43), ("long", 200))}  # fmt: skip
    assert [axes.get_xlim() for axes in curves(runs, "Two runs.").figure.axes] == [(0, 200), (0, 200)]


def test_an_error_is_two_standard_errors_in_both_pictures() -> None:
    (bars,) = comparison({"a": RUNS}, {"a": [0.8]}, "", "One row.").figure.axes[0].containers
    left, right = bars.lines[2][0].get_segments()[0][:, 0]
    assert (left, right) == pytest.approx((mean(RUNS) - TWO_ERRORS, mean(RUNS) + TWO_ERRORS))
    (cell,) = search({(8, 1): RUNS}, (8, 1), "", "One cell.").figure.axes[0].texts
    assert cell.get_text() == f"{mean(RUNS):.3f}\n± {TWO_ERRORS:.3f}"
