"""Notebook 07 in JupyterLab: words typed into the map and into a sum, and a training that is turned back."""

import pytest

from course_utils import assets
from tests.browser.lab import HIGHEST, VIEWPORT, ExplorerView, Lab

PAGE = assets.project_folder() / "notebooks" / "07_embeddings.ipynb"


def enter(view: ExplorerView, label: str, text: str) -> None:
    """Types into a text field of an explorer and presses Enter."""
    field = view.output.get_by_label(label, exact=True)
    field.fill(text)
    field.press("Enter")


def test_the_map_answers_words_and_steps_and_refuses_a_misspelled_one(lab: Lab) -> None:
    first, training, sums = lab.explorers()
    first.show()
    height, seen = first.height(), first.pixels()
    enter(first, "neighbours of", "gold")
    seen = first.wait_for_new_pixels(seen)
    assert first.caption().startswith("Nearest to gold: silver") and first.height() == height
    enter(first, "neighbours of", "silvr")
    told = first.output.locator(".course-status [role=alert]")
    told.wait_for()
    assert "spelled alike: silver" in told.inner_text()
    assert first.pixels() == seen and first.height() == height, "the last good picture stays"

    training.show()
    seen = training.pixels()
    training.press("training step", "End")
    training.wait_for_new_pixels(seen)
    assert training.caption().startswith("After 3,000 steps: nearest to river: ")

    sums.show()
    seen = sums.pixels()
    enter(sums, "sum of words", "ships - ship + river")
    sums.wait_for_new_pixels(seen)
    assert "rivers" in sums.caption()
    assert lab.errors() == [] and lab.console == []


@pytest.mark.parametrize("width", [None, 640], ids=["wide", "narrow"])
@pytest.mark.parametrize(
    "line",
    ['EmbeddingMap(trained, projection="cosine with two words", step=2000)', "AnalogyExplorer(counted, own=True)"],
    ids=["map", "sums"],
)
def test_it_fits_with_every_control_in_a_small_window_and_a_narrow_column(
    line: str, width: int | None, lab: Lab, request: pytest.FixtureRequest
) -> None:
    column = lab.page.locator(".jp-OutputArea-output:visible").first.bounding_box()["width"]
    if width:
        lab.page.set_viewport_size({**VIEWPORT, "width": round(VIEWPORT["width"] - column + width)})
    view = lab.run_added(f"pinned = {line}\npinned.pin()\npinned")
    lab.page.wait_for_timeout(1000)  # every widget has its place
    box, picture = view.output.locator(".course-explorer").bounding_box(), view.image.bounding_box()
    view.screenshot("07-fits-" + request.node.callspec.id)
    lab.page.set_viewport_size(VIEWPORT)
    assert box["height"] <= HIGHEST and (width is None or abs(box["width"] - width) <= 1), box
    assert picture["width"] <= box["width"] + 1
