"""Notebook 04 by hand: a formula typed, the backward pass stepped by button and by key, a typo survived."""

from tests.browser.lab import Lab


def test_runs_from_a_clean_kernel_without_an_error(ran: Lab) -> None:
    ran.check()


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
