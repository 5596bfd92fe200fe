"""Notebook 08 in JupyterLab: the table of letters and the fading gradient by keyboard, their size, their words."""

from tests.browser.lab import ExplorerView, Lab


def letters(lab: Lab) -> ExplorerView:
    """The explorer of n-grams, which is a text."""
    lab.explorers()  # draws every cell
    return ExplorerView(lab, lab.page.locator(".jp-OutputArea-output:has(.course-explorer table)").first)


def fade(lab: Lab) -> ExplorerView:
    """The explorer of gradients."""
    return next(view for view in lab.explorers() if "steps back" in view.alt())


def test_the_memory_grows_by_keyboard_and_an_own_text_is_learned(lab: Lab) -> None:
    view = letters(lab)
    view.output.scroll_into_view_if_needed()
    height = view.height()
    assert "It remembers 2 letters" in view.caption()
    view.press("letters remembered", "ArrowRight", times=2)
    view.output.get_by_text("It remembers 4 letters").first.wait_for()
    view.output.locator("select").select_option(index=0)
    view.output.get_by_text("of 80 letters have a chance").first.wait_for()
    own = view.output.get_by_placeholder("empty: the plays")
    own.fill("日本語のトークン <b>日本語</b>")
    own.press("Enter")
    view.output.get_by_text("of 14 letters have a chance").first.wait_for()
    own.fill("ab")
    own.press("Enter")
    view.output.get_by_text("Your text has 2 letters, too few for a memory of 4").wait_for()
    view.output.screenshot(path=lab.artefacts / "08-own-text.png")
    assert view.height() == height
    view.output.locator("button", has_text="Reset").click()
    view.output.get_by_text("It remembers 2 letters").first.wait_for()
    assert lab.errors() == [] and lab.console == []


def test_the_prediction_frees_the_fading_gradient_and_its_tour_goes_all_the_way(lab: Lab) -> None:
    view = fade(lab)
    assert view.locked("steps back")
    lab.page.get_by_role("button", name="less than a millionth as much").click()
    view.wait_until_free("steps back")
    view.show()
    assert view.caption() == view.alt()
    before = view.pixels()
    view.press("steps back", "ArrowLeft")
    view.wait_for_new_pixels(before)
    assert "a letter 19 steps back" in view.caption()
    view.output.locator("button", has_text="Tour").click()
    for words in ("1 step back", "Further back", "shrinks at every step", "hold it here", "explodes", "fades too"):
        view.output.locator(".course-tour").get_by_text(words).wait_for()
        sentence = view.output.locator(".course-tour").first
        assert sentence.evaluate("box => box.scrollHeight <= box.clientHeight + 1"), f"{words} is cut"
        view.output.locator("button", has_text="Next").last.click()
    view.output.locator("button", has_text="Leave tour").click()
    view.output.locator(".course-caption").get_by_text("a letter 19 steps back").wait_for()
    lab.page.wait_for_timeout(300)
    view.screenshot("08-fade")
    assert lab.errors() == [] and lab.console == []
