"""``show`` prints the code that runs."""

import functools
import inspect

import pytest

from course_utils.plots import show
from course_utils.plots.bars import PairedBars
from course_utils.wording import percent


def test_shows_the_real_source_highlighted_and_escaped() -> None:
    shown = show(percent)
    assert shown.text == inspect.getsource(percent).rstrip()
    page = shown._repr_html_()
    assert "course_utils.wording.percent" in page and "<span" in page
    assert "&lt;0.01 %" in page and "<0.01" not in page
    assert repr(shown) == shown.text


def test_methods_are_dedented_and_wrappers_unwrapped() -> None:
    assert show(PairedBars.update).text.startswith("def update(self")
    assert show(functools.cache(percent)).text.startswith("def percent")
    assert show(PairedBars).text.startswith("class PairedBars")


@pytest.mark.parametrize("thing", [len, 7, "text", dict])
def test_what_has_no_source_gets_a_sentence(thing: object) -> None:
    with pytest.raises(TypeError, match="has no Python source to show"):
        show(thing)
