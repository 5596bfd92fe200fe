"""Exercises and quizzes as they stand on the pages of the course."""

import ast
import re

import pytest

from course_utils import assets
from course_utils.commands import notebooks
from course_utils.practice.exercises import lesson_exercises, lessons

PAGES = [path for path in sorted((assets.project_folder() / "notebooks").glob("*.ipynb")) if path.stem[:2] in lessons()]
EVERY = pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)


def sources(path):
    return [cell.source for cell in notebooks.read(path).cells if cell.cell_type == "code"]


def quizzes(path):
    """Each quiz of a page: its letter, and its explanations by option."""
    for source in sources(path):
        if notebooks.asks(source):
            call = ast.parse(source).body[-1].value
            if call.func.id == "quiz":
                identifier, _question, options = call.args
                yield ast.literal_eval(identifier), ast.literal_eval(options)


def names_given(source):
    """Names that a cell defines on the page: functions, classes, and what is assigned outside of functions."""
    work, found = list(ast.parse(source).body), set()
    while work:
        node = work.pop()
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found.add(node.name)
        elif not isinstance(node, ast.Lambda | ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                found.add(node.id)
            work += ast.iter_child_nodes(node)
    return found


@EVERY
def test_the_exercises_stand_in_the_order_of_their_numbers(path):
    asked = re.findall(r'^exercise\("([\d.]+)"\)$', "\n".join(sources(path)), flags=re.MULTILINE)
    assert asked == [task.id for task in lesson_exercises(path.stem[:2])]


@EVERY
def test_each_exercise_has_its_cell_and_no_later_cell_takes_its_names(path):
    cells = sources(path)
    for task in lesson_exercises(path.stem[:2]):
        place = cells.index(task.cell)
        for later in cells[place + 1 :]:
            assert not names_given(later) & set(task.names), f"{task.id} is overwritten by {later!r}"


@EVERY
def test_no_explanation_says_right_or_wrong_again_or_shows_an_asterisk(path):
    for letter, options in quizzes(path):
        for explanation in options.values():  # "Right." and "Not this one." stand before it
            assert not re.match(r"(Yes|No|Right|Wrong|Correct)\b[.,:;]", explanation), f"{letter}: {explanation}"
            shown = re.sub(r"`[^`]*`|\*\*[^*]+\*\*", "", explanation)
            assert "*" not in shown, f"{letter}: {explanation}"
