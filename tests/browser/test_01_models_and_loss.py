"""Notebook 01 in JupyterLab: a line fitted by keyboard, a ghost to beat, a degree that the drops cannot fix."""

from tests.browser.lab import ExplorerView, Lab


def explorer_with(lab: Lab, label: str) -> ExplorerView:
    """The first explorer with a slider of this label."""
    return next(explorer for explorer in lab.explorers() if explorer.slider(label).count())


def wait_for_words(explorer: ExplorerView, words: str) -> None:
    """Waits until the caption says them."""
    explorer.output.locator("[aria-live]", has_text=words).first.wait_for()


def test_a_line_is_turned_by_keys_pinned_and_beaten_and_nothing_jumps(lab: Lab) -> None:
    line = explorer_with(lab, "slope")
    line.show()
    height, seen = line.height(), line.pixels()
    line.press("slope", "ArrowRight", times=3)
    line.wait_for_number(0.103)
    assert line.slider_value("slope") == 0.103
    line.wait_for_new_pixels(seen)
    line.output.get_by_role("button", name="Pin", exact=True).click()
    wait_for_words(line, "not beaten")
    line.output.get_by_role("button", name="Let the computer fit the line").click()
    wait_for_words(line, ": beaten.")
    line.wait_for_number(line.slider_value("slope"))
    assert line.height() == height
    line.screenshot("01-line-beaten")
    assert lab.errors() == [] and lab.console == []


def test_another_loss_is_chosen_and_the_line_judged_by_it(lab: Lab) -> None:
    chooser = next(explorer for explorer in lab.explorers() if explorer.output.locator("select").count())
    chooser.show()
    seen, height = chooser.pixels(), chooser.height()
    wait_for_words(chooser, "absolute residuals")
    chooser.output.locator("select").select_option("squared")
    wait_for_words(chooser, "squared residuals")
    chooser.wait_for_new_pixels(seen)
    assert chooser.height() == height
    assert lab.errors() == [] and lab.console == []


def test_a_polynomial_waits_for_the_prediction_and_says_when_the_drops_are_too_few(lab: Lab) -> None:
    polynomial = explorer_with(lab, "degree")
    polynomial.show()
    seen = polynomial.pixels()
    polynomial.slider("degree").focus()
    lab.page.keyboard.press("ArrowRight")
    lab.page.wait_for_timeout(500)
    assert polynomial.pixels() == seen, "the slider moved before a prediction was made"
    assert polynomial.locked("degree")
    lab.page.get_by_role("button", name="both rise").click()
    polynomial.press("degree", "End")
    polynomial.wait_for_number(15)
    seen = polynomial.pixels()
    polynomial.press("number of drops", "Home")
    polynomial.output.get_by_text("degree=15").wait_for()
    seen = polynomial.pixels()
    polynomial.press("degree", "Home")
    polynomial.wait_for_new_pixels(seen)
    assert "Degree 0 on 2 drops" in polynomial.caption()
    assert lab.errors() == [] and lab.console == []
