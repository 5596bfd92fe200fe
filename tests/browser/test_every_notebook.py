"""Every notebook as a learner runs it: a clean kernel, Run All through the menu, in a real browser."""

import os
from pathlib import Path

import pytest

from course_utils.__main__ import LONGER_NOTEBOOKS, NOTEBOOK_SECONDS, syllabus, wanted_notebooks

PROJECT = Path(__file__).resolve().parents[2]
NOTEBOOKS = wanted_notebooks(PROJECT, os.environ)


def test_there_are_notebooks_and_the_syllabus_knows_them() -> None:
    assert NOTEBOOKS
    assert {path.stem for path in NOTEBOOKS} <= {notebook["name"] for notebook in syllabus(PROJECT)}


@pytest.mark.parametrize("notebook", [path.stem for path in NOTEBOOKS])
def test_runs_from_a_clean_kernel_without_an_error(lab, notebook: str) -> None:
    lab.open(f"{notebook}.ipynb")
    goal = LONGER_NOTEBOOKS.get(notebook[:2], NOTEBOOK_SECONDS)
    seconds = lab.run_all(goal * 3)
    print(f"{notebook}: {seconds:.0f} s in the browser, the goal is {goal} s.")
    assert lab.errors() == []
    explorers = lab.explorers()
    assert explorers, "no explorer is on the page"
    for number, explorer in enumerate(explorers):
        explorer.screenshot(f"{notebook}-explorer-{number}")
        assert explorer.alt(), "the picture has no text for those who cannot see it"
        assert explorer.caption().strip(), "the picture has no sentence under it"
    assert lab.console == []
