"""Rows of bars say what the numbers say."""

import pytest
from matplotlib.collections import PolyCollection

from course_utils.plots import picture
from course_utils.plots.bars import Bars, PairedBars, PairedRows, Rows, percent


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
    first = PairedRows(["$a$", "日", "rest"], [0.5, 0.3, 0.2], [0.8, 0.2, 0.0], [True, True, False], [3, 1, 0])
    bars.update(first)
    assert lengths(bars.before) == [0.5, 0.3] and lengths(bars.cut) == [0.2]
    assert lengths(bars.after) == [0.8, 0.2, 0.0]
    assert [text.get_text() for text in bars.earlier] == ["50 %", "30 %", "20 %"]
    assert [text.get_text() for text in bars.numbers] == ["80 %", "20 %", "cut"]
    assert bars.cut.get_hatch() and not bars.before.get_hatch()
    assert list(bars.drawn.get_ydata()) == [0, 0, 0, 1]
    assert bars.axes.get_yticklabels()[0].get_text() == "\\$a\\$"
    bars.update(PairedRows(["a", "b", "c"], [0.5, 0.3, 0.2], [0.5, 0.3, 0.2], [True] * 3))
    assert lengths(bars.cut) == [] and len(bars.drawn.get_ydata()) == 0
    with pytest.raises(ValueError, match="shorter"):
        bars.update(PairedRows(["a", "b", "c"], [0.5, 0.3, 0.2], [1.0], [True] * 3))


def test_a_pinned_state_is_marked_on_rows_of_the_same_key_and_named_in_the_legend() -> None:
    bars = PairedBars(picture.new_figure(6, 3), 2, (0.2, 0.1, 0.75, 0.8))
    now = PairedRows(["a", "b"], [0.5, 0.5], [0.5, 0.5], [True, True], keys=[7, 8])
    bars.update(now, PairedRows(["b", "c"], [0.9, 0.1], [0.9, 0.1], [True, True], keys=[8, 9]))
    assert list(bars.ghost.get_xdata()) == [0.9] and list(bars.ghost.get_ydata()) == [1.2]
    assert [text.get_text() for text in bars.axes.get_legend().get_texts()][-1] == "pinned"
    bars.update(now)
    assert len(bars.ghost.get_xdata()) == 0
    assert [text.get_text() for text in bars.axes.get_legend().get_texts()][-1] == "cut away"


def test_bars_show_the_last_rows_grow_their_axis_and_mark_the_pinned_lengths_beside_them() -> None:
    bars = Bars(picture.new_figure(6, 3).add_axes((0.3, 0.1, 0.6, 0.8)), 2, widest=4.0, ghosts=True)
    bars.update(Rows(["a", "b", "c"], [9.0, 1.0, 2.0], ["9", "1", "2"], chosen=1), Rows([], [7.0, 6.0, 5.0], []))
    assert [bar.get_width() for bar in bars.bars] == [1.0, 2.0] and [n.get_text() for n in bars.numbers] == ["1", "2"]
    assert list(bars.ghost.get_xdata()) == [6.0, 5.0] and bars.axes.get_xlim()[1] == pytest.approx(1.3 * 6)
    assert bars.bars[1].get_facecolor() != bars.bars[0].get_facecolor()
    bars.update(Rows(["a"], [1.0], ["1"]))
    assert bars.axes.get_xlim()[1] == pytest.approx(1.3 * 4) and [bar.get_width() for bar in bars.bars] == [1.0, 0.0]
