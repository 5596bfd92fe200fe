"""Labels painted at once stand where matplotlib's own text stands, and say the same."""

import itertools

import numpy as np
import pytest
from matplotlib.text import Text

from course_utils.plots import picture
from course_utils.plots.lettering import Label

PLACES = list(itertools.product(("left", "center", "right"), ("top", "center", "bottom")))


def painted(kind: type[Text], text: str, size: float = 14, **looks) -> np.ndarray:
    """How dark each pixel is, from 0 to 1, with the text in the middle of an empty picture."""
    figure = picture.new_figure(4, 2)
    figure.add_artist(kind(0.5, 0.5, text, fontsize=size, **looks))
    return 1 - picture.pixels(figure)[..., :3].mean(-1) / 255


@pytest.mark.parametrize(("across", "along"), PLACES)
@pytest.mark.parametrize("text", ["71 %", "<0.01 %", "cut", "Ag (y)", "Wj"])
def test_a_label_stands_where_matplotlib_would_put_it(text: str, across: str, along: str) -> None:
    ours, theirs = (painted(kind, text, ha=across, va=along) for kind in (Label, Text))
    assert ours.sum() == pytest.approx(theirs.sum(), rel=0.1)
    for axis in (0, 1):
        first, last = (np.flatnonzero(ink.any(axis)) for ink in (ours, theirs))
        assert abs(first[0] - last[0]) <= 2 and abs(first[-1] - last[-1]) <= 2


@pytest.mark.parametrize(("across", "along"), [("center", "top"), ("right", "center"), ("left", "bottom")])
def test_upright_text_stands_where_matplotlib_puts_it(across: str, along: str) -> None:
    ours, theirs = (painted(kind, "market 71", ha=across, va=along, rotation=90) for kind in (Label, Text))
    assert ours.sum() == pytest.approx(theirs.sum(), rel=0.1)
    for axis in (0, 1):
        first, last = (np.flatnonzero(ink.any(axis)) for ink in (ours, theirs))
        assert abs(first[0] - last[0]) <= 3 and abs(first[-1] - last[-1]) <= 3


@pytest.mark.parametrize(
    "looks", [{"rotation": 30}, {"bbox": {"boxstyle": "round"}}, {"va": "baseline"}, {"alpha": 0.5}, {"weight": "bold"}]
)
def test_what_it_cannot_paint_matplotlib_draws(looks: dict) -> None:
    assert np.array_equal(painted(Label, "71 %", **looks), painted(Text, "71 %", **looks))


@pytest.mark.parametrize("text", ["$x^2$", "two\nlines", "é"])
def test_signs_it_cannot_paint_matplotlib_draws(text: str) -> None:
    assert np.array_equal(painted(Label, text, va="center"), painted(Text, text, va="center"))


def test_colour_and_sight_are_kept() -> None:
    figure = picture.new_figure(4, 2)
    label = figure.add_artist(Label(0.5, 0.5, "MM", fontsize=40, va="center", color="red"))
    red = picture.pixels(figure)
    assert red[..., 1].min() < 20 and red[..., 0].min() == 255
    label.set_visible(False)
    assert picture.pixels(figure).min() == 255
    label.set(visible=True, text="")
    assert picture.pixels(figure).min() == 255
    label.set(text="71 %", position=(np.nan, 0.5))
    assert picture.pixels(figure).min() == 255
