"""Exercises and quizzes as they stand on the pages of the course."""

import ast
import re

import pytest

from course_utils import assets
from course_utils.commands import notebooks
from course_utils.practice.exercises import lesson_exercises, lessons
from course_utils.practice.questions import lesson_questions

PAGES = [path for path in sorted((assets.project_folder() / "notebooks").glob("*.ipynb")) if path.stem[:2] in lessons()]
EVERY = pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)


def sources(path):
    return [cell.source for cell in notebooks.read(path).cells if cell.cell_type == "code"]


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
            assert not names_given(later) & ({task.picture} if task.picture else set(task.names)), (
                f"{task.id} is overwritten by {later!r}"
            )


@EVERY
def test_a_page_asks_every_question_of_its_lesson_and_holds_no_answer(path):
    asked = [source for source in sources(path) if re.search(r"^(quiz|predict)\(", source, re.MULTILINE)]
    for kind, call in (("quizzes", "quiz"), ("predictions", "predict")):
        found = [source for source in asked if source.startswith(f"{call}(")]
        for source, card in zip(found, lesson_questions(path.stem[:2])[kind], strict=True):
            allowed = rf'{call}\("{card.id}"\)' if call == "quiz" else rf'predict\("{card.id}"(, \w+)?\)'
            assert re.fullmatch(allowed, source), f"{source!r} should only name {card.id} and its picture"


@EVERY
def test_no_explanation_says_right_or_wrong_again_or_shows_an_asterisk(path):
    for card in [card for cards in lesson_questions(path.stem[:2]).values() for card in cards]:
        for option in card.options:  # "Right." and "Not this one." stand before it
            explanation = option.explanation
            assert not re.match(r"(Yes|No|Right|Wrong|Correct)\b[.,:;]", explanation), f"{card.id}: {explanation}"
            shown = re.sub(r"`[^`]*`|\*\*[^*]+\*\*", "", card.text + explanation)
            assert "*" not in shown, f"{card.id}: {explanation}"


@EVERY
def test_the_picture_that_an_exercise_reads_is_made_and_shown_before_it(path):
    cells = sources(path)
    for task in lesson_exercises(path.stem[:2]):
        if task.picture:
            before = cells[: cells.index(task.cell)]
            assert any(task.picture in names_given(source) for source in before)
            assert any(source.splitlines()[-1] == task.picture for source in before)
