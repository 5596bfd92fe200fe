"""Pictures of lesson 10: bars of ablations, published sizes with names that do not cover one another, tables."""

import pytest

from course_utils.data import llm_sizes
from course_utils.plots.tables import Table
from course_utils.plots.transformer import ablation_picture, published_sizes, stream_lengths


def test_names_of_published_models_do_not_cover_one_another() -> None:
    figure = published_sizes(llm_sizes()).figure
    [axes] = figure.axes
    figure.canvas.draw()
    boxes = [text.get_window_extent() for text in axes.texts]
    assert len(boxes) > 25  # of 30 models and the words on the grey band
    for at, one in enumerate(boxes):
        assert axes.bbox.x0 - 1 < one.x0 and one.x1 < axes.bbox.x1 + 1
        for other in boxes[:at]:
            across = min(one.x1, other.x1) - max(one.x0, other.x0)
            down = min(one.y1, other.y1) - max(one.y0, other.y0)
            assert across <= 2 or down <= 2


def test_a_run_of_the_page_is_a_star_in_the_row_of_its_model() -> None:
    picture = ablation_picture({"whole": [3.0], "no MLP": [3.3, 3.4]}, ("no MLP", 3.5))
    [axes] = picture.figure.axes
    star = axes.lines[-1]
    assert (star.get_xdata()[0], star.get_ydata()[0], star.get_marker()) == (3.5, 1, "*")
    assert picture.alt == "Bits a letter on unseen plays: whole 3.00; no MLP 3.35. Your run, no MLP: 3.50."
    with pytest.raises(ValueError, match="not in list"):
        ablation_picture({"whole": [3.0]}, ("no MLP", 3.5))


def test_lengths_beyond_the_axis_are_shown_too() -> None:
    [axes] = stream_lengths([1.0, 50.0, 619.0]).figure.axes
    assert axes.get_ylim()[0] <= 1 and axes.get_ylim()[1] > 619


def test_a_table_shows_markup_as_typed_and_refuses_a_short_row() -> None:
    table = Table(["a", "b"], [["<script>", "1 & 2"]])
    assert "&lt;script&gt;" in table._repr_html_() and "<script" not in table._repr_html_()
    assert repr(table) == "a | b\n<script> | 1 & 2"
    with pytest.raises(ValueError, match="has 1 cells under a heading of 2"):
        Table(["a", "b"], [["only"]])
