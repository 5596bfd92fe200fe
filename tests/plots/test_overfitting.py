"""Pictures of training in practice: one meaning of the error bar, and curves as far as their axis goes."""

import numpy as np
import pytest

from course_utils.experiments.overfitting import mean_and_margin
from course_utils.plots.overfitting import both_curves, comparison, lowest, search

RUNS = [0.80, 0.82, 0.85, 0.81, 0.87]


def test_an_error_is_students_margin_in_both_pictures() -> None:
    middle, margin = mean_and_margin(RUNS)
    (bars,) = comparison({"a": RUNS}, "", "One row.").figure.axes[0].containers
    left, right = bars.lines[2][0].get_segments()[0][:, 0]
    assert (left, right) == pytest.approx((middle - margin, middle + margin))
    (cell,) = search({(8, 1): RUNS}, (8, 1), "", "One cell.").figure.axes[0].texts
    assert cell.get_text() == f"{middle:.3f}\n± {margin:.3f}"


def test_what_is_too_high_or_no_number_is_drawn_at_the_top() -> None:
    curve = np.array([[0, 2.3, 2.4, 0.1, 0.1], [1, 9.0, 2.2, 0.3, 0.2], [2, np.nan, np.inf, 0.1, 0.1]])
    lines = both_curves(curve, 1, 3.0)
    assert lines["training"][1].tolist() == [2.3, 3.0, 3.0] and lines["validation"][1].tolist() == [2.4, 2.2, 3.0]
    assert lowest(curve) == 1 and lines["best"] == ([1], [2.2])
    assert "best" not in both_curves(np.zeros((0, 5)), 1, 3.0)
