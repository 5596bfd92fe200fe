"""Notebook 11 in JupyterLab: the time machine by keyboard, and the theatre trained, stopped and continued."""

import re

from tests.browser.lab import ExplorerView, Lab


def theatre(lab: Lab) -> ExplorerView:
    """The training theatre."""
    return next(view for view in lab.explorers() if "learning rate" in view.alt())


def steps(view: ExplorerView) -> int:
    """The step that the theatre's caption tells."""
    found = re.search(r"Step (\d+) of", view.caption())
    return int(found[1]) if found else 0


def test_the_time_machine_goes_back_to_random_weights_by_keyboard(lab: Lab) -> None:
    view = lab.explorers()[0]
    view.show()
    assert view.caption() == view.alt()
    height, before = view.height(), view.pixels()
    view.press("moment of the training", "Home")
    view.wait_for_new_pixels(before)
    view.output.locator(".course-caption").get_by_text("After 0 steps").wait_for()
    assert view.height() == height
    view.screenshot("11-random")
    view.output.locator("button", has_text="Reset").click()
    assert lab.errors() == [] and lab.console == []


def test_the_theatre_trains_stops_and_goes_on(lab: Lab) -> None:
    view = theatre(lab)
    view.show()
    begun, before = steps(view), view.pixels()
    view.output.locator("button", has_text="Train").click()
    view.output.locator("button", has_text="Stop").wait_for()
    view.wait_for_new_pixels(before)
    view.output.locator("button", has_text="Stop").click()
    view.output.locator("button", has_text="Train").wait_for()
    stopped = steps(view)
    assert stopped > begun
    view.screenshot("11-stopped")
    before = view.pixels()
    view.output.locator("button", has_text="Train").click()
    view.wait_for_new_pixels(before)
    view.output.locator("button", has_text="Stop").click()
    view.output.locator("button", has_text="Train").wait_for()
    assert steps(view) > stopped, "it began anew"
    assert lab.errors() == [] and lab.console == []
