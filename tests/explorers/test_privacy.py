"""No explorer needs a private name of the base: what a new one may use is public and in the base's contract."""

import ast
from pathlib import Path

import course_utils.explorers

FOLDER = Path(course_utils.explorers.__file__).parent
BASE = ("base.py", "board.py", "display.py", "tour.py", "controls.py", "slider.py")


def private(tree: ast.AST) -> set[str]:
    """Attributes and methods whose names begin with one underscore."""
    names = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    names |= {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    return {name for name in names if name.startswith("_") and not name.startswith("__")}


def test_no_explorer_uses_or_overrides_a_private_name_of_the_base() -> None:
    trees = {path.name: ast.parse(path.read_text(encoding="utf-8")) for path in FOLDER.glob("*.py")}
    base = set().union(*(private(trees[name]) for name in BASE))
    assert "_update" in base
    for name in set(trees) - set(BASE) - {"subshells.py"}:
        assert not private(trees[name]) & base, f"{name} reaches into the base: {private(trees[name]) & base}"


def test_no_explorer_puts_widgets_into_the_base_by_hand() -> None:
    for path in set(FOLDER.glob("*.py")) - {FOLDER / name for name in BASE}:
        assert "widget.children =" not in path.read_text(encoding="utf-8"), f"{path.name}: use add_widget"
