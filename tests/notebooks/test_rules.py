"""Every notebook of the course keeps the rules, teaches the concepts of the syllabus, and stays testable."""

import tomllib
from collections import Counter

import pytest

from course_utils import assets
from course_utils.commands import notebooks

FOLDER = assets.project_folder() / "notebooks"
FILES = sorted(FOLDER.glob("*.ipynb"))
SYLLABUS = {entry["name"]: entry for entry in tomllib.loads((FOLDER / "syllabus.toml").read_text("utf-8"))["notebook"]}
LEAST_COMPARED = 0.4


def concepts(notebook, kind: str) -> Counter[str]:
    """How many cells of one kind carry each ``concept:`` tag."""
    tags = [tag for cell in notebook.cells if cell.cell_type == kind for tag in cell.metadata.get("tags", [])]
    return Counter(tag.removeprefix("concept:") for tag in tags if tag.startswith("concept:"))


def test_there_are_notebooks_and_each_is_in_the_syllabus():
    assert FILES
    assert {path.stem for path in FILES} <= set(SYLLABUS)


def test_the_syllabus_is_whole():
    assert [name[:2] for name in SYLLABUS] == [f"{number:02}" for number in range(23)]
    for entry in SYLLABUS.values():
        assert entry["title"] and entry["part"] and entry["promise"].endswith(".")
        assert 0 < entry["minutes"] <= 60
        assert len(set(entry["concepts"])) == len(entry["concepts"]) > 0


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_notebook_keeps_the_rules(path):
    assert notebooks.faults(notebooks.read(path)) == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_notebook_teaches_the_concepts_of_the_syllabus(path):
    notebook = notebooks.read(path)
    wanted = set(SYLLABUS[path.stem]["concepts"])
    assert set(concepts(notebook, "markdown")) == wanted, "each concept needs a markdown cell, and no other tags"
    assert set(concepts(notebook, "code")) == wanted, "each concept needs a code cell, and no other tags"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_enough_of_a_notebook_is_compared(path):
    share = notebooks.compared_share(notebooks.read(path))  # 'make test' and 'make notebooks' print it
    assert share >= LEAST_COMPARED, f"{share:.0%} of code cells with output are compared; at least {LEAST_COMPARED:.0%}"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_notebook_is_run_in_the_browser_by_the_module_named_after_it(path, project):
    module = project / "tests" / "browser" / f"test_{path.stem}.py"
    assert module.exists(), f"write tests/browser/{module.name}, which moves the notebook's own controls"
    assert "def test_" in module.read_text(encoding="utf-8")
    assert "ran.check()" in (project / "tests" / "browser" / "test_every_notebook.py").read_text(encoding="utf-8")


def test_no_browser_module_is_left_of_a_notebook_that_is_gone(project):
    modules = {path.stem.removeprefix("test_") for path in (project / "tests" / "browser").glob("test_*.py")}
    assert modules == {"every_notebook", *(path.stem for path in FILES)}
