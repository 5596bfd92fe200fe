"""Rows of bars say what the numbers say."""

import pytest
from matplotlib.collections import PolyCollection

from course_utils.plots import picture
from course_utils.plots.bars import PairedBars, percent


@pytest.mark.parametrize(
    ("probability", "words"),
    [(0.5, "50 %"), (0.0996, "10 %"), (0.0994, "9.9 %"), (0.00996, "1.0 %"), (0.0012, "0.12 %"), (1e-5, "<0.01 %"),
     (0.9995, ">99.9 %"), (0.999, "99.9 %"), (0.994, "99 %"), (0, "0 %"), (1, "100 %")],
)  # fmt: skip
def test_percent(probability: float, words: str) -> None:
    assert percent(probability) == words


def lengths(bars: PolyCollection) -> list[float]:
    return [path.vertices[:, 0].max() for path in bars.get_paths()]


def test_bars_numbers_hatches_and_dots() -> None:
    bars = PairedBars(picture.new_figure(6, 3), 3, (0.2, 0.1, 0.75, 0.8))
    bars.update(["$a$", "日", "rest"], [0.5, 0.3, 0.2], [0.8, 0.2, 0.0], [True, True, False], [3, 1, 0])
    assert lengths(bars.before) == [0.5, 0.3] and lengths(bars.cut) == [0.2]
    assert lengths(bars.after) == [0.8, 0.2, 0.0]
    assert [text.get_text() for text in bars.earlier] == ["50 %", "30 %", "20 %"]
    assert [text.get_text() for text in bars.numbers] == ["80 %", "20 %", "cut"]
    assert bars.cut.get_hatch() and not bars.before.get_hatch()
    assert list(bars.drawn.get_ydata()) == [0, 0, 0, 1]
    assert bars.axes.get_yticklabels()[0].get_text() == "\\$a\\$"
    bars.update(["a", "b", "c"], [0.5, 0.3, 0.2], [0.5, 0.3, 0.2], [True] * 3)
    assert lengths(bars.cut) == [] and len(bars.drawn.get_ydata()) == 0
    with pytest.raises(ValueError, match="shorter"):
        bars.update(["a", "b", "c"], [0.5, 0.3, 0.2], [1.0], [True] * 3)
