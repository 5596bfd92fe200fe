"""A lesson takes a learner the minutes that it promises, counted by words, cells, explorers and exercises."""

import re
from dataclasses import dataclass
from pathlib import Path

import pytest
from nbformat import NotebookNode

from course_utils import assets
from course_utils.commands import notebooks
from course_utils.commands.map import syllabus
from course_utils.practice.exercises import lesson_exercises, lessons

PROJECT = assets.project_folder()
FILES = sorted((PROJECT / "notebooks").glob("*.ipynb"))
PROMISED = {notebook["name"]: notebook["minutes"] for notebook in syllabus(PROJECT)}

WORDS_A_MINUTE = 200
EXPLORER, QUESTION = 3.0, 1.0  # minutes
SHORTEST_CELL, LONGEST_CELL = 0.5, 2.0  # minutes for a code cell of one line, and for one of twenty or more
MARGIN = 0.2  # how far, as a share of the promise, the count may lie above or below it


@dataclass(frozen=True)
class Minutes:
    """Where a learner's time goes in one lesson."""

    words: float
    code: float
    explorers: float
    questions: float
    exercises: float

    @property
    def total(self) -> float:
        return self.words + self.code + self.explorers + self.questions + self.exercises

    def __str__(self) -> str:
        parts = "words {0.words:.0f}, code {0.code:.0f}, explorers {0.explorers:.0f}, questions {0.questions:.0f}"
        return f"{self.total:.0f} minutes (" + (parts + ", exercises {0.exercises:.0f})").format(self)


def words_in(markdown: str) -> int:
    """How many words a reader reads; pieces of formulas count, marks and addresses do not."""
    return len(re.findall(r"[^\W_]+(?:['’.-][^\W_]+)*", re.sub(r"\]\([^)]*\)|<[^>]+>", " ", markdown)))


def is_explorer(cell: NotebookNode) -> bool:
    shown = [output.get("data", {}).get("text/plain", "") for output in cell.outputs]
    return any(text.endswith((": interactive picture", ": interactive text")) for text in shown)


def minutes_of(notebook: NotebookNode, exercises: int) -> Minutes:
    """A learner's minutes; ``exercises`` is the sum of the minutes that the lesson's exercises state."""
    words = sum(words_in(cell.source) for cell in notebook.cells if cell.cell_type == "markdown")
    code, explorers, questions = 0.0, 0, 0
    for cell in notebook.cells:
        if cell.cell_type == "markdown" or re.search(r"^exercise\(", cell.source, re.MULTILINE):
            continue  # an exercise's two cells are in its minutes
        if re.search(r"^(quiz|predict)\(", cell.source, re.MULTILINE):
            questions += 1
        elif is_explorer(cell):
            explorers += 1
        else:
            share = min(len(cell.source.strip().splitlines()), notebooks.MOST_LINES) / notebooks.MOST_LINES
            code += SHORTEST_CELL + (LONGEST_CELL - SHORTEST_CELL) * share
    return Minutes(words / WORDS_A_MINUTE, code, EXPLORER * explorers, QUESTION * questions, exercises)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_lesson_takes_the_minutes_that_it_promises(path: Path) -> None:
    number, promised = path.stem[:2], PROMISED[path.stem]
    stated = sum(task.minutes for task in lesson_exercises(number)) if number in lessons() else 0
    counted = minutes_of(notebooks.read(path), stated)
    assert abs(counted.total - promised) <= MARGIN * promised, f"{promised} minutes are promised and it takes {counted}"


def test_the_count_of_a_small_lesson_is_the_one_by_hand() -> None:
    from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

    explorer = new_code_cell("show", outputs=[new_output("display_data", {"text/plain": "Dot: interactive picture"})])
    cells = [
        new_markdown_cell("# A lesson\n\n" + "word " * 398),
        new_code_cell("\n".join(["x = 1"] * 10)),
        explorer,
        new_code_cell("quiz('01.a', 'Why?', {'so': 'yes'})"),
        new_code_cell('exercise("01.1")'),
        new_code_cell('answer = ...\nexercise("01.1").check(answer)'),
    ]
    counted = minutes_of(new_notebook(cells=cells), 7)
    assert counted == Minutes(words=2.0, code=1.25, explorers=3.0, questions=1.0, exercises=7)
    assert counted.total == 14.25
    assert words_in("**Bold** [a link](https://example.org/long/way) <b>it's</b> $w_1$") == 6
