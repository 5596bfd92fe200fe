"""Notebook 09 in JupyterLab: a cell and a head chosen by pointing, a cut, an own text, and attention by hand edited."""

from course_utils.plots.attention import MAP
from tests.browser.lab import ExplorerView, Lab


def heads(lab: Lab) -> ExplorerView:
    """The first picture: the heads of SmolLM2."""
    return next(view for view in lab.explorers() if "“bank” takes" in view.alt())


def by_hand(lab: Lab) -> ExplorerView:
    """Attention worked out, which is a text."""
    lab.explorers()  # draws every cell
    return ExplorerView(lab, lab.page.locator(".jp-OutputArea-output:has(.course-explorer table)").first)


def test_a_cell_is_pointed_at_and_cut_and_a_long_text_says_what_is_left_out(lab: Lab) -> None:
    view = heads(lab)
    view.show()
    height = view.height()
    caption = view.output.locator(".course-caption")
    assert "takes 96 % from “river”" in view.caption()
    view.screenshot("09-heads")
    view.output.locator("select").first.select_option(label="this cell")
    caption.get_by_text("Cut: “bank” cannot look at “river” in this head").wait_for()
    view.output.locator("select").first.select_option(label="nothing")
    caption.get_by_text("is likeliest").wait_for()
    view.press("layer", "ArrowRight")
    caption.get_by_text("Layer 10, head 2").wait_for()
    picture = view.output.locator("img").first
    box = picture.bounding_box()
    row, column = 8, 1  # "he" looks at "river"
    right = MAP[0] + MAP[2] * (column + 0.5) / 14
    up = MAP[1] + MAP[3] * (1 - (row + 0.5) / 14)
    picture.click(position={"x": right * box["width"], "y": (1 - up) * box["height"]})
    caption.get_by_text("“he” takes").wait_for()
    own = view.output.locator("input[type=text]").first
    own.fill("the bank " * 60)
    own.press("Enter")
    caption.get_by_text("Read and shown are the first 64 of").wait_for()
    view.screenshot("09-long-text")
    assert view.height() == height
    own.fill("")
    own.press("Enter")
    view.output.get_by_text("The text is empty").wait_for()
    view.output.locator("button", has_text="Reset").click()
    caption.get_by_text("takes 96 % from “river”").wait_for()
    assert lab.errors() == [] and lab.console == []


def test_the_prediction_frees_the_lists_and_every_step_follows_what_is_typed(lab: Lab) -> None:
    view = by_hand(lab)
    lab.page.get_by_role("button", name="about 96 %").click()
    view.output.scroll_into_view_if_needed()
    height = view.height()
    fields = view.output.locator("input[type=text]")
    queries = fields.nth(1)
    queries.fill("0 0 0 0; 0 1 0 0; 2 2 0 0")
    queries.press("Enter")
    view.output.get_by_text("96 % from river").first.wait_for()
    queries.fill("0 0 0 0; 0 1 0 x; 2 2 0 0")
    queries.press("Enter")
    view.output.get_by_text("'x' is not a number").wait_for()
    view.output.screenshot(path=lab.artefacts / "09-by-hand.png")
    assert view.height() == height
    view.output.locator("button", has_text="Reset").click()
    view.output.get_by_text("79 % from river").first.wait_for()
    assert lab.errors() == [] and lab.console == []
