import subprocess
import sys

import pytest

from course_utils.practice import course_map, progress

SYLLABUS = """
[[notebook]]
name = "00_start_here"
title = "Start <here>"
part = "Part 0"
minutes = 15
promise = "Has talked to a model."
concepts = ["course-map"]

[[notebook]]
name = "01_models_and_loss"
title = "Models"
part = "Part 1"
minutes = 45
promise = "Can fit."
concepts = []
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "syllabus.toml").write_text(SYLLABUS)
    (tmp_path / "00_start_here.ipynb").write_text("{}")
    return tmp_path


def test_the_map_counts_what_is_done(folder):
    progress.record("exercises", "00.1")
    progress.record("exercises", "99.9")
    progress.record("quizzes", "00.b", choice="x")
    progress.record("quizzes", "00.z", choice="x")
    start, models = course_map(folder).stops
    assert start.done == {"exercises": (1, 2), "quizzes": (1, 1), "predictions": (0, 1)}
    assert start.there and not models.there
    page = course_map(folder)._repr_html_()
    assert '<a href="00_start_here.ipynb">00 · Start &lt;here&gt;</a>' in page
    assert "1 of 2 exercises solved" in page and "<td>1 of 2</td><td>1 of 1 ✓</td><td>0 of 1</td>" in page
    assert "01 · Models (to come)" in page and "01_models_and_loss.ipynb" not in page


def test_the_plain_map_does_not_depend_on_progress(folder):
    before = repr(course_map(folder))
    progress.record("exercises", "00.1")
    assert repr(course_map(folder)) == before == "00  Start <here> (15 minutes)\n01  Models (to come)"


def test_a_broken_notebook_keeps_its_row(folder):
    (folder / "01_models_and_loss.ipynb").write_text("{")
    assert course_map(folder).stops[1].done["quizzes"] == (0, 1)


def test_a_notebook_without_exercises_keeps_its_row(folder):
    text = (folder / "syllabus.toml").read_text().replace("01_models_and_loss", "99_beyond")
    (folder / "syllabus.toml").write_text(text)
    (folder / "99_beyond.ipynb").write_text("{}")
    assert course_map(folder).stops[1].done == {"exercises": (0, 0), "quizzes": (0, 0), "predictions": (0, 0)}


def test_the_projects_own_map_has_all_notebooks():
    stops = course_map().stops
    assert [stop.name[:2] for stop in stops] == [f"{number:02}" for number in range(23)]


def test_practice_is_there_without_torch():
    code = "import sys, course_utils.practice as p; p.exercise('04.1').check(...); print('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "False\n"
