"""Notebook 04 by hand: a formula typed, the pass stepped by button and key, a typo survived, the tour, the size."""

from tests.browser.lab import Lab


def test_a_typed_formula_is_stepped_backwards_and_a_typo_leaves_the_picture(lab: Lab) -> None:
    explorer = lab.explorers()[0]
    explorer.show()
    pixels, height = explorer.pixels(), explorer.height()

    explorer.output.locator("button", has_text="Start again").click()
    pixels = explorer.wait_for_new_pixels(pixels)
    box = explorer.output.locator("input[type=text]").first
    box.fill("x*y + x")
    box.press("Enter")
    pixels = explorer.wait_for_new_pixels(pixels)
    assert "x*y + x = 0.5" in explorer.caption() and "5 backward" not in explorer.caption()
    assert explorer.slider("y").is_visible() and not explorer.slider("a").is_visible()

    button = explorer.output.locator("button", has_text="Next box")
    button.focus()
    lab.page.keyboard.press("Enter")
    pixels = explorer.wait_for_new_pixels(pixels)
    assert "Backward step 1 of 4: + has gradient 1" in explorer.caption()
    explorer.press("backward steps", "ArrowRight", times=3)
    explorer.output.get_by_text("Done: x 0.5, y 1.").wait_for()
    explorer.press("y", "ArrowRight")
    explorer.output.get_by_text("Done: x 0.6, y 1.").wait_for()
    pixels = explorer.pixels()

    box.fill("x*yy")
    box.press("Enter")
    explorer.output.get_by_text("'yy' is not an input; did you mean 'y'?").wait_for()
    assert explorer.pixels() == pixels and abs(explorer.height() - height) <= 34  # one row of sliders fewer
    assert lab.errors() == [] and lab.console == []


def test_the_tour_walks_forwards_and_back_and_leaves_the_learners_own_state(lab: Lab) -> None:
    explorer = lab.explorers()[1]
    explorer.show()
    before = explorer.caption()
    explorer.output.locator("button", has_text="Tour").click()
    explorer.output.get_by_text("Forwards, in blue: 2 × 3 is 6").wait_for()
    said = ("2 × 2 goes back", "its own gradient, 4, to both", "4 × 3 to a, 4 × 2 to b", "the result grows 12 times")
    for words in (*said, "0.1 × 12 = 1.2 more than 4. It is 5.29"):
        explorer.output.locator("button", has_text="Next").last.click()
        explorer.output.get_by_text(words).wait_for()
        sentence = explorer.output.locator(".course-tour").first
        assert sentence.evaluate("box => box.scrollHeight <= box.clientHeight + 1"), f"{words} is cut"
    explorer.output.locator("button", has_text="Leave tour").click()
    explorer.output.get_by_text(before).last.wait_for()
    assert lab.errors() == [] and lab.console == []
