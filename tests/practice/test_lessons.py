"""One proof for every exercise of the course: its solution, its stub and its known wrong answers."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from course_utils.practice import exercises
from course_utils.practice.exercises import all_exercises, exercise, lesson_exercises, lessons

EVERY = pytest.mark.parametrize("task", all_exercises(), ids=lambda task: task.id)


def answers(task, source):
    """What the learner hands to ``check`` after running a cell with this source."""
    namespace = {}
    exec(compile(source, "<cell>", "exec"), namespace)
    return [namespace[name] for name in task.names]


def test_the_lessons_written_so_far_have_their_exercises():
    counts = {number: len(lesson_exercises(number)) for number in lessons()}
    assert counts["00"] >= 1
    assert all(4 <= count <= 6 for number, count in counts.items() if number != "00"), counts
    ids = [task.id for task in all_exercises()]
    assert len(ids) == len(set(ids)) >= 35
    assert all(exercise(identifier).id == identifier for identifier in ids)
    for number in lessons():
        assert [task.id for task in lesson_exercises(number)] == [f"{number}.{n + 1}" for n in range(counts[number])]


@EVERY
def test_solution_passes(task):
    for _ in range(5):
        result = task.check(*answers(task, task.answer))
        assert result.status == "correct" and result, result
    assert task.solved()


@pytest.mark.parametrize(
    ("identifier", "instead_of", "stands"),
    [
        ("03.2", "zip(parameters, gradient)", "zip(parameters, gradient, strict=True)"),
        ("03.5", "/ len(xs)", "/ len(ys)"),
        ("03.5", "zip(xs, ys)", "zip(xs, ys, strict=True)"),
        ("05.4", "zip(values, kept)", "zip(values, kept, strict=True)"),
    ],
)
def test_another_right_answer_passes(identifier, instead_of, stands):
    task = exercise(identifier)
    assert task.answer.count(instead_of) == 1
    for _ in range(5):
        result = task.check(*answers(task, task.answer.replace(instead_of, stands)))
        assert result.status == "correct", result


@EVERY
def test_stub_reads_not_attempted(task):
    result = task.check(*answers(task, task.stub))
    assert result.status == "not attempted" and not result
    assert repr(result).startswith("Not attempted yet: replace the dots by ")
    assert task.check().status == "not attempted"
    assert not task.solved()


@EVERY
def test_each_known_wrong_answer_gets_its_own_message(task):
    messages = {known.message for known in task.wrong}
    assert len(messages) == len(task.wrong) >= 2
    for known in task.wrong:
        assert known.instead_of in task.answer
        for _ in range(5):
            result = task.check(*answers(task, known.source(task.answer)))
            assert (result.status, result.message) == ("not yet", known.message)
    assert not task.solved()


@EVERY
def test_other_wrong_answers_get_none_of_those_messages(task):
    if task.inputs:
        result = task.check(lambda *arguments: -987.654)
    else:
        strange = {int: -987, float: -987.654, str: "banana"}
        result = task.check(*[strange.get(type(value), [strange]) for value in answers(task, task.answer)])
    assert result.status == "not yet"
    if task.inputs:
        assert result.message not in {known.message for known in task.wrong}
        assert task.names[0] in result.message


@EVERY
def test_hints_solution_and_card_are_there(task):
    assert len(task.hints) >= 2
    assert repr(task.hint(1)) != repr(task.hint(2))
    assert task.answer in task.solution()._repr_markdown_()
    assert 1 <= task.difficulty <= 5 and 1 <= task.importance <= 5 and 1 <= task.minutes <= 15
    shown = task._repr_markdown_()
    assert task.task in shown and "●" * task.difficulty + "○" * (5 - task.difficulty) in shown and "minute" in shown
    assert "solved" not in shown
    task.check(*answers(task, task.answer))
    assert "solved ✓" in task._repr_markdown_()


@EVERY
def test_cell_is_the_stub_and_its_check(task):
    lines = task.cell.splitlines()
    assert task.cell.startswith(task.stub)
    assert lines[-1] == f'exercise("{task.id}").check({", ".join(task.names)})'
    assert len(lines) <= 15
    namespace = {"exercise": exercise}
    exec("\n".join(lines[:-1]), namespace)
    assert eval(lines[-1], namespace).status == "not attempted"


def test_cells_and_solutions_are_formatted(tmp_path):
    for task in all_exercises():
        (tmp_path / f"cell_{task.id.replace('.', '_')}.py").write_text(task.cell + "\n")
        (tmp_path / f"answer_{task.id.replace('.', '_')}.py").write_text(task.answer + "\n")
    command = [sys.executable, "-m", "ruff", "format", "--diff", "--isolated", "--line-length", "120", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_declaration_takes_at_most_25_lines():
    lengths = {}
    for number in lessons():
        source = Path(exercises.__file__).with_name(f"lesson_{number}.py").read_text()
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Exercise":
                lengths[node.args[0].value] = node.end_lineno - node.lineno + 1
    assert lengths.keys() == {task.id for task in all_exercises()}
    assert max(lengths.values()) <= 25, lengths
