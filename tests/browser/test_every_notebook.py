"""What holds for every notebook in JupyterLab: it runs, says what the page says, fits, and is never silent.

Each notebook is run once, and these tests come first in that window.
"""

import html
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from course_utils.commands import notebooks
from tests.browser.lab import HIGHEST, Lab, one_line


def recorded(page: Path) -> list[tuple[str, bool]]:
    """The captions stored under a notebook's explorers, and whether other machines may have other numbers there."""
    found = []
    for cell in notebooks.read(page).cells:
        for output in cell.get("outputs", ()):
            kind = output.get("data", {}).get("text/plain", "").rpartition(": ")[2]
            if kind == "interactive picture":
                said = output.metadata["image/png"]["alt"]
            elif kind == "interactive text":
                said = html.unescape(re.search(r"<figcaption><i>(.*)</i>", output.data["text/html"], re.DOTALL)[1])
            else:
                continue
            found.append((one_line(said), notebooks.IGNORED in cell.metadata.get("tags", ())))
    return found


def without_figures(sentence: str) -> str:
    """A sentence without what a trained model decides: numbers, and the tokens in quotation marks.

    >>> without_figures('Temperature 1.00: " Paris" 77 %.')
    'Temperature #: # # %.'
    """
    return re.sub(r'"[^"]*"|-?[\d,]*\.?\d+', "#", sentence)


def test_runs_from_a_clean_kernel_without_an_error(ran: Lab) -> None:
    ran.check()


def test_live_captions_are_the_recorded_ones(ran: Lab, project: Path) -> None:
    stored, explorers = recorded(project / "notebooks" / ran.front()), ran.explorers()
    assert len(explorers) == len(stored)
    for explorer, (words, differs) in zip(explorers, stored, strict=True):
        explorer.show()
        said = one_line(explorer.caption())
        assert explorer.alt() == said, "the picture's own text is another"
        if differs:
            said, words = without_figures(said), without_figures(words)
        assert said == words


@pytest.fixture
def window(ran: Lab) -> Iterator[Lab]:
    """The window; afterwards it is as large and as light as before."""
    yield ran
    ran.resize()
    ran.dark(False)


def faults(lab: Lab, name: str, highest: float = HIGHEST) -> list[str]:
    """What of the explorers on the page is cut, too wide or too high; pictures of them go into ``artefacts/``."""
    found = []
    for number, explorer in enumerate(lab.explorers()):
        explorer.screenshot(f"{lab.front()[:2]}-explorer-{number}-{name}")
        box = explorer.output.locator(".course-explorer").bounding_box()
        if box["height"] > highest:
            found.append(f"explorer {number} is {box['height']:.0f} pixels high")
        if box["width"] > lab.column() + 1 or explorer.body.bounding_box()["width"] > box["width"] + 1:
            found.append(f"explorer {number} is wider than its column of {lab.column():.0f} pixels")
        found += [f"explorer {number}: {what}" for what in explorer.cut()]
    return found


@pytest.mark.parametrize("column", [None, 640], ids=["100 %", "640 pixels"])
def test_every_explorer_fits_a_small_window_and_a_narrow_column(window: Lab, column: int | None) -> None:
    window.resize(column=column)
    assert not column or window.column() == pytest.approx(column, abs=1)
    assert faults(window, "narrow" if column else "wide") == []


def test_no_words_are_hard_to_read_in_the_dark_theme(window: Lab) -> None:
    window.dark()
    for number, explorer in enumerate(window.explorers()):
        explorer.screenshot(f"{window.front()[:2]}-explorer-{number}-dark")
        assert explorer.faint() == []


@pytest.mark.slow
@pytest.mark.parametrize("zoom", [1.25, 1.5], ids=["125 %", "150 %"])
def test_nothing_is_cut_by_zoom(window: Lab, zoom: float) -> None:
    window.resize(zoom)
    assert faults(window, f"{zoom:.0%}", highest=1.2 * HIGHEST) == []
