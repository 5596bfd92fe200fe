"""Notebook 02 in the browser: a digit drawn by pointer and by keyboard, points clicked into the playground."""

import re
from collections.abc import Callable

from course_utils.explorers.playground import OUTPUT
from tests.browser.lab import ExplorerView, Lab

TWO_NETWORKS = """
from course_utils.explorers.drawing import DrawADigit
from course_utils.models.convnet import ConvNet, ConvNetConfig
from course_utils.models.mlp import MLP, MLPConfig
DrawADigit(MLP(MLPConfig((64, 64, 10))), ConvNet(ConvNetConfig(size=8)))
"""
PLAYGROUND = """
from course_utils.explorers.playground import NetworkPlayground
NetworkPlayground(data="own points")
"""


def inked(view: ExplorerView) -> float:
    """The share of inked paper that the caption tells, in per cent; 0 for blank paper."""
    if "paper is blank" in view.caption():
        return 0
    found = re.search(r"([\d.]+) % of the paper", view.caption())
    return float(found[1]) if found else 100


def wait_until(view: ExplorerView, condition: Callable[[], bool]) -> None:
    for _ in range(200):
        if condition():
            return
        view.lab.page.wait_for_timeout(50)
    raise AssertionError(f"after 10 s still: {view.caption()}")


def test_runs_from_a_clean_kernel_without_an_error(ran: Lab) -> None:
    ran.check()


def test_a_digit_is_drawn_with_the_pointer_and_taken_back(lab: Lab) -> None:
    view = lab.run_added(TWO_NETWORKS)
    page, paper = lab.page, view.output.locator("canvas.course-paper")
    view.output.get_by_role("button", name="Clear").click()
    wait_until(view, lambda: inked(view) == 0)
    before, height = view.pixels(), view.height()
    paper.scroll_into_view_if_needed()
    box = paper.bounding_box()

    def at(across: float, down: float) -> tuple[float, float]:
        return box["x"] + box["width"] * across, box["y"] + box["height"] * down

    page.mouse.move(*at(0.5, 0.1))
    page.mouse.down()
    page.mouse.move(*at(0.5, 0.9), steps=8)
    page.mouse.up()
    wait_until(view, lambda: 8 <= inked(view) <= 18)  # a bar of 5 by about 31 of 32 x 32 dots
    seen = view.wait_for_new_pixels(before)
    first = inked(view)
    page.mouse.move(*at(0.2, 0.5))
    page.mouse.down()
    page.mouse.move(*at(0.8, 0.5), steps=8)
    page.mouse.up()
    wait_until(view, lambda: inked(view) > first + 3)
    view.wait_for_new_pixels(seen)
    page.wait_for_timeout(500)  # the last piece of the stroke is drawn
    view.screenshot("02-drawn")
    view.output.get_by_role("button", name="Undo stroke").click()
    wait_until(view, lambda: inked(view) == first)
    assert view.height() == height
    assert lab.console == [] and lab.errors() == []


def test_a_digit_is_drawn_with_the_keyboard(lab: Lab) -> None:
    view = lab.run_added(TWO_NETWORKS)
    page, paper = lab.page, view.output.locator("canvas.course-paper")
    assert "Arrow keys move the pen" in paper.get_attribute("aria-label")
    view.output.get_by_role("button", name="Clear").click()
    wait_until(view, lambda: inked(view) == 0)
    paper.focus()
    for _ in range(4):
        page.keyboard.press("ArrowUp")
    page.wait_for_timeout(300)
    assert inked(view) == 0, "moving the pen must not ink"
    assert "column 16, row 8 of 32: paper" in view.output.locator("canvas.course-paper + div").inner_text()
    page.keyboard.press("Space")
    wait_until(view, lambda: 1 <= inked(view) <= 3)
    for _ in range(8):
        page.keyboard.press("Shift+ArrowDown")
    wait_until(view, lambda: 7 <= inked(view) <= 12)
    assert "column 16, row 24 of 32: ink" in view.output.locator("canvas.course-paper + div").inner_text()
    assert lab.console == [] and lab.errors() == []


def test_a_click_on_the_map_adds_a_point_and_play_trains_until_stop(lab: Lab) -> None:
    view = lab.run_added(PLAYGROUND)
    page = lab.page
    assert "8 points in 2 classes" in view.caption()
    height = view.height()
    view.output.get_by_label("a click adds").select_option("C")
    page.wait_for_timeout(500)  # the picture that says so is there
    view.show()
    box = view.image.bounding_box()
    page.mouse.click(box["x"] + OUTPUT[0] + 200, box["y"] + 450 - OUTPUT[1] - 40)
    wait_until(view, lambda: "9 points in 3 classes" in view.caption())
    view.output.get_by_role("button", name="Play").click()
    wait_until(view, lambda: int(re.search(r"Step ([\d,]+)", view.caption())[1].replace(",", "")) > 50)
    view.output.get_by_role("button", name="Stop").click()
    view.output.get_by_role("button", name="Play").wait_for()
    reached = view.caption()
    page.wait_for_timeout(400)
    assert view.caption() == reached, "it trains on after Stop"
    view.screenshot("02-playground")
    assert view.height() == height
    assert lab.console == [] and lab.errors() == []
