"""Notebook 03 in JupyterLab: the start of a walk set by mouse and by keyboard, on the map."""

import re

import pytest

from course_utils.explorers.descent import MAP
from tests.browser.lab import HIGHEST, Lab, numbers

FULLEST = """
from course_utils.explorers.descent import DescentExplorer, OptimiserRace
"""


def test_typed_learning_rates_are_kept_exactly(lab: Lab) -> None:
    tower = lab.run_added("DescentExplorer(landscape)")
    for typed, words in (("0.0033", "loss 107 to"), ("0.0034", "diverged at step 34")):
        field = tower.row("learning rate").locator("input.widget-readout")
        field.fill(typed)
        field.press("Enter")
        tower.wait_for_number(float(typed))
        assert words in tower.caption() and "larger" not in tower.caption()


def test_a_start_between_two_steps_of_a_slider_is_kept_exactly(lab: Lab) -> None:
    saddle = lab.run_added('DescentExplorer(surface="saddle", across=0.08, up=0.501, steps=100)')
    assert saddle.slider_value("start, bottom to top") == 0.501 and "loss 6.35 to -1;" in saddle.caption()


def test_a_click_on_the_map_moves_the_start_there_and_a_drag_takes_it_along(lab: Lab) -> None:
    explorer = lab.explorers()[0]
    explorer.show()
    box = explorer.image.bounding_box()
    height, seen = explorer.height(), explorer.pixels()

    def point(across: float, up: float) -> tuple[float, float]:
        """A place of the map on the screen; `MAP` is its frame in the picture."""
        left, bottom, width, height = MAP
        below_top = 1 - bottom - height * up
        return box["x"] + (left + width * across) * box["width"], box["y"] + below_top * box["height"]

    def start() -> list[float]:
        return numbers(re.search(r"from \(.*?\)", explorer.caption()).group())

    lab.page.mouse.click(*point(0.25, 0.75))  # four valleys reaches from -5 to 5
    seen = explorer.wait_for_new_pixels(seen)
    assert abs(start()[0] + 2.5) < 0.05 and abs(start()[1] - 2.5) < 0.05
    lab.page.mouse.down()
    lab.page.mouse.move(*point(0.6, 0.4), steps=3)
    explorer.wait_for_number(1.0)
    lab.page.mouse.move(*point(3.0, 0.4))  # far outside: the start stays at the map's edge
    explorer.wait_for_number(5.0)
    lab.page.mouse.up()

    edge = explorer.caption()
    lab.page.mouse.click(*point(1.8, 0.5))  # the loss curve is no place to start from
    lab.page.wait_for_timeout(500)
    assert explorer.caption() == edge

    seen = explorer.pixels()
    explorer.press("start, left", "ArrowLeft", times=2)
    explorer.wait_for_new_pixels(seen)
    explorer.wait_for_number(4.8)
    assert explorer.height() == height
    assert lab.errors() == [] and lab.console == []


@pytest.mark.parametrize("width", [None, 640], ids=["wide", "narrow"])
@pytest.mark.parametrize(
    "line",
    ['DescentExplorer(optimiser="momentum", learning_rate=0.3)', 'OptimiserRace(rates="one for all", steps=200)'],
    ids=["descent", "race"],
)
def test_it_fits_with_every_control_in_a_small_window_and_a_narrow_column(
    line: str, width: int | None, lab: Lab, request: pytest.FixtureRequest
) -> None:
    lab.resize(column=width)
    view = lab.run_added(f"{FULLEST}pinned = {line}\npinned.pin()\npinned")
    lab.page.wait_for_timeout(1000)  # every widget has its place
    box, picture = view.output.locator(".course-explorer").bounding_box(), view.image.bounding_box()
    view.screenshot("03-fits-" + request.node.callspec.id)
    cut = view.cut()
    lab.resize()
    assert box["height"] <= HIGHEST and (width is None or abs(box["width"] - width) <= 1), box
    assert picture["width"] <= box["width"] + 1 and cut == []
