"""Notebook 12 in JupyterLab: a text written by keyboard, a tree grown, and the caption's arithmetic."""

import re

import pytest

from tests.browser.lab import ExplorerView, Lab


@pytest.fixture
def explorers(lab: Lab) -> tuple[ExplorerView, ExplorerView]:
    """The sampler and the tree."""
    found = lab.explorers()
    sampler = next(view for view in found if "bits of surprise so far" in view.alt())
    tree = next(view for view in found if "leaves shown" in view.alt())
    return sampler, tree


def press(view: ExplorerView, button: str) -> None:
    """Presses a button by keyboard and waits for the new picture."""
    before = view.pixels()
    view.output.get_by_role("button", name=button).press("Enter")
    view.wait_for_new_pixels(before)


def written(view: ExplorerView) -> tuple[int, float, float]:
    """Tokens written, their bits, and what the chosen one would add, as the caption says."""
    said = re.search(r"(\d+) tokens? written, ([\d.]+) bits .* would add ([\d.]+) bits", view.caption())
    tokens, bits, more = said.groups()
    return int(tokens), float(bits), float(more)


def test_a_text_is_written_step_by_step_and_a_tree_grows(explorers) -> None:
    sampler, tree = explorers
    sampler.show()
    height = sampler.height()
    before = written(sampler)
    choice = sampler.output.get_by_role("combobox")
    seen = sampler.pixels()
    choice.select_option(index=2)
    sampler.wait_for_new_pixels(seen)
    chosen = written(sampler)
    assert chosen[:2] == before[:2] and chosen[2] > before[2]  # the third row is less likely than the first
    press(sampler, "Take this token")
    after = written(sampler)
    assert after[0] == before[0] + 1 and after[1] == pytest.approx(chosen[1] + chosen[2], abs=0.11)
    press(sampler, "Let the model choose")
    assert written(sampler)[0] == before[0] + 2
    press(sampler, "Back one step")
    assert written(sampler)[:2] == after[:2]
    assert sampler.height() == height
    sampler.screenshot("12-step-sampler")

    tree.show()
    height = tree.height()
    leaves = int(re.search(r"The (\d+) leaves", tree.caption())[1])
    for grown in (1, 2):
        press(tree, "Expand this leaf")
        assert f"The {leaves + 2 * grown} leaves shown" in tree.caption()
    before = tree.pixels()
    tree.output.get_by_role("combobox").select_option(index=4)
    tree.wait_for_new_pixels(before)
    assert tree.height() == height
    tree.screenshot("12-tree")
    for index, view in enumerate(sampler.lab.explorers()):
        view.screenshot(f"12-look-{index}")
    assert sampler.lab.errors() == [] and sampler.lab.console == []
