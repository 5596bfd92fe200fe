"""Notebook 10 in JupyterLab: a model counted by keyboard, a width that brings its heads, positions toured."""

from tests.browser.lab import ExplorerView, Lab


def counter(lab: Lab) -> ExplorerView:
    """The explorer of parameters."""
    return next(view for view in lab.explorers() if "parameters" in view.alt())


def positions(lab: Lab) -> ExplorerView:
    """The explorer of positions."""
    return next(view for view in lab.explorers() if "the two curves differ" in view.alt())


def test_a_model_is_counted_by_keyboard_and_impossible_heads_get_a_sentence(lab: Lab) -> None:
    view = counter(lab)
    view.output.scroll_into_view_if_needed()
    view.show()
    height = view.height()
    assert "134,515,008 parameters" in view.caption()
    view.output.locator("select").select_option(label="GPT-2 small (2019)")
    view.output.locator(".course-caption").get_by_text("124,439,808 parameters").wait_for()
    view.press("heads", "ArrowRight")
    view.output.get_by_text("heads=13 must divide width=768; try 12 or 16").wait_for()
    view.press("width", "ArrowRight")  # brings 13 heads of 64 numbers
    view.output.locator(".course-caption").get_by_text("width 832, 13 heads").wait_for()
    view.screenshot("10-counter")
    view.output.locator("button", has_text="Reset").click()
    view.output.locator(".course-caption").get_by_text("134,515,008 parameters").wait_for()
    assert view.height() == height
    assert lab.errors() == [] and lab.console == []


def test_positions_move_by_keyboard_and_their_tour_goes_all_the_way(lab: Lab) -> None:
    view = positions(lab)
    view.show()
    assert view.caption() == view.alt() and "differ by 0.00 at most" in view.caption()
    view.output.locator("select").select_option(label="waves (added)")
    view.output.locator(".course-caption").get_by_text("Waves (added)").wait_for()
    before = view.pixels()
    view.press("position of the query", "ArrowLeft")
    view.wait_for_new_pixels(before)
    assert "at position 199" in view.caption()
    view.output.locator("button", has_text="Tour").click()
    for words in ("same position", "Far down", "Only the distance", "one position further", "far away", "MiniLM"):
        view.output.locator(".course-tour").get_by_text(words).wait_for()
        sentence = view.output.locator(".course-tour").first
        assert sentence.evaluate("box => box.scrollHeight <= box.clientHeight + 1"), f"{words} is cut"
        if words != "MiniLM":  # the last stop has no next one
            view.output.locator("button", has_text="Next").last.click()
    view.output.locator("button", has_text="Leave tour").click()
    view.output.locator(".course-caption").get_by_text("at position 199").wait_for()
    lab.page.wait_for_timeout(300)
    view.screenshot("10-positions")
    assert lab.errors() == [] and lab.console == []
