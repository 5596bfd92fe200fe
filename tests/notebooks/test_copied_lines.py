"""*Copy as Python* keeps its promise in every lesson: in a box below the picture, the copied line makes it again."""

import ast
from typing import Any

import pytest

from course_utils import assets
from course_utils.commands import notebooks
from course_utils.explorers.base import Explorer

PAGES = notebooks.chosen(assets.project_folder() / "notebooks", [])


def shows_explorer(cell: Any) -> bool:
    """Whether an explorer's still is stored under the cell; a `LiveCurve` has no controls and is none."""
    texts = [output.get("data", {}).get("text/plain", "") for output in cell.get("outputs", ())]
    kinds = (": interactive picture", ": interactive text")
    return any(text.endswith(kinds) and not text.startswith("LiveCurve") for text in texts)


def shown(explorer: Explorer) -> tuple[Any, ...]:
    """What a learner sees of it."""
    return explorer.says, explorer.values, explorer.still()


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES, ids=[page.stem for page in PAGES])
def test_every_copied_line_makes_the_same_picture(page, tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_PROGRESS", str(tmp_path / "progress.json"))
    cells = [cell for cell in notebooks.read(page).cells if cell.cell_type == "code"]
    last = max((number for number, cell in enumerate(cells) if shows_explorer(cell)), default=-1)
    names: dict[str, Any] = {}
    for cell in cells[: last + 1]:
        tree = ast.parse(cell.source)
        ending = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
        exec(compile(tree, cell.id, "exec"), names)
        value = eval(compile(ast.Expression(ending.value), cell.id, "eval"), names) if ending else None
        if shows_explorer(cell):
            assert isinstance(value, Explorer), f"{cell.id} shows an explorer otherwise than by its last line"
            copied = eval(value.as_python(), names)
            assert type(copied) is type(value) and shown(copied) == shown(value), f"{cell.id}: {value.as_python()}"
