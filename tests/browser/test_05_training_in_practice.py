"""Notebook 05 in the browser: Train draws while it runs, Stop keeps the curves, the keyboard moves the lab."""

from tests.browser.lab import Lab, numbers


def test_train_draws_stop_keeps_the_curves_and_bad_input_is_a_sentence(lab: Lab) -> None:
    overfitting = lab.explorers()[0]
    overfitting.show()
    height = overfitting.height()
    first = overfitting.pixels()
    overfitting.press("digits to learn from", "ArrowRight", 30)
    overfitting.wait_for_number(450)
    moved = overfitting.wait_for_new_pixels(first) if overfitting.pixels() == first else overfitting.pixels()

    overfitting.output.get_by_role("button", name="Train", exact=True).click()
    running = overfitting.wait_for_new_pixels(moved)
    overfitting.wait_for_new_pixels(running)
    overfitting.output.get_by_role("button", name="Stop", exact=True).click()
    overfitting.output.get_by_role("button", name="Train", exact=True).wait_for()
    lab.page.wait_for_timeout(300)
    assert "(stopped)" in overfitting.caption()
    assert numbers(overfitting.caption())[0] == 450
    kept = overfitting.pixels()
    overfitting.screenshot("05-stopped")

    overfitting.press("digits to learn from", "Home")
    overfitting.output.get_by_text("There is nothing to learn from").wait_for()
    assert overfitting.pixels() == kept and overfitting.height() == height
    assert lab.console == []
