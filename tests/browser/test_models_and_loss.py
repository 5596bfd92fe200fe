"""Notebook 01 in JupyterLab: a line fitted by keyboard, a ghost to beat, a degree that the drops cannot fix."""

import pytest

from tests.browser.lab import Lab


@pytest.fixture
def started(lab: Lab) -> Lab:
    """Notebook 01 after Run All."""
    lab.open("01_models_and_loss.ipynb")
    lab.run_all()
    assert lab.errors() == []
    return lab


def explorer_with(lab: Lab, label: str):
    """The first explorer with a slider of this label."""
    return next(explorer for explorer in lab.explorers() if explorer.slider(label).count())


def wait_for_words(explorer, words: str) -> None:
    """Waits until the caption says them."""
    explorer.output.locator("[aria-live]", has_text=words).first.wait_for()


def test_a_line_is_turned_by_keys_pinned_and_beaten_and_nothing_jumps(started: Lab) -> None:
    line = explorer_with(started, "slope")
    line.show()
    height, seen = line.height(), line.pixels()
    line.press("slope", "ArrowRight", times=3)
    line.wait_for_number(0.003)
    assert line.slider_value("slope") == 0.003
    line.wait_for_new_pixels(seen)
    line.output.get_by_role("button", name="Pin", exact=True).click()
    wait_for_words(line, "not beaten")
    line.output.get_by_role("button", name="Let the computer turn them").click()
    wait_for_words(line, ": beaten.")
    line.wait_for_number(line.slider_value("slope"))
    seen = line.pixels()
    line.output.locator("select").select_option("absolute")
    wait_for_words(line, "absolute loss")
    line.wait_for_new_pixels(seen)
    assert line.height() == height
    line.screenshot("01-line-beaten")
    assert started.errors() == [] and started.console == []


def test_a_polynomial_waits_for_the_prediction_and_says_when_the_drops_are_too_few(started: Lab) -> None:
    polynomial = explorer_with(started, "degree")
    polynomial.show()
    seen = polynomial.pixels()
    polynomial.press("degree", "ArrowRight")
    started.page.wait_for_timeout(500)
    assert polynomial.pixels() == seen, "the slider moved before a prediction was made"
    assert polynomial.locked("degree")
    started.page.get_by_role("button", name="both rise").click()
    polynomial.wait_until_free("degree")
    polynomial.press("degree", "End")
    polynomial.wait_for_number(15)
    seen = polynomial.pixels()
    polynomial.press("training points", "Home")
    polynomial.output.get_by_text("degree=15").wait_for()
    seen = polynomial.pixels()
    polynomial.press("degree", "Home")
    polynomial.wait_for_new_pixels(seen)
    assert "Degree 0 on 2 drops" in polynomial.caption()
    assert started.errors() == [] and started.console == []
