"""Notebook 03 in JupyterLab: the start of a walk set by mouse and by keyboard, on the map."""

import re

from course_utils.explorers.descent import MAP
from tests.browser.lab import Lab, numbers


def test_runs_from_a_clean_kernel_without_an_error(ran: Lab) -> None:
    ran.check()


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
