"""Notebook 06 in JupyterLab: an own text as tokens, merges by click and by keyboard, their size, their words."""

from tests.browser.lab import ExplorerView, Lab


def tokens(lab: Lab) -> ExplorerView:
    """The explorer of tokens."""
    lab.explorers()  # draws every cell
    return ExplorerView(lab, lab.page.locator(".jp-OutputArea-output:has(.course-explorer select)").first)


def steps(lab: Lab) -> ExplorerView:
    """The explorer of merges."""
    lab.explorers()
    return ExplorerView(lab, lab.page.locator('.jp-OutputArea-output:has(button:text("Undo the last merge"))').first)


def test_an_own_text_becomes_tokens_and_a_small_vocabulary_is_refused_in_a_sentence(lab: Lab) -> None:
    view = tokens(lab)
    view.output.scroll_into_view_if_needed()
    height = view.height()
    assert view.caption().startswith("29 characters, 7 tokens")
    own = view.output.locator("textarea").first
    own.fill("日本語 <script>alert(1)</script> مرحبا 🎉")
    view.output.get_by_text("37 characters").first.wait_for()
    view.output.locator("select").nth(1).select_option(label="100")
    view.output.get_by_text("A vocabulary of 100 is too small for byte pairs").wait_for()
    view.output.locator("select").nth(1).select_option(label="256")
    view.output.get_by_text("The vocabulary has 256 tokens").first.wait_for()
    own.fill("")
    view.output.get_by_text("0 characters, 0 tokens").first.wait_for()
    view.output.screenshot(path=lab.artefacts / "06-own-text.png")
    assert view.height() == height
    view.output.locator("button", has_text="Reset").click()
    view.output.get_by_text("29 characters, 7 tokens").first.wait_for()
    assert lab.errors() == [] and lab.console == []


def test_the_merges_go_forward_and_back_and_the_tour_goes_all_the_way(lab: Lab) -> None:
    view = steps(lab)
    view.output.scroll_into_view_if_needed()
    height = view.height()
    assert view.caption().startswith("After 0 merges: 70 characters, 70 tokens")
    view.output.locator("button", has_text="Undo the last merge").click()
    view.output.get_by_text("nothing to undo").wait_for()
    view.output.get_by_role("button", name="Merge", exact=True).click()
    view.output.get_by_text("After 1 merge: 70 characters, 65 tokens").first.wait_for()
    view.press("merges done", "ArrowRight", times=2)
    view.output.get_by_text("After 3 merges").first.wait_for()
    view.output.locator("button", has_text="Undo the last merge").click()
    view.output.get_by_text("After 2 merges").first.wait_for()
    view.output.locator("button", has_text="Tour").click()
    for words in ("At first each byte", "One merge", "Three merges", "whole words appear", "example of the textbooks"):
        view.output.locator(".course-tour").get_by_text(words).wait_for()
        sentence = view.output.locator(".course-tour").first
        assert sentence.evaluate("box => box.scrollHeight <= box.clientHeight + 1"), f"{words} is cut"
        if words != "example of the textbooks":  # the last stop
            view.output.locator("button", has_text="Next").last.click()
    view.output.locator("button", has_text="Leave tour").click()
    view.output.get_by_text("After 2 merges").first.wait_for()
    view.output.screenshot(path=lab.artefacts / "06-merges.png")
    assert view.height() == height
    assert lab.errors() == [] and lab.console == []


def test_untrusted_and_never_run_its_texts_are_shown_and_say_how_to_wake_them(untrusted: Lab) -> None:
    untrusted.open("06_tokens.ipynb")
    assert not untrusted.trusted()
    untrusted.stills()  # draws every cell
    texts = untrusted.page.locator(".jp-OutputArea-output:has(.course-asleep)")
    assert texts.count() == 2
    for text in texts.all():
        assert text.locator("figcaption").text_content()
        assert text.locator(".course-asleep").all_text_contents() == ["This is a still. Run this box to make it live."]
    assert untrusted.console == []
