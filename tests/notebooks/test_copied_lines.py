"""*Copy as Python* keeps its promise in every lesson: in a box below the picture, the copied line makes it again."""

from typing import Any

import pytest
from nbformat import NotebookNode

from course_utils import assets
from course_utils.commands import notebooks
from course_utils.explorers.base import Explorer
from tests.notebooks.pages import Page

PAGES = notebooks.chosen(assets.project_folder() / "notebooks", [])


def shows_explorer(cell: NotebookNode) -> bool:
    """Whether an explorer's still is stored under the cell."""
    texts = [output.get("data", {}).get("text/plain", "") for output in cell.get("outputs", ())]
    return any(text.endswith((": interactive picture", ": interactive text")) for text in texts)


def seen(explorer: Explorer) -> tuple[Any, ...]:
    """What a learner sees of it."""
    return explorer.says, explorer.values, explorer.still()


@pytest.mark.slow
@pytest.mark.parametrize("path", PAGES, ids=[path.stem for path in PAGES])
def test_every_copied_line_makes_the_same_picture(path, own_progress):
    page = Page(path.stem[:2])
    order = list(page.cells)
    explorers = [name for name, cell in page.cells.items() if shows_explorer(cell)]
    last = order.index(explorers[-1]) if explorers else -1
    names = page.run(wanted=lambda cell: order.index(cell.id) <= last)
    for name in explorers:
        explorer = names["shown"].get(name)
        assert isinstance(explorer, Explorer), f"{name} shows an explorer otherwise than by its last line"
        copied = eval(explorer.as_python(), names)
        assert type(copied) is type(explorer) and seen(copied) == seen(explorer), f"{name}: {explorer.as_python()}"
