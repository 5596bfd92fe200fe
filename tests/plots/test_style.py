"""Any text can go into a picture: no warning, no formula, no missing glyph without notice."""

import warnings

import numpy as np
import pytest

from course_utils.plots import picture, readable, visible
from course_utils.plots.style import _drawable

TEXTS = [
    "日本語",
    "مرحبا",
    "👩‍🚀",
    "$x$",
    "$\\frac{1}{0}$ and \\$",
    "<script>",
    "a\x07b\u202ec\ud800",
    "\u0301",
    "Ａ",
    "",
]


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("shorten", [readable, lambda text: readable(visible(text))])
def test_any_text_is_drawn_without_a_warning(text: str, shorten) -> None:
    figure = picture.new_figure(3, 1)
    axes = figure.add_axes((0.4, 0.2, 0.5, 0.5), title=shorten(text), xlabel=shorten(text))
    axes.set_yticks([0], [shorten(text)])
    figure.text(0.1, 0.1, shorten(text))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        picture.pixels(figure)


def test_dollars_are_drawn_as_dollars() -> None:
    def drawn(text: str, **more: bool) -> np.ndarray:
        figure = picture.new_figure(3, 1)
        figure.text(0.1, 0.5, text, **more)
        return picture.pixels(figure)

    for text in ("$x$", "a $1 b", "$x^2$ for $5"):
        assert np.array_equal(drawn(readable(text)), drawn(text, parse_math=False))
    assert not np.array_equal(drawn("$x$"), drawn("$x$", parse_math=False))


def test_signs_without_a_glyph_become_code_points_and_others_stay() -> None:
    for sign in "日🎉é→":
        assert readable(sign) == (sign if ord(sign) in _drawable() else f"U+{ord(sign):04X}")
    assert readable("é→") == "é→"
    assert readable("\x07") == "U+0007"


def test_visible_shows_blanks_and_keeps_both_ends_of_a_long_text() -> None:
    assert visible(" a\t\n\u00a0") == "␣a⇥↵⍽"
    assert visible("start" + "x" * 1000 + "end", longest=11) == "start…xxend"
    assert len(visible("x" * 10_000)) == 24
